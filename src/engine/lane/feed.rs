//! The walk through the input: which row is begun when, what it waits for, and what is left when all others have ended.
//!
//! Must not call anybody: units do, with a clearance. Invariants: rows of one subject run one at a time in file order, and
//! none runs behind a doubt (I8); what is kept in memory is what waits and what is in doubt, never the input.

use std::collections::HashSet;
use std::rc::Rc;

use tokio::task::JoinSet;

use super::{Clearance, Lane};
use crate::contract::{Done, Input, InputFault, Note, Recorded, Resume, Rows, Standing};
use crate::engine::ahead::{Ahead, Turn};
use crate::engine::plan::{Leave, Step, step};
use crate::engine::subjects::Admission;
use crate::engine::unit::{self, End, Unit};
use crate::model::event::Halt;
use crate::model::ids::{RowNumber, SubjectKey};
use crate::model::operation::Effect;
use crate::model::row::Row;
use crate::model::state::{Event, State};

/// Rows that may wait behind busy subjects before the walk through the input waits too.
const MOST_WAITING: usize = 1000;

/// Rows passed over before other work gets a turn.
const TURN: u32 = 1024;

/// The rows that a walk begins.
enum Chosen<'a> {
    /// All of the account's.
    All,
    /// Those of subjects that became free when the walk before this one had ended.
    Freed(&'a HashSet<SubjectKey>),
}

impl Chosen<'_> {
    fn has(&self, row: &Row) -> bool {
        match self {
            Self::All => true,
            Self::Freed(subjects) => row.subject.as_ref().is_some_and(|subject| subjects.contains(subject)),
        }
    }
}

/// Where a walk through the input stands.
struct Walk<'a> {
    rows: Box<dyn Rows + 'a>,
    resume: Resume,
    chosen: Chosen<'a>,
    passed: u32,
}

impl Lane {
    /// Walks through the input and starts this account's rows, waits for the last of them, and then looks once more at
    /// those that are still in doubt. What was held behind one that this settles is sent in a walk of its own.
    pub(in crate::engine) async fn work(self: Rc<Self>, input: Rc<dyn Input>) {
        self.walk_and_wait(&*input, Chosen::All).await;
        loop {
            let freed = self.look_again().await;
            if freed.is_empty() || self.shared.stop.is_thrown() {
                break;
            }
            self.walk_and_wait(&*input, Chosen::Freed(&freed)).await;
        }
    }

    async fn walk_and_wait(self: &Rc<Self>, input: &dyn Input, chosen: Chosen<'_>) {
        let mut units = JoinSet::new();
        let ahead = Ahead::new(self.limits.rate);
        self.is_fed.set(false);
        let fed = async {
            let fed = self.feed(input, chosen, &ahead, &mut units).await;
            ahead.close();
            fed
        };
        let (fed, ()) = tokio::join!(fed, self.read_pages(&ahead));
        if let Err(halt) = fed {
            self.shared.halt(Some(halt));
        }
        self.is_fed.set(true);
        self.tell_verifying(self.account.settle_delay());
        while let Some(ended) = units.join_next().await {
            self.reap(ended);
        }
        self.come_to(self.progress.borrow().mark());
    }

    async fn feed(
        self: &Rc<Self>,
        input: &dyn Input,
        chosen: Chosen<'_>,
        ahead: &Ahead,
        units: &mut JoinSet<()>,
    ) -> Result<(), Halt> {
        let resume = self.shared.journal.resume(self.shared.run);
        let resume = resume.map_err(|fault| Halt::Journal { message: fault.to_string() })?;
        let below = resume.watermark;
        let except = resume.open.iter().map(|record| record.row).take_while(|row| *row < below).collect();
        let rows = input.rows(Done { below, except }).map_err(changed)?;
        let mut walk = Walk { rows, resume, chosen, passed: 0 };
        while !self.shared.stop.is_thrown() {
            self.read_ahead(&mut walk, ahead).await?;
            let Some(turn) = ahead.pop() else { break };
            self.start(turn, units).await;
        }
        Ok(())
    }

