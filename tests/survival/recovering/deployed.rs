//! A deployment in the middle of a recovery: every function is replaced at once. The emulator ends their processes, where
//! Lambda lets them finish what they have begun
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>); that what one release has queued is read
//! by the next is shown by `tests/compat`.

use std::collections::BTreeSet;

use futures::future::join_all;
use tests::{PATIENCE, receivers};

use super::{KEPT_FROM, LONGEST, Stage};
use crate::survival::STACK;

/// Four pages, a second each.
const COUNT: u32 = 400;
const PER_SECOND: u32 = 100;

/// Who works for a recovery.
const WORKERS: [&str; 2] = ["RecoverFunction", "DeliverFunction"];

#[tokio::test]
async fn a_recovery_goes_on_across_a_deployment() {
    let turn = STACK.alone().await;
    turn.hide_briefly(KEPT_FROM).await;
    let stage = Stage::of(&STACK, receivers::healthy().await, COUNT).await;
    stage.start(PER_SECOND).await;
    let received = stage.receiver.wait_for(110, PATIENCE).await;
    received.expect("the second page is on its way");
    let before = processes();

    let functions = STACK.functions.keys();
    join_all(functions.map(|function| STACK.set_variable(function, "RELEASE", "the next"))).await;

    let recovery = stage.ended(LONGEST).await;
    stage.assert_recovered(&recovery, COUNT).await;
    let after = processes();
    assert!(!before.is_empty() && !after.is_empty());
    assert!(before.is_disjoint(&after), "none has survived");
    assert_eq!(STACK.queue("ParkedQueue").depth().await, 0, "nothing is parked");
}

fn processes() -> BTreeSet<u32> {
    let workers = WORKERS
        .into_iter()
        .flat_map(|function| STACK.processes_of(function));
    workers.map(|process| process.id()).collect()
}
