//! Every provider of the registry against the same suite, through its real adapter and the engine's own verdict; and the
//! built program where several providers, cards or sessions meet.
//!
//! `samples/` is data, one file a provider: what it is documented to reply. A provider, an operation or a documented
//! word without a sample fails the suite.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

#[path = "../support/mod.rs"]
mod support;

mod cards;
mod conformance;
mod mixed;
mod rows;
mod samples;
mod server;
mod sessions;
mod soap;
mod table;
