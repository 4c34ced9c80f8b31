//! `subops plan JOB`, and `subops run -n JOB`: check and count; send nothing, write nothing.

use super::context::Context;
use super::failure::Failure;
use super::prepare::{Keep, check_expected, prepare};
use super::run::typed;
use crate::cli::{Exit, Expected};
use crate::config::Job;
use crate::providers::REGISTRY;
use crate::report;

pub(super) fn run(context: &Context, job: &str, expected: &Expected) -> Result<Exit, Failure> {
    let job = Job::load(job, &context.config, REGISTRY, &context.environment)?;
    let folder = Scratch::new()?;
    let prepared = prepare(context, job, &Keep::passing(folder.path()))?;
    let command = context.next(&typed(context, &prepared.job));
    let text = || report::plan::text(&prepared.plan, &command, &context.style);
    context.print(text, || report::plan::to_json(&prepared.plan))?;
    check_expected(&prepared.plan, expected)?;
    Ok(Exit::Success)
}

/// A folder for what the standard input holds while it is planned. It goes with the plan.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("subops-plan-{}-{:016x}", std::process::id(), fastrand::u64(..)));
        Ok(Self(path))
    }

    fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.exists()
            && let Err(error) = std::fs::remove_dir_all(&self.0)
        {
            tracing::warn!("cannot remove `{}`: {error}", self.0.display());
        }
    }
}
