//! Errors as a person or a script reads them.

use super::exit::Exit;
use crate::config::ConfigError;

/// Why nothing is done, or what is shown instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// `--help` or `--version` was asked for: this text, on standard output.
    Answer(String),
    /// The command line is wrong.
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// The help, where no command was typed at all.
        help: Option<String>,
        /// Whether the answer is to be JSON.
        json: bool,
    },
}

impl CliError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Answer(_) => Exit::Success,
            Self::Usage { .. } => Exit::Usage,
        }
    }

    /// What is written where.
    pub fn render(&self) -> Rendered {
        match self {
            Self::Answer(text) => Rendered { stdout: text.clone(), stderr: String::new() },
            Self::Usage { help: Some(help), json: false, .. } => {
                Rendered { stdout: String::new(), stderr: help.clone() }
            }
            Self::Usage { message, hint, json, .. } => render_error(message, hint.as_deref(), Exit::Usage, *json),
        }
    }
}

/// What is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    /// To standard output.
    pub stdout: String,
    /// To standard error.
    pub stderr: String,
}

/// An error as every command shows it: two lines on standard error, or one object on standard output with `--json`.
pub fn render_error(message: &str, hint: Option<&str>, exit: Exit, json: bool) -> Rendered {
    if json {
        let object = serde_json::json!({
            "error": {"message": message, "hint": hint, "exit_code": exit.code()}
        });
        return Rendered { stdout: format!("{object}\n"), stderr: String::new() };
    }
    let hint = hint.map_or(String::new(), |hint| format!("hint: {hint}\n"));
    Rendered { stdout: String::new(), stderr: format!("error: {message}\n{hint}") }
}

/// A configuration's error as every command shows it.
pub fn render_config_error(fault: &ConfigError, json: bool) -> Rendered {
    render_error(&fault.to_string(), fault.hint.as_deref(), Exit::Usage, json)
}

/// Takes the parser's error apart: its help texts are answers, everything else is a wrong command line.
pub(super) fn from_clap(fault: &clap::Error, json: bool) -> CliError {
    use clap::error::ErrorKind;
    let text = fault.render().to_string();
    match fault.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return CliError::Answer(text),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let hint = Some("`subops --help` lists the commands".to_owned());
            return CliError::Usage { message: "a command is missing".to_owned(), hint, help: Some(text), json };
        }
        _ => {}
    }
    let (first, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message: Vec<&str> = first.trim_start_matches("error: ").lines().map(str::trim).collect();
    let find = |start: &str| rest.lines().map(str::trim).find_map(|line| Some(line.strip_prefix(start)?.trim()));
    let hint = find("tip:").map(str::to_owned).or_else(|| find("Usage:").map(|usage| format!("usage: {usage}")));
    let in_backticks = |text: String| text.replace('\'', "`");
    let message = in_backticks(message.join(" "));
    CliError::Usage { message, hint: hint.map(in_backticks), help: None, json }
}
