//! Who may disturb whom: a test that kills processes or fills queues runs alone.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::faults::STACK;

static TURNS: RwLock<()> = RwLock::const_new(());

/// The queues on which a test may hide what is received for less time, and for how many seconds the template hides it.
const HIDDEN: [(&str, u32); 3] = [
    ("EventsQueue", 180),
    ("FailedAttemptsQueue", 180),
    ("RecoveriesQueue", 180),
];

/// Beside other tests, until dropped.
pub(crate) async fn together() -> RwLockReadGuard<'static, ()> {
    TURNS.read().await
}

/// With no other test, until dropped. What an earlier test set is as the template has it again: with ten seconds, a machine
/// that is busy sees messages twice.
pub(crate) async fn alone() -> RwLockWriteGuard<'static, ()> {
    let turn = TURNS.write().await;
    for (queue, seconds) in HIDDEN {
        STACK.queue(queue).hide_received_for(seconds).await;
    }
    turn
}
