//! The sandbox through real sockets: what a client sees, and what the ledger holds. No client code of ours is used.
#![allow(clippy::expect_used, reason = "a test may say why a value must be there")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

mod paypro;
mod samples;
mod soap;
mod twocheckout;
mod upgrade;

use super::{Faults, Sandbox, SandboxOptions, start};

const LOGIN: &str = "UserID=sandbox-user&UserAccessKey=sandbox%2Baccess%2Fkey%3D1";
/// `80_012_345 % 1000` and so on: an active membership of the merchant, at 19.95.
const ACTIVE: u32 = 80_012_345;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn sandbox() -> Sandbox {
    start(SandboxOptions::default()).expect("a free port")
}

fn with_faults(faults: &str, seed: u64) -> Sandbox {
    let faults: Faults = faults.parse().expect("known faults");
    start(SandboxOptions { faults, seed, ..SandboxOptions::default() }).expect("a free port")
}

fn connect(sandbox: &Sandbox) -> TcpStream {
    let address = sandbox.url().strip_prefix("http://").expect("plain HTTP");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    stream
}

/// Sends a request and reads until the server closes.
fn exchange(sandbox: &Sandbox, method: &str, target: &str, body: &str) -> std::io::Result<Vec<u8>> {
    exchange_with(sandbox, method, target, &[], body)
}

fn exchange_with(
    sandbox: &Sandbox,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(sandbox);
    let length = body.len();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {length}\r\n\
         {headers}\r\n{body}"
    )?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(reply)
}

fn send(sandbox: &Sandbox, method: &str, target: &str, body: &str) -> Answer {
    send_with(sandbox, method, target, &[], body)
}

