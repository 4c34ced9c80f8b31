//! One account's share of a run: its own walk through the input, its own rate, concurrency and weather, so that a slow
//! account holds up no other.

mod feed;
mod pages;
mod weather;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::ahead::Turn;
use super::breaker::Breaker;
use super::fresh::Fresh;
use super::gate::Gate;
use super::guard::{Listening, Watch};
use super::pace::Pace;
use super::plan::Leave;
use super::progress::{Marks, Progress};
use super::run::LaneSetup;
use super::stop::{Stop, StopReason};
use super::subjects::Subjects;
use super::unit::Unit;
use crate::contract::{Account, Change, Clock, Journal, JournalFault, Note, Observer};
use crate::model::event::{Halt, RunEvent};
use crate::model::ids::{AccountName, RunId};
use crate::model::row::Row;
use crate::model::settings::Limits;
use crate::model::state::{Event, State};

/// What all lanes of a run share.
pub(super) struct Shared {
    pub(super) run: RunId,
    pub(super) journal: Rc<dyn Journal>,
    pub(super) observer: Rc<dyn Observer>,
    pub(super) clock: Rc<dyn Clock>,
    pub(super) stop: Stop,
    pub(super) watch: Watch,
    pub(super) verify: bool,
    pub(super) leave: Leave,
    /// What tells this run's tokens from those of any other run, also another journal's; none where texts carry none.
    pub(super) mark: Option<String>,
    pub(super) marks: Marks,
}

impl Shared {
    /// Halts the run where there is a reason to.
    pub(super) fn halt(&self, reason: Option<Halt>) {
        if let Some(halt) = reason {
            self.stop.now(StopReason::Halted(halt));
        }
    }

    /// A journal that cannot be written or that disagrees with us starts no further row (I4).
    pub(super) fn broken(&self, fault: &JournalFault) {
        let message = fault.to_string();
        self.halt(Some(match fault {
            JournalFault::Stale { .. } => Halt::Invariant { message },
            JournalFault::Storage { .. } => Halt::Journal { message },
        }));
    }

    /// Makes a change of `row` durable and tells the observer. The state after it, or `None` where the journal failed.
    ///
    /// `place` is free as soon as the change is in the journal's hands. Whoever takes it hands its intent over later, so that
    /// it is durable with this change or after it: there are never more durable intents without an outcome than places (I3).
    pub(super) async fn commit(
        &self,
        row: &Row,
        from: State,
        event: Event,
        note: Note,
        may_linger: bool,
        place: Option<Clearance>,
    ) -> Option<State> {
        let to = match from.after(event) {
            Ok(to) => to,
            Err(illegal) => {
                self.halt(Some(Halt::Invariant { message: illegal.to_string() }));
                return None;
            }
        };
        let (code, message) = words(&note);
        let change = Change {
            run: self.run,
            row: row.number,
            from,
            event,
            at: self.clock.now(),
            amount: row.amount,
            note,
            may_linger,
        };
        let handed_over = self.journal.commit(change);
        // Before the place is free: what is one failure too many lets no other row begin.
        self.halt(self.watch.row(to));
        drop(place);
        if let Err(fault) = handed_over.await {
            self.broken(&fault);
            return None;
        }
        self.observer.notice(&RunEvent::RowMoved { row: row.number, from, to, amount: row.amount, code, message });
        Some(to)
    }
}

/// What a note says to an observer.
fn words(note: &Note) -> (String, String) {
    match note {
        Note::None | Note::Intent { .. } | Note::Held { .. } => (String::new(), String::new()),
        Note::Answer(answer) => (answer.code.clone(), answer.message.clone()),
        Note::Failure { code, message } => (code.clone(), message.clone()),
        Note::Evidence { finding, .. } => ("verified".to_owned(), finding.clone()),
    }
}

/// Leave to make one call. Dropping it frees the place.
pub(super) struct Clearance {
    _place: OwnedSemaphorePermit,
    /// True where nobody is kept waiting if the outcome's commit lingers: the rate was what held the call back, and the
    /// calls that come next find places all the same.
    pub(super) unhurried: bool,
}

/// One account at work.
pub(super) struct Lane {
    place: usize,
    progress: RefCell<Progress>,
    pub(super) name: AccountName,
    pub(super) account: Rc<dyn Account>,
    pub(super) shared: Rc<Shared>,
    limits: Limits,
    pace: Pace,
    places: std::sync::Arc<Semaphore>,
    gate: Gate,
    breaker: RefCell<Breaker>,
    listening: RefCell<Listening>,
    subjects: RefCell<Subjects<Turn>>,
    moved_on: Notify,
    /// Whether every row of the walk through the input was begun.
    is_fed: Cell<bool>,
    /// Rows in doubt that wait until they may be read.
    verifying: Cell<u64>,
    /// Rows that were read in this start and are still in doubt.
    doubtful: RefCell<Vec<Unit>>,
    fresh: RefCell<Fresh>,
}

