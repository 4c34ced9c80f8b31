//! A job: what to run. A TOML job file names an input and its settings; an input is a job by itself.
//!
//! Must not open the input, nor judge its rows: that is the input's and the plan's. Values keep the digits with which
//! they were written.

use std::fmt;
use std::path::{Path, PathBuf};

use super::document::{Document, Entry, Section};
use super::environment::Environment;
use super::error::{ConfigError, Place, listed};
use super::layers::{self, GuardLayer, LimitLayer, Overrides};
use super::naming::{Kind, cleaned, kind_of, stem, tidy};
use super::{Config, Registry, beside, read_text};
use crate::model::near::near;
use crate::model::operation::OperationSpec;
use crate::model::settings::Guard;

/// A job after every layer was applied.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its name: the file's, without folder and extensions, unless the job file says otherwise.
    pub name: String,
    /// What was typed for it; with it the same job can be found again.
    pub argument: String,
    /// Its input.
    pub input: InputPlace,
    /// The input's format; found out where it is none.
    pub format: Option<Format>,
    /// The delimiter of a CSV input; found out where it is none.
    pub delimiter: Option<u8>,
    /// The input's encoding; UTF-8 where it is none.
    pub encoding: Option<String>,
    /// The operation of rows whose file has no column for it.
    pub operation: Option<&'static OperationSpec>,
    /// The account of rows whose file has no column for it; a known one.
    pub account: Option<String>,
    /// Whether doubts are verified by reads.
    pub verify: Verify,
    /// Whether free text ends with a token of run and row.
    pub token: bool,
    /// Input column to parameter, where the names differ.
    pub columns: Vec<(String, String)>,
    /// Parameters that no column gives.
    pub defaults: Values,
    /// When the run is to be stopped by itself.
    pub guard: Guard,
    /// The folder for result folders.
    pub results: PathBuf,
    /// Leave bad rows out and send the rest.
    pub skip_invalid: bool,
    /// The job file's own limits; [`Config::for_job`] puts them in their layer.
    pub(crate) limits: LimitLayer,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputPlace {
    /// A file.
    File {
        /// How to open it, whatever the current folder.
        path: PathBuf,
        /// How to name it to a person.
        shown: String,
    },
    /// The standard input.
    Standard,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated (or another delimiter), with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The format that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::Jsonl),
            _ => None,
        }
    }
}

/// Whether doubts are verified by reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verify {
    /// Baselines before additive rows, and reads after.
    #[default]
    Auto,
    /// No reads at all: every doubt waits for a person.
    Off,
}

impl Verify {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// Parameters with their values as text. Its `Debug` shows names alone: a value may be a customer's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// These names and values.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Names and values, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Job {
    /// Reads the job that `argument` names: a `.toml` job file, an input, or `-`.
    pub fn load(
        argument: &str,
        config: &Config,
        registry: Registry<'_>,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let overrides = &config.overrides;
        let mut job = match kind_of(argument)? {
            Kind::JobFile => Written::read(Path::new(argument), registry, environment)?,
            Kind::Standard => Written::of_input("stdin".to_owned(), InputPlace::Standard),
            Kind::Input => {
                let path = environment.absolute(Path::new(argument));
                let place = InputPlace::File { path, shown: argument.to_owned() };
                Written::of_input(stem(Path::new(argument)), place)
            }
        };
        if let Some(input) = &overrides.input {
            let path = environment.absolute(input);
            job.input = InputPlace::File { path, shown: input.display().to_string() };
        }
        job.apply(overrides, registry)?;
        let place = job.account_place.take();
        let job = job.resolve(argument, config);
        job.check_account(config).map_err(|fault| ConfigError { place, ..fault })?;
        Ok(job)
    }

    fn check_account(&self, config: &Config) -> Result<(), ConfigError> {
        let Some(name) = &self.account else { return Ok(()) };
        let account = config.account(name)?;
        match self.operation {
            Some(operation) if operation.provider() != account.profile.provider => {
                let message = format!(
                    "`{}` cannot be sent to account `{name}`, which is one of `{}`",
                    operation.name, account.profile.provider
                );
                Err(ConfigError::new(message))
            }
            _ => Ok(()),
        }
    }
}

