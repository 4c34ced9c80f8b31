//! What numbers, times and columns look like.

use super::*;
use crate::model::money::parse_amount;

fn usd(text: &str, code: &str) -> String {
    money(Money {
        amount: parse_amount(text).expect("an amount"),
        currency: Currency::parse(code).expect("a currency"),
    })
}

#[test]
fn thousands_are_separated() {
    assert_eq!([0, 7, 999, 1_000, 29_670, 1_234_567].map(count).join(" "), "0 7 999 1,000 29,670 1,234,567");
    assert_eq!([-999, -1_000].map(whole).join(" "), "-999 -1,000");
    assert_eq!((counted(1, "row", "rows"), counted(1_000, "row", "rows")), ("1 row".into(), "1,000 rows".into()));
}

#[test]
fn money_has_its_currency_and_at_least_its_decimals() {
    assert_eq!(usd("9895.5", "USD"), "USD 9,895.50");
    assert_eq!(usd("-1234567", "JPY"), "JPY -1,234,567");
    assert_eq!(usd("1.234", "KWD"), "KWD 1.234");
    assert_eq!(usd("1.2345", "USD"), "USD 1.2345", "nothing is rounded away");
    assert_eq!(usd("12", "XXX"), "12 (currency unknown)");
}

#[test]
fn rates_are_short() {
    let rates = [0.0, 0.04, 9.98, 49.94, 50.0, 99.94, 99.96, 1250.4, f64::NAN, f64::INFINITY];
    assert_eq!(rates.map(per_second).join(" "), "0 0 10 49.9 50 99.9 100 1,250 0 0");
}

#[test]
fn durations_are_short() {
    let shown = |millis: u64| duration(Duration::from_millis(millis));
    let all = [0, 84, 999, 1_000, 20_449, 59_999, 60_000, 134_000, 3_600_000, 97_200_000];
    assert_eq!(all.map(shown).join(", "), "0 ms, 84 ms, 999 ms, 1.0 s, 20.4 s, 59.9 s, 1m 00s, 2m 14s, 1h 00m, 1d 03h");
    let guessed = |millis: u64| estimate(Duration::from_millis(millis));
    assert_eq!(
        [0, 1_499, 1_500, 59_400, 59_600, 134_000].map(guessed).join(", "),
        "1 s, 1 s, 2 s, 59 s, 1m 00s, 2m 14s"
    );
    let left = |millis: u64| countdown(Duration::from_millis(millis));
    assert_eq!([0, 1, 12_000, 11_001, 3_605_000].map(left).join(" "), "00:00 00:01 00:12 00:12 1:00:05");
}

#[test]
fn times_say_their_zone() {
    let at = 1_795_400_047_113; // 2026-11-23T02:14:07.113Z
    let berlin = TimeZone::fixed(jiff::tz::offset(1));
    assert_eq!(rfc3339(at), "2026-11-23T02:14:07Z");
    assert_eq!(stamp(at), "20261123T021407Z");
    assert_eq!(time_of_day(at, &berlin), "03:14:07");
    assert_eq!(moment(at, &berlin), "2026-11-23 03:14:07 +01:00");
    assert_eq!(moment(at, &TimeZone::UTC), "2026-11-23 02:14:07Z");
    assert_eq!(moment(i64::MAX, &TimeZone::UTC), i64::MAX.to_string());
}

#[test]
fn a_reply_cannot_move_the_cursor() {
    assert_eq!(printable("ok\u{1b}[2Jgone\r\nnext\u{202e}"), "ok\u{fffd}[2Jgone  next\u{fffd}");
}

#[test]
fn columns_are_counted_as_shown() {
    assert_eq!(columns("日本 \u{1b}[31mé\u{1b}[0m"), 6);
    assert_eq!(left("日", 4), "日  ");
    assert_eq!(right("7", 3), "  7");
    assert_eq!(shortened("subscription", 8), "subscri…");
    assert_eq!(shortened("short", 8), "short");
}

#[test]
fn parts_flow_onto_the_next_line_whole() {
    let parts = ["alpha", "beta", "gamma"].map(str::to_owned);
    assert_eq!(flow(&parts, "   ", 2, 4, 80), "alpha   beta   gamma");
    assert_eq!(flow(&parts, "   ", 2, 4, 15), "alpha   beta\n    gamma");
    assert_eq!(flow(&["much too long for it".to_owned()], " ", 0, 2, 5), "much too long for it");
    assert_eq!(sentence("one two three", 0, 2, 7), "one two\n  three");
}
