//! The durable record of every run: one SQLite file, and the locks beside it.
//!
//! The one room that names rusqlite. It knows rows by number, states and notes; it knows no provider, no input file and
//! no policy: what to send, repeat or verify is the engine's decision, and which run to continue is a command's.
//!
//! Invariants:
//! - Nothing is acknowledged before its COMMIT returned, with `synchronous=FULL` read back from the connection.
//! - A row's state changes only by [`State::after`](crate::model::state::State::after), and every change names in SQL
//!   the state that it leaves. So of two that change a row at once, one is told that it came too late.
//! - A row has at most one record: in `open_row` while it can still change, in `done_row` for ever after.
//! - The tally is written in the same transaction as the rows it counts.
//!
//! [`SqliteJournal`] is the engine's side: one writer thread that commits in groups. [`Store`] is the commands' side:
//! plain calls on a connection of its own, also while another process is running.

#![expect(clippy::disallowed_types, reason = "this is the room that owns the database")]

mod apply;
mod codec;
mod connection;
mod doubts;
mod fault;
mod lock;
mod mailbox;
mod place;
mod rows;
mod runs;
mod schema;
mod store;
mod tally;
mod writer;

#[cfg(test)]
mod tests;

pub use codec::{Decision, Evidence, Fact};
pub use doubts::{DoubtRecord, Settlement};
pub use fault::{OpenError, StoreError};
pub use lock::{Holder, LockError, RunLock, is_locked, lock};
pub use runs::{NewRun, RunRecord, RunState};
pub use store::Store;
pub use writer::SqliteJournal;
