//! The second in which most came.

const SECOND: u64 = 1_000_000_000;

/// The most moments within a second, wherever it begins. They are in nanoseconds, and in order.
pub(crate) fn second(moments: &[u64]) -> usize {
    let mut first = 0;
    let mut worst = 0;
    for (last, at) in moments.iter().enumerate() {
        while moments.get(first).is_some_and(|begin| begin + SECOND <= *at) {
            first += 1;
        }
        worst = worst.max(last + 1 - first);
    }
    worst
}
