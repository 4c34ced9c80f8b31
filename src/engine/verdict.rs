//! What a failure means for the row and for the account: the design's failure table as one pure function.
//!
//! Invariant: a row whose effect adds up, or whose effect the provider's state guards, is never to be repeated from here
//! unless the failure itself proves that nothing happened (I5). The table is tested cell by cell.

use crate::model::failure::FailureClass;
use crate::model::operation::Effect;

/// The most times that one row is called again after a failure that proves nothing happened.
pub const MAX_RETRIES: u32 = 3;

/// The most times that a harmless repeat follows a call whose end is unknown.
pub const MAX_RESENDS: u32 = 2;

/// What is known when a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Situation {
    /// What happened.
    pub class: FailureClass,
    /// What a repeat of the operation does.
    pub effect: Effect,
    /// Calls already repeated for this row in this run, because a failure proved that nothing happened.
    pub retries: u32,
    /// Calls already repeated for this row in this run, because a repeat is harmless.
    pub resends: u32,
    /// Whether an earlier call of this row may have had its effect and nothing has disproved it.
    pub unsettled: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// With the row.
    pub fate: Fate,
    /// With the account and its other rows.
    pub consequence: Consequence,
}

/// What becomes of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Proven not applied; call again when the account allows it, after a backoff.
    Retry,
    /// Proven not applied; call again as soon as the account allows it: the row is not to blame and pays nothing.
    Wait,
    /// Proven not applied, and retries are used up.
    GiveUp,
    /// Proven not applied; the run stops and the row stays safe to send.
    PutBack,
    /// Unknown, and a repeat is harmless: record the doubt, then call again after a backoff.
    Resend,
    /// Unknown: record the doubt; verify it where the provider has a read, otherwise leave it to a person.
    Doubt,
}

/// What becomes of the account's other rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    None,
    /// All workers wait as long as was asked, and the rate is lowered.
    Throttle,
    /// One sign that the provider is down; enough of them in a row pause the account.
    Strain,
    /// The account pauses at once, and reads probe it.
    Pause,
    /// The session is renewed once for all workers.
    Relogin,
    /// One reply that the documentation does not list; several together stop the run.
    Unlisted,
    /// The run stops: the server's identity is not proven.
    StopTls,
    /// The run stops: the credentials are wrong.
    StopCredentials,
    /// The provider sent us elsewhere: the account pauses, and the run stops unless a read shows that it still serves us.
    Redirect,
}

/// Decides. The rows of the table are the classes, its columns the effects.
pub fn verdict(situation: Situation) -> Verdict {
    use FailureClass as F;
    let Situation { class, effect, retries, resends, unsettled } = situation;
    let consequence = consequence(class);
    let fate = match class {
        F::TlsRejected | F::Credentials => Fate::PutBack,
        // A session that ends under a row is not the row's fault; one that is refused when it is new is told as wrong
        // credentials, so this comes to an end.
        F::Throttled | F::NotConnected | F::SessionExpired => Fate::Wait,
        F::NotWritten => proven(retries),
        F::Redirect => Fate::Doubt,
        F::Conflict => unknown(effect, resends, 1),
        F::Lost | F::ServerError(_) | F::Unavailable | F::Html | F::Truncated => unknown(effect, resends, MAX_RESENDS),
        F::Unrecognised => Fate::Doubt,
    };
    Verdict { fate: keep_doubt(fate, unsettled, effect), consequence }
}

fn consequence(class: FailureClass) -> Consequence {
    use FailureClass as F;
    match class {
        F::TlsRejected => Consequence::StopTls,
        F::Credentials => Consequence::StopCredentials,
        F::Redirect => Consequence::Redirect,
        F::Throttled => Consequence::Throttle,
        F::SessionExpired => Consequence::Relogin,
        F::Html => Consequence::Pause,
        F::Unrecognised => Consequence::Unlisted,
        F::NotConnected | F::Lost | F::ServerError(_) | F::Unavailable | F::Truncated => Consequence::Strain,
        F::NotWritten | F::Conflict => Consequence::None,
    }
}

fn proven(retries: u32) -> Fate {
    if retries < MAX_RETRIES { Fate::Retry } else { Fate::GiveUp }
}

fn unknown(effect: Effect, resends: u32, most: u32) -> Fate {
    #[cfg(feature = "negative-controls")]
    if crate::negative_controls::Mistake::ResendLost.is_made() {
        return Fate::Retry;
    }
    if effect.repeatable() && resends < most { Fate::Resend } else { Fate::Doubt }
}

