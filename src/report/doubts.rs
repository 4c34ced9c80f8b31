//! Rows in doubt, for the person who decides: what was sent, what came back, what a read showed before and now. Pure.

use serde::Serialize;

use super::format::{columns, counted, flow, left, moment, money, printable, rfc3339, sentence};
use super::style::Style;
use crate::contract::{Millis, Observation};
use crate::model::money::Money;

/// What is known about a row in doubt. Secrets must be masked before they come here.
#[derive(Debug, Clone)]
pub struct DoubtView {
    /// The row's number: its line.
    pub row: u64,
    /// What was to be done.
    pub operation: String,
    /// What it acts on.
    pub subject: Option<String>,
    /// The other parameters.
    pub values: Vec<(String, String)>,
    /// The money it is about.
    pub amount: Option<Money>,
    /// Calls made for it.
    pub attempts: u32,
    /// When the last call was about to leave.
    pub sent: Option<Millis>,
    /// The short word for what came back.
    pub code: Option<String>,
    /// What came back, or did not.
    pub reply: String,
    /// What a read showed before the call.
    pub before: Option<Seen>,
    /// What a read showed afterwards, and what that proves.
    pub now: Option<(Seen, String)>,
}

/// What a read showed, and when.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it showed.
    pub observation: Observation,
    /// When it was read, where that is known.
    pub at: Option<Millis>,
}

/// The rows in doubt as text, with the commands that settle them; `flags` lead them to the same journal.
pub fn text(run: i64, job: &str, doubts: &[DoubtView], flags: &str, style: &Style) -> String {
    let mut text = format!("run {run}, {}: {} in doubt\n", printable(job), counted(doubts.len() as u64, "row", "rows"));
    for doubt in doubts {
        text.push('\n');
        text.push_str(&one(doubt, style));
    }
    if let Some(first) = doubts.first() {
        let settle = format!("subops doubt settle {run} --row {} --as applied --reason \"…\"{flags}", first.row);
        let verify = format!("subops doubt verify {run}{flags}");
        let line = |why: &str, command: &str| {
            format!("  {}\n", flow(&[why.to_owned(), style.strong(command)], "  ", 2, 4, style.width))
        };
        let many = format!("subops doubt settle {run} --from in_doubt.csv --reason \"…\"{flags}");
        let many = match doubts.len() {
            1 => String::new(),
            _ => line("or many, from the results with a column `decision` added:", &many),
        };
        let it = if doubts.len() == 1 { "settle it:" } else { "settle one:" };
        text.push_str(&format!("\n{}{}", line(it, &settle), many + &line("or read again:", &verify)));
    }
    text
}

fn one(doubt: &DoubtView, style: &Style) -> String {
    let mut head = vec![style.alarm(&format!("line {}", doubt.row)), doubt.operation.clone()];
    // Mostly it is one of the values, which has its name with it.
    let subject = doubt.subject.as_deref().filter(|subject| doubt.values.iter().all(|(_, value)| value != subject));
    head.extend(subject.map(printable));
    head.extend(doubt.values.iter().map(|(name, value)| format!("{name} {}", printable(value))));
    head.extend(doubt.amount.map(money));
    let mut text = format!("  {}\n", flow(&head, "   ", 2, 4, style.width));
    let attempt = format!("attempt {}", doubt.attempts);
    let sent = doubt.sent.map_or(attempt.clone(), |at| format!("{}   {attempt}", moment(at, &style.zone)));
    text.push_str(&field("sent", &sent, style));
    text.push_str(&field("reply", &printable(&doubt.reply), style));
    let before = doubt.before.as_ref().map(|seen| told(seen, style));
    text.push_str(&field("before", before.as_deref().unwrap_or("not read"), style));
    let now = doubt.now.as_ref().map(|(seen, finding)| format!("{} → {}", told(seen, style), printable(finding)));
    text.push_str(&field("now", now.as_deref().unwrap_or("not read yet"), style));
    text
}

fn field(name: &str, value: &str, style: &Style) -> String {
    const INDENT: usize = 4;
    let name = left(name, 10);
    let start = INDENT + columns(&name);
    format!("{}{name}{}\n", " ".repeat(INDENT), sentence(value, start, start, style.width))
}

fn told(seen: &Seen, style: &Style) -> String {
    let facts = seen.observation.facts.iter();
    let facts: Vec<String> =
        facts.map(|(name, value)| format!("{} {}", printable(&name.replace('_', " ")), printable(value))).collect();
    let facts = if facts.is_empty() { "nothing found".to_owned() } else { facts.join(", ") };
    match seen.at {
        Some(at) => format!("{facts}, read {}", moment(at, &style.zone)),
        None => facts,
    }
}

