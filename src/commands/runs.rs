//! `subops runs`: the list of runs.

use super::context::Context;
use super::failure::Failure;
use super::status::summary;
use crate::cli::Exit;
use crate::report;
use crate::report::runs::RunLine;

pub(super) fn run(context: &Context) -> Result<Exit, Failure> {
    let store = context.existing_store()?;
    let mut lines = Vec::new();
    for record in store.runs()? {
        let summary = summary(context, &store, &record)?;
        let (run, started) = (record.run.0, record.started);
        lines.push(RunLine { run, job: summary.job, state: summary.state, started, rows: summary.rows });
    }
    context.print(|| report::runs::text(&lines, &context.style), || report::runs::to_json(&lines))?;
    Ok(Exit::Success)
}
