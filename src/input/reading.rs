//! One walk over the input: every record in order, each with its row or its faults.
//!
//! Planning, sending and writing results are all this walk, so that they cannot disagree about a row.

use super::card;
use super::csv::{CsvReader, Record};
use super::fault::{Fault, FileFault, InputError, shown};
use super::fields::Header;
use super::json_lines::LineReader;
use super::look::Look;
use super::mapping::{Clash, Layout, Mapping, RESERVED, find};
use super::source::{Opening, TextSource};
use super::target::Targets;
use super::watch::Fingerprint;
use super::{Directory, Format, InputSpec};
use crate::model::ids::RowNumber;
use crate::model::near::near_list;
use crate::model::operation::{Need, OperationSpec};
use crate::model::row::Row;

/// What a walk needs to know.
pub(super) struct Setting<'a> {
    pub(super) spec: &'a InputSpec,
    pub(super) directory: &'a dyn Directory,
    pub(super) mapping: &'a Mapping,
    /// The names of all parameters that hold card data, whatever their operation.
    pub(super) secrets: &'a [&'static str],
}

impl Setting<'_> {
    /// Whether a name is that of a parameter that holds card data.
    pub(super) fn is_secret(&self, target: Option<&str>) -> bool {
        target.is_some_and(|target| self.secrets.iter().any(|secret| secret.eq_ignore_ascii_case(target)))
    }
}

/// A record after it was looked at.
pub(super) struct Outcome {
    /// Its name.
    pub(super) number: RowNumber,
    /// The row, or what is wrong with it.
    pub(super) row: Result<Row, Vec<Fault>>,
}

/// Where the records come from, and the last one read.
pub(super) enum Records {
    Csv { reader: CsvReader, header: Header, record: Record },
    Json { reader: LineReader, line: String },
}

/// A walk over the input.
pub(super) struct Reading<'a> {
    setting: Setting<'a>,
    records: Records,
    targets: Targets,
    before: Option<RowNumber>,
    /// Which entries of `[columns]` were met.
    mapped: Vec<bool>,
    /// Whether a row took its operation, or its account, from the job.
    pub(super) job_gave: (bool, bool),
}

impl<'a> Reading<'a> {
    /// Opens the input and reads its header. `planned` is what the file must still be.
    pub(super) fn start(
        setting: Setting<'a>,
        planned: Option<Fingerprint>,
        hasher: Option<blake3::Hasher>,
    ) -> Result<Self, FileFault> {
        let spec = setting.spec;
        let mut source = TextSource::open(Opening {
            path: &spec.path,
            shown: &spec.shown,
            encoding: spec.encoding,
            limits: spec.limits,
            planned,
            hasher,
        })?;
        let format = match spec.format {
            Some(format) => format,
            None => Format::of(&spec.path, source.chunk()?),
        };
        let mapped = vec![false; setting.mapping.columns().count()];
        let records = match format {
            Format::JsonLines => Records::Json { reader: LineReader::new(source, spec.limits), line: String::new() },
            Format::Csv => open_csv(source, &setting)?,
        };
        let mut reading =
            Self { setting, records, targets: Targets::default(), before: None, mapped, job_gave: (false, false) };
        reading.check_header()?;
        Ok(reading)
    }

    /// The records, with the last one read.
    pub(super) fn records(&self) -> &Records {
        &self.records
    }

    /// The text that is read.
    pub(super) fn source(&self) -> &TextSource {
        match &self.records {
            Records::Csv { reader, .. } => reader.source(),
            Records::Json { reader, .. } => reader.source(),
        }
    }

    /// The next record; none after the last.
    pub(super) fn next(&mut self) -> Result<Option<Outcome>, InputError> {
        self.next_from(RowNumber(0))
    }

    /// The next record that starts on this line or behind it; none after the last. What is before it is passed over
    /// without a look.
    pub(super) fn next_from(&mut self, from: RowNumber) -> Result<Option<Outcome>, InputError> {
        loop {
            let (found, line) = match &mut self.records {
                Records::Csv { reader, record, .. } => {
                    reader.pass_to(from.0)?;
                    (reader.read(record)?, record.line())
                }
                Records::Json { reader, line } => {
                    reader.pass_to(from.0)?;
                    (reader.read(line)?, reader.line())
                }
            };
            if !found {
                return Ok(None);
            }
            if line >= from.0 {
                return self.look().map(Some);
            }
        }
    }

    /// Looks at the record that was read last.
    fn look(&mut self) -> Result<Outcome, InputError> {
        let number = match &self.records {
            Records::Csv { record, .. } => RowNumber(record.line()),
            Records::Json { reader, .. } => RowNumber(reader.line()),
        };
        debug_assert!(self.before < Some(number), "row numbers name one row each");
        self.before = Some(number);
        let mut look = Look {
            setting: &self.setting,
            targets: &mut self.targets,
            mapped: &mut self.mapped,
            job_gave: &mut self.job_gave,
            number,
        };
        let row = match &self.records {
            Records::Csv { header, record, .. } => look.at_record(header, record)?,
            Records::Json { line, .. } => look.at_line(line)?,
        };
        Ok(Outcome { number, row })
    }

