//! Rows of an input that cannot be sent: where, what, and what was expected; as text and as JSON. Pure.

use serde::Serialize;

use super::format::{columns, count, counted, flow, left, printable, sentence, shortened};
use super::style::Style;

/// The most faults that are shown; all of them are counted.
pub const MOST: usize = 20;

/// One fault. Card data must be masked before it comes here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FaultLine {
    /// The row it is in.
    pub row: u64,
    /// The line it is on, which for a row of several lines may be a later one.
    pub line: u64,
    /// The column of the table, counted from 1.
    pub column: Option<usize>,
    /// The column's name.
    pub name: Option<String>,
    /// What stands there; without a name, what is wrong with the row (`4 fields`).
    pub value: Option<String>,
    /// What was expected.
    pub expected: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What is wrong with an input.
#[derive(Debug, Clone, Copy)]
pub struct Faults<'a> {
    /// The input, as the person named it.
    pub input: &'a str,
    /// All rows of the input, good and bad.
    pub rows: u64,
    /// Bad rows.
    pub bad_rows: u64,
    /// The first faults.
    pub faults: &'a [FaultLine],
    /// The command that sends the others, where there are others.
    pub skip: Option<&'a str>,
}

/// The faults as text.
pub fn text(faults: &Faults<'_>, style: &Style) -> String {
    let mut text = format!("{} {}\n\n", style.alarm("error:"), headline(faults));
    let shown = &faults.faults[..faults.faults.len().min(MOST)];
    let places: Vec<String> = shown.iter().map(|fault| place(faults.input, fault)).collect();
    let values: Vec<String> = shown.iter().map(value).collect();
    let widest = |texts: &[String]| texts.iter().map(|text| columns(text)).max().unwrap_or(0);
    let (place_width, value_width) = (widest(&places), widest(&values));
    for (fault, (place, value)) in shown.iter().zip(places.iter().zip(&values)) {
        text.push_str(&line(fault, &left(place, place_width), &left(value, value_width), style));
    }
    let more = faults.bad_rows.saturating_sub(distinct_rows(shown));
    if more > 0 {
        text.push_str(&format!("  … and {}\n", counted(more, "more bad row", "more bad rows")));
    }
    text.push_str(&format!("\n{}\n", what_to_do(faults, style)));
    text
}

fn headline(faults: &Faults<'_>) -> String {
    let rows = counted(faults.rows, "row", "rows");
    format!("{} of {rows} cannot be sent; nothing was sent", count(faults.bad_rows))
}

fn place(input: &str, fault: &FaultLine) -> String {
    let column = fault.column.map_or(String::new(), |column| format!(":{column}"));
    format!("{}:{}{column}", printable(input), fault.line)
}

/// A value is cut where it is long: it is there to be recognised.
fn value(fault: &FaultLine) -> String {
    const LONGEST: usize = 30;
    let value = fault.value.as_deref().map(|value| shortened(&printable(value), LONGEST));
    match (&fault.name, value) {
        (Some(name), Some(value)) => format!("{} = `{value}`", printable(name)),
        (Some(name), None) => printable(name),
        (None, Some(value)) => value,
        (None, None) => String::new(),
    }
}

/// On one line where there is room, else what was expected goes below.
fn line(fault: &FaultLine, place: &str, value: &str, style: &Style) -> String {
    const HINT: usize = 6;
    let expected = format!("expected {}", printable(&fault.expected));
    let head = format!("  {place}  {value}  ");
    let mut text = if columns(&head) + columns(&expected) <= style.width {
        format!("{head}{expected}\n")
    } else {
        let indent = " ".repeat(HINT);
        let expected = sentence(&expected, HINT, HINT + 2, style.width);
        format!("{}\n{indent}{expected}\n", head.trim_end())
    };
    if let Some(hint) = &fault.hint {
        let hint = sentence(&format!("hint: {}", printable(hint)), HINT, HINT + 6, style.width);
        text.push_str(&format!("{}{}\n", " ".repeat(HINT), style.faint(&hint)));
    }
    text
}

fn distinct_rows(faults: &[FaultLine]) -> u64 {
    let rows: std::collections::BTreeSet<u64> = faults.iter().map(|fault| fault.row).collect();
    rows.len() as u64
}

fn what_to_do(faults: &Faults<'_>, style: &Style) -> String {
    let good = faults.rows.saturating_sub(faults.bad_rows);
    let correct = if faults.bad_rows == 1 { "Correct it" } else { "Correct them" };
    match faults.skip {
        Some(command) if good > 0 => {
            let other = if good == 1 { "the other one".to_owned() } else { format!("the other {}", count(good)) };
            let parts = [format!("{correct}, or send {other} with:"), style.strong(command)];
            format!("  {}", flow(&parts, "  ", 2, 4, style.width))
        }
        _ => format!("  {correct}, and start again."),
    }
}