impl Lane {
    /// The lane of `setup`, which is the run's lane at `place`.
    pub(super) fn new(setup: LaneSetup, place: usize, shared: Rc<Shared>) -> Self {
        let LaneSetup { name, account, limits } = setup;
        Self {
            place,
            progress: RefCell::default(),
            name,
            account,
            shared,
            limits,
            pace: Pace::new(limits.rate),
            places: std::sync::Arc::new(Semaphore::new(limits.concurrency)),
            gate: Gate::default(),
            breaker: RefCell::new(Breaker::default()),
            listening: RefCell::default(),
            subjects: RefCell::new(Subjects::default()),
            moved_on: Notify::new(),
            is_fed: Cell::new(false),
            verifying: Cell::new(0),
            doubtful: RefCell::default(),
            fresh: RefCell::default(),
        }
    }

    /// Waits for leave to make one call: a place among the concurrent ones, an open gate, a slot of the rate. `None`
    /// where the run stops first.
    pub(super) async fn clearance(&self) -> Option<Clearance> {
        let granted = async {
            let place = std::sync::Arc::clone(&self.places).acquire_owned().await.ok()?;
            let bound = self.slot().await;
            // While half of those that go out together still find places, an outcome that lingers holds up none.
            let unhurried = bound && self.places.available_permits() >= self.pace.together().div_ceil(2);
            Some(Clearance { _place: place, unhurried })
        };
        tokio::select! {
            biased;
            () = self.shared.stop.thrown() => None,
            clearance = granted => clearance,
        }
    }

    /// Waits for a slot on behalf of somebody who has a place already. True where the rate is what holds calls back;
    /// `None` where the run stops first.
    pub(super) async fn another_slot(&self) -> Option<bool> {
        tokio::select! {
            biased;
            () = self.shared.stop.thrown() => None,
            bound = self.slot() => Some(bound),
        }
    }

    async fn slot(&self) -> bool {
        loop {
            self.gate.pass().await;
            let slot = self.pace.slot().await;
            // The gate may have closed while this one slept until its slot.
            if self.gate.is_open() {
                return slot.bound;
            }
        }
    }

    /// Sleeps, unless the run stops first: then `None`.
    pub(super) async fn sleep(&self, wait: Duration) -> Option<()> {
        if wait.is_zero() {
            return (!self.shared.stop.is_thrown()).then_some(());
        }
        tokio::select! {
            biased;
            () = self.shared.stop.thrown() => None,
            () = tokio::time::sleep(wait) => Some(()),
        }
    }

    /// Whether the run reads what can be read about the row.
    pub(super) fn can_read(&self, row: &Row) -> bool {
        self.shared.verify && row.operation.verified_by.is_some()
    }

    /// What marks our call for the row in the provider's own reports, where its text has room for it. Run and row are for
    /// a person who looks them up; that no other machine's run 7 is taken for ours is the mark's doing.
    pub(super) fn token(&self, row: &Row) -> Option<String> {
        let (mark, _) = self.shared.mark.as_ref().zip(row.operation.token)?;
        let token = format!("subops {}-{} {mark}", self.shared.run, row.number);
        row.marked(&token).is_some().then_some(token)
    }

    /// A call for the row's subject may just have had its effect.
    pub(super) fn touch(&self, row: &Row) {
        if let (Some(subject), true) = (&row.subject, self.can_read(row)) {
            self.fresh.borrow_mut().touch(subject, Instant::now(), self.account.settle_delay());
        }
    }

    /// Whether a read that is made now could still miss, or show, the effect of an earlier call for the row's subject.
    pub(super) fn is_fresh(&self, row: &Row) -> bool {
        let delay = self.account.settle_delay();
        row.subject.as_ref().is_some_and(|subject| self.fresh.borrow().spoils(subject, Instant::now(), delay))
    }

    /// Makes one call and tells the observer how long it took.
    pub(super) async fn timed<T>(&self, call: impl Future<Output = T>) -> T {
        self.shared.watch.call();
        self.shared.observer.notice(&RunEvent::CallStarted);
        let begin = std::time::Instant::now();
        let reply = call.await;
        self.shared.observer.notice(&RunEvent::CallEnded { latency: begin.elapsed() });
        reply
    }
}
