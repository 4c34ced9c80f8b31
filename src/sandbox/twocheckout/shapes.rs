//! The shapes of parameters and results. One table says what JSON-RPC takes, how SOAP is read, and what the WSDL declares.

use jiff::civil::Date;

use super::Exception;
use super::value::Value;
use crate::model::money::parse_amount;

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    Integer,
    Amount,
    Boolean,
    Date,
    List(&'static Shape),
    Object(&'static Type),
}

/// A kind of object.
#[derive(Debug)]
pub(super) struct Type {
    /// Its name in the WSDL.
    pub(super) name: &'static str,
    pub(super) fields: &'static [Field],
}

/// A field of an object, or a parameter of a method.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    pub(super) required: bool,
}

/// One that must be there.
pub(super) const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// One that may be left out, or be null.
pub(super) const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

/// A list of texts.
pub(super) const TEXTS: Shape = Shape::List(&Shape::Text);

impl Shape {
    /// The value in this shape. What is wrong is said by the path to it, and never by its content.
    pub(super) fn read(self, given: Value, path: &str) -> Result<Value, Exception> {
        let wrong = |expected: &str| Err(Exception::invalid(format!("{path} must be {expected}")));
        match (self, given) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Text, Value::Text(text) | Value::Number(text)) => Ok(Value::Text(text)),
            // A cell that was left empty; in SOAP there is no other way to leave out a part.
            (_, Value::Text(text)) if text.is_empty() => Ok(Value::Null),
            (Self::Integer, Value::Text(text) | Value::Number(text)) => match text.parse::<i64>() {
                Ok(_) => Ok(Value::Number(text)),
                Err(_) => wrong("an integer"),
            },
            (Self::Amount, Value::Text(text) | Value::Number(text)) => match parse_amount(&text) {
                Ok(_) => Ok(Value::Number(text)),
                Err(_) => wrong("a number"),
            },
            (Self::Boolean, Value::Boolean(value)) => Ok(Value::Boolean(value)),
            (Self::Boolean, Value::Text(text) | Value::Number(text)) => match text.as_str() {
                "true" | "1" => Ok(Value::Boolean(true)),
                "false" | "0" => Ok(Value::Boolean(false)),
                _ => wrong("true or false"),
            },
            (Self::Date, Value::Text(text)) if text.len() == 10 && text.parse::<Date>().is_ok() => {
                Ok(Value::Text(text))
            }
            (Self::List(item), Value::List(items)) => {
                let read = |(at, value)| item.read(value, &format!("{path}[{at}]"));
                items.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Value::List)
            }
            // The vendor's sample of a partial refund sends the one item without a list around it.
            (Self::List(item), value @ Value::Object(_)) => Ok(Value::List(vec![item.read(value, path)?])),
            (Self::Object(kind), Value::Object(members)) => kind.read(members, path),
            // What PHP makes of an object without members.
            (Self::Object(_), Value::List(items)) if items.is_empty() => Ok(Value::Object(Vec::new())),
            (Self::Text, _) => wrong("a text"),
            (Self::Integer, _) => wrong("an integer"),
            (Self::Amount, _) => wrong("a number"),
            (Self::Boolean, _) => wrong("true or false"),
            (Self::Date, _) => wrong("a date as YYYY-MM-DD"),
            (Self::List(_), _) => wrong("a list"),
            (Self::Object(_), _) => wrong("an object"),
        }
    }
}

impl Type {
    fn read(&self, members: Vec<(String, Value)>, path: &str) -> Result<Value, Exception> {
        let mut read = Vec::with_capacity(members.len());
        for (name, value) in members {
            let Some(field) = self.fields.iter().find(|field| field.name == name) else {
                return Err(Exception::invalid(format!("{path}.{name} is not known")));
            };
            read.push((field.name.to_owned(), field.shape.read(value, &format!("{path}.{name}"))?));
        }
        let given = |name: &str| read.iter().any(|(known, value)| known == name && *value != Value::Null);
        match self.fields.iter().find(|field| field.required && !given(field.name)) {
            Some(missing) => Err(Exception::invalid(format!("{path}.{} is required", missing.name))),
            None => Ok(Value::Object(read)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::object;
    use super::*;

    static POINT: Type = Type {
        name: "Point",
        fields: &[required("X", Shape::Integer), optional("Y", Shape::Amount), optional("On", Shape::Date)],
    };

    static POINTS: Shape = Shape::List(&Shape::Object(&POINT));

    fn read(value: Value) -> Result<Value, String> {
        POINTS.read(value, "Points").map_err(|exception| exception.message)
    }

    #[test]
    fn values_are_taken_as_the_samples_write_them() {
        let point = || object([("X", Value::Number("1".to_owned()))]);
        assert_eq!(read(object([("X", "1".into())])), Ok(Value::List(vec![point()])));
        assert_eq!(read(Value::List(vec![point(), point()])), Ok(Value::List(vec![point(), point()])));
        assert_eq!(read("".into()), Ok(Value::Null));
    }

    #[test]
    fn what_is_wrong_is_said_by_its_path_alone() {
        let refused = |members| {
            read(Value::List(vec![Value::Object(members)])).map_err(|message| {
                assert!(!message.contains("4111"), "{message}");
                message
            })
        };
        let x = || ("X".to_owned(), Value::from(1));
        let with = |name: &str, value: &str| refused(vec![x(), (name.to_owned(), value.into())]);
        assert_eq!(refused(Vec::new()), Err("Points[0].X is required".to_owned()));
        assert_eq!(with("Z", "4111"), Err("Points[0].Z is not known".to_owned()));
        assert_eq!(with("Y", "4111e1"), Err("Points[0].Y must be a number".to_owned()));
        assert_eq!(with("On", "4111-11"), Err("Points[0].On must be a date as YYYY-MM-DD".to_owned()));
        assert_eq!(read("4111".into()), Err("Points must be a list".to_owned()));
    }
}
