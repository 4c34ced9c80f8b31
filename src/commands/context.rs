//! What every command stands on: settings, where the journal is, how to talk, and the sandbox of a rehearsal.

use std::io::{self, Write};
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use crate::cli::{Exit, Output, Progress as Shown};
use crate::config::layers::Overrides;
use crate::config::{Config, Environment};
use crate::contract::{Clock, Millis};
use crate::journal::{RunRecord, Store};
use crate::model::ids::RunId;
use crate::providers::REGISTRY;
use crate::report::live::Screen;
use crate::report::style::Style;
use crate::report::watch::Progress;
use crate::sandbox::{self, Sandbox, SandboxOptions};

use super::failure::Failure;

/// The settings of one call of the program.
pub struct Context {
    pub(super) config: Config,
    pub(super) environment: Environment,
    pub(super) output: Output,
    pub(super) style: Style,
    pub(super) screen: Screen,
    /// Flags that name the journal, to be repeated in the next command.
    flags: String,
    rehearsal: bool,
}

/// The wall clock.
pub(super) struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Millis {
        jiff::Timestamp::now().as_millisecond()
    }
}

impl Context {
    /// Reads the configuration. Nothing is opened and nobody is called.
    pub fn new(overrides: Overrides, rehearsal: bool, output: Output) -> Result<Self, Failure> {
        let environment = Environment::of_process()?;
        let mut config = Config::load(REGISTRY, &environment, &overrides)?;
        let mut flags = String::new();
        if let Some(journal) = &overrides.journal {
            flags.push_str(&format!(" --journal {}", quoted(&journal.display().to_string())));
        }
        if let Some(file) = &overrides.config {
            flags.push_str(&format!(" --config {}", quoted(&file.display().to_string())));
        }
        if rehearsal {
            flags.push_str(" --sandbox");
            config = config.with_rehearsal_journal();
        }
        let screen = Screen::default();
        listen(&output, &screen);
        let colour = !output.no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let style = Style {
            colour: colour && Screen::is_attended(),
            zone: jiff::tz::TimeZone::system(),
            ..Style::plain(Screen::width())
        };
        Ok(Self { config, environment, output, style, screen, flags, rehearsal })
    }

    /// The next command to type: `subops`, the words, and the flags that lead to the same journal.
    pub(super) fn next(&self, words: &str) -> String {
        format!("subops {words}{}", self.flags)
    }

    /// The flags that lead to the same journal, each with a space before it.
    pub(super) fn flags(&self) -> &str {
        &self.flags
    }

    /// True where the built-in providers stand in for the real ones.
    pub(super) fn is_rehearsal(&self) -> bool {
        self.rehearsal
    }

    /// Starts the sandbox of a rehearsal and returns the context in which its URLs and credentials hold; without
    /// `--sandbox`, this context. The sandbox lives as long as what is returned beside it.
    pub(super) fn staged(&self) -> Result<(Context, Option<Sandbox>), Failure> {
        if !self.rehearsal {
            return Ok((self.shared(), None));
        }
        let sandbox = sandbox::start(rehearsal_options()?).map_err(Failure::internal)?;
        let pairs = sandbox.environment().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let environment = self.environment.only(pairs);
        let config = self.config.rehearsing(&environment)?;
        Ok((Context { config, environment, ..self.shared() }, Some(sandbox)))
    }

    fn shared(&self) -> Context {
        Context {
            config: self.config.clone(),
            environment: self.environment.clone(),
            output: self.output,
            style: self.style.clone(),
            screen: self.screen.clone(),
            flags: self.flags.clone(),
            rehearsal: self.rehearsal,
        }
    }

    /// The journal's file.
    pub(super) fn journal_path(&self) -> Result<PathBuf, Failure> {
        Ok(self.config.journal()?)
    }

    /// The journal, made where it is missing.
    pub(super) fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.journal_path()?)?)
    }

    /// The journal, which must be there.
    pub(super) fn existing_store(&self) -> Result<Store, Failure> {
        let path = self.journal_path()?;
        Store::open_existing(&path)?.ok_or_else(|| {
            Failure::new(Exit::Usage, format!("there is no journal at `{}`: nothing has run yet", path.display()))
                .hint("start a run with `subops run JOB`, or name its journal with `--journal FILE`")
        })
    }

    /// The run of this number; the latest where none is named.
    pub(super) fn run_or_latest(&self, store: &Store, run: Option<RunId>) -> Result<RunRecord, Failure> {
        match run {
            Some(run) => Ok(store.run(run)?),
            None => store.latest_run()?.ok_or_else(|| {
                Failure::new(Exit::Usage, "the journal has no run yet").hint("start one with `subops run JOB`")
            }),
        }
    }

    /// How progress is to be shown.
    pub(super) fn progress(&self) -> Progress {
        let wanted = match self.output.progress {
            Shown::Auto => Progress::Auto,
            Shown::Bar => Progress::Bar,
            Shown::Plain => Progress::Plain,
            Shown::None => Progress::None,
        };
        wanted.choose(self.output.quiet, Screen::is_attended())
    }

    /// Says something to the person, unless asked to be quiet.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        if self.output.quiet {
            return Ok(());
        }
        self.say_always(text)
    }

    /// Says something that must be heard.
    pub(super) fn say_always(&self, text: &str) -> Result<(), Failure> {
        let mut screen = self.screen.clone();
        screen.write_all(text.as_bytes()).and_then(|()| screen.flush()).map_err(Failure::internal)
    }

    /// Prints data: the text for a person, or the JSON where that was asked for.
    pub(super) fn print(&self, text: impl FnOnce() -> String, json: impl FnOnce() -> String) -> Result<(), Failure> {
        to_stdout(&if self.output.json { json() } else { text() })
    }
}

/// A rehearsal is to look like the real thing, so its providers take their time.
fn rehearsal_options() -> Result<SandboxOptions, Failure> {
    let latency = "20ms..80ms".parse().map_err(Failure::internal)?;
    Ok(SandboxOptions { latency, ..SandboxOptions::default() })
}

/// Lets the log be heard above the bar. Other libraries are heard only where they warn.
fn listen(output: &Output, screen: &Screen) {
    let level = match output.verbosity {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("warn,subops={level}"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(screen.clone()).with_target(false);
    // A second start within one process keeps the first one's log.
    if log.with_ansi(false).try_init().is_err() {
        tracing::debug!("the log is set up already");
    }
}

/// Writes data to the standard output. A reader that has gone away (`| head`) is no fault.
pub(super) fn to_stdout(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::internal(error)),
        _ => Ok(()),
    }
}

/// A word for a shell: in quotes where it needs them.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted("jobs/a-b_c.csv"), "jobs/a-b_c.csv");
        assert_eq!(quoted("my file.csv"), "'my file.csv'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