/// A job as it was written, before the layers.
struct Written {
    name: String,
    input: InputPlace,
    format: Option<Format>,
    delimiter: Option<u8>,
    encoding: Option<String>,
    operation: Option<&'static OperationSpec>,
    account: Option<String>,
    account_place: Option<Place>,
    verify: Verify,
    token: bool,
    columns: Vec<(String, String)>,
    defaults: Values,
    limits: LimitLayer,
    guard: GuardLayer,
    results: Option<PathBuf>,
    skip_invalid: bool,
}

const KEYS: [&str; 15] = [
    "name",
    "input",
    "operation",
    "account",
    "verify",
    "token",
    "columns",
    "defaults",
    "limits",
    "guard",
    "results",
    "format",
    "delimiter",
    "encoding",
    "skip_invalid",
];

impl Written {
    fn of_input(name: String, input: InputPlace) -> Self {
        Self {
            name,
            input,
            format: None,
            delimiter: None,
            encoding: None,
            operation: None,
            account: None,
            account_place: None,
            verify: Verify::default(),
            token: true,
            columns: Vec::new(),
            defaults: Values::default(),
            limits: LimitLayer::default(),
            guard: GuardLayer::default(),
            results: None,
            skip_invalid: false,
        }
    }

    fn read(file: &Path, registry: Registry<'_>, environment: &Environment) -> Result<Self, ConfigError> {
        let text = read_text(environment, file)?
            .ok_or_else(|| ConfigError::new(format!("the job file `{}` does not exist", file.display())))?;
        let document = Document { file, text: &text };
        let table = document.parse()?;
        let top = Section::top(document, &table);
        top.only(&KEYS)?;
        let mut job = Self::of_input(stem(file), InputPlace::Standard);
        job.take_input(file, &top, environment)?;
        job.take_rows(&top, registry)?;
        job.take_settings(file, &top)?;
        Ok(job)
    }

    /// Name, input and how it is written.
    fn take_input(&mut self, file: &Path, top: &Section<'_>, environment: &Environment) -> Result<(), ConfigError> {
        if let Some(entry) = top.get("name") {
            let name = entry.text()?;
            let wrong = || entry.error(format!("`name` = `{}` cannot name a folder", name.escape_debug()));
            self.name = Some(name).filter(|name| cleaned(name) == **name).ok_or_else(wrong)?.to_owned();
        }
        let Some(input) = top.get("input") else {
            let message = format!("the job file `{}` names no input", file.display());
            return Err(ConfigError::new(message).hint("add `input = \"FILE\"`, relative to the job file, or `\"-\"`"));
        };
        self.input = match input.text()? {
            "" => return Err(input.error("`input` is empty")),
            "-" => InputPlace::Standard,
            named => {
                let path = beside(file, named);
                InputPlace::File { path: environment.absolute(&path), shown: tidy(&path).display().to_string() }
            }
        };
        self.format = top.parsed("format", "`csv` or `jsonl`", Format::parse)?;
        self.delimiter = top.parsed("delimiter", layers::DELIMITER, layers::parse_delimiter)?;
        self.encoding = top.parsed("encoding", layers::ENCODING, layers::parse_encoding)?;
        Ok(())
    }

    /// What is done with each row.
    fn take_rows(&mut self, top: &Section<'_>, registry: Registry<'_>) -> Result<(), ConfigError> {
        if let Some(entry) = top.get("operation") {
            let operation = find_operation(entry.text()?, registry);
            self.operation = Some(operation.map_err(|fault| fault.at(entry.place()))?);
        }
        if let Some(entry) = top.get("account") {
            self.account = Some(entry.text()?.to_owned());
            self.account_place = Some(entry.place());
        }
        self.verify = top.parsed("verify", "`auto` or `off`", Verify::parse)?.unwrap_or_default();
        self.token = top.get("token").map_or(Ok(true), |entry| entry.boolean())?;
        self.skip_invalid = top.get("skip_invalid").map_or(Ok(false), |entry| entry.boolean())?;
        if let Some(columns) = top.table("columns")? {
            self.columns = unambiguous(&columns, |entry| entry.text().map(str::to_owned))?;
            refuse_shared_parameters(&columns, &self.columns)?;
        }
        if let Some(defaults) = top.table("defaults")? {
            self.defaults = Values(unambiguous(&defaults, |entry| entry.scalar("a text or a number"))?);
        }
        Ok(())
    }

