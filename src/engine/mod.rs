//! The executor: takes planned rows through permits, intents, calls and outcomes, and decides about every failure.
//!
//! The way of one row is the only order in which things happen here:
//!
//! 1. [`plan::step`] says, from the journal alone, whether the row is to be sent, verified, held or passed over;
//!    (rows are read `ahead` of their turn, so that one list read brings the baselines of many);
//! 2. [`subjects`] lets it go when no earlier row of its subject is busy or in doubt;
//! 3. the [`lane`] of its account gives a permit (concurrency, gate, rate) while the run is not stopping;
//! 4. the [`unit`] commits the intent, makes one call, and commits the outcome;
//! 5. [`verdict`] decides what a failure means; [`guard`], [`breaker`] and [`pace`] what it means for the other rows.
//!
//! This room knows providers and the journal only by their contract. It must not repeat a call without asking
//! [`verdict`], and nothing outside it repeats calls at all (I2).

mod ahead;
pub mod backoff;
pub mod breaker;
mod fresh;
mod gate;
pub mod guard;
mod lane;
pub mod pace;
pub mod plan;
mod progress;
mod run;
pub mod stop;
pub mod subjects;
mod unit;
pub mod verdict;

#[cfg(test)]
mod tests;

pub use run::{Ended, LaneSetup, RunSetup, execute};
