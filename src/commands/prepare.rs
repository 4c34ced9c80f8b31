//! From a job to a plan: every row is checked and counted, nothing is sent.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::book::Book;
use super::context::Context;
use super::failure::Failure;
use super::key;
use crate::cli::{Exit, Expected};
use crate::config::{Config, Format, InputPlace, Job, Verify};
use crate::input::{self, BadRows, InputError, InputSpec, Kept, PlannedInput};
use crate::model::ids::AccountName;
use crate::model::money::Money;
use crate::model::operation::Effect;
use crate::model::plan::{Group, Plan};
use crate::report::faults;

/// Where something may be kept for a later start.
pub(super) struct Keep {
    folder: PathBuf,
    /// False for a plan, which leaves nothing behind.
    lasting: bool,
}

impl Keep {
    /// Beside the journal.
    pub(super) fn beside(journal: &Path) -> Self {
        Self { folder: journal.with_file_name("inputs"), lasting: true }
    }

    /// In a folder that goes when the plan is made.
    pub(super) fn passing(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), lasting: false }
    }

    fn key(&self) -> Result<[u8; 32], Failure> {
        let journal = self.folder.parent().unwrap_or(Path::new("."));
        let key = if self.lasting { key::kept(journal) } else { key::passing() };
        key.map_err(|error| Failure::internal(format!("cannot make a key for the digest: {error}")))
    }
}

/// A job that was planned.
pub(super) struct Prepared {
    pub(super) job: Job,
    /// The settings with the job's limits in their layer.
    pub(super) config: Config,
    pub(super) input: Rc<PlannedInput>,
    pub(super) plan: Plan,
    /// The file that holds the rows: a copy where they came from the standard input.
    pub(super) path: PathBuf,
}

