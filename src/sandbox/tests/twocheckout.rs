//! 2Checkout by JSON-RPC: sessions, what each method changes and says, and what must never be kept.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};

use super::{exchange, get, ledger, sandbox, send, with_faults};
use crate::sandbox::{Sandbox, SandboxOptions, start};

const KEY: &[u8] = b"sandbox+secret/key=4";
/// An enabled subscription with automatic renewal.
const SUBSCRIPTION: &str = "1A2B3C4D5E";
/// A number with a right check digit, and no card's.
const CARD: &str = "4111111111111111";

/// Calls a method at a version, with its parameters as a JSON array, and answers with the whole reply.
fn raw(sandbox: &Sandbox, version: &str, method: &str, parameters: &Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": parameters}).to_string();
    let answer = send(sandbox, "POST", &format!("/rpc/{version}/"), &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let reply: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!((&reply["jsonrpc"], &reply["id"]), (&json!("2.0"), &json!(7)));
    reply
}

fn now(minutes: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn sign<M: Mac + KeyInit>(date: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(KEY).expect("any length");
    mac.update(format!("7SANDBOX19{date}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn login_parameters() -> [String; 3] {
    let date = now(0);
    ["SANDBOX".to_owned(), date.clone(), sign::<Hmac<md5::Md5>>(&date)]
}

fn log_in(sandbox: &Sandbox) -> String {
    let reply = raw(sandbox, "6.0", "login", &json!(login_parameters()));
    reply["result"].as_str().expect("a session").to_owned()
}

/// A sandbox, with a session.
struct Client {
    sandbox: Sandbox,
    session: String,
}

impl Client {
    fn new() -> Self {
        let sandbox = sandbox();
        Self { session: log_in(&sandbox), sandbox }
    }

    fn reply(&self, method: &str, parameters: &Value) -> Value {
        let mut all = vec![json!(self.session)];
        all.extend(parameters.as_array().expect("a list").iter().cloned());
        raw(&self.sandbox, "6.0", method, &json!(all))
    }

    fn call(&self, method: &str, parameters: &Value) -> Value {
        let reply = self.reply(method, parameters);
        assert_eq!(reply.get("error"), None, "{method} {parameters}");
        reply["result"].clone()
    }

    /// The code and the message of the error.
    fn refusal(&self, method: &str, parameters: &Value) -> (i64, String) {
        let reply = self.reply(method, parameters);
        assert_eq!(reply.get("result"), None, "{method} {parameters}: {reply}");
        let error = &reply["error"];
        assert!(error["data"]["error_code"].is_string(), "{reply}");
        (error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a message").to_owned())
    }

    fn effects(&self) -> Vec<Value> {
        ledger(&self.sandbox)
    }
}

fn error_of(reply: &Value) -> (i64, &str) {
    (reply["error"]["code"].as_i64().expect("a code"), reply["error"]["data"]["error_code"].as_str().expect("a name"))
}

#[test]
fn logins_are_signed_with_the_digest_of_their_version() {
    let sandbox = sandbox();
    let date = now(0);
    let (md5, sha2, sha3) =
        (sign::<Hmac<md5::Md5>>(&date), sign::<Hmac<sha2::Sha256>>(&date), sign::<Hmac<sha3::Sha3_256>>(&date));
    let login = |version: &str, parameters: Value| raw(&sandbox, version, "login", &parameters);
    for version in ["3.0", "4.0", "5.0", "6.0"] {
        assert!(login(version, json!(["SANDBOX", date, md5]))["result"].is_string(), "{version}");
    }
    assert!(login("6.0", json!(["SANDBOX", date, sha2, "sha256"]))["result"].is_string());
    assert!(login("6.0", json!(["SANDBOX", date, sha3, "sha3-256"]))["result"].is_string());
    let (early, late) = (now(-16), now(16));
    for (version, parameters) in [
        ("5.0", json!(["SANDBOX", date, sha2, "sha256"])),
        ("6.0", json!(["SANDBOX", date, sha2])),
        ("6.0", json!(["SANDBOX", date, md5, "sha256"])),
        ("6.0", json!(["SANDBOX", date, md5.to_uppercase()])),
        ("6.0", json!(["sandbox", date, md5])),
        ("6.0", json!(["SANDBOX", early, sign::<Hmac<md5::Md5>>(&early)])),
        ("6.0", json!(["SANDBOX", late, sign::<Hmac<md5::Md5>>(&late)])),
    ] {
        let reply = login(version, parameters.clone());
        assert_eq!(error_of(&reply), (10_000, "FORBIDDEN"), "{version} {parameters}");
        assert_eq!(reply["error"]["message"], "Invalid hash provided or session expired");
    }
    assert_eq!(send(&sandbox, "POST", "/rpc/2.0/", "{}").status, 404);
}

#[test]
fn without_a_session_nothing_happens() {
    let client = Client::new();
    let extend = |session: &str| raw(&client.sandbox, "6.0", "extendSubscription", &json!([session, SUBSCRIPTION, 30]));
    assert_eq!(error_of(&extend("nonsense")), (10_001, "INVALID_SESSION"));
    assert_eq!(extend(&client.session)["result"], true);
    let control = send(&client.sandbox, "POST", "/control", r#"{"expire_sessions":true}"#);
    assert_eq!(
        (control.status, control.body.as_str()),
        (200, r#"{"rate":null,"faults":"","latency":"0ms","lists":"from","refund_delay":"0ms"}"#)
    );
    assert_eq!(error_of(&extend(&client.session)), (10_002, "SESSION_EXPIRED"));
    assert_eq!(extend(&log_in(&client.sandbox))["result"], true);
    assert_eq!(client.effects().len(), 2);
}

#[test]
fn calls_that_are_no_calls_are_told_so() {
    let client = Client::new();
    assert_eq!(client.refusal("ExtendSubscription", &json!([])).0, -32601);
    assert_eq!(client.refusal("refundOrder", &json!([])).0, -32601);
    for (body, code) in [
        ("", -32700),
        ("{\"jsonrpc\":", -32700),
        ("[]", -32600),
        ("{\"jsonrpc\":\"2.0\",\"method\":\"login\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"login\"}", -32600),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"login\",\"params\":{\"vendorCode\":\"SANDBOX\"}}", -32602),
    ] {
        let reply: Value = serde_json::from_str(&send(&client.sandbox, "POST", "/rpc/6.0/", body).body).expect("JSON");
        assert_eq!(error_of(&reply).0, code, "{body}");
    }
    assert_eq!(get(&client.sandbox, "/rpc/6.0/").status, 405);
    assert_eq!(client.refusal("extendSubscription", &json!([SUBSCRIPTION])), (90_400, "days is required".to_owned()));
    assert_eq!(client.refusal("getOrder", &json!(["12345678", 1])).1, "getOrder has only 1 parameters");
}

#[test]
fn an_extension_adds_days_each_time() {
    let client = Client::new();
    let end = || client.call("getSubscription", &json!([SUBSCRIPTION]))["ExpirationDate"].clone();
    let date = |value: &Value| value.as_str().and_then(|text| text.parse::<jiff::civil::Date>().ok()).expect("a date");
    let before = end();
    for (days, result) in [(json!(30), true), (json!("30"), true), (json!(-5), true)] {
        assert_eq!(client.call("extendSubscription", &json!([SUBSCRIPTION, days])), json!(result));
    }
    assert_eq!((date(&end()) - date(&before)).get_days(), 55);
    assert_eq!(client.call("extendSubscription", &json!(["1A2B3C4D00", 30])), false, "it is disabled");
    assert_eq!(client.refusal("extendSubscription", &json!(["DEAD3C4D5E", 30])).0, 90_404);
    assert_eq!(client.refusal("extendSubscription", &json!(["1a2b3c4d5e", 30])).0, 90_404);
    assert_eq!(client.refusal("extendSubscription", &json!([SUBSCRIPTION, 1.5])).0, 90_400);
    let effects = client.effects();
    assert_eq!(effects.len(), 3);
    assert_eq!(effects[0]["provider"], "twocheckout");
    assert_eq!(
        (&effects[0]["operation"], &effects[0]["subject"]),
        (&json!("extendSubscription"), &json!(SUBSCRIPTION))
    );
    assert_eq!(effects[0]["request"], json!({"subscriptionReference": SUBSCRIPTION, "days": 30}), "no session");
    assert_eq!(effects[0]["after"], effects[1]["before"]);
}

#[test]
fn switches_are_set_and_read_again() {
    let client = Client::new();
    let is = |reference: &str, name: &str| client.call("getSubscription", &json!([reference]))[name].clone();
    assert_eq!(is("1A2B3C4DFF", "RecurringEnabled"), false);
    for (method, name, value) in [
        ("disableRecurringBilling", "RecurringEnabled", false),
        ("enableRecurringBilling", "RecurringEnabled", true),
        ("cancelSubscription", "SubscriptionEnabled", false),
        ("enableSubscription", "SubscriptionEnabled", true),
    ] {
        assert_eq!(client.call(method, &json!([SUBSCRIPTION])), true, "{method}");
        assert_eq!(is(SUBSCRIPTION, name), value, "{method}");
    }
    assert_eq!(client.call("cancelSubscription", &json!(["1A2B3C4D00", ["PRICE"], "other"])), false);
    assert_eq!(client.effects().len(), 4);
}

#[test]
fn an_upgrade_shows_in_the_subscription_and_its_history() {
    let client = Client::new();
    let upgrade = |reference: &str, product: &str| json!([reference, product, "Users=7", "19.90"]);
    assert_eq!(client.call("setSubscriptionUpgrade", &upgrade(SUBSCRIPTION, "PROD-PLUS")), true);
    assert_eq!(client.call("getSubscription", &json!([SUBSCRIPTION]))["Product"]["ProductCode"], "PROD-PLUS");
    let history = client.call("getSubscriptionHistory", &json!([SUBSCRIPTION]));
    let kinds: Vec<_> = history.as_array().expect("a list").iter().map(|entry| entry["Type"].clone()).collect();
    assert_eq!(kinds, ["SALE", "UPGRADE"]);
    assert_ne!(history[0]["ReferenceNo"], history[1]["ReferenceNo"]);
    let refusal =
        |reference: &str, product: &str| client.refusal("setSubscriptionUpgrade", &upgrade(reference, product)).1;
    assert_eq!(refusal("1A2B3C4DFF", "PROD-PLUS"), "Automatic renewal is not enabled for the subscription");
    assert_eq!(refusal(SUBSCRIPTION, "OTHER"), "Product not found");
    assert_eq!(client.call("setSubscriptionUpgrade", &upgrade("1A2B3C4D00", "PROD-PLUS")), false);
    let price = client.call("getProductUpgradeOptionsPrice", &json!([SUBSCRIPTION, "PROD-PLUS", "usd", "a;b"]));
    assert_eq!((&price["BillingCurrency"], &price["BillingPrice"]), (&json!("USD"), &json!(49)));
    assert_eq!(client.effects().len(), 1);
}

#[test]
fn refunds_add_up_to_the_total_and_no_further() {
    let client = Client::new();
    let refund = |order: &str, amount: Value| json!([order, amount, [], "a comment", "Duplicate purchase"]);
    let status = |order: &str| client.call("getOrder", &json!([order]))["Status"].clone();
    assert_eq!(client.call("issueRefund", &refund("12345678", json!(30.50))), true);
    assert_eq!(client.call("issueRefund", &refund("12345678", json!("30.50"))), true, "the same, made again");
    assert_eq!(status("12345678"), "COMPLETE");
    let too_much = client.refusal("issueRefund", &refund("12345678", json!(39.01)));
    assert_eq!(too_much, (90_409, "The amount is higher than what can be refunded for the order".to_owned()));
    assert_eq!(client.call("issueRefund", &json!(["12345678", 39, "", "", ""])), true);
    assert_eq!(status("12345678"), "REFUND");
    assert_eq!(client.refusal("issueRefund", &refund("912345678", json!(100))).0, 90_409);
    for (order, amount) in [("1234567", json!(1)), ("1234567890", json!(1)), ("1234567x", json!(1))] {
        assert_eq!(client.refusal("issueRefund", &refund(order, amount)).1, "Order not found");
    }
    for amount in [json!(0), json!(-5), json!(0.001), json!("x"), Value::Null] {
        assert_eq!(client.refusal("issueRefund", &refund("12345679", amount)).0, 90_400);
    }
    let effects = client.effects();
    assert_eq!(effects.len(), 3);
    assert_eq!(effects[1]["before"], json!({"status": "COMPLETE", "refunded": "30.50", "currency": "USD"}));
    assert_eq!(effects[2]["after"], json!({"status": "REFUND", "refunded": "100.00", "currency": "USD"}));
}

fn import(external: &str) -> Value {
    json!({
        "ExternalSubscriptionReference": external, "StartDate": "2026-01-01", "ExpirationDate": "2027-01-01",
        "ExternalCustomerReference": "row-1", "NextRenewalPrice": 49.90, "NextRenewalPriceCurrency": "USD",
        "CustomPriceBillingCyclesLeft": 2, "Product": {"ProductCode": "PROD-BASIC", "PriceOptionCodes": []},
        "EndUser": {"Email": "jane@example.com", "CountryCode": "us"}, "Test": 1,
    })
}

fn with_card(external: &str, number: &str) -> Value {
    let mut subscription = import(external);
    subscription["CardPayment"] = json!({
        "CardNumber": number, "CardType": "VISA", "ExpirationYear": "2031", "ExpirationMonth": "12",
        "HolderName": "Jane Example", "CCID": "7391", "HolderNameTime": 15, "CardNumberTime": 15,
    });
    subscription
}

#[test]
fn an_import_is_made_once_and_found_again() {
    let client = Client::new();
    let reference = client.call("addSubscription", &json!([import("ext-1")]));
    let made = client.call("getSubscription", &json!([reference]));
    assert_eq!((&made["ExpirationDate"], &made["SubscriptionEnabled"]), (&json!("2027-01-01"), &json!(true)));
    assert_eq!(made["EndUser"]["Email"], "jane@example.com");
    assert_eq!(
        client.refusal("addSubscription", &json!([import("ext-1")])).1,
        "ExternalSubscriptionReference is not unique"
    );
    let mut nested = import("ext-2");
    nested["EndUser"] = json!({"Person": {"Email": "sam@example.com"}});
    assert_ne!(client.call("addSubscription", &json!([nested])), reference);
    let found = |by: Value| client.call("searchSubscriptions", &json!([by])).as_array().map(Vec::len);
    assert_eq!(found(json!({"ExternalCustomerReference": "row-1"})), Some(2));
    assert_eq!(found(json!({"CustomerEmail": "sam@example.com", "ExactMatchEmail": true})), Some(1));
    assert_eq!(found(json!({"ProductCodes": ["PROD-OTHER"]})), Some(0));
    assert_eq!(found(json!({"Page": 2, "Limit": 1})), Some(1));
    for (field, value, message) in [
        ("ExternalSubscriptionReference", Value::Null, "Subscription.ExternalSubscriptionReference is required"),
        ("EndUser", Value::Null, "Subscription.EndUser is required"),
        ("StartDate", json!("01/01/2026"), "Subscription.StartDate must be a date as YYYY-MM-DD"),
        ("ExpirationDate", json!("2025-01-01"), "ExpirationDate must not lie before StartDate"),
        ("Product", json!({"ProductCode": "X"}), "Product not found"),
        ("Tests", json!(1), "Subscription.Tests is not known"),
    ] {
        let mut subscription = import("ext-3");
        subscription[field] = value;
        assert_eq!(client.refusal("addSubscription", &json!([subscription])).1, message);
    }
    assert_eq!(client.effects().len(), 2);
}

#[test]
fn of_a_card_only_its_last_four_digits_remain() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.jsonl");
    let options = SandboxOptions { ledger: Some(path.clone()), ..SandboxOptions::default() };
    let sandbox = start(options).expect("a free port");
    let client = Client { session: log_in(&sandbox), sandbox };
    client.call("addSubscription", &json!([with_card("ext-1", CARD)]));
    let refused = client.refusal("addSubscription", &json!([with_card("ext-2", "4111111111111112")]));
    assert_eq!(refused, (40_240, "The card number is not valid".to_owned()));
    let file = std::fs::read_to_string(path).expect("the ledger");
    assert_eq!(file.lines().count(), 1);
    for secret in [CARD, "411111", "7391", "CCID", "Jane Example", client.session.as_str()] {
        assert!(!file.contains(secret), "{secret} is in {file}");
    }
    let effects = client.effects();
    assert_eq!(effects[0]["request"]["Subscription"]["CardPayment"], json!({"CardType": "VISA", "LastFour": "1111"}));
    assert_eq!(effects[0]["request"]["Subscription"]["NextRenewalPrice"].to_string(), "49.9");
    assert!(file.contains("\"NextRenewalPrice\":49.9,"), "{file}");
}

fn prices(code: &str, amount: Value, least: u32, most: u32) -> Value {
    let interval = json!({"MinQuantity": least, "MaxQuantity": most});
    json!([[{"Currency": "USD", "Amount": amount}, {"Currency": "EUR", "Amount": 80}], interval, [], code, "regular"])
}

#[test]
fn prices_are_set_replaced_and_deleted_by_interval() {
    const CODE: &str = "5553603382";
    let client = Client::new();
    let regular = || {
        let found = client.call("getPricingConfigurationByCode", &json!([CODE]))["Prices"]["Regular"].clone();
        let row = |price: &Value| {
            format!("{}-{} {} {}", price["MinQuantity"], price["MaxQuantity"], price["Currency"], price["Amount"])
        };
        found.as_array().expect("a list").iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(regular(), [""; 0]);
    assert_eq!(client.call("savePrices", &prices(CODE, json!(140), 1, 10)), true);
    assert_eq!(client.call("savePrices", &prices(CODE, json!("120.50"), 11, 99_999)), true);
    let expected = ["1-10 \"USD\" 140", "1-10 \"EUR\" 80", "11-99999 \"USD\" 120.5", "11-99999 \"EUR\" 80"];
    assert_eq!(regular(), expected);
    assert_eq!(client.refusal("savePrices", &prices(CODE, json!(1), 10, 20)).1, "The quantity intervals overlap");
    assert_eq!(client.call("savePrices", &prices(CODE, json!(-1), 1, 10)), true);
    assert_eq!(regular(), ["11-99999 \"USD\" 120.5", "11-99999 \"EUR\" 80", "1-10 \"EUR\" 80"]);
    for (code, amount, kind) in
        [("54AA62CA31", json!(1), "regular"), (CODE, json!(-2), "regular"), (CODE, json!(1), "x")]
    {
        let mut parameters = prices(code, amount, 1, 10);
        parameters[4] = json!(kind);
        client.refusal("savePrices", &parameters);
    }
    assert_eq!(client.effects().len(), 3);
    assert_eq!(client.effects()[0]["subject"], CODE);
}

#[test]
fn a_product_leaves_its_group_for_the_general_one() {
    let client = Client::new();
    let product = || client.call("getProductByCode", &json!(["PROD-PLUS"]));
    assert_eq!(product()["ProductGroup"]["Code"], "GROUP-PLUS");
    assert_eq!(product()["ShippingFees"][0]["ApplyTo"], "ORDER");
    assert_eq!(client.call("unassignProductGroup", &json!(["PROD-PLUS", "GROUP-PLUS"])), true);
    assert_eq!(product()["ProductGroup"]["Name"], "General");
    assert_eq!(client.refusal("unassignProductGroup", &json!(["PLUS", "GROUP-PLUS"])).1, "Product not found");
    assert_eq!(client.effects()[0]["before"], json!({"group": "GROUP-PLUS"}));
}

#[test]
fn each_campaign_is_a_new_one() {
    let client = Client::new();
    let campaign = |name: &str| {
        json!({
            "MasterProducts": ["PROD-A"], "DisplayType": "cart", "DisplayInEmail": false, "Name": name,
            "StartDate": "2026-09-20", "EndDate": "2027-10-21",
            "Products": [{"ProductCode": "PROD-B", "Discount": 15, "DiscountType": "PERCENT"}],
        })
    };
    let create = |name: &str| client.call("createCrossSellCampaign", &json!([campaign(name)]));
    let (first, second) = (create("autumn"), create("autumn"));
    assert_ne!(first["CampaignCode"], second["CampaignCode"]);
    assert_eq!((&first["Name"], &first["CampaignStatus"]), (&json!("autumn"), &json!("ACTIVE")));
    create("winter");
    let found = |by: Value| client.call("searchCrossSellCampaigns", &json!([by])).as_array().map(Vec::len);
    assert_eq!(found(json!({"CampaignName": "autumn"})), Some(2));
    assert_eq!(found(json!({"RecommendedProducts": ["PROD-B"], "Pagination": {"Page": 2, "Limit": 2}})), Some(1));
    assert_eq!(found(json!({"Products": ["PROD-B"]})), Some(0));
    for (field, value) in [
        ("MasterProducts", json!(["A"])),
        ("DisplayType", json!("popup")),
        ("DisplayInEmail", Value::Null),
        ("Name", Value::Null),
        ("EndDate", json!("2026-01-01")),
        ("Products", json!([{"ProductCode": "PROD-B", "Discount": 15, "DiscountType": "FIXED"}])),
        ("Products", json!([{"ProductCode": "PROD-B", "Discount": 101, "DiscountType": "PERCENT"}])),
    ] {
        let mut wrong = campaign("wrong");
        wrong[field] = value;
        assert_eq!(client.refusal("createCrossSellCampaign", &json!([wrong])).0 / 100, 904, "{field}");
    }
    let effects = client.effects();
    assert_eq!((effects.len(), &effects[0]["subject"]), (3, &json!("autumn")));
}

#[test]
fn payouts_come_in_pages() {
    let client = Client::new();
    let page = |options: Value| client.call("searchPayouts", &json!([options]));
    let length = |page: &Value| page["Items"].as_array().map(Vec::len);
    let first = page(json!({}));
    assert_eq!((length(&first), &first["Pagination"]), (Some(10), &json!({"Page": 1, "Limit": 10, "Count": 37})));
    assert_eq!(length(&page(json!({"Pagination": {"Page": 4}}))), Some(7));
    assert_eq!(length(&page(json!({"Pagination": {"Limit": 200}}))), Some(37));
    let euro = page(json!({"Currency": "EUR", "Status": ["PAID"], "Pagination": {"Limit": 50}}));
    let items = euro["Items"].as_array().expect("a list");
    assert!(!items.is_empty() && items.iter().all(|item| item["Currency"] == "EUR" && item["Status"] == "PAID"));
    let order = json!({"OrderBy": [{"Field": "TransferCompletionDate", "Direction": "DESC"}]});
    let today = super::super::today().to_string();
    assert_eq!(page(order)["Items"][0]["TransferCompletionDate"], today);
    assert_eq!(client.effects(), Vec::<Value>::new());
}

#[test]
fn faults_strike_after_the_effect_and_before() {
    let session = |sandbox: &Sandbox| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "login", "params": login_parameters()}).to_string();
        let reply = String::from_utf8(exchange(sandbox, "POST", "/rpc/6.0/", &body).expect("a reply")).expect("text");
        let (_, body) = reply.split_once("\r\n\r\n").expect("a head");
        serde_json::from_str::<Value>(body).expect("JSON")["result"].as_str().expect("a session").to_owned()
    };
    for (fault, applied) in [("reset_after=1", 1), ("reset_before=1", 0)] {
        let sandbox = sandbox();
        let session = session(&sandbox);
        let parameters = json!([session, SUBSCRIPTION, 30]);
        let body = json!({"jsonrpc": "2.0", "id": 2, "method": "extendSubscription", "params": parameters}).to_string();
        send(&sandbox, "POST", "/control", &json!({"faults": fault}).to_string());
        assert!(exchange(&sandbox, "POST", "/rpc/6.0/", &body).is_err(), "{fault}");
        assert_eq!(ledger(&sandbox).len(), applied, "{fault}");
    }
    let sandbox = with_faults("wrong_id=1", 0);
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": "login", "params": login_parameters()}).to_string();
    let answer = send(&sandbox, "POST", "/rpc/6.0/", &body);
    assert!(answer.body.starts_with("{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":"), "{}", answer.body);
}
