//! Reads CSV as RFC 4180 has it, one record at a time into reused buffers.
//!
//! A strict reader of our own, because the libraries for this prefer some parse over none: a stray quote that swallows
//! the following lines into one cell, or a file that is cut off inside a quoted cell, comes out of them as good data,
//! and rows are lost without a word. Here both are errors, and every record knows the line on which it starts.

use super::fault::FileFault;
use super::source::{Limits, TextSource, whole_lines};

/// The separators that are looked for where none is given.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The most cells of a record: those of a spreadsheet.
const MOST_CELLS: usize = 16_384;

/// One record: its cells, and where it starts.
#[derive(Default)]
pub(super) struct Record {
    text: String,
    ends: Vec<usize>,
    line: u64,
}

impl Record {
    /// How many cells it has.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at this position, counted from 0; empty where there is none.
    pub(super) fn get(&self, position: usize) -> &str {
        let Some(&end) = self.ends.get(position) else { return "" };
        let start = position.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        &self.text[start..end]
    }

    /// All cells in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|position| self.get(position))
    }

    /// The line on which it starts.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The line on which a cell starts: line breaks inside earlier cells count.
    pub(super) fn line_of(&self, position: usize) -> u64 {
        let breaks = |cell: &str| cell.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.line + (0..position).map(|before| breaks(self.get(before))).sum::<u64>()
    }

    fn restart(&mut self, line: u64) {
        self.text.clear();
        self.ends.clear();
        self.line = line;
    }

    fn open_field(&self) -> usize {
        self.text.len() - self.ends.last().copied().unwrap_or(0)
    }

    fn close_field(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// Where in a record the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a cell.
    Start,
    /// In a cell without quotes.
    Bare,
    /// In a quoted cell.
    Quoted,
    /// After a quote that ends the cell or is the first of two.
    AfterQuote,
    /// After a carriage return that must be followed by a line feed.
    AfterReturn,
}

/// Reads records from a source.
pub(super) struct CsvReader {
    source: TextSource,
    parser: Parser,
}

impl CsvReader {
    /// Reads from the start of `source`. Where no separator is given, the first line tells it.
    pub(super) fn new(mut source: TextSource, given: Option<u8>, limits: Limits) -> Result<Self, FileFault> {
        let separator = match given {
            Some(separator) => separator,
            None => match find_separator(source.chunk()?) {
                Ok(separator) => separator,
                Err((one, other)) => {
                    let message = format!("the header may be separated by `{one}` or by `{other}`");
                    return Err(FileFault::new(source.shown(), message)
                        .line(1)
                        .hint("name the separator: `--delimiter \",\"`"));
                }
            },
        };
        let parser = Parser { separator, limits, state: State::Start, line: 1, opened: 1, quoted: false };
        Ok(Self { source, parser })
    }

    /// The separator that is read.
    pub(super) fn separator(&self) -> u8 {
        self.parser.separator
    }

    /// Where the records come from.
    pub(super) fn source(&self) -> &TextSource {
        &self.source
    }

    /// Passes over records before this line, as far as they have no quotes, without a look at them. Must be called between
    /// two records. What is read next may still be before the line.
    pub(super) fn pass_to(&mut self, line: u64) -> Result<(), FileFault> {
        while self.parser.line < line {
            let chunk = self.source.chunk()?;
            let plain = memchr::memchr(b'"', chunk.as_bytes()).unwrap_or(chunk.len());
            let (passed, used) = whole_lines(&chunk[..plain], line - self.parser.line);
            if passed == 0 {
                return Ok(());
            }
            self.parser.line += passed;
            self.source.consume(used);
        }
        Ok(())
    }

    /// Reads the next record into `record`; false after the last. Blank lines are passed over.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, FileFault> {
        self.parser.start(record);
        loop {
            let chunk = self.source.chunk()?;
            let step = if chunk.is_empty() {
                self.parser.end(record).map(|found| (0, Some(found)))
            } else {
                self.parser.feed(chunk, record)
            };
            match step {
                Ok((used, done)) => {
                    self.source.consume(used);
                    if let Some(found) = done {
                        return Ok(found);
                    }
                }
                Err(trouble) => return Err(self.fault(&trouble, record)),
            }
        }
    }

    fn fault(&self, trouble: &Trouble, record: &Record) -> FileFault {
        let at = |line: u64, message: String| {
            FileFault::new(self.source.shown(), message).line(line).column(record.len() as u64 + 1)
        };
        let limits = self.parser.limits;
        match trouble {
            Trouble::Unclosed => at(self.parser.opened, "a quoted cell starts here and never ends".to_owned())
                .hint("the file is cut off, or a quote inside a cell is not written twice"),
            Trouble::TextAfterQuote => at(self.parser.line, "text after the quote that ends a cell".to_owned())
                .hint("a quote inside a quoted cell is written twice: \"\""),
            Trouble::LoneReturn => at(self.parser.line, "a carriage return without a line feed".to_owned())
                .hint("save the file with line ends of Windows or Unix"),
            Trouble::FieldTooLong => {
                at(record.line(), format!("a field of more than {} bytes", limits.field)).hint(quote_hint())
            }
            Trouble::RowTooLong => {
                at(record.line(), format!("a row of more than {} bytes", limits.row)).hint(quote_hint())
            }
            Trouble::TooManyCells => {
                at(record.line(), format!("a row of more than {MOST_CELLS} cells")).hint(quote_hint())
            }
        }
    }
}

