//! Decisions about rows in doubt as a finance department sends them back: the `in_doubt.csv` of the results, opened in a
//! spreadsheet, with a column `decision` added, and perhaps one `reason`.
//!
//! It only reads. Invariant: a file with anything wrong in it gives no decision at all, and says where, as line and column.

use std::collections::BTreeMap;
use std::path::Path;

use super::failure::Failure;
use crate::cli::Exit;
use crate::journal::{Decision, DoubtRecord};
use crate::model::ids::{RowNumber, RunId};

/// The decision about each row, and its reason.
pub(super) type Decisions = BTreeMap<RowNumber, (Decision, String)>;

/// Faults that are shown; whoever has more has one mistake in all of them.
const MOST_SHOWN: usize = 20;

/// Spreadsheets write what their country uses.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// What is wrong, and where: line and column, counted from 1.
struct Fault {
    line: u64,
    column: Option<usize>,
    what: String,
}

/// Reads the decisions in a file. A row without one stays in doubt.
pub(super) fn from_file(doubts: &[DoubtRecord], run: RunId, path: &Path, reason: &str) -> Result<Decisions, Failure> {
    let unreadable =
        |what: String| Failure::new(Exit::Usage, format!("{}: {what}; nothing was settled", path.display()));
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(unreadable("it is not UTF-8".to_owned()).hint("save it from the spreadsheet as \"CSV UTF-8\""));
    };
    let told = Told { doubts, run, reason };
    match told.read(text.trim_start_matches('\u{feff}')) {
        Ok(decisions) if decisions.is_empty() => Err(unreadable("no row has a decision".to_owned())
            .hint("write `applied` or `not-applied` into the column `decision`")),
        Ok(decisions) => Ok(decisions),
        Err(faults) => Err(refused(path, run, &faults)),
    }
}

fn refused(path: &Path, run: RunId, faults: &[Fault]) -> Failure {
    let file = path.display();
    let one = |fault: &Fault| {
        let column = fault.column.map_or(String::new(), |column| format!(":{column}"));
        format!("{file}:{}{column}: {}", fault.line, fault.what)
    };
    let message = match faults {
        [only] => format!("{}; nothing was settled", one(only)),
        several => {
            let shown: Vec<String> = several.iter().take(MOST_SHOWN).map(|fault| format!("  {}", one(fault))).collect();
            let more = several.len().saturating_sub(MOST_SHOWN);
            let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
            format!("{} faults in `{file}`; nothing was settled\n\n{}{more}\n", several.len(), shown.join("\n"))
        }
    };
    Failure::new(Exit::Usage, message).hint(format!("`subops doubt list {run}` shows the rows in doubt"))
}

/// What a file is read against.
struct Told<'a> {
    doubts: &'a [DoubtRecord],
    run: RunId,
    reason: &'a str,
}

/// Where the columns are, counted from 0.
struct Columns {
    row: usize,
    decision: usize,
    reason: Option<usize>,
}

