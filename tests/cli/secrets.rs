//! Credentials show nowhere: not on either stream at any verbosity, not in the journal's bytes, not in the results, not in
//! the list of processes; whatever a provider sends back, and wherever it breaks off.
//!
//! The provider here echoes what it was sent in every place and spelling in which servers do so.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::Signal;

use super::bench::{Bench, SETTINGS, Share, ended, signal};
use super::scripted::{Say, Scripted};
use super::support::{Home, Outcome, extensions, listing};

/// Made up, and unlike anything that could stand there by chance. The second needs encoding wherever it goes.
const CANARIES: [(&str, &str); 5] = [
    ("SEGPAY_USER_ID", "canary-user@zq7vwk.example"),
    ("SEGPAY_ACCESS_KEY", "cAn4ry+key/=%&<xj9hrt>\"'\\ é"),
    ("SEGPAY_API_USERNAME", "canary-api-user-gw5pmz"),
    ("SEGPAY_API_PASSWORD", "cAn4ry pass+word/=&qk7yus"),
    ("PAYPRO_API_SECRET_KEY", "canary-paypro-vt0nxl"),
];

/// What is looked for: the characters of each canary that survive every encoding.
const TRACES: [&str; 7] = ["canary-user", "zq7vwk", "cAn4ry", "xj9hrt", "gw5pmz", "qk7yus", "vt0nxl"];

/// No trace, nor a beginning of base64 of it, in these bytes.
fn clean(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    for trace in TRACES {
        assert!(!text.contains(&trace.to_lowercase()), "{what} shows `{trace}`:\n{}", around(&text, trace));
    }
    for (name, canary) in CANARIES {
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, canary);
        let begun = base64[..12].to_lowercase();
        assert!(!text.contains(&begun), "{what} shows {name} in base64:\n{}", around(&text, &begun));
    }
}

fn around<'a>(text: &'a str, trace: &str) -> &'a str {
    let at = text.find(&trace.to_lowercase()).unwrap_or(0);
    let begin = (0..=at.saturating_sub(200)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let end = (at + 200..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    &text[begin..end]
}

/// The value of a parameter in the query of a request's first line, as it was sent.
fn parameter<'a>(head: &'a str, name: &str) -> &'a str {
    let query = head.split(' ').nth(1).and_then(|target| target.split_once('?')).map_or("", |(_, query)| query);
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or("")
}

/// What ASP.NET's encoders for JSON and HTML leave as it is are letters, digits and a few marks.
fn escaped_by_dotnet(text: &str, escape: impl Fn(char) -> String) -> String {
    let kept = |character: char| character.is_ascii_alphanumeric() || " .-_=/@%".contains(character);
    text.chars().map(|character| if kept(character) { character.to_string() } else { escape(character) }).collect()
}

/// Every way in which a server may repeat a secret.
fn spellings(secret: &str) -> Vec<String> {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    vec![
        secret.to_owned(),
        form.clone(),
        form.replace('+', "%20"),
        form.to_lowercase().replace("can4ry", "cAn4ry"),
        secret.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        escaped_by_dotnet(secret, |character| format!("\\u{:04X}", u32::from(character))),
        escaped_by_dotnet(secret, |character| format!("\\u{:04x}", u32::from(character))),
        escaped_by_dotnet(secret, |character| format!("&#{};", u32::from(character))),
        escaped_by_dotnet(secret, |character| format!("&#x{:X};", u32::from(character))),
        escaped.replace('\'', "&#39;"),
        escaped,
        serde_json::to_string(secret).expect("text"),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret),
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("user:{secret}")),
    ]
}

/// What was sent, in all spellings.
fn echo() -> String {
    CANARIES[..2].iter().flat_map(|(_, secret)| spellings(secret)).collect::<Vec<_>>().join(" ")
}

