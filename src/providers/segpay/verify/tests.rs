//! What is read from reports, and what it proves: one table per operation.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use rstest::rstest;

use super::*;
use crate::contract::Listed;
use crate::providers::segpay::tests::row;
use crate::providers::xml;

const DELAY: Duration = Duration::from_secs(60);

/// A report of these rows: each a list of columns.
fn rows(rows: &[&[(&str, &str)]]) -> Vec<ReportRow> {
    kept(rows, COLUMNS)
}

fn kept(rows: &[&[(&str, &str)]], keep: &[&'static str]) -> Vec<ReportRow> {
    let columns = |row: &&[(&str, &str)]| row.iter().map(|(name, text)| format!("<{name}>{text}</{name}>")).collect();
    let rows: Vec<String> = rows.iter().map(columns).map(|row: String| format!("<Data>{row}</Data>")).collect();
    let text = format!("<DataSet><diffgram><NewDataSet>{}</NewDataSet></diffgram></DataSet>", rows.concat());
    xml::report(text.as_bytes(), keep).expect("a report")
}

fn facts(facts: &[(&str, &str)]) -> Observation {
    Observation { facts: facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

#[derive(Debug, Clone, Copy, PartialEq)]
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
fn the_facts_of_an_end() {
    let purchase: &[(&str, &str)] = &[
        ("PurchaseID", "80012345"),
        ("PurchStatus", "Canceled"),
        ("RecurringAmount", "19.9500"),
        ("NextDate", "03/31/2026"),
        ("CancelDate", "2026-03-01T00:00:00+00:00"),
        ("ExpiredDate", "1900-01-01T00:00:00+00:00"),
    ];
    let sale = [purchase, &[("Type", "Sale"), ("TransID", "1")]].concat();
    let credit = [purchase, &[("Type", "Credit"), ("TransID", "2")]].concat();
    let observation = about_purchase(&rows(&[&sale, &credit]), "80012345").expect("facts");
    assert_eq!(observation, facts(&[("status", "Canceled"), ("cancel_date", "2026-03-01")]));
}

#[test]
fn rows_that_disagree_show_no_fact_and_another_purchase_shows_nothing() {
    let disagreeing =
        rows(&[&[("CancelDate", "2026-03-31"), ("PurchStatus", "Active")], &[("CancelDate", "2026-04-30")]]);
    let observation = about_purchase(&disagreeing, "1").expect("facts");
    assert_eq!(observation, facts(&[("status", "Active")]));
    assert!(about_purchase(&rows(&[&[("PurchaseID", "2")]]), "1").is_err());
    assert_eq!(about_purchase(&[], "1"), Ok(facts(&[("found", "no")])));
}

/// A row of the report of active subscriptions.
fn active_row<'a>(purchase: &'a str, next: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("PurchaseID", purchase),
        ("CustName", "Jane Example"),
        ("RecurringAmount", "19.9500"),
        ("LastDate", "01/01/2026"),
        ("NextDate", next),
        ("Purchases", "3"),
    ]
}

#[test]
fn the_facts_of_an_active_subscription_are_those_of_its_own_row() {
    let (ours, neighbour) = (active_row("80012345", "01/31/2026"), active_row("80012346", "02/17/2026"));
    let about = |rows: &[&[(&str, &str)]], purchase| active::about(&kept(rows, active::COLUMNS), purchase);
    let expected = facts(&[
        ("next_bill_date", "2026-01-31"),
        ("last_bill_date", "2026-01-01"),
        ("purchases", "3"),
        ("recurring_amount", "19.95"),
    ]);
    assert_eq!(about(&[&ours], "80012345"), expected, "a filter");
    assert_eq!(about(&[&ours, &neighbour], "80012345"), expected, "a cursor");
    assert_eq!(about(&[&neighbour, &ours], "80012345"), expected, "neither");
    let absent = facts(&[("found", "no")]);
    assert_eq!(about(&[&neighbour], "80012345"), absent);
    assert_eq!(about(&[&ours], "8001234"), absent, "an ID that begins alike");
    assert_eq!(about(&[], "80012345"), absent);
    assert_eq!(about(&[&[("NextDate", "01/31/2026")]], "80012345"), absent, "a row of nobody");
}

#[test]
fn a_fact_on_which_a_subscriptions_rows_disagree_is_left_out() {
    let (one, other) = (active_row("1", "01/31/2026"), active_row("1", "03/02/2026"));
    let observation = active::about(&kept(&[&one, &other], active::COLUMNS), "1");
    assert_eq!(observation.get("next_bill_date"), None);
    assert_eq!(observation.get("last_bill_date"), Some("2026-01-01"));
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

/// What the report of active subscriptions showed, in tables.
type Facts = &'static [(&'static str, &'static str)];

const BEFORE: Facts = &[("next_bill_date", "2026-01-31"), ("last_bill_date", "2026-01-01"), ("purchases", "3")];
const EXTENDED: Facts = &[("next_bill_date", "2026-03-02"), ("last_bill_date", "2026-01-01"), ("purchases", "3")];
const EXTENDED_TWICE: Facts = &[("next_bill_date", "2026-04-01"), ("last_bill_date", "2026-01-01"), ("purchases", "3")];
const A_DAY_SHORT: Facts = &[("next_bill_date", "2026-03-01"), ("last_bill_date", "2026-01-01"), ("purchases", "3")];
const EARLIER: Facts = &[("next_bill_date", "2026-01-30"), ("last_bill_date", "2026-01-01"), ("purchases", "3")];
const RENEWED: Facts = &[("next_bill_date", "2026-03-02"), ("last_bill_date", "2026-01-31"), ("purchases", "4")];
const BILLED_AGAIN: Facts = &[("next_bill_date", "2026-01-31"), ("last_bill_date", "2026-01-31"), ("purchases", "4")];
const BILLED_THAT_DAY: Facts =
    &[("next_bill_date", "2026-01-31"), ("last_bill_date", "2026-01-01"), ("purchases", "4")];
const WITHOUT_NEXT: Facts = &[("last_bill_date", "2026-01-01"), ("purchases", "3")];
const WITHOUT_LAST: Facts = &[("next_bill_date", "2026-01-31"), ("purchases", "3")];
const EXTENDED_WITHOUT_LAST: Facts = &[("next_bill_date", "2026-03-02"), ("purchases", "3")];
const UNCOUNTED: Facts = &[("next_bill_date", "2026-01-31"), ("last_bill_date", "2026-01-01")];
const EXTENDED_UNCOUNTED: Facts = &[("next_bill_date", "2026-03-02"), ("last_bill_date", "2026-01-01")];
const NOT_LISTED: Facts = &[("found", "no")];

/// Two delays are 120 seconds. What is applied or a conflict is so at any age.
#[rstest]
#[case::moved_by_the_days(Some(BEFORE), EXTENDED, [Verdict::Applied; 4])]
#[case::unchanged(Some(BEFORE), BEFORE, [Verdict::NotYet, Verdict::NotYet, Verdict::NotYet, Verdict::NotApplied])]
#[case::uncounted(Some(UNCOUNTED), EXTENDED_UNCOUNTED, [Verdict::Applied; 4])]
#[case::moved_by_a_renewal(Some(BEFORE), RENEWED, [Verdict::Conflict; 4])]
#[case::unchanged_but_billed(Some(BEFORE), BILLED_AGAIN, [Verdict::Conflict; 4])]
#[case::unchanged_but_billed_that_day(Some(BEFORE), BILLED_THAT_DAY, [Verdict::Conflict; 4])]
#[case::counted_only_now(Some(UNCOUNTED), EXTENDED, [Verdict::Conflict; 4])]
#[case::moved_by_other_days(Some(BEFORE), A_DAY_SHORT, [Verdict::Conflict; 4])]
#[case::moved_back(Some(BEFORE), EARLIER, [Verdict::Conflict; 4])]
#[case::moved_twice(Some(BEFORE), EXTENDED_TWICE, [Verdict::Conflict; 4])]
#[case::not_listed(Some(BEFORE), NOT_LISTED, [Verdict::Conflict; 4])]
#[case::not_listed_before(Some(NOT_LISTED), EXTENDED, [Verdict::Conflict; 4])]
#[case::never_listed(Some(NOT_LISTED), NOT_LISTED, [Verdict::Conflict; 4])]
#[case::no_baseline(None, EXTENDED, [Verdict::Conflict; 4])]
#[case::no_next_date_before(Some(WITHOUT_NEXT), EXTENDED, [Verdict::Conflict; 4])]
#[case::no_last_date_before(Some(WITHOUT_LAST), EXTENDED, [Verdict::Conflict; 4])]
#[case::no_next_date_now(Some(BEFORE), WITHOUT_NEXT, [Verdict::Conflict; 4])]
#[case::no_last_date_now(Some(BEFORE), EXTENDED_WITHOUT_LAST, [Verdict::Conflict; 4])]
#[case::no_last_date_ever(Some(WITHOUT_LAST), WITHOUT_LAST, [Verdict::Conflict; 4])]
fn an_extension_shows_in_the_next_bill_date(
    #[case] baseline: Option<Facts>,
    #[case] now: Facts,
    #[case] expected: [Verdict; 4],
) {
    let row = row("extend_membership", &[("PurchaseID", "1"), ("Days", "30")]);
    let judged = [0, 60, 119, 120].map(|age| verdict(Evidence::Extended, &row, baseline, now, age));
    assert_eq!(judged, expected);
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

const OLD_AMOUNT: Facts = &[("recurring_amount", "29.95")];
const WANTED_AMOUNT: Facts = &[("recurring_amount", "19.95")];

#[rstest]
#[case::wanted(Some(OLD_AMOUNT), "19.95", Verdict::Applied, Verdict::Applied)]
#[case::wanted_with_zeros(None, "19.9500", Verdict::Applied, Verdict::Applied)]
#[case::wanted_before_already(Some(WANTED_AMOUNT), "19.95", Verdict::Applied, Verdict::Applied)]
#[case::unchanged(Some(OLD_AMOUNT), "29.9500", Verdict::NotYet, Verdict::NotApplied)]
#[case::another_without_a_baseline(None, "29.95", Verdict::NotYet, Verdict::NotApplied)]
#[case::another_than_before(Some(OLD_AMOUNT), "24.95", Verdict::Conflict, Verdict::Conflict)]
#[case::not_listed_before(Some(NOT_LISTED), "29.95", Verdict::NotYet, Verdict::NotApplied)]
#[case::none(Some(OLD_AMOUNT), "", Verdict::Conflict, Verdict::Conflict)]
fn a_price_is_the_wanted_one_or_not(
    #[case] baseline: Option<Facts>,
    #[case] now: &str,
    #[case] early: Verdict,
    #[case] settled: Verdict,
) {
    let row = row("modify_rebill_amount", &[("PurchaseID", "1"), ("RecurringAmount", "19.95")]);
    let judged = [59, 60].map(|age| verdict(Evidence::Repriced, &row, baseline, &[("recurring_amount", now)], age));
    assert_eq!(judged, [early, settled]);
    assert_eq!(verdict(Evidence::Repriced, &row, baseline, NOT_LISTED, 60), Verdict::Conflict);
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
    assert_eq!(judged(Some(&[("status", "Active")])), Verdict::Applied);
    assert_eq!(judged(Some(&now)), Verdict::Conflict, "an older cancellation");
}

/// What a page says of 80,000,001 to 80,000,005, wanted in another order, by the rows that it has.
#[rstest]
#[case::a_cursor(&["80000001", "80000002", "80000004", "80000009"], "shown shown absent shown absent")]
#[case::its_last_row_may_not_be_its_only_one(&["80000001", "80000002", "80000003"], "shown shown beyond beyond beyond")]
#[case::the_first_is_not_active(&["80000002", "80000006"], "absent shown absent absent absent")]
#[case::a_filter(&["80000000"], "absent absent absent absent absent")]
#[case::a_filter_of_the_first(&["80000001"], "absent absent absent absent absent")]
#[case::nobody(&[], "absent absent absent absent absent")]
#[case::twice(&["80000001", "80000002", "80000002", "80000009"], "shown absent absent absent absent")]
#[case::in_no_order(&["80000009", "80000004", "80000001"], "shown absent absent shown absent")]
#[case::a_row_of_nobody(&["x", "80000001", "80000009"], "shown absent absent absent absent")]
fn what_a_page_shows(#[case] has: &[&str], #[case] expected: &str) {
    let own: Vec<_> = has.iter().map(|purchase| active_row(purchase, "01/31/2026")).collect();
    let own: Vec<&[(&str, &str)]> = own.iter().map(|row| row.as_slice()).collect();
    let rows = kept(&own, active::COLUMNS);
    let wanted = [3, 1, 5, 2, 4].map(|last| Some(80_000_000 + last));
    let mut said: Vec<_> = wanted.into_iter().zip(active::listed(&rows, &wanted)).collect();
    said.sort_by_key(|(purchase, _)| *purchase);
    let words: Vec<&str> = said
        .iter()
        .map(|(purchase, listed)| match listed {
            Listed::Shown(seen) => {
                let alone = active::about(&rows, &purchase.expect("a number").to_string());
                assert_eq!(*seen, alone, "a page shows what a read of one would have shown");
                "shown"
            }
            Listed::Absent => "absent",
            Listed::Beyond => "beyond",
        })
        .collect();
    let expected: Vec<&str> = expected.split(' ').collect();
    assert_eq!(words, expected);
}

#[test]
fn a_page_shows_nobody_without_both_dates() {
    let (without, next) = ([("PurchaseID", "1"), ("NextDate", "01/31/2026")], active_row("2", "01/31/2026"));
    let rows = kept(&[&without, &next], active::COLUMNS);
    assert_eq!(active::listed(&rows, &[Some(1), None]), [Listed::Absent, Listed::Absent]);
}
