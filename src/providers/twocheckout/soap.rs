//! The SOAP form: `https://api.2checkout.com/soap/6.0/`, rpc/encoded as PHP's `SoapClient` speaks it.
//!
//! Replies are read with the bounds of any reply from outside: no document type, limited depth and number of elements.
//! Namespaces are not compared, since the vendor's differ between versions; the response's name is, as JSON-RPC's id is.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use zeroize::Zeroizing;

use super::said::{Complaint, Said};
use super::value::{Argument, Value};
use crate::providers::xml;

const ROOM: usize = 8 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_ELEMENTS: usize = 100_000;

/// The namespace of a version's methods.
pub(super) fn namespace(version: &str) -> String {
    format!("urn:avangate:soap:{version}")
}

/// A request's body; none where a field's name is no name of an element. Wiped when the last hold on it is gone.
pub(super) fn request(version: &str, method: &str, arguments: &[Argument<'_>]) -> Option<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(ROOM));
    out.extend_from_slice(
        br#"<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/" xmlns:ns1=""#,
    );
    escape(&mut out, &namespace(version));
    out.extend_from_slice(br#"" SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><SOAP-ENV:Body>"#);
    out.extend_from_slice(format!("<ns1:{method}>").as_bytes());
    for (name, value) in arguments {
        element(&mut out, name, value)?;
    }
    out.extend_from_slice(format!("</ns1:{method}></SOAP-ENV:Body></SOAP-ENV:Envelope>\n").as_bytes());
    Some(out)
}

/// Whether an element may have this name; stricter than XML, and wide enough for every documented field.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn element(out: &mut Vec<u8>, name: &str, value: &Value<'_>) -> Option<()> {
    if !is_name(name) {
        return None;
    }
    let mut open = |attributes: &str| out.extend_from_slice(format!("<{name} {attributes}").as_bytes());
    match value {
        Value::Null => {
            open("xsi:nil=\"true\"/>");
            return Some(());
        }
        Value::Bool(value) => {
            open("xsi:type=\"xsd:boolean\">");
            out.extend_from_slice(if *value { b"true" } else { b"false" });
        }
        Value::Number(text) => {
            open(if text.contains(['.', 'e', 'E']) { "xsi:type=\"xsd:double\">" } else { "xsi:type=\"xsd:int\">" });
            escape(out, text);
        }
        Value::Text(text) => {
            open("xsi:type=\"xsd:string\">");
            escape(out, text);
        }
        Value::List(values) => {
            let count = values.len();
            open(&format!("SOAP-ENC:arrayType=\"xsd:anyType[{count}]\" xsi:type=\"SOAP-ENC:Array\">"));
            for value in values {
                element(out, "item", value)?;
            }
        }
        Value::Object(fields) => {
            open("xsi:type=\"SOAP-ENC:Struct\">");
            for (name, value) in fields {
                element(out, name, value)?;
            }
        }
    }
    out.extend_from_slice(format!("</{name}>").as_bytes());
    Some(())
}

/// Line breaks by number, or a parser would make one of two.
fn escape(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\r' => out.extend_from_slice(b"&#13;"),
            byte => out.push(byte),
        }
    }
}

/// What the reply to a call of `method` says.
pub(super) fn said(body: &[u8], method: &str) -> Said {
    let Some(root) = parse(body) else { return Said::Unclear("the reply is not a SOAP reply") };
    let body = root.child("Body").filter(|_| root.name == "Envelope");
    let Some([message]) = body.map(|body| body.children.as_slice()) else {
        return Said::Unclear("the reply is not a SOAP reply");
    };
    if message.name == "Fault" {
        let text = |name: &str| message.child(name).map(|child| child.text.trim()).unwrap_or_default();
        let code = text("faultcode").rsplit(':').next().unwrap_or_default().to_owned();
        let word = message.child("detail").map_or("", |detail| detail.word());
        return Said::Complaint(Complaint { code, word: word.to_owned(), message: text("faultstring").to_owned() });
    }
    if message.name.strip_suffix("Response") != Some(method) {
        return Said::Unclear("the reply is to another method");
    }
    match message.children.as_slice() {
        [only] if !only.nil => Said::Result(only.value()),
        [_] => Said::Unclear("the reply's result is null"),
        _ => Said::Unclear("the reply has no result"),
    }
}