impl Prepared {
    /// The accounts that the plan uses, each with the operations that it is needed for.
    pub(super) fn wanted(&self) -> Vec<(String, Vec<&'static str>)> {
        let mut wanted: Vec<(String, Vec<&'static str>)> = Vec::new();
        for group in &self.plan.groups {
            let name = group.account.as_str();
            match wanted.iter_mut().find(|(known, _)| known == name) {
                Some((_, operations)) => operations.push(group.operation.name),
                None => wanted.push((name.to_owned(), vec![group.operation.name])),
            }
        }
        wanted
    }
}

/// Checks and counts every row of a job. Rows from the standard input are kept in `keep` first.
pub(super) fn prepare(context: &Context, job: Job, keep: &Keep) -> Result<Prepared, Failure> {
    let config = context.config.for_job(&job);
    let (path, shown, kept) = match &job.input {
        InputPlace::File { path, shown } => (path.clone(), shown.clone(), None),
        InputPlace::Standard => {
            let spooled = keep_standard_input(&keep.folder)?;
            (spooled.path.clone(), "standard input".to_owned(), Some(spooled))
        }
    };
    let spec = spec(&job, &path, &shown)?;
    let planned = plan_keyed(spec, &config, keep)?;
    if let (Some(spooled), Err(_)) = (&kept, &planned) {
        spooled.discard().map_err(|error| Failure::internal(format!("cannot remove `{}`: {error}", path.display())))?;
    }
    let planned = planned.map_err(|error| refusal(context, error, &job))?;
    if let Some(spooled) = kept.filter(|_| planned.holds_secrets()) {
        spooled.discard().map_err(|error| Failure::internal(format!("cannot remove `{}`: {error}", path.display())))?;
        return Err(Failure::new(
            Exit::Usage,
            "rows with card data are not taken from the standard input, which has to be kept",
        )
        .hint("name a file"));
    }
    let plan = plan_of(&job, &config, &planned)?;
    Ok(Prepared { job, config, input: Rc::new(planned), plan, path })
}

/// The plan of a job as it was kept with its run, if the input is still what it was made from. No row is looked at.
pub(super) fn recall(context: &Context, job: &Job, keep: &Keep, kept: &Kept) -> Result<Option<Prepared>, Failure> {
    let InputPlace::File { path, shown } = &job.input else { return Ok(None) };
    let config = context.config.for_job(job);
    let digest_key = if kept.is_keyed() { Some(keep.key()?) } else { None };
    let spec = InputSpec { digest_key, ..spec(job, path, shown)? };
    let Some(planned) = input::recall(spec, Arc::new(Book::new(config.clone())), kept) else { return Ok(None) };
    let plan = plan_of(job, &config, &planned)?;
    Ok(Some(Prepared { job: job.clone(), config, input: Rc::new(planned), plan, path: path.clone() }))
}

fn keep_standard_input(folder: &Path) -> Result<input::Spooled, Failure> {
    let failed = |error: std::io::Error| {
        Failure::internal(format!("cannot keep the standard input in `{}`: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    input::spool(std::io::stdin().lock(), folder).map_err(failed)
}

/// Rows with card data need a digest that cannot be guessed back: its key is a secret of this machine.
fn plan_keyed(spec: InputSpec, config: &Config, keep: &Keep) -> Result<Result<PlannedInput, InputError>, Failure> {
    let directory: Arc<Book> = Arc::new(Book::new(config.clone()));
    match input::plan(spec.clone(), directory.clone()) {
        Err(InputError::KeyNeeded) => {
            let digest_key = Some(keep.key()?);
            Ok(input::plan(InputSpec { digest_key, ..spec }, directory))
        }
        planned => Ok(planned),
    }
}

fn spec(job: &Job, path: &Path, shown: &str) -> Result<InputSpec, Failure> {
    let encoding = match &job.encoding {
        None => None,
        Some(label) => Some(encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            Failure::new(Exit::Usage, format!("unknown encoding `{label}`"))
                .hint("for instance `utf-8`, `windows-1252`, `utf-16le`")
        })?),
    };
    Ok(InputSpec {
        shown: shown.to_owned(),
        format: job.format.map(|format| match format {
            Format::Csv => input::Format::Csv,
            Format::Jsonl => input::Format::JsonLines,
        }),
        delimiter: job.delimiter,
        encoding,
        operation: job.operation,
        account: job.account.as_deref().map(AccountName::new),
        columns: job.columns.clone(),
        defaults: job.defaults.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        skip_invalid: job.skip_invalid,
        ..InputSpec::new(path)
    })
}

/// Bad rows get a screen of their own; everything else is a message.
fn refusal(context: &Context, error: InputError, job: &Job) -> Failure {
    match error {
        InputError::BadRows(bad) => {
            let skip = context.next(&format!("{} --skip-invalid", super::run::typed(context, job)));
            bad_rows(context, &bad, (bad.bad < bad.rows).then_some(skip.as_str()))
        }
        other => Failure::from(other),
    }
}

fn bad_rows(context: &Context, bad: &BadRows, skip: Option<&str>) -> Failure {
    let lines: Vec<faults::FaultLine> = bad
        .faults
        .iter()
        .map(|fault| faults::FaultLine {
            row: fault.row.0,
            line: fault.line,
            column: fault.column,
            name: fault.name.clone(),
            value: fault.value.clone(),
            expected: fault.expected.clone(),
            hint: fault.hint.clone(),
        })
        .collect();
    let view = faults::Faults { input: &bad.input, rows: bad.rows, bad_rows: bad.bad, faults: &lines, skip };
    Failure::new(Exit::Usage, format!("{} of {} rows cannot be sent; nothing was sent", bad.bad, bad.rows))
        .screen(faults::text(&view, &context.style), faults::to_json(&view))
}

fn plan_of(job: &Job, config: &Config, input: &PlannedInput) -> Result<Plan, Failure> {
    let census = input.census();
    let mut groups = Vec::with_capacity(census.groups.len());
    for group in &census.groups {
        let account = config.account(group.account.as_str())?;
        let baselines = job.verify == Verify::Auto
            && group.operation.effect == Effect::Additive
            && group.operation.verified_by.is_some();
        groups.push(Group {
            operation: group.operation,
            account: group.account.clone(),
            url: account.urls.first().map(|(_, url)| url.clone()).unwrap_or_default(),
            rate: account.profile.limits.rate,
            rows: group.rows,
            quantity: group.quantity,
            extra_calls: if baselines { reads(group.rows, account.provider.page_size(group.operation)) } else { 0 },
            most_extra_calls: if baselines { group.rows } else { 0 },
        });
    }
    Ok(Plan {
        job: job.name.clone(),
        input: input.spec().shown.clone(),
        digest: input.plan_digest(&[]),
        rows: census.rows,
        skipped: census.skipped.bad,
        groups,
        amounts: census.amounts.clone(),
        repeated: census.repeated.clone(),
        first: census.first.clone(),
    })
}

/// About how many reads bring the baselines of so many rows: one each, or a list's page for many. How many of a page's
/// subjects are in the input depends on the account; one in ten is a cautious guess.
fn reads(rows: u64, page: Option<u32>) -> u64 {
    page.map_or(rows, |page| rows.div_ceil(u64::from(page / 10).max(1)))
}

/// Compares the plan with what was expected of it.
pub(super) fn check_expected(plan: &Plan, expected: &Expected) -> Result<(), Failure> {
    let mut different = Vec::new();
    if let Some(rows) = expected.rows.filter(|rows| *rows != plan.rows) {
        different.push(format!("{rows} rows were expected, the plan has {}", plan.rows));
    }
    for Money { amount, currency } in &expected.totals {
        let planned = plan.amounts.iter().find(|(known, _)| known == currency).map(|(_, sum)| *sum).unwrap_or_default();
        if planned != *amount {
            different.push(format!("{currency} {amount} was expected, the plan has {currency} {planned}"));
        }
    }
    if different.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotApproved,
        format!("the plan is not what was expected: {}; nothing was sent", different.join("; ")),
    )
    .hint("look at it with `subops plan`, then correct the input or what is expected"))
}
