//! Settings: the configuration file, the environment, the job file and the flags, layered into what holds.
//!
//! Must not call anybody, and must not show or keep a secret: credentials are *sources* here until [`credentials`]
//! fetches them for accounts that are about to be opened. Nothing is guessed: a key, a name or a value that is not
//! known is an error that says where it stands. Flag > environment > job file > configuration file > default.

mod accounts;
mod document;
mod environment;
mod error;
mod job;
pub mod layers;
mod naming;
mod secrets;
mod url;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use accounts::{CredentialSource, Credentials, Opening, Registry, ResolvedAccount, credentials, url_variable};
use document::{Document, Section};
pub use environment::Environment;
use environment::UserFolder;
pub use error::{ConfigError, Place};
pub use job::{Format, InputPlace, Job, Values, Verify};
use layers::{GuardLayer, LimitLayer, Overrides};
pub use secrets::Source;

use crate::model::near::near;

/// The settings of this process: everything but the job.
#[derive(Debug, Clone)]
pub struct Config {
    /// The configuration file; none where none was found.
    pub path: Option<PathBuf>,
    /// The accounts: those of the file, and one for each provider that has none there.
    pub accounts: Vec<ResolvedAccount>,
    overrides: Overrides,
    journal: Option<PathBuf>,
    rehearsal: bool,
    results: Option<PathBuf>,
    limits: LimitLayer,
    guard: GuardLayer,
}

/// The file name of the journal of rehearsals; no real journal may have it.
const REHEARSAL_JOURNAL: &str = "sandbox.db";

impl Config {
    /// Finds and reads the configuration. No credential is looked at.
    pub fn load(registry: Registry<'_>, environment: &Environment, overrides: &Overrides) -> Result<Self, ConfigError> {
        let Some((path, text)) = find(environment, overrides)? else {
            return Self::read(None, registry, environment, overrides);
        };
        let document = Document { file: &path, text: &text };
        let table = document.parse()?;
        let top = Section::top(document, &table);
        Self::read(Some((&path, top)), registry, environment, overrides)
    }

