//! The rate that is kept, as the provider sees it. The full tests, at 500 and 5,000 calls a second, are in the benches.

use super::bench::{Bench, number};

/// Requests by second of arrival, with zeros between.
fn seconds(bench: &Bench) -> Vec<u64> {
    let statistics = bench.sandbox.statistics();
    let counted = statistics["per_second"].as_array().expect("counts");
    let mut seconds = Vec::new();
    let mut next = number(&counted[0], "/second");
    for second in counted {
        while next < number(second, "/second") {
            seconds.push(0);
            next += 1;
        }
        seconds.push(number(second, "/requests"));
        next += 1;
    }
    seconds
}

/// No second has more than the limit allows: 2 %, and one call whose slot is on the edge.
fn within(rate: u64, seconds: &[u64]) -> bool {
    seconds.iter().all(|second| *second <= rate + rate / 50 + 1)
}

/// Runs for about four seconds. The rate that is achieved is judged by the seconds in the middle, since the first and the
/// last are not whole.
fn keeps_once(rate: u64) -> Result<(), Vec<u64>> {
    let bench = Bench::alone();
    bench.extensions(usize::try_from(rate * 4).expect("a few"), "verify = \"off\"\n");
    bench.home.run(["run", "extend.toml", "--rate", &format!("{rate}/s"), "-j", "32"]).exits(0);
    let seconds = seconds(&bench);
    // The harmless read came before the first row, perhaps in a second of its own.
    let first = usize::from(seconds[0] <= 1);
    let whole = &seconds[first + 1..seconds.len() - 1];
    let achieved = whole.len() >= 2 && whole.iter().sum::<u64>() * 100 >= rate * whole.len() as u64 * 98;
    if achieved && within(rate, &seconds) { Ok(()) } else { Err(seconds) }
}

/// On a machine that others keep busy, calls may wait and then be counted in a bunch. A client that does not keep the rate
/// fails each time.
fn one_of_eight(once: impl Fn() -> Result<(), Vec<u64>>) {
    let mut tries = Vec::new();
    for _ in 0..8 {
        match once() {
            Ok(()) => return,
            Err(seconds) => tries.push(seconds),
        }
    }
    panic!("the rate was not kept in any of eight runs; calls by second: {tries:?}");
}

#[test]
fn fifty_calls_a_second_are_fifty() {
    one_of_eight(|| keeps_once(50));
}

#[test]
fn two_hundred_calls_a_second_are_two_hundred() {
    one_of_eight(|| keeps_once(200));
}

/// Reads count against the rate like all other calls.
#[test]
fn reads_before_the_calls_count_against_the_rate() {
    one_of_eight(|| {
        let bench = Bench::alone();
        bench.extensions(75, "");
        bench.sandbox.control(r#"{"lists": "only"}"#);
        bench.home.run(["run", "extend.toml", "--rate", "50/s", "-j", "16"]).exits(0);
        assert_eq!(
            bench.sandbox.requests(),
            152,
            "a harmless read, a list that shows none, and two calls for each row"
        );
        let seconds = seconds(&bench);
        if within(50, &seconds) { Ok(()) } else { Err(seconds) }
    });
}

#[test]
fn no_more_calls_are_under_way_than_asked_for() {
    let bench = Bench::with(["--latency", "20ms..60ms"]);
    bench.extensions(60, "");
    bench.home.run(["run", "extend.toml", "--rate", "1000/s", "-j", "3"]).exits(0);
    assert_eq!(number(&bench.sandbox.statistics(), "/in_flight_largest"), 3);
}

/// What starts again keeps the rate too: a resume has no burst to begin with.
#[test]
fn a_slow_rate_has_no_burst() {
    let bench = Bench::new();
    bench.extensions(8, "verify = \"off\"\n");
    bench.home.run(["run", "extend.toml", "--rate", "4/s", "-j", "8"]).exits(0);
    let seconds = seconds(&bench);
    assert!(seconds.iter().all(|second| *second <= 5), "four a second, and the harmless read: {seconds:?}");
}
