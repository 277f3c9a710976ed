//! How many attempts of one batch are under way to one endpoint at the same time.

/// Attempts that any batch may have under way to an endpoint that is in no trouble: all of a batch of ten, so that it is over
/// as soon as it can be. Should the endpoint turn out to hang, all of them wait for its deadline, as long as the first of
/// them do anyway.
const FEWEST: usize = 10;

/// The same of an endpoint that fails or is slow.
const FEWEST_IN_TROUBLE: usize = 5;

/// How often all slots of an endpoint are filled, at most, for a batch that is all for it. The time-out of `deliver` has
/// room for as many attempts one after the other: what had to wait for longer could not begin, and after five such
/// receives an attempt that was never made would count as interrupted.
pub const ROUNDS: usize = 2;

/// The slots of an endpoint, in trouble or not, while a batch of so many messages is delivered.
#[must_use]
pub fn slots(is_in_trouble: bool, messages: usize) -> usize {
    let fewest = if is_in_trouble { FEWEST_IN_TROUBLE } else { FEWEST };
    messages.div_ceil(ROUNDS).max(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_ten_is_under_way_at_once_and_half_of_it_to_an_endpoint_in_trouble() {
        assert_eq!([1, 9, 10].map(|messages| slots(false, messages)), [10; 3]);
        assert_eq!([1, 9, 10].map(|messages| slots(true, messages)), [5; 3]);
    }

    #[test]
    fn a_batch_of_any_size_for_one_endpoint_takes_two_rounds_at_most() {
        for is_in_trouble in [false, true] {
            for messages in 1..=10_000_usize {
                let rounds = messages.div_ceil(slots(is_in_trouble, messages));
                assert!(rounds <= ROUNDS, "{messages}");
            }
        }
    }
}
