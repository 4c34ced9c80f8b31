//! What is counted, and what holds are seen at which moment.

use super::*;
use crate::model::ids::RowNumber;

fn rate(text: &str) -> Rate {
    Rate::parse(text).expect("a rate")
}

fn planned(rows: u64) -> Meter {
    let mut totals = Totals::default();
    totals.add_many(State::Planned, rows, None);
    Meter::new(&totals, &[rate("50/s")])
}

fn moved(from: State, to: State) -> RunEvent {
    let (code, message) = (String::new(), String::new());
    RunEvent::RowMoved { row: RowNumber(2), from, to, amount: None, code, message }
}

fn weather(account: &str, weather: Weather) -> RunEvent {
    RunEvent::Weather { account: AccountName::new(account), weather }
}

fn at(meter: &Meter, millis: u64) -> Instant {
    meter.start + Duration::from_millis(millis)
}

#[test]
fn calls_rows_and_retries_are_counted() {
    let meter = planned(3);
    for millis in [0, 20, 40, 60, 80] {
        meter.notice_at(&RunEvent::CallStarted, at(&meter, millis));
    }
    for latency in [41, 41, 80] {
        meter.notice(&RunEvent::CallEnded { latency: Duration::from_millis(latency) });
    }
    let retry = RunEvent::Retry { row: RowNumber(2), attempt: 2, after: Duration::ZERO, reason: String::new() };
    meter.notice(&retry);
    meter.notice(&moved(State::Planned, State::Intended));
    meter.notice(&moved(State::Intended, State::Applied));
    let expected = Figures { calls: 5, retries: 1, rate: 50.0, latency: Latency { p50: 41, p95: 80, p99: 80 } };
    assert_eq!(meter.figures(), expected);
    let seen = meter.snapshot(at(&meter, 100), 0);
    assert_eq!((seen.in_flight, seen.done(), seen.total(), seen.limit), (2, 1, 3, 50.0));
    assert_eq!((seen.count(State::Planned), seen.count(State::Applied)), (2, 1));
}

#[test]
fn nothing_happened_yet() {
    assert_eq!(planned(0).figures(), Figures::default());
    let meter = planned(0);
    meter.notice(&RunEvent::CallStarted);
    assert_eq!(meter.figures().rate, 0.0, "one call has no rate");
}

#[test]
fn a_pause_counts_down_and_ends_by_itself() {
    let meter = planned(1);
    meter.notice_at(&weather("a", Weather::Paused { wait: Duration::from_secs(12) }), at(&meter, 0));
    let paused = |seconds| Hold::Paused { account: AccountName::new("a"), left: Duration::from_secs(seconds) };
    assert_eq!(meter.snapshot(at(&meter, 5_000), 0).holds, [paused(7)]);
    assert_eq!(meter.snapshot(at(&meter, 12_000), 0).holds, []);
    meter.notice_at(&weather("a", Weather::Paused { wait: Duration::from_secs(3) }), at(&meter, 13_000));
    assert_eq!(meter.weather_changes(), 1, "the same kind of weather");
    meter.notice_at(&weather("a", Weather::Clear), at(&meter, 14_000));
    assert_eq!((meter.snapshot(at(&meter, 14_000), 0).holds, meter.weather_changes()), (vec![], 2));
}

#[test]
fn an_outage_keeps_its_beginning_and_comes_before_a_pause() {
    let meter = planned(1);
    let down = |probes| Weather::Down { reason: "refused".into(), probes, next: Duration::from_secs(8) };
    meter.notice_at(&weather("a", Weather::Paused { wait: Duration::from_secs(60) }), at(&meter, 0));
    meter.notice_at(&weather("b", down(0)), at(&meter, 1_000));
    meter.notice_at(&weather("b", down(3)), at(&meter, 9_000));
    let holds = meter.snapshot(at(&meter, 10_000), 100_000).holds;
    let expected = Hold::Down {
        account: AccountName::new("b"),
        since: 91_000,
        reason: "refused".into(),
        probe: 4,
        left: Duration::from_secs(7),
    };
    assert_eq!(holds.len(), 2);
    assert_eq!(holds[0], expected);
}

#[test]
fn a_lowered_rate_outlives_a_pause() {
    let meter = planned(1);
    let told = |now| weather("a", Weather::Rate { now: rate(now), limit: rate("50/s") });
    meter.notice(&told("25/s"));
    meter.notice(&weather("a", Weather::Paused { wait: Duration::from_secs(1) }));
    meter.notice(&weather("a", Weather::Clear));
    meter.notice(&told("30/s"));
    let seen = meter.snapshot(Instant::now(), 0);
    assert_eq!((seen.lowered, seen.holds, meter.weather_changes()), (Some((30.0, 50.0)), vec![], 3));
    meter.notice(&told("50/s"));
    assert_eq!((meter.snapshot(Instant::now(), 0).lowered, meter.weather_changes()), (None, 4));
}

#[test]
fn counting_from_two_threads_loses_nothing() {
    let meter = planned(2_000);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| (0..1_000).for_each(|_| meter.notice(&moved(State::Planned, State::Applied))));
        }
    });
    let seen = meter.snapshot(Instant::now(), 0);
    assert_eq!((seen.count(State::Applied), seen.total()), (2_000, 2_000));
}