    /// Reads rows until enough wait for their turn. Those that are done, and those of other accounts, are passed over.
    async fn read_ahead(&self, walk: &mut Walk<'_>, ahead: &Ahead) -> Result<(), Halt> {
        while ahead.has_room() && !self.shared.stop.is_thrown() {
            let Some(row) = walk.rows.next_row().map_err(changed)? else {
                ahead.complete();
                break;
            };
            if let Some((step, recorded)) = self.open_step(walk, &row) {
                self.found(&row, recorded.as_deref());
                let sends = matches!(step, Step::Send | Step::SendIfFree);
                let wants = sends && row.operation.effect == Effect::Additive && self.can_read(&row);
                self.progress.borrow_mut().begun(row.number);
                ahead.push(row, recorded, wants);
                continue;
            }
            self.progress.borrow_mut().passed(row.number);
            walk.passed += 1;
            if walk.passed.is_multiple_of(TURN) {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// What is to be done with a row that the walk has come to, and its record. None where it is done or another's.
    fn open_step(&self, walk: &Walk<'_>, row: &Row) -> Option<(Step, Option<Box<Recorded>>)> {
        if row.account != self.name || !walk.chosen.has(row) {
            return None;
        }
        let recorded = match walk.resume.standing(row.number) {
            Standing::Final => return None,
            Standing::Open(record) => Some(Box::new(record.clone())),
            Standing::Unrecorded => None,
        };
        let step = self.step(row, recorded.as_deref());
        (step != Step::Skip).then_some((step, recorded))
    }

    /// A row is recorded: done, in doubt, or held.
    fn recorded(&self, row: &Row) {
        if let Some(mark) = self.progress.borrow_mut().recorded(row.number) {
            self.come_to(mark);
        }
    }

    /// Everything of this lane is recorded below `mark`. Where only doubts are settled, rows are passed over that were never
    /// begun, and nothing can be said about how far the run has come.
    fn come_to(&self, mark: RowNumber) {
        if self.shared.leave == Leave::Send
            && let Some(lowest) = self.shared.marks.moved(self.place, mark)
        {
            self.shared.journal.set_watermark(self.shared.run, lowest);
        }
    }

    fn step(&self, row: &Row, recorded: Option<&Recorded>) -> Step {
        step(recorded, row.operation.effect, self.can_read(row), self.shared.leave)
    }

    /// A row that is in doubt when it is found was called some time before, perhaps just now: a baseline that is read ahead
    /// for another row of its subject may or may not show that call.
    fn found(&self, row: &Row, recorded: Option<&Recorded>) {
        if recorded.is_some_and(|recorded| matches!(recorded.state, State::InDoubt | State::Intended)) {
            self.touch(row);
        }
    }

    /// Takes one row in.
    async fn start(self: &Rc<Self>, turn: Turn, units: &mut JoinSet<()>) {
        let step = self.step(&turn.row, turn.recorded.as_deref());
        if step == Step::LeaveInDoubt {
            if let Some(subject) = &turn.row.subject {
                self.doubt(subject).await;
            }
            self.recorded(&turn.row);
            return;
        }
        self.make_room(units).await;
        let Some(turn) = self.admit(turn).await else { return };
        let clearance = if step == Step::Verify { None } else { self.clearance().await };
        if step == Step::Verify || clearance.is_some() {
            // On the heap from the start: the runtime moves what it is given several times.
            units.spawn_local(Box::pin(Rc::clone(self).run_of_subject(self.unit(turn), clearance)));
        }
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
    async fn admit(&self, turn: Turn) -> Option<Turn> {
        let Some(subject) = turn.row.subject.clone() else { return Some(turn) };
        let admission = self.subjects.borrow_mut().admit(&subject, turn);
        match admission {
            Admission::Go(turn) => Some(turn),
            Admission::Parked => None,
            Admission::Held(turn) => {
                self.hold(&turn).await;
                None
            }
        }
    }

    /// Nothing of this subject goes on: what waits for it is held.
    async fn doubt(&self, subject: &SubjectKey) {
        let held = self.subjects.borrow_mut().doubt(subject);
        for turn in held {
            self.hold(&turn).await;
        }
    }

    /// Records that a row waits behind a doubt. A row that is itself in doubt stays so.
    async fn hold(&self, turn: &Turn) {
        let planned = turn.recorded.as_ref().is_none_or(|recorded| recorded.state == State::Planned);
        if let (true, Some(subject)) = (planned, turn.row.subject.clone()) {
            let held =
                self.shared.commit(&turn.row, State::Planned, Event::Held, Note::Held { subject }, false, None).await;
            if held.is_none() {
                return;
            }
        }
        self.recorded(&turn.row);
    }

    /// Takes one row to its end, then those that wait behind it for the same subject.
    async fn run_of_subject(self: Rc<Self>, mut unit: Box<Unit>, mut clearance: Option<Clearance>) {
        loop {
            let end = unit::run(&mut unit, clearance.take()).await;
            if matches!(end, End::Done | End::InDoubt) {
                self.recorded(unit.row());
            }
            let subject = unit.subject();
            self.keep_doubtful(*unit, end);
            let Some(subject) = subject else { break };
            let mut next = None;
            if end == End::InDoubt {
                Box::pin(self.doubt(&subject)).await;
            } else if !self.shared.stop.is_thrown() {
                next = self.subjects.borrow_mut().next(&subject);
            }
            self.moved_on.notify_one();
            let Some(turn) = next else { break };
            unit = self.unit(turn);
        }
    }

    fn unit(self: &Rc<Self>, turn: Turn) -> Box<Unit> {
        Box::new(Unit::new(self, turn.row, turn.recorded, turn.baseline))
    }

    /// A row that is still in doubt and can be read is looked at once more, at the end.
    fn keep_doubtful(&self, unit: Unit, end: End) {
        if end == End::InDoubt && unit.readable() {
            self.doubtful.borrow_mut().push(unit);
        }
    }

    /// When everything else has ended, one more read of each row that reads have left in doubt: some effects show late, and
    /// a person's look costs more than this one. The subjects that this has freed and behind which rows are held.
    async fn look_again(self: &Rc<Self>) -> HashSet<SubjectKey> {
        let doubtful = std::mem::take(&mut *self.doubtful.borrow_mut());
        if self.shared.leave != Leave::Send || self.shared.stop.is_thrown() {
            return HashSet::new();
        }
        let mut looks = JoinSet::new();
        for mut unit in doubtful {
            looks.spawn_local(async move { (unit::run_last_look(&mut unit).await, unit.subject()) });
        }
        let mut freed = HashSet::new();
        while let Some(ended) = looks.join_next().await {
            match ended {
                Ok((End::Done | End::NotSent, Some(subject))) if self.subjects.borrow_mut().settle(&subject) => {
                    freed.insert(subject);
                }
                Ok(_) => {}
                Err(error) => self.reap(Err(error)),
            }
        }
        freed
    }

    /// A unit that panicked leaves its row intended, so that it is in doubt at the next start; the run must not go on.
    fn reap(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(error) = ended
            && error.is_panic()
        {
            self.shared.halt(Some(Halt::Invariant { message: "a worker panicked; its row is in doubt".to_owned() }));
        }
    }
}

fn changed(fault: InputFault) -> Halt {
    Halt::InputChanged { message: fault.message }
}
