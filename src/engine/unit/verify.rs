//! A row in doubt: when it may be read, and what a read makes of it.
//!
//! Must not send the row. Invariant: only a finding that the adapter calls proof moves the row; everything else is kept as
//! evidence, and the row stays in doubt.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::{End, Next, Pays, Unit};
use crate::contract::{Doubt, Finding, Note, Observation};
use crate::engine::verdict::{MAX_RETRIES, Situation, verdict};
use crate::model::failure::{Failure, FailureClass};
use crate::model::operation::Effect;
use crate::model::state::{Event, State};

/// Reads that may say "not yet" or fail before a doubt is left to a person.
const MAX_READS: u32 = 3;

impl Unit {
    /// Waits until a read can be trusted, reads, and judges. Without a read the doubt is left to a person.
    pub(super) async fn verify(&mut self) -> Result<Next, End> {
        if !self.readable() {
            return Ok(Next::End(End::InDoubt));
        }
        for read in 0..MAX_READS {
            let wait = if read == 0 { self.until_settled() } else { self.lane.account.settle_delay() };
            if let Some(next) = self.look(wait).await? {
                return Ok(next);
            }
        }
        Ok(Next::End(End::InDoubt))
    }

    /// One more read when all other rows have ended, and one delay after the last: sooner it would show the same.
    pub(super) async fn last_look(&mut self) -> Result<Next, End> {
        let delay = self.lane.account.settle_delay();
        let wait = self.looked.map_or(Duration::ZERO, |looked| delay.saturating_sub(looked.elapsed()));
        Ok(self.look(wait).await?.unwrap_or(Next::End(End::InDoubt)))
    }

    /// Waits, gets leave, reads once and judges. `None` where another read may tell more.
    async fn look(&mut self, wait: Duration) -> Result<Option<Next>, End> {
        let lane = Rc::clone(&self.lane);
        lane.sleep_to_verify(wait).await.ok_or(End::InDoubt)?;
        let clearance = lane.clearance().await.ok_or(End::InDoubt)?;
        let seen = match lane.account.ready().await {
            Ok(()) => self.observe().await,
            Err(failure) => Err(failure),
        };
        drop(clearance);
        self.looked = Some(Instant::now());
        match seen {
            Ok(Some(seen)) => self.judge(seen).await,
            Ok(None) => Ok(Some(Next::End(End::InDoubt))),
            Err(failure) => {
                lane.spread(verdict(self.as_read(failure.class)).consequence, &failure);
                Ok(None)
            }
        }
    }

    pub(super) fn as_read(&self, class: FailureClass) -> Situation {
        Situation { effect: Effect::Read, unsettled: false, ..self.situation(class) }
    }

    /// How long until the effect of the last call would show. Never longer than the provider's delay.
    fn until_settled(&self) -> Duration {
        self.lane.account.settle_delay().saturating_sub(self.age())
    }

    /// How old the doubt is for certain. The wall clock may have jumped since the call, and an age that is too high would
    /// make a proof of what merely does not show yet: so a doubt from before this start counts from when it was found.
    fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Draws the consequence of what was read. `None` where another read may tell more.
    async fn judge(&mut self, seen: Observation) -> Result<Option<Next>, End> {
        let doubt = Doubt { baseline: self.baseline.as_ref(), age: self.age(), token: self.carried.as_deref() };
        let (event, finding) = match self.lane.account.judge(&self.row, &doubt, &seen) {
            Finding::Applied(finding) => (Event::VerifiedApplied, finding),
            Finding::NotApplied(finding) => (Event::VerifiedNotApplied, finding),
            Finding::NotYet(finding) => {
                self.remark(seen, finding).await?;
                return Ok(None);
            }
            Finding::Conflict(finding) => {
                self.remark(seen, finding).await?;
                return Ok(Some(Next::End(End::InDoubt)));
            }
        };
        self.moved(event, Note::Evidence { observation: seen, finding: finding.clone() }).await?;
        if self.state != State::Planned {
            return Ok(Some(Next::End(End::Done)));
        }
        self.unsettled = false;
        if !self.may_send() {
            return Ok(Some(Next::End(End::NotSent)));
        }
        self.proven_not_applied(finding).await.map(Some)
    }

    async fn remark(&self, observation: Observation, finding: String) -> Result<(), End> {
        let shared = &self.lane.shared;
        let note = Note::Evidence { observation, finding };
        shared.journal.remark(shared.run, self.row.number, shared.clock.now(), note).await.map_err(|fault| {
            shared.broken(&fault);
            End::Broken
        })
    }

    /// A read proved that nothing happened: the row is sent again, unless it was tried often enough.
    async fn proven_not_applied(&mut self, finding: String) -> Result<Next, End> {
        if self.retries < MAX_RETRIES {
            return Ok(self.again(&Failure::new(FailureClass::NotWritten, finding), Pays::Retry));
        }
        self.moved(Event::GaveUp, Note::Failure { code: "not_applied".to_owned(), message: finding }).await?;
        Ok(Next::End(End::Done))
    }
}