/// The replies that it gives in turn, each with the secrets in another place.
fn replies(head: &str) -> Vec<Say> {
    let (query, echo) = (head.split(' ').nth(1).unwrap_or("").to_owned(), echo());
    let key = parameter(head, "UserAccessKey").to_owned();
    let header = format!("X-Echo: {query}\r\nServer: {key}\r\nSet-Cookie: key={key}\r\n");
    let page = format!("<html><head><title>{key}</title></head><body>Error in {query}: {echo}</body></html>");
    let mut replies = vec![
        Say::reply("500 Internal Server Error", &header, &page),
        Say::reply("200 OK", &header, &page),
        Say::reply("200 OK", &header, &format!("<string>{}</string>", key)),
        Say::reply("200 OK", &header, &format!("<string>Unknown user {}</string>", spellings(CANARIES[1].1)[5])),
        Say::reply("200 OK", &header, &format!("<string>{query}</string>")),
        Say::reply("400 Bad Request", &header, &echo),
        Say::reply("404 Not Found", &header, &format!("No such page: {query}")),
        Say::reply("409 Conflict", &header, &echo),
        Say::reply("429 Too Many Requests", &format!("Retry-After: {key}\r\n{header}"), &echo),
        Say::reply("503 Service Unavailable", &header, &query),
        Say::reply(&format!("418 {key}"), &header, &echo),
        Say::Bytes(format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n{header}\r\n{echo}").into_bytes()),
        Say::Bytes(format!("{key} {query} is no HTTP\r\n\r\n").into_bytes()),
        Say::Bytes(format!("HTTP/1.1 200 OK\r\n{key} is no header\r\n\r\n").into_bytes()),
        Say::Reset,
        Say::Close,
        Say::reply("302 Found", &format!("Location: https://elsewhere.example{query}\r\n"), &page),
    ];
    // Only the beginning of a refusal is kept, so each spelling gets one of its own.
    let refusal = |spelling: String| Say::reply("400 Bad Request", "", &format!("wrong key {spelling} given"));
    replies.extend(spellings(CANARIES[1].1).into_iter().map(refusal));
    replies
}

/// How many replies there are.
const REPLIES: usize = 17 + 14;

struct Canaries {
    home: Home,
    server: Scripted,
}

impl Canaries {
    /// A home with canaries for credentials, and a server that begins with this reply. Where the harmless read is
    /// `welcome`, it is answered well, and all others get that reply; else the replies follow each other.
    fn new(first: usize, welcome: bool) -> Self {
        let calls = AtomicUsize::new(first);
        let server = Scripted::start(move |head| {
            if welcome && head.contains("ValidateUserAccess") {
                return Say::merchant();
            }
            let mut replies = replies(head);
            assert_eq!(replies.len(), REPLIES);
            let next = if welcome { first } else { calls.fetch_add(1, Ordering::Relaxed) };
            replies.swap_remove(next % REPLIES)
        });
        let mut home = Home::new();
        home.write("subops.toml", SETTINGS.to_owned() + "timeout = \"2s\"\n");
        for (name, canary) in CANARIES {
            home.set(name, canary);
        }
        home.set("SEGPAY_MERCHANT_ID", "20213");
        for url in ["SEGPAY_SRS_URL", "SEGPAY_API_URL"] {
            home.set(url, &server.url);
        }
        Self { home, server }
    }

    /// Everything that is left: both streams and every file. The server did get the key, or this would prove nothing.
    fn look(&self, end: &Outcome) {
        let heads = self.server.heads();
        let key = |head: &String| {
            let sent = format!("key={}", parameter(head, "UserAccessKey"));
            form_urlencoded::parse(sent.as_bytes()).any(|(_, value)| value == CANARIES[1].1)
        };
        assert!(heads.iter().any(key), "{heads:?}");
        clean("standard output", end.stdout.as_bytes());
        clean("standard error", end.stderr.as_bytes());
        for (path, (_, content)) in listing(self.home.path()) {
            clean(&path.display().to_string(), &content);
            clean("a path", path.to_string_lossy().as_bytes());
        }
    }
}

/// The run whose rows get this reply, at the highest verbosity, and what can be asked about it afterwards.
fn run_into(reply: usize) {
    let canaries = Canaries::new(reply, true);
    let home = &canaries.home;
    home.write("extend.csv", extensions(80_000_000, 2));
    home.write("extend.toml", "input = \"extend.csv\"\noperation = \"segpay.extend_membership\"\nverify = \"off\"\n");
    let mut program = home.spawn(["run", "extend.toml", "-vvv", "--progress", "plain"]);
    // A throttled run waits and a paused one probes for minutes: it is stopped after some calls.
    while canaries.server.heads().len() < 4 && program.try_wait().expect("it can be asked").is_none() {}
    if program.try_wait().expect("it can be asked").is_none() {
        signal(&program, Signal::TERM);
    }
    let end = ended(program);
    assert!(matches!(end.code, Some(1 | 3 | 4 | 12 | 130)), "reply {reply}: {:?} {}", end.code, end.stderr);
    canaries.look(&end);
    for arguments in [&["status", "--json"][..], &["doubt", "list", "1"], &["doubt", "list", "1", "--json"], &["runs"]]
    {
        canaries.look(&Outcome::of(home.command().args(arguments).output().expect("it starts")));
    }
}

#[test]
fn nothing_that_a_provider_sends_back_shows_a_credential() {
    let _share = Share::some();
    std::thread::scope(|scope| {
        for reply in 0..REPLIES {
            scope.spawn(move || run_into(reply));
        }
    });
}

/// The harmless read is tried three times, so that each check meets three of the replies.
#[test]
fn nor_does_a_check_that_fails() {
    let _share = Share::some();
    std::thread::scope(|scope| {
        for first in (0..REPLIES).step_by(3) {
            scope.spawn(move || {
                let canaries = Canaries::new(first, false);
                let end = canaries.home.run(["check", "-vvv"]);
                assert_ne!(end.code, Some(0), "{}", end.stdout);
                canaries.look(&end);
            });
        }
    });
}

#[test]
fn the_list_of_processes_shows_no_credential() {
    let bench = Bench::with(["--latency", "200ms"]);
    bench.extensions(10, "");
    let mut program = bench.home.spawn(["run", "extend.toml", "-vvv"]);
    bench.wait_for_requests(&mut program, 2);
    let line = fs::read(Path::new("/proc").join(program.id().to_string()).join("cmdline")).expect("the process");
    let end = ended(program).exits(0);
    let keys: BTreeMap<_, _> =
        bench.sandbox.environment.iter().filter(|(name, _)| name.ends_with("KEY")).cloned().collect();
    assert!(!keys.is_empty());
    for (name, key) in keys {
        for (what, text) in [("cmdline", String::from_utf8_lossy(&line).into_owned()), ("stderr", end.stderr.clone())] {
            assert!(!text.contains(&key), "{what} shows {name}");
        }
        for (path, (_, content)) in listing(bench.home.path()) {
            assert!(!String::from_utf8_lossy(&content).contains(&key), "{} shows {name}", path.display());
        }
    }
}

/// Somebody writes the secret itself where its place belongs. The message must not repeat it.
#[test]
fn a_secret_that_is_written_down_by_mistake_is_not_repeated() {
    let canaries = Canaries::new(0, false);
    let (home, secret) = (&canaries.home, CANARIES[1].1.replace(['\\', '"'], ""));
    home.write("extend.csv", extensions(80_000_000, 2));
    for credential in [
        format!("\"{secret}\""),
        format!("{{ env = \"{secret}\" }}"),
        format!("{{ command = [\"echo\", \"{secret}\", 1] }}"),
    ] {
        let settings = "[accounts.segpay]\nprovider = \"segpay\"\n[accounts.segpay.credentials]\n";
        let path = home.write("subops.toml", format!("{settings}access_key = {credential}\n"));
        let end = home.run(["run", "extend.csv", "--operation", "segpay.extend_membership", "-vvv"]).exits(2);
        fs::remove_file(path).expect("the settings go, for they do hold it");
        assert!(!end.stderr.contains("xj9hrt"), "{}", end.stderr);
        clean("standard error", end.stderr.as_bytes());
    }
    assert!(canaries.server.heads().is_empty());
}
