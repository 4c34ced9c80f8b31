//! How long a reply may keep us and how much memory it may take, at its worst: a megabyte made to be expensive.
//!
//! Memory is measured as the peak of a child that reads one such reply and nothing else.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use subops::model::failure::Reply;

use crate::stand::{Say, chosen};

const MIB: usize = 1024 * 1024;

/// The most that one reply may take beside what the program takes anyway: 1 MiB as it came, and what is made of it.
const MOST_MEMORY: u64 = 24 * MIB as u64;

/// The longest that one may take, in a build without optimisation and on a busy machine. What is quadratic takes minutes.
const MOST_TIME: Duration = Duration::from_secs(6);

/// Variable that names what a child is to read: the bomb, and the operation by its form.
const CHILD: &str = "SUBOPS_HOSTILE_BOMB";

/// As much of a repetition as fits, between a beginning and an end.
fn filled(begin: &str, piece: impl Fn(usize) -> String, end: &str) -> String {
    let mut text = begin.to_owned();
    for at in 0.. {
        let piece = piece(at);
        if text.len() + piece.len() + end.len() > MIB {
            return text + end;
        }
        text.push_str(&piece);
    }
    text
}

/// Replies of (almost) a megabyte, each the worst of its kind, with a name.
fn bombs() -> Vec<(&'static str, String)> {
    let soap = "<e:Envelope xmlns:e=\"x\"><e:Body><{method}Response>";
    let soap_end = "</{method}Response></e:Body></e:Envelope>";
    let rpc = "{\"id\":{id},\"result\":";
    let same = |piece: &'static str| move |_| piece.to_owned();
    vec![
        ("xml, nested", filled("", same("<a>"), "")),
        ("xml, nested in an answer", filled("<string>", same("<a>"), "</string>")),
        ("xml, siblings", filled("<string>", same("<a/>"), "</string>")),
        ("xml, attributes", filled("<string ", |at| format!("a{at}='' "), ">Success</string>")),
        ("xml, one long attribute", filled("<string a='", same("x"), "'>Success</string>")),
        ("xml, one long name", filled("<", same("x"), "/>")),
        ("xml, references", filled("<string>", same("&#x41;"), "</string>")),
        ("xml, comments", filled("<string>", same("<!---->"), "Success</string>")),
        ("xml, open comment", filled("<string><!--", same("-"), "")),
        ("xml, open tags", filled("<string>", same("<"), "")),
        ("xml, sections", filled("<string>", same("<![CDATA[]]>"), "Success</string>")),
        ("xml, instructions", filled("", same("<?a?>"), "<string>Success</string>")),
        (
            "xml, declared entities",
            filled("<!DOCTYPE a [", |at| format!("<!ENTITY e{at} 'x'>"), "]><string>&e1;</string>"),
        ),
        (
            "xml, entities of entities",
            filled(
                "<!DOCTYPE a [<!ENTITY e0 'ha'>",
                |at| format!("<!ENTITY e{} '&e{at};&e{at};'>", at + 1),
                "]><string>&e40;</string>",
            ),
        ),
        ("xml, long word", filled("<string>", same("x"), "</string>")),
        ("xml, spaces", filled("<string>", same(" "), "Success</string>")),
        ("xml, fields", filled("<Result>", |at| format!("<a{at}/>"), "</Result>")),
        ("soap, siblings", filled(soap, same("<a/>"), soap_end)),
        ("soap, attributes", filled("<e:Envelope ", |at| format!("a{at}='' "), "/>")),
        (
            "soap, items",
            filled(
                &format!("{soap}<return xsi:type=\"Array\">"),
                same("<i xsi:type=\"xsd:int\">1</i>"),
                &format!("</return>{soap_end}"),
            ),
        ),
        (
            "soap, a fault",
            filled(
                "<e:Envelope><e:Body><e:Fault><faultstring>",
                same("a&lt;"),
                "</faultstring></e:Fault></e:Body></e:Envelope>",
            ),
        ),
        ("json, lists", filled("", same("["), "")),
        ("json, objects", filled("", same("{\"a\":"), "")),
        ("json, nested result", filled(rpc, same("["), "")),
        ("json, closed nested result", format!("{rpc}{}{}}}", "[".repeat(MIB / 2 - 30), "]".repeat(MIB / 2 - 30))),
        (
            "json, wide at the bottom",
            filled(&format!("{rpc}{}0", "[".repeat(30)), same(",1"), &format!("{}}}", "]".repeat(30))),
        ),
        ("json, numbers", filled(&format!("{rpc}[0"), same(",1"), "]}")),
        ("json, items", filled(&format!("{rpc}{{\"Items\":[1"), same(",1"), "]}}")),
        ("json, empty objects", filled(&format!("{rpc}[0"), same(",{}"), "]}")),
        ("json, texts", filled(&format!("{rpc}[0"), same(",\"\""), "]}")),
        ("json, fields", filled(&format!("{rpc}{{\"a\":0"), |at| format!(",\"{at}\":0"), "}}")),
        ("json, fields of the reply", filled("{\"a\":0", |at| format!(",\"{at}\":0"), "}")),
        ("json, errors", filled("{\"isSuccess\":false,\"errors\":[{}", same(",{}"), "]}")),
        (
            "json, messages",
            filled("{\"isSuccess\":false,\"errors\":[{\"propertyErrorMessages\":[\"\"", same(",\"\""), "]}]}"),
        ),
        ("json, a long text", filled("\"", same("x"), "\"")),
        ("json, escapes", filled(&format!("{rpc}\""), same("\\u0041"), "\"}")),
        ("json, an error", filled("{\"id\":{id},\"error\":{\"message\":\"", same("key-canar"), "\"}}")),
        ("text, secrets that are not", filled("", same("key-canar"), "")),
        ("text, ampersands", filled("", same("&#"), "")),
        ("text, percents", filled("", same("%6b%65"), "")),
        ("text, an error in its chain", filled("System.Exception: x", same(" ---> "), "")),
        ("text, dashes", filled("", same("-"), "")),
        ("text, quotes", filled("", same("\""), "")),
    ]
}

