//! Documented replies, cut, changed and mixed: what they come to, against the oracle.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use subops::model::failure::Reply;

use crate::change::{Change, apply};
use crate::samples::Said;
use crate::stand::{Say, Stand, every};

/// Cases for each operation in each form; `SUBOPS_HOSTILE_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("SUBOPS_HOSTILE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

/// Everything that the operation's documentation has it say.
fn documented(stand: &Stand) -> Vec<Said> {
    let samples = &stand.samples;
    let more = samples.words.iter().chain(&samples.others).map(|(_, said, _)| said.clone());
    std::iter::once(samples.success.clone()).chain(samples.another.clone()).chain(more).collect()
}

fn try_out(stand: &Stand, say: Say) -> Reply {
    let (came, heard) = stand.perform(say);
    heard.check(&came);
    came
}

/// The oracle is no good if it says no to what is documented, and hides nothing if it says yes to everything.
#[test]
fn the_oracle_knows_a_success_from_its_fragments() {
    for stand in every() {
        let (came, heard) = stand.perform(Say::of(&stand.samples.success));
        assert!(matches!(came, Reply::Applied(_)) && heard.says_applied(), "{}: {came:?}", stand.name());
        for (name, said, _) in stand.samples.words.iter().chain(&stand.samples.others) {
            let (came, heard) = stand.perform(Say::of(said));
            assert_eq!(matches!(came, Reply::Applied(_)), heard.says_applied(), "{}: {name}", stand.name());
        }
    }
}

#[test]
fn a_reply_that_ends_anywhere_is_never_a_success() {
    for stand in every() {
        let whole = stand.samples.success.body.clone();
        for end in 0..whole.trim_end().len() {
            let Some(part) = whole.get(..end) else { continue };
            let came = try_out(&stand, Say::of(&Said { body: part.to_owned(), ..stand.samples.success.clone() }));
            assert!(!matches!(came, Reply::Applied(_) | Reply::Already(_)), "{}: {end}: {came:?}", stand.name());
        }
    }
}

/// Status and type may be changed too: a success of the body is none of HTTP's.
#[test]
fn changed_replies_are_called_applied_only_where_they_say_so() {
    let change = (any::<u8>(), any::<u16>(), any::<u16>()).prop_map(|(how, at, what)| Change { how, at, what });
    let status = prop_oneof![
        9 => Just(None),
        1 => prop::sample::select(vec![201_u16, 204, 206, 302, 400, 404, 409, 429, 500, 502, 503]).prop_map(Some),
    ];
    let kind = prop_oneof![
        9 => Just(None),
        1 => prop::sample::select(vec!["", "text/html", "text/plain", "application/json", "text/xml; charset=utf-16"])
            .prop_map(Some),
    ];
    for stand in every() {
        let documented = documented(&stand);
        let plan =
            (any::<prop::sample::Index>(), prop::collection::vec(change.clone(), 1..5), status.clone(), kind.clone());
        let config = Config { failure_persistence: None, ..Config::with_cases(cases()) };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&plan, |(sample, changes, status, kind)| {
            let said = sample.get(&documented);
            let mut body = said.body.clone().into_bytes();
            changes.iter().for_each(|change| apply(&mut body, *change));
            let content_type = kind.unwrap_or(said.content_type).to_owned();
            try_out(&stand, Say::Reply { status: status.unwrap_or(said.status), content_type, body });
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}

/// Values that a careless reader takes for what they are not: lists for objects, another case, names that are there twice.
#[test]
fn what_only_looks_like_a_success_is_none() {
    let replies = [
        "[{id},true,null]",
        "[{id},true]",
        "[true]",
        "{\"result\":true}",
        "{\"ID\":{id},\"RESULT\":true}",
        "{\"id\":{id},\"result\":true,\"result\":false}",
        "{\"id\":{id},\"result\":\"true\"}",
        "{\"id\":{id},\"result\":[true]}",
        "{\"id\":{id},\"result\":1}",
        "{\"id\":{id},\"result\":{}}",
        "{\"id\":[{id}],\"result\":true}",
        "{\"id\":{id}.0,\"result\":true}",
        "{\"id\":{id},\"error\":{},\"result\":true}",
        "{\"isSuccess\":true}",
        "{\"isSuccess\":\"true\",\"request\":{\"subscriptionId\":1111111}}",
        "{\"isSuccess\":true,\"request\":{\"subscriptionId\":1111111},\"errors\":{}}",
        "{\"isSuccess\":true,\"request\":[{\"subscriptionId\":1111111}]}",
        "{\"isSuccess\":true,\"isSuccess\":true,\"request\":{\"subscriptionId\":1111111}}",
        "[[],true]",
        "Successful",
        "\"Successful\"",
        "<string>Successful",
        "<a><string>Successful</string></a>",
        "<string><string>Successful</string></string>",
        "<string>Successful</string><string>Failed</string>",
        "<string>Successful Failed</string>",
        "<strings>Successful</strings>",
        "<string a=b>Successful</string>",
        "<string a>Successful</string>",
        "<string>Successful</string>x",
        "<!DOCTYPE string><string>Successful</string>",
    ];
    for stand in every() {
        for body in replies {
            for content_type in ["application/json", "text/xml"] {
                let body = body.as_bytes().to_vec();
                try_out(&stand, Say::Reply { status: 200, content_type: content_type.to_owned(), body });
            }
        }
    }
}

/// A read that cannot be read is a failure, and never a panic.
#[test]
fn reads_take_whatever_comes() {
    let change = (any::<u8>(), any::<u16>(), any::<u16>()).prop_map(|(how, at, what)| Change { how, at, what });
    for stand in every() {
        let documented = documented(&stand);
        let plan = (any::<prop::sample::Index>(), prop::collection::vec(change.clone(), 0..4));
        let config = Config { failure_persistence: None, ..Config::with_cases(cases() / 10) };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&plan, |(sample, changes)| {
            let said = sample.get(&documented);
            let mut body = said.body.clone().into_bytes();
            changes.iter().for_each(|change| apply(&mut body, *change));
            stand.observe(Say::Reply { status: said.status, content_type: said.content_type.to_owned(), body });
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
}
