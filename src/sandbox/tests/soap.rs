//! 2Checkout by SOAP: the same methods in XML, and the description that clients read.

use serde_json::json;

use super::twocheckout::login_parameters;
use super::{Answer, get, ledger, sandbox, send};
use crate::sandbox::Sandbox;

/// Calls a method with its parts in XML.
fn call(sandbox: &Sandbox, method: &str, parts: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Header/><e:Body>\
         <m:{method} xmlns:m=\"urn:subops:sandbox:2checkout\">{parts}</m:{method}></e:Body></e:Envelope>"
    );
    send(sandbox, "POST", "/soap/4.0/", &body)
}

/// The content of the result.
fn result(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-type: text/xml"), "{}", answer.head);
    let rest = answer.body.split_once("<return>").and_then(|(_, rest)| rest.rsplit_once("</return>"));
    rest.expect("a result").0
}

fn session(sandbox: &Sandbox) -> String {
    let [code, date, hash] = login_parameters();
    let parts = format!("<vendorCode>{code}</vendorCode><date>{date}</date><hash>{hash}</hash><algo></algo>");
    let session = result(&call(sandbox, "login", &parts)).to_owned();
    format!("<sessionID>{session}</sessionID>")
}

#[test]
fn the_same_methods_have_the_same_effects() {
    let sandbox = sandbox();
    let session = session(&sandbox);
    let subscription = format!("{session}<subscriptionReference>1A2B3C4D5E</subscriptionReference>");
    assert_eq!(result(&call(&sandbox, "extendSubscription", &format!("{subscription}<days>30</days>"))), "true");
    let read = call(&sandbox, "getSubscription", &subscription);
    assert!(result(&read).starts_with("<SubscriptionReference>1A2B3C4D5E</SubscriptionReference><StartDate>"));
    let prices = "<Prices><item><Currency>USD</Currency><Amount>19.90</Amount></item></Prices>\
                  <Quantities><MinQuantity>1</MinQuantity><MaxQuantity>10</MaxQuantity></Quantities><PriceOptions/>\
                  <PricingConfigCode>5553603382</PricingConfigCode><type>REGULAR</type>";
    assert_eq!(result(&call(&sandbox, "savePrices", &format!("{session}{prices}"))), "true");
    let entries = ledger(&sandbox);
    assert_eq!(entries[0]["request"], json!({"subscriptionReference": "1A2B3C4D5E", "days": 30}));
    assert_eq!(entries[1]["after"][0]["amount"], "19.90");
}

#[test]
fn an_exception_is_a_fault() {
    let sandbox = sandbox();
    let fault = |method: &str, parts: &str, message: &str, code: i32| {
        let answer = call(&sandbox, method, parts);
        assert_eq!(answer.status, 500);
        assert!(answer.body.contains(&format!("<faultstring>{message}</faultstring>")), "{}", answer.body);
        assert!(answer.body.contains(&format!("<detail><code>{code}</code>")), "{}", answer.body);
    };
    fault("getOrder", "<sessionID>x</sessionID>", "Invalid session", 10_001);
    fault("login", "<vendorCode>SANDBOX</vendorCode>", "date is required", 90_400);
    fault("refundOrder", "", "Function is not a valid method for this service", -32601);
    let session = session(&sandbox);
    fault("getOrder", &format!("{session}<orderReference>1</orderReference>"), "Order not found", 90_404);
    assert_eq!(send(&sandbox, "POST", "/soap/4.0/", "<Envelope>").status, 500);
}

#[test]
fn the_description_leads_back_to_where_it_was_read() {
    let sandbox = sandbox();
    let wsdl = get(&sandbox, "/soap/5.0/?wsdl");
    assert_eq!(wsdl.status, 200);
    assert!(wsdl.body.contains("<soap:address location=\"http://sandbox/soap/5.0/\"/>"), "{}", wsdl.body);
    assert!(wsdl.body.contains("<part name=\"days\" type=\"xsd:int\"/>"));
    assert_eq!(get(&sandbox, "/soap/5.0/").status, 405);
    assert_eq!(get(&sandbox, "/soap/7.0/?wsdl").status, 404);
}
