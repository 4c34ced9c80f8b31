//! One table per kind: what is stored, or what is expected and hinted.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use super::*;
use crate::model::operation::{Effect, Need, OperationSpec, Parameter, Rule};
use crate::model::row::Values;

const PLAIN: Surroundings = Surroundings { currency: Currency::UNKNOWN, negative: false };

fn good(kind: Kind, text: &str) -> String {
    match check(kind, Given { text, structured: false }, PLAIN) {
        Ok(value) => value.into_owned(),
        Err(wrong) => format!("{wrong:?}"),
    }
}

fn wrong(kind: Kind, text: &str) -> (String, String) {
    match check(kind, Given { text, structured: false }, PLAIN) {
        Ok(value) => (format!("accepted as {value}"), String::new()),
        Err(wrong) => (wrong.expected, wrong.hint.unwrap_or_default()),
    }
}

const ID32: Kind = Kind::Integer { min: 1, max: i32::MAX as i64, expected: "a 32-bit whole number" };

#[test]
fn whole_numbers() {
    for (text, stored) in [("80012345", "80012345"), ("007", "7"), ("+5", "5"), ("2147483647", "2147483647")] {
        assert_eq!(good(ID32, text), stored);
    }
    let any = Kind::Integer { min: i64::MIN, max: i64::MAX, expected: "a whole number" };
    for (text, stored) in [("-0", "0"), ("000", "0"), ("-07", "-7"), ("-7", "-7")] {
        assert_eq!(good(any, text), stored);
    }
    for (text, hint) in [
        ("8.0E+7", "scientific notation"),
        ("1e3", "scientific notation"),
        ("2147483648", "the largest is 2147483647"),
        ("99999999999999999999999", "the largest"),
        ("0", "the smallest is 1"),
        ("-5", "the smallest is 1"),
        ("3O", "a letter stands where a digit should"),
        ("30.0", "without a decimal point"),
        ("1,000", "nothing between thousands"),
        ("1 000", "without spaces"),
        (" 30", "a space before or after"),
        ("30\u{a0}", "a space before or after"),
        ("abc", ""),
        ("٣", ""),
        ("-", ""),
    ] {
        let (expected, hinted) = wrong(ID32, text);
        assert_eq!(expected, "a 32-bit whole number", "{text}");
        assert!(hinted.contains(hint), "{text}: {hinted}");
    }
}

#[test]
fn amounts() {
    let amount = Kind::Amount { zero: false };
    for (text, stored) in [("19.90", "19.90"), ("0.01", "0.01"), ("007.50", "7.50"), ("100", "100")] {
        assert_eq!(good(amount, text), stored);
    }
    assert_eq!(good(Kind::Amount { zero: true }, "0.00"), "0.00");
    for (text, hint) in [
        ("1e3", "scientific notation"),
        ("5,00", "write a point before the decimals"),
        ("1 000", "without spaces"),
        ("€5", "currency sign"),
        (" 5", "a space before or after"),
    ] {
        let (expected, hinted) = wrong(amount, text);
        assert!(expected.starts_with("an amount") && hinted.contains(hint), "{text}: {expected}, {hinted}");
    }
    for text in ["0", "0.00", "-5"] {
        assert_eq!(wrong(amount, text).0, "an amount of more than 0", "{text}");
    }
    assert_eq!(wrong(Kind::Amount { zero: true }, "-0").0, "an amount, 0 or more");
    let yen = Surroundings { currency: Currency::parse("JPY").expect("JPY"), negative: true };
    let checked = |text| check(amount, Given { text, structured: false }, yen).map_err(|wrong| wrong.expected);
    assert_eq!(checked("-500"), Ok(Cow::Borrowed("-500")), "a rule decides");
    assert_eq!(checked("5.5"), Err("an amount with at most 0 decimals (JPY)".to_owned()));
}

#[test]
fn texts_and_ids() {
    assert_eq!(good(Kind::Text { max: 9 }, " a\tb\n c "), " a\tb\n c ");
    assert_eq!(
        wrong(Kind::Text { max: 3 }, "äöüß"),
        ("a text of at most 3 characters".to_owned(), "it has 4".to_owned())
    );
    assert_eq!(wrong(Kind::Text { max: 9 }, "a\u{1b}").0, "a text without control characters");
    let id = Kind::Id { max: 20 };
    assert_eq!(good(id, "007-Ab_ß"), "007-Ab_ß");
    assert_eq!(good(id, "12E5"), "12E5", "an id may look like this");
    assert!(wrong(id, "8.0E+7").1.contains("scientific notation"));
    assert!(wrong(id, "80012345 ").1.contains("a space before or after"));
    assert_eq!(wrong(id, "a b").0, "an id of at most 20 characters, without spaces");
    assert_eq!(wrong(id, &"x".repeat(21)).1, "it has 21");
}

#[test]
fn dates() {
    assert_eq!(good(Kind::Date, "2026-02-28"), "2026-02-28");
    assert_eq!(wrong(Kind::Date, "2026-02-30").1, "there is no such day in the calendar");
    assert_eq!(wrong(Kind::Date, "11/23/2026").1, "write year, month and day: 2026-11-23");
    for text in ["2026-2-3", "20260223", "2026-11-23T10:00:00", "2026-11-2x", "ä026-11-2"] {
        assert_eq!(wrong(Kind::Date, text).0, "a date such as 2026-11-23", "{text}");
    }
    for text in [
        "2026-11-23",
        "2026-11-23T14:05",
        "2026-11-23T14:05:09.123",
        "2026-11-23T14:05:00Z",
        "2026-11-23T14:05:00+02:00",
    ] {
        assert_eq!(good(Kind::DateTime, text), text);
    }
    for text in ["2026-11-23 14:05", "2026-11-23T25:00", "2026-11-23T14", "2026-02-30T10:00", "2026-11-23T14:05[UTC]"] {
        assert!(wrong(Kind::DateTime, text).0.starts_with("a date such as"), "{text}");
    }
}

