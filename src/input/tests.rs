//! The room as its callers see it: files in, plans, rows and faults out.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why")]

use std::fs;
use std::io::Write;
use std::sync::Arc;

use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use super::*;
use crate::model::ids::RowNumber;
use crate::model::operation::{Effect, Kind, Need, Parameter};

const ID32: Kind = Kind::Integer { min: 1, max: i32::MAX as i64, expected: "a 32-bit whole number" };

const fn parameter(name: &'static str, kind: Kind, need: Need) -> Parameter {
    Parameter { name, kind, need, about: "", example: "" }
}

const fn operation(name: &'static str, parameters: &'static [Parameter]) -> OperationSpec {
    OperationSpec {
        name,
        about: "",
        effect: Effect::Additive,
        moves_money: false,
        subject: None,
        amount: None,
        quantity: None,
        verified_by: None,
        parameters,
        rules: &[],
        token: None,
        returns: &[],
        words: &[],
    }
}

static EXTEND: OperationSpec = OperationSpec {
    subject: Some("PurchaseID"),
    quantity: Some(("Days", "days")),
    ..operation(
        "demo.extend_membership",
        &[
            parameter("PurchaseID", ID32, Need::Required),
            parameter("Days", Kind::Integer { min: 1, max: 3650, expected: "a whole number of days" }, Need::Required),
            parameter("Note", Kind::Text { max: 2_000_000 }, Need::Optional),
        ],
    )
};

static REFUND: OperationSpec = OperationSpec {
    subject: Some("OrderReference"),
    amount: Some("Total"),
    ..operation(
        "demo.refund_order",
        &[
            parameter("OrderReference", Kind::Id { max: 40 }, Need::Required),
            parameter("Total", Kind::Amount { zero: false }, Need::Required),
            parameter("Items", Kind::Json, Need::Optional),
            parameter("Tags", Kind::List { words: &[] }, Need::Optional),
            parameter("Buyer.Email", Kind::Text { max: 100 }, Need::Optional),
            parameter("Notify", Kind::Bool, Need::Optional),
        ],
    )
};

static SUBSCRIBE: OperationSpec = operation(
    "demo.add_subscription",
    &[
        parameter("Reference", Kind::Id { max: 40 }, Need::Required),
        parameter("Card.Number", Kind::CardNumber, Need::Optional),
        parameter("Card.CCID", Kind::SecurityCode, Need::Optional),
    ],
);

struct Demo;

fn demo(name: &str) -> AccountInfo {
    let currency = Currency::parse(if name == "euro" { "EUR" } else { "USD" });
    AccountInfo { name: AccountName::new(name), provider: "demo".to_owned(), currency }
}

impl Directory for Demo {
    fn operation(&self, name: &str) -> Option<&'static OperationSpec> {
        self.operations().into_iter().find(|operation| operation.name == name)
    }

    fn operations(&self) -> Vec<&'static OperationSpec> {
        vec![&EXTEND, &REFUND, &SUBSCRIBE]
    }

    fn account(&self, name: &str) -> Option<AccountInfo> {
        match name {
            "demo" | "euro" => Some(demo(name)),
            "other" => Some(AccountInfo { provider: "other".to_owned(), ..demo(name) }),
            _ => None,
        }
    }

    fn accounts(&self) -> Vec<String> {
        ["demo", "euro", "other"].map(str::to_owned).to_vec()
    }

    fn account_for(&self, _: &str) -> Result<AccountInfo, String> {
        Ok(demo("demo"))
    }

    fn check(&self, row: &Row) -> Result<(), RowFault> {
        match row.get("Days") {
            Some("666") => Err(RowFault { parameter: "Days", expected: "another number".to_owned() }),
            _ => Ok(()),
        }
    }
}

/// A folder with one input.
struct Case {
    folder: Arc<TempDir>,
    spec: InputSpec,
}

impl Case {
    fn new(name: &str, bytes: impl AsRef<[u8]>, operation: Option<&'static OperationSpec>) -> Self {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("written");
        let spec = InputSpec { shown: name.to_owned(), operation, ..InputSpec::new(path) };
        Self { folder, spec }
    }

