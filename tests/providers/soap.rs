//! 2Checkout's two wire forms: the jobs that come with the program end alike in both.

use std::path::Path;

use serde_json::Value;

use super::support::{Home, Outcome, SandboxProcess};

/// Runs a job and returns how its rows ended, and what the sandbox did for whom.
fn run(job: &Path, protocol: &str) -> (Value, Vec<Value>) {
    let sandbox = SandboxProcess::start([]);
    let home = Home::with(&sandbox);
    let settings = format!(
        "[accounts.twocheckout]\nprovider = \"twocheckout\"\nsettle_delay = \"0s\"\nprotocol = \"{protocol}\"\n"
    );
    home.write("subops.toml", settings);
    let mut command = home.command();
    let end = Outcome::of(
        command.arg("run").arg(job).args(["--json", "--rate", "2000/s", "-j", "1"]).output().expect("it starts"),
    );
    assert!(matches!(end.code, Some(0 | 1)), "{}: {protocol}: {}", job.display(), end.stderr);
    let done = sandbox
        .ledger()
        .into_iter()
        .map(|entry| serde_json::json!([entry["operation"], entry["subject"], entry["after"]]));
    (end.json()["rows"].clone(), done.collect())
}

#[test]
fn every_job_ends_alike_in_both_forms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let jobs = std::fs::read_dir(folder).expect("the jobs").map(|entry| entry.expect("an entry").path());
    let is_ours = |job: &std::path::PathBuf| {
        let name = job.file_name().and_then(|name| name.to_str()).expect("a name");
        name.starts_with("twocheckout-")
    };
    let mut count = 0;
    for job in jobs.filter(is_ours) {
        assert_eq!(run(&job, "soap"), run(&job, "json-rpc"), "{}", job.display());
        count += 1;
    }
    assert!(count >= 14, "a job for each operation");
}
