//! Rows that are read ahead of their turn, so that one list read can bring the baselines of many of them.
//!
//! Nothing here is sent, recorded or promised: a row that is read ahead is a row that was not begun, and a crash knows
//! nothing of it. Invariants: rows leave in the order in which they came; their number is bounded, whatever the input's;
//! and a baseline that was read ahead is given out only while it is younger than [`MAX_AGE`].

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::contract::{Listed, Observation, Recorded};
use crate::model::row::Row;
use crate::model::settings::Rate;

/// How old a baseline may be when its row is sent.
///
/// What a baseline cannot tell apart is our call and somebody else's equal change between it and the read that verifies,
/// which comes a delay or two after the call. A minute adds at most half to that time; a bill in between shows by itself.
/// It is also no more than a report may lag behind, and a read right before the call has that same uncertainty.
pub(super) const MAX_AGE: Duration = Duration::from_secs(60);

/// How much of the rate's work is read ahead: well below [`MAX_AGE`], since some calls are repeated and some take long.
const REACH: Duration = Duration::from_secs(40);

/// The most rows that are read ahead, at any rate.
const MOST: usize = 4096;

/// Fewer rows than this are not worth a list read.
pub(super) const FEWEST: usize = 4;

/// The longest that list reads rest after they were in vain, in batches.
const LONGEST_REST: u32 = 64;

/// A row whose turn it is, with what is known about it.
pub(super) struct Turn {
    pub(super) row: Rc<Row>,
    pub(super) recorded: Option<Box<Recorded>>,
    /// The baseline that was read ahead for it.
    pub(super) baseline: Option<ReadAhead>,
}

/// One row whose turn has not come.
pub(super) struct Waiting {
    pub(super) row: Rc<Row>,
    /// Few have one, and it is large.
    pub(super) recorded: Option<Box<Recorded>>,
    baseline: Baseline,
}

/// A baseline that a list read has brought.
#[derive(Debug, Clone)]
pub(super) struct ReadAhead {
    pub(super) observation: Observation,
    /// When it was asked for: what it shows is no newer.
    pub(super) asked: Instant,
}

/// What is known about a waiting row's baseline.
enum Baseline {
    /// Nothing, and a list may show it.
    Wanted,
    /// None is to be had here: none is needed, or it has to be read by itself.
    Apart,
    /// A list showed it.
    Here(ReadAhead),
}

/// The rows that wait, and how list reads have fared.
pub(super) struct Ahead {
    rows: RefCell<VecDeque<Waiting>>,
    /// How many of them want a baseline.
    wanted: Cell<usize>,
    /// How many rows are read ahead.
    reach: Cell<usize>,
    most: usize,
    /// Whether a list may be of use: for other rows none are read ahead.
    is_of_use: Cell<bool>,
    /// Rows that have left since the list reads began that brought what waits.
    left: Cell<usize>,
    is_late: Cell<bool>,
    /// Batches of rows that are still to pass without a list read.
    rest: Cell<u32>,
    /// How often in a row list reads were in vain.
    vain: Cell<u32>,
    complete: Cell<bool>,
    came: Notify,
    closed: CancellationToken,
}

impl Ahead {
    /// Nothing waits yet. `rate` says how many rows have their turn soon.
    pub(super) fn new(rate: Rate) -> Self {
        let reach = REACH.as_nanos() / rate.interval().as_nanos().max(1);
        let most = usize::try_from(reach).unwrap_or(MOST).clamp(1, MOST);
        Self {
            rows: RefCell::default(),
            wanted: Cell::new(0),
            reach: Cell::new(most),
            most,
            is_of_use: Cell::new(false),
            left: Cell::new(0),
            is_late: Cell::new(false),
            rest: Cell::new(0),
            vain: Cell::new(0),
            complete: Cell::new(false),
            came: Notify::new(),
            closed: CancellationToken::new(),
        }
    }

    /// Whether more rows are to be read ahead.
    pub(super) fn has_room(&self) -> bool {
        let most = if self.is_of_use.get() { self.reach.get() } else { 1 };
        self.rows.borrow().len() < most
    }

    /// Takes in the next row of the input. `wants` is true where it needs a baseline.
    pub(super) fn push(&self, row: Row, recorded: Option<Box<Recorded>>, wants: bool) {
        let baseline = if wants { Baseline::Wanted } else { Baseline::Apart };
        self.rows.borrow_mut().push_back(Waiting { row: Rc::new(row), recorded, baseline });
        self.wanted.set(self.wanted.get() + usize::from(wants));
        self.is_of_use.set(wants || self.is_of_use.get());
        if self.has_batch() {
            self.came.notify_one();
        }
    }

