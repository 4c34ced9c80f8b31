//! Several things at once: a crash in what repairs a crash, two starts, signals, a process that is frozen, a clock that is
//! set back.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::points::{Series, kills};
use crate::rig::{Arena, Ended, Scene};
use crate::strike::{Act, Blow, Stage, Strike};
use crate::support::Home;
use crate::tally::{Tally, Wrong, violation};
use crate::tools::{Tool, fake_time, have};

/// A first death in the middle of the calls.
pub(crate) fn death(call: &'static str, at: u32) -> Strike {
    Strike { act: Act::Run, call, at, blow: Blow::Kill }
}

/// First deaths, each leaving something else behind for what comes after.
pub(crate) const DEATHS: [(&str, u32); 6] =
    [("writev", 4), ("writev", 12), ("recvfrom", 9), ("pwrite64", 40), ("fsync", 12), ("rename", 3)];

/// Crashes of what repairs a crash: a second start, resume, verification, and the writing of result files again.
pub(crate) fn series(stage: Stage, first: &Strike) -> Vec<Series> {
    let again = |act| kills(stage, vec![first.clone()], act);
    [Act::Run, Act::Resume, Act::Verify].into_iter().flat_map(again).collect()
}

fn stride(call: &str) -> u32 {
    match call {
        "rename" | "writev" | "recvfrom" => 5,
        "fsync" => 9,
        "pwrite64" | "write" => 23,
        _ => 47,
    }
}

