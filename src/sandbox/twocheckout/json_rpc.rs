//! JSON-RPC 2.0 as 2Checkout speaks it: parameters by position only, errors with status 200.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::message::{Reply, Request};
use super::value::{Value, object};
use super::{Call, Exception, methods};

#[derive(Deserialize)]
struct Asked<'a> {
    jsonrpc: String,
    id: Option<i64>,
    method: String,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Answered {
    jsonrpc: &'static str,
    id: Option<i64>,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(Value),
    Error(Value),
}

/// Answers one call.
pub(super) fn answer(call: &mut Call<'_>, request: &Request) -> Reply {
    let asked = serde_json::from_slice::<Asked<'_>>(&request.body);
    let id = asked.as_ref().ok().and_then(|asked| asked.id);
    let outcome = match asked {
        Ok(asked) => perform(call, &asked),
        Err(error) if error.is_data() => Err(Exception::new(-32600, "INVALID_REQUEST", "Invalid Request")),
        Err(_) => Err(Exception::new(-32700, "PARSE_ERROR", "Parse error")),
    };
    let outcome = outcome.map_or_else(|exception| Outcome::Error(error(exception)), Outcome::Result);
    let answered = Answered { jsonrpc: "2.0", id: id.map(|id| id + i64::from(request.wrong_id)), outcome };
    match serde_json::to_vec(&answered) {
        Ok(body) => Reply::json(StatusCode::OK, body),
        Err(error) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn perform(call: &mut Call<'_>, asked: &Asked<'_>) -> Result<Value, Exception> {
    if asked.jsonrpc != "2.0" || asked.id.is_none() {
        return Err(Exception::new(-32600, "INVALID_REQUEST", "Invalid Request"));
    }
    let unknown = || Exception::new(-32601, "METHOD_NOT_FOUND", "Method not found");
    let method = methods::find(&asked.method).ok_or_else(unknown)?;
    match asked.params.map(Value::from_json) {
        Some(Some(Value::List(given))) => method.call(call, given),
        None => method.call(call, Vec::new()),
        Some(_) => Err(Exception::new(-32602, "INVALID_PARAMS", "Invalid params")),
    }
}

fn error(exception: Exception) -> Value {
    object([
        ("code", i64::from(exception.code).into()),
        ("message", exception.message.into()),
        ("data", object([("error_code", exception.error_code.into())])),
    ])
}