/// An element with what is in it and what it says it is.
#[derive(Default)]
struct Element {
    name: String,
    kind: String,
    nil: bool,
    array: bool,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The `error_code` in a fault's details.
    fn word(&self) -> &str {
        let own = self.children.iter().find(|child| child.name.eq_ignore_ascii_case("error_code"));
        own.map(|child| child.text.trim()).unwrap_or_default()
    }

    fn value(&self) -> Value<'static> {
        let number = || {
            let text = self.text.trim();
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
            (plain && digits.starts_with(|first: char| first.is_ascii_digit())).then_some(text)
        };
        match self.kind.as_str() {
            _ if self.nil => Value::Null,
            _ if self.array || self.kind == "Array" => Value::List(self.children.iter().map(Element::value).collect()),
            "boolean" => match self.text.trim() {
                "true" | "1" => Value::Bool(true),
                "false" | "0" => Value::Bool(false),
                other => Value::Text(Cow::Owned(other.to_owned())),
            },
            "int" | "integer" | "long" | "short" | "float" | "double" | "decimal" => match number() {
                Some(text) => Value::Number(Cow::Owned(text.to_owned())),
                None => Value::Text(Cow::Owned(self.text.clone())),
            },
            kind if self.children.is_empty() && kind != "Struct" => Value::Text(Cow::Owned(self.text.clone())),
            _ => Value::Object(
                self.children.iter().map(|child| (Cow::Owned(child.name.clone()), child.value())).collect(),
            ),
        }
    }
}

/// The document's root; none where it is not whole, or is more than any real reply.
fn parse(body: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(body).ok()?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim_start());
    let (mut open, mut root, mut elements): (Vec<Element>, Option<Element>, usize) = (Vec::new(), None, 0);
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                elements += 1;
                if root.is_some() || open.len() == MAX_DEPTH || elements > MAX_ELEMENTS {
                    return None;
                }
                open.push(opened(start)?);
            }
            Event::Text(text) => append(&mut open, text)?,
            Event::CData(text) => append(&mut open, text)?,
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(character) => append(&mut open, character.encode_utf8(&mut [0; 4]))?,
                None => append(&mut open, quick_xml::escape::resolve_xml_entity(reference)?)?,
            },
            Event::DocType(_) => return None,
            Event::End(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return root.filter(|_| open.is_empty()),
        }
        if matches!(event, Event::End(_) | Event::Empty(_)) {
            let closed = open.pop()?;
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => root = Some(closed),
            }
        }
    }
}

fn opened(start: &BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: start.local_name().into_inner().to_owned(), ..Element::default() };
    for attribute in xml::attributes(start) {
        let attribute = attribute.ok()?;
        let value = attribute.value.trim();
        match attribute.key.local_name().into_inner() {
            "type" => element.kind = value.rsplit(':').next().unwrap_or_default().to_owned(),
            "nil" => element.nil = matches!(value, "true" | "1"),
            "arrayType" => element.array = true,
            _ => {}
        }
    }
    Some(element)
}

