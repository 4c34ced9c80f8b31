//! The samples against the sandbox: each row gets a documented answer, and the refusals are those that were meant.

use std::collections::BTreeMap;
use std::path::Path;

use super::{LOGIN, get, ledger, sandbox};
use crate::sandbox::Sandbox;

/// The rows of a CSV file below the project's folder, each as its cells by column.
fn rows(path: &str) -> Vec<BTreeMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let mut reader = csv::Reader::from_path(path).expect("the file");
    reader.deserialize().collect::<Result<_, _>>().expect("sound rows")
}

fn answer(sandbox: &Sandbox, path: &str, row: &BTreeMap<String, String>, columns: &[&str]) -> String {
    let mut query = form_urlencoded::Serializer::new(format!("{path}?{LOGIN}"));
    for column in columns {
        query.append_pair(column, &row[*column]);
    }
    let body = get(sandbox, &query.finish()).body;
    let text = body.rsplit_once("</").and_then(|(rest, _)| rest.rsplit_once('>'));
    text.expect("an element").1.to_owned()
}

/// How often each answer comes when a sample's rows are sent in order.
fn answers(sample: &str, path: &str, columns: &[&str]) -> BTreeMap<String, usize> {
    let sandbox = sandbox();
    let mut counts = BTreeMap::new();
    for row in rows(sample) {
        *counts.entry(answer(&sandbox, path, &row, columns)).or_default() += 1;
    }
    counts
}

fn expect(sample: &str, path: &str, columns: &[&str], expected: &[(&str, usize)]) {
    let expected = expected.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
    assert_eq!(answers(&format!("samples/{sample}.csv"), path, columns), expected, "{sample}");
}

#[test]
fn a_thousand_extensions_of_which_six_are_refused() {
    let expected = [("Successful", 994), ("Membership not Active", 4), ("PurchaseID/MerchantID Mismatch", 2)];
    expect("extend-memberships", "/adm.asmx/ExtendMembership", &["PurchaseID", "Days"], &expected);
}

#[test]
fn the_other_samples_mostly_succeed() {
    const NOT_ACTIVE: &str = "Subscription not active, cancel failed";
    let reason = ["PurchaseID", "CancelReason"];
    let cancelled = [("Successful", 28), (NOT_ACTIVE, 1), ("PurchaseID/MerchantID Mismatch", 1)];
    expect("cancel-memberships", "/adm.asmx/CancelMembership", &reason, &cancelled);
    expect("expire-memberships", "/adm.asmx/ExpireMembership", &reason, &[("Success", 23), (NOT_ACTIVE, 1)]);
    let noted = [("Successful", 29), ("Membership not Active", 1)];
    expect("insert-consumer-notes", "/adm.asmx/InsertConsumerNote", &["PurchaseID", "Note"], &noted);
    let modified = [("Successful", 30), ("Failed", 1), ("Membership not Active", 1)];
    let columns = ["PurchaseID", "RecurringAmount", "Comments"];
    expect("modify-rebill-amounts", "/adm.asmx/ModifyRebillAmount", &columns, &modified);
    let refunded = [("Success", 27), (NOT_ACTIVE, 1)];
    expect("refund-transactions", "/adm.asmx/RefundTransaction", &["TransID", "RefundReason"], &refunded);
    expect("validate-user-access", "/MWS.asmx/ValidateUserAccess", &[], &[("20213", 3)]);
}

#[test]
fn every_reactivation_link_is_given() {
    let links = answers("samples/reactivation-links.csv", "/merchantservices/Reactivation", &["purchaseid"]);
    assert_eq!(links.len(), 25, "all different");
    assert!(links.keys().all(|link| link.starts_with("https://")), "{links:?}");
}

#[test]
fn refunds_are_listed_with_the_amount_that_was_paid() {
    let sandbox = sandbox();
    for row in rows("samples/refund-transactions.csv") {
        let report = get(&sandbox, &format!("/MWS.asmx/TransactionByTransID?{LOGIN}&TransID={}", row["TransID"])).body;
        assert!(report.contains(&format!("<TransAmount>{}00</TransAmount>", row["amount"])), "{row:?}");
    }
}

#[test]
fn the_mass_cancellation_runs_as_it_is() {
    let sandbox = sandbox();
    let all = rows("jobs/mass-cancellation.csv");
    for row in &all {
        let (path, columns, done) = match row["operation"].as_str() {
            "segpay.cancel_membership" => ("/adm.asmx/CancelMembership", ["PurchaseID", "CancelReason"], "Successful"),
            "segpay.expire_membership" => ("/adm.asmx/ExpireMembership", ["PurchaseID", "CancelReason"], "Success"),
            "segpay.insert_consumer_note" => ("/adm.asmx/InsertConsumerNote", ["PurchaseID", "Note"], "Successful"),
            other => panic!("no operation `{other}` is expected here"),
        };
        assert_eq!(answer(&sandbox, path, row, &columns), done, "{row:?}");
    }
    assert_eq!(ledger(&sandbox).len(), all.len());
}

#[test]
fn the_jsonl_sample_holds_one_object_a_line() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/support-notes.jsonl");
    let text = std::fs::read_to_string(path).expect("the file");
    let sandbox = sandbox();
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).expect("an object");
        let row = [("PurchaseID", &object["subscription"]), ("Note", &object["text"])]
            .map(|(name, value)| (name.to_owned(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        let word = answer(&sandbox, "/adm.asmx/InsertConsumerNote", &row.into(), &["PurchaseID", "Note"]);
        assert_eq!(word, "Successful", "{line}");
    }
    assert_eq!(ledger(&sandbox).len(), 20);
}
