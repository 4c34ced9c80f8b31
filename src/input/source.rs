//! From a file to checked text: opens it, expands it, decodes it, and refuses what no text file holds.
//!
//! Whoever reads from here gets valid UTF-8 without NUL characters, at most as much as the limits allow, from a file
//! that is still the planned one. It knows nothing of rows.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::fault::FileFault;
use super::watch::{Fingerprint, Watch, Watched};

/// How much is read at a time.
const BUFFER: usize = 64 * 1024;

/// How much an input may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that a compressed file may expand to.
    pub expanded: u64,
    /// The most bytes of one field.
    pub field: usize,
    /// The most bytes of one row.
    pub row: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { expanded: 8 << 30, field: 1 << 20, row: 4 << 20 }
    }
}

/// What to open and how.
pub(super) struct Opening<'a> {
    pub(super) path: &'a Path,
    pub(super) shown: &'a str,
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) limits: Limits,
    /// What the file must still be; none where it is being planned.
    pub(super) planned: Option<Fingerprint>,
    /// Digests the file's own bytes, before they are expanded.
    pub(super) hasher: Option<blake3::Hasher>,
}

/// A stream of checked text.
pub(super) struct TextSource {
    reader: Box<dyn Read>,
    watch: Watch,
    shown: String,
    fingerprint: Fingerprint,
    encoding: &'static Encoding,
    /// Bytes as they came; the first `carried` are the start of a character whose rest is still to come.
    raw: Vec<u8>,
    carried: usize,
    text: String,
    at: usize,
    /// The line and the byte in it at which the next text starts, both counted from 0.
    lines: u64,
    bytes_in_line: u64,
}

impl TextSource {
    /// Opens a file. An error where there is none, where it is no regular file, or is not the planned one.
    pub(super) fn open(opening: Opening<'_>) -> Result<Self, FileFault> {
        let shown = opening.shown;
        let cannot = |error: io::Error| FileFault::new(shown, format!("cannot be read: {error}"));
        let file = File::open(opening.path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if !metadata.is_file() {
            return Err(FileFault::new(shown, "is not a regular file, and a resume must be able to read it again")
                .hint("give the rows on standard input instead: `-`"));
        }
        let fingerprint = Fingerprint::of(&metadata);
        if opening.planned.is_some_and(|planned| planned != fingerprint) {
            return Err(changed(shown));
        }
        let (watched, watch) = Watched::new(file, fingerprint, opening.hasher);
        let spoiled = |error: io::Error| spoiled(shown, &watch, &error);
        let expanded = expand(Box::new(watched), opening.limits.expanded).map_err(spoiled)?;
        let (reader, encoding) = decode(expanded, opening.encoding).map_err(spoiled)?;
        Ok(Self {
            reader,
            watch,
            shown: shown.to_owned(),
            fingerprint,
            encoding,
            raw: vec![0; BUFFER],
            carried: 0,
            text: String::with_capacity(BUFFER),
            at: 0,
            lines: 0,
            bytes_in_line: 0,
        })
    }

    /// The text that is there and not consumed; empty only after the last of it.
    pub(super) fn chunk(&mut self) -> Result<&str, FileFault> {
        if self.at == self.text.len() {
            self.refill()?;
        }
        Ok(&self.text[self.at..])
    }

    /// Marks the first `count` bytes of the chunk as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.at = (self.at + count).min(self.text.len());
    }

    /// The input's name, as the person wrote it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The encoding that is read: the one given, or found by its mark, or UTF-8.
    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// What the file was when it was opened.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Confirms after the last chunk that all of the planned file was read, and gives its digest where one was asked
    /// for.
    pub(super) fn finish(&self) -> Result<Option<blake3::Hash>, FileFault> {
        if self.watch.complete() { Ok(self.watch.digest()) } else { Err(changed(&self.shown)) }
    }

    fn refill(&mut self) -> Result<(), FileFault> {
        self.text.clear();
        self.at = 0;
        let mut filled = self.carried;
        let mut ended = false;
        while filled < self.raw.len() && !ended {
            match self.reader.read(&mut self.raw[filled..]) {
                Ok(0) => ended = true,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(spoiled(&self.shown, &self.watch, &error)),
            }
        }
        match std::str::from_utf8(&self.raw[..filled]) {
            Ok(text) => self.text.push_str(text),
            Err(error) => {
                let (valid, rest) = self.raw[..filled].split_at(error.valid_up_to());
                self.text.push_str(&String::from_utf8_lossy(valid));
                if error.error_len().is_some() || ended {
                    let byte = rest.first().copied().unwrap_or_default();
                    let what = format!("byte {byte:#04x} is not valid UTF-8");
                    return Err(self
                        .fault_at(self.text.len(), what)
                        .hint("if the file comes from an older Windows program, try `--encoding windows-1252`"));
                }
            }
        }
        let taken = self.text.len();
        self.raw.copy_within(taken..filled, 0);
        self.carried = filled - taken;
        self.refuse_strange_characters()?;
        self.advance(taken);
        Ok(())
    }