fn send_with(sandbox: &Sandbox, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let reply = exchange_with(sandbox, method, target, headers, body).expect("a reply");
    let reply = String::from_utf8(reply).expect("text");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn get(sandbox: &Sandbox, target: &str) -> Answer {
    send(sandbox, "GET", target, "")
}

/// The text of the one element of a 200 reply to an SRS task.
fn word(sandbox: &Sandbox, task: &str, parameters: &str) -> String {
    let answer = get(sandbox, &format!("/adm.asmx/{task}?{LOGIN}&{parameters}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.head.contains("content-type: text/xml; charset=utf-8"), "{}", answer.head);
    let text = answer
        .body
        .strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<string xmlns=\"http://srs.segpay.com/ADM.asmx\">")
        .and_then(|rest| rest.strip_suffix("</string>"));
    text.expect("the documented envelope").to_owned()
}

fn extend(sandbox: &Sandbox, id: u32, days: &str) -> String {
    word(sandbox, "ExtendMembership", &format!("PurchaseID={id}&Days={days}"))
}

fn ledger(sandbox: &Sandbox) -> Vec<Value> {
    serde_json::from_str(&get(sandbox, "/ledger").body).expect("a JSON array")
}

fn statistics(sandbox: &Sandbox) -> Value {
    serde_json::from_str(&get(sandbox, "/statistics").body).expect("a JSON object")
}

#[test]
fn each_task_succeeds_in_its_own_word() {
    let sandbox = sandbox();
    let tasks = [
        ("InsertConsumerNote", "PurchaseID=80012345&Note=Contacted+Consumer", "Successful"),
        ("ModifyRebillAmount", "PurchaseID=80012345&RecurringAmount=14.95&Comments=", "Successful"),
        ("ExtendMembership", "PurchaseID=80012345&Days=30", "Successful"),
        ("RefundTransaction", "TransID=900012345&RefundReason=", "Success"),
        ("CancelMembership", "PurchaseID=80012345&CancelReason=", "Successful"),
        ("ExpireMembership", "PurchaseID=80012345&CancelReason=moved", "Success"),
    ];
    for (task, parameters, expected) in tasks {
        assert_eq!(word(&sandbox, task, parameters), expected, "{task}");
    }
    let operations: Vec<_> = ledger(&sandbox).iter().map(|entry| entry["operation"].clone()).collect();
    assert_eq!(operations, tasks.map(|(task, ..)| task));
}

#[test]
fn each_refusal_is_a_documented_word_and_leaves_no_trace() {
    let sandbox = sandbox();
    let refusals = [
        ("CancelMembership", "PurchaseID=80012990&CancelReason=", "Subscription not active, cancel failed"),
        ("ExpireMembership", "PurchaseID=80012990&CancelReason=", "Subscription not active, cancel failed"),
        ("ExpireMembership", "PurchaseID=80012995&CancelReason=", "Subscription not active, cancel failed"),
        ("RefundTransaction", "TransID=900012995&RefundReason=", "Subscription not active, cancel failed"),
        ("RefundTransaction", "TransID=31263348&RefundReason=", "Subscription not active, cancel failed"),
        ("ExtendMembership", "PurchaseID=80012994&Days=30", "Membership not Active"),
        ("InsertConsumerNote", "PurchaseID=80012997&Note=x", "Membership not Active"),
        ("ModifyRebillAmount", "PurchaseID=80012997&RecurringAmount=1&Comments=", "Membership not Active"),
        ("ModifyRebillAmount", "PurchaseID=80012345&RecurringAmount=19.95&Comments=", "Failed"),
        ("ModifyRebillAmount", "PurchaseID=80012345&RecurringAmount=0&Comments=", "Failed"),
        ("ModifyRebillAmount", "PurchaseID=80012345&RecurringAmount=1e1&Comments=", "Failed"),
        ("ExtendMembership", "PurchaseID=80012345&Days=3.5", "Failed"),
        ("ExtendMembership", "PurchaseID=80012345&Days=", "Failed"),
        ("ExtendMembership", "PurchaseID=80012345&Days=-3", "Failed"),
        ("ExtendMembership", "PurchaseID=31263348&Days=30", "PurchaseID/MerchantID Mismatch"),
        ("CancelMembership", "PurchaseID=-1&CancelReason=", "PurchaseID/MerchantID Mismatch"),
    ];
    for (task, parameters, expected) in refusals {
        assert_eq!(word(&sandbox, task, parameters), expected, "{task} {parameters}");
    }
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn case_is_ignored_in_paths_and_names() {
    let sandbox = sandbox();
    let login = LOGIN.replace("UserID", "userid").replace("UserAccessKey", "USERACCESSKEY");
    let answer = get(&sandbox, &format!("/ADM.asmx/extendmembership?{login}&purchaseid={ACTIVE}&DAYS=1"));
    assert!(answer.body.contains(">Successful<"), "{}", answer.body);
    let answer = get(&sandbox, &format!("/mws.ASMX/ValidateUserAccess?{login}"));
    assert_eq!(
        answer.body,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<int xmlns=\"http://srs.segpay.com/MWS.asmx\">20213</int>"
    );
}

#[test]
fn missing_and_ill_typed_parameters_never_reach_the_task() {
    let sandbox = sandbox();
    let cases = [
        ("PurchaseID=80012345", "Missing parameter: Days.\r\n"),
        ("Days=30", "Missing parameter: PurchaseID.\r\n"),
        (
            "PurchaseID=abc&Days=1",
            "Cannot convert abc to System.Int32.\r\nParameter name: type ---> Input string was not in a correct format.\r\n",
        ),
        (
            "PurchaseID=80012345000&Days=1",
            "Cannot convert 80012345000 to System.Int32.\r\nParameter name: type ---> Value was either too large or too small for an Int32.\r\n",
        ),
        (
            "PurchaseID=1&PurchaseID=2&Days=1",
            "Cannot convert 1,2 to System.Int32.\r\nParameter name: type ---> Input string was not in a correct format.\r\n",
        ),
    ];
    for (parameters, expected) in cases {
        let answer = get(&sandbox, &format!("/adm.asmx/ExtendMembership?{LOGIN}&{parameters}"));
        assert_eq!((answer.status, answer.body.as_str()), (500, expected));
        assert!(answer.head.contains("content-type: text/plain; charset=utf-8"), "{}", answer.head);
    }
    let answer = get(&sandbox, "/adm.asmx/ExtendMembership?UserID=x&PurchaseID=1&Days=1");
    assert_eq!((answer.status, answer.body.as_str()), (500, "Missing parameter: UserAccessKey.\r\n"));
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn wrong_credentials_are_turned_away() {
    let sandbox = sandbox();
    for login in [
        "UserID=other&UserAccessKey=sandbox%2Baccess%2Fkey%3D1",
        "UserID=sandbox-user&UserAccessKey=sandbox+access/key=1",
    ] {
        let answer = get(&sandbox, &format!("/adm.asmx/CancelMembership?{login}&PurchaseID={ACTIVE}&CancelReason="));
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains(">Invalid Merchant</string>"), "{}", answer.body);
        let answer = get(&sandbox, &format!("/MWS.asmx/ValidateUserAccess?{login}"));
        assert_eq!(answer.status, 500);
        assert!(answer.body.starts_with("System.Exception: Invalid Merchant - ValidateUserAccess"), "{}", answer.body);
        let answer = get(&sandbox, &format!("/merchantservices/Reactivation?{login}&purchaseid=80012990"));
        assert_eq!(answer.body, "<string>Invalid user name or password</string>");
    }
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn reactivation_gives_a_link_to_who_has_left() {
    let sandbox = sandbox();
    let ask = |rest: &str| get(&sandbox, &format!("/merchantservices/Reactivation?{LOGIN}{rest}")).body;
    let link = ask("&purchaseid=80012990");
    assert!(link.starts_with("<string>https://secure2.segpay.com/reactivation?tguid="), "{link}");
    assert!(link.ends_with("&amp;sprs=ms</string>"), "{link}");
    assert_eq!(link, ask("&purchaseid=80012990"));
    assert_ne!(link, ask("&purchaseid=80012991"));
    assert_eq!(ask("&purchaseid=80012345"), "<string>Invalid user name or password</string>");
    assert_eq!(ask(""), "<string>You must include all the values for reactivation</string>");
}

#[test]
fn only_documented_methods_and_paths_are_served() {
    let sandbox = sandbox();
    let query = format!("{LOGIN}&PurchaseID={ACTIVE}&Days=30");
    let answer = send(&sandbox, "POST", &format!("/adm.asmx/ExtendMembership?{query}"), "");
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: get"), "{}", answer.head);
    let answer = get(&sandbox, &format!("/adm.asmx/ExtendMembershipp?{query}"));
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("Web Service method name is not valid"), "{}", answer.body);
    assert_eq!(get(&sandbox, "/v2/cancel").status, 404);
    let answer = send(&sandbox, "POST", "/MWS.asmx/TransactionByPurchaseID", &format!("{LOGIN}&PurchaseID={ACTIVE}"));
    assert!(answer.status == 200 && answer.body.contains("<TransID>900012345</TransID>"), "reports take a form");
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn the_ledger_says_what_changed_and_holds_no_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.jsonl");
    let options = SandboxOptions { ledger: Some(path.clone()), ..SandboxOptions::default() };
    let sandbox = start(options).expect("a free port");
    extend(&sandbox, ACTIVE, "30");
    extend(&sandbox, ACTIVE, "5");
    word(&sandbox, "ModifyRebillAmount", "PurchaseID=80000001&RecurringAmount=9.50&Comments=a+%26+b");
    let entries = ledger(&sandbox);
    let file = std::fs::read_to_string(&path).expect("the file");
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(entries, lines);
    assert!(!file.contains("access") && !file.contains("sandbox-user"), "{file}");

    assert_eq!(entries[0]["request"], json!({"PurchaseID": "80012345", "Days": "30"}));
    assert_eq!(entries[0]["provider"], "segpay");
    assert_eq!(entries[0]["after"], entries[1]["before"]);
    let date = |value: &Value| value["next_bill_date"].as_str().and_then(|date| date.parse::<jiff::civil::Date>().ok());
    let days =
        date(&entries[1]["after"]).zip(date(&entries[0]["before"])).map(|(after, before)| (after - before).get_days());
    assert_eq!(days, Some(35));
    assert_eq!(entries[2]["before"]["recurring_amount"], "19.95");
    assert_eq!(entries[2]["after"]["recurring_amount"], "9.50");
    assert_eq!(entries[2]["request"]["Comments"], "a & b");
    assert!(entries[2]["at"].as_str().is_some_and(|at| at.ends_with('Z')));

    let one: Value = serde_json::from_str(&get(&sandbox, "/ledger?subject=80000001").body).expect("an array");
    assert_eq!(one, json!([entries[2]]));
}

#[test]
fn a_second_refund_is_made_again_and_shows_in_the_report() {
    let sandbox = sandbox();
    for _ in 0..2 {
        assert_eq!(word(&sandbox, "RefundTransaction", "TransID=900012345&RefundReason=twice"), "Success");
    }
    let entries = ledger(&sandbox);
    assert_eq!(entries.len(), 2);
    assert_eq!((&entries[1]["before"]["refunds"], &entries[1]["after"]["refunds"]), (&json!(1), &json!(2)));
    let report = get(&sandbox, &format!("/MWS.asmx/TransactionByPurchaseID?{LOGIN}&PurchaseID={ACTIVE}")).body;
    assert_eq!(report.matches("<Type>Credit</Type>").count(), 2, "{report}");
    assert_eq!(report.matches("<RelatedTransID>900012345</RelatedTransID>").count(), 2);
    assert!(report.contains("<TransAmount>-19.9500</TransAmount>"));
    let credit = get(&sandbox, &format!("/MWS.asmx/TransactionByTransID?{LOGIN}&TransID=950000002")).body;
    assert_eq!((credit.matches("<Data ").count(), credit.contains("<PurchaseID>80012345</PurchaseID>")), (1, true));
}

#[test]
fn a_refund_can_show_later_than_its_reply() {
    let sandbox = sandbox();
    let control = |delay: &str| send(&sandbox, "POST", "/control", &json!({"refund_delay": delay}).to_string());
    assert!(control("3600s").body.ends_with(r#""refund_delay":"3600000ms"}"#));
    assert_eq!(word(&sandbox, "RefundTransaction", "TransID=900012345&RefundReason="), "Success");
    let reports = || {
        let of = |name: &str, id: u32| get(&sandbox, &format!("/MWS.asmx/{name}={id}&{LOGIN}")).body;
        let purchase = of("TransactionByPurchaseID?PurchaseID", ACTIVE);
        let credit = of("TransactionByTransID?TransID", 950_000_001);
        [purchase, credit].map(|report| report.matches("<Type>Credit</Type>").count())
    };
    assert_eq!((reports(), ledger(&sandbox).len()), ([0, 0], 1));
    control("0");
    assert_eq!(reports(), [1, 1]);
    assert_eq!(control("later").status, 400);
}

#[test]
fn the_list_of_cancelled_subscriptions_says_when_they_end() {
    let sandbox = sandbox();
    let list = |from: u32| {
        let target = "/MWS.asmx/AssetsCancelledSubscriptionsByURL?BegDate=&EndDate=&URLID=0";
        get(&sandbox, &format!("{target}&{LOGIN}&PurchaseID={from}")).body
    };
    let page = list(ACTIVE);
    assert!(page.contains("<PurchaseID>80012990</PurchaseID>") && !page.contains("<PurchaseID>80012345</PurchaseID>"));
    word(&sandbox, "CancelMembership", "PurchaseID=80012345&CancelReason=");
    let page = list(ACTIVE);
    let (first, _) = page.split_once("</Data>").expect("a row");
    assert!(first.contains("<PurchaseID>80012345</PurchaseID>") && first.contains("<Cancelled>"), "{first}");
    assert!(first.contains("<ExpireDate>") && !first.contains("NextDate"), "{first}");
}

#[test]
fn reports_show_what_tasks_have_done() {
    let sandbox = sandbox();
    let report = |id: u32| get(&sandbox, &format!("/MWS.asmx/TransactionByPurchaseID?{LOGIN}&PurchaseID={id}")).body;
    let before = report(ACTIVE);
    assert!(before.contains("<PurchStatus>Active</PurchStatus>") && before.contains("<NextDate>"), "{before}");
    assert!(before.contains("<RecurringAmount>19.9500</RecurringAmount>") && !before.contains("CancelDate"));
    assert!(before.contains("<Password>made-up</Password>"), "a client has something to drop");
    extend(&sandbox, ACTIVE, "30");
    assert_ne!(report(ACTIVE), before);
    word(&sandbox, "CancelMembership", "PurchaseID=80012345&CancelReason=");
    let cancelled = report(ACTIVE);
    assert!(cancelled.contains("<PurchStatus>Cancelled</PurchStatus>") && cancelled.contains("<CancelDate>"));
    let empty = report(31_263_348);
    assert!(empty.contains("<diffgr:diffgram") && !empty.contains("NewDataSet xmlns=\"\""), "{empty}");
    assert!(report(80_012_350).contains("Jo &amp; Sam"), "text is escaped");
}

#[test]
fn the_list_of_active_subscriptions_comes_in_pages() {
    let sandbox = sandbox();
    let list = |from: u32| {
        let target = "/MWS.asmx/AssetsActiveSubscriptionsByURL?BegDate=&EndDate=&URLID=0";
        get(&sandbox, &format!("{target}&{LOGIN}&PurchaseID={from}")).body
    };
    let page = list(80_012_985);
    assert_eq!(page.matches("<Data ").count(), 250);
    assert!(page.contains("<PurchaseID>80012985</PurchaseID>") && !page.contains("<PurchaseID>80012990</PurchaseID>"));
    assert!(page.contains("<NextDate>") && page.contains("/20"), "dates are American here");
    assert!(list(0).contains("<PurchaseID>80000000</PurchaseID>"));
    assert!(!list(90_000_000).contains("<Data "));
}

#[test]
fn a_list_begins_with_after_or_with_only_the_one_asked_for() {
    let sandbox = sandbox();
    let list = |reading: &str| {
        let told = send(&sandbox, "POST", "/control", &json!({ "lists": reading }).to_string());
        assert_eq!(told.status, 200, "{}", told.body);
        let target = "/MWS.asmx/AssetsActiveSubscriptionsByURL?BegDate=&EndDate=&URLID=0";
        let page = get(&sandbox, &format!("{target}&{LOGIN}&PurchaseID={ACTIVE}")).body;
        (page.matches("<Data ").count(), page.contains(&format!("<PurchaseID>{ACTIVE}</PurchaseID>")))
    };
    assert_eq!(list("from"), (250, true));
    assert_eq!(list("after"), (250, false));
    assert_eq!(list("only"), (1, true));
    let refused = send(&sandbox, "POST", "/control", r#"{"lists":"all"}"#);
    assert_eq!((refused.status, refused.body.as_str()), (400, "`all` is not `from`, `after` or `only`"));
}

/// What became visible of one extension under a fault that always strikes, and whether it was applied.
fn under(fault: &str) -> (std::io::Result<Vec<u8>>, usize) {
    let sandbox = with_faults(&format!("{fault}=1"), 0);
    let seen =
        exchange(&sandbox, "GET", &format!("/adm.asmx/ExtendMembership?{LOGIN}&PurchaseID={ACTIVE}&Days=30"), "");
    let counts = statistics(&sandbox);
    assert_eq!((&counts["requests"], &counts["in_flight"]), (&json!(1), &json!(0)), "{fault}");
    assert_eq!(counts["faults"].as_object().map(serde_json::Map::len), Some(1), "{fault}");
    let entries = ledger(&sandbox).len();
    assert_eq!(counts["applied"], entries);
    (seen, entries)
}

#[test]
fn a_reset_is_a_reset_and_a_close_is_a_close() {
    for (fault, applied) in [("reset_before", 0), ("reset_after", 1)] {
        let (seen, entries) = under(fault);
        assert_eq!(seen.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset), "{fault}");
        assert_eq!(entries, applied, "{fault}");
    }
    for (fault, applied) in [("close_before", 0), ("close_after", 1)] {
        let (seen, entries) = under(fault);
        assert_eq!(seen.expect("an orderly end"), b"", "{fault}");
        assert_eq!(entries, applied, "{fault}");
    }
}

#[test]
fn each_faulty_reply_looks_as_it_should_and_the_ledger_knows_better() {
    let cases = [
        ("http_500_before", 0, "HTTP/1.1 500", "content-type: text/html"),
        ("http_500_after", 1, "HTTP/1.1 500", "content-type: text/html"),
        ("http_502_after", 1, "HTTP/1.1 502", "content-type: text/html"),
        ("http_503", 0, "HTTP/1.1 503", "Service Unavailable"),
        ("http_503_after", 1, "HTTP/1.1 503", "Service Unavailable"),
        ("http_409_after", 1, "HTTP/1.1 409", "Conflict"),
        ("throttle", 0, "HTTP/1.1 429", "retry-after: 1\r\n"),
        ("garbage", 1, "HTTP/1.1 200", "<string>Your request has been queued</string>"),
        ("html", 0, "HTTP/1.1 200", "<h1>Maintenance</h1>"),
        ("html_after", 1, "HTTP/1.1 200", "<h1>Maintenance</h1>"),
        ("redirect", 0, "HTTP/1.1 302", "location: /redirected\r\n"),
        ("redirect_after", 1, "HTTP/1.1 302", "location: /redirected\r\n"),
        ("wrong_id", 1, "HTTP/1.1 200", ">Successful</string>"),
    ];
    for (fault, applied, status, part) in cases {
        let (seen, entries) = under(fault);
        let seen = String::from_utf8(seen.expect("a reply")).expect("text");
        assert!(seen.starts_with(status) && seen.contains(part), "{fault}: {seen}");
        assert_eq!(entries, applied, "{fault}");
    }
}

#[test]
fn a_truncated_reply_announces_more_than_it_sends() {
    let (seen, entries) = under("truncate_after");
    let seen = String::from_utf8(seen.expect("an orderly end")).expect("text");
    let (head, body) = seen.split_once("\r\n\r\n").expect("a whole head");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|text| text.parse().ok());
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let length: usize = length.expect("a length");
    assert_eq!(body.len(), length / 2, "{body}");
    assert!(body.starts_with("<?xml") && !body.contains("Successful"), "{body}");
    assert_eq!(entries, 1);
}

/// Asks until so many calls are under way.
fn wait_for_in_flight(sandbox: &Sandbox, calls: u64) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while statistics(sandbox)["in_flight"] != calls {
        assert!(Instant::now() < deadline, "{calls} calls are not under way: {}", statistics(sandbox));
    }
}

#[test]
fn a_hanging_call_ends_when_its_client_goes_away() {
    for (fault, applied) in [("hang_before", 0), ("hang_after", 1)] {
        let sandbox = with_faults(&format!("{fault}=1"), 0);
        let mut stream = connect(&sandbox);
        write!(
            stream,
            "GET /adm.asmx/ExtendMembership?{LOGIN}&PurchaseID={ACTIVE}&Days=30 HTTP/1.1\r\nHost: s\r\n\r\n"
        )
        .expect("it is sent");
        wait_for_in_flight(&sandbox, 1);
        stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let kind = stream.read(&mut [0; 1]).map_err(|error| error.kind());
        assert!(matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{fault}: {kind:?}");
        stream.shutdown(Shutdown::Both).expect("it was open");
        wait_for_in_flight(&sandbox, 0);
        assert_eq!(ledger(&sandbox).len(), applied, "{fault}");
    }
}

#[test]
fn a_wrong_id_is_the_neighbours_in_a_report() {
    let sandbox = with_faults("wrong_id=1", 0);
    let report = get(&sandbox, &format!("/MWS.asmx/TransactionByPurchaseID?{LOGIN}&PurchaseID={ACTIVE}")).body;
    assert!(report.contains("<PurchaseID>80012346</PurchaseID>") && !report.contains("80012345"), "{report}");
}

#[test]
fn who_follows_a_redirect_believes_what_is_not_so() {
    let sandbox = sandbox();
    assert!(get(&sandbox, "/redirected").body.contains("Successful"));
    assert_eq!(ledger(&sandbox), Vec::<Value>::new());
}

#[test]
fn faults_are_repeatable_by_seed() {
    let pattern = |seed| {
        let sandbox = with_faults("reset_after=0.3,http_500_before=0.3", seed);
        let outcomes: Vec<_> = (0..40)
            .map(|row| {
                let target = format!("/adm.asmx/ExtendMembership?{LOGIN}&PurchaseID={}&Days=1", ACTIVE + row);
                exchange(&sandbox, "GET", &target, "").map_or(0, |reply| reply[9])
            })
            .collect();
        (outcomes, ledger(&sandbox).len())
    };
    let (outcomes, applied) = pattern(1);
    assert_eq!((outcomes.clone(), applied), pattern(1));
    assert_ne!(outcomes, pattern(2).0);
    let not_applied = outcomes.iter().filter(|status| **status == b'5').count();
    assert_eq!(applied, 40 - not_applied);
    assert!(not_applied > 3 && outcomes.contains(&0) && outcomes.contains(&b'2'), "{outcomes:?}");
}

#[test]
fn beyond_the_rate_calls_are_refused_without_effect() {
    let rate = Some("1/min".parse().expect("a rate"));
    let sandbox = start(SandboxOptions { rate, ..SandboxOptions::default() }).expect("a free port");
    let statuses: Vec<_> = (0..4)
        .map(|_| {
            let answer = get(&sandbox, &format!("/adm.asmx/ExtendMembership?{LOGIN}&PurchaseID={ACTIVE}&Days=30"));
            assert_eq!(answer.status == 429, answer.head.contains("retry-after: 1"));
            answer.status
        })
        .collect();
    assert_eq!(statuses, [200, 200, 429, 429], "one on time, one early");
    assert_eq!(ledger(&sandbox).len(), 2);
    assert_eq!(statistics(&sandbox)["status"], json!({"200": 2, "429": 2}));
}

#[test]
fn settings_change_while_it_runs() {
    let sandbox = sandbox();
    let control = |body: &str| send(&sandbox, "POST", "/control", body);
    assert_eq!(
        get(&sandbox, "/control").body,
        r#"{"rate":null,"faults":"","latency":"0ms","lists":"from","refund_delay":"0ms"}"#
    );
    let changed = control(r#"{"rate":"20/s","faults":"html=1","latency":"1ms..2ms"}"#);
    assert_eq!(
        changed.body,
        r#"{"rate":"20/s","faults":"html=1","latency":"1ms..2ms","lists":"from","refund_delay":"0ms"}"#
    );
    assert!(get(&sandbox, &format!("/MWS.asmx/ValidateUserAccess?{LOGIN}")).body.contains("Maintenance"));
    for wrong in [r#"{"fault":"html=1"}"#, r#"{"rate":null,"faults":"htm=1"}"#, r#"{"rate":50}"#, "x", ""] {
        assert_eq!(control(wrong).status, 400, "{wrong}");
    }
    assert_eq!(
        control(r#"{"faults":null}"#).body,
        r#"{"rate":"20/s","faults":"","latency":"1ms..2ms","lists":"from","refund_delay":"0ms"}"#
    );
    assert_eq!(
        control(r#"{"rate":null}"#).body,
        r#"{"rate":null,"faults":"","latency":"1ms..2ms","lists":"from","refund_delay":"0ms"}"#
    );
    assert_eq!(extend(&sandbox, ACTIVE, "30"), "Successful");
}

#[test]
fn the_environment_names_every_variable() {
    let sandbox = sandbox();
    let value =
        |name: &str| sandbox.environment().iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(value("SEGPAY_USER_ID"), Some("sandbox-user"));
    assert_eq!(value("SEGPAY_MERCHANT_ID"), Some("20213"));
    for name in ["SEGPAY_SRS_URL", "SEGPAY_API_URL", "PAYPRO_STORE_URL", "TWOCHECKOUT_API_URL"] {
        assert_eq!(value(name), Some(sandbox.url()));
    }
    assert_eq!(sandbox.environment().len(), 13);
}

#[test]
fn an_address_in_use_is_said_and_a_stopped_sandbox_is_gone() {
    let sandbox = start(SandboxOptions { workers: 3, ..SandboxOptions::default() }).expect("a free port");
    let address = sandbox.url().strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address");
    let error = start(SandboxOptions { listen: address, ..SandboxOptions::default() }).expect_err("it is taken");
    assert!(error.to_string().starts_with(&format!("cannot listen on `{address}`: ")), "{error}");
    sandbox.stop();
    assert!(TcpStream::connect(address).is_err());
}