    fn read(
        file: Option<(&Path, Section<'_>)>,
        registry: Registry<'_>,
        environment: &Environment,
        overrides: &Overrides,
    ) -> Result<Self, ConfigError> {
        let mut config = Self {
            path: file.as_ref().map(|(path, _)| (*path).to_owned()),
            accounts: Vec::new(),
            overrides: overrides.clone(),
            journal: environment.user_file(UserFolder::State, "journal.db"),
            rehearsal: false,
            results: None,
            limits: LimitLayer::default(),
            guard: GuardLayer::default(),
        };
        if let Some((path, top)) = file {
            config.take(path, &top, registry, environment)?;
        }
        if let Some(journal) = &overrides.journal {
            config.journal = Some(environment.absolute(journal));
        }
        for provider in registry {
            // A provider with an account of its own choice gets no second one, whose credentials nobody chose.
            if !config.accounts.iter().any(|account| account.profile.provider == provider.name()) {
                config.accounts.push(ResolvedAccount::usual(*provider, environment)?);
            }
        }
        config.apply_limits(LimitLayer::default());
        Ok(config)
    }

    fn take(
        &mut self,
        path: &Path,
        top: &Section<'_>,
        registry: Registry<'_>,
        environment: &Environment,
    ) -> Result<(), ConfigError> {
        top.only(&["accounts", "journal", "results", "limits", "guard"])?;
        let folder = environment.absolute(path.parent().unwrap_or(Path::new("")));
        if let Some(accounts) = top.table("accounts")? {
            for entry in accounts.entries() {
                self.accounts.push(ResolvedAccount::read(&entry, registry, environment, &folder)?);
            }
        }
        if let Some(journal) = top.text("journal")? {
            self.journal = Some(folder.join(journal));
        }
        if let Some(results) = top.table("results")? {
            results.only(&["dir"])?;
            self.results = results.text("dir")?.map(|dir| beside(path, dir));
        }
        if let Some(limits) = top.table("limits")? {
            limits.only(&LimitLayer::KEYS)?;
            self.limits = LimitLayer::read(&limits)?;
        }
        if let Some(guard) = top.table("guard")? {
            guard.only(&GuardLayer::KEYS)?;
            self.guard = GuardLayer::read(&guard)?;
        }
        Ok(())
    }

    /// The same settings with the limits of a job between the flags and the accounts.
    #[must_use]
    pub fn for_job(&self, job: &Job) -> Self {
        let mut config = self.clone();
        config.apply_limits(job.limits);
        config
    }

    /// The same settings for a rehearsal: URLs and credentials come from `environment` alone, which must hold what the
    /// sandbox gave and nothing else ([`Environment::only`]); credentials are then fetched from the same one. No URL
    /// leads away from this machine, and no real credential is looked at.
    pub fn rehearsing(&self, environment: &Environment) -> Result<Self, ConfigError> {
        let accounts = self.accounts.iter().map(|account| account.rehearsing(environment)).collect::<Result<_, _>>()?;
        Ok(Self { accounts, ..self.with_rehearsal_journal() })
    }

    /// The same settings, but with the journal of rehearsals: for commands that look at one and call nobody.
    #[must_use]
    pub fn with_rehearsal_journal(&self) -> Self {
        Self { rehearsal: true, ..self.clone() }
    }

    /// What flags and environment say over the files.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// The limits of a job with those of the flags over them: what a run is to be continued with.
    pub fn job_limits(&self, job: &Job) -> LimitLayer {
        self.overrides.limits.over(job.limits)
    }

    fn apply_limits(&mut self, job: LimitLayer) {
        for account in &mut self.accounts {
            let file = account.limits.over(self.limits);
            account.profile.limits = self.overrides.limits.over(job).over(file).resolve();
        }
    }

    /// The journal's file; in a rehearsal `sandbox.db` beside it.
    pub fn journal(&self) -> Result<PathBuf, ConfigError> {
        let journal = self.journal.clone().ok_or_else(|| {
            let message = "there is no place for the journal: neither `XDG_STATE_HOME` nor `HOME` names a folder";
            ConfigError::new(message).hint("name a file with `--journal FILE` or `SUBOPS_JOURNAL`")
        })?;
        if journal.file_name().is_none_or(|name| name == REHEARSAL_JOURNAL) {
            let message = format!("`{}` cannot be the journal: that name is for rehearsals", journal.display());
            return Err(ConfigError::new(message).hint("name another file; `--sandbox` finds the rehearsals' journal"));
        }
        Ok(if self.rehearsal { journal.with_file_name(REHEARSAL_JOURNAL) } else { journal })
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Result<&ResolvedAccount, ConfigError> {
        let names = || self.accounts.iter().map(|account| account.profile.name.as_str());
        self.accounts.iter().find(|account| account.profile.name.as_str() == name).ok_or_else(|| {
            let hint = match near(name, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known accounts: {}", error::listed(names())),
            };
            ConfigError::new(format!("unknown account `{name}`")).hint(hint)
        })
    }

    /// The account that rows of this provider use where nothing names one: the one named after the provider, else the
    /// only one it has.
    pub fn usual_account(&self, provider: &str) -> Result<&ResolvedAccount, ConfigError> {
        let all: Vec<_> = self.accounts.iter().filter(|account| account.profile.provider == provider).collect();
        let named = all.iter().find(|account| account.profile.name.as_str() == provider);
        match (named, all.as_slice()) {
            (Some(account), _) => Ok(account),
            (None, [only]) => Ok(only),
            (None, []) => Err(ConfigError::new(format!("unknown provider `{provider}`"))),
            (None, several) => {
                let names = error::listed(several.iter().map(|account| account.profile.name.as_str()));
                let message = format!("`{provider}` has {} accounts, {names}, and nothing says which", several.len());
                Err(ConfigError::new(message)
                    .hint("name one with `--account`, in the job file or in a column `account`"))
            }
        }
    }
}

/// A path that a file names, relative to that file; as short as the file's own path.
fn beside(file: &Path, named: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(named)
}

/// The configuration's path and text: the named file, else the first that is there.
fn find(environment: &Environment, overrides: &Overrides) -> Result<Option<(PathBuf, String)>, ConfigError> {
    if let Some(named) = &overrides.config {
        return match read_text(environment, named)? {
            Some(text) => Ok(Some((named.clone(), text))),
            None => {
                let message = format!("the configuration `{}` does not exist", named.display());
                Err(ConfigError::new(message).hint("it is named by `--config` or `SUBOPS_CONFIG`; none is needed"))
            }
        };
    }
    let users = environment.user_file(UserFolder::Config, "subops.toml");
    for path in [Some(PathBuf::from("subops.toml")), users].into_iter().flatten() {
        if let Some(text) = read_text(environment, &path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

/// The text of a file; none where there is no file.
fn read_text(environment: &Environment, path: &Path) -> Result<Option<String>, ConfigError> {
    let bytes = match std::fs::read(environment.absolute(path)) {
        Ok(bytes) => bytes,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(fault) => return Err(ConfigError::new(format!("`{}` cannot be read: {fault}", path.display()))),
    };
    let text = String::from_utf8(bytes).map_err(|fault| {
        let offset = fault.utf8_error().valid_up_to();
        let line = 1 + fault.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
        ConfigError::new("expected UTF-8").at(Place { file: path.to_owned(), line })
    })?;
    let without_mark = text.strip_prefix('\u{feff}').map(str::to_owned);
    Ok(Some(without_mark.unwrap_or(text)))
}
