//! A provider, a journal and an input that tests can script.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use crate::contract::{
    Account, Change, Clock, Done, Doubt, Finding, Input, InputFault, Journal, JournalFault, Listed, LocalFuture,
    Millis, Note, Observation, Observer, Recorded, Resume, Rows,
};
use crate::engine::plan::Leave;
use crate::engine::stop::Stop;
use crate::engine::{Ended, LaneSetup, RunSetup, execute};
use crate::model::event::RunEvent;
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::ids::{AccountName, RowNumber, RunId, SubjectKey};
use crate::model::operation::{Effect, Kind, Need, OperationSpec, Parameter};
use crate::model::row::{Row, Values};
use crate::model::settings::{Guard, Limits, MaxFailures, Rate};
use crate::model::state::State;

const PARAMETERS: &[Parameter] =
    &[Parameter { name: "Id", kind: Kind::Id { max: 20 }, need: Need::Required, about: "a thing", example: "1" }];

const fn operation(name: &'static str, effect: Effect, verified_by: Option<&'static str>) -> OperationSpec {
    OperationSpec {
        name,
        about: "a made-up operation",
        effect,
        moves_money: false,
        subject: Some("Id"),
        amount: None,
        quantity: None,
        verified_by,
        parameters: PARAMETERS,
        rules: &[],
        token: None,
        returns: &[],
        words: &[],
    }
}

pub(super) static ADD: OperationSpec = operation("fake.add", Effect::Additive, Some("reading the count"));
pub(super) static ADD_BLIND: OperationSpec = operation("fake.add_blind", Effect::Additive, None);
/// Its effect may show at any time later, so that not to see it proves nothing.
pub(super) static ADD_LATE: OperationSpec = operation("fake.add_late", Effect::Additive, Some("reading the count"));
pub(super) static SWITCH: OperationSpec = operation("fake.switch", Effect::Conditional, Some("reading the switch"));
pub(super) static SET: OperationSpec = operation("fake.set", Effect::Absolute, None);

/// What happens to one call: whether the provider carries it out, and what comes back.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) applied: bool,
    pub(super) reply: Reply,
    pub(super) latency: Duration,
}

pub(super) fn ok() -> Scene {
    Scene { applied: true, reply: Reply::Applied(Answer::word("Successful")), latency: Duration::from_millis(20) }
}

pub(super) fn failure(applied: bool, class: FailureClass) -> Scene {
    Scene { applied, reply: Reply::Failed(Failure::new(class, class.code())), latency: Duration::from_millis(20) }
}

pub(super) fn refused() -> Scene {
    Scene { applied: false, reply: Reply::Refused(Answer::word("no")), latency: Duration::from_millis(20) }
}

/// Chooses what happens to the next call; the row is given by its subject.
pub(super) type Script = Box<dyn FnMut(&str) -> Scene>;

/// What comes of a list read.
#[derive(Debug, Clone, Copy)]
pub(super) enum List {
    /// There is none.
    None,
    /// It shows so many of the rows, those with the smallest subjects, and the others are beyond it.
    Page(usize),
    /// It shows none of them, and no other page would.
    Nothing,
    /// It fails.
    Fails(FailureClass),
}

/// A provider with a ledger of its own.
pub(super) struct FakeProvider {
    script: RefCell<Script>,
    /// What lists show.
    pub(super) list: Cell<List>,
    /// How long a read takes.
    pub(super) read_latency: Cell<Duration>,
    /// How long after it an effect shows in reads.
    pub(super) lag: Cell<Duration>,
    /// Reads of single subjects.
    pub(super) reads: Cell<u32>,
    /// The rows that each list read was asked for.
    pub(super) pages: RefCell<Vec<Vec<u64>>>,
    began: tokio::time::Instant,
    /// When each effect came.
    at: RefCell<HashMap<u64, tokio::time::Instant>>,
    pub(super) well: Cell<bool>,
    /// What a probe says where it is not.
    pub(super) unwell: Cell<FailureClass>,
    /// Rows carried out, by row number: how often.
    pub(super) applied: RefCell<BTreeMap<u64, u32>>,
    /// Rows carried out by subject, in order.
    pub(super) order: RefCell<HashMap<String, Vec<u64>>>,
    pub(super) calls: Cell<u32>,
    pub(super) probes: Cell<u32>,
    pub(super) in_flight: Cell<usize>,
    pub(super) most_in_flight: Cell<usize>,
    busy: RefCell<HashMap<String, u32>>,
}

