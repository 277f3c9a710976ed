//! Only here because a package needs a target; the tests are in `e2e` and `faults`.
