//! A validated row: one operation to perform.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use zeroize::Zeroize;

use super::ids::{AccountName, RowNumber, SubjectKey};
use super::money::Money;
use super::operation::OperationSpec;

/// One row of the input, checked against its operation, ready to be sent.
pub struct Row {
    /// Its name: the line it starts on.
    pub number: RowNumber,
    /// What to do.
    pub operation: &'static OperationSpec,
    /// In which account.
    pub account: AccountName,
    /// The checked parameter values.
    pub values: Values,
    /// What it acts on; none where the operation has no subject.
    pub subject: Option<SubjectKey>,
    /// The money it is about, if any.
    pub amount: Option<Money>,
}

impl Row {
    /// The value of a parameter, by name; case is ignored. None where it was not given.
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.values.get(self.operation.position(parameter)?)
    }

    /// The given parameters with their values, in the order of the declaration.
    pub fn given(&self) -> impl Iterator<Item = (&'static super::operation::Parameter, &str)> {
        let parameters = self.operation.parameters;
        parameters.iter().enumerate().filter_map(|(at, parameter)| Some((parameter, self.values.get(at)?)))
    }
}

impl Row {
    /// The operation and what it is given, as one JSON object; secrets are left out.
    pub fn as_sent(&self) -> String {
        // Text into memory has nothing to fail of; an empty one is kept as none.
        serde_json::to_string(&Sent(self)).unwrap_or_default()
    }
}

/// A row as it is kept. Written as it goes, without a tree of values: each row makes one.
struct Sent<'a>(&'a Row);

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sent = serializer.serialize_map(None)?;
        sent.serialize_entry("operation", self.0.operation.name)?;
        for (parameter, value) in self.0.given().filter(|(parameter, _)| !parameter.kind.is_secret()) {
            sent.serialize_entry(parameter.name, value)?;
        }
        sent.end()
    }
}

/// Shows which row it is and never what it holds: some values are card numbers.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("operation", &self.operation.name)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Parameter values by their position in the operation's declaration, in canonical spelling. Wiped when dropped.
#[derive(Clone, Default)]
pub struct Values(Vec<Option<Box<str>>>);

impl Values {
    /// Room for `parameters` values, none of them given.
    pub fn new(parameters: usize) -> Self {
        Self(vec![None; parameters])
    }

    /// Sets the value at `position`. A position that the operation does not have is ignored.
    pub fn set(&mut self, position: usize, value: impl Into<Box<str>>) {
        if let Some(slot) = self.0.get_mut(position) {
            *slot = Some(value.into());
        }
    }

    /// The value at `position`.
    pub fn get(&self, position: usize) -> Option<&str> {
        self.0.get(position)?.as_deref()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({} given)", self.0.iter().flatten().count())
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        for value in self.0.iter_mut().flatten() {
            value.zeroize();
        }
    }
}
