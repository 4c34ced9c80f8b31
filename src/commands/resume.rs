//! `subops resume [RUN]` and `subops doubt verify RUN`: continue a run from what the journal keeps of it.

use super::accounts;
use super::context::{Context, to_stdout};
use super::execute::{self, Start, runtime};
use super::failure::Failure;
use super::prepare::{Keep, prepare, recall};
use super::run::lock;
use super::settings::Stored;
use crate::cli::Exit;
use crate::journal::{RunRecord, RunState, Store};
use crate::model::ids::RunId;

/// Continues an interrupted or halted run; the last unfinished one where none is named.
pub(super) fn run(context: &Context, run: Option<RunId>) -> Result<Exit, Failure> {
    let (context, _sandbox) = context.staged()?;
    let store = context.existing_store()?;
    let record = match run {
        Some(run) => store.run(run)?,
        None => match unfinished(&store)? {
            Some(record) => record,
            None => return nothing_unfinished(&context),
        },
    };
    if record.state == RunState::Finished {
        return super::run::nothing_left(&context, &store, &record);
    }
    proceed(&context, store, record, "resume", false)
}

fn nothing_unfinished(context: &Context) -> Result<Exit, Failure> {
    const MESSAGE: &str = "every run of the journal is finished: nothing is left to do";
    if context.output.json {
        let object = serde_json::json!({"run": null, "message": MESSAGE, "exit_code": Exit::Success.code()});
        to_stdout(&object.to_string())?;
    } else {
        context.say(&format!("{MESSAGE}\n"))?;
    }
    Ok(Exit::Success)
}

/// Reads at the provider what came of the rows in doubt. Sends no row.
pub(super) fn verify(context: &Context, run: RunId) -> Result<Exit, Failure> {
    let (context, _sandbox) = context.staged()?;
    let store = context.existing_store()?;
    let record = store.run(run)?;
    proceed(&context, store, record, "doubt verify", true)
}

fn unfinished(store: &Store) -> Result<Option<RunRecord>, Failure> {
    let runs = store.runs()?;
    Ok(runs.into_iter().filter(|record| record.state != RunState::Finished).max_by_key(|record| record.run))
}

fn proceed(
    context: &Context,
    store: Store,
    record: RunRecord,
    command: &str,
    verify_only: bool,
) -> Result<Exit, Failure> {
    let journal = context.journal_path()?;
    let lock = lock(&journal, &record.digest, &record.job, command)?;
    // Another process may have worked on it between the look and the lock.
    let record = store.run(record.run)?;
    let overrides = context.config.overrides();
    let stored = Stored::parse(&record.settings)?;
    // Another version may check rows otherwise, so it looks at each of them again.
    let kept = stored.plan().filter(|_| record.program_version == env!("CARGO_PKG_VERSION")).cloned();
    let job = stored.job(overrides.guard, overrides.results.clone())?;
    let keep = Keep::beside(&journal);
    let recalled = kept.map_or(Ok(None), |kept| recall(context, &job, &keep, &kept));
    let prepared = recalled
        .and_then(|recalled| recalled.map_or_else(|| prepare(context, job, &keep), Ok))
        .map_err(|failure| Failure { exit: Exit::NotApproved, ..failure })?;
    if prepared.plan.digest != record.digest {
        return Err(Failure::new(
            Exit::NotApproved,
            format!("`{}` is not what run {} was planned from; nothing was sent", prepared.plan.input, record.run),
        )
        .hint("put the old input back (the run's rows are known by their lines), then resume"));
    }
    let accounts = accounts::open(context, &prepared.config, &prepared.wanted())?;
    let runtime = runtime()?;
    runtime.block_on(accounts::preflight(context, &accounts))?;
    execute::start(Start { context, prepared, record, store, accounts, runtime, lock, verify_only })
}
