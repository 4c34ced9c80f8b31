//! What the process was started in: its variables and its folder. The one place of this room that asks the system for
//! them, so that everything else can be tested with made-up ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// Variables and the current folder. Its `Debug` names variables and shows no value.
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<OsString, OsString>,
    folder: PathBuf,
}

impl Environment {
    /// Those of this process.
    pub fn of_process() -> Result<Self, ConfigError> {
        let folder = std::env::current_dir()
            .map_err(|fault| ConfigError::new(format!("the current folder cannot be used: {fault}")))?;
        Ok(Self { variables: std::env::vars_os().collect(), folder })
    }

    /// Made-up ones.
    pub fn new<N, V>(folder: &Path, variables: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, folder: folder.to_owned() }
    }

    /// The same folder with these variables alone: what a sandbox gave. None of the real ones is left.
    #[must_use]
    pub fn only<'a>(&self, variables: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::new(&self.folder, variables)
    }

    /// The variable as text; none where it is not set, empty or no text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name)?.to_str().filter(|text| !text.is_empty())
    }

    /// The variable as it is; none where it is not set.
    pub(crate) fn raw(&self, name: &str) -> Option<&OsString> {
        self.variables.get(std::ffi::OsStr::new(name))
    }

    /// The variable as text; none where it is not set or empty.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, ConfigError> {
        match self.raw(name) {
            None => Ok(None),
            Some(value) => match value.to_str() {
                Some(text) => Ok(Some(text).filter(|text| !text.is_empty())),
                None => Err(ConfigError::new(format!("the environment variable `{name}` is not UTF-8"))),
            },
        }
    }

    /// `path`, from the current folder if it is relative.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    /// The file below the user's folder for `kind`; none where the user has no home.
    pub(crate) fn user_file(&self, kind: UserFolder, file: &str) -> Option<PathBuf> {
        let (variable, below_home) = match kind {
            UserFolder::Config => ("XDG_CONFIG_HOME", ".config"),
            UserFolder::State => ("XDG_STATE_HOME", ".local/state"),
        };
        // The XDG specification says that a relative path is to be ignored.
        let named = self.raw(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || self.raw("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = named.or_else(|| Some(home()?.join(below_home)))?;
        Some(folder.join("subops").join(file))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).field("folder", &self.folder).finish()
    }
}

/// A folder of the user by purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserFolder {
    /// What a person writes.
    Config,
    /// What must outlive a run.
    State,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test stops at the first surprise")]
    use super::*;

    fn journal(variables: &[(&str, &str)]) -> Option<String> {
        let environment = Environment::new(Path::new("/work"), variables.iter().copied());
        let path = environment.user_file(UserFolder::State, "journal.db")?;
        Some(path.to_str().expect("text").to_owned())
    }

    #[test]
    fn the_users_folders_follow_the_xdg_specification() {
        let home = ("HOME", "/home/ada");
        assert_eq!(journal(&[home]).as_deref(), Some("/home/ada/.local/state/subops/journal.db"));
        assert_eq!(journal(&[home, ("XDG_STATE_HOME", "/s")]).as_deref(), Some("/s/subops/journal.db"));
        for ignored in ["", "relative/state"] {
            let with = journal(&[home, ("XDG_STATE_HOME", ignored)]);
            assert_eq!(with.as_deref(), Some("/home/ada/.local/state/subops/journal.db"));
        }
        assert_eq!(journal(&[]), None);
    }

    #[test]
    fn values_are_never_shown() {
        let environment = Environment::new(Path::new("/"), [("SEGPAY_ACCESS_KEY", "canary-7f3a")]);
        let shown = format!("{environment:?}");
        assert!(shown.contains("SEGPAY_ACCESS_KEY") && !shown.contains("canary"), "{shown}");
    }
}