/// The ways in which replies are read: an operation and its form for each.
const WAYS: [(&str, &str); 9] = [
    ("segpay.extend_membership", "json"),
    ("segpay.upgrade_membership", "json"),
    ("segpay.upgrade_membership", "xml"),
    ("segpay.dynamic_pricing", "json"),
    ("paypro.suspend_subscription", "json"),
    ("twocheckout.extend_subscription", "json-rpc"),
    ("twocheckout.extend_subscription", "soap"),
    ("twocheckout.search_payouts", "json-rpc"),
    ("twocheckout.shipping_fees", "soap"),
];

/// A bomb costs nothing where another format is read.
fn reads(bomb: &str, (operation, form): (&str, &str)) -> bool {
    match bomb.split(',').next().unwrap_or_default() {
        "xml" => form == "soap" || form == "xml" || operation == "segpay.extend_membership",
        "soap" => form == "soap",
        "json" => form == "json-rpc" || operation == "paypro.suspend_subscription" || operation.contains("upgrade"),
        _ => operation == "segpay.dynamic_pricing" || operation == "segpay.extend_membership",
    }
}

/// The ones of which much is made, each with the way that makes the most of it.
const LARGE: [(&str, (&str, &str)); 12] = [
    ("xml, siblings", WAYS[0]),
    ("xml, attributes", WAYS[0]),
    ("xml, references", WAYS[0]),
    ("xml, fields", WAYS[2]),
    ("soap, siblings", WAYS[6]),
    ("soap, items", WAYS[8]),
    ("json, numbers", WAYS[5]),
    ("json, items", WAYS[7]),
    ("json, empty objects", WAYS[5]),
    ("json, fields", WAYS[5]),
    ("json, fields of the reply", WAYS[4]),
    ("json, messages", WAYS[4]),
];

