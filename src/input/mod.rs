//! The input: CSV and JSONL files, read as a stream, each record turned into a checked [`Row`] or a list of faults.
//!
//! ```text
//! file -> watch (is it still the planned one? digest) -> source (expand, decode, limits) -> csv | json_lines
//!      -> reading (which operation and account, no card data) -> assemble (check each value) -> Row | faults
//! ```
//!
//! It sends nothing, and knows operations and accounts only through [`Directory`]. Invariant: planning, sending and
//! writing results walk over the file in the same way, so a row that was planned is the row that is sent; a file that
//! changed in between is an error, never a different row.

mod assemble;
mod card;
mod census;
mod check;
mod csv;
mod digest;
mod fault;
mod fields;
mod json_lines;
mod kept;
mod look;
mod mapping;
mod raw;
mod reading;
mod source;
mod spool;
mod target;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::Encoding;

pub use census::{Census, GroupCount};
pub use fault::{BadRows, FAULTS_KEPT, Fault, FileFault, InputError};
pub use kept::{Kept, recall};
pub use raw::{Content, RawRecord, RawRows};
pub use source::Limits;
pub use spool::{Spooled, may_be_kept, spool};
pub use watch::Fingerprint;

use crate::contract::{Done, Input, InputFault, RowFault, Rows};
use crate::model::ids::{AccountName, RowNumber};
use crate::model::money::Currency;
use crate::model::operation::OperationSpec;
use crate::model::row::Row;
use census::Counting;
use mapping::Mapping;
use reading::{Reading, Records, Setting};

/// How an input is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
        }
    }

    /// What a file's name says, else its first character.
    fn of(path: &Path, text: &str) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        let ends = |endings: [&str; 2]| endings.iter().any(|ending| name.ends_with(ending));
        if ends([".jsonl", ".ndjson"]) || (!ends([".csv", ".tsv"]) && text.trim_start().starts_with('{')) {
            Format::JsonLines
        } else {
            Format::Csv
        }
    }
}

/// What to read, and how.
#[derive(Clone)]
pub struct InputSpec {
    /// The file.
    pub path: PathBuf,
    /// How the person named it, for messages.
    pub shown: String,
    /// How it is written; none to find out.
    pub format: Option<Format>,
    /// The separator of a CSV file; none to find out.
    pub delimiter: Option<u8>,
    /// Its encoding; none for UTF-8, or UTF-16 where a byte order mark says so.
    pub encoding: Option<&'static Encoding>,
    /// The operation of rows that name none.
    pub operation: Option<&'static OperationSpec>,
    /// The account of rows that name none; none for the one that [`Directory::account_for`] gives.
    pub account: Option<AccountName>,
    /// Input column and the parameter it gives, where the names differ.
    pub columns: Vec<(String, String)>,
    /// Parameters that no column gives.
    pub defaults: Vec<(String, String)>,
    /// Whether bad rows are left out instead of refusing the file.
    pub skip_invalid: bool,
    /// A secret that keys the digest, so that nobody can guess contents back from it. Needed for card data.
    pub digest_key: Option<[u8; 32]>,
    /// How much the input may hold.
    pub limits: Limits,
}

impl InputSpec {
    /// The file at `path` with everything found out or by default.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            shown: path.display().to_string(),
            path,
            format: None,
            delimiter: None,
            encoding: None,
            operation: None,
            account: None,
            columns: Vec::new(),
            defaults: Vec::new(),
            skip_invalid: false,
            digest_key: None,
            limits: Limits::default(),
        }
    }
}

/// An account, as far as the input needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountInfo {
    /// Its name.
    pub name: AccountName,
    /// The name of its provider.
    pub provider: String,
    /// The currency of amounts whose row names none.
    pub currency: Option<Currency>,
}

/// The operations and accounts that rows may name.
pub trait Directory {
    /// The operation of this name.
    fn operation(&self, name: &str) -> Option<&'static OperationSpec>;

    /// All operations.
    fn operations(&self) -> Vec<&'static OperationSpec>;

    /// The account of this name.
    fn account(&self, name: &str) -> Option<AccountInfo>;

    /// The names of all accounts.
    fn accounts(&self) -> Vec<String>;

    /// The account for rows that name none. The error says what to do, for a hint.
    fn account_for(&self, provider: &str) -> Result<AccountInfo, String>;

    /// The provider's own check of a row that passed all others.
    fn check(&self, row: &Row) -> Result<(), RowFault>;
}

