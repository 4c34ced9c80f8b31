//! All pages of a search for payouts, put together.
//!
//! The one place where a row makes more than one request, which only a read may. Pages that do not add up to the count
//! that the provider gives are no answer: a payout more or less is worse than none.

use super::value::Value;

/// How many payouts are asked for at once where the row does not say.
pub(super) const DEFAULT_LIMIT: &str = "200";

/// Pages after which something is wrong.
const MAX_PAGES: u64 = 1000;

/// The most text that a cell of the results should hold.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What has been read so far.
#[derive(Default)]
pub(super) struct Pages {
    items: String,
    count: u64,
    pages: u64,
    last: String,
}

/// What to do after a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read the next one.
    Read,
    /// That was all.
    Done,
    /// The pages cannot be put together.
    Wrong(&'static str),
}

impl Pages {
    /// The number of the page to read now, counted from 1.
    pub(super) fn next(&self) -> u64 {
        self.pages + 1
    }

    /// Takes a page in.
    pub(super) fn take(&mut self, page: &Value<'_>, limit: u64) -> Next {
        // SOAP has null for an empty list. An object that has no such field at all is something else.
        let items = match page {
            Value::Object(fields) => {
                fields.iter().find(|(name, _)| name == "Items").and_then(|(_, items)| items.as_list())
            }
            _ => None,
        };
        let Some(items) = items else {
            return Next::Wrong("the result is not a page of payouts");
        };
        let total = page.get("Pagination.Count").and_then(Value::as_text).map(str::parse::<u64>);
        let total = match total.transpose() {
            Ok(total) => total,
            Err(_) => return Next::Wrong("the number of payouts is no number"),
        };
        let shown: Vec<String> = items.iter().filter_map(Value::shown).collect();
        let text = shown.join(",");
        self.pages += 1;
        if items.is_empty() {
            return if total.is_none_or(|total| total == self.count) { Next::Done } else { Next::Wrong(CHANGED) };
        }
        if text == self.last {
            return Next::Wrong("two pages of payouts are the same");
        }
        if !self.items.is_empty() {
            self.items.push(',');
        }
        self.items.push_str(&text);
        self.last = text;
        self.count += items.len() as u64;
        let short = (items.len() as u64) < limit;
        match total {
            Some(total) if self.count > total => Next::Wrong(CHANGED),
            Some(total) if self.count == total => Next::Done,
            None if short => Next::Done,
            _ if self.pages >= MAX_PAGES || self.items.len() > MAX_BYTES => {
                Next::Wrong("too many payouts for one row: narrow StartDate and EndDate")
            }
            _ => Next::Read,
        }
    }

    /// What was read, as the operation's data.
    pub(super) fn data(self) -> Vec<(&'static str, String)> {
        vec![
            ("Items", format!("[{}]", self.items)),
            ("Count", self.count.to_string()),
            ("Pages", self.pages.to_string()),
        ]
    }
}

const CHANGED: &str = "the number of payouts changed while their pages were read";

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "a test states what it expects")]

    use super::super::json;
    use super::*;

    fn take(pages: &mut Pages, text: &str) -> Next {
        let page = json::read(text).expect("JSON");
        pages.take(&page, 2)
    }

    #[test]
    fn pages_are_put_together_exactly() {
        let mut pages = Pages::default();
        let first = r#"{"Items":[{"Amount":1.10},{"Amount":2}],"Pagination":{"Page":1,"Limit":2,"Count":3}}"#;
        assert_eq!(take(&mut pages, first), Next::Read);
        assert_eq!(pages.next(), 2);
        let second = r#"{"Items":[{"Amount":3.00}],"Pagination":{"Page":2,"Limit":2,"Count":"3"}}"#;
        assert_eq!(take(&mut pages, second), Next::Done);
        let data = pages.data();
        assert_eq!(data.first(), Some(&("Items", r#"[{"Amount":1.10},{"Amount":2},{"Amount":3.00}]"#.to_owned())));
        assert_eq!(data.get(1..), Some(&[("Count", "3".to_owned()), ("Pages", "2".to_owned())][..]));
        assert_eq!(take(&mut Pages::default(), r#"{"Items":[],"Pagination":{"Count":0}}"#), Next::Done);
        assert_eq!(take(&mut Pages::default(), r#"{"Items":null}"#), Next::Done);
        assert_eq!(take(&mut Pages::default(), r#"{"Items":[1]}"#), Next::Done, "a short page without a count");
    }

    #[test]
    fn pages_that_do_not_add_up_are_no_answer() {
        for text in [
            "true",
            "[]",
            "{}",
            r#"{"Pagination":{"Count":0}}"#,
            r#"{"Items":5}"#,
            r#"{"Items":[1],"Pagination":{"Count":"x"}}"#,
        ] {
            assert!(matches!(take(&mut Pages::default(), text), Next::Wrong(_)), "{text}");
        }
        assert!(matches!(take(&mut Pages::default(), r#"{"Items":[1,2],"Pagination":{"Count":1}}"#), Next::Wrong(_)));
        let same = r#"{"Items":[1,2],"Pagination":{"Count":9}}"#;
        let mut pages = Pages::default();
        assert_eq!(take(&mut pages, same), Next::Read);
        assert!(matches!(take(&mut pages, same), Next::Wrong(_)), "the page number is ignored");
        let mut pages = Pages::default();
        assert_eq!(take(&mut pages, same), Next::Read);
        assert!(matches!(take(&mut pages, r#"{"Items":[],"Pagination":{"Count":9}}"#), Next::Wrong(_)));
        let mut pages = Pages { pages: MAX_PAGES - 1, ..Pages::default() };
        assert!(matches!(take(&mut pages, same), Next::Wrong(_)));
    }
}
