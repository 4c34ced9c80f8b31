//! One kind of bad weather at a time: what is told of each row is what the ledger holds, for operations that add up, that
//! set a value, and that the provider's state guards; and what is left for a person is settled by one.

use serde_json::Value;

use super::bench::{Bench, ended, number};
use super::support::extensions;

/// Rows of each run.
const ROWS: u32 = 24;

/// The faults that are survived on the way, with how often they strike. What can strike a read as well is rare enough
/// for three reads to get through, and for the provider not to look as if it were down.
const FAULTS: [&str; 15] = [
    "reset_before=0.15",
    "reset_after=0.15",
    "close_before=0.15",
    "close_after=0.15",
    "http_500_before=0.15",
    "http_500_after=0.15",
    "http_502_after=0.15",
    "http_503=0.15",
    "http_503_after=0.15",
    "http_409_after=0.15",
    "truncate_after=0.15",
    "garbage_after=0.08",
    "html=0.06",
    "html_after=0.06",
    "hang_after=0.05",
];

/// An operation by what a repeat of it does, and the rows for it.
struct Kind {
    operation: &'static str,
    rows: fn(u32) -> String,
    header: &'static str,
}

const ADDITIVE: Kind =
    Kind { operation: "segpay.extend_membership", rows: |id| format!("{id},30"), header: "PurchaseID,Days" };

const ABSOLUTE: Kind = Kind {
    operation: "segpay.modify_rebill_amount",
    rows: |id| format!("{id},1.50"),
    header: "PurchaseID,RecurringAmount",
};

const CONDITIONAL: Kind = Kind {
    operation: "segpay.cancel_membership",
    rows: |id| format!("{id},site closes"),
    header: "PurchaseID,CancelReason",
};

/// A bench with patience for many doubts, and none for a provider that does not answer.
fn bench() -> Bench {
    let bench = Bench::new();
    let settings = super::bench::SETTINGS.to_owned() + "timeout = \"1s\"\n[guard]\nmax_in_doubt = 1000\n";
    bench.home.write("subops.toml", settings);
    bench
}

/// Runs rows of this kind through a fault that begins after the harmless read, and returns the summary.
fn run_through(bench: &Bench, kind: &Kind, fault: &str) -> Value {
    let rows: String = (80_000_000..80_000_000 + ROWS).map(|id| (kind.rows)(id) + "\n").collect();
    bench.home.write("rows.csv", format!("{}\n{rows}", kind.header));
    bench.job("rows", kind.operation, "[limits]\nrate = \"60/s\"\n");
    let mut program = bench.home.spawn(["run", "rows.toml", "--json"]);
    bench.wait_for_requests(&mut program, 2);
    bench.sandbox.control(&format!("{{\"faults\": \"{fault}\"}}"));
    let end = ended(program);
    assert!(matches!(end.code, Some(0 | 1 | 3 | 4)), "{fault}: {:?}\n{}", end.code, end.stderr);
    end.json()
}

/// What the ledger must hold for a row that is told so. An absolute row may be repeated: that does no harm.
fn fits(kind: &Kind, status: &str, times: usize) -> bool {
    let repeatable = kind.operation == ABSOLUTE.operation;
    match status {
        "applied" => times == 1 || (repeatable && times > 1),
        "in_doubt" => times <= 1 || repeatable,
        // The state that was wanted is there, by an earlier call of ours that was in doubt.
        "already" => times == 1,
        _ => times == 0,
    }
}

fn agrees_with_the_ledger(bench: &Bench, kind: &Kind, fault: &str) {
    let (applied, told) = (bench.sandbox.applied(), bench.told("PurchaseID"));
    assert_eq!(told.len(), ROWS as usize, "{fault}");
    for (subject, status) in &told {
        let times = applied.get(subject).copied().unwrap_or(0);
        assert!(fits(kind, status, times), "{fault}: {subject} is called {status}, and was carried out {times} times");
    }
}

