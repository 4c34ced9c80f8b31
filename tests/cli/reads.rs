//! Reads beside the calls, as the provider counts them: baselines that lists bring, and the last look at what is in doubt.

use std::path::Path;

use rstest::rstest;

use super::bench::{Bench, number};
use super::support::extensions;

fn sample() -> String {
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs/extend-memberships.toml");
    job.to_str().expect("a path in UTF-8").to_owned()
}

/// The sample as it comes: what its list reads cost is a few percent of its calls, however the list's parameter is read.
#[rstest]
#[case::a_list_that_begins_there("from")]
#[case::a_list_that_begins_after_it("after")]
fn a_thousand_baselines_cost_a_few_percent(#[case] lists: &str) {
    let bench = Bench::new();
    bench.sandbox.control(&format!(r#"{{"lists": "{lists}"}}"#));
    let summary = bench.home.run(["run", &sample(), "--rate", "400/s", "--json"]).exits(1).json();
    assert_eq!((number(&summary, "/rows/applied"), number(&summary, "/rows/refused")), (994, 6), "{summary}");
    let requests = bench.sandbox.requests();
    assert!(requests <= 1_100, "{requests} requests");
    assert_eq!(number(&summary, "/calls") + 1, requests, "the harmless read before the run is no call of the run");
}

/// A list that shows nobody but the one asked for is asked once, and everybody is read alone.
#[test]
fn a_list_that_filters_costs_one_request() {
    let bench = Bench::new();
    bench.sandbox.control(r#"{"lists": "only"}"#);
    bench.extensions(100, "");
    bench.home.run(["run", "extend.toml"]).exits(0);
    assert_eq!(bench.sandbox.requests(), 1 + 1 + 100 + 100);
    assert_eq!(bench.agree("PurchaseID")["applied"], 100);
}

/// Subscriptions between which the account has hundreds of others: a page shows one or two of them, and is left alone.
#[test]
fn a_list_with_hundreds_of_others_between_is_left_alone() {
    let bench = Bench::new();
    let rows: String = (0..100).map(|row| format!("{},30\n", 80_000_000 + row * 2_000)).collect();
    bench.home.write("extend.csv", format!("PurchaseID,Days\n{rows}"));
    bench.job("extend", "segpay.extend_membership", "");
    bench.home.run(["run", "extend.toml"]).exits(0);
    let requests = bench.sandbox.requests();
    assert!((201..=204).contains(&requests), "{requests} requests");
    assert_eq!(bench.agree("PurchaseID")["applied"], 100);
}

/// Lost replies are settled by what a page showed before the call: nothing is left to a person, and nothing is done twice.
#[test]
fn what_a_page_showed_settles_doubts() {
    let bench = Bench::with(["--faults", "reset_after=0.1,reset_before=0.1", "--seed", "3"]);
    let settings = super::bench::SETTINGS.to_owned() + "[guard]\nmax_in_doubt = 1000\n";
    bench.home.write("subops.toml", settings);
    bench.home.write("extend.csv", extensions(80_001_000, 300));
    bench.job("extend", "segpay.extend_membership", "");
    bench.home.run(["run", "extend.toml", "--rate", "300/s"]);
    for _ in 0..5 {
        if bench.home.run(["resume", "--json"]).code == Some(0) {
            break;
        }
    }
    bench.sandbox.control(r#"{"faults": null}"#);
    let told = bench.agree("PurchaseID");
    assert!(told["applied"] >= 290, "{told:?}");
}

/// Refunds show late. The reads that follow the lost reply come too early; the one at the end of the run does not.
#[test]
fn a_refund_that_shows_late_is_found_at_the_end_of_the_run() {
    let bench = Bench::new();
    let settings = super::bench::SETTINGS.replace("settle_delay = \"0s\"", "settle_delay = \"1s\"\ntimeout = \"1s\"");
    bench.home.write("subops.toml", settings);
    bench.home.write("refund.csv", "TransID,RefundReason\n900012345,double charge\n");
    bench.job("refund", "segpay.refund_transaction", "");
    bench.sandbox.control(r#"{"refund_delay": "3600ms"}"#);
    let mut program = bench.home.spawn(["run", "refund.toml", "--json"]);
    // The harmless read, and the two of the baseline: the call comes next, and its reply does not.
    bench.wait_for_requests(&mut program, 3);
    bench.sandbox.control(r#"{"faults": "hang_after=1"}"#);
    while bench.sandbox.ledger().is_empty() {
        assert!(program.try_wait().expect("it can be asked").is_none());
    }
    bench.sandbox.control(r#"{"faults": null}"#);
    let summary = super::bench::ended(program).exits(0).json();
    assert_eq!(number(&summary, "/rows/applied"), 1, "{summary}");
    assert_eq!(bench.sandbox.ledger().len(), 1);
}
