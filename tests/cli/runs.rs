//! A run's way through the journal: continued, not repeated, known by its rows, and never made by looking.

use std::fs;

use rustix::process::Signal;

use super::bench::{Bench, ended, number, signal};
use super::support::{Home, Outcome, extensions, listing};

const RUN: [&str; 3] = ["run", "extend.toml", "--json"];

/// Slow enough to be stopped in the middle.
fn slow() -> Bench {
    let bench = Bench::with(["--latency", "20ms"]);
    bench.extensions(200, "[limits]\nrate = \"200/s\"\n");
    bench
}

/// Stops the run in the middle.
fn interrupted(bench: &Bench) -> Outcome {
    let before = bench.sandbox.requests();
    let mut program = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut program, before + 20);
    signal(&program, Signal::TERM);
    ended(program).exits(130)
}

fn all_applied_once(bench: &Bench, rows: usize) {
    let applied = bench.sandbox.applied();
    assert_eq!(applied.len(), rows, "every row is applied");
    assert!(applied.values().all(|times| *times == 1), "and none twice: {applied:?}");
}

/// The same rows from the last to the first.
fn reversed(csv: &str) -> String {
    let (header, rows) = csv.split_once('\n').expect("a header");
    rows.lines().rev().fold(format!("{header}\n"), |text, row| text + row + "\n")
}

#[test]
fn a_finished_run_is_not_repeated_and_sends_nothing() {
    let bench = Bench::new();
    bench.extensions(20, "");
    bench.home.run(RUN).exits(0);
    let requests = bench.sandbox.requests();
    let second = bench.home.run(["run", "extend.toml"]).exits(0);
    assert!(second.stderr.contains("run 1 of this plan is finished"), "{}", second.stderr);
    assert!(second.stderr.contains("--again"), "how to repeat it is said: {}", second.stderr);
    let summary = bench.home.run(RUN).exits(0).json();
    assert_eq!((number(&summary, "/run"), number(&summary, "/rows/applied")), (1, 20));
    bench.home.run(["resume", "1"]).exits(0);
    assert_eq!(bench.sandbox.requests(), requests, "not even a read");
}

#[test]
fn a_reason_repeats_a_finished_run() {
    let bench = Bench::new();
    bench.extensions(5, "");
    bench.home.run(RUN).exits(0);
    bench.home.run(["run", "extend.toml", "--again", " "]).exits(2);
    let summary = bench.home.run(["run", "extend.toml", "--json", "--again", "a second outage"]).exits(0).json();
    assert_eq!(number(&summary, "/run"), 2);
    assert!(bench.sandbox.applied().values().all(|times| *times == 2), "that is what was asked for");
}

#[test]
fn an_unfinished_run_cannot_be_repeated() {
    let bench = slow();
    interrupted(&bench);
    let requests = bench.sandbox.requests();
    let end = bench.home.run(["run", "extend.toml", "--again", "impatience"]).exits(10);
    assert!(end.stderr.contains("subops resume 1"), "{}", end.stderr);
    assert_eq!(bench.sandbox.requests(), requests);
}

#[test]
fn after_sigterm_calls_in_flight_finish_and_the_same_command_completes_the_run() {
    let bench = slow();
    let summary = interrupted(&bench).json();
    let applied = number(&summary, "/rows/applied");
    assert_eq!(bench.sandbox.ledger().len() as u64, applied, "what was done is known to be done");
    assert_eq!(number(&summary, "/rows/in_doubt"), 0, "nothing was cut off: {summary}");
    assert_eq!(number(&summary, "/rows/not_sent"), 200 - applied);
    assert_eq!((&summary["state"], &summary["next"]), (&"interrupted".into(), &"subops resume 1".into()));
    assert_eq!(bench.agree("PurchaseID").values().sum::<usize>(), 200);

    let summary = bench.home.run(RUN).exits(0).json();
    assert_eq!((number(&summary, "/run"), number(&summary, "/rows/applied")), (1, 200));
    all_applied_once(&bench, 200);
    assert_eq!(bench.agree("PurchaseID"), [("applied".to_owned(), 200)].into(), "the results tell of all starts");
}

