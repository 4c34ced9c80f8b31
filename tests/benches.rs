//! The benchmark's own parts: whether the bare provider answers as it must, and whether figures are judged rightly.

#![allow(clippy::expect_used, reason = "a test that cannot go on should stop where it shows")]
#![allow(dead_code, reason = "only parts of the benchmark are looked at here")]

#[path = "../benches/measure/provider.rs"]
mod provider;
#[path = "../benches/measure/report.rs"]
mod report;
#[path = "../benches/measure/worst.rs"]
mod worst;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use provider::Provider;
use report::{Bound, Report, Table, figure, median};

/// A connection to the provider, with what it said so far.
struct Line(BufReader<TcpStream>);

impl Line {
    fn to(provider: &Provider) -> Self {
        let url = provider.url();
        let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("it listens");
        stream.set_nodelay(true).expect("a setting");
        // A reply that never comes must fail the test and not hang it.
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a setting");
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("it reads");
    }

    /// The status line and the body of the next reply.
    fn hear(&mut self) -> (String, String) {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a line");
            match line.trim_end() {
                "" => break,
                text => lines.push(text.to_owned()),
            }
        }
        let length = lines.iter().find_map(|line| line.strip_prefix("Content-Length: ")).expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.0.read_exact(&mut body).expect("a body as long as it says");
        (lines[0].clone(), String::from_utf8(body).expect("UTF-8"))
    }
}

const CALL: &str = "GET /adm.asmx/InsertConsumerNote?PurchaseID=1 HTTP/1.1\r\nHost: x\r\n\r\n";

#[test]
fn the_provider_answers_one_request_after_the_other_on_a_connection() {
    let provider = Provider::start().expect("a provider");
    let mut line = Line::to(&provider);
    for _ in 0..3 {
        line.say(CALL);
        let (status, body) = line.hear();
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert!(body.ends_with(">Successful</string>\n"), "{body:?}");
    }
    assert_eq!(provider.calls(), 3);
    line.say("GET /MWS.asmx/ValidateUserAccess?UserID=u HTTP/1.1\r\n\r\n");
    assert!(line.hear().1.ends_with(">20042</int>\n"));
    line.say("GET /elsewhere HTTP/1.1\r\n\r\n");
    assert_eq!(line.hear().0, "HTTP/1.1 404 Not Found");
    assert_eq!(provider.calls(), 3, "reads and strangers are not counted as calls");
}

#[test]
fn requests_in_pieces_and_two_at_once_are_understood() {
    let provider = Provider::start().expect("a provider");
    let mut line = Line::to(&provider);
    let (head, rest) = CALL.split_at(CALL.len() - 3);
    line.say(head);
    // Answered on another connection meanwhile, so that the first piece was read by itself.
    let mut other = Line::to(&provider);
    other.say(CALL);
    other.hear();
    line.say(rest);
    line.hear();
    line.say(&CALL.repeat(2));
    line.hear();
    line.hear();
    assert_eq!(provider.calls(), 4);
}

#[test]
fn a_delay_holds_back_each_reply_and_none_behind_it() {
    let provider = Provider::start().expect("a provider");
    provider.reset(Duration::from_millis(30));
    let mut lines: Vec<Line> = (0..20).map(|_| Line::to(&provider)).collect();
    let start = Instant::now();
    for line in &mut lines {
        line.say(CALL);
    }
    for line in &mut lines {
        line.hear();
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(30), "{took:?}");
    assert!(took < Duration::from_millis(30 * 20), "one after the other: {took:?}");
}

#[test]
fn calls_are_counted_and_timed_from_the_last_reset_on() {
    let provider = Provider::start().expect("a provider");
    let mut line = Line::to(&provider);
    line.say(CALL);
    line.hear();
    provider.reset(Duration::ZERO);
    assert_eq!((provider.calls(), provider.first_call(), provider.span()), (0, None, Duration::ZERO));
    provider.record();
    let before = Instant::now();
    for _ in 0..2 {
        line.say(CALL);
        line.hear();
    }
    let recorded = provider.recorded();
    assert!(recorded.len() == 2 && recorded[0] < recorded[1], "{recorded:?}");
    assert_eq!(provider.span(), Duration::from_nanos(recorded[1] - recorded[0]));
    assert!(provider.first_call().is_some_and(|first| first >= before));
}

#[test]
fn the_worst_second_is_found_wherever_it_begins() {
    let worst = |milliseconds: &[u64]| {
        let calls: Vec<u64> = milliseconds.iter().map(|at| at * 1_000_000).collect();
        worst::second(&calls)
    };
    assert_eq!(worst(&[]), 0);
    assert_eq!(worst(&[0, 500, 999, 1000]), 3);
    assert_eq!(worst(&[0, 900, 1000, 1100, 1899, 1900, 5000]), 4, "no second of the clock has them all");
}

#[test]
fn figures_have_the_digits_that_count() {
    let told = [0.0, 0.000_4, 0.123_4, 1.0, 1.234, 12.34, 123.4, 999.9, 1234.0, 1_234_567.0].map(figure);
    assert_eq!(told, ["0", "0", "0.123", "1", "1.23", "12.3", "123", "1000", "1,234", "1,234,567"]);
    assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    assert!((median([4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
}

#[test]
fn a_floor_is_met_on_its_own_side() {
    let mut report = Report::default();
    report.floor("fast", Bound::AtLeast(1.2), 1.5, " ×");
    report.floor("slow", Bound::AtLeast(1.2), 0.9, " ×");
    report.floor("small", Bound::AtMost(24.0), 12.0, " MiB");
    report.floor("large", Bound::AtMost(24.0), 48.0, " MiB");
    // What could not be measured is not met.
    report.floor("unknown", Bound::AtMost(24.0), f64::NAN, " MiB");
    assert_eq!(report.unmet(), 3);
    let text = report.markdown();
    for line in ["met (+25 %)", "**not met** (-25 %)", "met (-50 %)", "**not met** (+100 %)"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn sections_that_were_not_measured_stay_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("results.md");
    let read = || std::fs::read_to_string(&path).expect("a file");
    let section = |name, text: &str| vec![(name, text.to_owned())];
    let order = ["first", "second", "third"];
    report::store(&path, "# Head\n", &order, &section("third", "old three")).expect("written");
    report::store(&path, "# Head\n", &order, &section("first", "one")).expect("written");
    let before = read();
    assert!(before.find("one") < before.find("old three"), "in their order: {before}");
    let commented = before.replace("# Head\n", "# Head\n\n<!-- by hand -->\nWhy it is so.\n<!-- end -->\n");
    std::fs::write(&path, &commented).expect("written");
    report::store(&path, "# Head\n", &order, &section("third", "new three")).expect("written");
    assert_eq!(read(), commented.replace("old three", "new three"));
}

#[test]
fn a_table_can_be_read_as_it_is() {
    let mut table = Table::new(["", "rows/s"]);
    table.row(["wrk".to_owned(), "200,000".to_owned()]);
    let mut report = Report::default();
    report.table(&table);
    assert_eq!(report.markdown(), "|     | rows/s  |\n| --- | ------- |\n| wrk | 200,000 |");
}
