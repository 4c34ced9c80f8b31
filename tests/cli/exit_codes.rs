//! Every exit code for its reason, the next command beside it, and what goes to which stream.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use super::bench::{Bench, ended, number, signal};
use super::scripted::{Say, Scripted};
use super::support::{Home, Outcome, extensions};

const RUN: [&str; 2] = ["run", "extend.toml"];

/// The command that the program says is next, from the last line that names one.
fn next_command(outcome: &Outcome) -> String {
    let text = format!("{}{}", outcome.stdout, outcome.stderr);
    let starts: Vec<usize> = text.match_indices("subops ").map(|(at, _)| at).collect();
    let last = *starts.last().unwrap_or_else(|| panic!("no next command in:\n{text}"));
    text[last..].lines().next().expect("a line").trim().trim_end_matches('`').to_owned()
}

/// An error with `--json`: one object on standard output that names the exit code, and nothing else anywhere.
fn error_object(outcome: &Outcome, code: i32) -> Value {
    let object = outcome.json();
    assert_eq!(outcome.code, Some(code), "{object}");
    assert_eq!(number(&object, "/error/exit_code"), u64::try_from(code).expect("a code"), "{object}");
    assert!(object["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{object}");
    assert_eq!(outcome.stderr, "", "the error is in the object");
    object
}

/// Extensions of which the last is of a cancelled membership, so that it is refused.
fn with_a_refusal(rows: usize) -> String {
    format!("{}80000990,30,cancelled before\n", extensions(80_000_000, rows))
}

#[test]
fn zero_where_every_row_is_applied() {
    let bench = Bench::new();
    bench.extensions(5, "");
    let end = bench.home.run(RUN).exits(0);
    assert_eq!(end.stdout, "", "what a person reads is no data");
    assert!(
        end.stderr.contains("applied") && end.stderr.contains("every row is in exactly one file"),
        "{}",
        end.stderr
    );
    assert_eq!(bench.agree("PurchaseID"), [("applied".to_owned(), 5)].into());
}

#[test]
fn one_where_rows_are_refused_and_the_next_command_sends_the_failed_file() {
    let bench = Bench::new();
    bench.extensions(0, "");
    bench.home.write("extend.csv", with_a_refusal(5));
    let end = bench.home.run(RUN).exits(1);
    let next = next_command(&end);
    assert!(next.contains("--input") && next.contains("failed.csv"), "{next}");
    // The membership is still cancelled, so the same row is refused again, and only that row is sent.
    let again = bench.home.shell(&format!("{next} --json")).exits(1).json();
    assert_eq!((number(&again, "/rows/total"), number(&again, "/rows/refused")), (1, 1), "{again}");
}

#[test]
fn two_where_the_command_line_is_wrong() {
    let home = Home::new();
    for arguments in [["run", "--rat"], ["runn", "x.csv"], ["resume", "zero"], ["run", "x.csv"], ["run", "x.toml"]] {
        let end = home.run(arguments).exits(2);
        assert_eq!(end.stdout, "", "{arguments:?}");
        assert!(end.stderr.starts_with("error: "), "{arguments:?}: {}", end.stderr);
        error_object(&home.run([arguments[0], arguments[1], "--json"]), 2);
    }
    assert!(home.run(["run", "--rat"]).stderr.contains("--rate"), "a near flag is suggested");
}

#[test]
fn three_where_a_guard_halts_and_resume_is_next() {
    let bench = Bench::new();
    bench.extensions(0, "[guard]\nmax_failures = 0\n[limits]\nconcurrency = 1\n");
    bench.home.write("extend.csv", with_a_refusal(1) + "80000003,30,after the halt\n");
    let end = bench.home.run(RUN).exits(3);
    assert!(end.stderr.contains("halted") && next_command(&end).starts_with("subops resume 1"), "{}", end.stderr);
    let counts = bench.agree("PurchaseID");
    assert_eq!((counts["refused"], counts["not_sent"]), (1, 1), "{counts:?}");
    let resumed = bench.home.shell(&format!("{} --max-failures 5 --json", next_command(&end))).exits(1).json();
    assert_eq!(number(&resumed, "/rows/applied"), 2);
}

#[test]
fn four_where_rows_are_in_doubt_and_their_list_is_next() {
    let bench = Bench::new();
    bench.extensions(30, "verify = \"off\"\n[limits]\nrate = \"50/s\"\n");
    let mut program = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut program, 3);
    bench.sandbox.control(r#"{"faults": "reset_after=0.2"}"#);
    let end = ended(program).exits(4);
    let next = next_command(&end);
    assert_eq!(next, "subops doubt list 1");
    let list = bench.home.shell(&next).exits(0);
    assert_eq!(list.stdout.matches("segpay.extend_membership").count(), bench.agree("PurchaseID")["in_doubt"]);
    bench.home.run(["resume", "1"]).exits(4);
}

#[test]
fn five_where_the_journal_cannot_be_used() {
    let bench = Bench::new();
    bench.extensions(5, "");
    bench.home.write("file", "");
    let end = bench.home.run(["run", "extend.toml", "--journal", "file/journal.db"]).exits(5);
    assert!(end.stderr.contains("hint: "), "{}", end.stderr);
    error_object(&bench.home.run(["run", "extend.toml", "--journal", "file/journal.db", "--json"]), 5);
    assert_eq!(bench.sandbox.requests(), 0);
}

#[test]
fn ten_where_the_plan_is_not_what_was_expected() {
    let bench = Bench::new();
    bench.extensions(5, "");
    let end = bench.home.run(["run", "extend.toml", "--expect-rows", "6"]).exits(10);
    assert!(end.stderr.contains("6 rows were expected, the plan has 5"), "{}", end.stderr);
    error_object(&bench.home.run(["run", "extend.toml", "--expect-total", "USD=1.00", "--json"]), 10);
    bench.home.run(["plan", "extend.toml", "--expect-rows", "6"]).exits(10);
    assert_eq!(bench.sandbox.requests(), 0);
    bench.home.run(["run", "extend.toml", "--expect-rows", "5"]).exits(0);
}

#[test]
fn eleven_where_another_process_has_the_run() {
    let bench = Bench::with(["--latency", "100ms"]);
    bench.extensions(40, "");
    let mut first = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut first, 2);
    let second = bench.home.run(["run", "extend.toml", "--json"]);
    let object = error_object(&second, 11);
    let message = object["error"]["message"].as_str().expect("text");
    assert!(message.contains(&format!("process {}", first.id())) && message.contains("`extend`"), "{message}");
    bench.home.run(["resume"]).exits(11);
    ended(first).exits(0);
    assert_eq!(bench.agree("PurchaseID"), [("applied".to_owned(), 40)].into());
}

