//! One session for all workers of an account: renewed before it is old, and once where the provider calls it expired.
//!
//! It must not send anything itself: the login is given to it. Invariants: at most one login is under way; a session
//! that one worker saw refused is replaced once, however many others see it refused too; a login that failed is the
//! answer to everybody who waited for it, so that a wrong key is not tried once a worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::model::failure::Failure;

/// A session lasts ten minutes; whether a call prolongs it is not documented. Two minutes are left for the call.
const RENEWED_AFTER: Duration = Duration::from_secs(8 * 60);

/// A session refused so soon, and never accepted, was never any good.
const YOUNG_FOR: Duration = Duration::from_secs(10);

/// A session that the provider gave.
pub(super) struct Session {
    /// What goes with each call.
    pub(super) id: SecretString,
    generation: u64,
    since: Instant,
    accepted: Cell<bool>,
}

impl Session {
    /// Notes that a call with it got past the provider's door.
    pub(super) fn accept(&self) {
        self.accepted.set(true);
    }

    /// Whether a call with it ever did.
    pub(super) fn was_accepted(&self) -> bool {
        self.accepted.get()
    }

    /// Whether it was made just now, so that a refusal cannot be its age.
    pub(super) fn is_young(&self) -> bool {
        self.since.elapsed() < YOUNG_FOR
    }
}

/// The session that is shared.
#[derive(Default)]
pub(super) struct Sessions {
    /// Held while a login is under way.
    login: Mutex<()>,
    current: RefCell<Option<Rc<Session>>>,
    /// The newest generation that the provider refused.
    refused: Cell<u64>,
    logins: Cell<u64>,
    failed: RefCell<Option<(u64, Failure)>>,
}

impl Sessions {
    /// The session to call with; none before a login, and once it was forgotten.
    pub(super) fn current(&self) -> Option<Rc<Session>> {
        self.current.borrow().clone()
    }

    /// Makes sure that there is a session which is good for a call, by at most one login for all who wait.
    pub(super) async fn ready<L>(&self, login: impl FnOnce() -> L) -> Result<(), Failure>
    where
        L: Future<Output = Result<SecretString, Failure>>,
    {
        if self.has_good() {
            return Ok(());
        }
        self.renew(login).await
    }

    /// Logs in, unless somebody else does so in the meantime.
    pub(super) async fn renew<L>(&self, login: impl FnOnce() -> L) -> Result<(), Failure>
    where
        L: Future<Output = Result<SecretString, Failure>>,
    {
        let before = self.logins.get();
        let _alone = self.login.lock().await;
        if self.logins.get() > before {
            match self.failed.borrow().as_ref() {
                Some((of, failure)) if *of == self.logins.get() => return Err(failure.clone()),
                _ if self.has_good() => return Ok(()),
                _ => {}
            }
        }
        let outcome = login().await;
        let generation = self.logins.get() + 1;
        self.logins.set(generation);
        match outcome {
            Ok(id) => {
                let session = Session { id, generation, since: Instant::now(), accepted: Cell::new(false) };
                self.current.replace(Some(Rc::new(session)));
                Ok(())
            }
            Err(failure) => {
                self.failed.replace(Some((generation, failure.clone())));
                Err(failure)
            }
        }
    }

    /// Notes that the provider refused this session.
    pub(super) fn refuse(&self, session: &Session) {
        self.refused.set(self.refused.get().max(session.generation));
    }

    /// Forgets the session that was refused. One that was made since is kept: its refusal was not reported.
    pub(super) fn forget(&self) {
        let refused = self.refused.get();
        self.current.borrow_mut().take_if(|session| session.generation <= refused);
    }

    fn has_good(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|session| session.since.elapsed() < RENEWED_AFTER)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use super::*;
    use crate::model::failure::FailureClass;

    /// Logs in after a moment, and counts.
    async fn login(count: &Cell<u32>, works: bool) -> Result<SecretString, Failure> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        count.set(count.get() + 1);
        if works { Ok("id".into()) } else { Err(Failure::new(FailureClass::Credentials, "no")) }
    }

    async fn all_ready(sessions: &Sessions, count: &Cell<u32>, works: bool) -> [Result<(), Failure>; 3] {
        let one = || sessions.ready(|| login(count, works));
        let (first, second, third) = tokio::join!(one(), one(), one());
        [first, second, third]
    }

    #[tokio::test(start_paused = true)]
    async fn one_login_serves_all_and_lasts_eight_minutes() {
        let (sessions, count) = (Sessions::default(), Cell::new(0));
        assert!(sessions.current().is_none());
        assert!(all_ready(&sessions, &count, true).await.iter().all(Result::is_ok));
        assert_eq!(count.get(), 1);
        tokio::time::advance(RENEWED_AFTER - Duration::from_secs(1)).await;
        assert!(all_ready(&sessions, &count, true).await.iter().all(Result::is_ok));
        assert_eq!(count.get(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(all_ready(&sessions, &count, true).await.iter().all(Result::is_ok));
        assert_eq!(count.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_session_is_replaced_once_however_late_it_is_reported() {
        let (sessions, count) = (Sessions::default(), Cell::new(0));
        sessions.ready(|| login(&count, true)).await.expect("a session");
        let old = sessions.current().expect("a session");
        for _ in 0..3 {
            sessions.refuse(&old);
            sessions.forget();
            sessions.ready(|| login(&count, true)).await.expect("a session");
        }
        assert_eq!(count.get(), 2, "the second and third report were about the first session");
        let new = sessions.current().expect("a session");
        assert!(!Rc::ptr_eq(&old, &new));
        sessions.refuse(&new);
        sessions.forget();
        assert!(sessions.current().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_login_answers_everybody_who_waited_and_nobody_later() {
        let (sessions, count) = (Sessions::default(), Cell::new(0));
        let outcomes = all_ready(&sessions, &count, false).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(f) if f.class == FailureClass::Credentials)));
        assert_eq!(count.get(), 1);
        assert!(sessions.ready(|| login(&count, true)).await.is_ok());
        assert_eq!(count.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_is_young_for_seconds() {
        let (sessions, count) = (Sessions::default(), Cell::new(0));
        sessions.ready(|| login(&count, true)).await.expect("a session");
        let session = sessions.current().expect("a session");
        assert!(session.is_young() && !session.was_accepted());
        tokio::time::advance(YOUNG_FOR).await;
        session.accept();
        assert!(!session.is_young() && session.was_accepted());
        sessions.renew(|| login(&count, true)).await.expect("a session");
        let session = sessions.current().expect("a session");
        assert!(session.is_young() && !session.was_accepted());
        assert_eq!(count.get(), 2, "a renewal logs in though the session is good");
    }
}
