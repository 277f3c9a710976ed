//! Who may disturb whom on a stack: a test that kills processes which others ask, fills queues or hides messages for less
//! time runs alone.

use tokio::sync::{RwLockReadGuard, RwLockWriteGuard};

use super::SuiteStack;

/// The queues on which a test may hide what is received for less time, and for how many seconds the template hides it.
const HIDDEN: [(&str, u32); 3] = [
    ("EventsQueue", 180),
    ("FailedAttemptsQueue", 180),
    ("RecoveriesQueue", 180),
];

/// For how long a function that died then keeps its messages.
const BRIEFLY_HIDDEN_SECONDS: u32 = 10;

/// The turn of a test that runs alone, until dropped.
pub struct Alone<'a> {
    stack: &'a SuiteStack,
    _turn: RwLockWriteGuard<'a, ()>,
}

impl SuiteStack {
    /// Beside other tests, until dropped.
    pub async fn together(&self) -> RwLockReadGuard<'_, ()> {
        self.turns.read().await
    }

    /// With no other test, until dropped. What an earlier test set is as the template has it again: with ten seconds, a
    /// machine that is busy sees messages twice. The stack starts first, so that those that share it go first, and at once.
    pub async fn alone(&self) -> Alone<'_> {
        self.started();
        let turn = self.turns.write().await;
        for (queue, seconds) in HIDDEN {
            self.queue(queue).hide_received_for(seconds).await;
        }
        Alone {
            stack: self,
            _turn: turn,
        }
    }
}

impl Alone<'_> {
    /// Hides what is received from these queues for ten seconds instead of three minutes.
    pub async fn hide_briefly<const N: usize>(&self, queues: [&str; N]) {
        for queue in queues {
            let queue = self.stack.queue(queue);
            queue.hide_received_for(BRIEFLY_HIDDEN_SECONDS).await;
        }
    }
}
