//! DESIGN.md's table, written once more by hand: what each class of failure means for a row and for its account.
//!
//! It is not derived from the engine: the suite compares the two.

use subops::engine::verdict::{Consequence as C, Fate, Verdict};
use subops::model::failure::FailureClass as F;
use subops::model::operation::Effect;

/// The line of the table for a first call.
pub(crate) fn line(class: F, effect: Effect) -> Verdict {
    let repeatable = matches!(effect, Effect::Absolute | Effect::Read);
    let unknown = if repeatable { Fate::Resend } else { Fate::Doubt };
    let (fate, consequence) = match class {
        F::NotConnected => (Fate::Wait, C::Strain),
        F::TlsRejected => (Fate::PutBack, C::StopTls),
        F::NotWritten => (Fate::Retry, C::None),
        F::Lost | F::ServerError(_) | F::Unavailable | F::Truncated => (unknown, C::Strain),
        F::Conflict => (unknown, C::None),
        F::Throttled => (Fate::Wait, C::Throttle),
        F::Credentials => (Fate::PutBack, C::StopCredentials),
        F::SessionExpired => (Fate::Wait, C::Relogin),
        F::Redirect => (Fate::Doubt, C::Redirect),
        F::Unrecognised => (Fate::Doubt, C::Unlisted),
        F::Html => (unknown, C::Pause),
    };
    Verdict { fate, consequence }
}

/// What a status without a body that says anything comes to; `None` for a plain refusal.
pub(crate) const STATUSES: [(u16, Option<F>); 13] = [
    (301, Some(F::Redirect)),
    (401, Some(F::Credentials)),
    (403, Some(F::Credentials)),
    (404, None),
    (408, Some(F::ServerError(408))),
    (409, Some(F::Conflict)),
    (425, Some(F::Throttled)),
    (429, Some(F::Throttled)),
    (500, Some(F::ServerError(500))),
    (502, Some(F::ServerError(502))),
    (503, Some(F::Unavailable)),
    (504, Some(F::ServerError(504))),
    (507, Some(F::ServerError(507))),
];
