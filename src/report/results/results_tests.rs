//! The files on disk: what is in them, what is guarded, what is fed back, and what is there when something breaks.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::money::{Currency, parse_amount};
use crate::model::state::State;

const CSV: Form = Form::Csv { delimiter: b',' };

fn layout(form: Form) -> Layout {
    Layout {
        form,
        sent: vec!["purchaseid".into(), "Days".into()],
        card_numbers: Vec::new(),
        security_codes: Vec::new(),
        returned: vec!["link", "status"],
    }
}

/// Rows held in memory: number, cells (or an object), state.
struct Held {
    header: Vec<String>,
    rows: Vec<(u64, Vec<String>, Option<Recorded>)>,
    objects: bool,
    at: usize,
    breaks_at: usize,
}

impl Held {
    fn new(header: &str, rows: &[(u64, &str, Option<State>)]) -> Self {
        let split = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
        let rows = rows
            .iter()
            .map(|(number, cells, state)| (*number, split(cells), state.map(|state| record(*number, state))));
        Self { header: split(header), rows: rows.collect(), objects: false, at: 0, breaks_at: usize::MAX }
    }
}

fn record(number: u64, state: State) -> Recorded {
    Recorded {
        row: RowNumber(number),
        state,
        attempts: 1,
        intended_at: None,
        baseline: None,
        subject: None,
        sent: None,
        code: Some("word".into()),
        message: Some("=a word".into()),
        reference: None,
        data: vec![("link".into(), "https://localhost/x".into()), ("status".into(), "open".into())],
    }
}

impl ResultRows for Held {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next(&mut self) -> Result<Option<ResultRow<'_>>, ResultsError> {
        if self.at == self.breaks_at {
            return Err(ResultsError::rows("the input changed"));
        }
        let Some((number, cells, recorded)) = self.rows.get(self.at) else { return Ok(None) };
        self.at += 1;
        Ok(Some(ResultRow {
            number: RowNumber(*number),
            content: if self.objects { Content::Object(&cells[0]) } else { Content::Cells(cells) },
            recorded: recorded.as_ref(),
            amount: Some(Money {
                amount: parse_amount("9.95").expect("an amount"),
                currency: Currency::parse("USD").expect("USD"),
            }),
            quantity: Some((30, "days")),
            subject: Some("subscription 1"),
        }))
    }
}

fn summary() -> Summary {
    serde_json::from_str(
        r#"{"run":7,"job":"j","state":"finished","exit_code":0,"digest":"","rows":{"total":0,"applied":0,"already":0,
        "refused":0,"failed":0,"in_doubt":0,"held":0,"not_sent":0},"amounts":{},"calls":0,"retries":0,
        "rate":{"limit":"1/s","achieved":0.0},"latency_ms":{"p50":0,"p95":0,"p99":0},"started":"","finished":null,
        "results":null,"halted_by":null,"next":null}"#,
    )
    .expect("a summary")
}

