//! What one call came to: a documented answer, or a failure with what it proves.
//!
//! The adapters classify, by the documented words and the class of the reply; what is then done about it is decided by
//! the engine alone.

use std::time::Duration;

/// What an adapter makes of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The provider said, in documented words, that it was done.
    Applied(Answer),
    /// The provider said, in documented words, that the wanted state was there before.
    Already(Answer),
    /// The provider said no, in documented words or with another 4xx.
    Refused(Answer),
    /// None of these.
    Failed(Failure),
}

/// A documented answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// A short, stable word for counting: the documented reply word, or `http_404`.
    pub code: String,
    /// What the provider said, for a person; without secrets.
    pub message: String,
    /// The provider's own reference for what was done (a transaction, a subscription), if it gave one.
    pub reference: Option<String>,
    /// What an operation returned, by the names in [`super::operation::OperationSpec::returns`].
    pub data: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer whose code and message are the same word.
    pub fn word(word: &str) -> Self {
        Self { code: word.to_owned(), message: word.to_owned(), ..Self::default() }
    }
}

/// A call that brought no documented answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened, and so what it proves.
    pub class: FailureClass,
    /// In words for a person; without URLs and secrets.
    pub message: String,
    /// How long the provider asked to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure of this class.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), retry_after: None }
    }
}

/// The classes of failure, in the order of the design's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureClass {
    /// Connection refused, name not resolved, connect timeout, TLS handshake cut.
    NotConnected,
    /// TLS certificate, host name or version.
    TlsRejected,
    /// The connection stood, but it is proven that not one byte of the request left.
    NotWritten,
    /// Reset, end of stream or timeout once the request may have left.
    Lost,
    /// 408, 500, 502, 504, other 5xx.
    ServerError(u16),
    /// 503, where the provider's table does not say that it sheds before work.
    Unavailable,
    /// 409.
    Conflict,
    /// 425, 429, a documented throttle word, or a 503 that is documented to shed before work.
    Throttled,
    /// 401, 403, 407, bad-login words.
    Credentials,
    /// A documented "session expired".
    SessionExpired,
    /// 3xx; never followed.
    Redirect,
    /// A success that was cut short.
    Truncated,
    /// A success with an unknown word, that does not parse, or about another id.
    Unrecognised,
    /// A success that is a page: maintenance, login.
    Html,
}

impl FailureClass {
    /// One of each class, for exhaustive tables.
    pub const ALL: [FailureClass; 14] = [
        FailureClass::NotConnected,
        FailureClass::TlsRejected,
        FailureClass::NotWritten,
        FailureClass::Lost,
        FailureClass::ServerError(500),
        FailureClass::Unavailable,
        FailureClass::Conflict,
        FailureClass::Throttled,
        FailureClass::Credentials,
        FailureClass::SessionExpired,
        FailureClass::Redirect,
        FailureClass::Truncated,
        FailureClass::Unrecognised,
        FailureClass::Html,
    ];

    /// True where the failure itself is the proof that the call had no effect.
    pub fn proves_not_applied(self) -> bool {
        use FailureClass as F;
        match self {
            F::NotConnected | F::TlsRejected | F::NotWritten | F::Throttled | F::Credentials | F::SessionExpired => {
                true
            }
            F::Lost
            | F::ServerError(_)
            | F::Unavailable
            | F::Conflict
            | F::Redirect
            | F::Truncated
            | F::Unrecognised
            | F::Html => false,
        }
    }

    /// A short, stable word for results and counting.
    pub fn code(self) -> &'static str {
        use FailureClass as F;
        match self {
            F::NotConnected => "not_connected",
            F::TlsRejected => "tls_rejected",
            F::NotWritten => "not_written",
            F::Lost => "no_reply",
            F::ServerError(_) => "server_error",
            F::Unavailable => "unavailable",
            F::Conflict => "conflict",
            F::Throttled => "throttled",
            F::Credentials => "credentials",
            F::SessionExpired => "session_expired",
            F::Redirect => "redirect",
            F::Truncated => "cut_short",
            F::Unrecognised => "unrecognised",
            F::Html => "html_page",
        }
    }
}
