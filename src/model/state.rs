//! The states of a row, and the one function that moves a row from one to another.
//!
//! Live and on recovery, every change of state goes through [`State::after`]. It knows nothing of providers, retries or
//! storage; it only says what may follow what. Invariant: there is no event that leads from a state in which a call may
//! have been executed back to `planned`, except proof ([`Event::NotApplied`], [`Event::VerifiedNotApplied`]) or a
//! person's decision ([`Event::SettledNotApplied`]).

use std::fmt;

use super::operation::Effect;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Never sent, or proven not applied: safe to send.
    Planned = 0,
    /// The intent is durable: a call may have left. Found at start-up it becomes in doubt.
    Intended = 1,
    /// The provider said so, in words that its documentation lists.
    Applied = 2,
    /// The wanted state was there before us.
    Already = 3,
    /// The provider said no, in words that its documentation lists.
    Refused = 4,
    /// Proven not applied, and attempts are used up.
    Failed = 5,
    /// Cannot be known from here.
    InDoubt = 6,
    /// Not sent, because an earlier row of the same subject is in doubt.
    Held = 7,
    /// The run stopped before it.
    NotSent = 8,
}

impl State {
    /// Every state, in the order of their numbers.
    pub const ALL: [State; 9] = [
        State::Planned,
        State::Intended,
        State::Applied,
        State::Already,
        State::Refused,
        State::Failed,
        State::InDoubt,
        State::Held,
        State::NotSent,
    ];

    /// The word for it in results, in `--json` and in the journal's tables.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Intended => "intended",
            State::Applied => "applied",
            State::Already => "already",
            State::Refused => "refused",
            State::Failed => "failed",
            State::InDoubt => "in_doubt",
            State::Held => "held",
            State::NotSent => "not_sent",
        }
    }

    /// The state with this number, if there is one.
    pub fn from_number(number: u8) -> Option<State> {
        State::ALL.get(usize::from(number)).copied()
    }

    /// Its number in the journal.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// True for the states that no run ever leaves: the row is done.
    pub fn is_final(self) -> bool {
        matches!(self, State::Applied | State::Already | State::Refused | State::Failed)
    }

    /// The state after `event`, or the reason why the event cannot happen here.
    pub fn after(self, event: Event) -> Result<State, IllegalTransition> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::Planned, E::Intent { .. }) => S::Intended,
            // A doubt may be called again only where a repeat changes nothing more.
            (S::InDoubt, E::Intent { effect }) if effect.repeatable() => S::Intended,
            (S::Intended, E::Applied) => S::Applied,
            (S::Intended, E::Already) => S::Already,
            (S::Intended, E::Refused) => S::Refused,
            (S::Intended, E::NotApplied) => S::Planned,
            (S::Intended, E::GaveUp) => S::Failed,
            (S::Intended, E::Unknown | E::FoundAtStart) => S::InDoubt,
            (S::InDoubt, E::VerifiedApplied | E::SettledApplied) => S::Applied,
            (S::InDoubt, E::VerifiedNotApplied | E::SettledNotApplied) => S::Planned,
            (S::Planned, E::GaveUp) => S::Failed,
            (S::Planned | S::NotSent, E::Held) => S::Held,
            (S::Held, E::Released) => S::Planned,
            (S::Planned, E::Stopped) => S::NotSent,
            (S::NotSent, E::Resumed) => S::Planned,
            _ => return Err(IllegalTransition { state: self, event }),
        };
        Ok(next)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can happen to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The intent to call is about to be made durable.
    Intent {
        /// What a repeat of the operation does.
        effect: Effect,
    },
    /// The reply says that it was done.
    Applied,
    /// The reply says that the wanted state was there before.
    Already,
    /// The reply says no.
    Refused,
    /// Proof that the call had no effect; it may be tried again.
    NotApplied,
    /// Proof that nothing happened, and no attempt is left.
    GaveUp,
    /// Nothing can be concluded from what came back.
    Unknown,
    /// An intent without an outcome was found when the program started.
    FoundAtStart,
    /// A read at the provider shows the effect.
    VerifiedApplied,
    /// A read at the provider proves that there is no effect.
    VerifiedNotApplied,
    /// A person decided that it was applied.
    SettledApplied,
    /// A person decided that it was not applied.
    SettledNotApplied,
    /// An earlier row of the same subject is in doubt.
    Held,
    /// That earlier row is in doubt no longer.
    Released,
    /// The run ended before the row was sent.
    Stopped,
    /// The run goes on.
    Resumed,
}

/// An event that cannot happen in this state: a fault of the program, never of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row that is {state} cannot take the event {event:?}")]
pub struct IllegalTransition {
    /// The state the row was in.
    pub state: State,
    /// The event that was refused.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EFFECTS: [Effect; 4] = [Effect::Read, Effect::Absolute, Effect::Conditional, Effect::Additive];

    fn events() -> Vec<Event> {
        let mut all = vec![
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
        all.extend(EFFECTS.map(|effect| Event::Intent { effect }));
        all
    }

    #[test]
    fn numbers_and_words_name_one_state_each() {
        for state in State::ALL {
            assert_eq!(State::from_number(state.number()), Some(state));
        }
        assert_eq!(State::from_number(9), None);
    }

    #[test]
    fn the_whole_table() {
        let mut legal = Vec::new();
        for state in State::ALL {
            for event in events() {
                if let Ok(next) = state.after(event) {
                    legal.push(format!("{state} --{event:?}--> {next}"));
                }
            }
        }
        let expected = [
            "planned --GaveUp--> failed",
            "planned --Held--> held",
            "planned --Stopped--> not_sent",
            "planned --Intent { effect: Read }--> intended",
            "planned --Intent { effect: Absolute }--> intended",
            "planned --Intent { effect: Conditional }--> intended",
            "planned --Intent { effect: Additive }--> intended",
            "intended --Applied--> applied",
            "intended --Already--> already",
            "intended --Refused--> refused",
            "intended --NotApplied--> planned",
            "intended --GaveUp--> failed",
            "intended --Unknown--> in_doubt",
            "intended --FoundAtStart--> in_doubt",
            "in_doubt --VerifiedApplied--> applied",
            "in_doubt --VerifiedNotApplied--> planned",
            "in_doubt --SettledApplied--> applied",
            "in_doubt --SettledNotApplied--> planned",
            "in_doubt --Intent { effect: Read }--> intended",
            "in_doubt --Intent { effect: Absolute }--> intended",
            "held --Released--> planned",
            "not_sent --Held--> held",
            "not_sent --Resumed--> planned",
        ];
        assert_eq!(legal, expected);
    }

    #[test]
    fn nothing_leaves_a_final_state() {
        for state in State::ALL.into_iter().filter(|state| state.is_final()) {
            for event in events() {
                assert!(state.after(event).is_err(), "{state} {event:?}");
            }
        }
    }

    #[test]
    fn a_doubt_that_adds_up_is_never_sent_without_proof() {
        for effect in [Effect::Additive, Effect::Conditional] {
            assert!(State::InDoubt.after(Event::Intent { effect }).is_err());
            assert!(State::Intended.after(Event::Intent { effect }).is_err());
        }
    }
}
