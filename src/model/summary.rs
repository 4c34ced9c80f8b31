//! What a run came to: `summary.json`, `--json` of `run`, `resume` and `status`, and the text at the end.

use serde::{Deserialize, Serialize};

/// A run in numbers. The field names are a fixed format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The run's number.
    pub run: i64,
    /// The job's name.
    pub job: String,
    /// `running`, `interrupted`, `halted` or `finished`.
    pub state: String,
    /// The exit code that this outcome has.
    pub exit_code: u8,
    /// The plan's digest.
    pub digest: String,
    /// Rows by state.
    pub rows: RowCounts,
    /// Money by currency code.
    pub amounts: std::collections::BTreeMap<String, Amounts>,
    /// Calls sent, reads included.
    pub calls: u64,
    /// Calls that repeated an earlier one.
    pub retries: u64,
    /// The rate.
    pub rate: RateFigures,
    /// The latency of calls.
    pub latency_ms: Latency,
    /// When the run started, in UTC (RFC 3339).
    pub started: String,
    /// When it ended; null while it runs.
    pub finished: Option<String>,
    /// The folder of the result files; null before they are written.
    pub results: Option<String>,
    /// The guard that halted it, as a short word.
    pub halted_by: Option<String>,
    /// The exact next command to type; null where there is nothing to do.
    pub next: Option<String>,
}

/// Rows by state. The seven add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// All rows.
    pub total: u64,
    /// Done, in documented words.
    pub applied: u64,
    /// The wanted state was there before.
    pub already: u64,
    /// The provider said no.
    pub refused: u64,
    /// Proven not applied, and attempts are used up.
    pub failed: u64,
    /// Cannot be known from here.
    pub in_doubt: u64,
    /// Behind a row in doubt.
    pub held: u64,
    /// Not sent.
    pub not_sent: u64,
}

/// Money of one currency, as exact decimal text. Every row's amount is in `total` and in one of the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Of all rows.
    pub total: String,
    /// Of rows applied.
    pub applied: String,
    /// Of rows whose wanted state was there before.
    pub already: String,
    /// Of rows refused.
    pub refused: String,
    /// Of rows failed.
    pub failed: String,
    /// Of rows in doubt.
    pub in_doubt: String,
    /// Of rows held.
    pub held: String,
    /// Of rows not sent.
    pub not_sent: String,
}

/// The configured rate, and what was achieved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateFigures {
    /// The configured limit (`10/s`), of all accounts together where there are several.
    pub limit: String,
    /// Calls a second while the run was sending.
    pub achieved: f64,
}

/// Percentiles of the latency, in whole milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the calls were faster.
    pub p50: u64,
    /// 95 of 100 were.
    pub p95: u64,
    /// 99 of 100 were.
    pub p99: u64,
}
