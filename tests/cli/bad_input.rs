//! Inputs, jobs and settings that cannot be sent: each is refused before anything leaves, with the place, the value, what
//! was expected, and what to do.

use std::fs;

use serde_json::Value;

use super::bench::{Bench, number, without_token};
use super::support::{Home, Outcome};

const EXTEND: &str = "segpay.extend_membership";
const MODIFY: &str = "segpay.modify_rebill_amount";

/// An input, how it is called in the command, and what must be said about it.
struct Bad {
    file: &'static str,
    content: Vec<u8>,
    operation: &'static str,
    said: &'static [&'static str],
}

fn bad(file: &'static str, content: impl AsRef<[u8]>, said: &'static [&'static str]) -> Bad {
    Bad { file, content: content.as_ref().to_vec(), operation: EXTEND, said }
}

fn amount(file: &'static str, content: &str, said: &'static [&'static str]) -> Bad {
    Bad { operation: MODIFY, ..bad(file, format!("PurchaseID,RecurringAmount\n80000001,{content}\n"), said) }
}

/// Text on one line, so that it does not matter where the screen breaks it.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs (not only plans) each of them: all are refused with 2, in these words, and nothing is sent or kept.
fn all_refused(inputs: Vec<Bad>) {
    let bench = Bench::new();
    for Bad { file, content, operation, said } in inputs {
        bench.home.write(file, content);
        let end = bench.home.run(["run", file, "--operation", operation]).exits(2);
        let text = flat(&end.stderr);
        for words in said {
            assert!(text.contains(words), "{file}: `{words}` is not in:\n{}", end.stderr);
        }
        assert_eq!(end.stdout, "", "{file}");
        let object = bench.home.run(["run", file, "--operation", operation, "--json"]).exits(2).json();
        assert!(!object["error"].is_null(), "{file}: {object}");
    }
    assert_eq!(bench.sandbox.requests(), 0, "nobody was called");
    assert!(!bench.home.path().join("results").exists(), "no run was made");
}

#[test]
fn files_without_rows_or_columns() {
    all_refused(vec![
        bad("empty.csv", "", &["empty.csv: is empty", "hint: the first line of a CSV file names its columns"]),
        bad("empty.jsonl", "", &["empty.jsonl: "]),
        bad("blank.csv", "\n\n", &["blank.csv"]),
        bad("header.csv", "PurchaseID,Days\n", &["header.csv: has no rows"]),
        bad(
            "missing.csv",
            "PurchaseID,note\n80000001,x\n",
            &[
                "missing.csv:1: no column `Days`, which segpay.extend_membership requires",
                "hint: the columns are PurchaseID, note",
            ],
        ),
        bad("twice.csv", "PurchaseID,Days,days\n80000001,3,4\n", &["twice.csv:1", "ays"]),
    ]);
}

#[test]
fn rows_of_another_length() {
    all_refused(vec![
        bad(
            "length.csv",
            "PurchaseID,Days,note\n80000001,3\n80000002,3,a,b\n80000003,3,a\n",
            &[
                "length.csv:2 2 fields expected 3 (PurchaseID, Days, note)",
                "length.csv:3 4 fields expected 3 (PurchaseID, Days, note)",
                "2 of 3 rows cannot be sent; nothing was sent",
                "subops run length.csv --operation segpay.extend_membership --skip-invalid",
            ],
        ),
        bad("cut.csv", "PurchaseID,Days,note\n80000001,3,a\n8000", &["cut.csv:3 1 field expected 3"]),
        bad(
            "open.csv",
            "PurchaseID,Days,note\n80000001,3,\"abc",
            &["open.csv:2:3: a quoted cell starts here and never ends"],
        ),
        bad("cut.jsonl", "{\"PurchaseID\":80000001,\"Days\":3}\n{\"PurchaseID\":80000001,\"Da", &["cut.jsonl:2:"]),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    let huge = format!("PurchaseID,Days,note\n80000001,3,{}\n", "x".repeat(10 << 20));
    all_refused(vec![
        bad(
            "latin.csv",
            b"PurchaseID,Days,note\n80000001,3,caf\xe9\n",
            &["latin.csv:2:15: byte 0xe9 is not valid UTF-8", "--encoding windows-1252"],
        ),
        bad("nul.csv", b"PurchaseID,Days,note\n80000001,3,a\0b\n", &["nul.csv:2:13: a NUL byte"]),
        bad("huge.csv", huge, &["huge.csv:2:3: a field of more than 1048576 bytes"]),
        bad("utf16.csv", b"\xff\xfeP\0u\0r\0,\0D\0\n\0", &["utf16.csv"]),
        bad(
            "quote.csv",
            "PurchaseID,Days\n\"80000001\"x,3\n",
            &["quote.csv:2:1: text after the quote that ends a cell"],
        ),
    ]);
}

#[test]
fn values_that_are_not_what_they_should_be() {
    all_refused(vec![
        bad(
            "ids.csv",
            "PurchaseID,Days\n3000000000,3\n8.0E+7,3\n-1,3\n80000001,0\n80000001,3O\n80000001,\n",
            &[
                "ids.csv:2:1 PurchaseID = `3000000000` expected a 32-bit whole number hint: the largest is 2147483647",
                "ids.csv:3:1 PurchaseID = `8.0E+7` expected a 32-bit whole number hint: a spreadsheet",
                "ids.csv:4:1 PurchaseID = `-1`",
                "ids.csv:5:2 Days = `0` expected a whole number of days, 1 to 3650",
                "ids.csv:6:2 Days = `3O` expected a whole number of days, 1 to 3650 hint: a letter",
                "ids.csv:7:2 Days expected a whole number of days, 1 to 3650 (it is required)",
            ],
        ),
        bad("breaks.csv", "PurchaseID,note,Days\n80000001,\"two\nlines\",x\n", &["breaks.csv:3:3 Days = `x`"]),
        bad("twice.jsonl", "{\"PurchaseID\":80000001,\"Days\":3,\"Days\":4}\n", &["twice.jsonl:1:", "appears twice"]),
        bad("list.jsonl", "[1]\n", &["list.jsonl:1:1", "expected one JSON object a line"]),
        bad("exponent.jsonl", "{\"PurchaseID\":8e7,\"Days\":3}\n", &["exponent.jsonl:1:15 PurchaseID = `8e7`"]),
        amount("exponent.csv", "1e3", &["exponent.csv:2:2 RecurringAmount = `1e3`", "no exponent"]),
        amount(
            "comma.csv",
            "\"5,00\"",
            &["comma.csv:2:2 RecurringAmount = `5,00`", "hint: write a point before the decimals"],
        ),
        Bad {
            operation: MODIFY,
            ..bad(
                "decimals.csv",
                "PurchaseID,RecurringAmount,currency\n80000001,1.234,USD\n80000002,5.5,JPY\n",
                &["decimals.csv:2:2 RecurringAmount = `1.234`", "decimals.csv:3:2 RecurringAmount = `5.5`"],
            )
        },
        amount("zero.csv", "0.00", &["zero.csv:2:2 RecurringAmount = `0.00` expected an amount of more than 0"]),
        amount("sign.csv", "$5", &["sign.csv:2:2 RecurringAmount = `$5`", "hint: leave out the currency sign"]),
        amount("wide.csv", "５", &["wide.csv:2:2 RecurringAmount"]),
    ]);
}

#[test]
fn operations_and_accounts_that_are_not_known() {
    all_refused(vec![Bad {
        operation: "segpay.extend_membershp",
        ..bad(
            "good.csv",
            "PurchaseID,Days\n80000001,3\n",
            &["unknown operation `segpay.extend_membershp`", "hint: did you mean `segpay.extend_membership`?"],
        )
    }]);
    let bench = Bench::new();
    let text = |file: &str| flat(&bench.home.run(["run", file]).exits(2).stderr);
    bench.home.write("column.csv", "operation,PurchaseID,Days\nsegpay.extend_membershp,80000001,3\n");
    let said = text("column.csv");
    assert!(said.contains("column.csv:2:1 operation = `segpay.extend_membershp`"), "{said}");
    assert!(said.contains("`segpay.extend_membership`"), "{said}");
    bench.home.write("none.csv", "PurchaseID,Days\n80000001,3\n");
    assert!(text("none.csv").contains("operation"));
    bench.home.write("account.csv", "operation,account,PurchaseID,Days\nsegpay.extend_membership,sepgay,80000001,3\n");
    assert!(text("account.csv").contains("account.csv:2:2 account = `sepgay`"), "{}", text("account.csv"));
    assert_eq!(bench.sandbox.requests(), 0);
}

#[test]
fn jobs_and_settings_with_unknown_keys_or_unsafe_values() {
    let bench = Bench::new();
    bench.home.write("good.csv", "PurchaseID,Days\n80000001,3\n");
    let job = |more: &str| {
        bench.home.write("job.toml", format!("input = \"good.csv\"\noperation = \"{EXTEND}\"\n{more}\n"));
        flat(&bench.home.run(["run", "job.toml"]).exits(2).stderr)
    };
    let said = job("verfy = \"off\"");
    assert!(said.contains("job.toml:3: unknown key `verfy` hint: did you mean `verify`?"), "{said}");
    assert!(job("[guard]\nmax_in_dout = 1").contains("job.toml:4: unknown key `guard.max_in_dout`"));
    assert!(job("[limits]\nrate = \"fast\"").contains("job.toml:4: "));
    assert!(job("[defaults]\nDais = 3").contains("Dais"), "a default that nothing takes is a slip");

    let settings = |text: &str| {
        bench.home.write("subops.toml", format!("[accounts.segpay]\nprovider = \"segpay\"\n{text}\n"));
        flat(&bench.home.run(["run", "good.csv", "--operation", EXTEND]).exits(2).stderr)
    };
    assert!(settings("rat = \"1/s\"").contains("subops.toml:3: unknown key `accounts.segpay.rat`"));
    let said = settings("[accounts.segpay.urls]\nsrs = \"http://srs.segpay.com\"");
    assert!(said.contains("subops.toml:4: `accounts.segpay.urls.srs`: `http://srs.segpay.com` is not https"), "{said}");
    let said = settings("[accounts.segpay.credentials]\naccess_key = \"hunter2-written-down\"");
    assert!(said.contains("never a literal") && !said.contains("hunter2"), "{said}");
    assert_eq!(bench.sandbox.requests(), 0);

    let mut home = Home::new();
    home.write("good.csv", "PurchaseID,Days\n80000001,3\n");
    home.set("SEGPAY_SRS_URL", "http://srs.segpay.com");
    let said = home.run(["run", "good.csv", "--operation", EXTEND]).exits(2).stderr;
    assert!(said.contains("`SEGPAY_SRS_URL`") && said.contains("is not https"), "{said}");
}

#[test]
fn a_secret_file_that_cannot_be_read_is_named_and_nothing_is_sent() {
    let bench = Bench::new();
    bench.home.write("good.csv", "PurchaseID,Days\n80000001,3\n");
    for (file, said) in [("nowhere", "No such file"), ("folder", "directory"), ("blank", "is empty")] {
        fs::create_dir_all(bench.home.path().join("folder")).expect("a folder");
        bench.home.write("blank", "");
        let settings = format!(
            "[accounts.segpay]\nprovider = \"segpay\"\n[accounts.segpay.credentials]\naccess_key = {{ file = \"{file}\" }}\n"
        );
        bench.home.write("subops.toml", settings);
        let end = bench.home.run(["run", "good.csv", "--operation", EXTEND]).exits(2);
        assert!(end.stderr.contains(&format!("{file}`")) && end.stderr.contains(said), "{}", end.stderr);
    }
    assert_eq!(bench.sandbox.requests(), 0);
}

/// Files as programs really write them: all of these are good.
#[test]
fn what_is_harmless_is_taken() {
    let bench = Bench::new();
    let good: [(&str, &[u8]); 8] = [
        ("bom.csv", b"\xef\xbb\xbfPurchaseID,Days\r\n80000001,3\r\n"),
        ("return.csv", b"PurchaseID,Days\r\n80000002,3\r\n"),
        ("breaks.csv", b"PurchaseID,note,Days\n80000003,\"two\nlines, \"\"quoted\"\"\",3\n"),
        ("semicolon.csv", b"PurchaseID;Days\n80000004;3\n"),
        ("unended.csv", b"PurchaseID,Days\n80000005,3"),
        ("case.csv", b"purchaseid,DAYS\n80000006,3\n"),
        ("blank.csv", b"PurchaseID,Days\n\n80000007,3\n\n"),
        ("plain.jsonl", b"{\"PurchaseID\":\"80000008\",\"Days\":3}\r\n"),
    ];
    for (file, content) in good {
        bench.home.write(file, content);
        bench.home.run(["run", file, "--operation", EXTEND]).exits(0);
    }
    let applied = bench.sandbox.applied();
    let expected: Vec<String> = (80_000_001..=80_000_008).map(|id| id.to_string()).collect();
    assert_eq!(applied.keys().cloned().collect::<Vec<_>>(), expected);
    assert!(bench.sandbox.ledger().iter().all(|entry| entry["request"]["Days"] == "3"));
}

#[test]
fn another_encoding_is_read_where_it_is_named_and_said_again_in_the_next_command() {
    let bench = Bench::new();
    bench.home.write("note.csv", b"PurchaseID;Note\n80000001;caf\xe9 \x80 5\n");
    let plan = ["plan", "note.csv", "--operation", "segpay.insert_consumer_note", "--encoding", "windows-1252"];
    let said = flat(&bench.home.run(plan).exits(0).stdout);
    let next = said.rsplit_once("To run it: ").expect("the next command").1.to_owned();
    bench.home.shell(&next).exits(0);
    assert_eq!(bench.sandbox.ledger()[0]["request"]["Note"].as_str().map(without_token), Some("café € 5"));
    assert_eq!(bench.home.result_rows_by("succeeded.csv", b';')[0]["Note"], "café € 5", "results are UTF-8");
}

#[test]
fn a_command_that_leaves_bad_rows_out_reads_the_rest_as_it_was_asked_to() {
    let bench = Bench::new();
    bench.home.write("other.csv", b"PurchaseID|note|Days\n80000001|caf\xe9|3\n80000002|x|many\n");
    bench.home.write("job.toml", format!("input = \"nothing.csv\"\noperation = \"{EXTEND}\"\n"));
    let typed = ["run", "job.toml", "--input", "other.csv", "--encoding", "latin1", "--delimiter", "|"];
    let said = flat(&bench.home.run(typed).exits(2).stderr);
    let next = said.rsplit_once("with: ").expect("the next command").1.to_owned();
    let summary = bench.home.shell(&format!("{next} --json")).exits(1).json();
    assert_eq!((number(&summary, "/rows/applied"), number(&summary, "/rows/not_sent")), (1, 1), "{summary}");
    let left_out = bench.home.result_rows_by("not_sent.csv", b'|');
    assert_eq!((left_out[0]["Days"].as_str(), left_out[0]["subops_code"].as_str()), ("many", "invalid"));
}

#[test]
fn at_most_twenty_faults_are_shown_and_all_are_counted() {
    let bench = Bench::new();
    let rows: String = (0..50).map(|row| format!("80000001,x{row}\n")).collect();
    bench.home.write("many.csv", format!("PurchaseID,Days\n{rows}"));
    let end = bench.home.run(["run", "many.csv", "--operation", EXTEND]).exits(2);
    assert!(end.stderr.contains("50 of 50 rows cannot be sent"), "{}", end.stderr);
    assert_eq!(end.stderr.matches("many.csv:").count(), 20);
    assert!(end.stderr.contains("30 more bad rows"), "{}", end.stderr);
    let object = bench.home.run(["run", "many.csv", "--operation", EXTEND, "--json"]).exits(2).json();
    assert_eq!((number(&object, "/bad_rows"), &object["sent"]), (50, &Value::from(false)));
    assert_eq!(object["faults"].as_array().map(Vec::len), Some(20));
}

#[test]
fn unknown_columns_are_carried_through() {
    let bench = Bench::new();
    bench.home.write("more.csv", "ticket,PurchaseID,Days,who is it\nT-1,80000001,3,\"Doe, Jane\"\n");
    Outcome::exits(bench.home.run(["run", "more.csv", "--operation", EXTEND]), 0);
    let rows = bench.home.result_rows("succeeded.csv");
    assert_eq!((rows[0]["ticket"].as_str(), rows[0]["who is it"].as_str()), ("T-1", "Doe, Jane"));
    assert!(bench.sandbox.ledger()[0]["request"].get("ticket").is_none(), "and not sent");
}
