//! A journal that cannot be opened, understood or written: the run ends with 5, says what to do, and sends nothing that
//! is not on record.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::bench::{Bench, ended, number, signal};
use super::support::{Outcome, extensions};

/// Where SQLite keeps the format's number in the first page of a file.
const USER_VERSION: u64 = 60;

fn refused(bench: &Bench, journal: &str, said: &[&str]) {
    let requests = bench.sandbox.requests();
    for command in [["run", "extend.toml"], ["resume", "1"], ["status", "1"]] {
        let end = bench.home.run([command[0], command[1], "--journal", journal]);
        if end.code == Some(2) && command[0] != "run" {
            // Where there is nothing at all, there is no run to be asked for.
            continue;
        }
        assert_eq!(end.code, Some(5), "{command:?}: {}", end.stderr);
        for words in said {
            assert!(end.stderr.contains(words), "{command:?}: `{words}` is not in:\n{}", end.stderr);
        }
        assert!(end.stderr.contains("\nhint: "), "{command:?}: {}", end.stderr);
    }
    assert_eq!(bench.sandbox.requests(), requests, "nothing was sent");
}

/// A journal with an interrupted run in it.
fn interrupted(rows: usize) -> (Bench, PathBuf) {
    let bench = Bench::with(["--latency", "10ms"]);
    bench.extensions(rows, "[limits]\nrate = \"300/s\"\n");
    let mut program = bench.home.spawn(["run", "extend.toml", "--journal", "journal.db"]);
    bench.wait_for_requests(&mut program, 60);
    signal(&program, Signal::TERM);
    ended(program).exits(130);
    let journal = bench.home.path().join("journal.db");
    (bench, journal)
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).expect("the journal");
    file.seek(SeekFrom::Start(at)).expect("a place in it");
    file.write_all(bytes).expect("it is overwritten");
}

#[test]
fn a_place_where_no_journal_can_be() {
    let bench = Bench::new();
    bench.extensions(5, "");
    bench.home.write("file", "");
    fs::create_dir(bench.home.path().join("folder")).expect("a folder");
    refused(&bench, "file/journal.db", &["file"]);
    refused(&bench, "folder", &["folder"]);
    bench.home.run(["run", "extend.toml", "--journal", "new/folders/journal.db"]).exits(0);
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let bench = Bench::new();
    bench.extensions(5, "");
    let text = "PurchaseID,Days\n".repeat(1000);
    bench.home.write("notes.csv", &text);
    refused(&bench, "notes.csv", &["notes.csv` is not a journal of subops"]);
    assert_eq!(fs::read_to_string(bench.home.path().join("notes.csv")).expect("it is there"), text);
}

#[test]
fn a_journal_of_a_later_version_is_not_touched() {
    let (bench, journal) = interrupted(200);
    overwrite(&journal, USER_VERSION, &9000_u32.to_be_bytes());
    let before = fs::read(&journal).expect("the journal");
    refused(&bench, "journal.db", &["written by a newer subops (format 9000"]);
    assert!(fs::read(&journal).expect("the journal") == before, "not one byte");
}

#[test]
fn a_damaged_journal_sends_nothing_and_names_the_way_to_look_at_it() {
    let (bench, journal) = interrupted(200);
    let length = fs::metadata(&journal).expect("it is there").len();
    overwrite(&journal, 4096, &vec![0xA5; usize::try_from(length - 4096).expect("a size")]);
    refused(&bench, "journal.db", &["is damaged", "integrity_check"]);
}

/// A file system of its own, so small that it is soon full. It needs the right to mount.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&folder).expect("a folder");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&folder).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Self(folder));
        }
        skipped();
        None
    }

    fn remount(&self, options: &str) {
        let changed = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.0).output();
        assert!(changed.expect("mount starts").status.success(), "{options}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a program that a failed test left behind may still have files open there.
        Command::new("umount").arg("-l").arg(&self.0).output().expect("umount starts");
    }
}

#[expect(clippy::print_stderr, reason = "whoever reads the log must know what was not tested")]
fn skipped() {
    eprintln!("SKIPPED: this user may not mount a file system, so a full or read-only disk cannot be made");
}

#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let bench = Bench::new();
    bench.home.write("extend.csv", extensions(80_000_000, 3_000));
    bench.job("extend", "segpay.extend_membership", "");
    let Some(disk) = SmallDisk::mount(bench.home.path().join("disk"), "600k") else { return };
    let run = ["run", "extend.toml", "--journal", "disk/journal.db", "--rate", "5000/s", "--max-in-doubt", "1000"];
    let end = bench.home.run(run).exits(5);
    assert!(
        end.stderr.contains("disk that holds the journal") && end.stderr.contains("subops resume 1"),
        "{}",
        end.stderr
    );
    let applied = bench.sandbox.applied();
    assert!(!applied.is_empty() && applied.len() < 3_000, "it stopped on the way: {}", applied.len());

    disk.remount("size=64m");
    let status = bench.home.run(["status", "1", "--journal", "disk/journal.db", "--json"]).exits(0).json();
    assert!(number(&status, "/rows/in_doubt") <= 8, "no more than were in flight: {status}");
    let resume = ["resume", "1", "--journal", "disk/journal.db", "--rate", "5000/s", "--json"];
    let summary = bench.home.run(resume).exits(0).json();
    assert_eq!(number(&summary, "/rows/applied"), 3_000);
    let applied = bench.sandbox.applied();
    assert_eq!(applied.len(), 3_000);
    assert!(applied.values().all(|times| *times == 1));
}

#[test]
fn a_read_only_disk_sends_nothing() {
    let bench = Bench::new();
    bench.extensions(5, "");
    let Some(disk) = SmallDisk::mount(bench.home.path().join("disk"), "2m") else { return };
    disk.remount("ro");
    refused(&bench, "disk/journal.db", &["disk"]);
    disk.remount("rw");
    bench.home.run(["run", "extend.toml", "--journal", "disk/journal.db"]).exits(0);
    disk.remount("ro");
    bench.extensions(6, "");
    refused(&bench, "disk/journal.db", &["disk"]);
}

#[test]
fn results_that_cannot_be_written_are_written_again_later() {
    let bench = Bench::new();
    bench.extensions(500, "");
    let Some(disk) = SmallDisk::mount(bench.home.path().join("disk"), "16k") else { return };
    let end = bench.home.run(["run", "extend.toml", "--results", "disk/results"]).exits(5);
    assert!(end.stderr.contains("nothing is lost") && end.stderr.contains("subops resume 1"), "{}", end.stderr);
    assert_eq!(bench.sandbox.applied().len(), 500, "the run itself is not touched by it");
    disk.remount("size=4m");
    bench.home.shell("subops resume 1").exits(0);
    let folder =
        fs::read_dir(disk.0.join("results")).expect("results").next().expect("of the run").expect("a folder").path();
    let rows = fs::read_to_string(folder.join("succeeded.csv")).expect("a file").lines().count();
    assert_eq!(rows, 501, "every row, and the header");
    Outcome::exits(bench.home.run(["run", "extend.toml"]), 0);
}
