//! `subops run JOB`: plan, then execute; an unfinished run of the same plan is continued, a finished one is not repeated.

use std::io::{BufRead, IsTerminal, Write};

use super::accounts;
use super::context::{Context, WallClock, quoted};
use super::execute::{self, Start, runtime};
use super::failure::Failure;
use super::key;
use super::prepare::{Keep, Prepared, check_expected, prepare};
use super::settings::Stored;
use crate::cli::{Exit, Expected};
use crate::config::{InputPlace, Job};
use crate::contract::Clock;
use crate::journal::{self, Holder, NewRun, RunLock, RunRecord, RunState, Store};
use crate::model::operation::Effect;
use crate::model::state::State;
use crate::providers::REGISTRY;
use crate::report;

/// What was asked for.
pub(super) struct Request {
    pub(super) job: String,
    pub(super) expected: Expected,
    pub(super) yes: bool,
    pub(super) again: Option<String>,
}

/// The words after `subops` that run this job again.
pub(super) fn words(job: &Job) -> String {
    let mut words = format!("run {}", quoted(&job.argument));
    if !job.argument.ends_with(".toml") {
        if let Some(operation) = job.operation {
            words.push_str(&format!(" --operation {}", operation.name));
        }
        if let Some(account) = &job.account {
            words.push_str(&format!(" --account {}", quoted(account)));
        }
    }
    words
}

/// The same with everything that was typed about what is read, and how: without it other rows would be read, or none.
pub(super) fn typed(context: &Context, job: &Job) -> String {
    let overrides = context.config.overrides();
    let mut words = words(job);
    let mut add = |flag: &str, value: &str| words.push_str(&format!(" {flag} {}", quoted(value)));
    if job.argument.ends_with(".toml") {
        for (flag, value) in [("--operation", &overrides.operation), ("--account", &overrides.account)] {
            if let Some(value) = value {
                add(flag, value);
            }
        }
    }
    if let Some(input) = &overrides.input {
        add("--input", &input.display().to_string());
    }
    if let Some(encoding) = &overrides.encoding {
        add("--encoding", encoding);
    }
    match overrides.delimiter {
        Some(b'\t') => add("--delimiter", "tab"),
        Some(delimiter) => add("--delimiter", &char::from(delimiter).to_string()),
        None => {}
    }
    if overrides.skip_invalid {
        words.push_str(" --skip-invalid");
    }
    words
}

/// What names a job across changes of its input: its file, absolute.
fn job_path(context: &Context, job: &Job) -> String {
    match (&job.input, job.argument.ends_with(".toml")) {
        (InputPlace::File { path, .. }, false) => path.display().to_string(),
        _ => context.environment.absolute(std::path::Path::new(&job.argument)).display().to_string(),
    }
}

/// What is to be done about a plan.
enum Decision {
    /// Make a run of it.
    New,
    /// Go on with this one.
    Continue(Box<RunRecord>),
    /// It is done.
    Done(Box<RunRecord>),
}

pub(super) fn run(context: &Context, request: &Request) -> Result<Exit, Failure> {
    let (context, _sandbox) = context.staged()?;
    let context = &context;
    let job = Job::load(&request.job, &context.config, REGISTRY, &context.environment)?;
    let journal = context.journal_path()?;
    let prepared = prepare(context, job, &Keep::beside(&journal))?;
    check_expected(&prepared.plan, &request.expected)?;
    let store = context.store()?;
    let lock = lock(&journal, &prepared.plan.digest, &prepared.job.name, "run")?;
    let decision = decide(context, &store, &prepared, request)?;
    if let Decision::Done(record) = decision {
        return nothing_left(context, &store, &record);
    }
    approve(context, &prepared, request)?;
    let accounts = accounts::open(context, &prepared.config, &prepared.wanted())?;
    let runtime = runtime()?;
    runtime.block_on(accounts::preflight(context, &accounts))?;
    let record = match decision {
        Decision::Continue(record) => *record,
        Decision::New | Decision::Done(_) => create(context, &store, &prepared, request)?,
    };
    execute::start(Start { context, prepared, record, store, accounts, runtime, lock, verify_only: false })
}

/// Takes the plan for this process.
pub(super) fn lock(journal: &std::path::Path, digest: &str, job: &str, command: &str) -> Result<RunLock, Failure> {
    let holder = Holder {
        pid: std::process::id(),
        started: WallClock.now(),
        job: job.to_owned(),
        command: format!("subops {command}"),
    };
    Ok(journal::lock(journal, digest, &holder)?)
}