#[test]
fn a_crash_in_what_repairs_a_crash() {
    if !have(&[Tool::Strace]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    for (stage, (call, at)) in [
        (Stage::new(true, true, 4), DEATHS[2]),
        (Stage::new(true, true, 2), DEATHS[5]),
        (Stage::new(false, false, 4), DEATHS[0]),
    ] {
        for series in series(stage, &death(call, at)) {
            Series { stride: stride(series.call), ..series }.walk("crash in a repair", &arena, &tally);
        }
    }
    tally.finish("a crash in what repairs a crash", 60);
}

fn send(child: &Child, signal: Signal) {
    let pid = Pid::from_child(child);
    kill_process(pid, signal).expect("the program is there");
}

/// Waits until the sandbox has seen `more` requests beyond `before`. False where the program ended first.
fn seen(arena: &Arena, child: &mut Child, before: u64, more: u64) -> bool {
    while arena.sandbox.requests() < before + more {
        if child.try_wait().expect("it can be asked").is_some() {
            return false;
        }
    }
    true
}

/// A start that is at its calls, each of which takes a while.
fn at_work(arena: &Arena, scene: &Scene<'_>, calls: u64) -> Child {
    let before = arena.sandbox.requests();
    let mut child = scene.start(Act::Run);
    assert!(seen(arena, &mut child, before, calls), "the run is long enough");
    child
}

fn slow_arena() -> Arena {
    let arena = Arena::new();
    arena.sandbox.control(r#"{"latency": "40ms..60ms"}"#);
    arena
}

#[test]
fn of_two_starts_one_works_and_the_other_sends_nothing() {
    let (arena, tally) = (slow_arena(), Tally::default());
    for verify in [false, true] {
        let scene = Scene::set(&arena, Stage::new(true, verify, 4));
        let mut wrong = Vec::new();
        let first = at_work(&arena, &scene, 6);
        // The first stands still, so that every request now would be the second's.
        send(&first, Signal::STOP);
        arena.quiet();
        let before = arena.sandbox.requests();
        for act in [Act::Run, Act::Resume, Act::Verify] {
            let second = scene.act(act, None);
            if second.code != Some(11) {
                wrong.push(violation(Wrong::End, format!("a second {act:?} ended with {:?}", second.code)));
            }
        }
        if arena.sandbox.requests() != before {
            wrong.push(violation(Wrong::Sent, "a refused second start sent something"));
        }
        send(&first, Signal::CONT);
        Ended::of(first).faults(&mut wrong);
        let doubts = scene.finish(&mut wrong);
        tally.judged("two starts", "one frozen", doubts, wrong);
    }
    tally.finish("two starts, one frozen", 2);
}

#[test]
fn two_starts_at_the_same_moment() {
    let (arena, tally) = (Arena::new(), Tally::default());
    for round in 0..10 {
        let scene = Scene::set(&arena, Stage::new(round % 2 == 0, round % 3 == 0, 4));
        let mut wrong = Vec::new();
        let both = [scene.start(Act::Run), scene.start(Act::Run)].map(Ended::of);
        for ended in &both {
            ended.faults(&mut wrong);
            // Done by this one; refused; or found done by the other.
            if !matches!(ended.code, Some(0 | 1 | 11)) {
                wrong.push(violation(Wrong::End, format!("ended with {:?}: {}", ended.code, ended.stderr)));
            }
        }
        let doubts = scene.finish(&mut wrong);
        tally.judged("two starts", &format!("round {round}"), doubts, wrong);
    }
    tally.finish("two starts at the same moment", 10);
}

#[test]
fn one_signal_drains_and_two_leave() {
    let (arena, tally) = (slow_arena(), Tally::default());
    for (verify, signals) in [(false, 1), (true, 1), (false, 2), (true, 2)] {
        let scene = Scene::set(&arena, Stage::new(true, verify, 4));
        let mut wrong = Vec::new();
        let child = at_work(&arena, &scene, 8);
        for _ in 0..signals {
            send(&child, Signal::TERM);
            // The second one is a second one only once the first was heard.
            arena.sandbox.requests();
        }
        let ended = Ended::of(child);
        ended.faults(&mut wrong);
        if ended.code != Some(130) {
            wrong.push(violation(Wrong::End, format!("ended with {:?}: {}", ended.code, ended.stderr)));
        }
        scene.right_after(1, &mut wrong);
        let doubts = scene.finish(&mut wrong);
        if signals == 1 && doubts > 0 {
            wrong.push(violation(Wrong::End, format!("{doubts} rows in doubt, though calls could finish")));
        }
        tally.judged("signals", &format!("{signals} TERM, reads: {verify}"), doubts, wrong);
    }
    tally.finish("signals", 4);
}

/// Frozen for longer than a call may take (2 s here): what comes back is either the reply that waited, or a timeout.
#[test]
fn a_process_that_was_frozen_goes_on() {
    let (arena, tally) = (slow_arena(), Tally::default());
    for verify in [false, true] {
        let scene = Scene::set(&arena, Stage::new(true, verify, 4));
        let mut wrong = Vec::new();
        let child = at_work(&arena, &scene, 6);
        send(&child, Signal::STOP);
        std::thread::sleep(std::time::Duration::from_millis(2500));
        send(&child, Signal::CONT);
        let ended = Ended::of(child);
        ended.faults(&mut wrong);
        if !matches!(ended.code, Some(0 | 1 | 4)) {
            wrong.push(violation(Wrong::End, format!("ended with {:?}: {}", ended.code, ended.stderr)));
        }
        let doubts = scene.finish(&mut wrong);
        tally.judged("frozen", &format!("reads: {verify}"), doubts, wrong);
    }
    tally.finish("frozen and woken", 2);
}

#[test]
fn a_clock_that_is_set_back_an_hour_or_forth() {
    if !have(&[Tool::Strace, Tool::FakeTime]) {
        return;
    }
    let library = fake_time().expect("it is there");
    let library = library.to_str().expect("a plain path");
    let (arena, tally) = (Arena::new(), Tally::default());
    for (hours, verify) in [("-1h", true), ("-1h", false), ("+1h", true), ("+1h", false)] {
        for (call, at) in DEATHS {
            let scene = Scene::set(&arena, Stage::new(true, verify, 4));
            let mut wrong = Vec::new();
            let faked = [("LD_PRELOAD", library), ("FAKETIME", hours), ("DONT_FAKE_MONOTONIC", "1")];
            let first = scene.act(Act::Run, Some(&death(call, at)));
            first.faults(&mut wrong);
            scene.right_after(1, &mut wrong);
            let second = scene.act_with(Act::Resume, Some(&Strike { act: Act::Resume, ..death("writev", 7) }), &faked);
            second.faults(&mut wrong);
            scene.right_after(2, &mut wrong);
            let third = scene.act_with(Act::Run, None, &faked);
            third.faults(&mut wrong);
            let doubts = scene.finish(&mut wrong);
            tally.judged("clock", &format!("{hours}, {call} {at}, reads: {verify}"), doubts, wrong);
        }
    }
    tally.finish("a clock that jumps", 24);
}

/// Frozen for longer than a session of 2Checkout lives (its end is brought forward): the sleeper logs in once more, and
/// the calls that it held in its hands are each made once.
#[test]
fn a_process_that_slept_through_its_session_logs_in_again() {
    let arena = slow_arena();
    for protocol in ["json-rpc", "soap"] {
        let home = Home::with(&arena.sandbox);
        // A part of the references of its own for each form.
        let first = if protocol == "soap" { 0xC0_0000_0011_u64 } else { 0xB0_0000_0011 };
        let subjects: Vec<String> = (0..60).map(|row| format!("{:010X}", first + row * 256)).collect();
        home.write("rows.csv", format!("subscriptionReference,days\n{}\n", subjects.join(",30\n") + ",30"));
        home.write("job.toml", "input = \"rows.csv\"\noperation = \"twocheckout.extend_subscription\"\n");
        let account = "rate = \"500/s\"\nconcurrency = 4\nsettle_delay = \"0s\"\ntimeout = \"5s\"\n";
        let config =
            format!("[accounts.twocheckout]\nprovider = \"twocheckout\"\nprotocol = \"{protocol}\"\n{account}");
        home.write("subops.toml", config);
        let before = arena.sandbox.requests();
        let mut child = home.spawn(["run", "job.toml", "--json", "--progress", "none"]);
        assert!(seen(&arena, &mut child, before, 10), "the run is long enough");
        send(&child, Signal::STOP);
        arena.quiet();
        arena.sandbox.control(r#"{"expire_sessions": true}"#);
        send(&child, Signal::CONT);
        let ended = Ended::of(child);
        assert_eq!(ended.code, Some(0), "{protocol}: {}{}", ended.stdout, ended.stderr);
        let applied = arena.sandbox.applied();
        for subject in &subjects {
            assert_eq!(applied.get(subject), Some(&1), "{protocol}: {subject}");
        }
    }
}

/// A file of decisions is taken whole or not at all, wherever the program dies over it; and it can be given again.
#[test]
fn a_crash_in_a_settlement_settles_all_or_nothing() {
    if !have(&[Tool::Strace]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    let mut whole = 0;
    for (call, at) in [("fsync", 1), ("fsync", 2), ("fsync", 3), ("pwrite64", 5), ("pwrite64", 20), ("write", 2)] {
        let scene = Scene::set(&arena, Stage::new(true, false, 4));
        let mut wrong = Vec::new();
        scene.act(Act::Run, Some(&death("recvfrom", 9))).faults(&mut wrong);
        scene.act(Act::Run, None).faults(&mut wrong);
        let listed = |scene: &Scene<'_>| -> Vec<u64> {
            let output = scene.command(&[], &["doubt", "list", "2", "--json"]).output().expect("the program starts");
            let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let doubts = list["doubts"].as_array().expect("a list").iter();
            doubts.map(|doubt| doubt["row"].as_u64().expect("a row")).collect()
        };
        let doubts = listed(&scene);
        let ledger = scene.ledger();
        let decided = doubts.iter().map(|line| {
            let row = scene.rows.iter().find(|row| row.line == *line).expect("a row of the input");
            let applied = ledger.iter().any(|effect| row.caused(effect));
            format!("{line},{}\n", if applied { "applied" } else { "not-applied" })
        });
        scene.home.write("decided.csv", format!("subops_row,decision\n{}", decided.collect::<String>()));
        let words = ["doubt", "settle", "2", "--from", "decided.csv", "--reason", "ledger"];
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={at}"));
        let strace = ["strace", "-f", "-q", "-o", "strace.log", "-e", &trace, "-e", &inject];
        Ended::of(scene.command(&strace, &words).spawn().expect("strace starts")).faults(&mut wrong);
        let left = listed(&scene);
        if left == doubts {
            whole += 1;
            let again = Ended::of(scene.command(&[], &words).spawn().expect("the program starts"));
            if again.code != Some(0) {
                wrong.push(violation(Wrong::End, format!("cannot be given again: {}", again.stderr)));
            }
        } else if !left.is_empty() {
            wrong.push(violation(Wrong::End, format!("of {doubts:?} there are left {left:?}")));
        }
        // What `doubt settle` names as the next command: the files as they are now.
        Ended::of(scene.command(&[], &["report", "2"]).spawn().expect("the program starts")).faults(&mut wrong);
        let doubts = scene.finish(&mut wrong);
        tally.judged("a settlement", &format!("{call} {at}"), doubts, wrong);
    }
    assert!(whole > 0, "at least one blow fell before the commit");
    tally.finish("a crash in a settlement", 6);
}
