//! What was asked for, in the program's own types: nothing here knows how it was typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::Format;
use crate::config::layers::Overrides;
use crate::model::ids::{RowNumber, RunId};
use crate::model::money::Money;

/// One call of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// What to do.
    pub command: Command,
    /// What flags and environment say over the files.
    pub overrides: Overrides,
    /// Whether the built-in providers stand in for the real ones, with their own journal.
    pub rehearsal: bool,
    /// How to talk.
    pub output: Output,
}

/// How to talk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Output {
    /// One JSON object on standard output.
    pub json: bool,
    /// Nothing but errors on standard error.
    pub quiet: bool,
    /// How to show that it goes on.
    pub progress: Progress,
    /// No colour, whatever standard error is.
    pub no_color: bool,
    /// How much to log: 0 warnings, 1 what happens, 2 details, 3 everything.
    pub verbosity: u8,
}

/// How to show that it goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// A bar on a terminal, else lines.
    #[default]
    Auto,
    /// A line that redraws.
    Bar,
    /// A line every 10 seconds, and at each change.
    Plain,
    /// Nothing.
    None,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Check a job and send nothing.
    Plan {
        /// The job.
        job: String,
        /// What it must come to.
        expected: Expected,
    },
    /// Execute a job.
    Run {
        /// The job.
        job: String,
        /// What it must come to.
        expected: Expected,
        /// Stop after the plan.
        dry_run: bool,
        /// Do not ask.
        yes: bool,
        /// Why a finished run is to be repeated.
        again: Option<String>,
    },
    /// Continue a run; the last unfinished one where none is named.
    Resume {
        /// Which.
        run: Option<RunId>,
    },
    /// Tell where a run stands; the last one where none is named.
    Status {
        /// Which.
        run: Option<RunId>,
    },
    /// List the runs.
    Runs,
    /// Show the rows in doubt.
    DoubtList {
        /// Of which run.
        run: RunId,
    },
    /// Read at the provider what came of the rows in doubt.
    DoubtVerify {
        /// Of which run.
        run: RunId,
    },
    /// Record a person's decision.
    DoubtSettle {
        /// Of which run.
        run: RunId,
        /// What was decided.
        decision: Decision,
        /// Why.
        reason: String,
    },
    /// Write the results of a run.
    Report {
        /// Which.
        run: RunId,
        /// As what; the usual files where it is none.
        format: Option<ReportFormat>,
    },
    /// Show the catalogue.
    Operations {
        /// One operation, in full.
        name: Option<String>,
        /// An example input for it.
        template: Option<Format>,
    },
    /// Check configuration and credentials.
    Check,
    /// Serve the local providers.
    Sandbox(SandboxSettings),
    /// Print this on standard output: completions or a manual page.
    Print(String),
}

/// What a plan must come to, or nothing is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// So many rows.
    pub rows: Option<u64>,
    /// So much money, at most one amount a currency.
    pub totals: Vec<Money>,
}

/// What a person decided about rows in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The same for some rows.
    Rows {
        /// Which.
        rows: RowSet,
        /// Whether they were applied.
        applied: bool,
    },
    /// A CSV file with a column `decision`.
    File(PathBuf),
}

/// Some rows. Ranges are in order, apart from each other, and none is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSet(Vec<(u64, u64)>);

impl RowSet {
    /// Joins ranges, first and last row each.
    pub(super) fn new(mut ranges: Vec<(u64, u64)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u64, u64)> = Vec::new();
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    /// Whether the row is among them.
    pub fn contains(&self, row: RowNumber) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&row.0))
    }

    /// First and last row of each range.
    pub fn ranges(&self) -> impl Iterator<Item = (RowNumber, RowNumber)> {
        self.0.iter().map(|(first, last)| (RowNumber(*first), RowNumber(*last)))
    }
}

/// As what results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page for a browser.
    Html,
    /// A workbook.
    Xlsx,
    /// One CSV file with all rows.
    Csv,
    /// One JSON object a row.
    Jsonl,
}

/// How the local providers behave. Faults, latency and rate are text: the sandbox knows what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// What goes wrong.
    pub faults: Option<String>,
    /// How long replies take.
    pub latency: Option<String>,
    /// How many calls are taken before they are throttled.
    pub rate: Option<String>,
    /// The file that records every effect.
    pub ledger: Option<PathBuf>,
    /// What chance starts from.
    pub seed: Option<u64>,
}