fn survives(kind: &Kind, fault: &str) {
    let bench = bench();
    run_through(&bench, kind, fault);
    agrees_with_the_ledger(&bench, kind, fault);
    let struck = bench.sandbox.statistics()["faults"].as_object().map_or(0, serde_json::Map::len);
    assert!(struck > 0, "{fault} never struck: the test proves nothing");

    // In good weather reads settle every doubt, and the rest of the rows is sent.
    bench.sandbox.control(r#"{"faults": null}"#);
    // A run that came to its end is not verified by resume: its doubts wait for somebody who asks.
    bench.home.run(["doubt", "verify", "1"]);
    let summary = bench.home.run(["resume", "1", "--json"]).json();
    agrees_with_the_ledger(&bench, kind, fault);
    for open in ["in_doubt", "held", "not_sent", "refused"] {
        assert_eq!(number(&summary, &format!("/rows/{open}")), 0, "{fault}: {summary}");
    }
    // A row whose attempts were used up is proven not to be applied: the failed file sends it again.
    if number(&summary, "/rows/failed") > 0 {
        let status = bench.home.run(["status", "1", "--json"]).exits(0).json();
        bench.home.shell(status["next"].as_str().expect("the command that sends them")).exits(0);
    }
    let applied = bench.sandbox.applied();
    assert_eq!(applied.len(), ROWS as usize, "{fault}");
    for (subject, times) in applied {
        assert!(fits(kind, "applied", times), "{fault}: {subject} was carried out {times} times");
    }
}

fn every_fault_agrees(kind: &Kind) {
    for faults in FAULTS.chunks(5) {
        std::thread::scope(|scope| {
            for fault in faults {
                scope.spawn(move || survives(kind, fault));
            }
        });
    }
}

#[test]
fn what_adds_up_is_done_once_through_every_fault() {
    every_fault_agrees(&ADDITIVE);
}

#[test]
fn what_sets_a_value_is_set_through_every_fault() {
    every_fault_agrees(&ABSOLUTE);
}

#[test]
fn what_the_state_guards_is_done_once_through_every_fault() {
    every_fault_agrees(&CONDITIONAL);
}

/// A job of extensions without reads, in which calls are lost from the third request on.
fn with_doubts(rows: &str) -> Bench {
    let bench = bench();
    bench.home.write("extend.csv", rows);
    bench.job("extend", "segpay.extend_membership", "verify = \"off\"\n[limits]\nrate = \"60/s\"\nconcurrency = 1\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--json"]);
    bench.wait_for_requests(&mut program, 4);
    bench.sandbox.control(r#"{"faults": "reset_before=0.15,reset_after=0.15"}"#);
    let summary = ended(program).exits(4).json();
    bench.sandbox.control(r#"{"faults": null}"#);
    assert_eq!(summary["next"], "subops doubt list 1");
    bench
}

/// What `doubt list --json` has: row and subject.
fn doubts(bench: &Bench) -> Vec<(u64, String)> {
    let list = bench.home.run(["doubt", "list", "1", "--json"]).exits(0).json();
    let list = list["doubts"].as_array().expect("a list").iter();
    list.map(|doubt| (number(doubt, "/row"), doubt["subject"].as_str().expect("a subject").to_owned())).collect()
}

#[test]
fn without_reads_doubts_wait_for_a_person_and_only_what_was_not_applied_is_sent_again() {
    let bench = with_doubts(&extensions(80_000_000, 40));
    let doubts = doubts(&bench);
    let done = bench.sandbox.applied();
    let (applied, lost): (Vec<_>, Vec<_>) = doubts.iter().partition(|(_, subject)| done.contains_key(subject));
    assert!(!applied.is_empty() && !lost.is_empty(), "the same reset hides both: {doubts:?}");
    let told = bench.home.run(["doubt", "list", "1"]).exits(0).stdout;
    assert!(told.contains("subops doubt settle 1") && told.contains("Days 30"), "{told}");

    // Looking and resuming change nothing about them.
    let requests = bench.sandbox.requests();
    bench.home.run(["resume", "1"]).exits(4);
    bench.home.run(["run", "extend.toml"]).exits(4);
    assert_eq!(bench.sandbox.applied(), done);
    assert!(bench.sandbox.requests() <= requests + 2, "nothing but harmless reads");

    let rows = |list: &[&(u64, String)]| list.iter().map(|(row, _)| row.to_string()).collect::<Vec<_>>().join(",");
    let settle = |rows: &str, verdict: &str| {
        let reason = ["--reason", "asked the provider"];
        let command = ["doubt", "settle", "1", "--rows", rows, "--as", verdict, reason[0], reason[1], "--json"];
        bench.home.run(command)
    };
    settle("2", "applied").exits(2);
    let settled = settle(&rows(&applied), "applied").exits(0).json();
    assert_eq!(number(&settled, "/in_doubt"), lost.len() as u64, "{settled}");
    assert_eq!(settled["next"], "subops doubt list 1");
    let settled = settle(&rows(&lost), "not-applied").exits(0).json();
    assert_eq!(settled["next"], "subops resume 1");
    settle(&rows(&lost), "not-applied").exits(2);

    let before = bench.sandbox.ledger().len();
    let summary = bench.home.run(["resume", "1", "--json"]).exits(0).json();
    assert_eq!((number(&summary, "/rows/applied"), number(&summary, "/rows/in_doubt")), (40, 0));
    let sent: Vec<Value> = bench.sandbox.ledger().split_off(before);
    let mut sent: Vec<&str> = sent.iter().map(|entry| entry["subject"].as_str().expect("text")).collect();
    sent.sort_unstable();
    assert_eq!(sent, lost.iter().map(|(_, subject)| subject.as_str()).collect::<Vec<_>>(), "those and no others");
    assert!(bench.sandbox.applied().values().all(|times| *times == 1));
}

#[test]
fn decisions_are_taken_from_a_file() {
    let bench = with_doubts(&extensions(80_000_000, 40));
    let done = bench.sandbox.applied();
    let mut sheet = String::from("subops_row,PurchaseID,decision\n");
    for (row, subject) in doubts(&bench) {
        let decision = if done.contains_key(&subject) { "applied" } else { "not-applied" };
        sheet.push_str(&format!("{row},{subject},{decision}\n"));
    }
    let from = ["doubt", "settle", "1", "--from", "sheet.csv", "--reason", "finance"];
    bench.home.write("sheet.csv", sheet.replace(",applied", ",maybe"));
    let refused = bench.home.run(from).exits(2);
    assert!(refused.stderr.contains("`maybe`") && refused.stderr.contains("nothing was settled"), "{}", refused.stderr);
    bench.home.write("sheet.csv", sheet);
    bench.home.run(from).exits(0);
    bench.home.run(["resume", "1"]).exits(0);
    assert_eq!(bench.sandbox.applied().len(), 40);
    assert!(bench.sandbox.applied().values().all(|times| *times == 1));
}

#[test]
fn rows_behind_a_doubt_of_their_subject_are_held_until_it_is_settled() {
    // Each purchase three times, in turn, so that later rows of a doubtful one come while it is in doubt.
    let rows: String = (0..30).map(|row| format!("{},{}\n", 80_000_000 + row % 10, row + 1)).collect();
    let bench = with_doubts(&format!("PurchaseID,Days\n{rows}"));
    let status = bench.home.run(["status", "1", "--json"]).exits(0).json();
    let held = number(&status, "/rows/held");
    assert!(held > 0, "{status}");
    let not_sent = bench.home.result_rows("not_sent.csv");
    assert_eq!(not_sent.iter().filter(|row| row["subops_status"] == "held").count() as u64, held);

    // Nothing of a doubtful subject was sent after the doubt arose.
    let doubts = doubts(&bench);
    for entry in bench.sandbox.ledger() {
        let subject = entry["subject"].as_str().expect("text");
        let days: u64 = entry["request"]["Days"].as_str().and_then(|days| days.parse().ok()).expect("a number");
        for (row, _) in doubts.iter().filter(|(_, doubtful)| doubtful == subject) {
            assert!(days < *row, "row {} of {subject} was sent behind the doubt of row {row}", days + 1);
        }
    }
    let done: Vec<String> = bench.sandbox.ledger().iter().map(|entry| entry["request"]["Days"].to_string()).collect();
    for (row, _) in &doubts {
        let was_applied = done.contains(&format!("\"{}\"", row - 1));
        let verdict = if was_applied { "applied" } else { "not-applied" };
        let row = row.to_string();
        bench.home.run(["doubt", "settle", "1", "--row", &row, "--as", verdict, "--reason", "looked"]).exits(0);
    }
    let summary = bench.home.run(["resume", "1", "--json"]).exits(0).json();
    assert_eq!((number(&summary, "/rows/applied"), number(&summary, "/rows/held")), (30, 0), "{summary}");
    let mut order: std::collections::BTreeMap<String, Vec<u64>> = std::collections::BTreeMap::new();
    for entry in bench.sandbox.ledger() {
        let days = entry["request"]["Days"].as_str().and_then(|days| days.parse().ok()).expect("a number");
        order.entry(entry["subject"].to_string()).or_default().push(days);
    }
    for (subject, days) in order {
        assert_eq!(days.len(), 3, "{subject}");
        assert!(days.is_sorted(), "rows of {subject} went out of order: {days:?}");
    }
}

#[test]
fn doubts_are_verified_by_reads_alone() {
    let bench = bench();
    bench.extensions(40, "[limits]\nrate = \"100/s\"\nconcurrency = 4\n");
    let mut program = bench.home.spawn(["run", "extend.toml"]);
    bench.wait_for_requests(&mut program, 12);
    bench.sandbox.control(r#"{"faults": "hang_after=1"}"#);
    while bench.sandbox.statistics()["in_flight"] != 4 {
        assert!(program.try_wait().expect("it can be asked").is_none());
    }
    program.kill().expect("it can be killed");
    program.wait().expect("it ended");
    bench.sandbox.control(r#"{"faults": null}"#);
    let before = bench.sandbox.ledger().len();
    let status = bench.home.run(["status", "1", "--json"]).exits(0).json();
    let (in_doubt, applied) = (number(&status, "/rows/in_doubt"), number(&status, "/rows/applied"));
    assert!(in_doubt > 0, "{status}");
    let end = bench.home.run(["doubt", "verify", "1", "--json"]);
    let summary = end.json();
    assert_eq!(bench.sandbox.ledger().len(), before, "no row is sent");
    assert_eq!(number(&summary, "/rows/in_doubt"), 0, "{summary}");
    assert_eq!(number(&summary, "/rows/applied"), applied + in_doubt, "all of them had their effect: {summary}");
    assert_eq!((end.code, &summary["next"]), (Some(130), &"subops resume 1".into()), "{summary}");
    bench.home.run(["resume", "1"]).exits(0);
    assert_eq!(bench.sandbox.applied().len(), 40);
    assert!(bench.sandbox.applied().values().all(|times| *times == 1));
}

#[test]
fn a_throttled_run_waits_as_it_is_asked_to_and_spends_no_row_on_it() {
    let bench = Bench::with(["--rate", "20/s"]);
    bench.extensions(30, "verify = \"off\"\n[limits]\nrate = \"100/s\"\n");
    let summary = bench.home.run(["run", "extend.toml", "--json"]).exits(0).json();
    assert_eq!(number(&summary, "/rows/applied"), 30);
    assert!(number(&bench.sandbox.statistics(), "/status/429") > 0, "it was too fast once");
    assert_eq!(bench.agree("PurchaseID")["applied"], 30);
}

#[test]
fn a_redirect_is_not_followed_and_halts() {
    let bench = bench();
    bench.extensions(40, "verify = \"off\"\n[limits]\nrate = \"60/s\"\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--json"]);
    bench.wait_for_requests(&mut program, 4);
    bench.sandbox.control(r#"{"faults": "redirect=1"}"#);
    let summary = ended(program).exits(3).json();
    assert!(number(&summary, "/rows/in_doubt") > 0, "nobody knows what was done there: {summary}");
    assert!(summary["halted_by"].is_string() || summary["halted_by"].is_object(), "{summary}");
    bench.agree("PurchaseID");
}
