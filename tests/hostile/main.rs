//! Replies of a hostile or broken provider, through the real adapters and the real reading of HTTP: whatever they are, the
//! program does not panic, takes neither long nor much memory, and calls nothing applied that was not said to be.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop at the line that shows why"
)]

mod bounds;
mod change;
mod input;
mod markup;
mod oracle;
mod replies;
#[path = "../providers/rows.rs"]
mod rows;
#[path = "../providers/samples/mod.rs"]
mod samples;
mod seeds;
mod stand;
mod wire;
