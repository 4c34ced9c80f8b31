//! SOAP 1.1 in the style rpc/literal, as [`super::wsdl`] declares it, and rpc/encoded for those who call so.
//!
//! The vendor's service is rpc/encoded. Literal is what SOAP clients of today can all read, PHP's and Python's zeep among
//! them; calls as the vendor's PHP samples make them work. Where it shows is in lists that are parameters or results: their
//! elements are called `item`, and zeep wants a list among the parameters as `{"item": […]}`. A parameter that is left
//! out is an empty text or an empty object, since a part of rpc style cannot be absent.
//!
//! A call that names an encoding is answered in it: each value says its type, and a list is an array wherever it stands.
//! No document of the vendor names the parts of a call, so one whose name is not known here is taken by its place, as
//! rpc style orders them.

use std::fmt::Write as _;

use http::StatusCode;

use super::super::message::{Reply, Request};
use super::super::xml::{self, Element, escaped};
use super::shapes::{Shape, Type};
use super::value::Value;
use super::{Call, Exception, methods};

/// The namespace of the methods and of the types.
pub(super) const NAMESPACE: &str = "urn:subops:sandbox:2checkout";
const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
const SCHEMA: &str = "http://www.w3.org/2001/XMLSchema";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Answers one call.
pub(super) fn answer(call: &mut Call<'_>, request: &Request) -> Reply {
    match perform(call, &request.body) {
        Ok(body) => Reply::xml(envelope(&body)),
        Err(exception) => {
            Reply { status: StatusCode::INTERNAL_SERVER_ERROR, ..Reply::xml(envelope(&fault(&exception))) }
        }
    }
}

fn perform(call: &mut Call<'_>, document: &[u8]) -> Result<String, Exception> {
    let malformed = || Exception::new(-32700, "PARSE_ERROR", "Bad Request");
    let root = xml::parse(document).filter(|root| root.name == "Envelope").ok_or_else(malformed)?;
    let asked = root.child("Body").and_then(|body| body.children.first()).ok_or_else(malformed)?;
    let unknown = || Exception::new(-32601, "METHOD_NOT_FOUND", "Function is not a valid method for this service");
    let method = methods::find(&asked.name).ok_or_else(unknown)?;
    let is_known = |name: &str| method.all_parameters().any(|parameter| parameter.name == name);
    let part = |at: usize, name: &str| {
        asked.child(name).or_else(|| asked.children.get(at).filter(|part| !is_known(&part.name)))
    };
    let parameters = method.all_parameters().enumerate();
    let value = |at, name, shape| part(at, name).map_or(Value::Null, |part| decoded(part, shape));
    let given = parameters.map(|(at, parameter)| value(at, parameter.name, parameter.shape)).collect();
    let result = method.call(call, given)?;
    let mut body = String::new();
    // Writing into a string cannot fail.
    let _ = write!(body, "<m:{}Response xmlns:m=\"{NAMESPACE}\">", method.name);
    if names_an_encoding(document) {
        encode_typed(&mut body, "return", &result);
    } else {
        encode(&mut body, "return", &result, method.returns);
    }
    let _ = write!(body, "</m:{}Response>", method.name);
    Ok(body)
}

/// Whether the call is rpc/encoded. The reader of XML keeps no attributes, and this one need not be parsed.
fn names_an_encoding(document: &[u8]) -> bool {
    let (name, head) = (b"encodingStyle=", document.get(..1024).unwrap_or(document));
    head.windows(name.len()).any(|window| window == name)
}

fn envelope(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{ENVELOPE}\" \
         xmlns:SOAP-ENC=\"{ENCODING}\" xmlns:xsd=\"{SCHEMA}\" xmlns:xsi=\"{INSTANCE}\"><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
    )
}

fn fault(exception: &Exception) -> String {
    let Exception { code, error_code, message } = exception;
    format!(
        "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Server</faultcode><faultstring>{}</faultstring>\
         <detail><code>{code}</code><error_code>{error_code}</error_code></detail></SOAP-ENV:Fault>",
        escaped(message)
    )
}

/// What an element says, by the shape that it should have. What does not fit is left for the shape to refuse.
fn decoded(element: &Element, shape: Shape) -> Value {
    match shape {
        _ if element.is_nil => Value::Null,
        Shape::List(item) => {
            let items = element.children.iter().filter(|child| child.name == "item");
            Value::List(items.map(|child| decoded(child, *item)).collect())
        }
        Shape::Object(kind) if element.text.is_empty() => decoded_object(element, kind),
        _ if element.children.is_empty() => Value::Text(element.text.clone()),
        _ => Value::Object(Vec::new()),
    }
}