/// A proof about this call proves nothing about an earlier one that is still open: the row stays in doubt, and where it
/// may be repeated it is repeated from there.
fn keep_doubt(fate: Fate, unsettled: bool, effect: Effect) -> Fate {
    match fate {
        Fate::Retry | Fate::Wait if unsettled && effect.repeatable() => Fate::Resend,
        Fate::Retry | Fate::Wait | Fate::GiveUp | Fate::PutBack if unsettled => Fate::Doubt,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Consequence as C;
    use Effect::{Absolute, Additive, Conditional, Read};
    use FailureClass as F;
    use Fate::{Doubt, GiveUp, PutBack, Resend, Retry, Wait};

    fn first(class: FailureClass, effect: Effect) -> Verdict {
        verdict(Situation { class, effect, retries: 0, resends: 0, unsettled: false })
    }

    /// The design's table: class, then the fate for additive, conditional, absolute and read, then the consequence.
    const TABLE: [(FailureClass, Fate, Fate, Fate, Consequence); 14] = [
        (F::NotConnected, Wait, Wait, Wait, C::Strain),
        (F::TlsRejected, PutBack, PutBack, PutBack, C::StopTls),
        (F::NotWritten, Retry, Retry, Retry, C::None),
        (F::Lost, Doubt, Doubt, Resend, C::Strain),
        (F::ServerError(500), Doubt, Doubt, Resend, C::Strain),
        (F::Unavailable, Doubt, Doubt, Resend, C::Strain),
        (F::Conflict, Doubt, Doubt, Resend, C::None),
        (F::Throttled, Wait, Wait, Wait, C::Throttle),
        (F::Credentials, PutBack, PutBack, PutBack, C::StopCredentials),
        (F::SessionExpired, Wait, Wait, Wait, C::Relogin),
        (F::Redirect, Doubt, Doubt, Doubt, C::Redirect),
        (F::Truncated, Doubt, Doubt, Resend, C::Strain),
        (F::Unrecognised, Doubt, Doubt, Doubt, C::Unlisted),
        (F::Html, Doubt, Doubt, Resend, C::Pause),
    ];

    #[test]
    fn the_whole_table() {
        assert_eq!(TABLE.map(|line| line.0), FailureClass::ALL, "every class has its line");
        for (class, additive, conditional, absolute, consequence) in TABLE {
            assert_eq!(first(class, Additive), Verdict { fate: additive, consequence }, "{class:?} additive");
            assert_eq!(first(class, Conditional), Verdict { fate: conditional, consequence }, "{class:?} conditional");
            assert_eq!(first(class, Absolute), Verdict { fate: absolute, consequence }, "{class:?} absolute");
            assert_eq!(first(class, Read), Verdict { fate: absolute, consequence }, "{class:?} read");
        }
    }

    /// Every combination of effect, class, attempts and open doubt.
    fn situations() -> impl Iterator<Item = Situation> {
        let classes = FailureClass::ALL.into_iter();
        classes.flat_map(|class| {
            [Read, Absolute, Conditional, Additive].into_iter().flat_map(move |effect| {
                (0..6).flat_map(move |retries| {
                    (0..4).flat_map(move |resends| {
                        [false, true].map(|unsettled| Situation { class, effect, retries, resends, unsettled })
                    })
                })
            })
        })
    }

    #[test]
    fn only_proof_lets_an_effect_that_matters_be_repeated() {
        for situation in situations() {
            let Verdict { fate, .. } = verdict(situation);
            let repeats = matches!(fate, Retry | Wait | Resend);
            let proven = situation.class.proves_not_applied() && !situation.unsettled;
            assert!(!repeats || proven || situation.effect.repeatable(), "{situation:?} {fate:?}");
        }
    }

    #[test]
    fn a_row_is_called_failed_only_where_nothing_is_open() {
        for situation in situations() {
            let Verdict { fate, .. } = verdict(situation);
            if matches!(fate, GiveUp | PutBack | Retry | Wait) {
                assert!(situation.class.proves_not_applied() && !situation.unsettled, "{situation:?} {fate:?}");
            }
        }
    }

    #[test]
    fn repeats_end() {
        for situation in situations().filter(|situation| situation.resends >= MAX_RESENDS && !situation.unsettled) {
            assert_ne!(verdict(situation).fate, Resend, "{situation:?}");
        }
        for situation in situations().filter(|situation| situation.retries >= MAX_RETRIES) {
            assert_ne!(verdict(situation).fate, Retry, "{situation:?}");
        }
    }
}
