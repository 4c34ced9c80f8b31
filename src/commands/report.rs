//! `subops report RUN`: writes the result files again, or all rows as one table.

use super::context::Context;
use super::failure::Failure;
use super::prepare::{Keep, prepare};
use super::run::lock;
use super::settings::Stored;
use super::{results, status};
use crate::cli::{Exit, ReportFormat};
use crate::model::ids::RunId;
use crate::report::results::ResultsError;

pub(super) fn run(context: &Context, run: RunId, format: Option<ReportFormat>) -> Result<Exit, Failure> {
    if let Some(format @ (ReportFormat::Html | ReportFormat::Xlsx)) = format {
        let name = if matches!(format, ReportFormat::Html) { "html" } else { "xlsx" };
        return Err(Failure::new(Exit::Usage, format!("the format `{name}` cannot be written yet"))
            .hint("the result files are CSV, which every spreadsheet opens"));
    }
    let store = context.existing_store()?;
    let record = store.run(run)?;
    let _lock = lock(store.path(), &record.digest, &record.job, "report")?;
    let overrides = context.config.overrides();
    let job = Stored::parse(&record.settings)?.job(overrides.guard, overrides.results.clone())?;
    let prepared = prepare(context, job, &Keep::beside(store.path()))?;
    if prepared.plan.digest != record.digest {
        return Err(Failure::new(
            Exit::NotApproved,
            format!(
                "`{}` is not what run {run} was planned from, so its results cannot be joined to it",
                prepared.plan.input
            ),
        )
        .hint("put the old input back"));
    }
    let folder = results::folder(&prepared.job.results, &record.job, record.started, run);
    let failed = |error: ResultsError| Failure::internal(error);
    let staged = results::stage(&prepared.input, &store, run, &folder).map_err(failed)?;
    let mut summary = status::summary(context, &store, &record)?;
    summary.results = Some(folder.display().to_string());
    staged.publish(&summary).map_err(failed)?;
    store.save_summary(run, &crate::report::summary::to_json(&summary))?;
    context.print(|| format!("{}\n", folder.display()), || crate::report::summary::to_json(&summary))?;
    Ok(Exit::Success)
}