/// An input whose every row was checked. It gives the same rows as often as it is asked, or an error.
pub struct PlannedInput {
    spec: InputSpec,
    directory: Arc<dyn Directory>,
    mapping: Mapping,
    secrets: Vec<&'static str>,
    census: Census,
    fingerprint: Fingerprint,
    digest: blake3::Hash,
    /// What was given or found, in canonical words.
    facts: Vec<(&'static str, String)>,
    format: Format,
}

/// Reads and checks the whole input once.
///
/// After `Ok` every row of it (or every one that was not asked to be left out) can be sent.
pub fn plan(spec: InputSpec, directory: Arc<dyn Directory>) -> Result<PlannedInput, InputError> {
    let mut operations = directory.operations();
    operations.extend(spec.operation);
    let mapping =
        Mapping::new(&spec.columns, &spec.defaults, &operations).map_err(|objection| objected(&spec, objection))?;
    let secrets = secret_names(&operations);
    let setting = || Setting { spec: &spec, directory: &*directory, mapping: &mapping, secrets: &secrets };

    let hasher = digest::hasher(spec.digest_key.as_ref());
    let mut reading = Reading::start(setting(), None, Some(hasher))?;
    let mut counting = Counting::new(&spec.shown);
    counting.walk(&mut reading)?;
    let digest = reading.source().finish()?;
    check_whole(&spec, &mapping, &reading, &counting)?;

    let fingerprint = reading.source().fingerprint();
    let (format, facts) = facts(&spec, &reading);
    drop(reading);
    let census = counting.finish(|| Reading::start(setting(), Some(fingerprint), None))?;
    let digest = digest.ok_or_else(|| FileFault::new(&spec.shown, "was not digested"))?;
    let planned = PlannedInput { spec, directory, mapping, secrets, census, fingerprint, digest, facts, format };
    if planned.holds_secrets() && planned.spec.digest_key.is_none() {
        return Err(InputError::KeyNeeded);
    }
    Ok(planned)
}

/// What can only be said after the last row.
fn check_whole(
    spec: &InputSpec,
    mapping: &Mapping,
    reading: &Reading<'_>,
    counting: &Counting,
) -> Result<(), InputError> {
    let bad = counting.bad();
    if bad.rows == 0 {
        return Err(FileFault::new(&spec.shown, "has no rows").into());
    }
    if bad.bad > 0 && (!spec.skip_invalid || counting.rows() == 0) {
        return Err(InputError::BadRows(bad.clone()));
    }
    if let Some(column) = reading.unmet_column() {
        let message = format!("`[columns]` names `{column}`, which no row has");
        return Err(FileFault::new(&spec.shown, message).into());
    }
    if let (Some(operation), true) = (spec.operation, counting.is_all_of(spec.operation)) {
        mapping.check(&[operation]).map_err(|objection| objected(spec, objection))?;
    }
    Ok(())
}

/// What gives the bytes their meaning, as it was given or found.
fn facts(spec: &InputSpec, reading: &Reading<'_>) -> (Format, Vec<(&'static str, String)>) {
    let mut facts = vec![("encoding", reading.source().encoding().name().to_owned())];
    let format = match reading.records() {
        Records::Csv { reader, .. } => {
            facts.push(("delimiter", char::from(reader.separator()).to_string()));
            Format::Csv
        }
        Records::Json { .. } => Format::JsonLines,
    };
    facts.push(("format", format.as_str().to_owned()));
    let (operation, account) = reading.job_gave;
    if let Some(given) = spec.operation.filter(|_| operation) {
        facts.push(("operation", given.name.to_owned()));
    }
    if let Some(given) = spec.account.as_ref().filter(|_| account) {
        facts.push(("account", given.as_str().to_owned()));
    }
    (format, facts)
}

fn objected(spec: &InputSpec, (message, hint): mapping::Objection) -> FileFault {
    FileFault { hint, ..FileFault::new(&spec.shown, message) }
}