/// Counts a call in flight, also where its future is dropped.
struct InFlight<'a> {
    provider: &'a FakeProvider,
    subject: String,
}

impl<'a> InFlight<'a> {
    fn new(provider: &'a FakeProvider, subject: &str) -> Self {
        let now = provider.in_flight.get() + 1;
        provider.in_flight.set(now);
        provider.most_in_flight.set(provider.most_in_flight.get().max(now));
        let mut busy = provider.busy.borrow_mut();
        let of_subject = busy.entry(subject.to_owned()).or_default();
        *of_subject += 1;
        assert_eq!(*of_subject, 1, "two calls for subject {subject} at once");
        Self { provider, subject: subject.to_owned() }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.provider.in_flight.set(self.provider.in_flight.get() - 1);
        if let Some(count) = self.provider.busy.borrow_mut().get_mut(&self.subject) {
            *count -= 1;
        }
    }
}

impl FakeProvider {
    pub(super) fn new(script: Script) -> Rc<Self> {
        Rc::new(Self {
            script: RefCell::new(script),
            list: Cell::new(List::None),
            read_latency: Cell::new(Duration::from_millis(10)),
            lag: Cell::new(Duration::ZERO),
            reads: Cell::new(0),
            pages: RefCell::default(),
            began: tokio::time::Instant::now(),
            at: RefCell::default(),
            well: Cell::new(true),
            unwell: Cell::new(FailureClass::NotConnected),
            applied: RefCell::default(),
            order: RefCell::default(),
            calls: Cell::new(0),
            probes: Cell::new(0),
            in_flight: Cell::new(0),
            most_in_flight: Cell::new(0),
            busy: RefCell::default(),
        })
    }

    /// Answers the first calls from the list, then all others with success.
    pub(super) fn scripted(scenes: impl IntoIterator<Item = Scene>) -> Rc<Self> {
        let mut scenes: VecDeque<Scene> = scenes.into_iter().collect();
        Self::new(Box::new(move |_| scenes.pop_front().unwrap_or_else(ok)))
    }

    pub(super) fn rescript(&self, script: Script) {
        *self.script.borrow_mut() = script;
    }

    pub(super) fn times_applied(&self, row: u64) -> u32 {
        self.applied.borrow().get(&row).copied().unwrap_or(0)
    }

    fn carry_out(&self, row: u64, subject: &str) {
        self.at.borrow_mut().insert(row, tokio::time::Instant::now());
        *self.applied.borrow_mut().entry(row).or_default() += 1;
        self.order.borrow_mut().entry(subject.to_owned()).or_default().push(row);
    }

    fn count_of(&self, subject: &str) -> usize {
        let shows = |row: &&u64| self.at.borrow().get(row).is_some_and(|at| at.elapsed() >= self.lag.get());
        self.order.borrow().get(subject).map_or(0, |rows| rows.iter().filter(shows).count())
    }

    /// What a read of the subject shows now.
    fn observation(&self, subject: &str) -> Observation {
        let count = self.count_of(subject).to_string();
        let at = self.began.elapsed().as_millis().to_string();
        Observation { facts: vec![("count".to_owned(), count), ("at".to_owned(), at)] }
    }

    /// A page of the list for these rows, by their subjects: what each shows at the moment of the reading.
    fn page(&self, wanted: &[(Observation, String)], size: usize) -> Vec<Listed> {
        let mut order: Vec<usize> = (0..wanted.len()).collect();
        order.sort_by_key(|at| wanted[*at].1.parse::<u64>().unwrap_or(u64::MAX));
        let mut listed = vec![Listed::Beyond; wanted.len()];
        for at in order.into_iter().take(size) {
            listed[at] = Listed::Shown(wanted[at].0.clone());
        }
        listed
    }
}

/// The account that calls it.
pub(super) struct FakeAccount {
    provider: Rc<FakeProvider>,
    settle_delay: Duration,
}

