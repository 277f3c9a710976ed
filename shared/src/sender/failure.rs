//! What an error of the HTTP client means for the delivery.

use std::error::Error as StdError;

use super::resolver::{LookUpFailed, RefusedAddress};
use crate::domain::delivery::Failure;

/// The reason code of an error. Anything unrecognised is a broken connection.
pub(super) fn of(error: &reqwest::Error) -> Failure {
    let mut causes = std::iter::successors(Some(error as &(dyn StdError + 'static)), |cause| next(*cause));
    causes.find_map(known).unwrap_or(Failure::Connect)
}

/// The cause of an error; one that is wrapped in an I/O error counts as its cause.
fn next<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let wrapped = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    wrapped
        .map(|inner| inner as &(dyn StdError + 'static))
        .or_else(|| error.source())
}

fn known(cause: &(dyn StdError + 'static)) -> Option<Failure> {
    if cause.is::<RefusedAddress>() {
        return Some(Failure::RefusedAddress);
    }
    if cause.is::<LookUpFailed>() {
        return Some(Failure::Dns);
    }
    if cause.is::<rustls::Error>() {
        return Some(Failure::Tls);
    }
    let hyper = cause.downcast_ref::<hyper::Error>()?;
    // hyper tells a head that is too large apart for servers only; for a client the text is all there is.
    (hyper.is_parse() && hyper.to_string().contains("too large")).then_some(Failure::TooLarge)
}
