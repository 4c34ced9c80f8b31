//! The fields of a request: which there are, of which type, and what is said of one that is wrong.
//!
//! Numbers are kept as they were written: an amount never passes through floating point.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::model::money::parse_amount;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// One integer or a list of them: the page says the one, and its name the other.
    Integers,
    Boolean,
    Text,
    Amount,
    DateTime,
    Object(&'static [Field]),
}

/// One field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// A field that must be there.
pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

/// A field that may be left out, or be null.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// The fields of every request.
const CREDENTIALS: [Field; 2] = [required("vendorAccountId", Kind::Integer), required("apiSecretKey", Kind::Text)];

/// What is wrong with a request, as the vendor tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "propertyWithError")]
    property: String,
    #[serde(rename = "propertyErrorMessages")]
    messages: [String; 1],
}

impl Problem {
    pub(super) fn new(property: &str, message: impl Into<String>) -> Self {
        Self { property: property.to_owned(), messages: [message.into()] }
    }
}

/// A value, read by the type of its field.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Integer(i64),
    Integers(Vec<i64>),
    Boolean(bool),
    Text(String),
    Amount(Decimal),
    DateTime(DateTime),
    Object(Fields),
}

/// The fields that were given, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fields {
    values: BTreeMap<&'static str, Value>,
    /// The same as they were written, without the credentials: what the ledger keeps.
    written: serde_json::Map<String, serde_json::Value>,
}

/// The body, if it is an object.
pub(super) fn object(body: &[u8]) -> Option<&RawValue> {
    serde_json::from_slice::<&RawValue>(body).ok().filter(|value| value.get().starts_with('{'))
}

/// Whether the request names a subscription whose id is odd.
pub(super) fn names_odd_subscription(body: &RawValue) -> bool {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(rename = "subscriptionId")]
        id: i64,
    }
    serde_json::from_str::<Named>(body.get()).is_ok_and(|named| named.id % 2 != 0)
}

/// The same request about the next subscription.
pub(super) fn neighbours(body: &RawValue) -> Box<RawValue> {
    let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body.get()).unwrap_or_default();
    if let Some(id) = members.get_mut("subscriptionId") {
        *id = id.as_i64().map_or(0, |id| id + 1).into();
    }
    serde_json::value::to_raw_value(&members).unwrap_or_else(|_| body.to_owned())
}

impl Fields {
    /// Reads the fields of an operation, and names all that is wrong with them.
    pub(super) fn read(object: &RawValue, fields: &[Field]) -> Result<Self, Vec<Problem>> {
        let mut read = Self::members(object, &[&CREDENTIALS, fields])?;
        for credential in &CREDENTIALS {
            read.written.remove(credential.name);
        }
        Ok(read)
    }

    fn members(object: &RawValue, known: &[&[Field]]) -> Result<Self, Vec<Problem>> {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(object.get()).map_err(|error| vec![Problem::new("", error.to_string())])?;
        let known = || known.iter().copied().flatten();
        let (mut read, mut problems) = (Self::default(), Vec::new());
        for name in members.keys().filter(|name| known().all(|field| field.name != *name)) {
            problems.push(Problem::new(name, format!("The field {name} is not known.")));
        }
        for field in known() {
            match members.get(field.name).filter(|value| value.get() != "null") {
                Some(value) => match field.kind.read(value) {
                    Ok(value_read) => read.insert(field.name, value_read, value),
                    Err(expected) => {
                        problems.push(Problem::new(field.name, format!("The field {} must be {expected}.", field.name)))
                    }
                },
                None if field.required => {
                    problems.push(Problem::new(field.name, format!("The field {} is required.", field.name)));
                }
                None => {}
            }
        }
        if problems.is_empty() { Ok(read) } else { Err(problems) }
    }

    fn insert(&mut self, name: &'static str, value: Value, raw: &RawValue) {
        let written = match &value {
            // As text: in JSON's own numbers the zeros of an amount would be lost.
            Value::Amount(_) => raw.get().into(),
            _ => serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().into()),
        };
        self.written.insert(name.to_owned(), written);
        self.values.insert(name, value);
    }

    /// What the ledger keeps of the request.
    pub(super) fn written(&self) -> &serde_json::Map<String, serde_json::Value> {
        &self.written
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        if let Some(Value::Integer(value)) = self.values.get(name) { Some(*value) } else { None }
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        if let Some(Value::Integers(values)) = self.values.get(name) { Some(values) } else { None }
    }

    pub(super) fn boolean(&self, name: &str) -> Option<bool> {
        if let Some(Value::Boolean(value)) = self.values.get(name) { Some(*value) } else { None }
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(value)) = self.values.get(name) { Some(value) } else { None }
    }

    pub(super) fn amount(&self, name: &str) -> Option<Decimal> {
        if let Some(Value::Amount(value)) = self.values.get(name) { Some(*value) } else { None }
    }

    pub(super) fn date_time(&self, name: &str) -> Option<DateTime> {
        if let Some(Value::DateTime(value)) = self.values.get(name) { Some(*value) } else { None }
    }

    pub(super) fn object(&self, name: &str) -> Option<&Fields> {
        if let Some(Value::Object(value)) = self.values.get(name) { Some(value) } else { None }
    }
}

impl Kind {
    /// Reads a value, or says what it must be.
    fn read(self, raw: &RawValue) -> Result<Value, &'static str> {
        let text = raw.get();
        let string = || serde_json::from_str::<String>(text).ok();
        let (value, expected) = match self {
            Self::Integer => (text.parse().ok().map(Value::Integer), "an integer"),
            Self::Integers => {
                let one = || text.parse().ok().map(|one| vec![one]);
                (serde_json::from_str(text).ok().or_else(one).map(Value::Integers), "a list of integers")
            }
            Self::Boolean => (text.parse().ok().map(Value::Boolean), "true or false"),
            Self::Text => (string().map(Value::Text), "a string"),
            Self::Amount => (parse_amount(text).ok().map(Value::Amount), "a number"),
            Self::DateTime => (string().and_then(|text| date_time(&text)).map(Value::DateTime), "a date and time"),
            Self::Object(fields) => {
                let read = Fields::members(raw, &[fields]).ok();
                (read.map(Value::Object), "an object with the documented fields")
            }
        };
        value.ok_or(expected)
    }
}

/// A date with a time and no zone, or a date alone.
fn date_time(text: &str) -> Option<DateTime> {
    text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0)))
}
