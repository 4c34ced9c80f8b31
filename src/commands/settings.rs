//! What a run needs to be continued, as the journal keeps it: the job after every layer was applied, without secrets.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::cli::Exit;
use crate::config::layers::{GuardLayer, LimitLayer};
use crate::config::{Format, InputPlace, Job, Values, Verify};
use crate::input::Kept;
use crate::model::settings::{MaxFailures, Rate};
use crate::providers::find_operation;

/// A job as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stored {
    name: String,
    argument: String,
    input: PathBuf,
    shown: String,
    format: Option<String>,
    delimiter: Option<u8>,
    encoding: Option<String>,
    operation: Option<String>,
    account: Option<String>,
    verify: bool,
    token: bool,
    /// What marks the run's calls in the provider's own reports.
    #[serde(default)]
    mark: Option<String>,
    columns: Vec<(String, String)>,
    defaults: Vec<(String, String)>,
    max_failures: String,
    max_in_doubt: u64,
    results: PathBuf,
    skip_invalid: bool,
    rate: Option<String>,
    concurrency: Option<usize>,
    timeout_ms: Option<u64>,
    connect_timeout_ms: Option<u64>,
    /// What the plan came to, so that a resume need not check every row again.
    #[serde(default)]
    plan: Option<Kept>,
}

impl Stored {
    /// The job, with its input at `input` (a copy, where it came from the standard input), its results below `results`
    /// (absolute: it may be continued from another folder) and the limits that hold.
    pub(super) fn of(job: &Job, input: &Path, shown: &str, results: PathBuf, limits: &LimitLayer) -> Self {
        Self {
            name: job.name.clone(),
            argument: job.argument.clone(),
            input: input.to_owned(),
            shown: shown.to_owned(),
            format: job.format.map(|format| format.as_str().to_owned()),
            delimiter: job.delimiter,
            encoding: job.encoding.clone(),
            operation: job.operation.map(|operation| operation.name.to_owned()),
            account: job.account.clone(),
            verify: job.verify == Verify::Auto,
            token: job.token,
            mark: None,
            columns: job.columns.clone(),
            defaults: job.defaults.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            max_failures: job.guard.max_failures.to_string(),
            max_in_doubt: job.guard.max_in_doubt,
            results,
            skip_invalid: job.skip_invalid,
            rate: limits.rate.map(|rate| rate.to_string()),
            concurrency: limits.concurrency,
            timeout_ms: limits.timeout.map(millis),
            connect_timeout_ms: limits.connect_timeout.map(millis),
            plan: None,
        }
    }

    /// The same with what the plan came to.
    pub(super) fn planned(self, plan: Kept) -> Self {
        Self { plan: Some(plan), ..self }
    }

    /// What the plan came to, where that was kept.
    pub(super) fn plan(&self) -> Option<&Kept> {
        self.plan.as_ref()
    }

    /// The job again. What flags say now about guards and results comes over what was kept.
    pub(super) fn job(self, guard: GuardLayer, results: Option<PathBuf>) -> Result<Job, Failure> {
        let lost =
            |what: &str| Failure::new(Exit::Internal, format!("the journal keeps a job that cannot be read: {what}"));
        let operation = match &self.operation {
            Some(name) => Some(find_operation(name).ok_or_else(|| lost(&format!("unknown operation `{name}`")))?),
            None => None,
        };
        let kept = GuardLayer {
            max_failures: Some(MaxFailures::parse(&self.max_failures).ok_or_else(|| lost("`max_failures`"))?),
            max_in_doubt: Some(self.max_in_doubt),
        };
        Ok(Job {
            name: self.name,
            argument: self.argument,
            input: InputPlace::File { path: self.input, shown: self.shown },
            format: self.format.as_deref().and_then(Format::parse),
            delimiter: self.delimiter,
            encoding: self.encoding,
            operation,
            account: self.account,
            verify: if self.verify { Verify::Auto } else { Verify::Off },
            token: self.token,
            columns: self.columns,
            defaults: Values::new(self.defaults),
            guard: guard.over(kept).resolve(),
            results: results.unwrap_or(self.results),
            skip_invalid: self.skip_invalid,
            limits: LimitLayer {
                rate: self.rate.as_deref().and_then(Rate::parse),
                concurrency: self.concurrency,
                timeout: self.timeout_ms.map(Duration::from_millis),
                connect_timeout: self.connect_timeout_ms.map(Duration::from_millis),
            },
        })
    }

    /// The same with the mark of a new run.
    pub(super) fn marked(self, mark: String) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// The run's mark; none where it was begun by a version that made none.
    pub(super) fn mark(self) -> Option<String> {
        self.mark
    }

    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| {
            Failure::new(Exit::Internal, format!("the journal keeps a job that cannot be read: {error}"))
        })
    }

    pub(super) fn to_json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(Failure::internal)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
