//! Where credentials come from, and fetching them.
//!
//! Must not show a value: not in an error, not in `Debug`, not by quoting what a program printed. A value is fetched
//! only when an account is about to be opened, and lives in a [`SecretString`] from then on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use zeroize::Zeroizing;

use super::document::Entry;
use super::environment::Environment;
use super::error::ConfigError;

/// The longest that a program may take to print a credential.
const COMMAND_TIME: Duration = Duration::from_secs(10);

/// The longest credential that is taken.
const MOST_BYTES: usize = 64 * 1024;

/// Where a credential comes from. Its `Debug` leaves out a command's arguments.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Variable(String),
    /// A file, without the line break at its end.
    File(PathBuf),
    /// A program and its arguments: the first line that it prints.
    Command(Vec<String>),
}

impl Source {
    /// Reads `{ env = … }`, `{ file = … }` or `{ command = […] }`; `absolute` says what a path is relative to.
    pub(crate) fn read(entry: &Entry<'_>, absolute: impl Fn(&str) -> PathBuf) -> Result<Self, ConfigError> {
        let path = entry.path();
        if !matches!(entry.value(), toml::de::DeValue::Table(_)) {
            let refused = format!("{path} is written in the file: a credential is never a literal");
            return Err(entry.error(refused).hint(format!(
                "name where it comes from: {} = {{ env = \"…\" }}, {{ file = \"…\" }} or {{ command = [\"…\"] }}",
                entry.key
            )));
        }
        let section = entry.table()?;
        section.only(&["env", "file", "command"])?;
        let entries = section.entries();
        let [only] = entries.as_slice() else {
            return Err(entry.error(format!("{path}: expected one of `env`, `file` and `command`")));
        };
        match only.key {
            "env" => {
                let name = only.text()?;
                // Whoever writes the secret itself here must not find it in our message.
                let wrong = || only.error(format!("{}: expected the name of an environment variable", only.path()));
                is_variable_name(name).then(|| Self::Variable(name.to_owned())).ok_or_else(wrong)
            }
            "file" => Ok(Self::File(absolute(only.text()?))),
            _ => {
                let words: Vec<String> = only.texts()?.into_iter().map(str::to_owned).collect();
                let empty = || only.error(format!("{}: expected a program and its arguments", only.path()));
                if words.first().is_none_or(String::is_empty) { Err(empty()) } else { Ok(Self::Command(words)) }
            }
        }
    }

    /// Fetches the value; the second part is a warning for a person.
    pub(crate) fn fetch(&self, environment: &Environment) -> Result<(SecretString, Option<String>), Missing> {
        match self {
            Self::Variable(name) => fetch_variable(name, environment).map(|value| (value, None)),
            Self::File(path) => fetch_file(path),
            Self::Command(words) => fetch_command(words, COMMAND_TIME).map(|value| (value, None)),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable `{name}`"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Command(words) => write!(f, "the command `{}`", words.first().map_or("", String::as_str)),
        }
    }
}

/// Why a credential could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Missing {
    /// There is nothing: the variable is not set.
    Absent(String),
    /// There is something, and it cannot be used.
    Unusable(String),
}

impl Missing {
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Absent(message) | Self::Unusable(message) => message,
        }
    }
}

fn is_variable_name(name: &str) -> bool {
    let starts_well = name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_');
    starts_well && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn fetch_variable(name: &str, environment: &Environment) -> Result<SecretString, Missing> {
    let source = Source::Variable(name.to_owned());
    let value = environment.raw(name).ok_or_else(|| Missing::Absent(format!("{source} is not set")))?;
    usable(value.as_encoded_bytes(), &source)
}

fn fetch_file(path: &Path) -> Result<(SecretString, Option<String>), Missing> {
    let source = Source::File(path.to_owned());
    let unreadable = |fault: std::io::Error| Missing::Unusable(format!("{source} cannot be read: {fault}"));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().map_err(unreadable)?);
    let mut bytes = Zeroizing::new(Vec::with_capacity(1024));
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 1;
    std::io::Read::read_to_end(&mut std::io::Read::take(file, most), &mut bytes).map_err(unreadable)?;
    let warning = (mode & 0o077 != 0).then(|| {
        format!("{source} holds a credential and other users may read it (mode {:04o}); chmod 600 it", mode & 0o7777)
    });
    Ok((usable(without_line_break(&bytes), &source)?, warning))
}

/// Runs the program apart from everything else that this process does. It reads nothing from us, and what it says on
/// its standard error is dropped, for it may quote the secret.
fn fetch_command(words: &[String], time: Duration) -> Result<SecretString, Missing> {
    let source = Source::Command(words.to_owned());
    let unusable = |what: String| Missing::Unusable(format!("{source} {what}"));
    // On a thread of its own, since a caller may already be inside a runtime.
    let printed = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                match tokio::time::timeout(time, first_line(words)).await {
                    Ok(result) => result.map(Some),
                    Err(_) => Ok(None),
                }
            })
        });
        running.join().unwrap_or_else(|_| Err(std::io::Error::other("the thread that waits for it failed")))
    });
    match printed {
        Err(fault) => Err(unusable(format!("cannot be run: {fault}"))),
        Ok(None) => Err(unusable(format!("took longer than {} s and was ended", time.as_secs_f32()))),
        Ok(Some((_, status))) if !status.success() => Err(unusable(format!("failed ({status})"))),
        Ok(Some((line, _))) => usable(without_line_break(&line), &source),
    }
}

