//! The result files: always there, every row in exactly one of them, adding up, and fit to be fed back.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use super::bench::{Bench, ended, number, signal, without_token};
use super::support::extensions;

const TABLES: [&str; 4] = ["succeeded.csv", "failed.csv", "in_doubt.csv", "not_sent.csv"];

const OWN: [&str; 6] =
    ["subops_row", "subops_status", "subops_code", "subops_message", "subops_attempts", "subops_reference"];

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

fn header(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().next().expect("a header").split(',').map(str::to_owned).collect()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// Sizes, digests and rows are those of the files, and no other file is there.
fn manifest_holds(folder: &Path) {
    let manifest = json(&folder.join("manifest.json"));
    let listed = manifest["files"].as_array().expect("files");
    let mut expected = names(folder);
    expected.retain(|name| name != "manifest.json");
    let mut found: Vec<&str> = listed.iter().map(|file| file["name"].as_str().expect("a name")).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "every file is listed");
    for file in listed {
        let name = file["name"].as_str().expect("a name");
        let bytes = fs::read(folder.join(name)).expect("a file");
        assert_eq!(number(file, "/bytes"), bytes.len() as u64, "{name}");
        assert_eq!(file["blake3"], blake3::hash(&bytes).to_hex().as_str(), "{name}");
        if name.ends_with(".csv") {
            let rows = csv::Reader::from_reader(bytes.as_slice()).into_records().count();
            assert_eq!(number(file, "/rows"), rows as u64, "{name}");
        }
    }
}

