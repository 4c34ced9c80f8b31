//! A run that is continued: the plan that was kept, and walks that pass over what is done.

use std::collections::VecDeque;

use super::*;

/// The rows that a walk gives, in short.
fn walk(planned: &PlannedInput, done: Done) -> Vec<(u64, String)> {
    let mut rows = planned.rows(done).expect("open");
    let mut found = Vec::new();
    while let Some(row) = rows.next_row().expect("as planned") {
        found.push((row.number.0, row.get("PurchaseID").unwrap_or_default().to_owned()));
    }
    found
}

fn recalled(case: &Case, kept: &super::super::Kept) -> Option<PlannedInput> {
    recall(case.spec.clone(), Arc::new(Demo), kept)
}

#[test]
fn a_kept_plan_is_the_plan() {
    for case in [
        extend("PurchaseID;Days;who\n1;030;me\n2;7;\"a\nb\"\n1;1;you\n"),
        jsonl("{\"OrderReference\":\"a\",\"Total\":1.10}\n{\"OrderReference\":\"b\",\"Total\":2.20}\n", &REFUND),
        extend("PurchaseID,Days\n1,2\nx,3\n").with(|spec| spec.skip_invalid = true),
    ] {
        let planned = case.planned();
        let text = serde_json::to_string(&planned.kept()).expect("is written");
        let kept = serde_json::from_str(&text).expect("is read");
        let recalled = recalled(&case, &kept).expect("the file is what it was");
        assert_eq!(recalled.plan_digest(&[]), planned.plan_digest(&[]));
        assert_eq!(recalled.kept(), planned.kept());
        assert_eq!(recalled.census().amounts, planned.census().amounts);
        assert_eq!(recalled.delimiter(), planned.delimiter());
        assert_eq!(rows(&recalled), rows(&planned));
    }
}

#[test]
fn a_kept_plan_does_not_stand_for_other_bytes_or_another_key() {
    let case = extend("PurchaseID,Days\n1,2\n");
    let kept = case.planned().kept();
    fs::write(&case.spec.path, "PurchaseID,Days\n1,3\n").expect("written");
    assert!(recalled(&case, &kept).is_none(), "another day");
    fs::write(&case.spec.path, "PurchaseID,Days\n1,2\n").expect("written");
    assert!(recalled(&case, &kept).is_some(), "the same bytes again");
    let keyed = case.with(|spec| spec.digest_key = Some([7; 32]));
    assert!(recalled(&keyed, &kept).is_none(), "a key that it was not made with");
    let kept = keyed.planned().kept();
    assert!(kept.is_keyed() && recalled(&keyed, &kept).is_some());
    fs::remove_file(&keyed.spec.path).expect("removed");
    assert!(recalled(&keyed, &kept).is_none(), "no file");
}

/// Records with line breaks inside, blank lines between, and a last line with or without its end.
fn file() -> impl Strategy<Value = String> {
    let record = prop_oneof![
        4 => Just("1,2,x\n"),
        1 => Just("1,2,\"a\nb\"\r\n"),
        1 => Just("\n"),
        1 => Just("\"1\",2,\"\"\"\n\n\"\n"),
    ];
    (proptest::collection::vec(record, 1..60), any::<bool>()).prop_map(|(records, ended)| {
        let text = format!("PurchaseID,Days,Note\n{}1,2,end", records.concat());
        if ended { text + "\n" } else { text }
    })
}

proptest! {
    /// A walk that passes over rows gives all others, and each under its own number.
    #[test]
    fn what_is_not_done_is_given(text in file(), below in 0_u64..90, except in proptest::collection::btree_set(0_u64..100, 0..6)) {
        let planned = extend(text).planned();
        let all = walk(&planned, Done::default());
        let except: VecDeque<RowNumber> = except.into_iter().map(RowNumber).collect();
        let wanted = |number: u64| number >= below || except.contains(&RowNumber(number));
        let expected: Vec<_> = all.into_iter().filter(|(number, _)| wanted(*number)).collect();
        let done = Done { below: RowNumber(below), except: except.clone() };
        prop_assert_eq!(walk(&planned, done), expected);
    }

    /// The same of lines.
    #[test]
    fn lines_that_are_not_done_are_given(blank in proptest::collection::vec(any::<bool>(), 1..40), below in 0_u64..50) {
        let line = |blank: &bool| if *blank { "\n" } else { "{\"PurchaseID\":1,\"Days\":2}\n" };
        let text: String = blank.iter().map(line).collect();
        let planned = jsonl(format!("{text}{{\"PurchaseID\":1,\"Days\":2}}"), &EXTEND).planned();
        let expected: Vec<_> = walk(&planned, Done::default()).into_iter().filter(|(number, _)| *number >= below).collect();
        let done = Done { below: RowNumber(below), except: VecDeque::new() };
        prop_assert_eq!(walk(&planned, done), expected);
    }
}

/// More than one chunk of text, so that lines lie across its edges.
#[test]
fn long_files_are_passed_over_as_well() {
    let text = format!("PurchaseID,Days,Note\n{}", "12345,2,abcdefgh\n12346,2,\"i\"\n".repeat(20_000));
    let planned = extend(text).planned();
    let done = Done { below: RowNumber(40_000), except: VecDeque::from([RowNumber(2), RowNumber(30_001)]) };
    let expected = [(2, "12345"), (30_001, "12346"), (40_000, "12345"), (40_001, "12346")];
    assert_eq!(walk(&planned, done), expected.map(|(number, id)| (number, id.to_owned())));
}
