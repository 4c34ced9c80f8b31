//! Why a command could not do what was asked: in words, with a hint, and with the exit code that scripts act on.

use crate::cli::Exit;
use crate::config::ConfigError;
use crate::input::InputError;
use crate::journal::{LockError, OpenError, StoreError};

/// A command that ended early. Nothing of it is secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How the program ends.
    pub exit: Exit,
    /// A screen of its own, as text and as JSON, in place of message and hint.
    pub screen: Option<(String, String)>,
}

impl Failure {
    /// A failure with this exit.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit, screen: None }
    }

    /// The same with a hint.
    #[must_use]
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The same with a screen of its own.
    #[must_use]
    pub(super) fn screen(self, text: String, json: String) -> Self {
        Self { screen: Some((text, json)), ..self }
    }

    /// From a message whose last line may begin with `hint: `.
    pub(super) fn told(exit: Exit, text: &str) -> Self {
        match text.split_once("\nhint: ") {
            Some((message, hint)) => Self::new(exit, message).hint(hint),
            None => Self::new(exit, text),
        }
    }

    /// A fault of the program or of what it runs on.
    pub(super) fn internal(message: impl std::fmt::Display) -> Self {
        Self::told(Exit::Internal, &message.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self { message: error.to_string(), hint: error.hint, exit: Exit::Usage, screen: None }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::told(Exit::Usage, &error.to_string())
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::told(Exit::Internal, &error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::NoSuchRun(_) | StoreError::NotInDoubt { .. } => Exit::Usage,
            StoreError::Unfinished { .. } => Exit::NotApproved,
            _ => Exit::Internal,
        };
        Self::told(exit, &error.to_string())
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match &error {
            LockError::Held { .. } => Self::new(Exit::Locked, error.to_string())
                .hint("wait for it, or stop it with SIGTERM; nothing was sent here"),
            LockError::Storage { .. } => Self::told(Exit::Internal, &error.to_string()),
        }
    }
}