#[test]
fn all_files_are_there_even_when_they_are_empty_and_only_their_owner_reads_them() {
    let bench = Bench::new();
    bench.extensions(3, "");
    bench.home.run(["run", "extend.toml"]).exits(0);
    let folder = bench.home.results();
    let expected = ["failed.csv", "in_doubt.csv", "manifest.json", "not_sent.csv", "succeeded.csv", "summary.json"];
    assert_eq!(names(&folder), expected);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in expected {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    for table in TABLES {
        let mut columns = vec!["PurchaseID", "Days", "customer"];
        columns.extend(OWN);
        assert_eq!(header(&folder.join(table)), columns, "{table}");
        let rows = bench.home.result_rows(table).len();
        assert_eq!(rows, if table == "succeeded.csv" { 3 } else { 0 }, "{table}");
    }
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    assert!(name.starts_with("extend-20") && name.ends_with("Z-run1"), "{name}");
    manifest_holds(&folder);
}

#[test]
fn summary_json_is_what_json_prints_and_status_agrees() {
    let bench = Bench::new();
    bench.home.write("extend.csv", extensions(80_000_000, 20) + "80000990,30,cancelled\n");
    bench.job("extend", "segpay.extend_membership", "");
    let printed = bench.home.run(["run", "extend.toml", "--json"]).exits(1).json();
    let written = json(&bench.home.results().join("summary.json"));
    assert_eq!(printed, written);
    assert_eq!(
        (&printed["job"], &printed["state"], &printed["exit_code"]),
        (&"extend".into(), &"finished".into(), &1.into())
    );
    assert!(printed["digest"].as_str().is_some_and(|digest| digest.starts_with("blake3:")), "{printed}");
    let results = printed["results"].as_str().expect("a folder");
    assert!(bench.home.path().join(results).is_dir(), "{results}");
    assert!(number(&printed, "/calls") > 21, "baselines are calls too: {printed}");
    for field in ["rate", "latency_ms", "started", "finished", "amounts", "retries", "halted_by", "next"] {
        assert!(printed.get(field).is_some(), "{field}: {printed}");
    }
    let status = bench.home.run(["status", "1", "--json"]).exits(0).json();
    assert_eq!(status["rows"], printed["rows"]);
    assert_eq!(status["exit_code"], printed["exit_code"]);
}

/// Rows come in the order of the input, whatever the order in which their calls ended.
#[test]
fn rows_keep_the_order_of_the_input_and_know_their_line() {
    let bench = Bench::with(["--latency", "1ms..30ms"]);
    let mut rows: Vec<u32> = (80_000_000..80_000_060).collect();
    fastrand::Rng::with_seed(3).shuffle(&mut rows);
    let lines: String = rows.iter().map(|id| format!("{id},30\n")).collect();
    bench.home.write("extend.csv", format!("PurchaseID,Days\n{lines}"));
    bench.job("extend", "segpay.extend_membership", "verify = \"off\"\n");
    bench.home.run(["run", "extend.toml"]).exits(0);
    let told = bench.home.result_rows("succeeded.csv");
    for (position, (row, id)) in told.iter().zip(&rows).enumerate() {
        assert_eq!(
            (row["PurchaseID"].clone(), row["subops_row"].clone()),
            (id.to_string(), (position + 2).to_string())
        );
    }
    assert_eq!(told.len(), 60);
    let order: Vec<String> =
        bench.sandbox.ledger().iter().map(|entry| entry["subject"].as_str().expect("text").to_owned()).collect();
    assert_ne!(order, rows.iter().map(u32::to_string).collect::<Vec<_>>(), "the calls ended in another order");
}

#[test]
fn rows_and_money_add_up_in_each_currency() {
    let bench = Bench::new();
    let mut rows = String::from("PurchaseID,RecurringAmount,currency\n");
    // 80000000 recurs at 9.95, 80000001 at 19.95, and so on: what is not lower is refused.
    for (id, amount, currency) in [
        (80_000_000, "5.10", "USD"),
        (80_000_001, "19.90", "USD"),
        (80_000_002, "7", "EUR"),
        (80_000_003, "99.99", "EUR"),
        (80_000_004, "500", "JPY"),
        (80_000_990, "1.00", "USD"),
    ] {
        rows.push_str(&format!("{id},{amount},{currency}\n"));
    }
    bench.home.write("modify.csv", rows);
    bench.job("modify", "segpay.modify_rebill_amount", "");
    let wrong = ["run", "modify.toml", "--expect-total", "USD=26.01"];
    bench.home.run(wrong).exits(10);
    let right = ["run", "modify.toml", "--expect-total", "USD=26.00", "--expect-total", "EUR=106.99", "--json"];
    let summary = bench.home.run(right).exits(1).json();
    let amounts = |currency: &str| {
        ["total", "applied", "already", "refused", "failed", "in_doubt", "held", "not_sent"]
            .map(|state| summary["amounts"][currency][state].as_str().expect("an amount").to_owned())
    };
    assert_eq!(amounts("USD"), ["26.00", "25.00", "0.00", "1.00", "0.00", "0.00", "0.00", "0.00"]);
    assert_eq!(amounts("EUR"), ["106.99", "7.00", "0.00", "99.99", "0.00", "0.00", "0.00", "0.00"]);
    assert_eq!(amounts("JPY"), ["500", "0", "0", "500", "0", "0", "0", "0"]);
    let sent: BTreeMap<String, String> = bench
        .sandbox
        .ledger()
        .iter()
        .map(|entry| (entry["subject"].clone(), entry["request"]["RecurringAmount"].clone()))
        .map(|(subject, amount)| (subject.as_str().expect("text").into(), amount.as_str().expect("text").into()))
        .collect();
    let expected = [("80000000", "5.10"), ("80000001", "19.90"), ("80000002", "7")];
    assert_eq!(sent, expected.map(|(id, amount)| (id.to_owned(), amount.to_owned())).into(), "digits stay as typed");
}

#[test]
fn a_failed_file_is_an_input_as_it_is() {
    let bench = Bench::new();
    let notes = "PurchaseID,Days,note\n80000990,30,=1+1\n80000001,30,fine\n80000995,7,\"a, \"\"b\"\"\nc\"\n";
    bench.home.write("extend.csv", notes);
    bench.job("extend", "segpay.extend_membership", "");
    bench.home.run(["run", "extend.toml"]).exits(1);
    let first = bench.home.results().join("failed.csv");
    let rows = bench.home.result_rows("failed.csv");
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1]["note"].as_str(), rows[1]["subops_row"].as_str()), ("a, \"b\"\nc", "4"));
    assert_eq!(rows[1]["subops_code"], "Membership not Active");

    let first = first.to_str().expect("text");
    let again = ["run", first, "--operation", "segpay.extend_membership", "--json"];
    let summary = bench.home.run(again).exits(1).json();
    assert_eq!((number(&summary, "/run"), number(&summary, "/rows/refused")), (2, 2), "{summary}");
    let second = bench.home.path().join(summary["results"].as_str().expect("a folder")).join("failed.csv");
    assert_eq!(header(&second), header(Path::new(first)), "our columns are replaced, not added");
    let rows = bench.home.result_rows("failed.csv");
    let told: Vec<[&str; 3]> =
        rows.iter().map(|row| ["PurchaseID", "note", "subops_row"].map(|column| row[column].as_str())).collect();
    assert_eq!(told, [["80000990", "'=1+1", "2"], ["80000995", "a, \"b\"\nc", "3"]], "rows of the file that was fed");
}

