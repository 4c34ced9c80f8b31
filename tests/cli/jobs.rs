//! The jobs and samples that come with the program: each is read, planned and run to its documented end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::bench::{Bench, number};
use super::support::Home;

/// How many rows of a sample are told as already so, and how many are refused. A job that is not here may have any.
const KNOWN: [(&str, (u64, u64)); 10] = [
    ("cancel-memberships", (1, 1)),
    ("expire-memberships", (1, 0)),
    ("extend-memberships", (0, 6)),
    ("insert-consumer-notes", (0, 1)),
    ("mass-cancellation", (0, 0)),
    ("modify-rebill-amounts", (0, 2)),
    ("reactivation-links", (0, 0)),
    ("refund-transactions", (0, 1)),
    ("support-notes", (0, 0)),
    ("validate-user-access", (0, 0)),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of the repository");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// The plan of each job, by name. Nothing listens: a plan calls nobody.
fn plans() -> BTreeMap<String, Value> {
    let home = Home::new();
    let plans = files("jobs").into_iter().map(|job| {
        let plan = home.run(["plan", text(&job), "--json"]).exits(0).json();
        (job.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned(), plan)
    });
    plans.collect()
}

fn operations() -> Vec<Value> {
    match Home::new().run(["operations", "--json"]).exits(0).json() {
        Value::Array(operations) => operations,
        other => panic!("no list: {other}"),
    }
}

fn is_read(group: &Value) -> bool {
    group["effect"] == "read"
}

#[test]
fn every_job_is_planned_without_a_fault() {
    for (job, plan) in plans() {
        assert!(number(&plan, "/rows") > 0, "{job} has no rows");
        assert_eq!(plan["skipped"], 0, "{job}");
        assert_eq!(plan["sent"], false, "{job}");
    }
}

#[test]
fn every_operation_has_a_job_and_every_sample_is_used_by_one() {
    let plans = plans();
    let groups = plans.values().flat_map(|plan| plan["operations"].as_array().expect("groups"));
    let used: BTreeSet<&str> = groups.map(|group| group["operation"].as_str().expect("a name")).collect();
    for operation in operations() {
        let name = operation["name"].as_str().expect("a name");
        assert!(used.contains(name), "no job in jobs/ uses `{name}`");
    }
    let inputs: BTreeSet<PathBuf> = plans
        .values()
        .map(|plan| plan["input"].as_str().expect("an input"))
        .map(|input| Path::new(input).canonicalize().unwrap_or_else(|error| panic!("{input}: {error}")))
        .collect();
    for sample in files("samples") {
        assert!(inputs.contains(&sample), "no job reads {}", sample.display());
    }
}

#[test]
fn every_job_runs_to_its_documented_end() {
    let jobs = files("jobs");
    let plans = plans();
    for job in jobs {
        let name = job.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let bench = Bench::new();
        let run = ["run", text(&job), "--rate", "2000/s", "--json"];
        let end = bench.home.run(run);
        let summary = end.json();
        let rows = |state: &str| number(&summary, &format!("/rows/{state}"));
        let known = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, known)| *known);
        let (already, refused) = known.unwrap_or_else(|| (rows("already"), rows("refused")));
        assert_eq!((rows("already"), rows("refused")), (already, refused), "{name}: {summary}");
        assert_eq!(end.code, Some(if refused > 0 { 1 } else { 0 }), "{name}: {}", end.stderr);
        assert_eq!(summary["state"], "finished", "{name}");
        for state in ["failed", "in_doubt", "held", "not_sent"] {
            assert_eq!(rows(state), 0, "{name}: {state}");
        }
        assert_eq!(rows("total"), number(&plans[name], "/rows"), "{name}");
        assert_eq!(rows("total"), rows("applied") + rows("already") + rows("refused"), "{name}");

        let groups = plans[name]["operations"].as_array().expect("groups");
        let applied = bench.sandbox.ledger().len() as u64;
        if groups.iter().all(is_read) {
            assert_eq!(applied, 0, "{name} only reads");
        } else if !groups.iter().any(is_read) {
            assert_eq!(applied, rows("applied"), "{name}: what was done is what is told");
        }
    }
}

#[test]
fn every_template_is_a_plan_of_its_operation() {
    let home = Home::new();
    for operation in operations() {
        let name = operation["name"].as_str().expect("a name");
        for format in ["csv", "jsonl"] {
            let template = home.run(["operations", name, "--template", format]).exits(0).stdout;
            let file = format!("{name}.{format}");
            home.write(&file, template);
            let plan = home.run(["plan", &file, "--operation", name, "--json"]).exits(0).json();
            assert_eq!((number(&plan, "/rows"), &plan["skipped"]), (1, &Value::from(0)), "{file}");
            assert_eq!(plan["operations"][0]["operation"], name);
        }
    }
}

#[test]
fn the_first_command_of_a_newcomer_needs_nothing() {
    let home = Home::new();
    let job = root().join("jobs/extend-memberships.toml");
    let summary = home.run(["run", text(&job), "--sandbox", "--rate", "2000/s", "--json"]).exits(1).json();
    assert_eq!((number(&summary, "/rows/applied"), number(&summary, "/rows/refused")), (994, 6));
    let journals = home.path().join(".local/state/subops");
    assert!(journals.join("sandbox.db").exists() && !journals.join("journal.db").exists(), "a rehearsal keeps apart");
}