fn say(status: u16, body: &str) -> Say {
    let content_type = if status == 500 { "text/plain" } else { "application/x" }.to_owned();
    Say::Reply { status, content_type, body: body.as_bytes().to_vec() }
}

#[test]
fn a_megabyte_made_to_be_slow_is_read_in_a_moment() {
    let mut slow = Vec::new();
    let ways = chosen(|operation, form| WAYS.contains(&(operation, form)));
    for (name, body) in bombs() {
        for stand in ways.iter().filter(|stand| reads(name, (stand.operation.name, stand.form))) {
            // What is no markup is read where the status says that it may be an error.
            let status = if name.starts_with("text") { 500 } else { 200 };
            let since = Instant::now();
            let (came, heard) = stand.perform(say(status, &body));
            heard.check(&came);
            if since.elapsed() > MOST_TIME {
                slow.push(format!("{name} at {status}, {}: {:?}", stand.name(), since.elapsed()));
            }
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// Beyond the cap there is nothing to be read, with a length or without one.
#[test]
fn more_than_a_megabyte_is_not_taken_in() {
    let stand = chosen(|operation, _| operation == "segpay.extend_membership").pop().expect("an operation");
    let word = "<string>Success</string>";
    let body = format!("{}{word}", " ".repeat(MIB));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n";
    let chunks: String = body
        .as_bytes()
        .chunks(1000)
        .map(|part| format!("{:x}\r\n{}\r\n", part.len(), String::from_utf8_lossy(part)))
        .collect();
    for wire in [
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
        format!("{head}\r\n{body}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n"),
        format!("{head}Content-Length: {}\r\n\r\n{word}", u64::MAX),
    ] {
        let (came, _) = stand.perform(Say::Wire(wire.into_bytes()));
        assert!(matches!(&came, Reply::Failed(failure) if !failure.class.proves_not_applied()), "{came:?}");
    }
}

/// Says something to whoever started this, past the harness.
fn tell(words: &str) {
    writeln!(std::io::stdout(), "{words}").expect("somebody listens");
}

/// The peak of this process's memory, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number");
    kib * 1024
}

/// What a child does: reads its one bomb, and says how much its peak grew.
#[test]
fn a_child_reads_one() {
    let Ok(wanted) = std::env::var(CHILD) else { return };
    let parts: Vec<&str> = wanted.split("; ").collect();
    let [bomb, operation, form] = parts.as_slice() else { panic!("{wanted}") };
    let stand = chosen(|own, by| own == *operation && by == *form).pop().expect("a way");
    let bombs = bombs();
    let (_, body) = bombs.iter().find(|(name, _)| name == bomb).expect("a bomb");
    let say = say(200, body);
    // The first call brings in what every call needs.
    stand.perform(Say::Wire(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()));
    // Starts the peak anew from what is held now.
    fs::write("/proc/self/clear_refs", "5").expect("a process may do so to itself");
    let before = peak();
    stand.perform(say);
    tell(&format!("grew={}", peak() - before));
}

#[test]
fn a_megabyte_made_to_be_large_stays_a_few() {
    let program = std::env::current_exe().expect("this program");
    let (mut large, mut most) = (Vec::new(), 0);
    for (name, (operation, form)) in LARGE {
        let output = Command::new(&program)
            .args(["bounds::a_child_reads_one", "--exact", "--nocapture"])
            .env(CHILD, format!("{name}; {operation}; {form}"))
            .output()
            .expect("a child");
        let said = String::from_utf8_lossy(&output.stdout);
        let grew = said.split_once("grew=").and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u64>().ok());
        let grew = grew.unwrap_or_else(|| panic!("{name}, {operation}: {said}"));
        most = most.max(grew);
        if grew > MOST_MEMORY {
            large.push(format!("{name}, {operation} by {form}: {} MiB", grew / MIB as u64));
        }
    }
    tell(&format!("the most that a reply took: {} KiB", most / 1024));
    assert!(large.is_empty(), "{}", large.join("\n"));
}