fn append(open: &mut [Element], text: &str) -> Option<()> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use super::*;

    fn envelope(inner: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"x\"><SOAP-ENV:Body>{inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
        )
    }

    fn result(inner: &str) -> Option<String> {
        match said(envelope(inner).as_bytes(), "m") {
            Said::Result(value) => Some(value.shown().unwrap_or_default()),
            _ => None,
        }
    }

    #[test]
    fn requests_are_typed_and_escaped() {
        let mut object = Value::object();
        object.set("Amount", Value::number("19.90"));
        let arguments = [
            ("sessionID", Value::text("a<&>\"b\r\n")),
            ("days", Value::number("-5")),
            ("on", Value::Bool(false)),
            ("none", Value::Null),
            ("Prices", Value::List(vec![object])),
        ];
        let body = request("4.0", "extendSubscription", &arguments).expect("names");
        let text = String::from_utf8_lossy(&body);
        let (_, inner) = text.split_once("<SOAP-ENV:Body>").expect("a body");
        assert_eq!(
            inner,
            "<ns1:extendSubscription><sessionID xsi:type=\"xsd:string\">a&lt;&amp;&gt;&quot;b&#13;\n</sessionID>\
             <days xsi:type=\"xsd:int\">-5</days><on xsi:type=\"xsd:boolean\">false</on><none xsi:nil=\"true\"/>\
             <Prices SOAP-ENC:arrayType=\"xsd:anyType[1]\" xsi:type=\"SOAP-ENC:Array\">\
             <item xsi:type=\"SOAP-ENC:Struct\"><Amount xsi:type=\"xsd:double\">19.90</Amount></item></Prices>\
             </ns1:extendSubscription></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
        );
        assert!(parse(&body).is_some(), "what we write can be read");
    }

    #[test]
    fn a_name_cannot_break_out_of_its_element() {
        for name in ["", "1a", "a b", "a><b", "a/", "ä"] {
            let value = Value::Object(vec![(Cow::Borrowed(name), Value::Null)]);
            assert!(request("6.0", "m", &[("x", value)]).is_none(), "{name}");
        }
    }

    #[test]
    fn results_are_read_by_their_types() {
        let typed = |kind: &str, text: &str| {
            result(&format!(
                "<ns1:mResponse xmlns:ns1=\"y\"><return xsi:type=\"{kind}\">{text}</return></ns1:mResponse>"
            ))
        };
        assert_eq!(typed("xsd:boolean", "true").as_deref(), Some("true"));
        assert_eq!(typed("xsd:float", " 12.50 ").as_deref(), Some("12.50"));
        assert_eq!(typed("xsd:string", "a &amp; &#98;<![CDATA[<c>]]>").as_deref(), Some("a & b<c>"));
        let nested = "<mResponse><return xsi:type=\"ns1:Page\"><Items SOAP-ENC:arrayType=\"ns1:Payout[2]\" \
            xsi:type=\"SOAP-ENC:Array\"><item><Amount xsi:type=\"xsd:float\">1.10</Amount><No xsi:nil=\"true\"/></item>\
            <item xsi:type=\"xsd:int\">2</item></Items><None xsi:type=\"SOAP-ENC:Array\" \
            SOAP-ENC:arrayType=\"xsd:ur-type[0]\"/></return></mResponse>";
        assert_eq!(result(nested).as_deref(), Some(r#"{"Items":[{"Amount":1.10,"No":null},2],"None":[]}"#));
    }

    #[test]
    fn what_is_no_whole_reply_to_our_method_is_unclear() {
        for inner in [
            "<otherResponse><return xsi:type=\"xsd:boolean\">true</return></otherResponse>",
            "<mResponse><return xsi:nil=\"true\"/></mResponse>",
            "<mResponse/>",
            "<mResponse><return>1</return><return>2</return></mResponse>",
            "<mResponse><return>1</return></mResponse><mResponse/>",
            "<mResponse><return>&x;</return></mResponse>",
            "<mResponse><return>1</mResponse>",
            "",
        ] {
            assert!(matches!(said(envelope(inner).as_bytes(), "m"), Said::Unclear(_)), "{inner}");
        }
        let whole = envelope("<mResponse><return xsi:type=\"xsd:boolean\">true</return></mResponse>");
        let end = whole.trim_end().len();
        for cut in 0..end {
            assert!(matches!(said(&whole.as_bytes()[..cut], "m"), Said::Unclear(_)), "{cut}");
        }
        let bomb = whole.replace("<SOAP-ENV:Envelope", "<!DOCTYPE a []><SOAP-ENV:Envelope");
        assert!(matches!(said(bomb.as_bytes(), "m"), Said::Unclear(_)));
        assert!(matches!(said("<a>".repeat(200_000).as_bytes(), "m"), Said::Unclear(_)));
    }

    #[test]
    fn faults_are_complaints() {
        let fault = envelope(
            "<SOAP-ENV:Fault><faultcode>SOAP-ENV:10001</faultcode><faultstring>No &lt;session&gt;</faultstring>\
             <detail><error_code>INVALID_SESSION</error_code></detail></SOAP-ENV:Fault>",
        );
        let Said::Complaint(said) = said(fault.as_bytes(), "m") else { panic!("a fault") };
        assert_eq!((said.code.as_str(), said.word.as_str()), ("10001", "INVALID_SESSION"));
        assert_eq!(said.message, "No <session>");
    }
}