impl Account for FakeAccount {
    fn perform<'a>(&'a self, row: &'a Row, _token: Option<&'a str>) -> LocalFuture<'a, Reply> {
        Box::pin(async move {
            let subject = row.get("Id").unwrap_or_default();
            self.provider.calls.set(self.provider.calls.get() + 1);
            let _flight = InFlight::new(&self.provider, subject);
            let scene = (self.provider.script.borrow_mut())(subject);
            tokio::time::sleep(scene.latency / 2).await;
            if scene.applied {
                self.provider.carry_out(row.number.0, subject);
            }
            tokio::time::sleep(scene.latency / 2).await;
            scene.reply
        })
    }

    fn probe(&self) -> LocalFuture<'_, Reply> {
        self.provider.probes.set(self.provider.probes.get() + 1);
        let (well, unwell) = (self.provider.well.get(), self.provider.unwell.get());
        Box::pin(async move {
            if well { Reply::Applied(Answer::word("here")) } else { Reply::Failed(Failure::new(unwell, "refused")) }
        })
    }

    fn observe<'a>(&'a self, row: &'a Row) -> Option<LocalFuture<'a, Result<Observation, Failure>>> {
        row.operation.verified_by?;
        Some(Box::pin(async move {
            self.provider.reads.set(self.provider.reads.get() + 1);
            tokio::time::sleep(self.provider.read_latency.get()).await;
            Ok(self.provider.observation(row.get("Id").unwrap_or_default()))
        }))
    }

    fn observe_page(&self, rows: &[&Row]) -> Option<LocalFuture<'_, Result<Vec<Listed>, Failure>>> {
        if matches!(self.provider.list.get(), List::None) {
            return None;
        }
        let numbers: Vec<u64> = rows.iter().map(|row| row.number.0).collect();
        let subjects: Vec<String> = rows.iter().map(|row| row.get("Id").unwrap_or_default().to_owned()).collect();
        Some(Box::pin(async move {
            self.provider.pages.borrow_mut().push(numbers);
            // What it shows is of the moment at which it is asked for: the earliest that a reply may be about.
            let seen = |subject: String| (self.provider.observation(&subject), subject);
            let wanted: Vec<_> = subjects.into_iter().map(seen).collect();
            tokio::time::sleep(self.provider.read_latency.get()).await;
            match self.provider.list.get() {
                List::Page(size) => Ok(self.provider.page(&wanted, size)),
                List::Nothing | List::None => Ok(vec![Listed::Absent; wanted.len()]),
                List::Fails(class) => Err(Failure::new(class, class.code())),
            }
        }))
    }

    fn judge(&self, row: &Row, doubt: &Doubt<'_>, now: &Observation) -> Finding {
        let count = |seen: &Observation| seen.get("count").and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
        let before = doubt.baseline.map(count);
        match (row.operation.effect, before, count(now)) {
            (Effect::Conditional, _, 0) => Finding::NotApplied("still off".to_owned()),
            (Effect::Conditional, _, _) => Finding::Applied("on".to_owned()),
            (_, Some(before), now) if now == before + 1 => Finding::Applied(format!("{before} before, {now} now")),
            (_, Some(before), now) if now == before && row.operation.name == ADD_LATE.name => {
                Finding::NotYet(format!("still {now}"))
            }
            (_, Some(before), now) if now == before => Finding::NotApplied(format!("still {now}")),
            (_, before, now) => Finding::Conflict(format!("{before:?} before, {now} now")),
        }
    }

    fn settle_delay(&self) -> Duration {
        self.settle_delay
    }
}

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// It is not there.
    Lost,
    /// It is there all the same.
    There,
}

/// A journal in memory, as strict as the real one.
#[derive(Default)]
pub(super) struct MemoryJournal {
    pub(super) rows: RefCell<BTreeMap<u64, Recorded>>,
    /// What was handed over and is not durable yet, in order.
    handed: RefCell<VecDeque<(u64, Change)>>,
    asked: Cell<u64>,
    answers: RefCell<BTreeMap<u64, Result<(), JournalFault>>>,
    /// The most rows that ever were durably intended at once.
    pub(super) most_intended: Cell<usize>,
    watermark: Cell<RowNumber>,
    /// A row that had no record when a mark above it was told: the next start would have passed over it.
    pub(super) gap: Cell<Option<u64>>,
    commits: Cell<u64>,
    pub(super) break_at: Cell<Option<(u64, Break)>>,
}

impl MemoryJournal {
    pub(super) fn state(&self, row: u64) -> State {
        self.rows.borrow().get(&row).map_or(State::Planned, |recorded| recorded.state)
    }