/// Within an object a list is its element, repeated.
fn decoded_object(element: &Element, kind: &Type) -> Value {
    let mut members: Vec<(String, Value)> = Vec::new();
    for child in &element.children {
        let field = kind.fields.iter().find(|field| field.name == child.name);
        let Some(Shape::List(item)) = field.map(|field| field.shape) else {
            let value = field.map_or(Value::Null, |field| decoded(child, field.shape));
            members.push((child.name.clone(), value));
            continue;
        };
        let values = in_list(child, *item);
        match members.iter_mut().find(|(name, _)| *name == child.name) {
            Some((_, Value::List(items))) => items.extend(values),
            _ => members.push((child.name.clone(), Value::List(values))),
        }
    }
    Value::Object(members)
}

/// What one element brings into a list: itself, or what is in it where it is an encoded array.
fn in_list(element: &Element, item: Shape) -> Vec<Value> {
    if element.text.is_empty() && element.children.iter().all(|child| child.name == "item") {
        return element.children.iter().map(|child| decoded(child, item)).collect();
    }
    vec![decoded(element, item)]
}

/// Writes an element that says its type.
fn encode_typed(xml: &mut String, name: &str, value: &Value) {
    let (kind, content) = match value {
        Value::Null => {
            let _ = write!(xml, "<{name} xsi:nil=\"true\"/>");
            return;
        }
        Value::List(items) => {
            let mut content = String::new();
            items.iter().for_each(|item| encode_typed(&mut content, "item", item));
            (format!("SOAP-ENC:Array\" SOAP-ENC:arrayType=\"xsd:anyType[{}]", items.len()), content)
        }
        Value::Object(members) => {
            let mut content = String::new();
            members.iter().for_each(|(name, value)| encode_typed(&mut content, name, value));
            ("SOAP-ENC:Struct".to_owned(), content)
        }
        Value::Boolean(value) => ("xsd:boolean".to_owned(), value.to_string()),
        Value::Number(number) if number.contains('.') => ("xsd:float".to_owned(), number.clone()),
        Value::Number(number) => ("xsd:int".to_owned(), number.clone()),
        Value::Text(text) => ("xsd:string".to_owned(), escaped(text).to_string()),
    };
    let _ = write!(xml, "<{name} xsi:type=\"{kind}\">{content}</{name}>");
}

/// Writes an element; an object's members in the order of its declaration, which is what a sequence asks for.
fn encode(xml: &mut String, name: &str, value: &Value, shape: Shape) {
    match (value, shape) {
        (Value::Null, _) => {
            let _ = write!(xml, "<{name} xsi:nil=\"true\"/>");
        }
        (Value::List(items), Shape::List(item)) => {
            let _ = write!(xml, "<{name}>");
            items.iter().for_each(|value| encode(xml, "item", value, *item));
            let _ = write!(xml, "</{name}>");
        }
        (Value::Object(_), Shape::Object(kind)) => {
            let _ = write!(xml, "<{name}>");
            for field in kind.fields {
                match (value.get(field.name), field.shape) {
                    (Some(Value::List(items)), Shape::List(item)) => {
                        items.iter().for_each(|value| encode(xml, field.name, value, *item));
                    }
                    (Some(value), shape) => encode(xml, field.name, value, shape),
                    (None, _) => {}
                }
            }
            let _ = write!(xml, "</{name}>");
        }
        (Value::Boolean(value), _) => {
            let _ = write!(xml, "<{name}>{value}</{name}>");
        }
        (other, _) => {
            let _ = write!(xml, "<{name}>{}</{name}>", escaped(other.as_text().unwrap_or_default()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::super::shapes::{TEXTS, optional};
    use super::super::value::{object, texts};
    use super::*;

    static INNER: Type = Type { name: "Inner", fields: &[optional("Name", Shape::Text), optional("Codes", TEXTS)] };
    static LIST: Shape = Shape::List(&Shape::Object(&INNER));

    #[test]
    fn what_is_written_is_read_again() {
        let one = object([("Name", "a & <b>".into()), ("Codes", texts(["1", "2"]))]);
        let value = Value::List(vec![one, object([("Name", Value::Null)])]);
        let mut written = format!("<r xmlns:xsi=\"{INSTANCE}\">");
        encode(&mut written, "return", &value, LIST);
        written.push_str("</r>");
        assert!(written.contains("<item><Name>a &amp; &lt;b&gt;</Name><Codes>1</Codes><Codes>2</Codes></item>"));
        let read = xml::parse(written.as_bytes()).expect("well formed");
        assert_eq!(decoded(read.child("return").expect("the result"), LIST), value);
    }

    #[test]
    fn what_is_not_known_is_not_lost() {
        let read = xml::parse(b"<Inner><Nam>x</Nam></Inner>").expect("well formed");
        let value = decoded(&read, Shape::Object(&INNER));
        let message = Shape::Object(&INNER).read(value, "Inner").map_err(|exception| exception.message);
        assert_eq!(message, Err("Inner.Nam is not known".to_owned()));
    }
}
