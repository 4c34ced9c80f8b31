//! What `subops check` found about each account. Pure.

use serde::Serialize;

use super::format::{columns, left, printable};
use super::style::Style;

/// One account.
#[derive(Debug, Clone, Serialize)]
pub struct CheckLine {
    /// Its name.
    pub account: String,
    /// Its provider.
    pub provider: String,
    /// The URL that was called.
    pub url: String,
    /// `ok`, `rejected`, `no answer`, `unusable` or `not configured`.
    pub state: &'static str,
    /// What was said.
    pub message: String,
}

/// The accounts, a line each.
pub fn text(lines: &[CheckLine], style: &Style) -> String {
    let widest = |cell: fn(&CheckLine) -> &str| lines.iter().map(|line| columns(cell(line))).max().unwrap_or(0);
    let (names, states) = (widest(|line| &line.account), widest(|line| line.state));
    let mut text = String::new();
    for line in lines {
        let state = left(line.state, states);
        let state = match line.state {
            "ok" => style.good(&state),
            "not configured" => style.faint(&state),
            _ => style.alarm(&state),
        };
        let (name, url) = (left(&line.account, names), &line.url);
        text.push_str(&format!("{name}  {state}  {url}  {}\n", printable(&line.message)));
    }
    text
}

/// The accounts as one object.
pub fn to_json(lines: &[CheckLine]) -> String {
    super::format::json(&serde_json::json!({ "accounts": lines }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_account() {
        let line = |account: &str, state, message: &str| CheckLine {
            account: account.to_owned(),
            provider: "segpay".to_owned(),
            url: "https://srs.segpay.com".to_owned(),
            state,
            message: message.to_owned(),
        };
        let lines = [line("segpay", "ok", "merchant 20213"), line("eu", "rejected", "Invalid Merchant")];
        let expected = "segpay  ok        https://srs.segpay.com  merchant 20213\n\
                        eu      rejected  https://srs.segpay.com  Invalid Merchant\n";
        assert_eq!(text(&lines, &Style::plain(80)), expected);
        assert!(to_json(&lines).contains("\"accounts\""));
    }
}
