//! How many attempts of one batch are under way to one endpoint at the same time.

/// Attempts that any batch may have under way to one endpoint.
const FEWEST: usize = 5;

/// How often all slots of an endpoint are filled, at most, for a batch that is all for it. The time-out of `deliver` has
/// room for as many attempts one after the other: what had to wait for longer could not begin, and after five such
/// receives an attempt that was never made would count as interrupted.
pub const ROUNDS: usize = 2;

/// The slots of each endpoint while a batch of so many messages is delivered.
#[must_use]
pub const fn slots_per_endpoint(messages: usize) -> usize {
    let slots = messages.div_ceil(ROUNDS);
    if slots < FEWEST { FEWEST } else { slots }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_ten_has_five_attempts_under_way_to_one_endpoint() {
        assert_eq!([1, 5, 9, 10].map(slots_per_endpoint), [5; 4]);
    }

    #[test]
    fn a_batch_of_any_size_for_one_endpoint_takes_two_rounds_at_most() {
        for messages in 1..=10_000_usize {
            assert!(
                messages.div_ceil(slots_per_endpoint(messages)) <= ROUNDS,
                "{messages}"
            );
        }
    }
}
