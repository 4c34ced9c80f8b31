//! The life of one row: baseline, intent, call, outcome, and what follows when the outcome is not known.
//!
//! Invariants: no call without a committed intent (I1); a row with an open doubt is called again only where a repeat is
//! harmless or a read has proven that the first call did nothing (I5); a journal that fails ends the row at once.

mod verify;

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::ahead::ReadAhead;
use super::backoff::backoff;
use super::lane::{Clearance, Lane};
use super::plan::Leave;
use super::verdict::{Fate, Situation, verdict};
use crate::contract::{Note, Observation, Recorded};
use crate::model::event::RunEvent;
use crate::model::failure::{Answer, Failure, FailureClass, Reply};
use crate::model::ids::SubjectKey;
use crate::model::operation::Effect;
use crate::model::row::Row;
use crate::model::state::{Event, State};
#[cfg(feature = "negative-controls")]
use crate::negative_controls::Mistake;

/// Reads before a call that may fail before the row is given up: nothing was sent, so patience costs nothing.
const MAX_BASELINE_READS: u32 = 6;

/// How a row's life in this run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In a final state.
    Done,
    /// In doubt: nothing of the same subject may follow.
    InDoubt,
    /// Not sent, or proven not applied: the run stopped first.
    NotSent,
    /// The journal failed.
    Broken,
}

/// What a repeat is counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pays {
    /// Nothing: the row is not to blame.
    Nothing,
    /// One of the row's retries.
    Retry,
    /// One of the row's harmless repeats.
    Resend,
    /// Nothing of the row's own, but it counts in the run.
    Budget,
}

/// What comes next for the row.
enum Next {
    Call(Duration),
    Verify,
    End(End),
}

/// One row on its way.
pub(super) struct Unit {
    lane: Rc<Lane>,
    row: Rc<Row>,
    state: State,
    attempts: u32,
    retries: u32,
    resends: u32,
    waits: u32,
    failed_reads: u32,
    unsettled: bool,
    baseline: Option<Observation>,
    /// The token that the last call carried.
    carried: Option<String>,
    /// A baseline for the first call that a list read has brought already.
    read_ahead: Option<ReadAhead>,
    /// When the last call ended, or when a doubt from before this start was found.
    since: Instant,
    /// When a read was last made to verify it.
    looked: Option<Instant>,
    unhurried: bool,
}

impl Unit {
    pub(super) fn new(
        lane: &Rc<Lane>,
        row: Rc<Row>,
        recorded: Option<Box<Recorded>>,
        read_ahead: Option<ReadAhead>,
    ) -> Self {
        let state = recorded.as_ref().map_or(State::Planned, |recorded| recorded.state);
        let sent = recorded.as_ref().and_then(|recorded| recorded.sent.as_deref());
        let carried = sent.and_then(|sent| lane.token(&row).filter(|token| sent.contains(&format!("[{token}]\""))));
        Self {
            lane: Rc::clone(lane),
            row,
            state,
            carried,
            attempts: recorded.as_ref().map_or(0, |recorded| recorded.attempts),
            retries: 0,
            resends: 0,
            waits: 0,
            failed_reads: 0,
            unsettled: state == State::InDoubt,
            since: Instant::now(),
            looked: None,
            read_ahead,
            baseline: recorded.and_then(|recorded| recorded.baseline),
            unhurried: false,
        }
    }
}

/// Takes the row to its end. `clearance` is leave for its first call, where the caller has got it already.
pub(super) async fn run(unit: &mut Unit, clearance: Option<Clearance>) -> End {
    let first = unit.first().await;
    go_on(unit, first, clearance).await
}

/// Reads once more what a row is about that reads have left in doubt, and takes it to its end where that settles it.
pub(super) async fn run_last_look(unit: &mut Unit) -> End {
    let first = unit.last_look().await;
    go_on(unit, first, None).await
}

/// What few rows need is boxed, here and below: a row on its way takes the room of the largest thing that can happen to it.
async fn go_on(unit: &mut Unit, first: Result<Next, End>, mut clearance: Option<Clearance>) -> End {
    let mut next = first.unwrap_or_else(Next::End);
    loop {
        let step = match next {
            Next::Call(wait) => unit.call(wait, clearance.take()).await,
            Next::Verify => Box::pin(unit.verify()).await,
            Next::End(end) => return end,
        };
        next = step.unwrap_or_else(Next::End);
    }
}

impl Unit {
    async fn first(&mut self) -> Result<Next, End> {
        match self.state {
            State::Held => {
                self.moved(Event::Released, Note::None).await?;
                Ok(Next::Call(Duration::ZERO))
            }
            State::InDoubt if !self.may_send() || !self.row.operation.effect.repeatable() => Ok(Next::Verify),
            _ => Ok(Next::Call(Duration::ZERO)),
        }
    }

    fn may_send(&self) -> bool {
        self.lane.shared.leave == Leave::Send
    }

    /// Commits a change of this row.
    async fn moved(&mut self, event: Event, note: Note) -> Result<(), End> {
        self.moved_and_left(event, note, None).await
    }

