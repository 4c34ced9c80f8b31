//! Reads JSON replies: one object at a time, only the fields that are asked for, numbers as the text that they were.
//!
//! Replies only. Vendors' samples and servers disagree about the case of names, so it is ignored; a name that is there
//! twice is refused, since whoever chooses one of the two values guesses. What is not asked for is never decoded: a
//! reply may hold our own credentials.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a reply cannot be read. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonFault {
    /// Not JSON, or not an object.
    #[error("the reply is not a JSON object")]
    Form,
    /// A name is there twice, in whatever case.
    #[error("the reply's JSON has a name twice")]
    Twice,
}

/// An object. Fields that are null count as not there.
pub(crate) struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Object<'a> {
    /// Reads a whole reply.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, JsonFault> {
        let text = std::str::from_utf8(body).map_err(|_| JsonFault::Form)?;
        Self::parse(text.trim_start_matches('\u{feff}'))
    }

    fn parse(text: &'a str) -> Result<Self, JsonFault> {
        let Fields(fields) = serde_json::from_str(text).map_err(|_| JsonFault::Form)?;
        let mut names: Vec<String> = fields.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(JsonFault::Twice);
        }
        Ok(Self(fields))
    }

    /// The field of this name, as its JSON.
    fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, raw)| raw.get()).filter(|raw| *raw != "null")
    }

    /// The object of this name; none where there is none.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Object<'a>>, JsonFault> {
        self.raw(name).map(Self::parse).transpose()
    }

    /// The objects in the array of this name; none where there is no such array.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Object<'a>>, JsonFault> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let items: Vec<&'a RawValue> = serde_json::from_str(raw).map_err(|_| JsonFault::Form)?;
        items.into_iter().map(|item| Self::parse(item.get())).collect()
    }

    /// The texts in the array of this name, or its one text; none where it is something else.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let Some(raw) = self.raw(name) else { return Vec::new() };
        serde_json::from_str(raw).or_else(|_| serde_json::from_str(raw).map(|text| vec![text])).unwrap_or_default()
    }

    /// A string, a number or a truth value as its text, without the space around it; none where it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let raw = self.raw(name)?;
        let text = match raw.as_bytes().first()? {
            b'{' | b'[' => return None,
            b'"' => serde_json::from_str(raw).ok()?,
            _ => raw.to_owned(),
        };
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }

    /// A truth value that is written as one.
    pub(crate) fn truth(&self, name: &str) -> Option<bool> {
        match self.raw(name)? {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

/// An object's fields, in order, with those that are there twice.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_keep_every_digit_and_case_is_ignored() {
        let body = r#"{"Price":1234567890123456.780,"id":"7","ok":true,"gone":null,"blank":" ","in":{"A":1e3}}"#;
        let object = Object::read(body.as_bytes()).expect("an object");
        assert_eq!(object.text("price").as_deref(), Some("1234567890123456.780"));
        assert_eq!(object.text("ID").as_deref(), Some("7"));
        assert_eq!((object.truth("ok"), object.text("ok").as_deref()), (Some(true), Some("true")));
        for none in ["gone", "blank", "in", "nothing"] {
            assert_eq!(object.text(none), None, "{none}");
        }
        let inner = object.object("in").ok().flatten().expect("an object");
        assert_eq!(inner.text("a").as_deref(), Some("1e3"));
        assert!(matches!(object.object("gone"), Ok(None)));
    }

    #[test]
    fn lists_are_of_objects_or_of_texts() {
        let object = Object::read("\u{feff}{\"a\":[{\"b\":1},{\"b\":2}],\"c\":[\"x\",\"y\"],\"d\":\"z\"}".as_bytes());
        let object = object.expect("an object");
        let items = object.objects("a").expect("objects");
        let texts: Vec<_> = items.iter().filter_map(|item| item.text("B")).collect();
        assert_eq!(
            (texts, object.texts("c"), object.texts("d")),
            (vec!["1".to_owned(), "2".to_owned()], vec!["x".to_owned(), "y".to_owned()], vec!["z".to_owned()])
        );
        assert!(object.texts("a").is_empty() && object.objects("c").is_err());
    }

    #[test]
    fn what_is_no_object_or_ambiguous_is_refused() {
        let fault = |text: &str| Object::read(text.as_bytes()).err();
        for text in ["", "{", "[1]", "1", "null", "{\"a\":1}x", "{'a':1}", "{\"a\":01}", "\u{feff}"] {
            assert_eq!(fault(text), Some(JsonFault::Form), "{text}");
        }
        assert_eq!(fault(r#"{"a":1,"A":1}"#), Some(JsonFault::Twice));
        assert_eq!(fault(r#"{"a":1,"\u0061":2}"#), Some(JsonFault::Twice));
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(400_000), "]".repeat(400_000));
        let object = Object::read(deep.as_bytes()).expect("an object: what nobody asks for is not decoded");
        assert!(object.texts("a").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in any::<Vec<u8>>(), text in r#"\{("[a-b]":("x"|1|null|\{\}|\[\]|true),?){0,4}\}?"#) {
            for body in [&bytes[..], text.as_bytes()] {
                if let Ok(object) = Object::read(body) {
                    let _ = (object.text("a"), object.texts("a"), object.truth("a"), object.object("b").is_ok());
                    let _ = object.objects("b").is_ok();
                }
            }
        }
    }
}
