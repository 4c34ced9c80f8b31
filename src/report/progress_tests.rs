//! The lines of the bar and of the log, exactly.

use super::*;

fn snapshot() -> Snapshot {
    let mut rows = [0; 9];
    rows[usize::from(State::Planned.number())] = 380;
    rows[usize::from(State::Intended.number())] = 8;
    rows[usize::from(State::Applied.number())] = 603;
    rows[usize::from(State::Already.number())] = 4;
    rows[usize::from(State::Refused.number())] = 4;
    rows[usize::from(State::InDoubt.number())] = 1;
    Snapshot {
        rows,
        elapsed: Duration::from_secs(12),
        calls: 620,
        in_flight: 8,
        limit: 50.0,
        lowered: None,
        p95: Some(Duration::from_millis(84)),
        accounts: 1,
        holds: Vec::new(),
    }
}

const PACE: Pace = Pace { calls: 49.9, left: Some(Duration::from_secs(8)) };

fn holding(hold: Hold) -> Snapshot {
    Snapshot { holds: vec![hold], ..snapshot() }
}

fn segpay() -> AccountName {
    AccountName::new("segpay")
}

#[test]
fn the_bar_uses_the_width_it_has() {
    let first = |width| bar(&snapshot(), PACE, &Style::plain(width)).lines().next().map(str::to_owned);
    let drawn = format!("{:<40}", "████████████████████████▍");
    let wide = format!("   612/1,000  {drawn}   61%   49.9 of 50/s   p95 84 ms    8 in flight   8 s left");
    assert_eq!(first(119), Some(wide));
    let expected = "   612/1,000  ████▎     61%   49.9 of 50/s   p95 84 ms    8 in flight   8 s left";
    assert_eq!(first(80).as_deref(), Some(expected));
    let expected = "   612/1,000  ███▋     61%   49.9 of 50/s   p95 84 ms    8 in flight   8 s left";
    assert_eq!(first(79).as_deref(), Some(expected));
    let expected = "   612/1,000  ██████       61%   49.9 of 50/s    8 in flight   8 s left";
    assert_eq!(first(71).as_deref(), Some(expected), "the least needed goes first");
    assert_eq!(
        bar(&snapshot(), PACE, &Style::plain(79)).lines().nth(1),
        Some(" applied 603   already 4   refused 4   in doubt 1")
    );
}

#[test]
fn no_line_is_wider_than_asked() {
    let mut wide = snapshot();
    wide.rows = [1_000_000_000; 9];
    wide.lowered = Some((1.0, 50.0));
    wide.holds =
        vec![Hold::Down { account: segpay(), since: 0, reason: "x".repeat(300), probe: 1, left: Duration::ZERO }];
    for width in Style::NARROWEST..200 {
        for line in bar(&wide, PACE, &Style { colour: true, ..Style::plain(width) }).lines() {
            assert!(columns(line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn what_holds_it_is_said_on_a_line_of_its_own() {
    let third = |hold, width| {
        bar(&holding(hold), PACE, &Style::plain(width)).lines().nth(2).map(str::to_owned).unwrap_or_default()
    };
    let paused = Hold::Paused { account: segpay(), left: Duration::from_secs(12) };
    assert_eq!(third(paused, 79), " paused by the provider (Retry-After) 00:12");
    let down = Hold::Down {
        account: segpay(),
        since: 1_795_400_047_000,
        reason: "connection refused".into(),
        probe: 4,
        left: Duration::from_secs(8),
    };
    assert_eq!(
        third(down.clone(), 79),
        " provider is down since 02:14:07, probing, 4th try in 8 s: connection refused"
    );
    assert_eq!(third(down, 70), " provider is down since 02:14:07, probing, 4th try in 8 s: connection…");
    let draining = " draining: 8 calls in flight (Ctrl-C again leaves them in doubt)";
    assert_eq!(third(Hold::Draining, 79), draining);
    let verifying = Hold::Verifying { rows: 1, left: Duration::from_secs(65) };
    assert_eq!(third(verifying, 79), " 1 row in doubt: verifying in 01:05");
}

#[test]
fn a_lowered_rate_and_several_accounts_are_named() {
    let paused = Hold::Paused { account: segpay(), left: Duration::from_secs(3) };
    let seen = Snapshot { accounts: 2, lowered: Some((25.0, 50.0)), ..holding(paused) };
    let expected = [
        " applied 603   already 4   refused 4   in doubt 1   rate lowered to 25/s from 50/s",
        " paused by the provider of account segpay (Retry-After) 00:03",
    ];
    let shown = bar(&seen, PACE, &Style::plain(100));
    assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), expected);
}

#[test]
fn full_and_empty_bars() {
    assert_eq!(filled(0, 10, 4), "    ");
    assert_eq!(filled(5, 10, 4), "██  ");
    assert_eq!(filled(9, 10, 4), "███▌");
    assert_eq!(filled(10, 10, 4), "████");
    assert_eq!(filled(0, 0, 4), "████");
    let done = Snapshot { rows: [0, 0, 999, 0, 0, 1, 0, 0, 0], in_flight: 0, p95: None, ..snapshot() };
    let expected = " 1,000/1,000  ████████████████████████  100%   49.9 of 50/s    0 in flight";
    assert_eq!(bar(&done, PACE, &Style::plain(74)).lines().next(), Some(expected));
}

#[test]
fn the_line_for_a_log() {
    let line = |snapshot: &Snapshot| plain_line(1_795_400_050_000, "extend-memberships", RunId(7), snapshot, PACE);
    let calm = "2026-11-23T02:14:10Z extend-memberships run 7: 612/1,000, applied 603, already 4, refused 4, \
                in doubt 1, 49.9/s, about 8 s left";
    assert_eq!(line(&snapshot()), calm);
    let paused = holding(Hold::Paused { account: segpay(), left: Duration::from_secs(12) });
    assert_eq!(line(&paused), format!("{calm}; paused by the provider (Retry-After) 00:12"));
}

#[test]
fn ordinals() {
    assert_eq!(
        [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal).join(" "),
        "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th"
    );
}

/// A run at a steady `calls` a second, each of them a row, seen ten times a second.
fn steady(trend: &mut Trend, from: u64, to: u64, calls: u64) -> Pace {
    let mut pace = Pace::default();
    for tenth in from..to {
        let done = tenth * calls / 10;
        let rows = [1_000 - done.min(1_000), 0, done.min(1_000), 0, 0, 0, 0, 0, 0];
        pace = trend.take(&Snapshot { rows, calls: done, elapsed: Duration::from_millis(tenth * 100), ..snapshot() });
    }
    pace
}

#[test]
fn the_pace_is_that_of_the_last_seconds() {
    let mut trend = Trend::default();
    let pace = steady(&mut trend, 0, 101, 50);
    assert_eq!((pace.calls, pace.left), (50.0, Some(Duration::from_secs(10))));
    assert!(trend.samples.len() <= 52, "the window does not grow");
}

#[test]
fn few_rows_are_judged_by_the_mean_since_the_start() {
    let mut trend = Trend::default();
    let seen = |done: u64, seconds| Snapshot {
        rows: [20 - done, 0, done, 0, 0, 0, 0, 0, 0],
        calls: done,
        elapsed: Duration::from_secs(seconds),
        ..snapshot()
    };
    assert_eq!(trend.take(&seen(0, 0)), Pace::default());
    for second in 1..60 {
        trend.take(&seen(second / 10, second));
    }
    let pace = trend.take(&seen(6, 60));
    assert_eq!(pace.left, Some(Duration::from_secs(140)));
}