    /// Commits a change of this row, and gives its place to the next as soon as the journal has the change in its hands.
    async fn moved_and_left(&mut self, event: Event, note: Note, place: Option<Clearance>) -> Result<(), End> {
        let shared = Rc::clone(&self.lane.shared);
        let committed = Box::pin(shared.commit(&self.row, self.state, event, note, self.unhurried, place)).await;
        self.state = committed.ok_or(End::Broken)?;
        Ok(())
    }

    /// Where the row stands when the run stops now.
    fn stopped(&self) -> End {
        if self.state == State::InDoubt { End::InDoubt } else { End::NotSent }
    }

    /// Waits, gets leave, reads a baseline where one is needed, commits the intent, makes one call and concludes.
    async fn call(&mut self, wait: Duration, clearance: Option<Clearance>) -> Result<Next, End> {
        let lane = Rc::clone(&self.lane);
        lane.sleep(wait).await.ok_or_else(|| self.stopped())?;
        let clearance = match clearance {
            Some(clearance) => clearance,
            None => lane.clearance().await.ok_or_else(|| self.stopped())?,
        };
        self.unhurried = clearance.unhurried;
        if let Err(failure) = lane.account.ready().await {
            return Box::pin(self.not_sent(&failure)).await;
        }
        self.baseline = None;
        if self.needs_baseline()
            && let Some(next) = Box::pin(self.take_baseline()).await?
        {
            return Ok(next);
        }
        // Of one call alone: before the next, what was read ahead may be old.
        self.read_ahead = None;
        // The last moment at which stopping costs nothing.
        if lane.shared.stop.is_thrown() {
            return Err(self.stopped());
        }
        #[cfg(feature = "negative-controls")]
        if Mistake::IntentAfterCall.is_made() {
            let token = lane.token(&self.row);
            let reply = lane.timed(lane.account.perform(&self.row, token.as_deref())).await;
            self.intend(token).await?;
            return self.conclude(reply, clearance).await;
        }
        let token = lane.token(&self.row);
        self.intend(token.clone()).await?;
        let reply = lane.timed(lane.account.perform(&self.row, token.as_deref())).await;
        self.conclude(reply, clearance).await
    }

    /// Takes the baseline that was read ahead, or reads one now. What comes next where that failed.
    async fn take_baseline(&mut self) -> Result<Option<Next>, End> {
        let lane = Rc::clone(&self.lane);
        if let Some(read) = self.read_ahead.take().filter(|read| lane.still_holds(&self.row, read)) {
            self.baseline = Some(read.observation);
            return Ok(None);
        }
        match self.observe().await {
            Ok(baseline) => self.baseline = baseline,
            Err(failure) => return self.not_sent(&failure).await.map(Some),
        }
        self.unhurried = lane.another_slot().await.ok_or_else(|| self.stopped())? && self.unhurried;
        Ok(None)
    }

    /// A later read proves something about an effect that adds up only against what was there before. Just after a call
    /// for the same subject nobody knows whether a read shows that call's effect already: what it shows would be taken for
    /// ours later, so none is made, and a doubt goes to a person.
    fn needs_baseline(&self) -> bool {
        self.row.operation.effect == Effect::Additive && self.readable() && !self.lane.is_fresh(&self.row)
    }

    pub(super) fn readable(&self) -> bool {
        self.lane.can_read(&self.row)
    }

    pub(super) fn row(&self) -> &Row {
        &self.row
    }

    pub(super) fn subject(&self) -> Option<SubjectKey> {
        self.row.subject.clone()
    }

    async fn intend(&mut self, token: Option<String>) -> Result<(), End> {
        self.attempts += 1;
        let note = Note::Intent {
            attempt: self.attempts,
            baseline: self.baseline.clone(),
            subject: self.row.subject.clone(),
            sent: self.row.as_sent(token.as_deref()),
        };
        self.carried = token;
        self.moved_and_left(Event::Intent { effect: self.row.operation.effect }, note, None).await
    }

    /// Draws the consequence of a reply to our call, which had its place by `clearance`. Only an answer that ends the row
    /// gives the place away before it is durable: what halts the run must be known before another row begins.
    async fn conclude(&mut self, reply: Reply, clearance: Clearance) -> Result<Next, End> {
        self.since = Instant::now();
        if !matches!(&reply, Reply::Failed(failure) if failure.class.proves_not_applied()) {
            self.lane.touch(&self.row);
        }
        match self.ends_with(reply) {
            Ok((event, answer)) => {
                self.lane.answered();
                self.moved_and_left(event, Note::Answer(answer), Some(clearance)).await?;
                Ok(Next::End(End::Done))
            }
            Err(unsettled) => Box::pin(self.go_after(unsettled)).await,
        }
    }

