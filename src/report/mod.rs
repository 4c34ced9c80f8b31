//! What a person sees, and the files that finance reads.
//!
//! Every text is made by a pure function from values to a `String`, with the width and the colour as parameters, so that
//! each screen is tested as the exact text. Only four things here touch the world: [`live`] (the bar, and the
//! standard error stream that it shares with the log), [`plain`] (a line now and then), [`watch`] (which of the two) and
//! [`results`] (the files). Nothing here decides anything about a run: a report that fails loses no row and sends none.
//!
//! What comes from a provider or a file is made printable before it reaches a terminal ([`format::printable`]).

pub mod check;
pub mod doubts;
pub mod ending;
pub mod faults;
pub mod format;
pub mod histogram;
pub mod live;
pub mod meter;
pub mod operations;
pub mod plain;
pub mod plan;
pub mod progress;
pub mod results;
pub mod runs;
pub mod style;
pub mod summary;
pub mod watch;

use crate::contract::Observer;
use crate::model::event::RunEvent;

/// Tells several observers, in their order.
pub struct Fan<'a>(pub Vec<&'a dyn Observer>);

impl Observer for Fan<'_> {
    fn notice(&self, event: &RunEvent) {
        for observer in &self.0 {
            observer.notice(event);
        }
    }
}
