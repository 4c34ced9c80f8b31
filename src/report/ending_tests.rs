//! The text at the end, exactly.

use super::super::results::Reason;
use super::*;
use crate::model::ids::RowNumber;
use crate::model::summary::{Latency, RateFigures};

fn summary() -> Summary {
    Summary {
        run: 7,
        job: "extend-memberships".into(),
        state: "finished".into(),
        exit_code: 4,
        digest: "blake3:00".into(),
        rows: RowCounts { total: 1_000, applied: 989, already: 4, refused: 6, in_doubt: 1, ..RowCounts::default() },
        amounts: std::collections::BTreeMap::new(),
        calls: 1_021,
        retries: 3,
        rate: RateFigures { limit: "50/s".into(), achieved: 49.92 },
        latency_ms: Latency { p50: 41, p95: 84, p99: 130 },
        started: String::new(),
        finished: None,
        results: Some("results/extend-memberships-20261123T021350Z-run7".into()),
        halted_by: None,
        next: Some("subops doubt list 7".into()),
    }
}

fn reason(rows: u64, message: &str) -> Reason {
    Reason { rows, message: Some(message.into()) }
}

fn tally() -> Tally {
    let mut tally = Tally::default();
    tally.quantities.insert((State::Applied, "days"), 29_670);
    tally.reasons.insert((State::Refused, "a".into()), reason(1, "Membership not Active"));
    tally.reasons.insert((State::Refused, "b".into()), reason(5, "PurchaseID/MerchantID Mismatch"));
    tally.doubts.push(DoubtBrief {
        row: RowNumber(430),
        subject: Some("subscription 80013311".into()),
        message: "no reply after 30 s".into(),
    });
    tally
}

fn shown(summary: &Summary, halt: Option<&Halt>, width: usize) -> String {
    let elapsed = Duration::from_millis(20_400);
    ending(&Ending { summary, tally: &tally(), elapsed, halt }, &Style::plain(width))
}

#[test]
fn the_whole_text_where_there_is_room() {
    let expected = "\
extend-memberships   run 7   finished in 20.4 s   1,021 calls, 3 retries, 49.9/s, p50 41 ms, p95 84 ms

  applied       989   29,670 days
  already         4
  refused         6   5 PurchaseID/MerchantID Mismatch   1 Membership not Active
  in doubt        1   line 430, subscription 80013311: no reply after 30 s
              ─────
              1,000   every row is in exactly one file of results/extend-memberships-20261123T021350Z-run7/

  1 row needs a decision:  subops doubt list 7
";
    assert_eq!(shown(&summary(), None, 120), expected);
}

#[test]
fn eighty_columns_break_between_parts() {
    let expected = "\
extend-memberships   run 7   finished in 20.4 s
  1,021 calls, 3 retries, 49.9/s, p50 41 ms, p95 84 ms

  applied       989   29,670 days
  already         4
  refused         6   5 PurchaseID/MerchantID Mismatch   1 Membership not Active
  in doubt        1   line 430, subscription 80013311: no reply after 30 s
              ─────
              1,000   every row is in exactly one file of
                      results/extend-memberships-20261123T021350Z-run7/

  1 row needs a decision:  subops doubt list 7
";
    assert_eq!(shown(&summary(), None, 80), expected);
}

#[test]
fn a_halted_run_says_why_and_what_it_did_to_the_money() {
    let mut halted = summary();
    halted.state = "halted".into();
    halted.rows = RowCounts { total: 100, applied: 40, failed: 11, held: 1, not_sent: 48, ..RowCounts::default() };
    let amounts = Amounts { total: "995.00".into(), applied: "1398.00".into(), not_sent: "477.60".into(), ..zero() };
    halted.amounts.insert("USD".into(), amounts);
    halted.next = Some("subops resume 7".into());
    halted.results = None;
    (halted.calls, halted.retries) = (0, 0);
    let halt = Halt::Failures { failures: 11, limit: "20%".into() };
    let expected = "\
extend-memberships   run 7   halted in 20.4 s

  halted: 11 rows were refused or failed, more than `--max-failures 20%` allows

  applied        40   29,670 days   USD 1,398.00
  failed         11
  held            1
  not sent       48   USD 477.60
              ─────
                100   rows in all

  49 rows were not sent; to go on:  subops resume 7
";
    assert_eq!(shown(&halted, Some(&halt), 80), expected);
}

fn zero() -> Amounts {
    let zero = || "0.00".to_owned();
    Amounts {
        total: zero(),
        applied: zero(),
        already: zero(),
        refused: zero(),
        failed: zero(),
        in_doubt: zero(),
        held: zero(),
        not_sent: zero(),
    }
}

#[test]
fn many_doubts_are_counted() {
    let mut many = summary();
    many.rows.in_doubt = 12;
    let text = shown(&many, None, 80);
    let expected = "line 430, subscription 80013311: no reply after 30 s\n                      and 11 more\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn colour_changes_no_word() {
    let style = Style { colour: true, ..Style::plain(80) };
    let (summary, tally) = (summary(), tally());
    let coloured = ending(
        &Ending { summary: &summary, tally: &tally, elapsed: Duration::from_millis(20_400), halt: None },
        &style,
    );
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(console::strip_ansi_codes(&coloured), shown(&summary, None, 80));
}

#[test]
fn where_a_run_stands() {
    let mut running = summary();
    running.state = "interrupted".into();
    running.rows = RowCounts { total: 10, applied: 4, not_sent: 6, ..RowCounts::default() };
    (running.results, running.next) = (None, Some("subops resume 7".into()));
    running.calls = 0;
    let expected = "\
extend-memberships   run 7   interrupted, started 2026-11-23 02:14:07Z

  applied         4
  not sent        6
              ─────
                 10   rows in all

  6 rows were not sent; to go on:  subops resume 7
";
    assert_eq!(status(&running, 1_795_400_047_000, &Style::plain(80)), expected);
}
