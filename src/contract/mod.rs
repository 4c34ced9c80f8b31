//! The traits where rooms meet. Each method says what is true after it returned.
//!
//! The engine knows providers, the journal and the observers only through these.

mod input;
mod journal;
mod provider;

use std::future::Future;
use std::pin::Pin;

pub use input::{Done, Input, InputFault, Rows};
pub use journal::{Change, Journal, JournalFault, Note, Recorded, Resume, Standing};
pub use provider::{
    Account, AccountSetup, CredentialSpec, Doubt, Finding, Listed, Observation, OptionSpec, Provider, RowFault,
    SetupError, UrlSpec,
};

use crate::model::event::RunEvent;

/// A future that stays on its thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// The clock on the wall; waiting is done on the runtime's own clock.
pub trait Clock {
    /// Now.
    fn now(&self) -> Millis;
}

/// Hears what happens, after it happened.
pub trait Observer {
    /// Takes one event. Must not block for long.
    fn notice(&self, event: &RunEvent);
}
