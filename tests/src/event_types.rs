//! Event types that endpoints of this build can subscribe to, so that tests do not depend on which ones a team ships.

use shared::domain::event_type::Catalogue;

/// An event type of the catalogue.
pub fn one() -> &'static str {
    nth(0)
}

/// Another one.
pub fn other() -> &'static str {
    nth(1)
}

/// All of them, in their order.
pub fn all() -> Vec<&'static str> {
    let event_types = Catalogue::Product.event_types();
    event_types.map(|event_type| event_type.name).collect()
}

fn nth(number: usize) -> &'static str {
    let all = all();
    all.get(number).unwrap_or_else(|| {
        panic!(
            "the tests need two event types, and event-types/ has {}",
            all.len()
        )
    })
}
