//! The one place that says whether the run goes on: asked before each row, and waited for wherever a row waits.

use std::cell::RefCell;
use std::rc::Rc;

use tokio_util::sync::CancellationToken;

use crate::model::event::Halt;

/// Why a run ends before its last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// A signal asked for it.
    Interrupted,
    /// The run halts itself.
    Halted(Halt),
}

/// A switch that is thrown once: no further call starts, calls in flight finish. Clones share the switch.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    thrown: CancellationToken,
    reason: Rc<RefCell<Option<StopReason>>>,
}

impl Stop {
    /// Throws the switch. The first reason is kept, except that a fault of ours ranks above everything.
    pub fn now(&self, reason: StopReason) {
        let mut kept = self.reason.borrow_mut();
        if kept.as_ref().is_none_or(|known| rank(&reason) > rank(known)) {
            *kept = Some(reason);
        }
        self.thrown.cancel();
    }

    /// True once the switch was thrown.
    pub fn is_thrown(&self) -> bool {
        self.thrown.is_cancelled()
    }

    /// Waits until the switch is thrown.
    pub async fn thrown(&self) {
        self.thrown.cancelled().await;
    }

    /// Why, once it was thrown.
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.borrow().clone()
    }
}

/// What matters most to the person who reads the exit code.
fn rank(reason: &StopReason) -> u8 {
    match reason {
        StopReason::Halted(Halt::Journal { .. } | Halt::Invariant { .. }) => 3,
        StopReason::Halted(Halt::Credentials { .. }) => 2,
        StopReason::Halted(_) => 1,
        StopReason::Interrupted => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_reason_is_kept() {
        let stop = Stop::default();
        assert!(!stop.is_thrown());
        stop.now(StopReason::Interrupted);
        let journal = StopReason::Halted(Halt::Journal { message: "disk full".to_owned() });
        stop.now(journal.clone());
        stop.now(StopReason::Halted(Halt::InDoubt { doubts: 1, limit: 0 }));
        assert!(stop.is_thrown());
        assert_eq!(stop.reason(), Some(journal));
    }
}
