//! What the sandbox counted: how many calls, how they ended, how fast they came, how many at once.
//!
//! The rate that a client keeps is judged by these counts, not by the client's own.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use super::locked;

/// Seconds of which the number of requests is kept.
const SECONDS: i64 = 300;

/// The counts, as `GET /statistics` shows them.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Counts {
    /// Requests to providers' endpoints.
    requests: u64,
    /// Effects in the ledger.
    pub(super) applied: u64,
    /// Replies by status; `none` for requests that got no reply.
    status: BTreeMap<String, u64>,
    /// Faults by name.
    faults: BTreeMap<&'static str, u64>,
    /// Requests under way.
    in_flight: u64,
    /// The most that were under way at once.
    in_flight_largest: u64,
    /// Requests by second of arrival, the last 300 s; seconds without any are left out.
    per_second: VecDeque<Second>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Second {
    /// Seconds since 1970-01-01T00:00:00Z.
    second: i64,
    requests: u64,
}

/// Counts from several threads.
#[derive(Debug, Clone, Default)]
pub(super) struct Statistics(Arc<Mutex<Counts>>);

impl Statistics {
    /// Counts a request that arrived at `second`.
    pub(super) fn begin(&self, second: i64) -> UnderWay {
        let mut counts = locked(&self.0);
        counts.requests += 1;
        counts.in_flight += 1;
        counts.in_flight_largest = counts.in_flight_largest.max(counts.in_flight);
        match counts.per_second.back_mut() {
            Some(last) if last.second >= second => last.requests += 1,
            _ => counts.per_second.push_back(Second { second, requests: 1 }),
        }
        while counts.per_second.front().is_some_and(|first| first.second <= second - SECONDS) {
            counts.per_second.pop_front();
        }
        UnderWay { statistics: self.clone(), status: None, fault: None }
    }

    /// The counts now.
    pub(super) fn counts(&self) -> Counts {
        locked(&self.0).clone()
    }
}

/// A request under way. Dropped, it is counted by how it ended, also where the client went away.
#[derive(Debug)]
pub(super) struct UnderWay {
    statistics: Statistics,
    /// The status of the reply.
    pub(super) status: Option<u16>,
    /// The fault that happened to it.
    pub(super) fault: Option<&'static str>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut counts = locked(&self.statistics.0);
        counts.in_flight -= 1;
        let status = self.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *counts.status.entry(status).or_default() += 1;
        if let Some(fault) = self.fault {
            *counts.faults.entry(fault).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test may say why a value must be there")]
    use super::*;

    #[test]
    fn requests_are_counted_by_second_status_and_fault() {
        let statistics = Statistics::default();
        let mut first = statistics.begin(1_000);
        let second = statistics.begin(1_000);
        first.status = Some(200);
        drop((first, second));
        let mut late = statistics.begin(1_301);
        late.fault = Some("hang_after");
        drop(late);
        let counts = serde_json::to_value(statistics.counts()).expect("JSON");
        assert_eq!(counts["requests"], 3);
        assert_eq!(counts["status"], serde_json::json!({"200": 1, "none": 2}));
        assert_eq!(counts["faults"], serde_json::json!({"hang_after": 1}));
        assert_eq!((&counts["in_flight"], &counts["in_flight_largest"]), (&0.into(), &2.into()));
        assert_eq!(counts["per_second"], serde_json::json!([{"second": 1_301, "requests": 1}]), "300 s are kept");
    }
}
