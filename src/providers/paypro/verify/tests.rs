//! What details prove: one table per operation.

#![allow(clippy::expect_used, reason = "a test states what it expects")]

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::providers::paypro::tests::row;

const DELAY: Duration = Duration::from_secs(60);

fn observation(facts: &[(&str, &str)]) -> Observation {
    let facts = facts.iter().filter(|(_, value)| !value.is_empty());
    Observation { facts: facts.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
}

fn verdict(evidence: Evidence, row: &Row, now: &[(&str, &str)], age: u64) -> &'static str {
    let doubt = Doubt { baseline: None, age: Duration::from_secs(age), token: None };
    match judge(evidence, row, &doubt, &observation(now), DELAY) {
        Finding::Applied(_) => "applied",
        Finding::NotApplied(_) => "not applied",
        Finding::NotYet(_) => "not yet",
        Finding::Conflict(_) => "conflict",
    }
}

/// Evidence, then what each status proves once the delay is over: active, suspended, terminated, finished.
const STATUS_TABLE: [(Evidence, [&str; 4]); 3] = [
    (Evidence::Suspended, ["not applied", "applied", "conflict", "conflict"]),
    (Evidence::Terminated, ["not applied", "not applied", "applied", "conflict"]),
    (Evidence::Renewed, ["applied", "not applied", "conflict", "conflict"]),
];

#[test]
fn a_state_shows_in_the_status() {
    let row = row("suspend_subscription", &[("subscriptionId", "1")]);
    for (evidence, expected) in STATUS_TABLE {
        for (status, expected) in ["Active", "suspended", "TERMINATED", "Finished"].into_iter().zip(expected) {
            assert_eq!(verdict(evidence, &row, &[("status", status)], 60), expected, "{evidence:?} {status}");
            let early = if expected == "not applied" { "not yet" } else { expected };
            assert_eq!(verdict(evidence, &row, &[("status", status)], 59), early, "{evidence:?} {status}");
        }
        for odd in [&[("status", "Paused")][..], &[], &[("found", "no")]] {
            assert_eq!(verdict(evidence, &row, odd, 60), "conflict", "{evidence:?} {odd:?}");
        }
    }
}

#[rstest]
#[case::the_day("2027-01-31", "2027-01-31T00:00:00", "applied")]
#[case::the_day_at_another_time("2027-01-31", "2027-01-31T22:15:00", "applied")]
#[case::the_moment("2027-01-31T08:00", "2027-01-31T08:00:00", "applied")]
#[case::the_moment_with_a_zone("2027-01-31T08:00:00+02:00", "2027-01-31T08:00:00", "applied")]
#[case::moved_into_a_zone("2027-01-31T08:00:00Z", "2027-01-31T10:00:00", "conflict")]
#[case::moved_over_midnight("2027-01-31", "2027-01-30T23:00:00", "conflict")]
#[case::the_day_after("2027-01-31", "2027-02-01T00:00:00", "conflict")]
#[case::two_days_before("2027-01-31", "2027-01-29T23:59:59", "not applied")]
#[case::another_month("2027-01-31", "2026-12-31T00:00:00", "not applied")]
#[case::none("2027-01-31", "", "conflict")]
#[case::no_date("soon", "2027-01-31T00:00:00", "conflict")]
fn a_date_is_the_wanted_one_or_far_from_it(#[case] wanted: &str, #[case] shown: &str, #[case] expected: &str) {
    let row = row("change_next_payment_date", &[("subscriptionId", "1"), ("newNextPaymentDate", wanted)]);
    assert_eq!(verdict(Evidence::Postponed, &row, &[("next_payment", shown)], 60), expected);
    let early = if expected == "not applied" { "not yet" } else { expected };
    assert_eq!(verdict(Evidence::Postponed, &row, &[("next_payment", shown)], 0), early);
}

/// Wanted price, currency, quantity and name; shown price, currency, quantity and name.
#[rstest]
#[case::the_price(["19.90", "USD", "", ""], ["19.9", "USD", "1", "Pro"], "applied")]
#[case::no_quantity_shown(["19.90", "USD", "", ""], ["19.9", "usd", "", ""], "applied")]
#[case::another_price(["19.90", "USD", "", ""], ["29.9", "USD", "1", "Pro"], "not applied")]
#[case::another_currency(["19.90", "USD", "", ""], ["19.9", "EUR", "1", "Pro"], "conflict")]
#[case::several_units(["19.90", "USD", "", ""], ["19.9", "USD", "3", "Pro"], "conflict")]
#[case::several_units_and_another_price(["19.90", "USD", "", ""], ["59.7", "USD", "3", "Pro"], "conflict")]
#[case::one_unit(["19.90", "USD", "1", ""], ["19.9", "USD", "1", "Pro"], "applied")]
#[case::more_units_wanted(["19.90", "USD", "2", ""], ["19.9", "USD", "1", "Pro"], "conflict")]
#[case::price_without_name(["19.90", "USD", "", "Max"], ["19.9", "USD", "1", "Pro"], "conflict")]
#[case::price_and_name(["19.90", "USD", "", "Max"], ["19.9", "USD", "1", "Max"], "applied")]
#[case::neither(["19.90", "USD", "2", "Max"], ["29.9", "USD", "1", "Pro"], "not applied")]
#[case::no_price(["19.90", "USD", "", ""], ["", "USD", "1", "Pro"], "conflict")]
#[case::no_currency(["19.90", "USD", "", ""], ["19.9", "", "1", "Pro"], "conflict")]
fn a_price_is_proven_only_as_a_whole(#[case] wanted: [&str; 4], #[case] shown: [&str; 4], #[case] expected: &str) {
    let names = ["newPriceValue", "priceCurrencyCode", "quantity", "newSubscriptionName"];
    let given: Vec<_> = names.into_iter().zip(wanted).filter(|(_, value)| !value.is_empty()).collect();
    let row = row("change_recurring_price", &given);
    let now: Vec<_> = ["price", "currency", "quantity", "name"].into_iter().zip(shown).collect();
    assert_eq!(verdict(Evidence::Repriced, &row, &now, 60), expected);
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body in any::<Vec<u8>>(), text in "[0-9TZ:.+-]{0,30}") {
        let _ = facts(&body).is_ok();
        let body = format!(r#"{{"response":{{"nextPayment":"{text}","subscriptionPrice":{text}}}}}"#);
        let _ = facts(body.as_bytes()).is_ok();
        if let Some(shown) = wall_clock("2027-01-31T00:00:00") {
            let _ = days_apart(&text, shown).is_some();
        }
    }
}
