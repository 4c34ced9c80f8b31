//! PayPro Global's calls: the envelope, the states, and what is wrong with a request.

use serde_json::{Value, json};

use super::{Answer, ledger, sandbox, send, send_with, with_faults};
use crate::sandbox::Sandbox;

/// `id % 100` = 0: active, at 9.95; `id % 3` = 1: in EUR. Even: refused with status 200.
const ACTIVE: i64 = 1_000_000;

fn post(sandbox: &Sandbox, operation: &str, body: &str) -> Answer {
    let json = [("Content-Type", "application/json; charset=utf-8")];
    send_with(sandbox, "POST", &format!("/api/Subscriptions/{operation}"), &json, body)
}

/// Calls with the right credentials; the fields are JSON without its braces.
fn call(sandbox: &Sandbox, operation: &str, fields: &str) -> (u16, Value) {
    let login = r#""vendorAccountId":70213,"apiSecretKey":"sandbox+secret/key=3""#;
    let separator = if fields.is_empty() { "" } else { "," };
    let answer = post(sandbox, operation, &format!("{{{fields}{separator}{login}}}"));
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    (answer.status, serde_json::from_str(&answer.body).expect("JSON"))
}

fn done(sandbox: &Sandbox, operation: &str, fields: &str) -> Value {
    let (status, body) = call(sandbox, operation, fields);
    assert_eq!((status, &body["isSuccess"], &body["errors"]), (200, &json!(true), &json!([])), "{operation}: {body}");
    body
}

/// The status, and the property and the message of the only error.
fn refusal(sandbox: &Sandbox, operation: &str, fields: &str) -> (u16, String, String) {
    let (status, body) = call(sandbox, operation, fields);
    assert_eq!((&body["isSuccess"], body["errors"].as_array().map(Vec::len)), (&json!(false), Some(1)), "{body}");
    assert_eq!(body.get("response"), None);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let error = &body["errors"][0];
    (status, text(&error["propertyWithError"]), text(&error["propertyErrorMessages"][0]))
}

fn suspend(id: i64) -> String {
    format!("\"cancellationReasonId\":1,\"subscriptionId\":{id}")
}

fn details(sandbox: &Sandbox, id: i64) -> Value {
    done(sandbox, "GetSubscriptionDetails", &format!("\"subscriptionId\":{id},\"dateFormat\":\"a\""))["response"]
        .clone()
}

#[test]
fn a_reply_repeats_the_request_with_its_secret() {
    let sandbox = sandbox();
    let body = done(&sandbox, "Suspend", &suspend(ACTIVE));
    let keys: Vec<_> = body.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["request", "errors", "isSuccess"]);
    assert_eq!(body["request"]["apiSecretKey"], "sandbox+secret/key=3");
    assert_eq!(body["request"]["subscriptionId"], ACTIVE);
    let entries = ledger(&sandbox);
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["request"], json!({"cancellationReasonId": 1, "subscriptionId": ACTIVE}), "no credentials");
    assert_eq!((&entries[0]["provider"], &entries[0]["subject"]), (&json!("paypro"), &json!("1000000")));
    assert_eq!(
        (&entries[0]["before"]["status"], &entries[0]["after"]["status"]),
        (&json!("Active"), &json!("Suspended"))
    );
}

#[test]
fn states_follow_one_another_as_documented() {
    let sandbox = sandbox();
    let status = |id| details(&sandbox, id)["status"].clone();
    let renew = |id: i64| format!("\"reasonText\":\"back\",\"subscriptionId\":{id}");
    let refused = |operation: &str, fields: &str| refusal(&sandbox, operation, fields).2;
    assert_eq!(refused("Renew", &renew(ACTIVE)), "Subscription is not suspended");
    done(&sandbox, "Suspend", &suspend(ACTIVE));
    assert_eq!(status(ACTIVE), "Suspended");
    assert_eq!(details(&sandbox, ACTIVE)["nextPayment"], Value::Null);
    assert_eq!(refused("Suspend", &suspend(ACTIVE)), "Subscription is already suspended");
    done(&sandbox, "Renew", &renew(ACTIVE));
    assert_eq!(status(ACTIVE), "Active");
    done(&sandbox, "Suspend", &suspend(ACTIVE));
    done(&sandbox, "Terminate", &suspend(ACTIVE));
    assert_eq!(status(ACTIVE), "Terminated");
    assert_eq!(refused("Terminate", &suspend(ACTIVE)), "Subscription is already terminated");
    assert_eq!(refused("Renew", &renew(ACTIVE)), "Subscription is not suspended");
    assert_eq!(refused("Suspend", &suspend(ACTIVE)), "Subscription is terminated");
    done(&sandbox, "Terminate", &suspend(1_000_090));
    for (id, expected) in [(1_000_092, "Suspended"), (1_000_094, "Terminated"), (1_000_095, "Finished")] {
        assert_eq!(status(id), expected);
    }
    assert_eq!(refused("Terminate", &suspend(1_000_095)), "Subscription is finished");
    assert_eq!(ledger(&sandbox).len(), 5);
}

