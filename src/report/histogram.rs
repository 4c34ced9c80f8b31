//! Latencies in logarithmic buckets: percentiles of any number of calls in 15 KiB, with a relative error below 1 %.
//!
//! Counting is one relaxed addition, so that the thread that calls is not held up by the one that draws. A percentile
//! read while somebody counts may miss the calls of that moment, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Buckets in each doubling, as a power of two: a bucket is at most 1/64 of its values wide.
const PRECISION: u32 = 6;
/// What is longer than 2^36 microseconds (19 hours) is counted as that.
const LONGEST: u32 = 36;
const BUCKETS: usize = ((LONGEST - PRECISION + 1) << PRECISION) as usize;

/// Latencies in logarithmic buckets.
pub struct Histogram {
    buckets: Box<[AtomicU64]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(micros)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The latency that `percent` of 100 calls did not exceed (nearest rank), within 1 %; none before the first call.
    pub fn percentile(&self, percent: u64) -> Option<Duration> {
        self.percentiles([percent])[0]
    }

    /// Several percentiles of one and the same moment.
    pub fn percentiles<const N: usize>(&self, percents: [u64; N]) -> [Option<Duration>; N] {
        let counts: Vec<u64> = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        let total: u64 = counts.iter().sum();
        percents.map(|percent| {
            let rank = (total * percent).div_ceil(100).max(1);
            let mut seen = 0;
            let bucket = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            })?;
            Some(Duration::from_micros(middle_of(bucket)))
        })
    }
}

/// Values below 64 have a bucket each; above, the seven leading bits of a value name its bucket.
fn bucket_of(micros: u64) -> usize {
    let micros = micros.min((1 << LONGEST) - 1);
    let shift = micros.checked_ilog2().unwrap_or(0).saturating_sub(PRECISION);
    ((u64::from(shift) << PRECISION) + (micros >> shift)) as usize
}

fn middle_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let shift = (bucket >> PRECISION).saturating_sub(1);
    let first = (bucket - (shift << PRECISION)) << shift;
    first + ((1 << shift) - 1) / 2
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_was_measured() {
        assert_eq!(Histogram::default().percentile(50), None);
    }

    #[test]
    fn small_values_are_exact_and_huge_ones_are_kept() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_micros(41));
        assert_eq!(histogram.percentile(99), Some(Duration::from_micros(41)));
        histogram.record(Duration::MAX);
        assert!(histogram.percentile(99).is_some_and(|longest| longest > Duration::from_secs(18 * 3_600)));
    }

    #[test]
    fn every_bucket_is_used_and_holds_its_middle() {
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        for bucket in 0..BUCKETS {
            assert_eq!(bucket_of(middle_of(bucket)), bucket);
        }
    }

    proptest! {
        #[test]
        fn percentiles_are_within_one_percent(
            mut values in prop::collection::vec(prop_oneof![0_u64..100, 0_u64..100_000, 0_u64..60_000_000_000], 1..400),
            percent in 1_u64..=100,
        ) {
            let histogram = Histogram::default();
            for value in &values {
                histogram.record(Duration::from_micros(*value));
            }
            values.sort_unstable();
            let rank = (values.len() as u64 * percent).div_ceil(100) as usize;
            let exact = values[rank - 1];
            let told = histogram.percentile(percent).expect("something was measured").as_micros() as u64;
            prop_assert!(told.abs_diff(exact) * 100 <= exact, "{told} for {exact}");
        }
    }
}