#[test]
fn cells_that_a_spreadsheet_would_calculate_are_guarded_and_what_is_sent_stays_as_it_is() {
    let bench = Bench::new();
    let input = "PurchaseID,Note,customer,balance\n\
                 80000001,=HYPERLINK(1),@SUM(A1),-5\n\
                 80000990,+49 30 1234,\"=cmd|' /C calc'!A0\",-x\n";
    bench.home.write("note.csv", input);
    bench.job("note", "segpay.insert_consumer_note", "");
    bench.home.run(["run", "note.toml"]).exits(1);
    let note = bench.sandbox.ledger()[0]["request"]["Note"].clone();
    assert_eq!(note.as_str().map(without_token), Some("=HYPERLINK(1)"), "the provider gets what was written");
    let done = &bench.home.result_rows("succeeded.csv")[0];
    assert_eq!(
        [&done["Note"], &done["customer"], &done["balance"]].map(String::as_str),
        ["'=HYPERLINK(1)", "'@SUM(A1)", "-5"]
    );
    let failed = &bench.home.result_rows("failed.csv")[0];
    assert_eq!(
        [&failed["Note"], &failed["customer"], &failed["balance"]].map(String::as_str),
        ["+49 30 1234", "'=cmd|' /C calc'!A0", "'-x"],
        "what would be sent again is not changed"
    );
}

#[test]
fn json_lines_have_twins_that_keep_their_objects() {
    let bench = Bench::new();
    let input = "{\"PurchaseID\": 80000001, \"Days\": 3, \"ref\": 1234567890123456789, \"who\": {\"name\": \"Ada\"}}\n\
                 {\"PurchaseID\": 80000990, \"Days\": 3, \"ref\": 1.10, \"subops_row\": 77}\n";
    bench.home.write("extend.jsonl", input);
    let run = ["run", "extend.jsonl", "--operation", "segpay.extend_membership"];
    bench.home.run(run).exits(1);
    let folder = bench.home.results();
    let done = fs::read_to_string(folder.join("succeeded.jsonl")).expect("a twin");
    assert!(done.contains("\"ref\":1234567890123456789") && done.contains("\"name\": \"Ada\""), "{done}");
    let failed = fs::read_to_string(folder.join("failed.jsonl")).expect("a twin");
    assert!(failed.contains("\"ref\":1.10") && !failed.contains("77"), "{failed}");
    let row = &bench.home.result_rows("succeeded.csv")[0];
    assert_eq!((row["ref"].as_str(), row["who.name"].as_str()), ("1234567890123456789", "Ada"));
    manifest_holds(&folder);
    bench.home.write("again.jsonl", failed);
    bench.home.run(["run", "again.jsonl", "--operation", "segpay.extend_membership"]).exits(1);
}

#[test]
fn results_of_an_interrupted_run_are_whole_and_are_replaced_by_those_of_its_end() {
    let bench = Bench::with(["--latency", "10ms"]);
    bench.extensions(200, "[limits]\nrate = \"300/s\"\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--json"]);
    bench.wait_for_requests(&mut program, 40);
    signal(&program, Signal::TERM);
    let summary = ended(program).exits(130).json();
    let folder = bench.home.results();
    manifest_holds(&folder);
    assert_eq!(json(&folder.join("summary.json")), summary);
    assert_eq!(bench.home.result_rows("not_sent.csv").len() as u64, number(&summary, "/rows/not_sent"));
    let summary = bench.home.run(["resume", "--json"]).exits(0).json();
    assert_eq!(bench.home.results(), folder, "one run, one folder");
    manifest_holds(&folder);
    assert_eq!(json(&folder.join("summary.json")), summary);
    assert_eq!(bench.home.result_rows("succeeded.csv").len(), 200);
    assert_eq!(names(&folder).len(), 6, "no temporary file is left");
}

#[test]
fn report_writes_the_same_files_again() {
    let bench = Bench::new();
    bench.extensions(20, "");
    bench.home.run(["run", "extend.toml"]).exits(0);
    let folder = bench.home.results();
    let table = fs::read(folder.join("succeeded.csv")).expect("a file");
    fs::remove_dir_all(&folder).expect("the results go");
    let told = bench.home.run(["report", "1"]).exits(0);
    assert!(told.stdout.contains("run1"), "where they are is data: {}", told.stdout);
    assert!(fs::read(folder.join("succeeded.csv")).expect("a file") == table);
    manifest_holds(&folder);
    bench.home.run(["report", "1", "--results", "elsewhere"]).exits(0);
    let copy = bench.home.path().join("elsewhere").join(folder.file_name().expect("a name"));
    assert!(fs::read(copy.join("succeeded.csv")).expect("a file") == table);
}

#[test]
fn what_an_operation_returns_is_in_the_results() {
    let bench = Bench::new();
    bench.home.write("links.csv", "purchaseid\n80000990\n80000995\n80000001\n");
    bench.job("links", "segpay.reactivation_link", "");
    bench.home.run(["run", "links.toml"]).exits(1);
    let links = bench.home.result_rows("succeeded.csv");
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|row| row["subops_link"].starts_with("https://")), "{links:?}");
    assert_ne!(links[0]["subops_link"], links[1]["subops_link"]);
    assert_eq!(bench.home.result_rows("failed.csv")[0]["subops_link"], "");
}
