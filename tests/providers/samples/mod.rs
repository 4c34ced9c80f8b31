//! What providers are documented to reply, as data: one file a provider.

use subops::model::failure::FailureClass;
use subops::model::operation::OperationSpec;

mod paypro;
mod segpay;
mod twocheckout;

/// The samples of every provider. One that is in the registry and not here fails the suite.
pub(crate) static PROVIDERS: [ProviderSamples; 3] = [segpay::SAMPLES, paypro::SAMPLES, twocheckout::SAMPLES];

/// Puts into a reply what only the request tells.
pub(crate) type Fill = fn(template: &str, request: &str) -> String;

/// A reply. What stands in braces is filled in from the request.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// What a reply must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    Applied,
    Already,
    Refused,
    Failed(FailureClass),
}

/// One reply with a name for messages.
pub(crate) type Sample = (&'static str, Said, Comes);

/// The replies of one operation.
pub(crate) struct Samples {
    /// A documented success.
    pub(crate) success: Said,
    /// Each documented word.
    pub(crate) words: Vec<Sample>,
    /// What is documented and no word, and what is known to be neither a success nor a refusal.
    pub(crate) others: Vec<Sample>,
    /// A success that is about something else; none where no reply says what it is about.
    pub(crate) another: Option<Said>,
}

/// A way to talk to a provider.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// The account's settings for it.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// Part of the name of the operations that it is for; empty for all.
    pub(crate) only: &'static str,
    /// What a login is answered with, where there is one.
    pub(crate) login: Option<fn() -> Said>,
}

/// Everything that the suite needs to know about a provider.
pub(crate) struct ProviderSamples {
    pub(crate) provider: &'static str,
    /// Made up, and each with `canary` in it: nothing that is shown may have that word.
    pub(crate) credentials: &'static [(&'static str, &'static str)],
    pub(crate) forms: &'static [Form],
    pub(crate) samples: fn(&OperationSpec, form: &str) -> Option<Samples>,
    pub(crate) fill: Fill,
    /// Words about a session that was refused: `Credentials` where it is new, `SessionExpired` where it had been good.
    #[allow(dead_code, reason = "of use where sessions are tried")]
    pub(crate) session_words: &'static [&'static str],
}