    /// How fast, when to stop, and where results go.
    fn take_settings(&mut self, file: &Path, top: &Section<'_>) -> Result<(), ConfigError> {
        if let Some(limits) = top.table("limits")? {
            limits.only(&LimitLayer::KEYS)?;
            self.limits = LimitLayer::read(&limits)?;
        }
        if let Some(guard) = top.table("guard")? {
            guard.only(&GuardLayer::KEYS)?;
            self.guard = GuardLayer::read(&guard)?;
        }
        if let Some(results) = top.table("results")? {
            results.only(&["dir"])?;
            self.results = results.text("dir")?.map(|dir| beside(file, dir));
        }
        Ok(())
    }

    /// Puts flags and environment over what is written.
    fn apply(&mut self, overrides: &Overrides, registry: Registry<'_>) -> Result<(), ConfigError> {
        if let Some(name) = &overrides.operation {
            self.operation = Some(find_operation(name, registry)?);
        }
        if let Some(name) = &overrides.account {
            self.account = Some(name.clone());
            self.account_place = None;
        }
        self.delimiter = overrides.delimiter.or(self.delimiter);
        self.encoding = overrides.encoding.clone().or(self.encoding.take());
        self.skip_invalid |= overrides.skip_invalid;
        Ok(())
    }

    fn resolve(self, argument: &str, config: &Config) -> Job {
        let results = config.overrides.results.clone().or(self.results).or_else(|| config.results.clone());
        Job {
            name: self.name,
            argument: argument.to_owned(),
            input: self.input,
            format: self.format,
            delimiter: self.delimiter,
            encoding: self.encoding,
            operation: self.operation,
            account: self.account,
            verify: self.verify,
            token: self.token,
            columns: self.columns,
            defaults: self.defaults,
            guard: config.overrides.guard.over(self.guard).over(config.guard).resolve(),
            results: results.unwrap_or_else(|| PathBuf::from("results")),
            skip_invalid: self.skip_invalid,
            limits: self.limits,
        }
    }
}

/// The operation of this name, among all providers.
pub(crate) fn find_operation(name: &str, registry: Registry<'_>) -> Result<&'static OperationSpec, ConfigError> {
    let all = || registry.iter().flat_map(|provider| provider.operations());
    if let Some(known) = all().find(|known| known.name == name) {
        return Ok(known);
    }
    // Without the provider's name, the verb may still say what was meant.
    let verbs: Vec<&str> = all().filter(|known| known.verb() == name).map(|known| known.name).collect();
    let hint = match verbs.as_slice() {
        [] => near(name, all().map(|known| known.name)).map(|meant| format!("did you mean `{meant}`?")),
        some => Some(format!("did you mean {}?", listed(some.iter().copied()).replace(" and ", " or "))),
    };
    let catalogue = || "`subops operations` lists them all".to_owned();
    Err(ConfigError::new(format!("unknown operation `{name}`")).hint(hint.unwrap_or_else(catalogue)))
}

/// The entries of a table whose keys are column or parameter names: case is ignored there, so two keys that differ in
/// case alone would leave open which one holds.
fn unambiguous(
    section: &Section<'_>,
    value: impl Fn(&Entry<'_>) -> Result<String, ConfigError>,
) -> Result<Vec<(String, String)>, ConfigError> {
    let mut all: Vec<(String, String)> = Vec::new();
    for entry in section.entries() {
        if let Some((before, _)) = all.iter().find(|(before, _)| before.eq_ignore_ascii_case(entry.key)) {
            return Err(entry.error(format!("{} is there twice: as `{before}` too (case is ignored)", entry.path())));
        }
        all.push((entry.key.to_owned(), value(&entry)?));
    }
    Ok(all)
}

fn refuse_shared_parameters(section: &Section<'_>, columns: &[(String, String)]) -> Result<(), ConfigError> {
    for (index, (column, parameter)) in columns.iter().enumerate() {
        let before = columns.iter().take(index).find(|(_, other)| other.eq_ignore_ascii_case(parameter));
        let fault = match before {
            _ if parameter.is_empty() => format!("column `{column}` is given no parameter"),
            Some((other, _)) => format!("columns `{other}` and `{column}` both give `{parameter}`"),
            None => continue,
        };
        let fault = ConfigError::new(fault);
        return Err(section.get(column).map_or(fault.clone(), |entry| fault.at(entry.place())));
    }
    Ok(())
}