fn secret_names(operations: &[&'static OperationSpec]) -> Vec<&'static str> {
    let parameters = operations.iter().flat_map(|operation| operation.parameters);
    let mut names: Vec<_> = parameters.filter(|parameter| parameter.kind.is_secret()).map(|p| p.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl PlannedInput {
    /// What the rows come to.
    pub fn census(&self) -> &Census {
        &self.census
    }

    /// What the file was when it was planned.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What was read, and how.
    pub fn spec(&self) -> &InputSpec {
        &self.spec
    }

    /// The separator of a CSV input, as given or found; a comma for what has none.
    pub fn delimiter(&self) -> u8 {
        let found = self.facts.iter().find(|(name, _)| *name == "delimiter");
        found.and_then(|(_, text)| text.bytes().next()).unwrap_or(b',')
    }

    /// How the input is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether any row holds card data: such an input must not be copied.
    pub fn holds_secrets(&self) -> bool {
        self.census.groups.iter().any(|group| group.operation.has_secrets())
    }

    /// The plan's digest, `blake3:` and 64 hexadecimal digits: over the file's bytes, what gives them their meaning
    /// here (operations, accounts, columns, defaults, delimiter, encoding), and what the caller adds to that.
    ///
    /// Equal digests mean equal effects: whether bad rows are left out is not in it, because the rows sent are the same.
    pub fn plan_digest(&self, also: &[(&str, &str)]) -> String {
        let lower = |pairs: &[(String, String)], kind: &str| {
            let mut lines: Vec<[String; 3]> =
                pairs.iter().map(|(name, value)| [kind.to_owned(), name.to_ascii_lowercase(), value.clone()]).collect();
            lines.sort();
            lines
        };
        let mut lines: Vec<[String; 3]> =
            self.facts.iter().map(|(name, value)| ["fact".to_owned(), (*name).to_owned(), value.clone()]).collect();
        lines.extend(lower(&self.spec.columns, "column"));
        lines.extend(lower(&self.spec.defaults, "default"));
        let mut groups: Vec<[String; 3]> = self
            .census
            .groups
            .iter()
            .map(|group| ["group".to_owned(), group.operation.name.to_owned(), group.account.to_string()])
            .collect();
        groups.sort();
        lines.extend(groups);
        lines.extend(also.iter().map(|(name, value)| ["also".to_owned(), (*name).to_owned(), (*value).to_owned()]));
        let mut meaning = digest::Meaning::new(self.spec.digest_key.as_ref(), &self.digest);
        for part in lines.iter().flatten() {
            meaning.part(part);
        }
        meaning.text()
    }

    /// The plan in the form in which it is kept with its run, for [`recall`].
    pub fn kept(&self) -> Kept {
        Kept::of(self)
    }

    /// All records as they stand in the input, for the results; the bad ones too.
    pub fn raw_rows(&self) -> Result<RawRows<'_>, InputFault> {
        Ok(RawRows::new(self.walk()?, self.setting()))
    }

    fn setting(&self) -> Setting<'_> {
        Setting { spec: &self.spec, directory: &*self.directory, mapping: &self.mapping, secrets: &self.secrets }
    }

    fn walk(&self) -> Result<Reading<'_>, InputFault> {
        Reading::start(self.setting(), Some(self.fingerprint), None)
            .map_err(|fault| InputFault { message: fault.to_string() })
    }
}

impl Input for PlannedInput {
    fn rows(&self, done: Done) -> Result<Box<dyn Rows + '_>, InputFault> {
        let whole = done.below <= RowNumber(0);
        Ok(Box::new(PlannedRows { planned: self, reading: self.walk()?, done, whole, given: 0 }))
    }
}

/// The rows that can be sent, in order.
struct PlannedRows<'a> {
    planned: &'a PlannedInput,
    reading: Reading<'a>,
    done: Done,
    /// Whether every row is given, so that they can be counted.
    whole: bool,
    given: u64,
}

impl Rows for PlannedRows<'_> {
    fn next_row(&mut self) -> Result<Option<Row>, InputFault> {
        loop {
            let wanted = self.done.next_wanted();
            let found = self.reading.next_from(wanted).map_err(|error| raw::input_fault(&error))?;
            let Some(outcome) = found else { break };
            if self.done.takes(outcome.number) {
                continue;
            }
            match outcome.row {
                Ok(row) => {
                    self.given += 1;
                    return Ok(Some(row));
                }
                Err(_) if self.planned.spec.skip_invalid => {}
                Err(_) => return Err(self.not_as_planned()),
            }
        }
        self.reading.source().finish().map_err(|fault| InputFault { message: fault.to_string() })?;
        if !self.whole || self.given == self.planned.census.rows { Ok(None) } else { Err(self.not_as_planned()) }
    }
}

impl PlannedRows<'_> {
    fn not_as_planned(&self) -> InputFault {
        InputFault { message: format!("{}: the rows are not those that were planned", self.planned.spec.shown) }
    }
}

#[cfg(test)]
mod tests;
