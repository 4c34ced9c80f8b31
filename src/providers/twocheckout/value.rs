//! One tree of values for both wire forms: what is sent, and what comes back.
//!
//! Numbers stay the text that they were: an amount that went through floating point would be another amount. There is
//! no `Debug`: a card number can be in here, borrowed from the row, so that it is copied nowhere but into the request.

use std::borrow::Cow;

/// A value as 2Checkout's API knows them.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, as its text.
    Number(Cow<'a, str>),
    /// Text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object, its fields in order.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
}

/// One argument of a method: JSON-RPC knows them by position, SOAP by name.
pub(super) type Argument<'a> = (&'static str, Value<'a>);

impl<'a> Value<'a> {
    /// Text.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Value::Text(text.into())
    }

    /// A number in a spelling that JSON takes: a cell may begin with zeros, JSON's numbers may not.
    pub(super) fn number(text: &'a str) -> Self {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let rest = digits.trim_start_matches('0');
        if rest.len() == digits.len() || digits == "0" {
            return Value::Number(Cow::Borrowed(text));
        }
        let zero = if rest.is_empty() || rest.starts_with('.') { "0" } else { "" };
        Value::Number(Cow::Owned(format!("{sign}{zero}{rest}")))
    }

    /// An empty object.
    pub(super) fn object() -> Self {
        Value::Object(Vec::new())
    }

    /// Sets the field that a dotted name leads to, making the objects on the way. What is no object on the way is left.
    pub(super) fn set(&mut self, name: &'static str, value: Value<'a>) {
        let Value::Object(fields) = self else { return };
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let at = fields.iter().position(|(own, _)| own == first).unwrap_or_else(|| {
            fields.push((Cow::Borrowed(first), Value::object()));
            fields.len() - 1
        });
        if let Some((_, field)) = fields.get_mut(at) {
            match rest {
                Some(rest) => field.set(rest, value),
                None => *field = value,
            }
        }
    }

    /// The value that a dotted name leads to; none where it is not there or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value<'a>> {
        let (first, rest) = name.split_once('.').map_or((name, None), |(first, rest)| (first, Some(rest)));
        let Value::Object(fields) = self else { return None };
        let (_, found) = fields.iter().find(|(own, _)| own == first)?;
        match rest {
            Some(rest) => found.get(rest),
            None => (*found != Value::Null).then_some(found),
        }
    }

    /// The text of a text or a number, if it is not empty.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Number(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// What it is as true or false; the API's objects also have `"1"` and 0 for them.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            Value::Text(text) | Value::Number(text) => match text.as_ref() {
                "1" | "true" => Some(true),
                "0" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The values of an array; SOAP has nothing where an array is empty.
    pub(super) fn as_list(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::List(values) => Some(values),
            Value::Null => Some(&[]),
            _ => None,
        }
    }

    /// As a cell of the results: text as it is, arrays and objects as compact JSON; none for nothing.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Value::Null => None,
            Value::Text(text) | Value::Number(text) => Some(text.clone().into_owned()),
            Value::Bool(_) | Value::List(_) | Value::Object(_) => {
                let mut out = Vec::new();
                super::json::write(&mut out, self);
                Some(String::from_utf8_lossy(&out).into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_json_takes_them() {
        for (cell, expected) in [
            ("0", "0"),
            ("-5", "-5"),
            ("19.90", "19.90"),
            ("007", "7"),
            ("00.50", "0.50"),
            ("0.50", "0.50"),
            ("-007.5", "-7.5"),
            ("000", "0"),
            ("9007199254740993.01", "9007199254740993.01"),
        ] {
            assert_eq!(Value::number(cell).as_text(), Some(expected), "{cell}");
        }
    }

    #[test]
    fn dotted_names_lead_into_objects() {
        let mut value = Value::object();
        value.set("EndUser.Email", Value::text("a@example.com"));
        value.set("EndUser.Person.Zip", Value::text("1"));
        value.set("Test", Value::number("1"));
        value.set("Test.No", Value::Null);
        let text = r#"{"EndUser":{"Email":"a@example.com","Person":{"Zip":"1"}},"Test":1}"#;
        assert_eq!(value.shown().as_deref(), Some(text));
        assert_eq!(value.get("EndUser.Person.Zip").and_then(Value::as_text), Some("1"));
        assert!(value.get("EndUser.Nobody").is_none() && value.get("Test.Zip").is_none());
    }
}