    /// After the last record: an entry of `[columns]` that no row has is a mistake.
    pub(super) fn unmet_column(&self) -> Option<&str> {
        let mut unmet = self.setting.mapping.columns().zip(&self.mapped).filter(|(_, met)| !**met);
        unmet.next().map(|(column, _)| column)
    }

    /// What must be right about a CSV header whatever the rows say.
    fn check_header(&mut self) -> Result<(), FileFault> {
        let Records::Csv { header, .. } = &self.records else { return Ok(()) };
        let setting = &self.setting;
        let fault = |message: String| FileFault::new(&setting.spec.shown, message).line(header.line);
        for name in RESERVED {
            find(name, header.targets()).map_err(|clash| clash_fault(&fault, header, &clash))?;
        }
        for (at, column) in setting.mapping.columns().enumerate() {
            if !header.names.iter().any(|name| name.eq_ignore_ascii_case(column)) {
                let meant = near_list(column, header.names.iter().map(String::as_str));
                let hint = match meant {
                    Some(names) => format!("perhaps {names}"),
                    None => format!("the columns are {}", list(&header.names)),
                };
                return Err(fault(format!("`[columns]` names `{column}`, which is no column")).hint(hint));
            }
            if let Some(met) = self.mapped.get_mut(at) {
                *met = true;
            }
        }
        let alone = find("operation", header.targets()).is_ok_and(|column| column.is_none());
        match setting.spec.operation.filter(|_| alone) {
            Some(operation) => {
                setting
                    .mapping
                    .check(&[operation])
                    .map_err(|(message, hint)| FileFault { hint, ..FileFault::new(&setting.spec.shown, message) })?;
                check_required(setting, header, operation, &fault)
            }
            None if alone => Err(fault("no column `operation`, and the job names none".to_owned())
                .hint("name the operation with `--operation`, or in a column `operation`")),
            None => Ok(()),
        }
    }
}

fn open_csv(source: TextSource, setting: &Setting<'_>) -> Result<Records, FileFault> {
    let spec = setting.spec;
    let mut reader = CsvReader::new(source, spec.delimiter, spec.limits)?;
    let mut record = Record::default();
    if !reader.read(&mut record)? {
        return Err(FileFault::new(&spec.shown, "is empty").hint("the first line of a CSV file names its columns"));
    }
    let names: Vec<String> = record.cells().map(str::to_owned).collect();
    for (at, name) in names.iter().enumerate() {
        let fault =
            |message: String| FileFault::new(&spec.shown, message).line(record.line_of(at)).column(at as u64 + 1);
        if card::holds_card_number(name) {
            return Err(fault("the first line holds a value instead of a column's name".to_owned()));
        }
        if let Some(first) = names[..at].iter().position(|other| other.eq_ignore_ascii_case(name)) {
            let (name, first) = (shown(name), first + 1);
            return Err(fault(format!("the column `{name}` is there twice: columns {first} and {}", at + 1)));
        }
    }
    let targets = names.iter().map(|name| setting.mapping.target(name).map(str::to_owned)).collect();
    let code_columns = (0..names.len()).filter(|at| card::is_code_name(&names[*at])).collect();
    let header = Header { names, targets, code_columns, line: record.line() };
    Ok(Records::Csv { reader, header, record })
}

/// A required column that is missing is one fault of the file, not one of every row.
fn check_required(
    setting: &Setting<'_>,
    header: &Header,
    operation: &OperationSpec,
    fault: &dyn Fn(String) -> FileFault,
) -> Result<(), FileFault> {
    let layout = Layout::new(operation, header.targets()).map_err(|clash| clash_fault(fault, header, &clash))?;
    for (parameter, place) in operation.parameters.iter().zip(&layout.parameters) {
        let given = place.is_some() || setting.mapping.default_of(parameter.name).is_some();
        if parameter.need == Need::Required && !given {
            let meant = near_list(parameter.name, header.names.iter().map(String::as_str));
            let hint = match meant {
                Some(names) => format!("if it is {names}, say so in `[columns]` of a job file"),
                None => format!("the columns are {}", list(&header.names)),
            };
            return Err(fault(format!("no column `{}`, which {} requires", parameter.name, operation.name)).hint(hint));
        }
    }
    Ok(())
}

/// What is wrong where two columns give the same thing.
pub(super) fn clash_fault(fault: &dyn Fn(String) -> FileFault, header: &Header, clash: &Clash) -> FileFault {
    let name = |at: usize| header.names.get(at).map_or("", String::as_str);
    fault(format!("the columns `{}` and `{}` both give `{}`", name(clash.first), name(clash.second), clash.name))
        .column(clash.second as u64 + 1)
}

/// The first names of a list, for a message.
pub(super) fn list(names: &[String]) -> String {
    let mut listed: Vec<String> = names.iter().take(8).map(|name| shown(name)).collect();
    if names.len() > listed.len() {
        listed.push("…".to_owned());
    }
    listed.join(", ")
}
