//! The JSON-RPC form: `https://api.2checkout.com/rpc/6.0/`, arguments by position.
//!
//! The vendor's prose calls the success key `response`; its samples and every client read `result`. Only `result` is
//! taken for one.

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::json;
use super::said::{Complaint, Said};
use super::value::{Argument, Value};

/// Room for most requests, so that one with a card number is not left behind in pieces while its buffer grows.
const ROOM: usize = 8 * 1024;

/// A request's body. Wiped when the last hold on it is gone: it has the session in it, and perhaps a card.
pub(super) fn request(id: u32, method: &str, arguments: &[Argument<'_>]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(ROOM));
    out.extend_from_slice(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":").as_bytes());
    json::string(&mut out, method);
    out.extend_from_slice(b",\"params\":[");
    for (at, (_, value)) in arguments.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json::write(&mut out, value);
    }
    out.extend_from_slice(b"]}");
    out
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// What the reply to request `id` says. A result must carry the same id; an error may have none (the protocol allows
/// it), but no other.
pub(super) fn said(body: &[u8], id: u32) -> Said {
    let Ok(text) = std::str::from_utf8(body) else { return Said::Unclear("the reply is not UTF-8") };
    let text = text.trim_start_matches('\u{feff}');
    // A list of the right length would pass for the object: its items for the fields, in the order of their declaration.
    if !text.trim_start().starts_with('{') {
        return Said::Unclear("the reply is not a JSON-RPC reply");
    }
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
        return Said::Unclear("the reply is not a JSON-RPC reply");
    };
    let theirs = envelope.id.map(RawValue::get).filter(|text| *text != "null");
    let same = theirs.map(|text| text.trim_matches('"') == id.to_string());
    let read = |raw: &RawValue| json::read(raw.get());
    let given = |raw: Option<&RawValue>| raw.map(read).filter(|value| !matches!(value, Ok(Value::Null)));
    match (given(envelope.result), given(envelope.error)) {
        _ if same == Some(false) => Said::Unclear("the reply is to another request: its id is not ours"),
        (Some(Ok(result)), None) if same == Some(true) => Said::Result(result),
        (Some(Ok(_)), None) => Said::Unclear("the reply has no id"),
        (None, Some(Ok(error))) => Said::Complaint(complaint(&error)),
        (Some(Ok(_)), Some(Ok(_))) => Said::Unclear("the reply has both a result and an error"),
        (None, None) => Said::Unclear("the reply has neither a result nor an error"),
        _ => Said::Unclear("the reply's JSON is too deep, or has a name twice"),
    }
}

fn complaint(error: &Value<'_>) -> Complaint {
    let text = |name: &str| error.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
    let message = error.as_text().map_or_else(|| text("message"), str::to_owned);
    Complaint { code: text("code"), word: text("data.error_code"), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_their_arguments_by_position() {
        let mut object = Value::object();
        object.set("Amount", Value::number("19.90"));
        object.set("Name", Value::text("A \"B\""));
        let arguments = [
            ("sessionID", Value::text("abc")),
            ("days", Value::number("-5")),
            ("x", Value::Null),
            ("y", Value::List(vec![object])),
        ];
        let body = request(7, "extendSubscription", &arguments);
        assert_eq!(
            String::from_utf8_lossy(&body),
            r#"{"jsonrpc":"2.0","id":7,"method":"extendSubscription","params":["abc",-5,null,[{"Amount":19.90,"Name":"A \"B\""}]]}"#
        );
    }

    #[test]
    fn only_result_with_our_id_is_a_result() {
        let result = |body: &str| matches!(said(body.as_bytes(), 7), Said::Result(_));
        for body in [
            r#"{"jsonrpc":"2.0","id":7,"result":true}"#,
            r#"{"id":"7","result":false,"error":null,"extra":1}"#,
            "\u{feff}{\"result\":{\"a\":1},\"id\":7}",
        ] {
            assert!(result(body), "{body}");
        }
        for body in [
            r#"{"id":7,"response":true}"#,
            r#"{"id":8,"result":true}"#,
            r#"{"id":77,"result":true}"#,
            r#"{"result":true}"#,
            r#"{"id":null,"result":true}"#,
            r#"{"id":7,"result":null}"#,
            r#"{"id":7,"result":true,"error":{"code":1}}"#,
            r#"{"id":7,"result":true,"result":true}"#,
            r#"{"id":7,"result":tru"#,
            r#"[{"id":7,"result":true}]"#,
            "[7,true,null]",
            " [7,true]",
            r#"{"id":7,"result":{"a":1,"a":2}}"#,
            "true",
            "",
        ] {
            assert!(matches!(said(body.as_bytes(), 7), Said::Unclear(_)), "{body}");
        }
    }

    #[test]
    fn errors_are_read_in_every_shape() {
        let complaint = |body: &str| match said(body.as_bytes(), 7) {
            Said::Complaint(said) => Some((said.code, said.word, said.message)),
            _ => None,
        };
        let some = |code: &str, word: &str, message: &str| Some((code.to_owned(), word.to_owned(), message.to_owned()));
        let full = r#"{"id":7,"jsonrpc":"2.0","error":{"code":10000,"message":"Invalid hash","data":{"error_code":"FORBIDDEN"}}}"#;
        assert_eq!(complaint(full), some("10000", "FORBIDDEN", "Invalid hash"));
        assert_eq!(complaint(r#"{"id":null,"error":{"code":-32700}}"#), some("-32700", "", ""));
        assert_eq!(complaint(r#"{"id":7,"error":"broken"}"#), some("", "", "broken"));
        assert_eq!(complaint(r#"{"id":8,"error":{"code":10000}}"#), None);
    }
}
