/** Code for receivers: how to verify a request, and commands that send one. The same as in the guide for receivers. */

/** @typedef {{name: string, install: string, code: string}} Snippet */

/**
 * Returns code that verifies requests, by language.
 * @param {string} url of the endpoint
 * @returns {Snippet[]}
 */
export function verifying(url) {
  return [
    {
      name: 'Python',
      install: 'pip install standardwebhooks',
      code: `from standardwebhooks import Webhook


def verify(secret: str, headers: dict[str, str], body: bytes) -> dict:
    """Returns the event, and raises an exception if the request is not genuine."""
    return Webhook(secret.removeprefix("whs_")).verify(body, headers)`,
    },
    {
      name: 'JavaScript',
      install: 'npm install standardwebhooks',
      code: `import { Webhook } from "standardwebhooks";

// Returns the event, and throws if the request is not genuine. The body is a string or a Buffer.
export function verify(secret, headers, body) {
  return new Webhook(secret.replace(/^whs_/, "")).verify(body, headers);
}`,
    },
    {
      name: 'Rust',
      install: 'cargo add standardwebhooks@1.0.1 http@1',
      code: `use http::HeaderMap;
use standardwebhooks::{Webhook, WebhookError};

/// An error means that the request is not genuine.
pub fn verify(secret: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    let secret = secret.strip_prefix("whs_").unwrap_or(secret);
    Webhook::new(secret)?.verify(body, headers)
}`,
    },
    {
      name: 'curl',
      install: '',
      code: signedRequest(url, 'evt_made_up', '{"id":"evt_made_up","event":"made.up","data":{}}'),
    },
  ];
}

/**
 * Returns shell commands that send an event as we do, signed with the secret in \`SECRET\`.
 * @param {string} url
 * @param {string} id of the event
 * @param {string} body
 */
export function signedRequest(url, id, body) {
  return `SECRET='whs_…'  # the signing secret of the endpoint
ID=${quoted(id)}
BODY=${quoted(body)}
TIME=$(date +%s)
KEY=$(printf %s "\${SECRET#whs_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
SIGNATURE=$(printf %s "$ID.$TIME.$BODY" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$KEY" -binary | base64)
curl -sS -i -X POST ${quoted(url)} \\
  -H 'content-type: application/json' \\
  -H "webhook-id: $ID" -H "webhook-timestamp: $TIME" -H "webhook-signature: v1,$SIGNATURE" \\
  --data-binary "$BODY"`;
}

/**
 * Returns a text as one word of a shell.
 * @param {string} text
 */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
