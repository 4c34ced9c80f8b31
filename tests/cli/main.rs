//! The built program as a person or cron uses it: what it sends, how it ends, what it says and what it leaves behind.
//!
//! Each test runs it in a fresh folder with an empty home. What was really done is judged by the ledger of a sandbox in
//! a process of its own; the words of the program are only compared with that.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod bench;
mod doubts;
mod exit_codes;
mod jobs;
mod journal;
mod rate;
mod reads;
mod results;
mod runs;
mod scripted;
mod secrets;
mod token;
mod weather;
