//! The words of the domain, and what may follow what.
//!
//! A leaf: nothing here imports another room, reads a clock, a file or a socket. Everything is a value or a pure
//! function, so that the rules on which money depends can be tested as tables.

pub mod event;
pub mod failure;
pub mod ids;
pub mod money;
pub mod near;
pub mod operation;
pub mod plan;
pub mod row;
pub mod settings;
pub mod state;
pub mod summary;
pub mod totals;
