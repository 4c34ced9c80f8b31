//! Segpay's membership upgrade, which charges at once, and its dynamic prices, which charge nobody.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Answer, LOGIN, get, ledger, sandbox, send_with, with_faults, word};
use crate::sandbox::Sandbox;

const JSON: &str = "application/json";
const XML: &str = "application/xml";

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn post(sandbox: &Sandbox, id: u32, content_type: &str, accept: &str, body: &str) -> Answer {
    let login = basic("sandbox-api-user", "sandbox+api/password=2");
    let headers = [("Authorization", login.as_str()), ("Content-Type", content_type), ("Accept", accept)];
    send_with(sandbox, "POST", &format!("/purchases/{id}/upgrade"), &headers, body)
}

fn upgrade(sandbox: &Sandbox, id: u32, amount: &str) -> Value {
    let body = format!("{{\"NewRecurringAmount\":{amount},\"NewRecurringDurationInDays\":\"45\"}}");
    let answer = post(sandbox, id, JSON, JSON, &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("JSON")
}

fn report(sandbox: &Sandbox, id: u32) -> String {
    get(sandbox, &format!("/MWS.asmx/TransactionByPurchaseID?{LOGIN}&PurchaseID={id}")).body
}

#[test]
fn an_upgrade_charges_at_once_and_shows_in_the_report() {
    let sandbox = sandbox();
    // 80,012,345 recurs at 19.95 and is billed next in 1 + 80,012,345 % 28 = 22 days: 22/30 of 10.55 is 7.74.
    let answer = upgrade(&sandbox, 80_012_345, "30.50");
    assert_eq!(answer["IsSuccess"], true);
    assert_eq!(answer["Message"], "Purchase has been upgraded successfully.");
    assert_eq!((&answer["purchaseid"], &answer["TransactionId"]), (&json!(80_012_345), &json!(950_000_001)));
    assert_eq!((&answer["TransactionAmount"], &answer["newRecurringAmount"]), (&json!(7.74), &json!(30.50)));
    assert_eq!(answer["transactionAuthCode"], "OK:0");
    let entries = ledger(&sandbox);
    assert_eq!((entries.len(), &entries[0]["operation"]), (1, &json!("MembershipUpgrade")));
    assert_eq!(entries[0]["subject"], "80012345");
    assert_eq!(entries[0]["request"]["NewRecurringAmount"], "30.50", "as it was written");
    assert_eq!(entries[0]["request"]["TransactionAmount"], "7.74");
    assert_eq!((&entries[0]["before"]["upgrades"], &entries[0]["after"]["upgrades"]), (&json!(0), &json!(1)));
    assert_eq!(entries[0]["after"]["next_bill_date"], answer["nextTransactionDate"]);
    let report = report(&sandbox, 80_012_345);
    assert_eq!(report.matches("<Type>Sale</Type>").count(), 2, "{report}");
    assert!(report.contains("<TransAmount>7.7400</TransAmount>") && report.contains("<TransID>950000001</TransID>"));
    assert!(report.contains("<RecurringAmount>30.5000</RecurringAmount>"));
    assert!(report.contains("<RecurringPeriod>45</RecurringPeriod>"));
}

#[test]
fn a_repeated_upgrade_is_a_second_transaction_and_its_charge_can_be_refunded() {
    let sandbox = sandbox();
    upgrade(&sandbox, 80_012_345, "30.50");
    let again = upgrade(&sandbox, 80_012_345, "30.50");
    assert_eq!((&again["TransactionId"], &again["TransactionAmount"]), (&json!(950_000_002), &json!(0.0)));
    let refund = |id: u32| word(&sandbox, "RefundTransaction", &format!("TransID={id}&RefundReason="));
    assert_eq!(refund(950_000_001), "Success");
    assert_eq!(refund(950_000_003), "Subscription not active, cancel failed", "a credit is not given back");
    assert!(report(&sandbox, 80_012_345).contains("<TransAmount>-7.7400</TransAmount>"));
    assert_eq!(ledger(&sandbox).len(), 3);
}

#[test]
fn a_declined_charge_has_a_number_and_no_effect() {
    let sandbox = sandbox();
    let answer = upgrade(&sandbox, 80_012_989, "99");
    assert_eq!((&answer["IsSuccess"], &answer["TransactionId"]), (&json!(false), &json!(950_000_001)));
    assert_eq!((&answer["TransactionAmount"], &answer["nextTransactionDate"]), (&Value::Null, &Value::Null));
    assert_eq!(answer["transactionAuthCode"], "Insufficient Funds:51");
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
    let report = report(&sandbox, 80_012_989);
    assert!(report.contains("<Auth>No</Auth>") && report.contains("<RecurringAmount>19.9500</RecurringAmount>"));
}

#[test]
fn a_refused_upgrade_has_neither() {
    let sandbox = sandbox();
    let cases = [
        (80_012_990, "99", "Purchase is not active."),
        (31_263_348, "99", "Purchase was not found."),
        (80_012_345, "0", "NewRecurringAmount must be a positive value in the allowed range."),
        (80_012_345, "-5", "NewRecurringAmount must be a positive value in the allowed range."),
        (80_012_345, "\"much\"", "NewRecurringAmount must be a positive value in the allowed range."),
        (80_012_345, "19.94", "NewRecurringAmount is lower than the current recurring amount."),
    ];
    for (id, amount, message) in cases {
        let answer = upgrade(&sandbox, id, amount);
        assert_eq!(
            answer,
            json!({"IsSuccess": false, "Message": message, "purchaseid": id, "TransactionId": null,
                "TransactionAmount": null, "newRecurringAmount": null, "nextTransactionDate": null,
                "transactionAuthCode": null})
        );
    }
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn the_forms_of_request_and_reply_are_independent() {
    let sandbox = sandbox();
    let xml = "<?xml version=\"1.0\"?><Parameters><NewRecurringAmount>20.95</NewRecurringAmount>\
               <NewRecurringDurationInDays>30</NewRecurringDurationInDays></Parameters>";
    let answer = post(&sandbox, 80_012_345, "application/xml; charset=utf-8", XML, xml);
    assert!(answer.head.contains("content-type: application/xml"), "{}", answer.head);
    assert!(answer.body.starts_with("<Result><IsSuccess>true</IsSuccess><Message>"), "{}", answer.body);
    assert!(answer.body.contains("<Purchaseid>80012345</Purchaseid><TransactionId>950000001</TransactionId>"));
    let answer = post(&sandbox, 80_012_349, XML, JSON, xml);
    assert!(answer.body.starts_with("{\"IsSuccess\":true,"), "{}", answer.body);
    let answer = post(&sandbox, 80_012_990, JSON, XML, "{\"newrecurringamount\":\"99\"}");
    assert!(answer.body.contains("<TransactionId /><TransactionAmount />"), "{}", answer.body);
    for (content_type, body, status) in [
        ("application/x-www-form-urlencoded", "NewRecurringAmount=99", 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
        (JSON, "{\"NewRecurringAmount\": 34.56 \"NewRecurringDurationInDays\": 12}", 400),
        (XML, "<Parameters>", 400),
    ] {
        assert_eq!(post(&sandbox, 80_012_345, content_type, JSON, body).status, status, "{content_type}");
    }
    assert_eq!(ledger(&sandbox).len(), 2);
}

#[test]
fn strangers_are_turned_away_from_upgrades_and_prices() {
    let sandbox = sandbox();
    let wrong = basic("sandbox-user", "sandbox+access/key=2");
    for headers in [&[][..], &[("Authorization", wrong.as_str())]] {
        let answer = send_with(&sandbox, "POST", "/purchases/80012345/upgrade", headers, "{}");
        assert_eq!(answer.status, 401);
        assert!(answer.head.contains("www-authenticate: basic"), "{}", answer.head);
        assert_eq!(send_with(&sandbox, "GET", "/MerchantServices/DynamicRecurring", headers, "").status, 401);
    }
    assert_eq!(get(&sandbox, "/purchases/80012345/upgrade").status, 405);
}

#[test]
fn a_wrong_id_is_the_neighbours() {
    let sandbox = with_faults("wrong_id=1", 0);
    assert_eq!(upgrade(&sandbox, 80_012_345, "99")["purchaseid"], 80_012_346);
    assert_eq!(ledger(&sandbox)[0]["subject"], "80012345");
}

fn price(sandbox: &Sandbox, slash: &str, query: &str) -> String {
    let login = basic("sandbox-user", "sandbox+access/key=1");
    let target = format!("/MerchantServices/DynamicRecurring{slash}?{query}");
    let answer = send_with(sandbox, "GET", &target, &[("Authorization", login.as_str())], "");
    assert_eq!(answer.status, 200);
    let text = answer.body.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.expect("a JSON string with its quotes").to_owned()
}

fn offer(initial: &str, initial_days: &str, recurring: &str, recurring_days: &str) -> String {
    format!(
        "MerchantID=20213&InitialAmount={initial}&InitialLength={initial_days}&RecurringAmount={recurring}\
         &RecurringLength={recurring_days}"
    )
}

#[test]
fn prices_within_the_limits_get_a_number_each() {
    let sandbox = sandbox();
    let first = price(&sandbox, "", &offer("2.95", "3", "19.95", "30"));
    let second = price(&sandbox, "/", &offer("100", "30", "49.950", "60"));
    assert_ne!(first, second);
    for number in [first, second] {
        let lengths: Vec<_> = number.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{number}");
    }
    let outside = |part: &str| format!("The {part} is outside your approved limits.");
    for (query, part) in [
        (offer("2.94", "3", "19.95", "30"), "initial price"),
        (offer("100.01", "3", "19.95", "30"), "initial price"),
        (offer("", "3", "19.95", "30"), "initial price"),
        (offer("2.95", "2", "19.95", "30"), "initial length"),
        (offer("2.95", "3.5", "19.95", "30"), "initial length"),
        (offer("2.95", "3", "49.96", "30"), "recurring price"),
        (offer("2.95", "3", "19.95", "61"), "recurring length"),
        ("MerchantID=20213&InitialAmount=5&InitialLength=5&RecurringAmount=20".to_owned(), "recurring length"),
    ] {
        assert_eq!(price(&sandbox, "", &query), outside(part), "{query}");
    }
    assert_eq!(price(&sandbox, "", &offer("5", "5", "20", "30").replace("20213", "1")), "Invalid Merchant");
    assert_eq!(ledger(&sandbox), Vec::<Value>::new(), "nobody was charged");
}

#[test]
fn half_a_cent_is_rounded_up() {
    // 80,000,000 % 28 = 24, so 25 of 30 days are left: 25/30 of 0.15 is 0.125.
    let answer = upgrade(&sandbox(), 80_000_000, "10.10");
    let amount = answer["TransactionAmount"].to_string().parse::<Decimal>().ok();
    assert_eq!(amount, Some(Decimal::new(13, 2)));
}
