//! Whether the suite can fail at all: four mistakes, built into the program on purpose, and each must be noticed.
//!
//! The build with mistakes takes minutes, so it is made where `SUBOPS_CRASH_CONTROLS` asks for it (CI, the long form). Each
//! scenario is also played with the right program, which must pass it: a scenario that is always red would prove nothing.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::points::Series;
use crate::power;
use crate::rig::{Arena, Scene, program};
use crate::strike::{Act, Blow, Stage};
use crate::tally::{Tally, Wrong};
use crate::tools::{Tool, have, say};

/// The program with the mistakes in it; none where it is not asked for.
fn with_mistakes() -> Option<PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

/// In a folder of its own, so that it is never taken for the program.
fn build() -> Option<PathBuf> {
    if std::env::var_os("SUBOPS_CRASH_CONTROLS").is_none() {
        say("skipped: the negative controls are built where SUBOPS_CRASH_CONTROLS=1 is set (CI, the long form)");
        return None;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/target/negative-controls");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--bin", "subops", "--features", "negative-controls"])
        .args(["--target-dir", folder])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the program with mistakes cannot be built");
    Some(PathBuf::from(folder).join("debug/subops"))
}

/// Plays a scenario with the right program, which must pass, and with the mistaken one, which must not.
fn must_be_noticed(mistake: &'static str, wrong: Wrong, scenario: impl Fn(&Arena, Option<&'static str>, &Tally)) {
    let Some(mistaken) = with_mistakes() else { return };
    let right = Tally::default();
    scenario(&Arena::new(), None, &right);
    right.finish(&format!("without the mistake {mistake}"), 1);
    let tally = Tally::default();
    say(&format!("now with the mistake {mistake}; violations are wanted"));
    scenario(&Arena::of(mistaken), Some(mistake), &tally);
    say(&format!("with the mistake {mistake}: {}", tally.line()));
    assert!(tally.count(wrong) > 0, "the suite did not notice {mistake}: {}", tally.line());
}

fn kill_often(stage: Stage, kind: &str, arena: &Arena, tally: &Tally) {
    for (call, stride) in [("recvfrom", 3), ("writev", 5)] {
        Series { stage, before: Vec::new(), act: Act::Run, call, blow: Blow::Kill, first: 1, stride }
            .walk(kind, arena, tally);
    }
}

/// Runs with faults until some call was struck, then once without.
fn with_faults(stage: Stage, faults: &str, arena: &Arena, tally: &Tally) {
    for round in 0..12 {
        let scene = Scene::set(arena, stage);
        let mut wrong = Vec::new();
        arena.sandbox.control(&format!(r#"{{"faults": "{faults}"}}"#));
        scene.act(Act::Run, None).faults(&mut wrong);
        arena.sandbox.control(r#"{"faults": null}"#);
        let doubts = scene.finish(&mut wrong);
        tally.judged(faults, &format!("round {round}"), doubts, wrong);
    }
}

#[test]
fn a_journal_that_is_not_synced_is_noticed() {
    if !have(&[Tool::Strace, Tool::Fuse]) {
        return;
    }
    must_be_noticed("synchronous-normal", Wrong::Double, |arena, control, tally| {
        let stage = power::stages().next().expect("a stage that keeps nothing");
        kill_often(Stage { control, ..stage }, "power loss", arena, tally);
    });
}

#[test]
fn a_lost_call_that_is_sent_again_is_noticed() {
    must_be_noticed("resend-lost", Wrong::Double, |arena, control, tally| {
        with_faults(Stage { control, ..Stage::new(true, false, 4) }, "reset_after=0.2", arena, tally);
    });
}

#[test]
fn a_redirect_that_is_followed_is_noticed() {
    must_be_noticed("follow-redirects", Wrong::Phantom, |arena, control, tally| {
        with_faults(Stage { control, ..Stage::new(true, false, 4) }, "redirect=0.2", arena, tally);
    });
}

#[test]
fn an_intent_that_is_written_after_the_call_is_noticed() {
    if !have(&[Tool::Strace]) {
        return;
    }
    must_be_noticed("intent-after-call", Wrong::Double, |arena, control, tally| {
        kill_often(Stage { control, ..Stage::new(true, false, 4) }, "kill", arena, tally);
    });
}

#[test]
fn what_is_shipped_has_no_mistake_to_choose() {
    let bytes = std::fs::read(program()).expect("the program");
    let word = b"SUBOPS_CONTROL";
    assert!(!bytes.windows(word.len()).any(|window| window == word), "negative controls are in the program");
}
