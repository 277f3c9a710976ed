//! Who may disturb whom: a test that kills processes or fills queues runs alone.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static STACK: RwLock<()> = RwLock::const_new(());

/// Beside other tests, until dropped.
pub(crate) async fn together() -> RwLockReadGuard<'static, ()> {
    STACK.read().await
}

/// With no other test, until dropped.
pub(crate) async fn alone() -> RwLockWriteGuard<'static, ()> {
    STACK.write().await
}
