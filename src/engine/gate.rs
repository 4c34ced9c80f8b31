//! What every worker of an account passes before a call: closed while the provider asked to wait or is down.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest wait that a provider may ask for.
pub(super) const LONGEST: Duration = Duration::from_secs(15 * 60);

/// A gate before the rate: waiting here uses up no slot.
#[derive(Debug, Default)]
pub(super) struct Gate {
    until: Cell<Option<Instant>>,
    down: Cell<bool>,
    opened: Notify,
}

impl Gate {
    /// Keeps everybody waiting for `wait` from now, or longer if that was asked before. True where this moved the end.
    pub(super) fn close_for(&self, wait: Duration) -> bool {
        let until = Instant::now() + wait.min(LONGEST);
        let later = self.until.get().is_none_or(|known| until > known);
        if later {
            self.until.set(Some(until));
        }
        later
    }

    /// Keeps everybody waiting until [`Gate::open`].
    pub(super) fn shut(&self) {
        self.down.set(true);
    }

    /// Lets everybody pass again.
    pub(super) fn open(&self) {
        self.down.set(false);
        self.opened.notify_waiters();
    }

    /// True where nobody has to wait.
    pub(super) fn is_open(&self) -> bool {
        !self.down.get() && self.until.get().is_none_or(|until| until <= Instant::now())
    }

    /// Waits until the gate is open.
    pub(super) async fn pass(&self) {
        while !self.is_open() {
            if self.down.get() {
                self.opened.notified().await;
            } else if let Some(until) = self.until.get() {
                tokio::time::sleep_until(until).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_holds_and_is_capped() {
        let gate = Gate::default();
        let begin = Instant::now();
        assert!(gate.close_for(Duration::from_secs(5)));
        assert!(!gate.close_for(Duration::from_secs(2)), "a shorter wait changes nothing");
        gate.pass().await;
        assert_eq!(begin.elapsed().as_secs(), 5);
        gate.close_for(Duration::from_secs(86_400));
        gate.pass().await;
        assert_eq!(begin.elapsed().as_secs(), 5 + LONGEST.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_shut_gate_opens_for_all_who_wait() {
        let gate = Gate::default();
        gate.shut();
        let opener = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            gate.open();
        };
        tokio::join!(gate.pass(), gate.pass(), opener);
        assert!(gate.is_open());
    }
}
