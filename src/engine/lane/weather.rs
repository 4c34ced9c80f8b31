//! What holds an account's calls back: what the provider asked for, and what it is when it is down.
//!
//! Every worker of the account passes the same gate and the same rate, so what one of them is told holds for all.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use super::Lane;
use crate::engine::breaker::{PATIENCE, probe_wait};
use crate::engine::verdict::Consequence;
use crate::model::event::{Halt, RunEvent, Weather};
use crate::model::failure::{Failure, FailureClass, Reply};

/// Reads in a row that are sent elsewhere, after which it is no mishap.
const MOVED: u32 = 3;

impl Lane {
    /// What a failed call means for the account's other rows.
    pub(in crate::engine) fn spread(self: &Rc<Self>, consequence: Consequence, failure: &Failure) {
        let message = failure.message.clone();
        match consequence {
            Consequence::None => {}
            Consequence::Throttle => {
                self.answered();
                self.throttled(failure);
            }
            Consequence::Strain => self.strained(failure),
            Consequence::Pause => self.trip(failure),
            Consequence::Relogin => self.account.forget_session(),
            Consequence::Unlisted => self.unlisted(message),
            Consequence::StopTls => self.shared.halt(Some(Halt::Tls { account: self.name.clone(), message })),
            Consequence::StopCredentials => self.shared.halt(Some(self.credentials_halt(message))),
            Consequence::Redirect => self.redirected(failure),
        }
    }

    /// The provider answered a call with something that we understand: it is not down.
    pub(in crate::engine) fn answered(&self) {
        self.read_answered();
        self.listening.borrow_mut().understood();
    }

    /// The provider answered a read: it is not down. How it answers calls is another matter.
    pub(in crate::engine) fn read_answered(&self) {
        self.breaker.borrow_mut().answered();
    }

    /// A reply that nobody documents. One leaves a row in doubt; several together halt the run.
    pub(in crate::engine) fn unlisted(&self, message: String) {
        if self.listening.borrow_mut().unlisted() {
            self.shared.halt(Some(Halt::Unrecognised { message }));
        }
    }

    /// The provider sent us elsewhere, where we never go. Before anything was understood that halts the run: the address may
    /// be wrong. Later, where a read is still served here, it was a mishap on the way; where reads are sent away too, or calls
    /// are again and again, somebody has moved and a person must look.
    pub(in crate::engine) fn redirected(self: &Rc<Self>, failure: &Failure) {
        let new = self.listening.borrow().is_new();
        if self.listening.borrow_mut().unlisted() || new {
            return self.shared.halt(Some(self.redirect_halt()));
        }
        self.trip(failure);
    }

    /// One sign that the provider is down.
    fn strained(self: &Rc<Self>, failure: &Failure) {
        if self.breaker.borrow_mut().strained() {
            self.pause(failure);
        }
    }

    /// The provider is certainly not to be called now.
    fn trip(self: &Rc<Self>, failure: &Failure) {
        if self.breaker.borrow_mut().trip() {
            self.pause(failure);
        }
    }

    /// All workers wait as the provider asked, and the rate is lowered.
    fn throttled(&self, failure: &Failure) {
        let wait = failure.retry_after.unwrap_or(Duration::from_secs(1));
        if self.gate.close_for(wait) {
            self.weather(Weather::Paused { wait });
        }
        if self.pace.throttled() {
            self.weather(Weather::Rate { now: self.pace.now(), limit: self.pace.limit() });
        }
    }

    /// Sleeps until a row in doubt may be read, unless the run stops first: then `None`. Where no other row is left to be
    /// begun, this is what the run waits for, and that is told.
    pub(in crate::engine) async fn sleep_to_verify(&self, wait: Duration) -> Option<()> {
        if wait.is_zero() {
            return self.sleep(wait).await;
        }
        self.verifying.set(self.verifying.get() + 1);
        self.tell_verifying(wait);
        let slept = self.sleep(wait).await;
        self.verifying.set(self.verifying.get() - 1);
        if self.is_fed.get() && self.verifying.get() == 0 && self.gate.is_open() {
            self.weather(Weather::Clear);
        }
        slept
    }

    /// Says what is waited for where every row was begun and some wait to be verified.
    pub(super) fn tell_verifying(&self, wait: Duration) {
        let rows = self.verifying.get();
        if self.is_fed.get() && rows > 0 && self.gate.is_open() {
            self.weather(Weather::Verifying { rows, wait });
        }
    }

    fn weather(&self, weather: Weather) {
        self.shared.observer.notice(&RunEvent::Weather { account: self.name.clone(), weather });
    }

    fn pause(self: &Rc<Self>, failure: &Failure) {
        self.gate.shut();
        tokio::task::spawn_local(Rc::clone(self).probe_until_well(failure.message.clone()));
    }

    /// Reads at growing intervals until the provider answers, the patience is used up, or the run stops.
    async fn probe_until_well(self: Rc<Self>, mut reason: String) {
        let since = Instant::now();
        let mut sent_away = 0;
        for probe in 0.. {
            let next = probe_wait(probe);
            self.weather(Weather::Down { reason: reason.clone(), probes: probe, next });
            if self.sleep(next).await.is_none() {
                return;
            }
            match self.probe().await {
                Ok(()) => {
                    self.breaker.borrow_mut().recovered();
                    self.gate.open();
                    self.weather(Weather::Clear);
                    return;
                }
                Err(failure) if failure.class == FailureClass::Credentials => {
                    return self.shared.halt(Some(self.credentials_halt(failure.message)));
                }
                Err(failure) => {
                    sent_away = if failure.class == FailureClass::Redirect { sent_away + 1 } else { 0 };
                    reason = failure.message;
                }
            }
            if sent_away == MOVED {
                return self.shared.halt(Some(self.redirect_halt()));
            }
            if since.elapsed() >= PATIENCE {
                return self.shared.halt(Some(Halt::Outage { account: self.name.clone(), message: reason }));
            }
        }
    }

    /// One read; any documented answer shows that the provider is there.
    async fn probe(&self) -> Result<(), Failure> {
        self.account.ready().await?;
        match self.timed(self.account.probe()).await {
            Reply::Applied(_) | Reply::Already(_) | Reply::Refused(_) => Ok(()),
            Reply::Failed(failure) => Err(failure),
        }
    }

    fn redirect_halt(&self) -> Halt {
        Halt::Redirect { account: self.name.clone() }
    }

    fn credentials_halt(&self, message: String) -> Halt {
        Halt::Credentials { account: self.name.clone(), message }
    }
}
