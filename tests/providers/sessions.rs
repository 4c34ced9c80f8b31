//! 2Checkout's sessions, through the built program: expired in the middle of a run, or never given.

use std::fmt::Write as _;

use serde_json::Value;

use super::support::{Home, Outcome, SandboxProcess};

const ROWS: u64 = 80;

/// A home with a run of extensions, which add up, slow enough to be met in its middle.
fn start(concurrency: u32) -> (SandboxProcess, Home) {
    let sandbox = SandboxProcess::start(["--latency", "5ms"]);
    let home = Home::with(&sandbox);
    let rows = (1..=ROWS).fold("subscriptionReference,days\n".to_owned(), |mut text, at| {
        writeln!(text, "4A2F9C31{at:02X},30").expect("text");
        text
    });
    home.write("extend.csv", rows);
    let job = format!(
        "input = \"extend.csv\"\noperation = \"twocheckout.extend_subscription\"\nverify = \"off\"\n\
         [limits]\nrate = \"200/s\"\nconcurrency = {concurrency}\n"
    );
    home.write("extend.toml", job);
    (sandbox, home)
}

/// Ends all sessions when the run has begun, and returns the end of it.
fn run_through_an_expiry(sandbox: &SandboxProcess, home: &Home) -> Value {
    let mut program = home.spawn(["run", "extend.toml", "--json"]);
    while sandbox.requests() < ROWS / 4 {
        assert!(program.try_wait().expect("it can be asked").is_none(), "it ended too early");
    }
    sandbox.control(r#"{"expire_sessions": true}"#);
    let summary = Outcome::of(program.wait_with_output().expect("it ends")).exits(0).json();
    let applied = sandbox.applied();
    assert_eq!(applied.len() as u64, ROWS, "every row");
    assert!(applied.values().all(|times| *times == 1), "and none twice: {applied:?}");
    assert_eq!(summary["rows"]["applied"], ROWS, "{summary}");
    summary
}

#[test]
fn an_expired_session_costs_one_login_and_one_call() {
    let (sandbox, home) = start(1);
    run_through_an_expiry(&sandbox, &home);
    // Before the run a login and the probe, which is one too; the rows; the call that met the expiry, and one new login.
    assert_eq!(sandbox.requests(), 2 + ROWS + 1 + 1);
}

#[test]
fn all_workers_share_one_new_login() {
    let (sandbox, home) = start(8);
    run_through_an_expiry(&sandbox, &home);
    let more = sandbox.requests() - ROWS;
    assert!((4..=3 + 8).contains(&more), "three logins, and at most one refused call a worker: {more}");
}

#[test]
fn a_wrong_key_sends_nothing_and_names_key_and_clock() {
    let (sandbox, mut home) = start(4);
    home.set("TWOCHECKOUT_SECRET_KEY", "not-the-key");
    let end = home.run(["run", "extend.toml"]).exits(12);
    assert!(end.stderr.contains("secret_key") && end.stderr.contains("clock"), "{}", end.stderr);
    assert!(!end.stderr.contains("not-the-key"), "{}", end.stderr);
    assert_eq!(sandbox.requests(), 1, "one login, and no row");
    assert!(sandbox.ledger().is_empty());
}
