//! Errors in place of kills: calls that fail once, or from now on, and a disk that is full.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::points::Series;
use crate::rig::{Arena, Scene};
use crate::strike::{Act, Blow, DISK_ERRORS, NETWORK_ERRORS, Stage};
use crate::tally::Tally;
use crate::tools::{Tool, have};

/// Every error at every call. A network that fails for good is an outage, which a run waits out for minutes; that is not
/// asked for here.
pub(crate) fn series(stage: Stage) -> Vec<Series> {
    let one = |call, blow| Series { stage, before: Vec::new(), act: Act::Run, call, blow, first: 1, stride: 1 };
    let once = DISK_ERRORS.iter().chain(&NETWORK_ERRORS).map(|(call, error)| one(*call, Blow::Error(error)));
    let lasting = DISK_ERRORS[..5].iter().map(|(call, error)| one(*call, Blow::Errors(error)));
    once.chain(lasting).collect()
}

fn stride(call: &str, blow: Blow) -> u32 {
    match (call, blow) {
        ("ftruncate" | "rename", _) => 2,
        ("fsync", _) => 5,
        ("writev" | "recvfrom" | "connect", _) => 6,
        ("pwrite64", _) => 31,
        _ => 37,
    }
}

#[test]
fn calls_that_fail() {
    if !have(&[Tool::Strace]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    for stage in [Stage::new(true, true, 4), Stage::new(true, false, 4)] {
        for series in series(stage) {
            Series { stride: stride(series.call, series.blow), ..series }.walk("error", &arena, &tally);
        }
    }
    tally.finish("calls that fail", 80);
}

/// A tmpfs of a given size.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount(kilobytes: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = Self(folder);
        disk.call(&["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none"]);
        disk
    }

    fn grow(&self) {
        self.call(&["-o", "remount,size=20m"]);
    }

    fn call(&self, words: &[&str]) {
        let status = Command::new("mount").args(words).arg(self.0.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "mount {words:?}");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let status = Command::new("umount").arg("--lazy").arg(self.path()).status();
        assert!(status.is_ok_and(|status| status.success()), "the small disk cannot be unmounted");
    }
}

/// Starts on a disk of this size, gives it room, and lets the run be finished.
fn fill(arena: &Arena, stage: Stage, kilobytes: u32, results_too: bool, tally: &Tally) {
    let disk = SmallDisk::mount(kilobytes);
    let scene = Scene::set(arena, stage);
    let journal: PathBuf = disk.path().join("journal");
    std::fs::create_dir(&journal).expect("room for a folder");
    if std::fs::copy(scene.journal(), journal.join("journal.db")).is_err() {
        // No room for the earlier journal: the point is about a fresh one.
        drop(std::fs::remove_file(journal.join("journal.db")));
    }
    scene.move_journal(&journal);
    if results_too {
        std::os::unix::fs::symlink(disk.path(), scene.home.path().join("results")).expect("a link");
    }
    let mut wrong = Vec::new();
    let full = scene.act(Act::Run, None);
    full.faults(&mut wrong);
    arena.quiet();
    disk.grow();
    let doubts = scene.finish(&mut wrong);
    tally.judged("full disk", &format!("{kilobytes} KiB, results there: {results_too}"), doubts, wrong);
}

/// Sizes from "not even a journal" to "enough".
pub(crate) fn fill_all(arena: &Arena, tally: &Tally, step: usize) {
    for kilobytes in (8..600).step_by(step) {
        let stage = Stage::new(false, kilobytes % 3 != 0, 4);
        fill(arena, stage, kilobytes, false, tally);
        fill(arena, stage, kilobytes, true, tally);
    }
}

#[test]
fn a_disk_that_is_full() {
    if !have(&[Tool::SmallDisk]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    fill_all(&arena, &tally, 44);
    tally.finish("a disk that is full", 25);
}