    fn with(mut self, change: impl FnOnce(&mut InputSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    fn plan(&self) -> Result<PlannedInput, InputError> {
        plan(self.spec.clone(), Arc::new(Demo))
    }

    fn planned(&self) -> Kept {
        let planned = self.plan().map_err(|error| error.to_string()).expect("a plan");
        Kept { planned, _folder: Arc::clone(&self.folder) }
    }

    fn error(&self) -> String {
        match self.plan() {
            Ok(planned) => format!("planned {} rows", planned.census().rows),
            Err(error) => error.to_string(),
        }
    }

    fn faults(&self) -> Vec<String> {
        match self.plan() {
            Err(InputError::BadRows(bad)) => bad.faults.iter().map(Fault::to_string).collect(),
            Err(other) => vec![other.to_string()],
            Ok(planned) => vec![format!("planned {} rows", planned.census().rows)],
        }
    }
}

/// A planned input whose file stays as long as it does.
struct Kept {
    planned: PlannedInput,
    _folder: Arc<TempDir>,
}

impl std::ops::Deref for Kept {
    type Target = PlannedInput;

    fn deref(&self) -> &PlannedInput {
        &self.planned
    }
}

fn extend(text: impl AsRef<[u8]>) -> Case {
    Case::new("x.csv", text, Some(&EXTEND))
}

fn jsonl(text: impl AsRef<[u8]>, operation: &'static OperationSpec) -> Case {
    Case::new("x.jsonl", text, Some(operation))
}

fn rows(planned: &PlannedInput) -> Vec<String> {
    let mut rows = planned.rows(Done::default()).expect("open");
    let mut texts = Vec::new();
    while let Some(row) = rows.next_row().expect("as planned") {
        let given: Vec<String> = row.given().map(|(parameter, value)| format!("{}={value}", parameter.name)).collect();
        let money = row.amount.map(|money| format!(" {money}")).unwrap_or_default();
        texts.push(format!("{} {} {}{money}", row.number, row.account, given.join(" ")));
    }
    texts
}

#[test]
fn a_plain_file() {
    let planned = extend("purchaseid,DAYS,who\n1,030,me\n2,7,\n1,1,you\n").planned();
    assert_eq!(
        rows(&planned),
        ["2 demo PurchaseID=1 Days=30", "3 demo PurchaseID=2 Days=7", "4 demo PurchaseID=1 Days=1"]
    );
    assert_eq!(rows(&planned).len(), 3, "as often as asked");
    let census = planned.census();
    let group = &census.groups[0];
    assert_eq!((census.rows, group.rows, group.quantity), (3, 3, Some((38, "days"))));
    let repeated = &census.repeated;
    assert_eq!((repeated.subjects, repeated.repeated, &repeated.examples), (2, 1, &vec![RowNumber(4)]));
    assert_eq!(census.first[1].values, [("PurchaseID", "2".to_owned()), ("Days", "7".to_owned())]);
}

#[rstest]
#[case::quoted_newlines_and_crlf("PurchaseID,Days,Note\r\n1,2,\"a\r\nb\"\r\n3,4,\r\n", &["2", "4"])]
#[case::byte_order_mark("\u{feff}PurchaseID,Days\n1,2\n", &["2"])]
#[case::semicolons("PurchaseID;Days\n1;2\n", &["2"])]
#[case::tabs("PurchaseID\tDays\n1\t2\n\n", &["2"])]
#[case::bars("PurchaseID|Days\n1|2", &["2"])]
fn ways_to_write_csv(#[case] text: &str, #[case] numbers: &[&str]) {
    let planned = extend(text).planned();
    let found: Vec<String> = rows(&planned).iter().map(|row| row.split(' ').next().unwrap_or("").to_owned()).collect();
    assert_eq!(found, numbers);
}

#[rstest]
#[case::short_row("PurchaseID,Days,note\n1,2\n", "2: 2 fields, expected 3 (PurchaseID, Days, note)")]
#[case::long_row("PurchaseID,Days,note\n1,2,x,y\n", "2: 4 fields, expected 3 (PurchaseID, Days, note)")]
#[case::letter("PurchaseID,Days\n1,3O\n", "2:2: Days = `3O`, expected a whole number of days\nhint: a letter")]
#[case::spreadsheet(
    "PurchaseID,Days\n8.0E+7,3\n",
    "2:1: PurchaseID = `8.0E+7`, expected a 32-bit whole number\nhint: a spreadsheet"
)]
#[case::overflow("PurchaseID,Days\n2147483648,3\n", "2:1: PurchaseID = `2147483648`, expected a 32-bit whole number")]
#[case::space(
    "PurchaseID,Days\n 1,3\n",
    "2:1: PurchaseID = ` 1`, expected a 32-bit whole number\nhint: there is a space"
)]
#[case::empty_cell("PurchaseID,Days\n1,\n", "2:2: Days is not given, expected a whole number of days (it is required)")]
#[case::cell_after_line_breaks("Note,PurchaseID,Days\n\"a\nb\",1,x\n", "3:3: Days = `x`, expected")]
#[case::terminal("PurchaseID,Days\n1,\"\u{1b}[2J\"\n", "2:2: Days = `\\u{1b}[2J`, expected")]
#[case::provider("PurchaseID,Days\n1,666\n", "2:2: Days = `666`, expected another number")]
fn bad_rows(#[case] text: &str, #[case] expected: &str) {
    let faults = extend(text).faults();
    assert!(faults.len() == 1 && faults[0].starts_with(expected), "{faults:?}");
}

