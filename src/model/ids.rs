//! Names for runs, rows, accounts and subjects.

use std::fmt;
use std::sync::Arc;

/// The number of a run in its journal, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A row's name: the line of the input on which it starts, counted from 1 (so a CSV file's first row is 2, or more
/// where its header has line breaks).
///
/// One number serves error messages, the journal, the results and `--row`, because it is the one that an editor shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowNumber(pub u64);

impl fmt::Display for RowNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of an account, as rows, jobs and the configuration refer to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Takes the name as it was written.
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The things of one kind in one account: what all of their keys begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectSpace(Box<str>);

impl SubjectSpace {
    /// The things of kind `kind` (the parameter's name; its case is ignored) in `account`.
    pub fn new(account: &AccountName, kind: &str) -> Self {
        Self(format!("{account}\n{}\n", kind.to_ascii_lowercase()).into_boxed_str())
    }

    /// The key of the one with the identifier `id`.
    pub fn key(&self, id: &str) -> SubjectKey {
        SubjectKey([&self.0, id].concat().into_boxed_str())
    }
}

/// What a row acts on: rows with equal keys run one at a time, in file order.
///
/// The key holds the account, the kind of thing (a purchase and a transaction may share a number) and the identifier in
/// its canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectKey(Box<str>);

impl SubjectKey {
    /// Builds the key of `id`, a thing of kind `kind` (the parameter's name; its case is ignored) in `account`.
    pub fn new(account: &AccountName, kind: &str, id: &str) -> Self {
        SubjectSpace::new(account, kind).key(id)
    }

    /// The identifier alone, for a person to read.
    pub fn id(&self) -> &str {
        self.0.rsplit('\n').next().unwrap_or_default()
    }

    /// The whole key as text, for storing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key that was stored as this text.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The whole key as bytes, for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