#[derive(Serialize)]
struct FaultsJson<'a> {
    error: ErrorJson,
    input: &'a str,
    rows: u64,
    bad_rows: u64,
    faults: &'a [FaultLine],
    sent: bool,
}

/// As every other error is told.
#[derive(Serialize)]
struct ErrorJson {
    message: String,
    hint: Option<String>,
    exit_code: u8,
}

/// The faults as JSON: one object on one line, and a line break.
pub fn to_json(faults: &Faults<'_>) -> String {
    super::format::json(&FaultsJson {
        error: ErrorJson { message: headline(faults), hint: None, exit_code: 2 },
        input: faults.input,
        rows: faults.rows,
        bad_rows: faults.bad_rows,
        faults: &faults.faults[..faults.faults.len().min(MOST)],
        sent: false,
    })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    fn fault(line: u64, column: Option<usize>, name: Option<&str>, value: &str, expected: &str) -> FaultLine {
        FaultLine {
            row: line,
            line,
            column,
            name: name.map(str::to_owned),
            value: Some(value.to_owned()),
            expected: expected.to_owned(),
            hint: None,
        }
    }

    fn three() -> Vec<FaultLine> {
        let mut faults = vec![
            fault(17, Some(3), Some("Days"), "3O", "a whole number of days"),
            fault(52, None, None, "4 fields", "3 (PurchaseID, Days, note)"),
            fault(430, Some(1), Some("PurchaseID"), "8.0E+7", "a 32-bit whole number"),
        ];
        faults[2].hint = Some(
            "a spreadsheet turned the id into scientific notation; format the column as text and export again".into(),
        );
        faults
    }

    fn shown(faults: &[FaultLine], rows: u64, bad_rows: u64, width: usize) -> String {
        let skip = Some("subops run samples/extend.csv --skip-invalid");
        text(&Faults { input: "samples/extend.csv", rows, bad_rows, faults, skip }, &Style::plain(width))
    }

    #[test]
    fn aligned_with_hints_below() {
        let expected = "\
error: 3 of 1,000 rows cannot be sent; nothing was sent

  samples/extend.csv:17:3   Days = `3O`            expected a whole number of days
  samples/extend.csv:52     4 fields               expected 3 (PurchaseID, Days, note)
  samples/extend.csv:430:1  PurchaseID = `8.0E+7`  expected a 32-bit whole number
      hint: a spreadsheet turned the id into scientific notation; format the column as text and export again

  Correct them, or send the other 997 with:  subops run samples/extend.csv --skip-invalid
";
        assert_eq!(shown(&three(), 1_000, 3, 120), expected);
    }

    #[test]
    fn narrow_terminals_get_more_lines() {
        let expected = "\
error: 3 of 1,000 rows cannot be sent; nothing was sent

  samples/extend.csv:17:3   Days = `3O`
      expected a whole number of days
  samples/extend.csv:52     4 fields
      expected 3 (PurchaseID, Days, note)
  samples/extend.csv:430:1  PurchaseID = `8.0E+7`
      expected a 32-bit whole number
      hint: a spreadsheet turned the id into
            scientific notation; format the column
            as text and export again

  Correct them, or send the other 997 with:
    subops run samples/extend.csv --skip-invalid
";
        assert_eq!(shown(&three(), 1_000, 3, 52), expected);
    }

    #[test]
    fn at_most_twenty_are_shown_and_all_are_counted() {
        let faults: Vec<FaultLine> = (2..40).map(|line| fault(line, Some(1), Some("Days"), "x", "a number")).collect();
        let text = shown(&faults, 38, 38, 80);
        assert_eq!(text.matches("expected").count(), 20);
        assert!(text.ends_with("  … and 18 more bad rows\n\n  Correct them, and start again.\n"), "{text}");
    }

    #[test]
    fn a_value_cannot_break_the_screen() {
        let text = shown(&[fault(2, Some(1), Some("Days"), "\u{1b}[2J\n3", "a number")], 2, 1, 80);
        assert!(text.contains("Days = `\u{fffd}[2J 3`") && text.contains("Correct it, or send the other one with:"));
    }

    #[test]
    fn for_machines() {
        let faults = [fault(17, Some(3), Some("Days"), "3O", "a whole number of days")];
        let json = to_json(&Faults { input: "x.csv", rows: 10, bad_rows: 1, faults: &faults, skip: None });
        let expected = concat!(
            r#"{"error":{"message":"1 of 10 rows cannot be sent; nothing was sent","hint":null,"exit_code":2},"#,
            r#""input":"x.csv","rows":10,"bad_rows":1,"faults":[{"row":17,"line":17,"#,
            r#""column":3,"name":"Days","value":"3O","expected":"a whole number of days","hint":null}],"sent":false}"#,
            "\n"
        );
        assert_eq!(json, expected);
    }
}
