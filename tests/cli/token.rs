//! The token behind free texts: by which the provider's own reports tell our call from another's, and this run from others.

use std::collections::BTreeSet;

use serde_json::Value;

use super::bench::{Bench, ended};
use super::support::Home;

fn notes(bench: &Bench, name: &str, text: &str, more: &str) {
    bench.home.write(&format!("{name}.csv"), format!("PurchaseID,Note\n80000001,{text}\n80000002,{text}\n"));
    bench.job(name, "segpay.insert_consumer_note", more);
}

/// The texts that the provider holds.
fn texts(bench: &Bench) -> Vec<String> {
    let text = |entry: Value| entry["request"]["Note"].as_str().expect("a text").to_owned();
    bench.sandbox.ledger().into_iter().map(text).collect()
}

fn mark(text: &str) -> &str {
    let (_, token) = text.split_once(" [subops ").unwrap_or_else(|| panic!("`{text}` has no token"));
    token.strip_suffix(']').and_then(|token| token.split_once(' ')).expect("run and row, then the mark").1
}

#[test]
fn a_text_ends_with_run_and_row_and_what_no_other_run_has() {
    let bench = Bench::new();
    notes(&bench, "note", "called", "");
    bench.home.run(["run", "note.toml", "-j", "1"]).exits(0);
    let sent = texts(&bench);
    let own = mark(&sent[0]).to_owned();
    assert!(own.len() == 8 && own.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{own}");
    assert_eq!(sent, [format!("called [subops 1-2 {own}]"), format!("called [subops 1-3 {own}]")]);
    assert_eq!(bench.home.result_rows("succeeded.csv")[0]["Note"], "called", "the results have what was given");

    // The same job, the same run's number, another machine.
    let other = Home::with(&bench.sandbox);
    other.write("subops.toml", super::bench::SETTINGS);
    other.write("note.csv", "PurchaseID,Note\n80000001,called\n80000002,called\n");
    other.write("note.toml", "input = \"note.csv\"\noperation = \"segpay.insert_consumer_note\"\n");
    other.run(["run", "note.toml"]).exits(0);
    bench.home.run(["run", "note.toml", "--again", "to see"]).exits(0);
    let sent = texts(&bench);
    let marks: BTreeSet<&str> = sent.iter().map(|text| mark(text)).collect();
    assert_eq!((sent.len(), marks.len()), (6, 3), "{sent:?}");
}

#[test]
fn it_can_be_switched_off() {
    let bench = Bench::new();
    notes(&bench, "note", "called", "token = false");
    bench.home.run(["run", "note.toml"]).exits(0);
    assert_eq!(texts(&bench), ["called", "called"]);
}

/// A text that fills its bounds goes as it is: no part of it is lost for the token.
#[test]
fn a_text_is_never_cut_for_it() {
    let bench = Bench::new();
    let long = "x".repeat(990);
    notes(&bench, "note", &long, "");
    bench.home.run(["run", "note.toml"]).exits(0);
    assert_eq!(texts(&bench), [long.as_str(), long.as_str()]);
}

/// What a person is shown of a row in doubt is what was sent, so that they can look for it; and a resume keeps the mark.
#[test]
fn a_doubt_shows_the_token_that_was_sent() {
    let bench = Bench::new();
    let rows: String = (1..=20).map(|row| format!("{},called\n", 80_000_000 + row)).collect();
    bench.home.write("note.csv", format!("PurchaseID,Note\n{rows}"));
    bench.job("note", "segpay.insert_consumer_note", "[limits]\nrate = \"20/s\"\n[guard]\nmax_in_doubt = 0\n");
    let mut program = bench.home.spawn(["run", "note.toml", "-j", "1", "--json"]);
    bench.wait_for_requests(&mut program, 3);
    bench.sandbox.control(r#"{"faults": "reset_after=1"}"#);
    ended(program).exits(3);
    bench.sandbox.control(r#"{"faults": null}"#);
    let sent = texts(&bench);
    let last = sent.last().expect("one of which nothing was heard");
    let doubts = bench.home.run(["doubt", "list", "1"]).exits(0).stdout;
    assert!(doubts.contains(last.as_str()), "`{last}` in {doubts}");
    bench.home.run(["resume", "1"]).exits(4);
    let marks: BTreeSet<String> = texts(&bench).iter().map(|text| mark(text).to_owned()).collect();
    assert_eq!((texts(&bench).len(), marks.len()), (20, 1));
}