    /// The input has no further row.
    pub(super) fn complete(&self) {
        if !self.complete.replace(true) {
            self.came.notify_one();
        }
    }

    /// Nothing more leaves: whoever waits for a batch is to stop.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Waits until [`Ahead::close`].
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// The row whose turn it is.
    pub(super) fn pop(&self) -> Option<Turn> {
        let Waiting { row, recorded, baseline } = self.rows.borrow_mut().pop_front()?;
        self.left.set(self.left.get() + 1);
        let baseline = match baseline {
            Baseline::Here(read) if read.asked.elapsed() <= MAX_AGE => Some(read),
            Baseline::Here(read) => {
                self.came_too_late(read.asked.elapsed());
                None
            }
            Baseline::Wanted => {
                self.wanted.set(self.wanted.get() - 1);
                None
            }
            Baseline::Apart => None,
        };
        Some(Turn { row, recorded, baseline })
    }

    /// Rows are sent more slowly than the rate allows, so fewer have their turn while a baseline is young.
    fn came_too_late(&self, age: Duration) {
        if self.is_late.replace(true) {
            return;
        }
        let in_reach = self.left.get() as u128 * REACH.as_millis() / age.as_millis().max(1);
        self.reach.set(usize::try_from(in_reach).unwrap_or(MOST).clamp(1, self.most));
    }

    /// Waits for enough rows without a baseline to be worth a list read. `None` once nothing more will come of it.
    pub(super) async fn batch(&self) -> Option<()> {
        loop {
            let came = self.came.notified();
            if self.closed.is_cancelled() {
                return None;
            }
            if self.has_batch() {
                match self.rest.get().checked_sub(1) {
                    Some(rest) => {
                        self.rest.set(rest);
                        self.set_apart();
                    }
                    None => return Some(()),
                }
            }
            tokio::select! {
                () = self.closed() => return None,
                () = came => {}
            }
        }
    }

    /// Most of what is in reach, or all that is left: the more rows share a list, the more each of its pages brings.
    fn has_batch(&self) -> bool {
        let enough = if self.complete.get() { FEWEST } else { (self.reach.get() / 4 * 3).max(FEWEST) };
        self.wanted.get() >= enough
    }

    /// List reads begin: what they bring is measured from here.
    pub(super) fn begin(&self) {
        if !self.is_late.replace(false) {
            self.reach.set(self.reach.get().saturating_mul(2).min(self.most));
        }
        self.left.set(0);
    }

    /// The rows that want a baseline, in their order.
    pub(super) fn wanted(&self) -> Vec<Rc<Row>> {
        let rows = self.rows.borrow();
        rows.iter().filter(|row| matches!(row.baseline, Baseline::Wanted)).map(|row| Rc::clone(&row.row)).collect()
    }

    /// Takes what a page said of the rows that it was asked for, some of which may have left meanwhile. How many baselines
    /// it brought.
    pub(super) fn take(&self, asked_for: &[Rc<Row>], page: Vec<Listed>, asked: Instant) -> usize {
        let mut rows = self.rows.borrow_mut();
        let mut brought = 0;
        for (row, listed) in asked_for.iter().zip(page) {
            let baseline = match listed {
                Listed::Shown(observation) => Baseline::Here(ReadAhead { observation, asked }),
                Listed::Absent => Baseline::Apart,
                Listed::Beyond => continue,
            };
            let Ok(at) = rows.binary_search_by_key(&row.number, |waiting| waiting.row.number) else { continue };
            if let Some(waiting) = rows.get_mut(at) {
                brought += usize::from(matches!(baseline, Baseline::Here(_)));
                waiting.baseline = baseline;
                self.wanted.set(self.wanted.get() - 1);
            }
        }
        brought
    }

    /// No list is to be read for the rows that wait now.
    pub(super) fn set_apart(&self) {
        for waiting in self.rows.borrow_mut().iter_mut() {
            if matches!(waiting.baseline, Baseline::Wanted) {
                waiting.baseline = Baseline::Apart;
            }
        }
        self.wanted.set(0);
    }

    /// No list shows such rows.
    pub(super) fn give_up(&self) {
        self.is_of_use.set(false);
    }

    /// List reads were worth it, or were not: then they rest for a while, each time for longer.
    pub(super) fn fared(&self, well: bool) {
        let vain = if well { 0 } else { self.vain.get().saturating_add(1) };
        self.vain.set(vain);
        let rest = 1_u32.checked_shl(vain).unwrap_or(LONGEST_REST) - 1;
        self.rest.set(rest.min(LONGEST_REST));
    }
}
