//! JSON to and from [`Value`], with numbers as text and bounds on depth.
//!
//! serde_json's own tree takes numbers through `f64`; here each number keeps its digits. Names that stand twice in an
//! object are refused: whoever chooses one of the two values guesses.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::Value;

/// Values within values. The deepest documented reply has six.
const MAX_DEPTH: usize = 32;

/// Not JSON, too deep, or with a name twice in one object. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

/// Values in all. A page of a thousand payouts has some ten thousand.
const MAX_VALUES: usize = 100_000;

/// Reads one value.
pub(super) fn read(text: &str) -> Result<Value<'static>, NotJson> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotJson)?;
    if is_too_much(text) {
        return Err(NotJson);
    }
    value(raw, MAX_DEPTH)
}

/// Looks ahead, once: each level is read again by the one above it, and each value takes many times the room of its text.
fn is_too_much(text: &str) -> bool {
    let (mut depth, mut values, mut quoted, mut escaped) = (0_usize, 1_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => (depth, values) = (depth + 1, values + 1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > MAX_DEPTH || values > MAX_VALUES {
            return true;
        }
    }
    false
}

fn value(raw: &RawValue, depth: usize) -> Result<Value<'static>, NotJson> {
    let text = raw.get();
    let depth = depth.checked_sub(1).ok_or(NotJson)?;
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(text).map_err(|_| NotJson)?;
            let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            if names.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(NotJson);
            }
            let fields = fields.into_iter().map(|(name, raw)| Ok((Cow::Owned(name), value(raw, depth)?)));
            Value::Object(fields.collect::<Result<_, NotJson>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| NotJson)?;
            Value::List(items.into_iter().map(|raw| value(raw, depth)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(Cow::Owned(serde_json::from_str(text).map_err(|_| NotJson)?)),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => Value::Number(Cow::Owned(text.to_owned())),
    })
}

/// An object's fields, in order.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Writes a value, compact.
pub(super) fn write(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(text) => out.extend_from_slice(text.as_bytes()),
        Value::Text(text) => string(out, text),
        Value::List(values) => sequence(out, (b'[', b']'), values, write),
        Value::Object(fields) => sequence(out, (b'{', b'}'), fields, |out, (name, value)| {
            string(out, name);
            out.push(b':');
            write(out, value);
        }),
    }
}

fn sequence<T>(out: &mut Vec<u8>, (open, close): (u8, u8), items: &[T], mut each: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        each(out, item);
    }
    out.push(close);
}

/// Writes a string with its quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            character if character.is_control() => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            character => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_digit_survives() {
        let text = r#"{"a":[1234567890123456.78,19.90,-0.0,1e3],"b":null,"c":"\"\\ä\n","d":{},"e":[],"f":true}"#;
        let value = read(text).expect("JSON");
        assert_eq!(value.shown().as_deref(), Some(text));
    }

    #[test]
    fn what_is_no_json_or_too_much_is_refused() {
        for text in
            ["", "{", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "[1,]", "nul", "'a'", "01", "{\"a\":{\"b\":1,\"b\":1}}"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&format!("{}{}", "[".repeat(400_000), "]".repeat(400_000))).is_err());
        assert!(read(&format!("{}{}", "[".repeat(31), "]".repeat(31))).is_ok());
        assert!(read(&format!("[\"{}\"]", "[,\\\"".repeat(MAX_VALUES))).is_ok(), "a text is one value");
        assert!(read(&format!("[0{}]", ",0".repeat(MAX_VALUES))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            let back: String = serde_json::from_slice(&out).expect("a JSON string");
            prop_assert_eq!(back, text);
        }
    }
}