#[test]
fn twelve_where_credentials_are_rejected_and_two_where_they_are_missing() {
    let mut bench = Bench::new();
    bench.extensions(5, "");
    bench.home.set("SEGPAY_ACCESS_KEY", "wrong-key");
    let end = bench.home.run(RUN).exits(12);
    assert_eq!(next_command(&end), "subops check");
    assert!(!end.stderr.contains("wrong-key"), "{}", end.stderr);
    error_object(&bench.home.run(["run", "extend.toml", "--json"]), 12);
    bench.home.run(["check"]).exits(12);
    bench.home.unset("SEGPAY_ACCESS_KEY");
    let end = bench.home.run(RUN).exits(2);
    assert!(end.stderr.contains("SEGPAY_ACCESS_KEY"), "{}", end.stderr);
    assert_eq!(bench.sandbox.ledger(), [] as [Value; 0]);
    assert!(bench.home.run(["runs"]).stdout.lines().count() <= 2, "no run was made");
}

#[test]
fn seventy_five_where_the_provider_or_the_port_cannot_be_reached() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let home = Home::new();
    let end = home.run(["sandbox", "--listen", &address]).exits(75);
    assert!(end.stderr.contains(&address), "{}", end.stderr);
    drop(taken);

    let mut bench = Bench::new();
    bench.extensions(5, "");
    bench.home.set("SEGPAY_SRS_URL", &format!("http://{address}"));
    let end = bench.home.run(RUN).exits(75);
    assert_eq!(next_command(&end), "subops check");
    assert!(end.stderr.contains("nothing was sent"), "{}", end.stderr);
    assert!(!bench.home.path().join("results").exists(), "no run was made");
}

/// A wrong URL is not taken for an account that is well, nor is a run spent on it.
#[test]
fn seventy_five_where_the_harmless_read_is_refused() {
    let server = Scripted::start(|_| Say::reply("404 Not Found", "", "nothing here"));
    let mut bench = Bench::new();
    bench.extensions(5, "");
    bench.home.set("SEGPAY_SRS_URL", &server.url);
    let (check, run) = (bench.home.spawn(["check", "--account", "segpay"]), bench.home.spawn(RUN));
    let check = ended(check).exits(75);
    assert!(check.stdout.contains("HTTP 404") && !check.stdout.contains(" ok "), "{}", check.stdout);
    let run = ended(run).exits(75);
    assert!(run.stderr.contains("HTTP 404") && run.stderr.contains("nothing was sent"), "{}", run.stderr);
    assert!(server.heads().iter().all(|head| head.contains("ValidateUserAccess")), "{:?}", server.heads());
}

#[test]
fn one_hundred_and_thirty_where_it_is_interrupted_and_resume_completes_it() {
    let bench = Bench::with(["--latency", "20ms"]);
    bench.extensions(200, "[limits]\nrate = \"200/s\"\n");
    let mut program = bench.home.spawn(RUN);
    bench.wait_for_requests(&mut program, 20);
    signal(&program, Signal::INT);
    let end = ended(program).exits(130);
    assert_eq!(next_command(&end), "subops resume 1");
    bench.home.shell("subops resume 1").exits(0);
    assert_eq!(bench.agree("PurchaseID"), [("applied".to_owned(), 200)].into());
}

