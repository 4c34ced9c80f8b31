//! How long to wait before a repeat: exponential with full jitter, so that workers that failed together do not come back
//! together. Pure: the random number is given.

use std::time::Duration;

/// The first ceiling.
const BASE: Duration = Duration::from_millis(500);

/// The highest ceiling.
const MOST: Duration = Duration::from_secs(30);

/// The wait before repeat number `repeat` (counted from 0): somewhere between zero and a ceiling that doubles each time.
/// `chance` is a number from 0 to 1.
pub fn backoff(repeat: u32, chance: f64) -> Duration {
    ceiling(repeat).mul_f64(chance.clamp(0.0, 1.0))
}

/// The longest that [`backoff`] may take.
pub fn ceiling(repeat: u32) -> Duration {
    BASE.saturating_mul(1_u32.checked_shl(repeat).unwrap_or(u32::MAX)).min(MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceilings_double_up_to_a_limit() {
        let ceilings: Vec<u128> = (0..9).map(|repeat| ceiling(repeat).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(ceiling(u32::MAX), MOST);
    }

    #[test]
    fn jitter_spans_the_whole_range() {
        assert_eq!(backoff(1, 0.0), Duration::ZERO);
        assert_eq!(backoff(1, 0.5), Duration::from_millis(500));
        assert_eq!(backoff(1, 7.0), Duration::from_secs(1));
    }
}
