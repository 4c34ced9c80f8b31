//! Random sequences of changes, legal and not, against a map that knows nothing of SQL.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::contract::Standing;
use crate::model::totals::Totals;

const EVENTS: [Event; 17] = [
    Event::Intent { effect: Effect::Additive },
    Event::Intent { effect: Effect::Absolute },
    Event::Applied,
    Event::Already,
    Event::Refused,
    Event::NotApplied,
    Event::GaveUp,
    Event::Unknown,
    Event::FoundAtStart,
    Event::VerifiedApplied,
    Event::VerifiedNotApplied,
    Event::SettledApplied,
    Event::SettledNotApplied,
    Event::Held,
    Event::Released,
    Event::Stopped,
    Event::Resumed,
];

/// One try: a row, an event, and the state that the caller believes the row to be in (none: the true one).
#[derive(Debug, Clone)]
struct Try {
    row: u64,
    event: Event,
    believed: Option<State>,
}

fn a_try() -> impl Strategy<Value = Try> {
    // Intents and their outcomes come often, or few rows would get far.
    let event = prop_oneof![
        3 => Just(EVENTS[0]),
        3 => prop::sample::select(&EVENTS[2..8]),
        4 => prop::sample::select(&EVENTS[..]),
    ];
    let believed = prop_oneof![4 => Just(None), 1 => prop::sample::select(&State::ALL[..]).prop_map(Some)];
    (2..8_u64, event, believed).prop_map(|(row, event, believed)| Try { row, event, believed })
}

/// The naive journal: the state of each recorded row and its calls.
#[derive(Default)]
struct Oracle {
    rows: BTreeMap<u64, (State, u32)>,
}

impl Oracle {
    fn state(&self, row: u64) -> State {
        self.rows.get(&row).map_or(State::Planned, |(state, _)| *state)
    }

    /// True where the change is to succeed; then it is made.
    fn take(&mut self, row: u64, from: State, event: Event) -> bool {
        let stored = |state| if state == State::NotSent { State::Planned } else { state };
        let Ok(to) = from.after(event) else { return false };
        if stored(from) != self.state(row) {
            return false;
        }
        if stored(to) != stored(from) {
            let attempts = self.rows.get(&row).map_or(0, |(_, attempts)| *attempts);
            let attempts = attempts + u32::from(to == State::Intended);
            self.rows.insert(row, (stored(to), attempts));
        }
        true
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (row, (state, _)) in &self.rows {
            totals.add(*state, amount_of(*row));
        }
        totals
    }
}

fn amount_of(row: u64) -> Option<Money> {
    [None, usd("9.95"), usd("0.005"), usd("-1.10")].get((row % 4) as usize).copied().flatten()
}

fn note_for(event: Event, attempts: u32) -> Note {
    match event {
        Event::Intent { .. } => intent_note(attempts + 1),
        Event::Applied | Event::Already | Event::Refused => Note::Answer(Answer::word("SUCCESS")),
        Event::Unknown | Event::NotApplied => failure(),
        Event::Held => Note::Held { subject: subject("80012345") },
        Event::VerifiedApplied => {
            Note::Evidence { observation: Observation::default(), finding: "the date moved".to_owned() }
        }
        _ => Note::None,
    }
}

/// Amounts are equal whatever their scale: a sum that came back to zero may be `0.00`.
fn same(one: &Totals, other: &Totals) -> bool {
    let usd = Currency::parse("USD").expect("USD");
    State::ALL
        .into_iter()
        .all(|state| one.count(state) == other.count(state) && one.amount(usd, state) == other.amount(usd, state))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_agrees_with_a_map(tries in prop::collection::vec(a_try(), 1..60)) {
        let ground = Ground::new();
        let journal = ground.journal();
        let mut oracle = Oracle::default();
        for Try { row, event, believed } in tries {
            let from = believed.unwrap_or_else(|| oracle.state(row));
            let attempts = oracle.rows.get(&row).map_or(0, |(_, attempts)| *attempts);
            let expected = oracle.take(row, from, event);
            let change = Change {
                amount: amount_of(row),
                ..ground.change(row, from, event, note_for(event, attempts))
            };
            prop_assert_eq!(one(&journal, change).is_ok(), expected, "row {} {} {:?}", row, from, event);
        }
        let store = ground.store();
        let records = store.records(ground.run, RowNumber(0), usize::MAX).expect("reads");
        let found: BTreeMap<_, _> =
            records.iter().map(|record| (record.row.0, (record.state, record.attempts))).collect();
        prop_assert_eq!(records.len(), found.len(), "a row has one record");
        prop_assert_eq!(&found, &oracle.rows);
        let counted = store.verify_tally(ground.run).expect("the tally equals a recount");
        prop_assert!(same(&counted, &oracle.totals()), "{:?}", counted);

        let resume = journal.resume(ground.run).expect("reads");
        for row in 1..10 {
            let expected = oracle.rows.get(&row).map(|(state, _)| state.is_final());
            let standing = resume.standing(RowNumber(row));
            let found = match standing {
                Standing::Unrecorded => None,
                Standing::Open(_) => Some(false),
                Standing::Final => Some(true),
            };
            prop_assert_eq!(found, expected);
        }
    }
}