    fn refuse_strange_characters(&self) -> Result<(), FileFault> {
        if let Some(at) = self.text.bytes().position(|byte| byte == 0) {
            return Err(self
                .fault_at(at, "a NUL byte, which no text file holds")
                .hint("if the file is UTF-16, name its encoding: `--encoding utf-16le`"));
        }
        // The decoder puts this character where it could not decode: taking it as data would send a damaged value.
        if self.encoding != UTF_8
            && let Some(at) = self.text.find('\u{fffd}')
        {
            return Err(self
                .fault_at(at, format!("bytes that are not valid {}", self.encoding.name()))
                .hint("check the encoding that was named"));
        }
        Ok(())
    }

    /// A fault at this byte of the text that was just read.
    fn fault_at(&self, at: usize, message: impl Into<String>) -> FileFault {
        let before = &self.text.as_bytes()[..at];
        let lines = self.lines + count_lines(before);
        let column = match before.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => (at - newline) as u64,
            None => self.bytes_in_line + at as u64 + 1,
        };
        FileFault::new(&self.shown, message).line(lines + 1).column(column)
    }

    fn advance(&mut self, taken: usize) {
        let bytes = &self.text.as_bytes()[..taken];
        self.lines += count_lines(bytes);
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => self.bytes_in_line = (taken - newline - 1) as u64,
            None => self.bytes_in_line += taken as u64,
        }
    }
}

/// How many whole lines `text` begins with, at most `most`, and how many bytes they have.
pub(super) fn whole_lines(text: &str, most: u64) -> (u64, usize) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).take(most);
    ends.fold((0, 0), |(lines, _), end| (lines + 1, end + 1))
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn changed(shown: &str) -> FileFault {
    FileFault::new(shown, "changed since it was planned").hint("plan it again, and check that nothing is writing to it")
}

/// Tells what an I/O error means: the watch's own refusal comes back through decoders in their words.
fn spoiled(shown: &str, watch: &Watch, error: &io::Error) -> FileFault {
    if watch.changed() {
        changed(shown)
    } else if error.kind() == io::ErrorKind::UnexpectedEof {
        FileFault::new(shown, "ends in the middle of its compressed data").hint("transfer or create it again")
    } else {
        FileFault::new(shown, format!("cannot be read: {error}"))
    }
}

/// Expands gzip and Zstandard, known by their first bytes: a spooled file has no telling name.
fn expand(reader: Box<dyn Read>, limit: u64) -> io::Result<Box<dyn Read>> {
    let (start, reader) = peek(reader)?;
    match start.as_slice() {
        [0x1f, 0x8b, ..] => Ok(Box::new(Capped::new(flate2::read::MultiGzDecoder::new(reader), limit))),
        [0x28, 0xb5, 0x2f, 0xfd] => Ok(Box::new(Capped::new(zstd::Decoder::new(reader)?, limit))),
        _ => Ok(reader),
    }
}

/// Brings the text to UTF-8, without a byte order mark.
fn decode(reader: Box<dyn Read>, given: Option<&'static Encoding>) -> io::Result<(Box<dyn Read>, &'static Encoding)> {
    let (start, mut reader) = peek(reader)?;
    let encoding = given.unwrap_or(match start.as_slice() {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        _ => UTF_8,
    });
    if encoding != UTF_8 {
        return Ok((Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(reader)), encoding));
    }
    if start.starts_with(b"\xef\xbb\xbf") {
        reader.read_exact(&mut [0; 3])?;
    }
    Ok((reader, encoding))
}

/// The first four bytes (fewer where there are no more), and a reader that starts with them.
fn peek(mut reader: Box<dyn Read>) -> io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut start = Vec::with_capacity(4);
    reader.by_ref().take(4).read_to_end(&mut start)?;
    let again = Cursor::new(start.clone()).chain(reader);
    Ok((start, Box::new(again)))
}

/// Ends with an error when more comes out than is allowed: a small file can expand without end.
struct Capped<R> {
    inner: R,
    limit: u64,
    left: u64,
}

impl<R> Capped<R> {
    fn new(inner: R, limit: u64) -> Self {
        Self { inner, limit, left: limit }
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| io::Error::other(format!("it expands to more than {} bytes", self.limit)))?;
        Ok(count)
    }
}