/// The first line that a program prints, and how it ended. A dropped future ends the program.
async fn first_line(words: &[String]) -> std::io::Result<(Zeroizing<Vec<u8>>, std::process::ExitStatus)> {
    let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    if let Some(output) = child.stdout.take() {
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) + 1;
        let mut output = BufReader::new(output);
        (&mut output).take(most).read_until(b'\n', &mut line).await?;
        // The rest is read away, or the program would fail on a pipe that nobody reads.
        tokio::io::copy(&mut output, &mut tokio::io::sink()).await?;
    }
    Ok((line, child.wait().await?))
}

fn without_line_break(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// A credential goes into headers and URLs: no control characters, not empty, text.
fn usable(bytes: &[u8], source: &Source) -> Result<SecretString, Missing> {
    let unusable = |what: &str| Missing::Unusable(format!("{source} {what}"));
    let text = std::str::from_utf8(bytes).map_err(|_| unusable("gives something that is not UTF-8"))?;
    match text {
        "" if matches!(source, Source::Command(_)) => Err(unusable("gives nothing")),
        "" => Err(unusable("is empty")),
        _ if bytes.len() > MOST_BYTES => Err(unusable("gives more than 64 KiB")),
        _ if text.chars().any(char::is_control) => Err(unusable("has a line break or another control character in it")),
        text => Ok(SecretString::from(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test stops at the first surprise")]
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    const CANARY: &str = "canary-7f3a";

    fn fetched(source: &Source, environment: &Environment) -> Result<String, Missing> {
        source.fetch(environment).map(|(value, _)| value.expose_secret().to_owned())
    }

    fn empty() -> Environment {
        Environment::new(Path::new("/"), [] as [(&str, &str); 0])
    }

    fn command(script: &str) -> Result<String, String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        fetch_command(&words, Duration::from_secs(10))
            .map(|value| value.expose_secret().to_owned())
            .map_err(|missing| missing.message().to_owned())
    }

    #[test]
    fn a_variable_is_taken_as_it_is() {
        let environment = Environment::new(Path::new("/"), [("KEY", "a b\"ü"), ("EMPTY", ""), ("TWO", "a\nb")]);
        let get = |name: &str| fetched(&Source::Variable(name.to_owned()), &environment);
        assert_eq!(get("KEY").as_deref(), Ok("a b\"ü"));
        assert_eq!(get("GONE"), Err(Missing::Absent("the environment variable `GONE` is not set".to_owned())));
        assert_eq!(get("EMPTY"), Err(Missing::Unusable("the environment variable `EMPTY` is empty".to_owned())));
        assert!(matches!(get("TWO"), Err(Missing::Unusable(message)) if message.contains("line break")));
    }

    #[test]
    fn a_file_loses_its_line_break_and_warns_when_others_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        let source = Source::File(path.clone());
        for (content, expected) in [("k", "k"), ("k\n", "k"), ("k\r\n", "k"), (" k ", " k ")] {
            std::fs::write(&path, content).expect("written");
            assert_eq!(fetched(&source, &empty()).as_deref(), Ok(expected), "{content:?}");
        }
        for (mode, warns) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("chmod");
            let (_, warning) = source.fetch(&empty()).expect("readable");
            assert_eq!(warning.is_some(), warns, "{mode:o} {warning:?}");
        }
        for content in ["", "\n", "canary-7f3a\nmore\n"] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("chmod");
            std::fs::write(&path, content).expect("written");
            let missing = fetched(&source, &empty()).expect_err("unusable");
            assert!(missing.message().contains("key") && !missing.message().contains(CANARY), "{missing:?}");
        }
        let gone = Source::File(folder.path().join("gone"));
        assert!(matches!(fetched(&gone, &empty()), Err(Missing::Unusable(message)) if message.contains("gone")));
    }

    #[test]
    fn a_command_gives_its_first_line() {
        assert_eq!(command("echo key; echo more").as_deref(), Ok("key"));
        assert_eq!(command("printf key").as_deref(), Ok("key"));
        assert_eq!(command("yes more | head -c 300000").as_deref(), Ok("more"));
        assert_eq!(command("cat"), Err("the command `sh` gives nothing".to_owned()));
    }

    #[test]
    fn a_command_that_fails_shows_its_status_alone() {
        let failed = command(&format!("echo {CANARY}; echo {CANARY} >&2; exit 3"));
        assert_eq!(failed, Err("the command `sh` failed (exit status: 3)".to_owned()));
        let gone = fetch_command(&["/nonexistent/tool".to_owned()], COMMAND_TIME).expect_err("no such program");
        assert!(gone.message().starts_with("the command `/nonexistent/tool` cannot be run"), "{gone:?}");
        let words = ["sh", "-c", "exec sleep 60"].map(str::to_owned);
        let late = fetch_command(&words, Duration::from_millis(50)).expect_err("too slow");
        assert!(late.message().contains("took longer than"), "{late:?}");
    }

    #[tokio::test]
    async fn a_command_can_be_run_inside_a_runtime() {
        assert_eq!(command("echo key").as_deref(), Ok("key"));
    }

    #[test]
    fn debug_and_display_leave_out_arguments() {
        let source = Source::Command(vec!["vault".to_owned(), CANARY.to_owned()]);
        assert_eq!(format!("{source} {source:?}"), "the command `vault` the command `vault`");
    }
}
