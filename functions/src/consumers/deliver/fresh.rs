//! An endpoint and its secret, fresh enough for an attempt to begin (`shared::domain::freshness`).

use shared::domain::freshness::{FRESH_FOR, MAX_REREADS};
use tokio::time::Instant;

/// What is known of an endpoint when its attempt may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fresh<T, S> {
    /// It was read less than [`FRESH_FOR`] ago.
    Yes(T, S),
    /// It was deleted.
    Gone,
    /// It was read again, each time so slowly that nothing is known of it for certain now.
    No,
}

/// Fetches what belongs to an endpoint that was read at a time; where that takes too long, the endpoint is read again.
///
/// # Errors
/// Those of `fetch` and `read`.
pub(super) async fn fresh<T, S, E>(
    mut endpoint: T,
    mut read_at: Instant,
    fetch: impl AsyncFn(&T) -> Result<S, E>,
    read: impl AsyncFn() -> Result<Option<T>, E>,
) -> Result<Fresh<T, S>, E> {
    let mut rereads = 0;
    loop {
        let secret = fetch(&endpoint).await?;
        if read_at.elapsed() < FRESH_FOR {
            return Ok(Fresh::Yes(endpoint, secret));
        }
        if rereads == MAX_REREADS {
            return Ok(Fresh::No);
        }
        rereads += 1;
        read_at = Instant::now();
        let Some(current) = read().await? else {
            return Ok(Fresh::Gone);
        };
        endpoint = current;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    /// Looks at version 1 of an endpoint, which was read just now; each further read takes so long and finds the next.
    async fn look(fetching: Duration, reading: Duration) -> (Fresh<u32, ()>, u32) {
        let reads = Cell::new(0);
        let looked = fresh(
            1,
            Instant::now(),
            async |_: &u32| {
                sleep(if reads.get() == 0 {
                    fetching
                } else {
                    Duration::ZERO
                })
                .await;
                Ok::<_, ()>(())
            },
            async || {
                reads.set(reads.get() + 1);
                sleep(reading).await;
                Ok(Some(1 + reads.get()))
            },
        );
        (looked.await.unwrap(), reads.get())
    }

    const SLOW: Duration = Duration::from_secs(2);
    const QUICK: Duration = Duration::from_millis(10);

    #[tokio::test(start_paused = true)]
    async fn what_is_fresh_is_not_read_again() {
        assert_eq!(look(QUICK, QUICK).await, (Fresh::Yes(1, ()), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_fresh_any_more_is_read_again() {
        assert_eq!(look(SLOW, QUICK).await, (Fresh::Yes(2, ()), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_whose_reading_is_always_slow_is_read_again_twice_and_no_more() {
        let looking = tokio::time::timeout(Duration::from_mins(1), look(SLOW, SLOW));

        assert_eq!(looking.await, Ok((Fresh::No, MAX_REREADS)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_is_gone_gets_nothing() {
        let late = Instant::now();
        sleep(SLOW).await;

        let looked = fresh(1, late, async |_: &u32| Ok::<_, ()>(()), async || Ok(None)).await;

        assert_eq!(looked, Ok(Fresh::Gone));
    }
}
