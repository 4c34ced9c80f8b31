//! Plans as text and JSON, exactly.

use super::super::operations::samples;
use super::*;
use crate::model::ids::RowNumber;
use crate::model::money::{Currency, parse_amount};
use crate::model::plan::{FirstRow, Repeated};
use crate::model::settings::Rate;

fn group(account: &str, rows: u64, extra_calls: u64) -> Group {
    Group {
        operation: &samples::EXTEND,
        account: AccountName::new(account),
        url: "https://srs.segpay.com".into(),
        rate: Rate::parse("50/s").expect("a rate"),
        rows,
        quantity: Some((30_000, "days")),
        extra_calls,
        most_extra_calls: extra_calls,
    }
}

fn plan() -> Plan {
    let first = |row, id: &str| FirstRow {
        row: RowNumber(row),
        values: vec![("PurchaseID", id.to_owned()), ("Days", "30".to_owned())],
    };
    Plan {
        job: "extend-memberships".into(),
        input: "samples/extend-memberships.csv".into(),
        digest: "blake3:9f2c41aa".into(),
        rows: 1_000,
        skipped: 0,
        groups: vec![group("segpay", 1_000, 100)],
        amounts: Vec::new(),
        repeated: Repeated { subjects: 998, repeated: 2, examples: vec![RowNumber(218), RowNumber(871)] },
        first: vec![first(2, "80012345"), first(3, "80012377")],
    }
}

#[test]
fn a_plan_of_one_operation() {
    let expected = "\
extend-memberships   samples/extend-memberships.csv   1,000 rows
  blake3:9f2c41…

  segpay.extend_membership   1,000 rows
    account segpay (https://srs.segpay.com)
  effect: adds up; a repeat doubles it; verified by reading the next bill date

  subjects     998 different; 2 appear more than once (lines 218, 871): run in
               file order
  totals       30,000 days
  at 50/s      about 20 s (baselines included: 22 s)
  first rows   2   PurchaseID 80012345   Days 30
               3   PurchaseID 80012377   Days 30

Nothing was sent. To run it:  subops run jobs/extend-memberships.toml
";
    assert_eq!(text(&plan(), "subops run jobs/extend-memberships.toml", &Style::plain(80)), expected);
}

#[test]
fn accounts_run_side_by_side_and_money_is_told() {
    let mut plan = plan();
    plan.groups = vec![group("a", 500, 0), group("b", 1_000, 0), group("a", 400, 0)];
    plan.skipped = 1;
    plan.amounts = vec![(Currency::parse("USD").expect("USD"), parse_amount("9950.5").expect("an amount"))];
    let text = text(&plan, "subops run x.csv", &Style::plain(120));
    assert!(text.contains("\n  totals       90,000 days   USD 9,950.50\n  time         about 20 s\n"), "{text}");
    assert!(text.contains("1,000 rows   1 bad row left out   blake3:"), "{text}");
    assert_eq!(estimated(&plan), Duration::from_secs(20));
}

/// Whether lists will show what is to be extended is known only when the first one was read.
#[test]
fn baselines_that_lists_may_bring_are_an_estimate() {
    let mut plan = plan();
    plan.groups = vec![Group { extra_calls: 40, most_extra_calls: 1_000, ..group("segpay", 1_000, 0) }];
    let text = text(&plan, "subops run x.csv", &Style::plain(120));
    let expected = "at 50/s      about 20 s (baselines included: about 21 s, or 40 s where no list shows them)";
    assert!(text.contains(expected), "{text}");
    assert!(to_json(&plan).contains(r#""estimated_seconds":21,"longest_seconds":40,"#));
}

#[test]
fn for_machines() {
    let mut plan = plan();
    plan.amounts = vec![(Currency::parse("USD").expect("USD"), parse_amount("995").expect("an amount"))];
    let expected = concat!(
        r#"{"job":"extend-memberships","input":"samples/extend-memberships.csv","digest":"blake3:9f2c41aa","#,
        r#""rows":1000,"skipped":0,"operations":[{"operation":"segpay.extend_membership","account":"segpay","#,
        r#""url":"https://srs.segpay.com","rows":1000,"effect":"additive","moves_money":false,"#,
        r#""verified_by":"reading the next bill date"}],"amounts":{"USD":"995.00"},"#,
        r#""repeated":{"subjects":998,"repeated":2,"lines":[218,871]},"estimated_seconds":22,"longest_seconds":22,"sent":false}"#,
        "\n"
    );
    assert_eq!(to_json(&plan), expected);
}