#[derive(Serialize)]
struct DoubtJson<'a> {
    run: i64,
    row: u64,
    operation: &'a str,
    subject: Option<&'a str>,
    values: serde_json::Map<String, serde_json::Value>,
    amount: Option<String>,
    currency: Option<&'static str>,
    attempts: u32,
    sent: Option<String>,
    code: Option<&'a str>,
    reply: &'a str,
    before: Option<SeenJson<'a>>,
    now: Option<SeenJson<'a>>,
}

#[derive(Serialize)]
struct SeenJson<'a> {
    facts: serde_json::Map<String, serde_json::Value>,
    read: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<&'a str>,
}

/// The rows in doubt as JSON: `{"run": …, "doubts": […]}` on one line, and a line break.
pub fn to_json(run: i64, doubts: &[DoubtView]) -> String {
    let doubts: Vec<DoubtJson<'_>> = doubts
        .iter()
        .map(|doubt| DoubtJson {
            run,
            row: doubt.row,
            operation: &doubt.operation,
            subject: doubt.subject.as_deref(),
            values: object(&doubt.values),
            amount: doubt.amount.map(|money| super::format::exact_amount(money.amount, money.currency)),
            currency: doubt.amount.map(|money| money.currency.code()),
            attempts: doubt.attempts,
            sent: doubt.sent.map(rfc3339),
            code: doubt.code.as_deref(),
            reply: &doubt.reply,
            before: doubt.before.as_ref().map(|seen| seen_json(seen, None)),
            now: doubt.now.as_ref().map(|(seen, finding)| seen_json(seen, Some(finding))),
        })
        .collect();
    super::format::json(&serde_json::json!({ "run": run, "doubts": doubts }))
}

fn seen_json<'a>(seen: &Seen, finding: Option<&'a str>) -> SeenJson<'a> {
    SeenJson { facts: object(&seen.observation.facts), read: seen.at.map(rfc3339), finding }
}

fn object(pairs: &[(String, String)]) -> serde_json::Map<String, serde_json::Value> {
    pairs.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    fn seen(date: &str, at: Option<Millis>) -> Seen {
        Seen { observation: Observation { facts: vec![("next_bill_date".into(), date.into())] }, at }
    }

    fn doubt() -> DoubtView {
        DoubtView {
            row: 430,
            operation: "segpay.extend_membership".into(),
            subject: Some("80013311".into()),
            values: vec![("Days".into(), "30".into())],
            amount: None,
            attempts: 1,
            sent: Some(1_795_400_042_113),
            code: Some("no_reply".into()),
            reply: "none within 30 s".into(),
            before: Some(seen("2026-12-01", Some(1_795_400_041_000))),
            now: Some((seen("2026-12-31", Some(1_795_400_345_000)), "consistent with applied".into())),
        }
    }

    #[test]
    fn one_row_in_doubt() {
        let expected = "\
run 7, extend-memberships: 1 row in doubt

  line 430   segpay.extend_membership   80013311   Days 30
    sent      2026-11-23 02:14:02Z   attempt 1
    reply     none within 30 s
    before    next bill date 2026-12-01, read 2026-11-23 02:14:01Z
    now       next bill date 2026-12-31, read 2026-11-23 02:19:05Z → consistent
              with applied

  settle it:  subops doubt settle 7 --row 430 --as applied --reason \"…\"
  or read again:  subops doubt verify 7
";
        assert_eq!(text(7, "extend-memberships", &[doubt()], "", &Style::plain(80)), expected);
    }

    #[test]
    fn what_was_never_read_is_said_and_none_need_no_command() {
        let unread = DoubtView { before: None, now: None, ..doubt() };
        let shown = text(7, "j", &[unread, doubt()], "", &Style::plain(80));
        assert!(shown.contains("\n    before    not read\n    now       not read yet\n"), "{shown}");
        assert!(shown.contains("\n  settle one:  subops"), "{shown}");
        assert_eq!(text(7, "j", &[], "", &Style::plain(80)), "run 7, j: 0 rows in doubt\n");
    }

    #[test]
    fn for_machines() {
        let expected = concat!(
            r#"{"run":7,"doubts":[{"run":7,"row":430,"operation":"segpay.extend_membership","subject":"80013311","#,
            r#""values":{"Days":"30"},"amount":null,"currency":null,"attempts":1,"sent":"2026-11-23T02:14:02Z","#,
            r#""code":"no_reply","reply":"none within 30 s","#,
            r#""before":{"facts":{"next_bill_date":"2026-12-01"},"read":"2026-11-23T02:14:01Z"},"#,
            r#""now":{"facts":{"next_bill_date":"2026-12-31"},"read":"2026-11-23T02:19:05Z","#,
            r#""finding":"consistent with applied"}}]}"#,
            "\n"
        );
        assert_eq!(to_json(7, &[doubt()]), expected);
        assert_eq!(to_json(7, &[]), "{\"run\":7,\"doubts\":[]}\n");
    }
}
