//! Receivers that behave in one of the ways that several tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use local::receiver::{Answer, Receiver};

/// A receiver that answers every request alike.
pub async fn always(answer: Answer) -> Receiver {
    Receiver::start(move |_| answer.clone())
        .await
        .expect("a receiver")
}

/// A receiver that answers 200.
pub async fn healthy() -> Receiver {
    always(Answer::status(200)).await
}

/// A receiver that answers 500 to its first `failures` requests and 200 to all others.
pub async fn recovering(failures: usize) -> Receiver {
    let seen = AtomicUsize::new(0);
    let answer = move |_: &_| {
        let number = seen.fetch_add(1, Ordering::Relaxed);
        Answer::status(if number < failures { 500 } else { 200 })
    };
    Receiver::start(answer).await.expect("a receiver")
}

/// A receiver that answers with a status that can be changed.
pub async fn answering(status: &Arc<AtomicU16>) -> Receiver {
    let status = Arc::clone(status);
    Receiver::start(move |_| Answer::status(status.load(Ordering::SeqCst)))
        .await
        .expect("a receiver")
}

/// A receiver that asks its first sender to come back later, and answers 200 to all others.
pub async fn busy(wait_seconds: u64) -> Receiver {
    let asked = AtomicBool::new(false);
    let answer = move |_: &_| {
        if asked.swap(true, Ordering::SeqCst) {
            return Answer::status(200);
        }
        Answer::status(503).header("retry-after", &wait_seconds.to_string())
    };
    Receiver::start(answer).await.expect("a receiver")
}
