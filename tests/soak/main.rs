//! Long runs in bad weather: every fault of the sandbox at once, and a provider that changes its limit on the way. What
//! belongs here asks whether a run comes to its end by itself, and what it did to get there; the ledger judges.
//!
//! The short forms run with `cargo test --test soak`; `tests/soak/long.sh` is the long one, and writes a report.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

#[path = "../support/mod.rs"]
mod support;

mod judge;
mod limits;
mod long_form;
mod rows;
mod weather;