#[rstest]
#[case::empty("", "x.csv: is empty")]
#[case::header_only("PurchaseID,Days\n\n", "x.csv: has no rows")]
#[case::same_name("PurchaseID,Days,days\n1,2,3\n", "x.csv:1:3: the column `days` is there twice: columns 2 and 3")]
#[case::no_column(
    "PurchaseID,Day\n1,2\n",
    "x.csv:1: no column `Days`, which demo.extend_membership requires\nhint: if it is `Day`"
)]
#[case::cut_off("PurchaseID,Days\n1,2\n3,\"4", "x.csv:3:2: a quoted cell starts here and never ends")]
#[case::nul("PurchaseID,Days\n1,2\n3,\x004\n", "x.csv:3:3: a NUL byte")]
#[case::ten_mebibytes_in_a_cell(&format!("PurchaseID,Days\n1,{}\n", "9".repeat(10 << 20)), "x.csv:2:2: a field of more than 1048576 bytes")]
#[case::unclear_separator("PurchaseID,Days;x\n1,2\n", "x.csv:1: the header may be separated by `,` or by `;`")]
#[case::card("PurchaseID,Days,who\n1,2,x\n3,4,4111 1111 1111 1111\n", "x.csv:3:3: a card number where none belongs")]
#[case::card_in_an_extra_cell("PurchaseID,Days\n1,2,4111111111111111\n", "x.csv:2:3: a card number where none belongs")]
#[case::security_code("PurchaseID,Days,Card CVV\n1,2,\n", "x.csv:1:3: a column named like a card's security code")]
#[case::card_in_the_header("PurchaseID,Days,4111111111111111\n1,2,\n", "x.csv:1:3: the first line holds a value")]
fn bad_files(#[case] text: &str, #[case] expected: &str) {
    for skip_invalid in [false, true] {
        let error = extend(text).with(|spec| spec.skip_invalid = skip_invalid).error();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains("4111"), "{error}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused_where_it_stands() {
    let bytes = b"PurchaseID,Days,Note\n1,2,good\n3,4,caf\xe9\n";
    let error = extend(bytes).error();
    assert!(error.starts_with("x.csv:3:8: byte 0xe9 is not valid UTF-8\nhint:"), "{error}");
    assert!(error.contains("--encoding windows-1252"), "{error}");
    let planned = extend(bytes).with(|spec| spec.encoding = Some(encoding_rs::WINDOWS_1252)).planned();
    assert_eq!(rows(&planned)[1], "3 demo PurchaseID=3 Days=4 Note=café");
    let cut = extend(b"PurchaseID,Days,Note\n1,2,\xc3").error();
    assert!(cut.starts_with("x.csv:2:5: byte 0xc3"), "{cut}");
}

#[test]
fn the_place_of_a_bad_byte_is_right_beyond_the_first_buffer() {
    let mut bytes = b"PurchaseID,Days,Note\n".to_vec();
    for _ in 0..20_000 {
        bytes.extend_from_slice("1,2,ä€ß\n".as_bytes());
    }
    bytes.extend_from_slice(b"1,2,\xff\n");
    let error = extend(&bytes).error();
    assert!(error.starts_with("x.csv:20002:5: byte 0xff"), "{error}");
    let mut long = b"PurchaseID,Days,Note\n1,2,".to_vec();
    long.extend(std::iter::repeat_n(b'x', 200_000));
    long.push(0xff);
    let error = extend(&long).error();
    assert!(error.starts_with("x.csv:2:200005: byte 0xff"), "{error}");
}

#[test]
fn utf_16_is_known_by_its_mark() {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend("PurchaseID\tDays\tNote\r\n1\t2\tä€\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(rows(&extend(&bytes).planned()), ["2 demo PurchaseID=1 Days=2 Note=ä€"]);
    let mut damaged = bytes.clone();
    damaged.extend([0x00, 0xd8, 0x0a, 0x00]);
    assert!(extend(&damaged).error().contains("bytes that are not valid UTF-16LE"));
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("written");
    encoder.finish().expect("finished")
}

#[test]
fn compressed_files() {
    let text = "PurchaseID,Days\n1,2\n";
    let more = "3,4\n";
    let members = [gzip(text.as_bytes()), gzip(more.as_bytes())].concat();
    let case = Case::new("x.csv.gz", &members, Some(&EXTEND));
    assert_eq!(rows(&case.planned()).len(), 2, "all members are read");
    let frames = zstd::encode_all(text.as_bytes(), 0).expect("encoded");
    assert_eq!(rows(&Case::new("spooled", &frames, Some(&EXTEND)).planned()).len(), 1);
    let cut = Case::new("x.csv.gz", &members[..members.len() - 9], Some(&EXTEND)).error();
    assert_eq!(cut.lines().next(), Some("x.csv.gz: ends in the middle of its compressed data"));
    let cut = Case::new("x.csv.zst", &frames[..frames.len() - 3], Some(&EXTEND)).error();
    assert!(cut.starts_with("x.csv.zst: "), "{cut}");
}

#[test]
fn a_small_file_cannot_expand_without_end() {
    let bomb = gzip(&vec![b'\n'; 10 << 20]);
    assert!(bomb.len() < 64 << 10);
    for bytes in [bomb, zstd::encode_all(&vec![b'\n'; 10 << 20][..], 0).expect("encoded")] {
        let error = extend(&bytes).with(|spec| spec.limits.expanded = 1 << 20).error();
        assert_eq!(error, "x.csv: cannot be read: it expands to more than 1048576 bytes");
    }
}

#[test]
fn twenty_faults_of_all() {
    let text = format!("PurchaseID,Days\n{}1,2\n", "x,y\n".repeat(15));
    match extend(text).plan() {
        Err(InputError::BadRows(bad)) => {
            assert_eq!((bad.rows, bad.bad, bad.count, bad.faults.len()), (16, 15, 30, FAULTS_KEPT));
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn bad_rows_can_be_left_out_and_are_told_apart() {
    let case = extend("PurchaseID,Days\n1,2\nx,y\n3,4,5\n6,7\n").with(|spec| spec.skip_invalid = true);
    let planned = case.planned();
    assert_eq!((planned.census().rows, planned.census().skipped.bad), (2, 2));
    assert_eq!(rows(&planned).len(), 2);
    let mut raw = planned.raw_rows().expect("open");
    let mut seen = Vec::new();
    while let Some(record) = raw.next_record().expect("as planned") {
        let Content::Cells(cells) = record.content else { panic!("cells") };
        seen.push((record.number.0, record.row.is_some(), cells.join("|")));
    }
    let expected = [(2, true, "1|2"), (3, false, "x|y"), (4, false, "3|4"), (5, true, "6|7")];
    assert_eq!(seen, expected.map(|(number, good, cells)| (number, good, cells.to_owned())));
    assert!(extend("PurchaseID,Days\nx,y\n").with(|spec| spec.skip_invalid = true).error().starts_with("1 of 1 rows"));
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
}

#[test]
fn columns_and_defaults() {
    let case = extend("Subscription,days\n1,\n2,5\n").with(|spec| {
        spec.columns = pairs(&[("subscription", "purchaseid")]);
        spec.defaults = pairs(&[("DAYS", "30")]);
    });
    assert_eq!(rows(&case.planned()), ["2 demo PurchaseID=1 Days=30", "3 demo PurchaseID=2 Days=5"]);
    let ours = extend("PurchaseID,Days,subops_status,subops_row\n1,2,failed,2\n").planned();
    assert_eq!(ours.raw_rows().expect("open").header(), Some(&["PurchaseID".to_owned(), "Days".to_owned()][..]));
}

#[rstest]
#[case(&[("Subscriptoin", "PurchaseID")], &[], "x.csv:1: `[columns]` names `Subscriptoin`, which is no column\nhint: perhaps `Subscription`")]
#[case(&[("Subscription", "PurchasID")], &[], "x.csv: `[columns]` gives `Subscription` to `PurchasID`, which is no parameter\nhint: perhaps `PurchaseID`")]
#[case(&[("Subscription", "Total")], &[], "x.csv: `[columns]` gives `Subscription` to `Total`, which is no parameter")]
#[case(&[("Subscription", "PurchaseID"), ("Days", "PurchaseID")], &[], "x.csv:1:2: the columns `Subscription` and `Days` both give `PurchaseID`")]
#[case(&[], &[("Dayz", "3")], "x.csv: `[defaults]` names `Dayz`, which is no parameter\nhint: perhaps `Days`")]
#[case(&[], &[("Card.Number", "4111111111111111")], "x.csv: `[defaults]` gives `Card.Number`: card data does not belong")]
fn wrong_mappings(#[case] columns: &[(&str, &str)], #[case] defaults: &[(&str, &str)], #[case] expected: &str) {
    let case = extend("Subscription,Days\n1,2\n").with(|spec| {
        spec.columns = pairs(columns);
        spec.defaults = pairs(defaults);
    });
    let error = case.error();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_bad_default_is_a_fault() {
    let case = extend("PurchaseID\n1\n").with(|spec| spec.defaults = pairs(&[("Days", "x")]));
    assert_eq!(case.faults(), ["2: Days = `x`, expected a whole number of days"]);
}

#[test]
fn a_file_of_several_operations() {
    let text = "operation,account,PurchaseID,Days,OrderReference,Total\n\
                demo.extend_membership,,1,30,,\n\
                demo.refund_order,euro,,,A-1,5.00\n\
                demo.refund_order,,,,A-1,2.50\n";
    let planned = Case::new("x.csv", text, None).planned();
    assert_eq!(
        rows(&planned),
        [
            "2 demo PurchaseID=1 Days=30",
            "3 euro OrderReference=A-1 Total=5.00 EUR 5.00",
            "4 demo OrderReference=A-1 Total=2.50 USD 2.50",
        ]
    );
    let census = planned.census();
    let amounts: Vec<String> = census.amounts.iter().map(|(currency, sum)| format!("{currency} {sum}")).collect();
    assert_eq!(amounts, ["EUR 5.00", "USD 2.50"]);
    assert_eq!((census.groups.len(), census.repeated.subjects, census.repeated.repeated), (3, 3, 0));
}

#[test]
fn what_a_row_names_must_exist() {
    let text = "operation,account,PurchaseID,Days\n\
                extend_membership,,1,2\n\
                ,,1,2\n\
                demo.extend_membership,eur,1,2\n\
                demo.extend_membership,other,1,2\n\
                demo.extend_membership,,1,\n";
    assert_eq!(
        Case::new("x.csv", text, None).faults(),
        [
            "2:1: operation = `extend_membership`, expected the name of an operation\nhint: perhaps `demo.extend_membership`",
            "3:1: operation is not given, expected the name of an operation\nhint: name it in a column `operation`, or with `--operation`",
            "4:2: account = `eur`, expected the name of an account at demo\nhint: perhaps `euro`",
            "5:2: account = `other`, expected the name of an account at demo\nhint: account `other` is at other",
            "6:4: Days is not given, expected a whole number of days (it is required)",
        ]
    );
    assert!(Case::new("x.csv", "PurchaseID,Days\n1,2\n", None).error().contains("no column `operation`"));
}

#[test]
fn amounts_of_operations_without_one() {
    let text = "PurchaseID,Days,amount,currency\n1,2,9.95,eur\n3,4,0.05,\n5,6,,\n";
    let planned = extend(text).planned();
    assert_eq!(rows(&planned)[..2], ["2 demo PurchaseID=1 Days=2 EUR 9.95", "3 demo PurchaseID=3 Days=4 USD 0.05"]);
    let faults = extend("PurchaseID,Days,amount,currency\n1,2,9.955,eur\n3,4,1,zzz\n").faults();
    assert_eq!(faults[0], "2:3: amount = `9.955`, expected an amount with at most 2 decimals (EUR)");
    assert_eq!(faults[1], "3:4: currency = `zzz`, expected a currency code such as USD");
}

#[test]
fn json_lines() {
    let text = concat!(
        "{\"OrderReference\":1234567890123456789,\"total\":19.90,\"Items\":[ {\"n\": 1.10} ],\"Tags\":[\"a\",\"b\"]}\r\n",
        "\n",
        "{\"OrderReference\":\"x\",\"Total\":\"5\",\"Notify\":true,\"Buyer\":{\"Email\":\"a@b\"},\"Items\":null}\n",
    );
    let planned = jsonl(text, &REFUND).planned();
    assert_eq!(
        rows(&planned),
        [
            "1 demo OrderReference=1234567890123456789 Total=19.90 Items=[{\"n\":1.10}] Tags=[\"a\",\"b\"] USD 19.90",
            "3 demo OrderReference=x Total=5 Buyer.Email=a@b Notify=true USD 5",
        ]
    );
}

#[rstest]
#[case(
    r#"{"PurchaseID":1,"Days":2,"Days":3}"#,
    "1:31: expected one JSON object a line; found a name that appears twice"
)]
#[case(
    r#"{"PurchaseID":1,"Days":2,"days":3}"#,
    "1:1: expected one JSON object a line; found two names that give `days`"
)]
#[case(r#"{"PurchaseID":1,"Days":NaN}"#, "1:24: expected one JSON object a line; found")]
#[case(r#"{"PurchaseID":1,"Days":3e1}"#, "1:24: Days = `3e1`, expected a whole number of days\nhint: a spreadsheet")]
#[case(r#"{"PurchaseID":1}"#, "1: Days is not given, expected a whole number of days (it is required)")]
#[case(r#"{"PurchaseID":1,"Days":[2]}"#, "1:24: Days = `[2]`, expected a whole number of days\nhint: an array")]
#[case(r#"{"PurchaseID":1,"Days""#, "1:22: expected one JSON object a line; found")]
#[case(r#"[1]"#, "1:1: expected one JSON object a line; found")]
fn bad_json_lines(#[case] text: &str, #[case] expected: &str) {
    let faults = jsonl(text, &EXTEND).faults();
    assert!(faults.len() == 1 && faults[0].starts_with(expected), "{faults:?}");
}

#[test]
fn json_lines_as_files() {
    assert_eq!(jsonl("", &EXTEND).error(), "x.jsonl: has no rows");
    let unmet = jsonl("{\"PurchaseID\":1,\"Days\":2}\n", &EXTEND).with(|spec| spec.columns = pairs(&[("n", "Days")]));
    assert_eq!(unmet.error(), "x.jsonl: `[columns]` names `n`, which no row has");
    let card = jsonl("{\"PurchaseID\":1,\"Days\":2,\"memo\":{\"x\":[\"4111111111111111\"]}}\n", &EXTEND).error();
    assert!(card.starts_with("x.jsonl:1:38: a card number"), "{card}");
    let cut = jsonl("{\"PurchaseID\":1,\"memo\":\"4111111111111111\"", &EXTEND).error();
    assert!(cut.contains("a card number") && !cut.contains("4111"), "{cut}");
    let name = jsonl("{\"PurchaseID\":1,\"Days\":2,\"4111111111111111\":1}", &EXTEND).error();
    assert!(name.contains("a card number") && !name.contains("4111"), "{name}");
    let code = jsonl("{\"PurchaseID\":1,\"Days\":2,\"card\":{\"cvv\":\"\"}}\n", &EXTEND).error();
    assert!(code.contains("security code"), "{code}");
}

#[test]
fn card_data_where_it_belongs_is_never_shown() {
    let key = |spec: &mut InputSpec| spec.digest_key = Some([7; 32]);
    let text = "Reference,Card.Number,Card.CCID,who\na,4111111111111111,123,me\n";
    let case = Case::new("x.csv", text, Some(&SUBSCRIBE)).with(key);
    let planned = case.planned();
    assert!(planned.holds_secrets() && !may_be_kept(&SUBSCRIBE));
    assert_eq!(planned.census().first[0].values[1].1, "•••1111");
    let mut raw = planned.raw_rows().expect("open");
    let record = raw.next_record().expect("as planned").expect("one");
    assert_eq!(
        record.row.and_then(|row| row.get("card.number").map(str::to_owned)).as_deref(),
        Some("4111111111111111")
    );
    let Content::Cells(cells) = record.content else { panic!("cells") };
    assert_eq!(cells, ["a", "•••1111", "•••", "me"]);

    let keyless = Case::new("x.csv", text, Some(&SUBSCRIBE)).plan();
    assert!(matches!(keyless, Err(InputError::KeyNeeded)));
    let faults =
        Case::new("x.csv", "Reference,Card.Number,Card.CCID\na,4111111111111112,12\n", Some(&SUBSCRIBE)).faults();
    assert!(faults[0].starts_with("2:2: Card.Number = `•••1112`, expected a card number"), "{faults:?}");
    assert!(faults[1].starts_with("2:3: Card.CCID = `•••`, expected a security code"), "{faults:?}");
}

#[test]
fn card_data_in_lines_is_masked() {
    let line = r#"{"Reference":"a","Card":{"Number":"4111111111111111","CCID":123},"subops_row":4,"n":1.10}"#;
    let case = jsonl(line, &SUBSCRIBE).with(|spec| spec.digest_key = Some([7; 32]));
    let planned = case.planned();
    let mut raw = planned.raw_rows().expect("open");
    let Content::Line(text) = raw.next_record().expect("as planned").expect("one").content else { panic!("a line") };
    assert_eq!(text, r#"{"Reference":"a","Card":{"Number":"•••1111","CCID":"•••"},"n":1.10}"#);
}

#[test]
fn a_column_of_codes_may_belong_to_other_rows() {
    let header = "operation,Reference,Card.CCID,PurchaseID,Days\n";
    let good = format!("{header}demo.add_subscription,a,123,,\ndemo.extend_membership,,,1,2\n");
    let key = |spec: &mut InputSpec| spec.digest_key = Some([7; 32]);
    assert_eq!(Case::new("x.csv", good, None).with(key).planned().census().rows, 2);
    let bad = format!("{header}demo.extend_membership,,123,1,2\n");
    assert!(Case::new("x.csv", bad, None).error().starts_with("x.csv:2:3: a column named like"));
}

#[test]
fn a_file_that_changes_is_an_error_and_never_another_row() {
    let rows = "1,2\n".repeat(100_000);
    let case = extend(format!("PurchaseID,Days\n{rows}"));
    let planned = case.planned();
    let mut open = planned.rows(Done::default()).expect("open");
    fs::write(&case.spec.path, format!("PurchaseID,Days\n{}", rows.replace('2', "9"))).expect("written");
    let message = "x.csv: changed since it was planned";
    let fault = loop {
        match open.next_row() {
            Ok(row) => assert_eq!(row.expect("not the end").get("Days"), Some("2"), "only planned rows come out"),
            Err(fault) => break fault,
        }
    };
    assert!(fault.message.starts_with(message), "{fault}");
    assert!(planned.rows(Done::default()).err().is_some_and(|fault| fault.message.starts_with(message)));
    assert!(planned.raw_rows().err().is_some_and(|fault| fault.message.starts_with(message)));

    let again = case.planned();
    let other = case.folder.path().join("other");
    fs::copy(&case.spec.path, &other).expect("copied");
    fs::rename(&other, &case.spec.path).expect("replaced by a file with the same content");
    assert!(again.rows(Done::default()).is_err(), "another file under the same name");
}

#[test]
fn only_files_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = plan(InputSpec::new(folder.path()), Arc::new(Demo)).err().expect("no file").to_string();
    assert!(error.contains("is not a regular file"), "{error}");
    let error = plan(InputSpec::new(folder.path().join("none.csv")), Arc::new(Demo)).err().expect("none").to_string();
    assert!(error.contains("none.csv: cannot be read: No such file"), "{error}");
}

#[test]
fn the_digest_is_of_the_bytes_and_of_their_meaning() {
    let text = "PurchaseID,Days,Other\n1,2,3\n";
    let digest =
        |change: fn(&mut InputSpec), also: &[(&str, &str)]| extend(text).with(change).planned().plan_digest(also);
    let plain = digest(|_| {}, &[]);
    assert!(plain.len() == 71 && plain.starts_with("blake3:"), "{plain}");
    let same: [fn(&mut InputSpec); 4] = [
        |spec| spec.skip_invalid = true,
        |spec| spec.delimiter = Some(b','),
        |spec| spec.encoding = Some(encoding_rs::UTF_8),
        |spec| spec.shown = "another/name.csv".to_owned(),
    ];
    for change in same {
        assert_eq!(digest(change, &[]), plain);
    }
    let different: [fn(&mut InputSpec); 4] = [
        |spec| spec.defaults = pairs(&[("Note", "x")]),
        |spec| spec.columns = pairs(&[("Other", "Note")]),
        |spec| spec.account = Some(AccountName::new("euro")),
        |spec| spec.digest_key = Some([1; 32]),
    ];
    for change in different {
        assert_ne!(digest(change, &[]), plain);
    }
    assert_ne!(digest(|_| {}, &[("verify", "off")]), plain);
    assert_ne!(extend(format!("{text}4,5,6\n")).planned().plan_digest(&[]), plain);
}

#[test]
fn sums_are_exact_or_refused() {
    let big = "79228162514264337593543950335";
    for (first, second) in [(big, "0.01"), ("0.01", big)] {
        let text = format!("OrderReference,Total\na,{first}\nb,{second}\n");
        let error = Case::new("x.csv", text, Some(&REFUND)).error();
        assert!(error.starts_with("x.csv:3: the sum of the rows up to here"), "{error}");
    }
}

proptest! {
    /// Ids and amounts of JSONL come out digit by digit.
    #[test]
    fn json_numbers_are_exact(id in "[1-9][0-9]{0,11}", whole in "(0|[1-9][0-9]{0,17})", cents in "[0-9]{2}") {
        prop_assume!(whole.bytes().chain(cents.bytes()).any(|byte| byte != b'0'));
        let line = format!("{{\"OrderReference\":{id},\"Total\":{whole}.{cents}}}\n");
        let case = jsonl(line, &REFUND);
        // About one in a hundred such amounts looks like a card number, and is refused.
        if let Ok(planned) = case.plan() {
            let expected = format!("1 demo OrderReference={id} Total={whole}.{cents} USD {whole}.{cents}");
            prop_assert_eq!(rows(&planned), [expected]);
        } else {
            prop_assert!(card::holds_card_number(&whole));
        }
    }
}

#[path = "kept_tests.rs"]
mod kept_tests;
