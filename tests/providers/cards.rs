//! Card data, through the built program: it goes to 2Checkout and nowhere else. All numbers are test numbers.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::support::{Home, Outcome, SandboxProcess, listing};

/// Numbers that card networks publish for tests, with made-up codes.
const CARDS: [(&str, &str, &str); 3] = [
    ("4111111111111111", "VISA", "7319"),
    ("5555555555554444", "MASTERCARD", "8426"),
    ("378282246310005", "AMEX", "9174"),
];

const IMPORT: &str = "twocheckout.import_subscription";

/// Imports with a card each.
fn imports() -> String {
    let mut text = "ExternalSubscriptionReference,StartDate,ExpirationDate,Product.ProductCode,EndUser.Email,\
                    CardPayment.CardNumber,CardPayment.CardType,CardPayment.ExpirationYear,\
                    CardPayment.ExpirationMonth,CardPayment.HolderName,CardPayment.CCID,CardPayment.HolderNameTime\n"
        .to_owned();
    for (at, (number, kind, code)) in CARDS.iter().enumerate() {
        writeln!(
            text,
            "old-{at},2026-01-15,2027-01-15,PROD-BASIC,ada{at}@example.com,{number},{kind},2030,12,Ada,{code},15"
        )
        .expect("text");
    }
    text
}

fn start() -> (SandboxProcess, Home) {
    let sandbox = SandboxProcess::start([]);
    let home = Home::with(&sandbox);
    (sandbox, home)
}

fn run(home: &Home, arguments: &[&str]) -> Outcome {
    Outcome::of(home.command().args(arguments).output().expect("the program starts"))
}

/// Whether these digits stand in the bytes with no other letter or digit around them, as a value does; digests and times
/// may have any few digits within.
fn holds(bytes: &[u8], digits: &str) -> bool {
    let is_around = |byte: Option<&u8>| !byte.is_some_and(u8::is_ascii_alphanumeric);
    let mut windows = bytes.windows(digits.len()).enumerate();
    windows.any(|(at, window)| {
        window == digits.as_bytes()
            && (digits.len() > 4
                || (is_around(at.checked_sub(1).and_then(|before| bytes.get(before)))
                    && is_around(bytes.get(at + digits.len()))))
    })
}

fn shows_no_card(what: &str, bytes: &[u8]) {
    for (number, _, code) in CARDS {
        let grouped = format!("{} {}", &number[..4], &number[4..8]);
        for secret in [number, code, &grouped] {
            assert!(!holds(bytes, secret), "{what} holds `{secret}`");
        }
    }
}

/// Everything below the folder but the input itself.
fn no_file_shows_a_card(folder: &Path, input: &Path) {
    let files = listing(folder);
    assert!(files.keys().any(|path| path.ends_with("journal.db")), "the journal is among them");
    for (path, (_, content)) in files.iter().filter(|(path, _)| *path != input) {
        shows_no_card(&path.display().to_string(), content);
    }
}

#[test]
fn a_card_goes_to_the_provider_and_nowhere_else() {
    let (sandbox, home) = start();
    let input = home.write("cards.csv", imports());
    shows_no_card("the plan", run(&home, &["plan", "cards.csv", "--operation", IMPORT]).exits(0).stdout.as_bytes());
    let end = run(&home, &["-vvv", "run", "cards.csv", "--operation", IMPORT]).exits(0);
    shows_no_card("stdout", end.stdout.as_bytes());
    shows_no_card("stderr", end.stderr.as_bytes());
    no_file_shows_a_card(home.path(), &input);

    let ledger = sandbox.get("/ledger").to_string();
    shows_no_card("the sandbox's ledger", ledger.as_bytes());
    assert!(ledger.contains("\"1111\"") && ledger.contains("\"4444\""), "the sandbox did get them: {ledger}");
    let rows = home.result_rows("succeeded.csv");
    let shown: Vec<&str> = rows.iter().map(|row| row["CardPayment.CardNumber"].as_str()).collect();
    for (shown, (number, ..)) in shown.iter().zip(CARDS) {
        assert!(shown.ends_with(&number[number.len() - 4..]) && shown.starts_with('•'), "the last four: {shown}");
    }
    assert_eq!(shown.len(), CARDS.len());
}

