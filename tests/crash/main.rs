//! The crash proof: the built program is killed, starved and cut from its power at every point that can be named, and is
//! judged by the ledger that the sandbox keeps in a process of its own. What belongs here ends a process, or breaks what
//! it stands on.
//!
//! The short form runs with `cargo test --test crash`; `tests/crash/long.sh` is the long one. A violation names its point,
//! and `SUBOPS_CRASH_POINT='…' cargo test --test crash one_point -- --nocapture` strikes that one again.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

#[path = "../support/mod.rs"]
mod support;

mod checker;
mod compound;
mod controls;
mod errors;
mod long_form;
mod points;
mod power;
mod random;
mod rig;
mod rows;
mod strike;
mod tally;
mod tools;
