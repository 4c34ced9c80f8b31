//! What was handed to the writer and is not taken yet.
//!
//! A channel wakes its reader for each message. Here each thing comes with how long it may linger, and the reader sleeps
//! until the first of them must go: what may linger longer than what is there wakes nobody. So at a few hundred rows a second
//! the writer wakes a few times for each of its commits, and not once for each of its changes. And where many things come at
//! once, the reader waits a moment for those that are just behind the first: what it does costs the same for one thing as for
//! fifty.
//!
//! It knows nothing of what it holds. Invariants: things come out in the order in which they went in; what was taken in is
//! given out unless the reader is gone, and once it is gone nothing is taken in.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A new mailbox: one end to hand things in, and one to take them out.
pub(super) fn mailbox<T>() -> (Slot<T>, Door<T>) {
    let shared = Arc::new(Shared { inside: Mutex::new(Inside::default()), changed: Condvar::new() });
    (Slot(Arc::clone(&shared)), Door(shared))
}

/// What a reader waits for where something is there that may not linger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    /// How long it waits for the rest of it.
    pub(super) moment: Duration,
    /// How much it expects; where that is one, it waits for nothing.
    pub(super) expected: usize,
}

/// Where things are handed in. Dropping it tells the reader that nothing more will come.
pub(super) struct Slot<T>(Arc<Shared<T>>);

/// Where things are taken out.
pub(super) struct Door<T>(Arc<Shared<T>>);

struct Shared<T> {
    inside: Mutex<Inside<T>>,
    changed: Condvar,
}

struct Inside<T> {
    waiting: Vec<T>,
    /// When the first of them must go.
    until: Option<Instant>,
    /// Since when one of them is there that may not linger.
    urgent: Option<Instant>,
    /// How many of them wake a reader that waits for a crowd.
    enough: usize,
    /// One of the ends is gone.
    closed: bool,
}

impl<T> Default for Inside<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), until: None, urgent: None, enough: usize::MAX, closed: false }
    }
}

impl<T> Shared<T> {
    /// Nothing that is done under the lock can leave it half done, so a panic elsewhere does not matter.
    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) -> Vec<T> {
        let mut inside = self.inside();
        inside.closed = true;
        self.changed.notify_one();
        std::mem::take(&mut inside.waiting)
    }
}

impl<T> Slot<T> {
    /// Hands something in that may linger for so long. It is dropped where the reader is gone.
    pub(super) fn put(&self, thing: T, linger: Duration) {
        let now = Instant::now();
        let mut inside = self.0.inside();
        if inside.closed {
            return;
        }
        inside.waiting.push(thing);
        let sooner = inside.until.is_none_or(|until| now + linger < until);
        if sooner {
            inside.until = Some(now + linger);
        }
        if linger.is_zero() {
            inside.urgent.get_or_insert(now);
        }
        let news = sooner || inside.waiting.len() == inside.enough;
        drop(inside);
        if news {
            self.0.changed.notify_one();
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        self.0.inside().closed = true;
        self.0.changed.notify_one();
    }
}

impl<T> Inside<T> {
    /// How long the reader is to wait still; `None` until something comes.
    fn wait(&self, crowd: Crowd) -> Option<Duration> {
        let until = self.until?;
        let until = match self.urgent {
            Some(since) if self.waiting.len() < crowd.expected => since + crowd.moment,
            _ => until,
        };
        Some(if self.closed { Duration::ZERO } else { until.saturating_duration_since(Instant::now()) })
    }
}

impl<T> Door<T> {
    /// Waits until something is there that must go, and where it may not linger at all for the crowd around it. Then puts
    /// everything behind what is in `taken`. False where nothing is there and nothing more will come.
    pub(super) fn take(&self, taken: &mut Vec<T>, crowd: Crowd) -> bool {
        let mut inside = self.0.inside();
        inside.enough = crowd.expected;
        loop {
            inside = match inside.wait(crowd) {
                None if inside.closed => return false,
                None => self.0.changed.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => break,
                Some(left) => self.0.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        (inside.until, inside.urgent) = (None, None);
        taken.append(&mut inside.waiting);
        true
    }
}

impl<T> Drop for Door<T> {
    fn drop(&mut self) {
        // Outside of the lock: what is dropped may have somebody who waits for it.
        drop(self.0.close());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    const NOW: Duration = Duration::ZERO;
    const ALONE: Crowd = Crowd { moment: LONG, expected: 1 };

    #[test]
    fn what_may_not_linger_takes_everything_with_it_in_order() {
        let (slot, door) = mailbox();
        slot.put(1, LONG);
        slot.put(2, LONG);
        slot.put(3, NOW);
        let mut taken = vec![0];
        assert!(door.take(&mut taken, ALONE));
        assert_eq!(taken, [0, 1, 2, 3]);
        slot.put(4, NOW);
        taken.clear();
        assert!(door.take(&mut taken, ALONE));
        assert_eq!(taken, [4]);
    }

    #[test]
    fn all_go_with_the_first_that_must() {
        let (slot, door) = mailbox();
        let (linger, begin) = (Duration::from_millis(30), Instant::now());
        slot.put(1, LONG);
        slot.put(2, linger);
        slot.put(3, LONG);
        let mut taken = Vec::new();
        assert!(door.take(&mut taken, ALONE));
        assert!(begin.elapsed() >= linger, "{:?}", begin.elapsed());
        assert_eq!(taken, [1, 2, 3]);
    }

    #[test]
    fn a_reader_that_sleeps_is_woken_by_what_is_urgent_and_by_the_end() {
        let (slot, door) = mailbox();
        let (said, heard) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut taken = Vec::new();
            while door.take(&mut taken, ALONE) {
                said.send(std::mem::take(&mut taken)).expect("the test listens");
            }
        });
        slot.put(1, NOW);
        assert_eq!(heard.recv(), Ok(vec![1]));
        slot.put(2, LONG);
        slot.put(3, NOW);
        assert_eq!(heard.recv().map(|taken| taken.last().copied()), Ok(Some(3)));
        slot.put(4, LONG);
        drop(slot);
        assert_eq!(heard.recv(), Ok(vec![4]), "what lingers is given out at the end");
        reader.join().expect("it ends");
        assert!(heard.recv().is_err());
    }

    #[test]
    fn as_many_as_are_expected_are_waited_for_but_not_for_long() {
        let (slot, door) = mailbox();
        let (said, heard) = std::sync::mpsc::channel();
        let three = Crowd { expected: 3, ..ALONE };
        let reader = std::thread::spawn(move || {
            let mut taken = Vec::new();
            while door.take(&mut taken, three) {
                said.send(std::mem::take(&mut taken)).expect("the test listens");
            }
        });
        for thing in 1..=3 {
            slot.put(thing, NOW);
        }
        assert_eq!(heard.recv(), Ok(vec![1, 2, 3]));
        slot.put(4, NOW);
        drop(slot);
        assert_eq!(heard.recv(), Ok(vec![4]));
        reader.join().expect("it ends");

        let (slot, door) = mailbox();
        slot.put(1, NOW);
        let (moment, begin) = (Duration::from_millis(20), Instant::now());
        let mut taken = Vec::new();
        assert!(door.take(&mut taken, Crowd { moment, ..three }));
        assert!(taken == [1] && begin.elapsed() >= moment, "{:?}", begin.elapsed());
    }

    #[test]
    fn what_comes_after_the_reader_has_gone_is_dropped() {
        let (slot, door) = mailbox();
        let witness = Arc::new(());
        slot.put(Arc::clone(&witness), LONG);
        drop(door);
        slot.put(Arc::clone(&witness), NOW);
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}