impl Told<'_> {
    fn read(&self, text: &str) -> Result<Decisions, Vec<Fault>> {
        let first_line = text.lines().next().unwrap_or_default();
        let count = |separator: &u8| first_line.bytes().filter(|byte| byte == separator).count();
        let separator = SEPARATORS.into_iter().rev().max_by_key(count).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
        let whole = |what: String| vec![Fault { line: 1, column: None, what }];
        let header = reader.headers().map_err(|error| whole(error.to_string()))?.clone();
        if header.is_empty() {
            return Err(whole("the file is empty".to_owned()));
        }
        let columns = columns(&header).map_err(whole)?;
        let (mut decisions, mut faults): (Decisions, Vec<Fault>) = (Decisions::new(), Vec::new());
        let mut seen: BTreeMap<RowNumber, u64> = BTreeMap::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    faults.push(Fault { line: 0, column: None, what: error.to_string() });
                    break;
                }
            };
            let line = record.position().map_or(1, csv::Position::line);
            match self.one(&header, &columns, &record) {
                Ok(None) => {}
                Ok(Some((row, decision))) => match seen.insert(row, line) {
                    Some(before) => faults.push(Fault {
                        line,
                        column: Some(columns.row + 1),
                        what: format!("row {row} is decided twice, here and in line {before}"),
                    }),
                    None => drop(decisions.insert(row, decision)),
                },
                Err((column, what)) => faults.push(Fault { line, column: column.map(|at| at + 1), what }),
            }
        }
        if faults.is_empty() { Ok(decisions) } else { Err(faults) }
    }

    /// The decision of one line; none where there is none.
    #[expect(clippy::type_complexity, reason = "a row with its decision, or a column with what is wrong there")]
    fn one(
        &self,
        header: &csv::StringRecord,
        columns: &Columns,
        record: &csv::StringRecord,
    ) -> Result<Option<(RowNumber, (Decision, String))>, (Option<usize>, String)> {
        let cell = |at: usize| record.get(at).unwrap_or_default().trim();
        if record.len() != header.len() {
            return Err((None, format!("{} fields, expected {}", record.len(), header.len())));
        }
        let said = cell(columns.decision);
        let decided = match said.to_ascii_lowercase().as_str() {
            "" => return Ok(None),
            "applied" => Decision::Applied,
            "not-applied" | "not_applied" | "not applied" => Decision::NotApplied,
            _ => {
                let what = format!("decision = `{said}`, expected `applied` or `not-applied`");
                return Err((Some(columns.decision), what));
            }
        };
        let at_row = |what: String| (Some(columns.row), what);
        let number = cell(columns.row);
        let row = number.parse().map(RowNumber);
        let row = row.map_err(|_| at_row(format!("row = `{number}`, expected a row's number")))?;
        let Some(doubt) = self.doubts.iter().find(|doubt| doubt.record.row == row) else {
            return Err(at_row(format!("row {row} of run {} is not in doubt", self.run)));
        };
        self.same_subject(header, record, doubt)?;
        let why = columns.reason.map(cell).filter(|own| !own.is_empty()).unwrap_or(self.reason);
        Ok(Some((row, (decided, why.to_owned()))))
    }

    /// A file of another run has the same line numbers, and is about something else.
    fn same_subject(
        &self,
        header: &csv::StringRecord,
        record: &csv::StringRecord,
        doubt: &DoubtRecord,
    ) -> Result<(), (Option<usize>, String)> {
        let Some((name, ours)) = subject_of(doubt) else { return Ok(()) };
        let Some(at) = header.iter().position(|column| column.trim().eq_ignore_ascii_case(&name)) else {
            return Ok(());
        };
        let theirs = record.get(at).unwrap_or_default().trim();
        if theirs == ours {
            return Ok(());
        }
        let (row, run) = (doubt.record.row, self.run);
        Err((Some(at), format!("{name} = `{theirs}`, but row {row} of run {run} is about `{ours}`")))
    }
}

/// The parameter that names what the row acts on, with its value, as it was sent.
fn subject_of(doubt: &DoubtRecord) -> Option<(String, String)> {
    let id = doubt.record.subject.as_ref()?.id();
    let sent: serde_json::Map<String, serde_json::Value> = serde_json::from_str(doubt.record.sent.as_deref()?).ok()?;
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let found = sent.iter().find(|(name, value)| *name != "operation" && text(value) == id);
    found.map(|(name, value)| (name.clone(), text(value)))
}

fn columns(header: &csv::StringRecord) -> Result<Columns, String> {
    let find = |names: [&str; 2]| {
        let is = |column: &str| names.iter().any(|name| column.trim().eq_ignore_ascii_case(name));
        let mut found = header.iter().enumerate().filter(|(_, column)| is(column)).map(|(at, _)| at);
        let first = found.next();
        match found.next() {
            Some(_) => Err(format!("the column `{}` is there twice", names[0])),
            None => Ok(first),
        }
    };
    let missing = |name: &str| format!("there is no column `{name}`");
    // A file of results has our own column; only where there is none, another of that name is meant.
    let row = match header.iter().position(|column| column.trim().eq_ignore_ascii_case("subops_row")) {
        Some(at) => at,
        None => find(["subops_row", "row"])?.ok_or_else(|| missing("subops_row"))?,
    };
    let decision = find(["decision", "subops_decision"])?.ok_or_else(|| missing("decision"))?;
    Ok(Columns { row, decision, reason: find(["reason", "subops_reason"])? })
}
