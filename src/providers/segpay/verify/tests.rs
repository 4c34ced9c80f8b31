//! What is read from reports, and what it proves: one table per operation.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use rstest::rstest;

use super::*;
use crate::providers::segpay::tests::row;
use crate::providers::xml;

const DELAY: Duration = Duration::from_secs(60);

/// A report of these rows: each a list of columns.
fn rows(rows: &[&[(&str, &str)]]) -> Vec<ReportRow> {
    let columns = |row: &&[(&str, &str)]| row.iter().map(|(name, text)| format!("<{name}>{text}</{name}>")).collect();
    let rows: Vec<String> = rows.iter().map(columns).map(|row: String| format!("<Data>{row}</Data>")).collect();
    let text = format!("<DataSet><diffgram><NewDataSet>{}</NewDataSet></diffgram></DataSet>", rows.concat());
    xml::report(text.as_bytes(), COLUMNS).expect("a report")
}

fn facts(facts: &[(&str, &str)]) -> Observation {
    Observation { facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Applied,
    NotApplied,
    NotYet,
    Conflict,
}

fn verdict(
    evidence: Evidence,
    row: &Row,
    baseline: Option<&[(&str, &str)]>,
    now: &[(&str, &str)],
    age: u64,
) -> Verdict {
    let baseline = baseline.map(facts);
    let doubt = Doubt { baseline: baseline.as_ref(), age: Duration::from_secs(age), token: None };
    match judge(evidence, row, &doubt, &facts(now), DELAY) {
        Finding::Applied(_) => Verdict::Applied,
        Finding::NotApplied(_) => Verdict::NotApplied,
        Finding::NotYet(_) => Verdict::NotYet,
        Finding::Conflict(_) => Verdict::Conflict,
    }
}

#[test]
fn the_facts_of_a_subscription() {
    let purchase: &[(&str, &str)] = &[
        ("PurchaseID", "80012345"),
        ("PurchStatus", "Active"),
        ("RecurringAmount", "19.9500"),
        ("NextDate", "03/31/2026"),
        ("CancelDate", "1900-01-01T00:00:00+00:00"),
    ];
    let sale = [purchase, &[("Type", "Sale"), ("TransID", "1")]].concat();
    let credit = [purchase, &[("Type", "Credit"), ("TransID", "2")]].concat();
    let observation = about_purchase(&rows(&[&sale, &credit]), "80012345").expect("facts");
    let expected =
        [("status", "Active"), ("next_bill_date", "2026-03-31"), ("recurring_amount", "19.95"), ("sales", "1")];
    assert_eq!(observation, facts(&expected));
}

#[test]
fn rows_that_disagree_show_no_fact_and_another_purchase_shows_nothing() {
    let disagreeing = rows(&[&[("NextDate", "2026-03-31"), ("PurchStatus", "Active")], &[("NextDate", "2026-04-30")]]);
    let observation = about_purchase(&disagreeing, "1").expect("facts");
    assert_eq!(observation, facts(&[("status", "Active"), ("sales", "0")]));
    assert!(about_purchase(&rows(&[&[("PurchaseID", "2")]]), "1").is_err());
    assert_eq!(about_purchase(&[], "1"), Ok(facts(&[("found", "no")])));
}

#[test]
fn credits_belong_to_their_transaction() {
    let report = rows(&[
        &[("TransID", "9"), ("Type", "Sale"), ("RelatedTransID", "0")],
        &[("TransID", "12"), ("Type", "Credit"), ("RelatedTransID", "9"), ("Auth", "Yes")],
        &[("TransID", "11"), ("Type", "void"), ("RelatedTransID", "9")],
        &[("TransID", "13"), ("Type", "Credit"), ("RelatedTransID", "9"), ("Auth", "No")],
        &[("TransID", "14"), ("Type", "Chargeback"), ("RelatedTransID", "9")],
        &[("TransID", "15"), ("Type", "Credit"), ("RelatedTransID", "8")],
        &[("TransID", "16"), ("Type", "Credit"), ("RelatedTransID", "0")],
    ]);
    let observation = about_refunds(&report, "1", "9").expect("facts");
    assert_eq!(observation, facts(&[("found", "yes"), ("refunds", "11 12"), ("unattributed_refunds", "16")]));
}

#[test]
fn dates_in_either_form() {
    for (text, expected) in [
        ("2023-03-01T00:03:01+00:00", Some("2023-03-01")),
        ("03/01/2023", Some("2023-03-01")),
        ("3/1/2023 12:00:00 AM", Some("2023-03-01")),
        ("2023-03-01", Some("2023-03-01")),
        ("1900-01-01T00:00:00", None),
        ("9999-12-31", None),
        ("31/12/2023", None),
        ("soon", None),
        ("", None),
    ] {
        assert_eq!(date(text).as_deref(), expected, "{text}");
    }
}

const BEFORE: &[(&str, &str)] = &[("status", "Active"), ("next_bill_date", "2026-01-31"), ("sales", "3")];

const NO_DATE: &[(&str, &str)] = &[("status", "Active"), ("sales", "3")];

#[rstest]
#[case::moved_by_the_days(Some(BEFORE), "Active", "2026-03-02", "3", 0, Verdict::Applied)]
#[case::unchanged_too_early(Some(BEFORE), "Active", "2026-01-31", "3", 59, Verdict::NotYet)]
#[case::unchanged(Some(BEFORE), "Active", "2026-01-31", "3", 60, Verdict::NotApplied)]
#[case::moved_and_renewed(Some(BEFORE), "Active", "2026-03-02", "4", 60, Verdict::Conflict)]
#[case::unchanged_but_renewed(Some(BEFORE), "Active", "2026-01-31", "4", 60, Verdict::Conflict)]
#[case::moved_otherwise(Some(BEFORE), "Active", "2026-02-28", "3", 60, Verdict::Conflict)]
#[case::moved_twice(Some(BEFORE), "Active", "2026-04-01", "3", 60, Verdict::Conflict)]
#[case::cancelled_since(Some(BEFORE), "Canceled", "2026-01-31", "3", 60, Verdict::Conflict)]
#[case::no_baseline(None, "Active", "2026-03-02", "3", 60, Verdict::Conflict)]
#[case::no_date_before(Some(NO_DATE), "Active", "2026-03-02", "3", 60, Verdict::Conflict)]
#[case::no_date_now(Some(BEFORE), "Active", "", "3", 60, Verdict::Conflict)]
fn an_extension_shows_in_the_next_bill_date(
    #[case] baseline: Option<&[(&str, &str)]>,
    #[case] status: &str,
    #[case] next: &str,
    #[case] sales: &str,
    #[case] age: u64,
    #[case] expected: Verdict,
) {
    let row = row("extend_membership", &[("PurchaseID", "1"), ("Days", "30")]);
    let now = [("status", status), ("next_bill_date", next), ("sales", sales)];
    assert_eq!(verdict(Evidence::Extended, &row, baseline, &now, age), expected);
}

const CREDITED: &[(&str, &str)] = &[("found", "yes"), ("refunds", "11"), ("unattributed_refunds", "")];
const NO_CREDIT: &[(&str, &str)] = &[("found", "yes"), ("refunds", ""), ("unattributed_refunds", "")];

#[rstest]
#[case::a_new_credit(Some(NO_CREDIT), CREDITED, Verdict::Applied)]
#[case::a_second_credit(Some(CREDITED), &[("refunds", "11 12")], Verdict::Applied)]
#[case::the_old_credit(Some(CREDITED), CREDITED, Verdict::NotYet)]
#[case::none_however_old(Some(NO_CREDIT), NO_CREDIT, Verdict::NotYet)]
#[case::one_that_names_nothing(Some(NO_CREDIT), &[("refunds", ""), ("unattributed_refunds", "16")], Verdict::Conflict)]
#[case::no_baseline(None, CREDITED, Verdict::Conflict)]
#[case::no_baseline_no_credit(None, NO_CREDIT, Verdict::NotYet)]
#[case::unknown_transaction(Some(NO_CREDIT), &[("found", "no")], Verdict::Conflict)]
fn a_refund_is_settled_only_by_its_credit(
    #[case] baseline: Option<&[(&str, &str)]>,
    #[case] now: &[(&str, &str)],
    #[case] expected: Verdict,
) {
    let row = row("refund_transaction", &[("TransID", "9")]);
    assert_eq!(verdict(Evidence::Refunded, &row, baseline, now, 1_000_000), expected);
}

#[rstest]
#[case("19.95", 0, Verdict::Applied)]
#[case("19.9500", 0, Verdict::Applied)]
#[case("29.95", 0, Verdict::NotYet)]
#[case("29.95", 60, Verdict::NotApplied)]
#[case("", 60, Verdict::Conflict)]
fn a_price_is_the_wanted_one_or_not(#[case] now: &str, #[case] age: u64, #[case] expected: Verdict) {
    let row = row("modify_rebill_amount", &[("PurchaseID", "1"), ("RecurringAmount", "19.95")]);
    assert_eq!(verdict(Evidence::Repriced, &row, None, &[("recurring_amount", now)], age), expected);
}

/// Recurring amount and sales before and now, where 34.50 is wanted.
#[rstest]
#[case::both(Some(("19.95", "3")), ("34.5", "4"), Verdict::Applied)]
#[case::neither(Some(("19.95", "3")), ("19.95", "3"), Verdict::NotYet)]
#[case::only_the_amount(Some(("19.95", "3")), ("34.50", "3"), Verdict::Conflict)]
#[case::only_a_sale(Some(("19.95", "3")), ("19.95", "4"), Verdict::Conflict)]
#[case::two_sales(Some(("19.95", "3")), ("34.50", "5"), Verdict::Conflict)]
#[case::another_amount(Some(("19.95", "3")), ("39.50", "4"), Verdict::Conflict)]
#[case::the_amount_it_had(Some(("34.50", "3")), ("34.50", "4"), Verdict::Conflict)]
#[case::nothing_to_see(Some(("34.50", "3")), ("34.50", "3"), Verdict::NotYet)]
#[case::no_baseline(None, ("34.50", "4"), Verdict::Conflict)]
#[case::no_amount_before(Some(("", "3")), ("34.50", "4"), Verdict::Conflict)]
#[case::no_amount_now(Some(("19.95", "3")), ("", "4"), Verdict::Conflict)]
#[case::no_sales(Some(("19.95", "")), ("34.50", "4"), Verdict::Conflict)]
fn an_upgrade_is_settled_only_by_amount_and_sale(
    #[case] baseline: Option<(&str, &str)>,
    #[case] now: (&str, &str),
    #[case] expected: Verdict,
) {
    let row = row("upgrade_membership", &[("purchaseId", "1"), ("NewRecurringAmount", "34.50")]);
    let of = |(amount, sales)| [("recurring_amount", amount), ("sales", sales)];
    let baseline = baseline.map(of);
    let baseline = baseline.as_ref().map(|facts| facts.as_slice());
    assert_eq!(verdict(Evidence::Upgraded, &row, baseline, &of(now), 1_000_000), expected);
}

#[rstest]
#[case(Evidence::Cancelled, "Canceled", 0, Verdict::Applied)]
#[case(Evidence::Cancelled, "cancelled", 0, Verdict::Applied)]
#[case(Evidence::Cancelled, "Expired", 0, Verdict::Applied)]
#[case(Evidence::Cancelled, "Active", 0, Verdict::NotYet)]
#[case(Evidence::Cancelled, "Active", 60, Verdict::NotApplied)]
#[case(Evidence::Expired, "Expired", 0, Verdict::Applied)]
#[case(Evidence::Expired, "Canceled", 0, Verdict::NotYet)]
#[case(Evidence::Expired, "Active", 60, Verdict::NotApplied)]
#[case(Evidence::Expired, "Suspended", 60, Verdict::Conflict)]
#[case(Evidence::Cancelled, "", 60, Verdict::Conflict)]
fn an_end_shows_in_the_status(
    #[case] evidence: Evidence,
    #[case] status: &str,
    #[case] age: u64,
    #[case] expected: Verdict,
) {
    let row = row("cancel_membership", &[("PurchaseID", "1")]);
    assert_eq!(verdict(evidence, &row, None, &[("status", status)], age), expected);
}

#[test]
fn a_cancel_date_beside_an_active_status_needs_a_baseline() {
    let row = row("cancel_membership", &[("PurchaseID", "1")]);
    let now = [("status", "Active"), ("cancel_date", "2026-01-31")];
    let judged = |baseline| verdict(Evidence::Cancelled, &row, baseline, &now, 60);
    assert_eq!(judged(None), Verdict::Conflict);
    assert_eq!(judged(Some(BEFORE)), Verdict::Applied);
    assert_eq!(judged(Some(&now)), Verdict::Conflict, "an older cancellation");
}
