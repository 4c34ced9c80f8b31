//! The executor against a scripted provider and a journal in memory, in paused time: what each failure leads to, and, by
//! random weather and random crashes, that no row is ever sent twice, lost, or reported wrongly.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

mod behaviour;
mod last_look;
mod pages;
mod rig;
mod weather;
