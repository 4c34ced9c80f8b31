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

/// Runs for about four seconds. Judged by the seconds in the middle, since the first and the last are not whole.
fn calls_in_whole_seconds(rate: u64) -> Vec<u64> {
    let bench = Bench::new();
    bench.extensions(usize::try_from(rate * 4).expect("a few"), "verify = \"off\"\n");
    bench.home.run(["run", "extend.toml", "--rate", &format!("{rate}/s"), "-j", "32"]).exits(0);
    let seconds = seconds(&bench);
    let most = rate + rate / 50 + 1;
    assert!(seconds.iter().all(|second| *second <= most), "no second has more than {most}: {seconds:?}");
    // The harmless read came before the first row, perhaps in a second of its own.
    let first = usize::from(seconds[0] <= 1);
    seconds[first + 1..seconds.len() - 1].to_vec()
}

/// A busy machine may slow a client down and never speeds it up, so only the lower bound has more than one try.
fn keeps(rate: u64) {
    let mut tries = Vec::new();
    for _ in 0..3 {
        let seconds = calls_in_whole_seconds(rate);
        assert!(seconds.len() >= 2, "{seconds:?}");
        let (sum, count) = (seconds.iter().sum::<u64>(), seconds.len() as u64);
        if sum * 100 >= rate * count * 98 {
            return;
        }
        tries.push(seconds);
    }
    panic!("less than 98 % of {rate}/s, three times: {tries:?}");
}

#[test]
fn fifty_calls_a_second_are_fifty() {
    keeps(50);
}

#[test]
fn two_hundred_calls_a_second_are_two_hundred() {
    keeps(200);
}

/// The rate is of the account, whatever the number of calls under way, and reads count like all others.
#[test]
fn reads_before_the_calls_count_against_the_rate() {
    let bench = Bench::with(["--latency", "30ms"]);
    bench.extensions(75, "");
    bench.home.run(["run", "extend.toml", "--rate", "50/s", "-j", "16"]).exits(0);
    assert_eq!(bench.sandbox.requests(), 151, "one harmless read, and two calls for each row");
    let seconds = seconds(&bench);
    assert!(seconds.iter().all(|second| *second <= 52), "{seconds:?}");
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