    /// What a start does first (I3). What the start before it had only handed over is gone with it.
    pub(super) fn recover(&self) -> usize {
        self.handed.borrow_mut().clear();
        let mut rows = self.rows.borrow_mut();
        let open = rows.values_mut().filter(|recorded| recorded.state == State::Intended);
        open.map(|recorded| recorded.state = State::InDoubt).count()
    }

    fn apply(&self, change: &Change) -> Result<(), JournalFault> {
        let mut rows = self.rows.borrow_mut();
        let known = rows.get(&change.row.0).map_or(State::Planned, |recorded| recorded.state);
        if known != change.from {
            return Err(JournalFault::Stale { row: change.row, expected: change.from });
        }
        let to = change.from.after(change.event).expect("the engine asks only for legal changes");
        let recorded = rows.entry(change.row.0).or_insert_with(|| blank(change.row));
        recorded.state = to;
        match &change.note {
            Note::Intent { attempt, baseline, .. } => {
                assert_eq!(*attempt, recorded.attempts + 1, "attempts are counted one by one");
                recorded.attempts = *attempt;
                recorded.baseline.clone_from(baseline);
                recorded.intended_at = Some(change.at);
            }
            Note::Answer(answer) => recorded.code = Some(answer.code.clone()),
            Note::Failure { code, .. } => recorded.code = Some(code.clone()),
            Note::Evidence { .. } | Note::Held { .. } | Note::None => {}
        }
        let intended = rows.values().filter(|recorded| recorded.state == State::Intended).count();
        self.most_intended.set(self.most_intended.get().max(intended));
        Ok(())
    }

    /// Makes durable what was handed over, up to the change of this number.
    fn reach(&self, number: u64) {
        while self.handed.borrow().front().is_some_and(|(first, _)| *first <= number) {
            let Some((first, change)) = self.handed.borrow_mut().pop_front() else { return };
            let answer = self.write(&change);
            self.answers.borrow_mut().insert(first, answer);
        }
    }

    fn write(&self, change: &Change) -> Result<(), JournalFault> {
        self.commits.set(self.commits.get() + 1);
        let broken = self.break_at.get().filter(|(at, _)| self.commits.get() >= *at);
        if broken.is_none_or(|(_, how)| how == Break::There) {
            self.apply(change)?;
        }
        match broken {
            Some(_) => Err(JournalFault::Storage { message: "disk full".to_owned() }),
            None => Ok(()),
        }
    }
}

fn blank(row: RowNumber) -> Recorded {
    Recorded {
        row,
        state: State::Planned,
        attempts: 0,
        intended_at: None,
        baseline: None,
        subject: None,
        sent: None,
        code: None,
        message: None,
        reference: None,
        data: Vec::new(),
    }
}

impl Journal for MemoryJournal {
    fn commit(&self, change: Change) -> LocalFuture<'_, Result<(), JournalFault>> {
        let number = self.asked.get();
        self.asked.set(number + 1);
        self.handed.borrow_mut().push_back((number, change));
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.reach(number);
            self.answers.borrow_mut().remove(&number).expect("each change is answered once")
        })
    }

    fn remark(&self, _: RunId, _: RowNumber, _: Millis, _: Note) -> LocalFuture<'_, Result<(), JournalFault>> {
        Box::pin(async { Ok(()) })
    }

    fn records(&self, _: RunId, after: RowNumber, limit: usize) -> Result<Vec<Recorded>, JournalFault> {
        Ok(self.rows.borrow().range(after.0 + 1..).take(limit).map(|(_, recorded)| recorded.clone()).collect())
    }

    fn set_watermark(&self, _: RunId, mark: RowNumber) {
        let rows = self.rows.borrow();
        let gap = (2..mark.0).find(|row| !rows.contains_key(row));
        self.gap.set(self.gap.get().or(gap));
        self.watermark.set(mark.max(self.watermark.get()));
    }

    fn resume(&self, _: RunId) -> Result<Resume, JournalFault> {
        let (rows, watermark) = (self.rows.borrow(), self.watermark.get());
        let (final_rows, open): (Vec<_>, Vec<_>) = rows.values().cloned().partition(|row| row.state.is_final());
        let final_rows = final_rows.iter().map(|row| row.row).filter(|row| *row >= watermark).collect();
        Ok(Resume { watermark, open, final_rows })
    }
}