/// A doubt keeps what was sent until a person has decided; the card is not in it.
#[test]
fn a_row_in_doubt_does_not_keep_its_card() {
    let (sandbox, home) = start();
    let input = home.write("cards.csv", imports());
    let mut program = home.spawn(["-vvv", "run", "cards.csv", "--operation", IMPORT, "--rate", "4/s", "-j", "1"]);
    // The login and the first row.
    while sandbox.requests() < 2 {
        assert!(program.try_wait().expect("it can be asked").is_none(), "it ended too early");
    }
    sandbox.control(r#"{"faults": "truncate_after=1"}"#);
    let end = Outcome::of(program.wait_with_output().expect("it ends")).exits(4);
    shows_no_card("stderr", end.stderr.as_bytes());
    for arguments in [&["doubt", "list", "1"][..], &["doubt", "list", "1", "--json"], &["status", "1", "--json"]] {
        let shown = run(&home, arguments);
        shows_no_card("a command", (shown.stdout + &shown.stderr).as_bytes());
    }
    assert!(!home.result_rows("in_doubt.csv").is_empty(), "there is a doubt");
    no_file_shows_a_card(home.path(), &input);
}

#[test]
fn cards_are_not_taken_from_the_standard_input() {
    let (sandbox, home) = start();
    let end = home.run_with_input(["run", "-", "--operation", IMPORT], imports()).exits(2);
    assert!(end.stderr.contains("card data"), "{}", end.stderr);
    shows_no_card("stderr", end.stderr.as_bytes());
    for (path, (_, content)) in listing(home.path()) {
        shows_no_card(&path.display().to_string(), &content);
        let kept = path.parent().is_some_and(|parent| parent.ends_with("inputs"));
        assert!(!kept, "{} is kept", path.display());
    }
    assert_eq!(sandbox.requests(), 0);
}

/// Refuses a plan that names `place` and never the value.
fn refused(home: &Home, input: &str, operation: &str, place: &str) {
    home.write("input.csv", input);
    for command in ["plan", "run"] {
        let end = run(home, &["-vvv", command, "input.csv", "--operation", operation]).exits(2);
        assert!(end.stderr.contains(place), "{command}: no `{place}` in {}", end.stderr);
        shows_no_card(command, end.stderr.as_bytes());
        shows_no_card(command, end.stdout.as_bytes());
    }
    fs::remove_file(home.path().join("input.csv")).expect("the input goes");
    for (path, (_, content)) in listing(home.path()) {
        shows_no_card(&path.display().to_string(), &content);
    }
}

#[test]
fn where_no_card_belongs_the_plan_is_refused_by_place_and_never_by_value() {
    let (sandbox, home) = start();
    let extend = "segpay.extend_membership";
    for number in ["4111111111111111", "4111 1111 1111 1111", "4111-1111-1111-1111", "paid with 5555555555554444."] {
        let input = format!("PurchaseID,Days,remark\n80000001,30,\n80000002,30,{number}\n");
        refused(&home, &input, extend, "input.csv:3:3: a card number");
    }
    let input = "PurchaseID,Days,CVV\n80000001,30,7319\n";
    refused(&home, input, extend, "input.csv:1:3: a column named like a card's security code");
    let input = "subscriptionId,reasonText\n1111111,card 378282246310005\n";
    refused(&home, input, "paypro.suspend_subscription", "input.csv:2:2: a card number");
    // An import takes a card, but only in its own columns.
    let input = imports().replace("old-0", "4111111111111111");
    refused(&home, &input, IMPORT, "input.csv:2:1: a card number");
    assert_eq!(sandbox.requests(), 0);
}