fn write(folder: &Path, layout: &Layout, rows: &mut Held) -> (Tally, Manifest) {
    let staged = stage(folder, layout, rows).expect("the rows can be written");
    let tally = staged.tally.clone();
    (tally, staged.publish(&summary()).expect("the files can be put in place"))
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("the file is there")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_row_is_in_exactly_one_file_in_the_order_of_the_input() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("results/run");
    let states = State::ALL.map(Some).into_iter().chain([None]);
    let rows: Vec<_> = states.enumerate().map(|(at, state)| (at as u64 + 2, "1|30", state)).collect();
    let (tally, manifest) = write(&folder, &layout(CSV), &mut Held::new("PurchaseID|Days", &rows));

    let placed = |name: &str| -> Vec<String> {
        let text = read(&folder, name);
        text.lines().skip(1).map(|line| line.split(',').skip(2).take(2).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(placed("succeeded.csv"), ["4 applied", "5 already"]);
    assert_eq!(placed("failed.csv"), ["6 refused", "7 failed"]);
    assert_eq!(placed("in_doubt.csv"), ["3 in_doubt", "8 in_doubt"]);
    assert_eq!(placed("not_sent.csv"), ["2 not_sent", "9 held", "10 not_sent", "11 not_sent"]);

    let usd = Currency::parse("USD").expect("USD");
    assert_eq!((tally.totals.rows(), tally.totals.amount_of_all(usd).to_string()), (10, "99.50".into()));
    assert_eq!((tally.totals.count(State::NotSent), tally.totals.count(State::InDoubt)), (3, 2));
    assert_eq!(tally.quantities[&(State::Applied, "days")], 30);
    assert_eq!(tally.doubts.iter().map(|doubt| doubt.row.0).collect::<Vec<_>>(), [3, 8]);
    assert_eq!(tally.reasons.len(), 2);
    assert_eq!(manifest.files.iter().filter_map(|file| file.rows).sum::<u64>(), 10);
}

#[test]
fn all_files_are_there_with_a_header_when_there_are_no_rows() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("run");
    write(&folder, &layout(CSV), &mut Held::new("PurchaseID|subops_row|note", &[]));
    let header = "PurchaseID,note,subops_row,subops_status,subops_code,subops_message,subops_attempts,\
                  subops_reference,subops_link,subops_returned_status\n";
    for name in ["succeeded.csv", "failed.csv", "in_doubt.csv", "not_sent.csv"] {
        assert_eq!(read(&folder, name), header, "{name}");
    }
    let expected = ["failed.csv", "in_doubt.csv", "manifest.json", "not_sent.csv", "succeeded.csv", "summary.json"];
    assert_eq!(names(&folder), expected);
}

#[test]
fn formulas_are_guarded_but_nothing_that_is_sent_again() {
    let temporary = tempfile::tempdir().expect("a folder");
    let row = "=ID|-5|=note";
    let states = [State::Applied, State::Refused, State::InDoubt, State::NotSent];
    let rows: Vec<_> = states.iter().map(|state| (2, row, Some(*state))).collect();
    write(temporary.path(), &layout(CSV), &mut Held::new("PurchaseID|Days|note", &rows));
    let line = |name| read(temporary.path(), name).lines().nth(1).map(str::to_owned).unwrap_or_default();
    let ours = "word,'=a word,1,,https://localhost/x,open";
    assert_eq!(line("succeeded.csv"), format!("'=ID,-5,'=note,2,applied,{ours}"));
    assert_eq!(line("failed.csv"), format!("=ID,-5,'=note,2,refused,{ours}"));
    assert_eq!(line("in_doubt.csv"), format!("=ID,-5,'=note,2,in_doubt,{ours}"));
    assert_eq!(line("not_sent.csv"), format!("=ID,-5,'=note,2,not_sent,{ours}"));
}

#[test]
fn what_failed_can_be_fed_back_as_often_as_wanted() {
    let temporary = tempfile::tempdir().expect("a folder");
    let row = "a \"b\";c,\nd|-5|=x";
    let mut rows = Held::new("PurchaseID|Days|note", &[(2, row, Some(State::Failed))]);
    let semicolon = layout(Form::Csv { delimiter: b';' });
    write(&temporary.path().join("1"), &semicolon, &mut rows);
    for round in 1..4 {
        let from = temporary.path().join(format!("{round}/failed.csv"));
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_path(from).expect("readable");
        let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let record = reader.records().next().expect("a row").expect("a valid row");
        assert_eq!(record.iter().take(3).collect::<Vec<_>>(), ["a \"b\";c,\nd", "-5", "'=x"]);
        let cells: Vec<String> = record.iter().map(str::to_owned).collect();
        let rows = vec![(2, cells, Some(super::tests::record(2, State::Failed)))];
        let mut again = Held { header, rows, objects: false, at: 0, breaks_at: usize::MAX };
        write(&temporary.path().join((round + 1).to_string()), &semicolon, &mut again);
    }
    assert_eq!(read(temporary.path(), "2/failed.csv"), read(temporary.path(), "4/failed.csv"));
}

#[test]
fn a_jsonl_input_has_twins_that_keep_every_digit() {
    let temporary = tempfile::tempdir().expect("a folder");
    let object = r#"{"PurchaseID":1234567890123456789,"price":19.90,"end":{"name":"=x"},"subops_row":4}"#;
    let mut keys = json::Keys::default();
    keys.learn(object).expect("an object");
    let mut rows = Held::new("", &[(2, object, Some(State::Refused))]);
    (rows.header, rows.objects) = (keys.into_names(), true);
    write(temporary.path(), &layout(Form::Jsonl), &mut rows);
    let twin = concat!(
        r#"{"PurchaseID":1234567890123456789,"price":19.90,"end":{"name":"=x"},"subops_row":2,"#,
        r#""subops_status":"refused","subops_code":"word","subops_message":"=a word","subops_attempts":1,"#,
        r#""subops_reference":null,"subops_data":{"link":"https://localhost/x","status":"open"}}"#,
        "\n"
    );
    assert_eq!(read(temporary.path(), "failed.jsonl"), twin);
    assert_eq!(read(temporary.path(), "succeeded.jsonl"), "");
    let table = read(temporary.path(), "failed.csv");
    assert!(table.starts_with("PurchaseID,price,end.name,subops_row,"), "{table}");
    assert!(table.contains("\n1234567890123456789,19.90,'=x,2,refused,"), "{table}");
}

#[test]
fn of_card_data_only_four_digits_are_written() {
    let temporary = tempfile::tempdir().expect("a folder");
    let layout =
        Layout { card_numbers: vec!["card".into()], security_codes: vec!["cvv".into()], ..layout(Form::Jsonl) };
    let object = r#"{"Card":"4111111111111111","CVV":"987","x":{"card":1}}"#;
    let mut rows = Held::new("", &[]);
    for (number, state) in [(2, State::Applied), (3, State::Failed), (4, State::InDoubt), (5, State::NotSent)] {
        rows.rows.push((number, vec![object.to_owned()], Some(record(number, state))));
    }
    rows.header = vec!["Card".into(), "CVV".into(), "x.card".into()];
    rows.objects = true;
    write(temporary.path(), &layout, &mut rows);
    for name in names(temporary.path()) {
        let text = read(temporary.path(), &name);
        assert!(!text.contains("411111") && !text.contains("987"), "{name}: {text}");
    }
    assert!(read(temporary.path(), "failed.csv").contains("\n•••• 1111,,1,3,failed"));
    assert!(read(temporary.path(), "failed.jsonl").starts_with(r#"{"Card":"•••• 1111","x":{"card":1},"subops_row":3"#));
}

#[test]
fn the_manifest_lists_sizes_and_digests() {
    let temporary = tempfile::tempdir().expect("a folder");
    let mut rows = Held::new("PurchaseID", &[(2, "1", Some(State::Applied)), (3, "2", Some(State::Applied))]);
    let (_, manifest) = write(temporary.path(), &layout(CSV), &mut rows);
    assert_eq!(manifest.files.len(), 5);
    for file in &manifest.files {
        let bytes = fs::read(temporary.path().join(&file.name)).expect("the file is there");
        assert_eq!(file.bytes, bytes.len() as u64);
        assert_eq!(file.blake3, blake3::hash(&bytes).to_hex().to_string());
    }
    let text: serde_json::Value = serde_json::from_str(&read(temporary.path(), "manifest.json")).expect("JSON");
    assert_eq!(text["files"][0]["rows"], 2);
    assert_eq!((&text["run"], &text["files"][4]["name"]), (&7.into(), &"summary.json".into()));
}

#[test]
fn only_the_owner_may_read_them() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("run");
    write(&folder, &layout(CSV), &mut Held::new("PurchaseID", &[]));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in names(&folder) {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_broken_attempt_leaves_what_was_there() {
    let temporary = tempfile::tempdir().expect("a folder");
    let one = [(2, "1", Some(State::Applied))];
    write(temporary.path(), &layout(CSV), &mut Held::new("PurchaseID", &one));
    let before: Vec<String> = names(temporary.path()).iter().map(|name| read(temporary.path(), name)).collect();
    let mut breaking = Held { breaks_at: 1, ..Held::new("PurchaseID", &[one[0], one[0]]) };
    assert!(stage(temporary.path(), &layout(CSV), &mut breaking).is_err());
    let staged = stage(temporary.path(), &layout(CSV), &mut Held::new("PurchaseID", &[]));
    drop(staged.expect("the rows can be written"));
    let after: Vec<String> = names(temporary.path()).iter().map(|name| read(temporary.path(), name)).collect();
    assert_eq!(before, after, "neither changed nor joined by temporary files");
}

#[test]
fn a_later_end_of_the_run_replaces_the_files() {
    let temporary = tempfile::tempdir().expect("a folder");
    write(temporary.path(), &layout(CSV), &mut Held::new("PurchaseID", &[(2, "1", None)]));
    fs::write(temporary.path().join(".failed.csv.part"), "left by a crash").expect("writable");
    write(temporary.path(), &layout(CSV), &mut Held::new("PurchaseID", &[(2, "1", Some(State::Applied))]));
    assert_eq!(read(temporary.path(), "not_sent.csv").lines().count(), 1);
    assert_eq!(read(temporary.path(), "succeeded.csv").lines().count(), 2);
    assert_eq!(names(temporary.path()).len(), 6);
}

#[test]
fn the_folder_is_named_after_the_run() {
    let named = |job| folder(Path::new("results"), job, 1_795_400_047_113, RunId(7)).display().to_string();
    assert_eq!(named("extend-memberships"), "results/extend-memberships-20261123T021407Z-run7");
    assert_eq!(named("../../etc/x y"), "results/-..-etc-x-y-20261123T021407Z-run7");
    assert_eq!(named(".."), "results/job-20261123T021407Z-run7");
}

#[test]
fn many_reasons_are_bounded_and_messages_that_differ_are_not_told() {
    let mut tally = Tally::default();
    for number in 0..1_000 {
        let code = format!("code {}", number % 200);
        let message = if number % 200 == 0 { format!("about {number}") } else { "same".to_owned() };
        let recorded = Recorded { code: Some(code), message: Some(message), ..record(number, State::Refused) };
        let cells: Vec<String> = Vec::new();
        tally.take(&ResultRow {
            number: RowNumber(number),
            content: Content::Cells(&cells),
            recorded: Some(&recorded),
            amount: None,
            quantity: None,
            subject: None,
        });
    }
    assert_eq!(tally.reasons.len(), 65);
    assert_eq!(tally.reasons.values().map(|reason| reason.rows).sum::<u64>(), 1_000);
    let reason = |code: &str| &tally.reasons[&(State::Refused, code.to_owned())];
    assert_eq!((reason("code 0").message.as_deref(), reason("code 1").message.as_deref()), (None, Some("same")));
}
