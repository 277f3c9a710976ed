//! Checks signatures with the official Standard Webhooks library.

use local::receiver::Received;

/// Whether the request's signature verifies with `secret`, the one that the API showed.
pub(crate) fn verifies(received: &Received, secret: &str) -> bool {
    let secret = secret.strip_prefix("whs_").expect("a secret of ours");
    let webhook = standardwebhooks::Webhook::new(secret).expect("a secret that the library takes");
    webhook.verify(&received.body, &received.headers).is_ok()
}