/// Rows given by operation and subject; the first is row 2.
pub(super) struct Given(pub(super) Vec<(&'static OperationSpec, String)>);

impl Input for Given {
    fn rows(&self, done: Done) -> Result<Box<dyn Rows + '_>, InputFault> {
        Ok(Box::new(GivenRows { given: self, done, next: 0 }))
    }
}

struct GivenRows<'a> {
    given: &'a Given,
    done: Done,
    next: usize,
}

impl Rows for GivenRows<'_> {
    fn next_row(&mut self) -> Result<Option<Row>, InputFault> {
        while self.next < self.given.0.len() && self.done.takes(RowNumber(self.next as u64 + 2)) {
            self.next += 1;
        }
        let Some((operation, subject)) = self.given.0.get(self.next) else { return Ok(None) };
        let number = RowNumber(self.next as u64 + 2);
        self.next += 1;
        let account = AccountName::new("fake");
        let mut values = Values::new(1);
        values.set(0, subject.as_str());
        let subject = Some(SubjectKey::new(&account, "Id", subject));
        Ok(Some(Row { number, operation, account, values, subject, amount: None }))
    }
}

/// A clock that follows the paused one.
pub(super) struct TestClock(tokio::time::Instant);

impl Clock for TestClock {
    fn now(&self) -> Millis {
        i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[derive(Default)]
pub(super) struct Seen(pub(super) RefCell<Vec<RunEvent>>);

impl Observer for Seen {
    fn notice(&self, event: &RunEvent) {
        self.0.borrow_mut().push(event.clone());
    }
}

/// A provider, a journal and a file, and what a start of the run is to be like.
pub(super) struct Rig {
    pub(super) provider: Rc<FakeProvider>,
    pub(super) journal: Rc<MemoryJournal>,
    pub(super) seen: Rc<Seen>,
    input: Rc<Given>,
    clock: Rc<TestClock>,
    pub(super) guard: Guard,
    pub(super) rate: &'static str,
    pub(super) concurrency: usize,
    pub(super) verify: bool,
    pub(super) leave: Leave,
    pub(super) stop: Stop,
    pub(super) settle_delay: Duration,
}

impl Rig {
    pub(super) fn new(provider: Rc<FakeProvider>, rows: Vec<(&'static OperationSpec, String)>) -> Self {
        Self {
            provider,
            journal: Rc::default(),
            seen: Rc::default(),
            input: Rc::new(Given(rows)),
            clock: Rc::new(TestClock(tokio::time::Instant::now())),
            guard: Guard { max_failures: MaxFailures::Rows(u64::MAX), max_in_doubt: u64::MAX },
            rate: "1000/s",
            concurrency: 8,
            verify: true,
            leave: Leave::Send,
            stop: Stop::default(),
            settle_delay: Duration::from_secs(60),
        }
    }

    /// `count` rows of one operation, each with its own subject.
    pub(super) fn rows(operation: &'static OperationSpec, count: usize) -> Vec<(&'static OperationSpec, String)> {
        (0..count).map(|subject| (operation, subject.to_string())).collect()
    }

    /// Starts (or continues) the run and waits for its end.
    pub(super) async fn run(&mut self) -> Ended {
        self.journal.recover();
        self.stop = Stop::default();
        self.start().await
    }

    pub(super) fn start(&self) -> impl Future<Output = Ended> + use<> {
        let (provider, settle_delay) = (Rc::clone(&self.provider), self.settle_delay);
        let account = Rc::new(FakeAccount { provider, settle_delay });
        let limits = Limits {
            rate: Rate::parse(self.rate).expect("a rate"),
            concurrency: self.concurrency,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        };
        execute(RunSetup {
            run: RunId(1),
            journal: self.journal.clone(),
            input: self.input.clone(),
            lanes: vec![LaneSetup { name: AccountName::new("fake"), account, limits }],
            guard: self.guard,
            verify: self.verify,
            leave: self.leave,
            mark: Some("k3v9x2mq".to_owned()),
            observer: self.seen.clone(),
            clock: self.clock.clone(),
            stop: self.stop.clone(),
        })
    }

    pub(super) fn states(&self) -> Vec<State> {
        (0..self.input.0.len() as u64).map(|row| self.journal.state(row + 2)).collect()
    }

    pub(super) fn operation(&self, row: u64) -> &'static OperationSpec {
        usize::try_from(row - 2).ok().and_then(|at| self.input.0.get(at)).expect("a row of the input").0
    }
}
