//! The list of every effect that the sandbox applied: the witness against which a client's own record is judged.
//!
//! It only grows. An effect is written here before it takes place and before the reply is sent, so that no client can
//! have heard of an effect that the ledger does not hold. It must not hold credentials: those who append leave them out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

/// Lines are kept compressed in blocks of about this size, since a long run leaves millions of them.
const BLOCK_BYTES: usize = 64 * 1024;

/// One effect, as its provider describes it.
#[derive(Debug)]
pub(super) struct Effect<'a, R, S> {
    /// The provider's name.
    pub(super) provider: &'static str,
    /// The vendor's name of the operation.
    pub(super) operation: &'static str,
    /// What it acted on.
    pub(super) subject: &'a str,
    /// The parameters, without credentials.
    pub(super) request: R,
    /// What was there before it.
    pub(super) before: &'a S,
    /// What is there now.
    pub(super) after: &'a S,
}

#[derive(Serialize)]
struct Line<'a, R, S> {
    seq: u64,
    at: String,
    provider: &'a str,
    operation: &'a str,
    subject: &'a str,
    request: &'a R,
    before: &'a S,
    after: &'a S,
}

#[derive(serde::Deserialize)]
struct SubjectOnly<'a> {
    #[serde(borrow)]
    subject: std::borrow::Cow<'a, str>,
}

/// The ledger: in memory, and in a file where one is named.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    file: Option<File>,
    /// The number of the last effect, those of earlier sandboxes in the same file included.
    last: u64,
    /// Effects applied by this sandbox.
    count: u64,
    sealed: Vec<Vec<u8>>,
    open: Vec<u8>,
}

/// A ledger file that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot append to the ledger `{}`: {source}", path.display())]
pub struct LedgerError {
    path: PathBuf,
    source: io::Error,
}

impl Ledger {
    /// Opens the ledger. A file that exists is appended to, and its numbering goes on.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, LedgerError> {
        let Some(path) = path else { return Ok(Self::default()) };
        let open = || -> io::Result<(File, u64)> {
            let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
            let mut lines = 0;
            for line in BufReader::new(&file).split(b'\n') {
                line?;
                lines += 1;
            }
            Ok((file, lines))
        };
        let (file, last) = open().map_err(|source| LedgerError { path: path.to_owned(), source })?;
        Ok(Self { file: Some(file), last, ..Self::default() })
    }

    /// Appends one effect. After `Ok` it is in the file, whatever becomes of this process; after `Err` the caller must
    /// not let the effect take place.
    pub(super) fn append<R: Serialize, S: Serialize>(&mut self, effect: &Effect<'_, R, S>) -> io::Result<()> {
        let start = self.open.len();
        let line = Line {
            seq: self.last + 1,
            at: now(),
            provider: effect.provider,
            operation: effect.operation,
            subject: effect.subject,
            request: &effect.request,
            before: effect.before,
            after: effect.after,
        };
        let written = serde_json::to_writer(&mut self.open, &line).map_err(io::Error::from).and_then(|()| {
            self.open.push(b'\n');
            // One write of the whole line: a killed sandbox leaves no half of one.
            self.file.as_mut().map_or(Ok(()), |file| file.write_all(&self.open[start..]))
        });
        if let Err(error) = written {
            self.open.truncate(start);
            return Err(error);
        }
        self.last += 1;
        self.count += 1;
        self.seal_full_block();
        Ok(())
    }

    /// The number of effects applied.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The effects as a JSON array, all of them or those of one subject.
    pub(super) fn to_json(&self, subject: Option<&str>) -> io::Result<Vec<u8>> {
        let mut json = vec![b'['];
        for block in &self.sealed {
            push_lines(&mut json, &zstd::decode_all(block.as_slice())?, subject);
        }
        push_lines(&mut json, &self.open, subject);
        json.push(b']');
        Ok(json)
    }

    fn seal_full_block(&mut self) {
        if self.open.len() < BLOCK_BYTES {
            return;
        }
        // Where compression fails the lines stay as they are, and it is tried again with the next one.
        if let Ok(block) = zstd::encode_all(self.open.as_slice(), 1) {
            self.sealed.push(block);
            self.open.clear();
        }
    }
}

fn push_lines(json: &mut Vec<u8>, lines: &[u8], subject: Option<&str>) {
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let wanted = subject.is_none_or(|subject| {
            serde_json::from_slice::<SubjectOnly<'_>>(line).is_ok_and(|entry| entry.subject == subject)
        });
        if wanted {
            if json.len() > 1 {
                json.extend_from_slice(b",\n");
            }
            json.extend_from_slice(line);
        }
    }
}

/// The time as RFC 3339, to the microsecond.
fn now() -> String {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    fn append(ledger: &mut Ledger, subject: &str) {
        let effect = Effect {
            provider: "segpay",
            operation: "ExtendMembership",
            subject,
            request: [("Days", "30")],
            before: &"2026-12-01",
            after: &"2026-12-31",
        };
        ledger.append(&effect).expect("room in memory");
    }

    fn subjects(ledger: &Ledger, subject: Option<&str>) -> Vec<(u64, String)> {
        let json = ledger.to_json(subject).expect("readable blocks");
        let entries: Vec<serde_json::Value> = serde_json::from_slice(&json).expect("a JSON array");
        let of = |entry: &serde_json::Value| {
            let seq = entry["seq"].as_u64().expect("a number");
            (seq, entry["subject"].as_str().expect("a subject").to_owned())
        };
        entries.iter().map(of).collect()
    }

    #[test]
    fn effects_come_back_in_order_across_blocks() {
        let mut ledger = Ledger::default();
        assert_eq!(subjects(&ledger, None), []);
        for subject in 0..2_000 {
            append(&mut ledger, &subject.to_string());
        }
        assert!(ledger.sealed.len() > 2, "the test must cross blocks");
        let expected: Vec<_> = (0..2_000).map(|subject| (subject + 1, subject.to_string())).collect();
        assert_eq!(subjects(&ledger, None), expected);
        assert_eq!(subjects(&ledger, Some("77")), [(78, "77".to_owned())]);
        assert_eq!(subjects(&ledger, Some("7")), [(8, "7".to_owned())], "a subject is matched as a whole");
        assert_eq!(ledger.count(), 2_000);
    }

    #[test]
    fn a_file_holds_one_line_an_effect_and_is_only_appended_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger.jsonl");
        for _ in 0..2 {
            let mut ledger = Ledger::open(Some(&path)).expect("a ledger");
            append(&mut ledger, "80012345");
            assert_eq!(ledger.count(), 1);
        }
        let text = std::fs::read_to_string(&path).expect("the file");
        let numbers: Vec<_> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a JSON object")["seq"].clone())
            .collect();
        assert_eq!(numbers, [1, 2]);
        let missing = Ledger::open(Some(&folder.path().join("no/such/folder"))).expect_err("no folder");
        assert!(missing.to_string().starts_with("cannot append to the ledger `"));
    }

    #[test]
    fn an_effect_that_cannot_be_written_is_not_counted() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            return;
        }
        let mut ledger =
            Ledger { file: Some(File::options().write(true).open(full).expect("it exists")), ..Ledger::default() };
        let effect = Effect { provider: "p", operation: "o", subject: "1", request: (), before: &1, after: &2 };
        assert!(ledger.append(&effect).is_err());
        assert_eq!((ledger.count(), ledger.to_json(None).expect("an array")), (0, b"[]".to_vec()));
    }
}