#[test]
fn words() {
    for (text, stored) in [("TRUE", "true"), ("yes", "true"), ("1", "true"), ("No", "false"), ("0", "false")] {
        assert_eq!(good(Kind::Bool, text), stored);
    }
    assert_eq!(wrong(Kind::Bool, "on").0, "`true` or `false`");
    assert_eq!(good(Kind::Currency, "eur"), "EUR");
    assert_eq!(wrong(Kind::Currency, "XXX").0, "a currency code such as USD");
    assert_eq!(good(Kind::Country, "de"), "DE");
    assert_eq!(wrong(Kind::Country, "UK").1, "the United Kingdom is GB");
    let choice = Kind::Choice(&["Monthly", "Yearly"]);
    assert_eq!(good(choice, "MONTHLY"), "Monthly");
    assert_eq!(wrong(choice, "daily").0, "one of `Monthly`, `Yearly`");
    let code = Kind::Code(&[(1, "manual"), (2, "automatic")]);
    assert_eq!(good(code, "02"), "2");
    assert_eq!(wrong(code, "3").0, "one of 1 (manual), 2 (automatic)");
}

#[test]
fn lists_and_json() {
    let free = Kind::List { words: &[] };
    assert_eq!(good(free, "a;b \"c\""), r#"["a","b \"c\""]"#);
    assert_eq!(good(Kind::List { words: &["PRODUCT", "ORDER"] }, "order;Product"), r#"["ORDER","PRODUCT"]"#);
    for text in ["a;", "a; b", ";"] {
        assert!(wrong(free, text).1.contains("an entry is empty"), "{text}");
    }
    let array = |text| check(free, Given { text, structured: true }, PLAIN).map_err(|wrong| wrong.expected);
    assert_eq!(array(r#"["a;b", "c"]"#), Ok(Cow::Borrowed(r#"["a;b","c"]"#)));
    assert!(array("[1]").is_err() && array("{}").is_err());
    assert_eq!(good(Kind::Json, r#"[ {"Amount": 1.10} ]"#), r#"[{"Amount":1.10}]"#);
    assert_eq!(wrong(Kind::Json, "5").0, "a JSON array of objects");
    let one = check(ID32, Given { text: "[1]", structured: true }, PLAIN).expect_err("one value");
    assert!(one.hint.is_some_and(|hint| hint.contains("array or object")));
}

#[test]
fn card_data() {
    assert_eq!(good(Kind::CardNumber, "4111111111111111"), "4111111111111111");
    for text in ["4111111111111112", "4111 1111 1111 1111", "411"] {
        assert!(wrong(Kind::CardNumber, text).0.starts_with("a card number"), "{text}");
    }
    assert_eq!(good(Kind::SecurityCode, "0123"), "0123");
    assert_eq!(wrong(Kind::SecurityCode, "12").0, "a security code: 3 or 4 digits");
}

const fn parameter(name: &'static str, kind: Kind) -> Parameter {
    Parameter { name, kind, need: Need::Conditional, about: "", example: "" }
}

static RULED: OperationSpec = OperationSpec {
    name: "demo.ruled",
    about: "",
    effect: Effect::Read,
    moves_money: false,
    subject: None,
    amount: None,
    quantity: None,
    verified_by: None,
    parameters: &[
        parameter("a", Kind::Text { max: 9 }),
        parameter("b", Kind::Text { max: 9 }),
        parameter("from", Kind::DateTime),
        parameter("to", Kind::DateTime),
        parameter("price", Kind::Amount { zero: true }),
        parameter("delete", Kind::Bool),
    ],
    rules: &[
        Rule::AnyOf(&["a", "b", "price"]),
        Rule::AtMostOne(&["a", "b"]),
        Rule::Together(&["from", "to"]),
        Rule::Ordered("from", "to"),
        Rule::NegativeOnlyWith("price", "delete"),
    ],
    token: None,
    returns: &[],
    words: &[],
};

#[test]
fn rules() {
    let check = |given: &[(&str, &str)]| {
        let mut values = Values::new(RULED.parameters.len());
        for (name, value) in given {
            values.set(RULED.position(name).expect("known"), *value);
        }
        broken(&RULED, &values).into_iter().map(|rule| rule.expected).collect::<Vec<_>>()
    };
    assert_eq!(check(&[("a", "1")]), [""; 0]);
    assert_eq!(check(&[]), ["at least one of a, b, price"]);
    assert_eq!(check(&[("a", "1"), ("b", "1")]), ["at most one of a, b"]);
    assert_eq!(check(&[("a", "1"), ("from", "2026-01-01")]), ["all of from, to, or none of them"]);
    let days = |from, to| check(&[("a", "1"), ("from", from), ("to", to)]);
    assert_eq!(days("2026-01-02", "2026-01-01"), ["a date not later than to"]);
    assert_eq!(days("2026-01-01", "2026-01-01"), [""; 0]);
    assert_eq!(days("2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"), [""; 0]);
    assert_eq!(days("2026-01-01T10:00:00-02:00", "2026-01-01T09:00:00Z"), ["a date not later than to"]);
    assert_eq!(check(&[("price", "-1")]), ["an amount of 0 or more, unless delete is `true`"]);
    assert_eq!(check(&[("price", "-1"), ("delete", "true")]), [""; 0]);
}
