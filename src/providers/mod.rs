//! The providers: one folder each, and the list of them.

pub mod twocheckout;
