//! What was handed to the writer and is not taken yet.
//!
//! A channel wakes its reader for each message. Here what may linger wakes nobody once something waits: the writer is
//! asleep until the first of them has lingered long enough, or until something comes that may not. So at a few hundred
//! rows a second the writer wakes once for each of its commits, and not once for each of its changes.
//!
//! And where many things come at once, the reader waits a moment for those that are just behind the first: what it does
//! costs the same for one thing as for fifty.
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

/// How long a reader waits for company of what is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Where all of it may linger: this long.
    pub(super) linger: Duration,
    /// Where one of it may not: this long, unless as much is there as is expected.
    pub(super) moment: Duration,
    /// How much that is; for one nothing is waited for.
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
    /// When the first of them came.
    since: Option<Instant>,
    /// Whether one of them may not linger.
    urgent: bool,
    /// How many of them wake a reader that waits for more than one.
    enough: usize,
    /// One of the ends is gone.
    closed: bool,
}

impl<T> Default for Inside<T> {
    fn default() -> Self {
        Self { waiting: Vec::new(), since: None, urgent: false, enough: usize::MAX, closed: false }
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
    /// Hands something in. It is dropped where the reader is gone.
    pub(super) fn put(&self, thing: T, may_linger: bool) {
        let mut inside = self.0.inside();
        if inside.closed {
            return;
        }
        let news = inside.waiting.is_empty() || (!may_linger && !inside.urgent);
        inside.since.get_or_insert_with(Instant::now);
        inside.urgent |= !may_linger;
        inside.waiting.push(thing);
        let news = news || inside.waiting.len() == inside.enough;
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

impl<T> Door<T> {
    /// Waits until something is there: where all of it may linger until the first of it has done so for as long as
    /// `patience` says, and otherwise until there is as much of it as may be expected. Then puts all of it behind what is in
    /// `taken`. False where nothing is there and nothing more will come.
    pub(super) fn take(&self, taken: &mut Vec<T>, patience: Patience) -> bool {
        let mut inside = self.0.inside();
        inside.enough = patience.expected;
        loop {
            let wait = match inside.since {
                None if inside.closed => return false,
                None => None,
                Some(since) if inside.urgent => Some(patience.moment.saturating_sub(since.elapsed())),
                Some(since) => Some(patience.linger.saturating_sub(since.elapsed())),
            };
            let full = inside.urgent && inside.waiting.len() >= patience.expected;
            inside = match wait {
                None => self.0.changed.wait(inside).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() || full || inside.closed => break,
                Some(left) => self.0.changed.wait_timeout(inside, left).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
        (inside.since, inside.urgent) = (None, false);
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
    const NONE: Patience = Patience { linger: LONG, moment: LONG, expected: 1 };

    #[test]
    fn what_may_not_linger_takes_everything_with_it_in_order() {
        let (slot, door) = mailbox();
        slot.put(1, true);
        slot.put(2, true);
        slot.put(3, false);
        let mut taken = vec![0];
        assert!(door.take(&mut taken, NONE));
        assert_eq!(taken, [0, 1, 2, 3]);
        slot.put(4, false);
        taken.clear();
        assert!(door.take(&mut taken, NONE));
        assert_eq!(taken, [4]);
    }

    #[test]
    fn the_first_is_kept_for_its_time_and_no_longer() {
        let (slot, door) = mailbox();
        let (linger, begin) = (Duration::from_millis(30), Instant::now());
        slot.put(1, true);
        slot.put(2, true);
        let mut taken = Vec::new();
        assert!(door.take(&mut taken, Patience { linger, ..NONE }));
        assert!(begin.elapsed() >= linger, "{:?}", begin.elapsed());
        assert_eq!(taken, [1, 2]);
    }

    #[test]
    fn a_reader_that_sleeps_is_woken_by_what_is_urgent_and_by_the_end() {
        let (slot, door) = mailbox();
        let (said, heard) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut taken = Vec::new();
            while door.take(&mut taken, NONE) {
                said.send(std::mem::take(&mut taken)).expect("the test listens");
            }
        });
        slot.put(1, false);
        assert_eq!(heard.recv(), Ok(vec![1]));
        slot.put(2, true);
        slot.put(3, false);
        assert_eq!(heard.recv().map(|taken| taken.last().copied()), Ok(Some(3)));
        slot.put(4, true);
        drop(slot);
        assert_eq!(heard.recv(), Ok(vec![4]), "what lingers is given out at the end");
        reader.join().expect("it ends");
        assert!(heard.recv().is_err());
    }

    #[test]
    fn as_many_as_are_expected_are_waited_for_but_not_for_long() {
        let (slot, door) = mailbox();
        let (said, heard) = std::sync::mpsc::channel();
        let three = Patience { expected: 3, ..NONE };
        let reader = std::thread::spawn(move || {
            let mut taken = Vec::new();
            while door.take(&mut taken, three) {
                said.send(std::mem::take(&mut taken)).expect("the test listens");
            }
        });
        for thing in 1..=3 {
            slot.put(thing, false);
        }
        assert_eq!(heard.recv(), Ok(vec![1, 2, 3]));
        slot.put(4, false);
        drop(slot);
        assert_eq!(heard.recv(), Ok(vec![4]));
        reader.join().expect("it ends");

        let (slot, door) = mailbox();
        slot.put(1, false);
        let (moment, begin) = (Duration::from_millis(20), Instant::now());
        let mut taken = Vec::new();
        assert!(door.take(&mut taken, Patience { moment, ..three }));
        assert!(taken == [1] && begin.elapsed() >= moment, "{:?}", begin.elapsed());
    }

    #[test]
    fn what_comes_after_the_reader_has_gone_is_dropped() {
        let (slot, door) = mailbox();
        let witness = Arc::new(());
        slot.put(Arc::clone(&witness), true);
        drop(door);
        slot.put(Arc::clone(&witness), false);
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}
