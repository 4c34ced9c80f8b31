//! Baselines by the page: list reads ahead of the rows, beside the sending of the rows before them.
//!
//! A list read takes its place and its slot of the rate like every call. Must not cost a row anything: whatever a page does
//! not bring, for whatever reason, the row reads by itself right before its call. Invariant: what is given to a row was
//! shown for its own subject, once and whole, and [`Lane::still_holds`] is asked before it is used.

use std::rc::Rc;

use tokio::time::Instant;

use super::Lane;
use crate::contract::Listed;
use crate::engine::ahead::{Ahead, FEWEST, MAX_AGE, ReadAhead};
use crate::engine::verdict::{Consequence, Situation, verdict};
use crate::model::failure::Failure;
use crate::model::operation::Effect;
use crate::model::row::Row;

/// Pages in a row that save no call before the others are not asked for.
const POOR_PAGES: u32 = 3;

/// How a page came.
enum Page {
    /// It brought so many baselines.
    Brought(usize),
    /// No list shows these rows: nothing was sent.
    None,
    /// It failed, or the run stops.
    Failed,
}

impl Lane {
    /// Reads lists for what is read ahead, until nothing more leaves it or the run stops.
    pub(super) async fn read_pages(self: &Rc<Self>, ahead: &Ahead) {
        while ahead.batch().await.is_some() && !self.shared.stop.is_thrown() {
            self.walk(ahead).await;
            // What is left is not worth another page: those rows read by themselves.
            ahead.set_apart();
        }
    }

    /// Page after page, as long as they save calls.
    async fn walk(self: &Rc<Self>, ahead: &Ahead) {
        ahead.begin();
        let (mut pages, mut brought, mut poor) = (0, 0, 0);
        while poor < POOR_PAGES {
            let rows = ahead.wanted();
            if rows.len() < FEWEST {
                break;
            }
            match self.page(ahead, &rows).await {
                Page::None => return ahead.give_up(),
                Page::Failed => return ahead.fared(false),
                Page::Brought(baselines) => {
                    pages += 1;
                    brought += baselines;
                    poor = if baselines > 1 { 0 } else { poor + 1 };
                }
            }
        }
        ahead.fared(brought > pages);
    }

    async fn page(self: &Rc<Self>, ahead: &Ahead, rows: &[Rc<Row>]) -> Page {
        let refs: Vec<&Row> = rows.iter().map(Rc::as_ref).collect();
        let Some(read) = self.account.observe_page(&refs) else { return Page::None };
        let clearance = tokio::select! {
            biased;
            () = ahead.closed() => None,
            clearance = self.clearance() => clearance,
        };
        let Some(_clearance) = clearance else { return Page::Failed };
        let asked = Instant::now();
        let listed = match self.account.ready().await {
            Ok(()) => self.timed(read).await,
            Err(failure) => Err(failure),
        };
        match listed {
            Ok(listed) => self.brought(ahead, rows, listed, asked),
            Err(failure) => {
                self.page_failed(&failure);
                Page::Failed
            }
        }
    }

    fn brought(&self, ahead: &Ahead, rows: &[Rc<Row>], listed: Vec<Listed>, asked: Instant) -> Page {
        // All of them beyond it: the same question would be asked again, and answered so again.
        if listed.iter().all(|listed| *listed == Listed::Beyond) {
            return Page::Failed;
        }
        Page::Brought(ahead.take(rows, listed, asked))
    }

    /// What a failed page means for the account is what any failed read means, with one exception: a list that is not of
    /// the form that was expected is a list that cannot be used, and no sign that the provider's answers are not understood.
    fn page_failed(self: &Rc<Self>, failure: &Failure) {
        let read = Situation { class: failure.class, effect: Effect::Read, retries: 0, resends: 0, unsettled: false };
        match verdict(read).consequence {
            Consequence::Unlisted => {}
            consequence => self.spread(consequence, failure),
        }
    }

    /// Whether a baseline that was read ahead may be used for `row` now: nothing of ours has touched its subject since, nor
    /// so shortly before that the read may have missed it.
    pub(in crate::engine) fn still_holds(&self, row: &Row, read: &ReadAhead) -> bool {
        let delay = self.account.settle_delay();
        let is_young = read.asked.elapsed() <= MAX_AGE;
        let spoilt = row.subject.as_ref().is_none_or(|subject| self.fresh.borrow().spoils(subject, read.asked, delay));
        is_young && !spoilt
    }
}
