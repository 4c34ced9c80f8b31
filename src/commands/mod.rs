//! One file a command: settings in, wiring, engine call, summary out.
//!
//! This is where rooms are put together, and the only room that knows them all. It must not decide about a row: that is
//! the engine's. Invariant: whatever ends with another code than 0 names the next command to type.

mod accounts;
mod book;
mod check;
mod conclude;
mod context;
mod decisions;
mod doubt;
mod execute;
mod failure;
mod key;
mod operations;
mod plan;
mod prepare;
mod report;
mod results;
mod resume;
mod run;
mod runs;
mod sandbox;
mod settings;
mod status;

pub use context::Context;
pub use failure::Failure;

use crate::cli::{Command, Exit, Invocation};

/// Does what was asked. The exit says how it ended; a failure is still to be shown.
pub fn dispatch(invocation: Invocation) -> Result<Exit, (Failure, bool)> {
    let json = invocation.output.json;
    let Invocation { command, overrides, rehearsal, output } = invocation;
    if let Command::Print(text) = command {
        return context::to_stdout(&text).map(|()| Exit::Success).map_err(|failure| (failure, json));
    }
    let context = Context::new(overrides, rehearsal, output).map_err(|failure| (failure, json))?;
    perform(&context, command).map_err(|failure| (failure, json))
}

fn perform(context: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Plan { job, expected } => plan::run(context, &job, &expected),
        Command::Run { job, expected, dry_run: true, .. } => plan::run(context, &job, &expected),
        Command::Run { job, expected, dry_run: false, yes, again } => {
            run::run(context, &run::Request { job, expected, yes, again })
        }
        Command::Resume { run } => resume::run(context, run),
        Command::Status { run } => status::run(context, run),
        Command::Runs => runs::run(context),
        Command::DoubtList { run } => doubt::list(context, run),
        Command::DoubtVerify { run } => resume::verify(context, run),
        Command::DoubtSettle { run, decision, reason } => doubt::settle(context, run, &decision, &reason),
        Command::Report { run, format } => report::run(context, run, format),
        Command::Operations { name, template } => operations::run(context, name.as_deref(), template),
        Command::Check => check::run(context),
        Command::Sandbox(settings) => sandbox::run(context, settings),
        Command::Print(text) => context::to_stdout(&text).map(|()| Exit::Success),
    }
}
