//! CSV as files have it, read from real files through the whole chain of readers.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::input::source::Opening;

fn read_bytes(bytes: &[u8], separator: Option<u8>, limits: Limits) -> Result<Vec<(u64, Vec<String>)>, FileFault> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let opening = Opening { path: file.path(), shown: "x.csv", encoding: None, limits, planned: None, hasher: None };
    let mut reader = CsvReader::new(TextSource::open(opening)?, separator, limits)?;
    let (mut record, mut records) = (Record::default(), Vec::new());
    while reader.read(&mut record)? {
        records.push((record.line(), record.cells().map(str::to_owned).collect()));
    }
    reader.source().finish()?;
    Ok(records)
}

fn read(text: &str) -> Result<Vec<(u64, Vec<String>)>, FileFault> {
    read_bytes(text.as_bytes(), Some(b','), Limits::default())
}

fn records(text: &str) -> Vec<(u64, String)> {
    read(text).expect("good").into_iter().map(|(line, cells)| (line, cells.join("|"))).collect()
}

fn fault(text: &str) -> String {
    let fault = read(text).expect_err("refused").to_string();
    fault.lines().next().unwrap_or_default().to_owned()
}

fn owned(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect()
}

#[test]
fn every_record_knows_its_line() {
    let expected = owned(&[(1, "a|b"), (2, "1|x\ny"), (4, "2|"), (7, "3|z")]);
    let text = "a,b\n1,\"x\ny\"\n2,\n\n\n3,z\n\n";
    assert_eq!(records(text), expected);
    let windows: Vec<_> = records(&text.replace('\n', "\r\n")).into_iter().map(|(line, _)| line).collect();
    assert_eq!(windows, [1, 2, 4, 7]);
    assert_eq!(records("a,b\n1,\"x\ny\"\n2,\n\n\n3,z"), expected, "no line end at the end");
    assert_eq!(records("\u{feff}a\n1\n"), owned(&[(1, "a"), (2, "1")]));
    assert_eq!(records("a\r\n1\n2\r\n"), owned(&[(1, "a"), (2, "1"), (3, "2")]), "mixed line ends");
}

#[test]
fn quotes() {
    assert_eq!(records("\"a\"\"b\",\"\",\"c,d\"\n"), owned(&[(1, "a\"b||c,d")]));
    assert_eq!(records("a\n\"\"\n"), owned(&[(1, "a"), (2, "")]), "an empty cell is a record, a blank line is none");
    assert_eq!(records("5\" disk,b\n"), owned(&[(1, "5\" disk|b")]));
}

#[test]
fn what_would_lose_rows_is_refused() {
    assert_eq!(fault("a,b\n1,\"x\n2,y\n"), "x.csv:2:2: a quoted cell starts here and never ends");
    assert_eq!(fault("a,b\n1,\"x\n2,y\n3,\"z\n"), "x.csv:4:2: text after the quote that ends a cell");
    assert_eq!(fault("a\r1\r2\r"), "x.csv:1:1: a carriage return without a line feed");
}

#[test]
fn no_field_and_no_row_grows_without_end() {
    let ten_mebibytes = format!("a\n{}\n", "x".repeat(10 << 20));
    assert_eq!(fault(&ten_mebibytes), "x.csv:2:1: a field of more than 1048576 bytes");
    let row = format!("a\n{}\n", vec!["x".repeat(1 << 20); 5].join(","));
    assert_eq!(fault(&row), "x.csv:2:5: a row of more than 4194304 bytes");
    assert_eq!(fault(&",".repeat(20_000)), "x.csv:1:16385: a row of more than 16384 cells");
    assert!(read(&format!("{}\n", "x".repeat(1 << 20))).is_ok());
}

#[test]
fn the_separator_is_found() {
    for (header, expected) in [
        ("a,b,c\n1;1;1;1;1\n", Ok(b',')),
        ("a;b;c\n", Ok(b';')),
        ("a\tb\r\n", Ok(b'\t')),
        ("a|b,c|d", Ok(b'|')),
        ("\"a;b;c\",d", Ok(b',')),
        ("\n\na;b\n", Ok(b';')),
        ("a\n1,2\n", Ok(b',')),
        ("", Ok(b',')),
        ("a,b;c", Err((',', ';'))),
    ] {
        assert_eq!(find_separator(header), expected, "{header:?}");
    }
}

fn cells() -> impl Strategy<Value = Vec<Vec<String>>> {
    let cell = "[a-z,;\"\n\r\t äß€]{0,6}";
    (1_usize..5).prop_flat_map(move |width| prop::collection::vec(prop::collection::vec(cell, width), 1..20))
}

proptest! {
    /// Whatever a writer of the format can write comes back, on the lines that an editor shows.
    #[test]
    fn what_is_written_reads_back(rows in cells(), windows in any::<bool>()) {
        let terminator = if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new()
            .terminator(terminator)
            .quote_style(csv::QuoteStyle::Always)
            .from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("written");
        }
        let bytes = writer.into_inner().expect("all of it");
        let read = read_bytes(&bytes, Some(b','), Limits::default()).expect("good");
        let mut line = 1;
        prop_assert_eq!(read.len(), rows.len());
        for ((at, cells), row) in read.iter().zip(&rows) {
            prop_assert_eq!((at, cells), (&line, row));
            line += 1 + row.iter().flat_map(|cell| cell.bytes()).filter(|byte| *byte == b'\n').count() as u64;
        }
    }

    /// On any text: what is accepted means the same to the usual lenient reader.
    #[test]
    fn what_is_accepted_is_not_understood_otherwise(text in "[ab,\"\n\r]{0,40}") {
        if let Ok(ours) = read(&text) {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> = reader
                .records()
                .map(|record| record.expect("lenient").iter().map(str::to_owned).collect())
                .collect();
            let ours: Vec<Vec<String>> = ours.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