#[test]
fn a_second_signal_leaves_at_once_and_the_calls_in_flight_are_in_doubt() {
    let bench = Bench::new();
    bench.extensions(200, "[limits]\nrate = \"200/s\"\nconcurrency = 4\n");
    let mut program = bench.home.spawn(["run", "extend.toml"]);
    bench.wait_for_requests(&mut program, 20);
    bench.sandbox.control(r#"{"faults": "hang_after=1"}"#);
    // All places are taken by calls that never end.
    while bench.sandbox.statistics()["in_flight"] != 4 {
        assert!(program.try_wait().expect("it can be asked").is_none(), "it waits");
    }
    signal(&program, Signal::TERM);
    signal(&program, Signal::INT);
    let end = ended(program).exits(130);
    assert!(end.stderr.contains("left at once") && end.stderr.contains("subops resume 1"), "{}", end.stderr);

    let status = bench.home.run(["status", "--json"]).exits(0).json();
    assert!((1..=4).contains(&number(&status, "/rows/in_doubt")), "no more than were in flight: {status}");
    bench.sandbox.control(r#"{"faults": null}"#);
    bench.home.run(["resume", "--json"]).exits(0);
    all_applied_once(&bench, 200);
}

#[test]
fn a_killed_run_is_told_as_interrupted_and_continued() {
    let bench = slow();
    let mut program = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut program, 20);
    signal(&program, Signal::KILL);
    program.wait().expect("it ended");
    let status = bench.home.run(["status", "--json"]).exits(0).json();
    assert_eq!((&status["state"], &status["exit_code"]), (&"interrupted".into(), &130.into()));
    bench.home.run(["resume"]).exits(0);
    all_applied_once(&bench, 200);
}

#[test]
fn a_changed_input_is_refused_while_its_run_is_unfinished() {
    let bench = slow();
    interrupted(&bench);
    let (requests, path) = (bench.sandbox.requests(), bench.home.path().join("extend.csv"));
    let old = fs::read_to_string(&path).expect("the input");
    let changes = [
        ("one value", old.replacen(",30,", ",31,", 1)),
        ("a row more", format!("{old}80900000,30,new\n")),
        ("another order", reversed(&old)),
        ("one blank", old.replacen("customer 80000007", "customer  80000007", 1)),
    ];
    for (change, text) in changes {
        fs::write(&path, text).expect("the changed input");
        let end = bench.home.run(["run", "extend.toml"]).exits(10);
        assert!(end.stderr.contains("changed") && end.stderr.contains("subops resume 1"), "{change}: {}", end.stderr);
        let end = bench.home.run(["resume", "1"]).exits(10);
        assert!(end.stderr.contains("hint: "), "{change}: {}", end.stderr);
    }
    fs::remove_file(&path).expect("the input goes");
    bench.home.run(["resume", "1"]).exits(10);
    assert_eq!(bench.sandbox.requests(), requests, "nothing was sent for any of them");
    fs::write(&path, old).expect("the old input");
    bench.home.run(["resume", "1"]).exits(0);
    all_applied_once(&bench, 200);
}

#[test]
fn of_two_simultaneous_starts_one_sends() {
    let bench = Bench::with(["--latency", "50ms"]);
    bench.extensions(60, "");
    let starts = [bench.home.spawn(RUN), bench.home.spawn(RUN)];
    let pids = starts.each_ref().map(std::process::Child::id);
    let mut ends = starts.map(ended);
    let mut order = [0, 1];
    if ends[0].code == Some(11) {
        ends.reverse();
        order.reverse();
    }
    assert_eq!((ends[0].code, ends[1].code), (Some(0), Some(11)), "{ends:?}");
    let refused = ends[1].json();
    let message = refused["error"]["message"].as_str().expect("text");
    assert!(message.contains(&format!("process {}", pids[order[0]])), "{message}");
    assert!(message.contains("`extend`"), "{message}");
    all_applied_once(&bench, 60);
}

#[test]
fn a_run_is_resumed_from_another_folder_into_its_own_results() {
    let bench = slow();
    interrupted(&bench);
    let elsewhere = bench.home.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    let end = bench.home.command().current_dir(&elsewhere).args(["resume", "1"]).output().expect("it starts");
    // The settings of the account were those of the folder: without them reads wait for the documented delay.
    Outcome::of(end).exits(0);
    all_applied_once(&bench, 200);
    assert!(!elsewhere.join("results").exists(), "the results stay together");
    assert_eq!(bench.agree("PurchaseID"), [("applied".to_owned(), 200)].into());
}

#[test]
fn the_same_rows_under_another_name_are_the_same_run() {
    let bench = Bench::new();
    bench.extensions(10, "");
    bench.home.run(["run", "extend.csv", "--operation", "segpay.extend_membership"]).exits(0);
    let requests = bench.sandbox.requests();
    bench.home.write("elsewhere/copy.csv", extensions(80_000_000, 10));
    let same = [
        vec!["run", "elsewhere/copy.csv", "--operation", "segpay.extend_membership"],
        vec!["run", "extend.toml"],
        vec!["run", "extend.toml", "--input", "elsewhere/copy.csv"],
        vec!["run", "extend.toml", "--rate", "7/s", "--max-failures", "3"],
    ];
    for arguments in same {
        let end = Outcome::of(bench.home.command().args(&arguments).output().expect("it starts")).exits(0);
        assert!(end.stderr.contains("run 1 of this plan is finished"), "{arguments:?}: {}", end.stderr);
    }
    assert_eq!(bench.sandbox.requests(), requests);
    // Another operation on the same rows is another run.
    bench.home.run(["plan", "extend.csv", "--operation", "segpay.cancel_membership"]).exits(0);
    bench.home.run(["run", "extend.csv", "--operation", "segpay.cancel_membership"]).exits(0);
    assert!(bench.sandbox.requests() > requests);
}

#[test]
fn rows_from_standard_input_are_kept_and_can_be_resumed() {
    let bench = slow();
    let input = extensions(80_000_000, 200);
    let run = ["run", "-", "--operation", "segpay.extend_membership", "--rate", "200/s", "--json"];
    let mut program = bench.home.feed(run, &input);
    bench.wait_for_requests(&mut program, 20);
    signal(&program, Signal::TERM);
    ended(program).exits(130);
    let resumed = bench.home.run(["resume", "--json"]).exits(0).json();
    assert_eq!(number(&resumed, "/rows/total"), 200);
    all_applied_once(&bench, 200);
    let requests = bench.sandbox.requests();
    bench.home.run_with_input(run, &input).exits(0);
    bench.home.write("file.csv", &input);
    bench.home.run(["run", "file.csv", "--operation", "segpay.extend_membership"]).exits(0);
    assert_eq!(bench.sandbox.requests(), requests, "the same rows are known, wherever they come from");
}

#[test]
fn plans_send_nothing_and_write_nothing() {
    let mut bench = slow();
    let scratch = bench.home.path().join("scratch");
    fs::create_dir(&scratch).expect("a folder");
    bench.home.set("TMPDIR", scratch.to_str().expect("text"));
    let look = |bench: &Bench| {
        let (requests, before) = (bench.sandbox.requests(), listing(bench.home.path()));
        for arguments in
            [&["plan", "extend.toml"][..], &["plan", "extend.toml", "--json"], &["run", "extend.toml", "-n"]]
        {
            Outcome::of(bench.home.command().args(arguments).output().expect("it starts")).exits(0);
        }
        let operation = "segpay.extend_membership";
        let input = extensions(81_000_000, 5);
        bench.home.run_with_input(["plan", "-", "--operation", operation], &input).exits(0);
        bench.home.run_with_input(["run", "-", "-n", "--operation", operation], &input).exits(0);
        bench.home.run_with_input(["plan", "-", "--operation", operation], "PurchaseID,Days\nx,3\n").exits(2);
        assert!(listing(bench.home.path()) == before, "a plan leaves no trace");
        assert_eq!(bench.sandbox.requests(), requests, "a plan asks nobody");
    };
    look(&bench);
    interrupted(&bench);
    look(&bench);
    bench.home.run(["resume"]).exits(0);
    look(&bench);
}

/// Looking at runs changes nothing either, also while one is at work.
#[test]
fn status_and_lists_may_be_asked_for_while_a_run_is_at_work() {
    let bench = slow();
    let mut program = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut program, 30);
    let status = bench.home.run(["status", "--json"]).exits(0).json();
    assert_eq!(status["state"], "running");
    assert_eq!(number(&status, "/rows/total"), 200);
    let runs = bench.home.run(["runs"]).exits(0);
    assert!(runs.stdout.contains("extend"), "{}", runs.stdout);
    bench.home.run(["doubt", "list", "1"]).exits(0);
    ended(program).exits(0);
    all_applied_once(&bench, 200);
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let home = Home::new();
    let mut program = home.spawn(["operations", "--json"]);
    drop(program.stdout.take());
    ended(program).exits(0);
}