#[test]
fn refusals_come_with_200_and_with_400() {
    let sandbox = sandbox();
    let not_found = |id: i64| refusal(&sandbox, "Suspend", &suspend(id));
    let expected = |status| (status, "subscriptionId".to_owned(), "Subscription not found".to_owned());
    assert_eq!(not_found(999_998), expected(200));
    assert_eq!(not_found(10_000_001), expected(400));
    assert_eq!(refusal(&sandbox, "Suspend", &suspend(1_000_091)).0, 400);
    assert_eq!(refusal(&sandbox, "Suspend", "\"subscriptionId\":1000001").0, 400);
}

#[test]
fn wrong_credentials_are_an_error_of_the_key() {
    let sandbox = sandbox();
    for (account, key) in [("70213", "sandbox-secret-key-3"), ("70214", "sandbox+secret/key=3")] {
        let body = format!("{{{},\"vendorAccountId\":{account},\"apiSecretKey\":\"{key}\"}}", suspend(ACTIVE));
        let answer: Value = serde_json::from_str(&post(&sandbox, "Suspend", &body).body).expect("JSON");
        assert_eq!(answer["isSuccess"], false);
        assert_eq!(answer["errors"][0]["propertyWithError"], "apiSecretKey");
        assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn what_is_wrong_with_a_field_is_said_by_its_name() {
    let sandbox = sandbox();
    let cases = [
        ("Suspend", "\"subscriptionId\":1000000", "reasonText", "The reason is required if"),
        ("Suspend", "\"subscriptionId\":1000000,\"reasonText\":\" \"", "reasonText", "The reason is required if"),
        (
            "Suspend",
            "\"subscriptionId\":1000000,\"cancellationReasonId\":7",
            "cancellationReasonId",
            "The cancellation",
        ),
        ("Suspend", "\"cancellationReasonId\":1", "subscriptionId", "The field subscriptionId is required."),
        (
            "Suspend",
            "\"cancellationReasonId\":1,\"subscriptionId\":\"1\"",
            "subscriptionId",
            "The field subscriptionId must",
        ),
        (
            "Suspend",
            "\"cancellationReasonId\":1,\"subscriptionId\":1.0",
            "subscriptionId",
            "The field subscriptionId must",
        ),
        ("Renew", "\"subscriptionId\":1000090", "reasonText", "The field reasonText is required."),
        ("Renew", "\"subscriptionId\":1000090,\"reasonText\":null", "reasonText", "The field reasonText is required."),
        (
            "Renew",
            "\"subscriptionId\":1000090,\"reasonText\":\"x\",\"reason\":\"x\"",
            "reason",
            "The field reason is not",
        ),
        (
            "ChangeNextPaymentDate",
            "\"subscriptionId\":1000000,\"newNextPaymentDate\":\"2020-01-01\"",
            "newNextPaymentDate",
            "The next payment date must not lie in the past.",
        ),
        (
            "ChangeRecurringPrice",
            "\"subscriptionId\":1000000,\"newPriceValue\":12.5,\"priceCurrencyCode\":\"USD\"",
            "priceCurrencyCode",
            "The currency must be that of the subscription.",
        ),
        (
            "ChangeRecurringPrice",
            "\"subscriptionId\":1000000,\"newPriceValue\":0,\"priceCurrencyCode\":\"EUR\"",
            "newPriceValue",
            "The price must be greater than zero.",
        ),
        ("GetList", "\"take\":101", "take", "The field take must be between 1 and 100."),
        ("GetSubscriptionDetails", "\"subscriptionId\":1000000,\"dateFormat\":\"d\"", "dateFormat", "The date format"),
    ];
    for (operation, fields, property, message) in cases {
        let (_, named, said) = refusal(&sandbox, operation, fields);
        assert_eq!(named, property, "{operation} {fields}");
        assert!(said.starts_with(message), "{said}");
    }
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn dates_and_prices_are_set_as_they_are_given() {
    let sandbox = sandbox();
    let fields =
        "\"subscriptionId\":1000000,\"newNextPaymentDate\":\"2199-03-05T00:00:00.000\",\"shiftPaymentSchedule\":true";
    done(&sandbox, "ChangeNextPaymentDate", fields);
    let fields = "\"subscriptionId\":1000000,\"newPriceValue\":12.50,\"priceCurrencyCode\":\"EUR\",\"quantity\":2";
    done(&sandbox, "ChangeRecurringPrice", fields);
    let written = |format: &str| {
        let fields = format!("\"subscriptionId\":1000000,\"dateFormat\":\"{format}\"");
        done(&sandbox, "GetSubscriptionDetails", &fields)["response"]["nextPayment"].clone()
    };
    assert_eq!(written("a"), "2199-03-05T00:00:00.000");
    assert_eq!(written("b"), "3/5/2199");
    assert_eq!(written("c"), "5-Mar-2199");
    let answer = post(
        &sandbox,
        "GetSubscriptionDetails",
        r#"{"subscriptionId":1000000,"vendorAccountId":70213,"apiSecretKey":"sandbox+secret/key=3"}"#,
    );
    assert!(answer.body.contains("\"subscriptionPrice\":12.50,\"subscriptionCurrency\":\"EUR\""), "{}", answer.body);
    let entries = ledger(&sandbox);
    assert_eq!(
        (&entries[1]["request"]["newPriceValue"], &entries[1]["after"]["quantity"]),
        (&json!("12.50"), &json!(2))
    );
    assert_eq!((&entries[1]["before"]["price"], &entries[1]["after"]["price"]), (&json!("9.95"), &json!("12.50")));
    assert_eq!(entries[0]["after"]["schedule_shifted"], true);
}

#[test]
fn lists_come_in_pages_and_are_searched() {
    let sandbox = sandbox();
    let ids = |fields: &str| -> Vec<i64> {
        let list = done(&sandbox, "GetList", fields)["response"].clone();
        list.as_array().expect("a list").iter().filter_map(|entry| entry["id"].as_i64()).collect()
    };
    assert_eq!(ids(""), (1_000_000..1_000_050).collect::<Vec<_>>());
    assert_eq!(ids("\"skip\":1,\"take\":2,\"sortByDate\":\"desc\""), [9_999_998, 9_999_997]);
    assert_eq!(ids("\"take\":4,\"search\":{\"statusIds\":[2,4]}"), [1_000_090, 1_000_091, 1_000_092, 1_000_095]);
    assert_eq!(ids("\"search\":{\"subscriptionIds\":[1000093,1,1000090],\"statusIds\":2}"), [1_000_090]);
    assert_eq!(ids("\"search\":{\"subscriptionIds\":7}"), [0_i64; 0]);
    assert_eq!(ledger(&sandbox), Vec::<Value>::new(), "a read is no effect");
}

#[test]
fn only_json_is_taken_and_only_by_post() {
    let sandbox = sandbox();
    assert_eq!(send(&sandbox, "GET", "/api/Subscriptions/Suspend", "").status, 405);
    assert_eq!(send(&sandbox, "POST", "/api/Subscriptions/Suspend", "a=1").status, 415);
    assert_eq!(post(&sandbox, "BulkTerminateSubscriptions", "{}").status, 404);
    let answer = post(&sandbox, "Suspend", "[1]");
    assert!(answer.body.starts_with("{\"request\":null,\"errors\":[{"), "{}", answer.body);
}

#[test]
fn faults_strike_these_calls_too() {
    let sandbox = with_faults("wrong_id=1", 0);
    assert_eq!(done(&sandbox, "Suspend", &suspend(ACTIVE))["request"]["subscriptionId"], ACTIVE + 1);
    let sandbox = with_faults("garbage=1", 0);
    assert_eq!(post(&sandbox, "Suspend", "{}").body, "{\"status\":\"Your request has been queued\"}");
}
