//! Four ways to be wrong about money, on purpose: the crash suite must notice each of them, or it proves nothing.
//!
//! Never shipped: this file and every place that names it are compiled with the feature `negative-controls` alone, which
//! only the crash suite's build of the program has. `SUBOPS_CONTROL` then says which mistake to make.

use std::sync::LazyLock;

/// A mistake, by its word in `SUBOPS_CONTROL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// `synchronous-normal`: the journal answers before what it wrote is on disk.
    SynchronousNormal,
    /// `resend-lost`: a call whose reply was lost is sent again, whatever a repeat does.
    ResendLost,
    /// `follow-redirects`: the reply of wherever a redirect leads is taken for the provider's.
    FollowRedirects,
    /// `intent-after-call`: the intent is written down once the reply is there.
    IntentAfterCall,
}

static CHOSEN: LazyLock<Option<Mistake>> = LazyLock::new(|| match std::env::var("SUBOPS_CONTROL").ok()?.as_str() {
    "synchronous-normal" => Some(Mistake::SynchronousNormal),
    "resend-lost" => Some(Mistake::ResendLost),
    "follow-redirects" => Some(Mistake::FollowRedirects),
    "intent-after-call" => Some(Mistake::IntentAfterCall),
    _ => None,
});

impl Mistake {
    /// Whether this is the mistake to make.
    pub(crate) fn is_made(self) -> bool {
        *CHOSEN == Some(self)
    }
}