fn quote_hint() -> &'static str {
    "perhaps a quote is missing, or this is not a CSV file"
}

/// What no CSV file has.
enum Trouble {
    Unclosed,
    TextAfterQuote,
    LoneReturn,
    FieldTooLong,
    RowTooLong,
    TooManyCells,
}

/// The state of the reading, apart from where the text comes from.
struct Parser {
    separator: u8,
    limits: Limits,
    state: State,
    /// The current line.
    line: u64,
    /// The line on which the last quoted cell started.
    opened: u64,
    /// Whether the record has a quoted cell: `""` alone on a line is a record, nothing is none.
    quoted: bool,
}

impl Parser {
    fn start(&mut self, record: &mut Record) {
        record.restart(self.line);
        self.state = State::Start;
        self.quoted = false;
    }

    /// Takes text until a record is complete. Gives how much was used, and `Some(true)` at the end of a record.
    fn feed(&mut self, chunk: &str, record: &mut Record) -> Result<(usize, Option<bool>), Trouble> {
        let bytes = chunk.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match (self.state, byte) {
                (State::Quoted, _) => {
                    at += self.take_quoted(&chunk[at..], record)?;
                    continue;
                }
                (State::AfterQuote, b'"') => {
                    record.text.push('"');
                    self.state = State::Quoted;
                }
                (_, b'\n') => {
                    self.line += 1;
                    if self.end_line(record) {
                        return Ok((at + 1, Some(true)));
                    }
                }
                (State::AfterReturn, _) => return Err(Trouble::LoneReturn),
                (_, b'\r') => self.state = State::AfterReturn,
                (_, separator) if separator == self.separator => {
                    if record.ends.len() == MOST_CELLS {
                        return Err(Trouble::TooManyCells);
                    }
                    record.close_field();
                    self.state = State::Start;
                }
                (State::Start, b'"') => {
                    (self.state, self.opened, self.quoted) = (State::Quoted, self.line, true);
                }
                (State::AfterQuote, _) => return Err(Trouble::TextAfterQuote),
                (State::Start | State::Bare, _) => {
                    at += self.take_bare(&chunk[at..], record)?;
                    continue;
                }
            }
            at += 1;
        }
        Ok((at, None))
    }

    /// What the end of the text means: false where no record was begun.
    fn end(&mut self, record: &mut Record) -> Result<bool, Trouble> {
        if self.state == State::Quoted { Err(Trouble::Unclosed) } else { Ok(self.end_line(record)) }
    }

    /// Ends the record, unless the line was blank.
    fn end_line(&mut self, record: &mut Record) -> bool {
        let blank = record.ends.is_empty() && record.text.is_empty() && !self.quoted;
        if blank {
            self.start(record);
        } else {
            record.close_field();
        }
        !blank
    }

    fn take_bare(&mut self, rest: &str, record: &mut Record) -> Result<usize, Trouble> {
        let separator = self.separator;
        let stops = |byte: u8| byte == separator || byte == b'\n' || byte == b'\r';
        let length = rest.bytes().position(stops).unwrap_or(rest.len());
        self.state = State::Bare;
        self.take(&rest[..length], record)?;
        Ok(length)
    }

    fn take_quoted(&mut self, rest: &str, record: &mut Record) -> Result<usize, Trouble> {
        let quote = rest.bytes().position(|byte| byte == b'"');
        let text = &rest[..quote.unwrap_or(rest.len())];
        self.line += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.take(text, record)?;
        if quote.is_some() {
            self.state = State::AfterQuote;
        }
        Ok(text.len() + usize::from(quote.is_some()))
    }

    fn take(&self, text: &str, record: &mut Record) -> Result<(), Trouble> {
        if record.open_field() + text.len() > self.limits.field {
            return Err(Trouble::FieldTooLong);
        }
        if record.text.len() + text.len() > self.limits.row {
            return Err(Trouble::RowTooLong);
        }
        record.text.push_str(text);
        Ok(())
    }
}

/// Finds the separator that the header uses most. An error where two are used equally often.
fn find_separator(text: &str) -> Result<u8, (char, char)> {
    let mut counts = [0_usize; SEPARATORS.len()];
    let mut quoted = false;
    let mut begun = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted && begun => break,
            b'\r' | b'\n' => continue,
            _ if quoted => {}
            _ => {
                for (count, separator) in counts.iter_mut().zip(SEPARATORS) {
                    *count += usize::from(byte == separator);
                }
            }
        }
        begun = true;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let mut used = counts.iter().zip(SEPARATORS).filter(|(count, _)| **count == most).map(|(_, separator)| separator);
    match (most, used.next(), used.next()) {
        (1.., Some(one), Some(other)) => Err((char::from(one), char::from(other))),
        (1.., Some(separator), None) => Ok(separator),
        _ => Ok(b','),
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
