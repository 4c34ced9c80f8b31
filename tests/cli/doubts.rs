//! Rows in doubt, before the person who decides: what is shown of them, and decisions from the command line and from the
//! spreadsheet of a finance department, good and bad.

use std::fs;

use serde_json::Value;

use super::bench::{Bench, ended, number};
use super::support::Outcome;

/// A finished run with rows in doubt, of which each has a subject of its own, and the lines of those rows.
fn with_doubts() -> (Bench, Vec<u64>) {
    let bench = Bench::new();
    bench.extensions(30, "verify = \"off\"\n[limits]\nrate = \"100/s\"\n[guard]\nmax_in_doubt = 1000\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--json"]);
    bench.wait_for_requests(&mut program, 3);
    bench.sandbox.control(r#"{"faults": "reset_after=0.3,reset_before=0.3"}"#);
    ended(program).exits(4);
    bench.sandbox.control(r#"{"faults": null}"#);
    let lines = lines(&bench);
    assert!(lines.len() >= 4, "{lines:?}");
    (bench, lines)
}

fn doubts(bench: &Bench) -> Vec<Value> {
    let list = bench.home.run(["doubt", "list", "1", "--json"]).exits(0).json();
    list["doubts"].as_array().expect("a list").clone()
}

fn lines(bench: &Bench) -> Vec<u64> {
    doubts(bench).iter().map(|doubt| number(doubt, "/row")).collect()
}

/// Everything that a settlement could change.
fn state(bench: &Bench) -> (Value, Value) {
    let status = bench.home.run(["status", "1", "--json"]).json();
    (status["rows"].clone(), bench.home.run(["doubt", "list", "1", "--json"]).json())
}

fn settle_from(bench: &Bench, content: impl AsRef<[u8]>) -> Outcome {
    bench.home.write("decided.csv", content);
    bench.home.run(["doubt", "settle", "1", "--from", "decided.csv", "--reason", "reviewed"])
}

/// The purchase of a line: the bench numbers them from 80,000,000 on, and the header is line 1.
fn purchase(line: u64) -> u64 {
    80_000_000 + line - 2
}

#[test]
fn a_doubt_is_shown_with_all_that_is_known() {
    let (bench, lines) = with_doubts();
    let list = bench.home.run(["doubt", "list", "1"]).exits(0).stdout;
    let first = lines[0];
    let shown = format!("line {first}   segpay.extend_membership   PurchaseID {}   Days 30", purchase(first));
    assert!(list.contains(&shown), "{list}");
    for part in ["sent      20", "attempt 1", "reply     the connection was reset", "before    not read", "now       "]
    {
        assert_eq!(list.matches(part).count(), lines.len(), "{part}: {list}");
    }
    assert!(list.contains(&format!("subops doubt settle 1 --row {first} --as applied --reason \"…\"")), "{list}");
    assert!(list.contains("subops doubt settle 1 --from in_doubt.csv --reason"), "{list}");
    assert!(list.contains("subops doubt verify 1"), "{list}");
}

/// The results' own file with a column added and one row left open, as a spreadsheet of another country writes it.
#[test]
fn a_spreadsheet_that_comes_back_settles_its_rows() {
    let (bench, lines) = with_doubts();
    let applied = bench.sandbox.applied();
    let text = fs::read_to_string(bench.home.results().join("in_doubt.csv")).expect("the doubts");
    let mut back = String::from("\u{feff}");
    for (at, line) in text.lines().enumerate() {
        let cells = line.replace(',', ";");
        let decision = match at {
            0 => "Decision;Reason",
            1 => ";",
            _ if applied.contains_key(&purchase(lines[at - 1]).to_string()) => "Applied;portal",
            _ => "not applied;",
        };
        back.push_str(&format!("{cells};{decision}\r\n"));
    }
    let settled = settle_from(&bench, back).exits(0);
    assert!(settled.stdout.contains("1 still in doubt"), "{}", settled.stdout);
    assert_eq!(self::lines(&bench), lines[..1], "the row without a decision waits on");

    // Who, why and what: in the results. What was not applied is sent by the next resume, and by nothing else.
    let before = bench.sandbox.requests();
    bench.home.run(["doubt", "list", "1"]).exits(0);
    assert_eq!(bench.sandbox.requests(), before);
    bench.home.run(["resume", "1"]).exits(4);
    let rows = bench.home.result_rows("succeeded.csv");
    let portal = rows.iter().filter(|row| row["subops_message"].starts_with("portal (settled by "));
    assert!(portal.count() > 0 && rows.len() == 29, "{rows:?}");
    assert_eq!(bench.agree("PurchaseID")["in_doubt"], 1);
    bench
        .home
        .run(["doubt", "settle", "1", "--row", &lines[0].to_string(), "--as", "applied", "--reason", "x"])
        .exits(0);
    assert!(self::lines(&bench).is_empty());
}

#[test]
fn rows_and_ranges_are_settled_together_or_not_at_all() {
    let (bench, lines) = with_doubts();
    let settle =
        |rows: &str| bench.home.run(["doubt", "settle", "1", "--rows", rows, "--as", "not-applied", "--reason", "x"]);
    let before = state(&bench);
    let free = (2..).find(|line| !lines.contains(line)).expect("a row that is not in doubt");
    for rows in [format!("{},{free}", lines[0]), "1-1000000".to_owned(), format!("{}-{}", lines[0], lines[3] + 500)] {
        let refused = settle(&rows).exits(2);
        assert!(refused.stderr.contains("is not in doubt; nothing was settled"), "{}", refused.stderr);
        assert_eq!(state(&bench), before, "{rows}");
    }
    let settled = settle(&format!("{},{}-{}", lines[0], lines[2], lines[2])).exits(0);
    assert!(settled.stdout.contains("settled 0 as applied, 2 as not applied"), "{}", settled.stdout);
}

/// Each is refused with its place, and nothing of it is taken, also where most of it is right.
#[test]
fn a_bad_file_settles_nothing() {
    let (bench, lines) = with_doubts();
    let before = state(&bench);
    let (one, two) = (lines[0], lines[1]);
    let free = (2..).find(|line| !lines.contains(line)).expect("a row that is not in doubt");
    let head = "subops_row,decision";
    for (content, expected) in [
        (String::new(), "decided.csv:1: the file is empty".to_owned()),
        (format!("{head}\n"), "no row has a decision".to_owned()),
        (format!("{head}\n{one},\n"), "no row has a decision".to_owned()),
        (format!("subops_row,what\n{one},applied\n"), "decided.csv:1: there is no column `decision`".to_owned()),
        (format!("line,decision\n{one},applied\n"), "decided.csv:1: there is no column `subops_row`".to_owned()),
        (
            format!("{head},Decision\n{one},applied,\n"),
            "decided.csv:1: the column `decision` is there twice".to_owned(),
        ),
        (format!("{head}\n{one},applied\n{two},yes\n"), "decided.csv:3:2: decision = `yes`, expected".to_owned()),
        (format!("{head}\n{one},applied\nx,applied\n"), "decided.csv:3:1: row = `x`, expected".to_owned()),
        (
            format!("{head}\n{one},applied\n{one},not-applied\n"),
            format!("decided.csv:3:1: row {one} is decided twice, here and in line 2"),
        ),
        (
            format!("{head}\n{one},applied\n{free},applied\n"),
            format!("decided.csv:3:1: row {free} of run 1 is not in doubt"),
        ),
        (format!("{head}\n{one},applied\n9999,applied\n"), "decided.csv:3:1: row 9999 of run 1".to_owned()),
        (format!("{head}\n{one},applied\n{two}\n"), "decided.csv:3: 1 fields, expected 2".to_owned()),
        (
            format!("{head},PurchaseID\n{one},applied,{}\n{two},applied,7\n", purchase(one)),
            format!("decided.csv:3:3: PurchaseID = `7`, but row {two} of run 1 is about `{}`", purchase(two)),
        ),
        (format!("{head}\n{one},no\n{two},no\n"), "2 faults in `decided.csv`".to_owned()),
    ] {
        let refused = settle_from(&bench, &content).exits(2);
        assert!(refused.stderr.contains(&expected), "{content}: {}", refused.stderr);
        assert!(refused.stderr.contains("nothing was settled"), "{content}: {}", refused.stderr);
        assert_eq!(state(&bench), before, "{content}");
    }
    let refused = settle_from(&bench, [format!("{head}\n{one},applied\n").as_bytes(), b"\xff"].concat()).exits(2);
    assert!(refused.stderr.contains("it is not UTF-8; nothing was settled"), "{}", refused.stderr);
    let refused = bench.home.run(["doubt", "settle", "1", "--from", "nowhere.csv", "--reason", "x"]).exits(2);
    assert!(refused.stderr.contains("nowhere.csv: "), "{}", refused.stderr);
    assert_eq!(state(&bench), before);
}
