//! What a (new or continued) run does with each row: decided from the record alone, before anything is sent. Pure.
//!
//! Invariant: a row is sent only where its record says that it is safe to send, or where a repeat is harmless.

use crate::contract::Recorded;
use crate::model::operation::Effect;
use crate::model::state::State;

/// What to do with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is done: pass over it.
    Skip,
    /// Send it.
    Send,
    /// It waited behind a doubt: send it if nothing before it is in doubt any more, otherwise leave it held.
    SendIfFree,
    /// It is in doubt: ask the provider.
    Verify,
    /// It is in doubt, and a repeat is harmless: send it again.
    SendAgain,
    /// It is in doubt, and only a person can say more.
    LeaveInDoubt,
}

/// What a start of a run may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Send rows, and settle doubts.
    Send,
    /// Settle doubts by reads alone.
    VerifyOnly,
}

/// Decides what to do with a row that has this record (or none). `readable` is true where the run verifies and the
/// operation has a read.
pub fn step(recorded: Option<&Recorded>, effect: Effect, readable: bool, leave: Leave) -> Step {
    match (sending(recorded, effect, readable), leave) {
        (Step::SendAgain, Leave::VerifyOnly) if readable => Step::Verify,
        (Step::SendAgain, Leave::VerifyOnly) => Step::LeaveInDoubt,
        (Step::Send | Step::SendIfFree, Leave::VerifyOnly) => Step::Skip,
        (step, _) => step,
    }
}

fn sending(recorded: Option<&Recorded>, effect: Effect, readable: bool) -> Step {
    let Some(recorded) = recorded else { return Step::Send };
    match recorded.state {
        State::Applied | State::Already | State::Refused | State::Failed => Step::Skip,
        State::Planned | State::NotSent => Step::Send,
        State::Held => Step::SendIfFree,
        // An intent that is still open here belongs to a call of which nobody knows the end (I3).
        State::Intended | State::InDoubt if effect.repeatable() => Step::SendAgain,
        State::Intended | State::InDoubt if readable => Step::Verify,
        State::Intended | State::InDoubt => Step::LeaveInDoubt,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RowNumber;

    fn recorded(state: State) -> Recorded {
        Recorded {
            row: RowNumber(2),
            state,
            attempts: 1,
            intended_at: Some(0),
            baseline: None,
            subject: None,
            sent: None,
            code: None,
            message: None,
            reference: None,
            data: Vec::new(),
        }
    }

    #[test]
    fn the_whole_table() {
        use Step::{LeaveInDoubt, Send, SendAgain, SendIfFree, Skip, Verify};
        for readable in [false, true] {
            for effect in [Effect::Read, Effect::Absolute, Effect::Conditional, Effect::Additive] {
                assert_eq!(step(None, effect, readable, Leave::Send), Step::Send);
                assert_eq!(step(None, effect, readable, Leave::VerifyOnly), Step::Skip);
                for state in State::ALL {
                    let expected = match state {
                        State::Planned | State::NotSent => Step::Send,
                        State::Held => SendIfFree,
                        State::Intended | State::InDoubt => match (effect, readable) {
                            (Effect::Read | Effect::Absolute, _) => SendAgain,
                            (_, true) => Verify,
                            (_, false) => LeaveInDoubt,
                        },
                        _ => Skip,
                    };
                    assert_eq!(
                        step(Some(&recorded(state)), effect, readable, Leave::Send),
                        expected,
                        "{state} {effect}"
                    );
                    let reading = match expected {
                        Send | SendIfFree => Skip,
                        SendAgain if readable => Verify,
                        SendAgain => LeaveInDoubt,
                        other => other,
                    };
                    let told = step(Some(&recorded(state)), effect, readable, Leave::VerifyOnly);
                    assert_eq!(told, reading, "{state} {effect}");
                }
            }
        }
    }
}
