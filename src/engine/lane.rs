//! One account's share of a run: its own walk through the input, its own rate, concurrency and weather, so that a slow
//! account holds up no other.

mod weather;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::breaker::Breaker;
use super::fresh::Fresh;
use super::gate::Gate;
use super::guard::{Listening, Watch};
use super::pace::Pace;
use super::plan::{Leave, Step, step};
use super::records::Records;
use super::stop::{Stop, StopReason};
use super::subjects::{Admission, Subjects};
use super::unit::{self, End, Unit};
use crate::contract::{Account, Change, Clock, Input, Journal, JournalFault, Note, Observer, Recorded};
use crate::model::event::{Halt, RunEvent};
use crate::model::ids::{AccountName, RunId, SubjectKey};
use crate::model::row::Row;
use crate::model::settings::Limits;
use crate::model::state::{Event, State};

/// Rows that may wait behind busy subjects before the walk through the input waits too.
const MOST_WAITING: usize = 1000;

/// Rows passed over before other work gets a turn.
const TURN: u32 = 1024;

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
    pub(super) token: bool,
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
    pub(super) async fn commit(
        &self,
        row: &Row,
        from: State,
        event: Event,
        note: Note,
        may_linger: bool,
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
        if let Err(fault) = self.journal.commit(change).await {
            self.broken(&fault);
            return None;
        }
        self.observer.notice(&RunEvent::RowMoved { row: row.number, from, to, amount: row.amount, code, message });
        self.halt(self.watch.row(to));
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
    /// True where nobody is kept waiting if a commit lingers: the rate was what held the call back, and more than half
    /// of the places are free.
    pub(super) unhurried: bool,
}

/// One account at work.
pub(super) struct Lane {
    pub(super) name: AccountName,
    pub(super) account: Rc<dyn Account>,
    pub(super) shared: Rc<Shared>,
    limits: Limits,
    pace: Pace,
    places: std::sync::Arc<Semaphore>,
    gate: Gate,
    breaker: RefCell<Breaker>,
    listening: RefCell<Listening>,
    subjects: RefCell<Subjects<(Row, Option<Recorded>)>>,
    moved_on: Notify,
    fresh: RefCell<Fresh>,
}

impl Lane {
    pub(super) fn new(name: AccountName, account: Rc<dyn Account>, limits: Limits, shared: Rc<Shared>) -> Self {
        Self {
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
            fresh: RefCell::default(),
        }
    }

    /// Walks through the input and starts this account's rows, then waits for the last of them.
    pub(super) async fn work(self: Rc<Self>, input: Rc<dyn Input>) {
        let mut units = JoinSet::new();
        if let Err(halt) = self.feed(&*input, &mut units).await {
            self.shared.halt(Some(halt));
        }
        while let Some(ended) = units.join_next().await {
            self.reap(ended);
        }
    }