/// The first of 5, 12, 3, 130, 4, 1 is told where several hold.
#[test]
fn doubts_are_told_before_refusals_and_a_halt_before_both() {
    let bench = Bench::new();
    let settings = |guard: &str| format!("verify = \"off\"\n[limits]\nconcurrency = 1\n[guard]\n{guard}");
    let server = Scripted::start(|head| match head {
        head if head.contains("ValidateUserAccess") => Say::merchant(),
        head if head.contains("80000001") => Say::word("Membership not Active"),
        head if head.contains("80000002") => Say::Close,
        _ => Say::word("Successful"),
    });
    let mut home = bench.home;
    home.set("SEGPAY_SRS_URL", &server.url);
    home.write("extend.csv", extensions(80_000_000, 4));
    let job = |guard: &str| {
        let head = "input = \"extend.csv\"\noperation = \"segpay.extend_membership\"\n";
        home.write("extend.toml", format!("{head}{}", settings(guard)));
    };
    job("max_failures = 5\n");
    let summary = home.run(["run", "extend.toml", "--json"]).exits(4).json();
    assert_eq!((number(&summary, "/rows/refused"), number(&summary, "/rows/in_doubt")), (1, 1), "4 before 1");
    assert_eq!(number(&summary, "/exit_code"), 4);
    job("max_in_doubt = 0\n");
    let summary = home.run(["run", "extend.toml", "--json", "--again", "with a guard"]).exits(3).json();
    assert_eq!((number(&summary, "/rows/refused"), number(&summary, "/rows/in_doubt")), (1, 1), "3 before 4 and 1");
    assert_eq!(number(&summary, "/rows/not_sent"), 1);
}

#[test]
fn rejected_credentials_are_told_before_doubts_and_refusals() {
    let calls = AtomicUsize::new(0);
    let server = Scripted::start(move |head| match head {
        head if head.contains("ValidateUserAccess") => Say::merchant(),
        _ => match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Say::word("Membership not Active"),
            1 => Say::Close,
            2 => Say::word("Invalid Merchant"),
            _ => Say::word("Successful"),
        },
    });
    let mut bench = Bench::new();
    bench.extensions(5, "verify = \"off\"\n[limits]\nconcurrency = 1\n");
    bench.home.set("SEGPAY_SRS_URL", &server.url);
    let summary = bench.home.run(["run", "extend.toml", "--json"]).exits(12).json();
    let rows = ["applied", "refused", "in_doubt", "not_sent"].map(|state| number(&summary, &format!("/rows/{state}")));
    assert_eq!(rows, [0, 1, 1, 3], "the row whose call was turned away is not lost: {summary}");
    assert_eq!(summary["next"], "subops check");
    // With the right credentials the run goes on where it stood.
    let summary = bench.home.run(["resume", "--json"]).exits(4).json();
    assert_eq!(number(&summary, "/rows/applied"), 3, "{summary}");
}

#[test]
fn an_interruption_is_told_before_doubts() {
    let bench = Bench::with(["--latency", "20ms"]);
    bench.extensions(400, "verify = \"off\"\n[limits]\nrate = \"200/s\"\n[guard]\nmax_in_doubt = 1000\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--json"]);
    bench.wait_for_requests(&mut program, 10);
    bench.sandbox.control(r#"{"faults": "http_500_after=0.3"}"#);
    bench.wait_for_requests(&mut program, 40);
    signal(&program, Signal::TERM);
    let summary = ended(program).exits(130).json();
    assert!(number(&summary, "/rows/in_doubt") > 0 && number(&summary, "/rows/not_sent") > 0, "{summary}");
    assert_eq!(summary["next"], "subops resume 1");
}

#[test]
fn with_json_one_object_is_printed_whatever_the_command() {
    let bench = Bench::new();
    bench.extensions(3, "");
    let print = |arguments: [&str; 3], code: i32| {
        let end = bench.home.run(arguments).exits(code);
        assert!(end.json().is_object(), "{arguments:?}: {}", end.stdout);
        assert!(end.stdout.ends_with("}\n") && end.stdout.lines().count() == 1, "{arguments:?}: {}", end.stdout);
    };
    print(["status", "1", "--json"], 2);
    print(["plan", "extend.toml", "--json"], 0);
    print(["run", "extend.toml", "--json"], 0);
    print(["run", "extend.toml", "--json"], 0);
    print(["resume", "1", "--json"], 0);
    print(["status", "1", "--json"], 0);
    print(["report", "1", "--json"], 0);
    print(["report", "9", "--json"], 2);
    print(["resume", "--json", "--quiet"], 0);
    print(["check", "--json", "--quiet"], 0);
}

#[test]
fn quiet_leaves_nothing_but_errors() {
    let bench = Bench::new();
    bench.extensions(3, "");
    let end = bench.home.run(["run", "extend.toml", "--quiet"]).exits(0);
    assert_eq!((end.stdout.as_str(), end.stderr.as_str()), ("", ""));
    let end = bench.home.run(["run", "nothing.csv", "--quiet"]).exits(2);
    assert!(end.stderr.contains("nothing.csv"), "an error is said all the same: {}", end.stderr);
    let end = bench.home.run(["run", "extend.toml", "--quiet", "--json"]).exits(0);
    assert_eq!(end.stderr, "");
    assert!(end.json().is_object());
}
