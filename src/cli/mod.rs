//! The command line: what may be typed, what it means, and how the program ends. The one place that names clap.
//!
//! Arguments are typed twice: `typed` is what clap reads, [`Invocation`] is what it means. Must not read a file, open
//! a journal or do what is asked: that is the commands' part.

mod error;
mod exit;
mod help;
mod invocation;
mod meaning;
mod pages;
mod typed;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches};

pub use error::{CliError, Rendered, render_config_error, render_error};
pub use exit::Exit;
pub use invocation::{
    Command, Decision, Expected, Invocation, Output, Progress, ReportFormat, RowSet, SandboxSettings,
};
use typed::Typed;

/// Reads a command line, the program's own name first, and the `SUBOPS_…` variables for what it leaves out.
pub fn parse_from<I, T>(arguments: I) -> Result<Invocation, CliError>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString>,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let wants_json = asks_for_json(&arguments);
    let parsed = Typed::command()
        .try_get_matches_from(&arguments)
        .and_then(|matches| Typed::from_arg_matches(&matches).map(|typed| (typed, matches)));
    let (typed, matches) = parsed.map_err(|fault| error::from_clap(&fault, wants_json))?;
    let json = typed.global.json;
    let usage = |wrong: meaning::Wrong| CliError::Usage { message: wrong.message, hint: wrong.hint, help: None, json };
    meaning::of(typed, &matches).map_err(usage)
}

/// Whether JSON is wanted, also where the rest of the line cannot be read.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let truthy = |value: OsString| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "n" | "no" | "f" | "false" | "off")
    };
    let typed = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    typed || std::env::var_os("SUBOPS_JSON").is_some_and(truthy)
}