    async fn feed(self: &Rc<Self>, input: &dyn Input, units: &mut JoinSet<()>) -> Result<(), Halt> {
        let changed = |fault: crate::contract::InputFault| Halt::InputChanged { message: fault.message };
        let mut rows = input.rows().map_err(changed)?;
        let mut records = Records::new(Rc::clone(&self.shared.journal), self.shared.run);
        let mut passed = 0_u32;
        while !self.shared.stop.is_thrown() {
            let Some(row) = rows.next_row().map_err(changed)? else { break };
            if row.account == self.name {
                let recorded = records.of(row.number).map_err(|fault| Halt::Journal { message: fault.to_string() })?;
                if self.start(row, recorded, units).await {
                    continue;
                }
            }
            passed += 1;
            if passed.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Takes one row in. True where it waited for something meanwhile.
    async fn start(self: &Rc<Self>, row: Row, recorded: Option<Recorded>, units: &mut JoinSet<()>) -> bool {
        let readable = self.shared.verify && row.operation.verified_by.is_some();
        let step = step(recorded.as_ref(), row.operation.effect, readable, self.shared.leave);
        if step == Step::Skip {
            return false;
        }
        if step == Step::LeaveInDoubt {
            if let Some(subject) = &row.subject {
                self.doubt(subject).await;
            }
            return false;
        }
        self.make_room(units).await;
        let Some((row, recorded)) = self.admit(row, recorded).await else { return true };
        let clearance = if step == Step::Verify { None } else { self.clearance().await };
        if step == Step::Verify || clearance.is_some() {
            units.spawn_local(Rc::clone(self).run_of_subject(row, recorded, clearance));
        }
        true
    }

    /// Waits while too many rows are parked behind busy subjects, and collects units that have ended.
    async fn make_room(&self, units: &mut JoinSet<()>) {
        while let Some(ended) = units.try_join_next() {
            self.reap(ended);
        }
        while self.subjects.borrow().waiting() >= MOST_WAITING && !self.shared.stop.is_thrown() {
            tokio::select! {
                () = self.moved_on.notified() => {}
                () = self.shared.stop.thrown() => {}
            }
        }
    }

    /// The row, if its subject is free; otherwise it is parked or held.
    async fn admit(&self, row: Row, recorded: Option<Recorded>) -> Option<(Row, Option<Recorded>)> {
        let Some(subject) = row.subject.clone() else { return Some((row, recorded)) };
        let admission = self.subjects.borrow_mut().admit(&subject, (row, recorded));
        match admission {
            Admission::Go(row) => Some(row),
            Admission::Parked => None,
            Admission::Held((row, recorded)) => {
                self.hold(&row, recorded.as_ref()).await;
                None
            }
        }
    }

    /// Nothing of this subject goes on: what waits for it is held.
    async fn doubt(&self, subject: &SubjectKey) {
        let held = self.subjects.borrow_mut().doubt(subject);
        for (row, recorded) in held {
            self.hold(&row, recorded.as_ref()).await;
        }
    }

    /// Records that a row waits behind a doubt. A row that is itself in doubt stays so.
    async fn hold(&self, row: &Row, recorded: Option<&Recorded>) {
        let planned = recorded.is_none_or(|recorded| recorded.state == State::Planned);
        if let (true, Some(subject)) = (planned, row.subject.clone()) {
            self.shared.commit(row, State::Planned, Event::Held, Note::Held { subject }, false).await;
        }
    }

    /// Takes one row to its end, then those that wait behind it for the same subject.
    async fn run_of_subject(self: Rc<Self>, row: Row, recorded: Option<Recorded>, clearance: Option<Clearance>) {
        let mut next = Some((row, recorded, clearance));
        while let Some((row, recorded, clearance)) = next.take() {
            let subject = row.subject.clone();
            let end = unit::run(Unit::new(&self, row, recorded), clearance).await;
            let Some(subject) = subject else { break };
            if end == End::InDoubt {
                self.doubt(&subject).await;
            } else if !self.shared.stop.is_thrown() {
                let successor = self.subjects.borrow_mut().next(&subject);
                next = successor.map(|(row, recorded)| (row, recorded, None));
            }
            self.moved_on.notify_one();
        }
    }

    /// A unit that panicked leaves its row intended, so that it is in doubt at the next start; the run must not go on.
    fn reap(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.shared.halt(Some(Halt::Invariant { message: "a worker panicked; its row is in doubt".to_owned() }));
        }
    }

    /// Waits for leave to make one call: a place among the concurrent ones, an open gate, a slot of the rate. `None`
    /// where the run stops first.
    pub(super) async fn clearance(&self) -> Option<Clearance> {
        let granted = async {
            let place = std::sync::Arc::clone(&self.places).acquire_owned().await.ok()?;
            let bound = self.slot().await;
            let unhurried = bound && self.places.available_permits() * 2 >= self.limits.concurrency;
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

    /// A call for the row's subject may just have had its effect.
    pub(super) fn touch(&self, row: &Row) {
        if let (Some(subject), true) = (&row.subject, row.operation.verified_by.is_some()) {
            self.fresh.borrow_mut().touch(subject, Instant::now(), self.account.settle_delay());
        }
    }

    /// Whether a read could still miss, or show, the effect of an earlier call for the row's subject.
    pub(super) fn is_fresh(&self, row: &Row) -> bool {
        row.subject.as_ref().is_some_and(|subject| self.fresh.borrow_mut().holds(subject, Instant::now()))
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