fn decide(context: &Context, store: &Store, prepared: &Prepared, request: &Request) -> Result<Decision, Failure> {
    let known = store.find_by_digest(&prepared.plan.digest)?;
    if let Some(record) = known.iter().find(|record| record.state != RunState::Finished) {
        if request.again.is_some() {
            return Err(Failure::new(
                Exit::NotApproved,
                format!("run {} of the same plan is not finished", record.run),
            )
            .hint(format!("finish it first: {}", context.next(&format!("resume {}", record.run)))));
        }
        return Ok(Decision::Continue(Box::new(record.clone())));
    }
    if request.again.is_some() || context.is_rehearsal() {
        return Ok(Decision::New);
    }
    if let Some(record) = known.first() {
        return Ok(Decision::Done(Box::new(record.clone())));
    }
    let unfinished = store.find_unfinished_by_job(&job_path(context, &prepared.job))?;
    match unfinished.first() {
        None => Ok(Decision::New),
        Some(record) => Err(changed(context, record, &prepared.job)),
    }
}

/// The same job has an unfinished run of other rows: some of them may be in both.
fn changed(context: &Context, record: &RunRecord, job: &Job) -> Failure {
    Failure::new(
        Exit::NotApproved,
        format!(
            "the input of `{}` changed, and run {} of what it was is not finished; nothing was sent",
            job.name, record.run
        ),
    )
    .hint(format!(
        "put the old input back and finish it: {}\n      or leave it for good and run the new one: {}",
        context.next(&format!("resume {}", record.run)),
        context.next(&format!("{} --again 'REASON'", typed(context, job))),
    ))
}

fn create(context: &Context, store: &Store, prepared: &Prepared, request: &Request) -> Result<RunRecord, Failure> {
    let Prepared { job, plan, path, .. } = prepared;
    let limits = prepared.config.job_limits(job);
    let mark = key::mark().map_err(|error| Failure::internal(format!("cannot make a mark for the run: {error}")))?;
    let again_reason = request.again.clone().or_else(|| context.is_rehearsal().then(|| "rehearsal".to_owned()));
    let stored = Stored::of(job, path, &plan.input, context.environment.absolute(&job.results), &limits)
        .marked(mark)
        .planned(prepared.input.kept());
    let run = store.create_run(&NewRun {
        job: job.name.clone(),
        job_path: job_path(context, job),
        digest: plan.digest.clone(),
        input_path: path.display().to_string(),
        settings: stored.to_json()?,
        started: WallClock.now(),
        again_reason,
        total_rows: plan.rows,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
    })?;
    Ok(store.run(run)?)
}

/// The plan was finished before. Nothing is sent; a doubt that still waits is said again.
pub(super) fn nothing_left(context: &Context, store: &Store, record: &RunRecord) -> Result<Exit, Failure> {
    let totals = store.totals(record.run)?;
    let doubts = totals.count(State::InDoubt);
    let exit = if doubts > 0 { Exit::InDoubt } else { Exit::Success };
    let summary = super::status::summary(context, store, record)?;
    let summary = crate::model::summary::Summary { exit_code: exit.code(), ..summary };
    if context.output.json {
        super::context::to_stdout(&report::summary::to_json(&summary))?;
    } else {
        let run = record.run;
        context.say(&format!("run {run} of this plan is finished: nothing is left to do, and nothing was sent\n\n"))?;
        context.say(&report::ending::status(&summary, record.started, &context.style))?;
        context.say("\n  To repeat it all the same, give a reason:  --again 'REASON'\n")?;
    }
    Ok(exit)
}

/// Where a person sits in front of real money or something that adds up, they are shown the plan and asked. A start
/// without a terminal was approved by whoever wrote it; it can say what it expects with `--expect-rows`.
fn approve(context: &Context, prepared: &Prepared, request: &Request) -> Result<(), Failure> {
    let matters =
        |group: &crate::model::plan::Group| group.operation.moves_money || group.operation.effect == Effect::Additive;
    let attended = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let asks = prepared.plan.groups.iter().any(matters) && !request.yes && !context.is_rehearsal();
    if !asks || !attended || context.output.json {
        return Ok(());
    }
    let command = context.next(&typed(context, &prepared.job));
    context.say_always(&report::plan::outline(&prepared.plan, &context.style))?;
    context.say_always("\nSend it now? Type yes: ")?;
    std::io::stderr().flush().map_err(Failure::internal)?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).map_err(Failure::internal)?;
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(Failure::new(Exit::NotApproved, "not approved; nothing was sent")
        .hint(format!("to send it without asking: {command} --yes")))
}