    /// The row's end by a documented answer, or the reply back where it ends nothing.
    fn ends_with(&self, reply: Reply) -> Result<(Event, Answer), Reply> {
        match reply {
            Reply::Applied(answer) => Ok((Event::Applied, answer)),
            // Something that adds up cannot have been there before: the word does not say whose work it was.
            Reply::Already(answer) if self.row.operation.effect != Effect::Additive => Ok((Event::Already, answer)),
            // A repeat may be refused for the very reason that the first call went through.
            Reply::Refused(answer) if !self.unsettled => Ok((Event::Refused, answer)),
            unsettled => Err(unsettled),
        }
    }

    /// What follows a reply that does not end the row.
    async fn go_after(&mut self, reply: Reply) -> Result<Next, End> {
        match reply {
            Reply::Applied(answer) | Reply::Already(answer) | Reply::Refused(answer) => self.unsure(answer).await,
            Reply::Failed(failure) => self.failed(failure).await,
        }
    }

    /// A documented word that does not settle what our call did.
    async fn unsure(&mut self, answer: Answer) -> Result<Next, End> {
        self.lane.answered();
        let message = format!("answered `{}`, which does not tell whether an earlier call went through", answer.code);
        self.doubtful("answer_unclear", message).await
    }

    async fn doubtful(&mut self, code: &str, message: String) -> Result<Next, End> {
        let lane = Rc::clone(&self.lane);
        self.moved(Event::Unknown, Note::Failure { code: code.to_owned(), message }).await?;
        self.unsettled = true;
        lane.shared.halt(lane.shared.watch.doubt());
        Ok(Next::Verify)
    }

    async fn failed(&mut self, failure: Failure) -> Result<Next, End> {
        let decided = verdict(self.situation(failure.class));
        self.lane.spread(decided.consequence, &failure);
        let note = Note::Failure { code: failure.class.code().to_owned(), message: failure.message.clone() };
        match decided.fate {
            Fate::Doubt => self.doubtful(failure.class.code(), failure.message).await,
            Fate::Resend => {
                self.moved(Event::Unknown, note).await?;
                self.unsettled = true;
                Ok(self.again(&failure, if failure.class.proves_not_applied() { Pays::Nothing } else { Pays::Resend }))
            }
            Fate::GiveUp => {
                self.moved(Event::GaveUp, note).await?;
                Ok(Next::End(End::Done))
            }
            Fate::PutBack => {
                self.moved(Event::NotApplied, note).await?;
                Ok(Next::End(End::NotSent))
            }
            Fate::Retry | Fate::Wait => {
                self.moved(Event::NotApplied, note).await?;
                Ok(self.again(&failure, if decided.fate == Fate::Retry { Pays::Retry } else { Pays::Nothing }))
            }
        }
    }

    /// Something that had to come before the intent failed: nothing was sent, whatever the failure proves about itself.
    async fn not_sent(&mut self, failure: &Failure) -> Result<Next, End> {
        let decided = verdict(self.as_read(failure.class));
        self.lane.spread(decided.consequence, failure);
        match decided.fate {
            Fate::PutBack => return Ok(Next::End(self.stopped())),
            Fate::Wait => return Ok(self.again(failure, Pays::Nothing)),
            Fate::Retry | Fate::Resend | Fate::GiveUp | Fate::Doubt => self.failed_reads += 1,
        }
        if self.failed_reads < MAX_BASELINE_READS {
            return Ok(self.again(failure, Pays::Budget));
        }
        if self.state == State::InDoubt {
            return Ok(Next::End(End::InDoubt));
        }
        let message = format!("not sent: the read before the call failed: {}", failure.message);
        self.moved(Event::GaveUp, Note::Failure { code: "no_baseline".to_owned(), message }).await?;
        Ok(Next::End(End::Done))
    }

    fn situation(&self, class: FailureClass) -> Situation {
        Situation {
            class,
            effect: self.row.operation.effect,
            retries: self.retries,
            resends: self.resends,
            unsettled: self.unsettled,
        }
    }

    /// Plans the next call, after a backoff. What is not for free counts against the run's budget.
    fn again(&mut self, failure: &Failure, pays: Pays) -> Next {
        let shared = &self.lane.shared;
        let at_once = matches!(failure.class, FailureClass::Throttled | FailureClass::SessionExpired);
        let repeats = self.retries + self.resends + self.waits + self.failed_reads;
        let wait = if at_once { Duration::ZERO } else { backoff(repeats, fastrand::f64()) };
        match pays {
            Pays::Nothing => self.waits += 1,
            Pays::Retry => self.retries += 1,
            Pays::Resend => self.resends += 1,
            Pays::Budget => {}
        }
        if pays != Pays::Nothing {
            shared.halt(shared.watch.retry());
        }
        shared.observer.notice(&RunEvent::Retry {
            row: self.row.number,
            attempt: self.attempts + 1,
            after: wait,
            reason: failure.message.clone(),
        });
        Next::Call(wait)
    }

    /// Reads what the provider holds about the row's subject; the caller has leave for the call.
    async fn observe(&self) -> Result<Option<Observation>, Failure> {
        match self.lane.account.observe(&self.row) {
            Some(read) => {
                let seen = self.lane.timed(read).await?;
                self.lane.read_answered();
                Ok(Some(seen))
            }
            None => Ok(None),
        }
    }
}
