//! What a run tells those who watch it. Watching never changes what a run does.

use std::time::Duration;

use super::ids::{AccountName, RowNumber};
use super::money::Money;
use super::settings::Rate;
use super::state::State;

/// Something that happened in a run, told after it became true (and, for rows, durable).
#[derive(Debug, Clone, PartialEq)]
pub enum RunEvent {
    /// A call left; it is now in flight.
    CallStarted,
    /// A call ended, with or without an answer.
    CallEnded {
        /// From the first byte to the end of the reply.
        latency: Duration,
    },
    /// A row is in another state, durably.
    RowMoved {
        /// Which row.
        row: RowNumber,
        /// The state it left.
        from: State,
        /// The state it is in.
        to: State,
        /// The money it is about.
        amount: Option<Money>,
        /// A short word for the reason: the reply word, or the class of a failure.
        code: String,
        /// The reason for a person.
        message: String,
    },
    /// A row is to be called again.
    Retry {
        /// Which row.
        row: RowNumber,
        /// The attempt that comes next, counted from 1.
        attempt: u32,
        /// How long it waits first.
        after: Duration,
        /// Why the last attempt did not do.
        reason: String,
    },
    /// The conditions of an account changed.
    Weather {
        /// Which account.
        account: AccountName,
        /// What they are now.
        weather: Weather,
    },
}

/// What holds an account's rows back, if anything.
#[derive(Debug, Clone, PartialEq)]
pub enum Weather {
    /// Nothing.
    Clear,
    /// The provider asked to wait.
    Paused {
        /// How long from now.
        wait: Duration,
    },
    /// The provider cannot be reached or used; reads probe it.
    Down {
        /// Why.
        reason: String,
        /// Probes so far.
        probes: u32,
        /// The next probe is so far away.
        next: Duration,
    },
    /// The rate was lowered (or raised again) to this.
    Rate {
        /// What holds now.
        now: Rate,
        /// What is configured.
        limit: Rate,
    },
    /// The run is stopping: calls in flight may finish.
    Draining,
    /// Rows in doubt wait until they may be verified.
    Verifying {
        /// How many.
        rows: u64,
        /// The longest wait.
        wait: Duration,
    },
}

/// Why a run was stopped by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// Too many rows were refused or failed.
    Failures {
        /// Refused and failed rows.
        failures: u64,
        /// The configured limit, as written.
        limit: String,
    },
    /// Too many rows are in doubt.
    InDoubt {
        /// Rows that became doubtful since this start.
        doubts: u64,
        /// The configured limit.
        limit: u64,
    },
    /// Replies came that the documentation does not list.
    Unrecognised {
        /// What the last one said.
        message: String,
    },
    /// The provider was down for too long.
    Outage {
        /// Which account.
        account: AccountName,
        /// What the last probe said.
        message: String,
    },
    /// The provider sent us elsewhere.
    Redirect {
        /// Which account.
        account: AccountName,
    },
    /// The server's identity could not be proven.
    Tls {
        /// Which account.
        account: AccountName,
        /// What is wrong with it.
        message: String,
    },
    /// More calls had to be repeated than the budget allows.
    Retries {
        /// Calls repeated.
        retries: u64,
        /// Calls in all.
        calls: u64,
    },
    /// The provider rejected the credentials.
    Credentials {
        /// Which account.
        account: AccountName,
        /// What it said.
        message: String,
    },
    /// The input is not what was planned.
    InputChanged {
        /// What is different.
        message: String,
    },
    /// The journal cannot be written or read.
    Journal {
        /// What it said.
        message: String,
    },
    /// A rule of the program itself was broken.
    Invariant {
        /// Which one, and how.
        message: String,
    },
}

impl Halt {
    /// A short, stable word for `halted_by`.
    pub fn code(&self) -> &'static str {
        match self {
            Halt::Failures { .. } => "max_failures",
            Halt::InDoubt { .. } => "max_in_doubt",
            Halt::Unrecognised { .. } => "unrecognised_replies",
            Halt::Outage { .. } => "outage",
            Halt::Redirect { .. } => "redirect",
            Halt::Tls { .. } => "tls",
            Halt::Retries { .. } => "retry_budget",
            Halt::Credentials { .. } => "credentials",
            Halt::InputChanged { .. } => "input_changed",
            Halt::Journal { .. } => "journal",
            Halt::Invariant { .. } => "invariant",
        }
    }

    /// The reason in one sentence.
    pub fn describe(&self) -> String {
        match self {
            Halt::Failures { failures, limit } => {
                format!("{failures} rows were refused or failed, more than `--max-failures {limit}` allows")
            }
            Halt::InDoubt { doubts, limit } => {
                format!("{doubts} rows became doubtful, more than `--max-in-doubt {limit}` allows")
            }
            Halt::Unrecognised { message } => {
                format!("the provider answers in words that its documentation does not list: {message}")
            }
            Halt::Outage { account, message } => format!("the provider of account {account} stays down: {message}"),
            Halt::Redirect { account } => {
                format!("the provider of account {account} answered with a redirect, which is never followed")
            }
            Halt::Tls { account, message } => {
                format!("the server of account {account} could not prove its identity: {message}")
            }
            Halt::Retries { retries, calls } => {
                format!("{retries} of {calls} calls had to be repeated, more than a quarter")
            }
            Halt::Credentials { account, message } => {
                format!("the provider rejected the credentials of account {account}: {message}")
            }
            Halt::InputChanged { message } => format!("the input changed while the run was reading it: {message}"),
            Halt::Journal { message } => format!("the journal cannot be used: {message}"),
            Halt::Invariant { message } => format!("a rule of the program itself was broken: {message}"),
        }
    }
}
