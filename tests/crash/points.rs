//! Every crash point: each system call that matters, the first, the second, the third …, until a start ends by itself.

use crate::rig::Arena;
use crate::strike::{Act, Blow, CALLS, Point, Stage, Strike};
use crate::tally::Tally;
use crate::tools::{Tool, have};

/// Far more than any start here makes of one call.
const MOST: u32 = 1000;

/// One call of one command, struck at its first, second, third … time.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) stage: Stage,
    /// What happens before.
    pub(crate) before: Vec<Strike>,
    pub(crate) act: Act,
    pub(crate) call: &'static str,
    pub(crate) blow: Blow,
    pub(crate) first: u32,
    pub(crate) stride: u32,
}

impl Series {
    /// Strikes until the blow misses: then the start has ended by itself.
    pub(crate) fn walk(&self, kind: &str, arena: &Arena, tally: &Tally) {
        for step in 0..MOST {
            let at = self.first + step * self.stride;
            let strike = Strike { act: self.act, call: self.call, at, blow: self.blow };
            let strikes = self.before.iter().cloned().chain([strike]).collect();
            if !arena.strike(kind, &Point { stage: self.stage, strikes }, tally) {
                return;
            }
        }
    }
}

/// Kills at every call of a command.
pub(crate) fn kills(stage: Stage, before: Vec<Strike>, act: Act) -> Vec<Series> {
    let series = |call| Series { stage, before: before.clone(), act, call, blow: Blow::Kill, first: 1, stride: 1 };
    CALLS.into_iter().map(series).collect()
}

/// How far apart the short form's points are, by call: those that matter most, each.
fn stride(call: &str) -> u32 {
    match call {
        "writev" | "recvfrom" => 2,
        "connect" | "rename" | "ftruncate" => 1,
        "fsync" => 3,
        "unlink" | "write" => 5,
        "pwrite64" => 9,
        _ => 17,
    }
}

fn short(stages: &[Stage], least: u64, name: &str) {
    if !have(&[Tool::Strace]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    for stage in stages {
        for series in kills(*stage, Vec::new(), Act::Run) {
            Series { stride: stride(series.call), ..series }.walk("kill", &arena, &tally);
        }
    }
    tally.finish(name, least);
}

#[test]
fn killed_at_any_call_with_reads() {
    short(&[Stage::new(true, true, 4), Stage::new(false, true, 2)], 80, "killed at any call, with reads");
}

#[test]
fn killed_at_any_call_without_reads() {
    short(&[Stage::new(true, false, 4), Stage::new(false, false, 8)], 80, "killed at any call, without reads");
}

/// A run is finished when its result files are in their place, and not before: one that dies among them is continued.
#[test]
fn killed_while_the_result_files_are_written() {
    if !have(&[Tool::Strace]) {
        return;
    }
    let (arena, tally) = (Arena::new(), Tally::default());
    let stage = Stage::new(true, true, 4);
    for call in ["rename", "unlink"] {
        Series { stage, before: Vec::new(), act: Act::Run, call, blow: Blow::Kill, first: 1, stride: 1 }
            .walk("kill", &arena, &tally);
    }
    tally.finish("killed while the result files are written", 8);
}
