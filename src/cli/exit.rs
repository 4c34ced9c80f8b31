//! How the program ends. Scripts act on these numbers, so they are never renumbered.

/// An exit code by its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Every row is applied or already was, or nothing was left to do.
    Success,
    /// Finished; some rows were refused or failed.
    RowsFailed,
    /// The command line, the job file or the input is wrong. Nothing was sent.
    Usage,
    /// Halted by a guard.
    Halted,
    /// Rows in doubt wait for a person.
    InDoubt,
    /// A fault of the program or of the journal, or a broken invariant.
    Internal,
    /// The plan is not the one that was approved, or none was.
    NotApproved,
    /// Another process has the run.
    Locked,
    /// The provider rejected the credentials.
    Credentials,
    /// Not started; try later.
    NotStarted,
    /// Interrupted; can be resumed.
    Interrupted,
}

impl Exit {
    /// All of them.
    pub const ALL: [Exit; 11] = [
        Exit::Success,
        Exit::RowsFailed,
        Exit::Usage,
        Exit::Halted,
        Exit::InDoubt,
        Exit::Internal,
        Exit::NotApproved,
        Exit::Locked,
        Exit::Credentials,
        Exit::NotStarted,
        Exit::Interrupted,
    ];

    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::RowsFailed => 1,
            Exit::Usage => 2,
            Exit::Halted => 3,
            Exit::InDoubt => 4,
            Exit::Internal => 5,
            Exit::NotApproved => 10,
            Exit::Locked => 11,
            Exit::Credentials => 12,
            Exit::NotStarted => 75,
            Exit::Interrupted => 130,
        }
    }

    /// Its place where several hold; the least wins.
    ///
    /// What a run can end with comes first, in the order of what a person must hear of first. The rest is said before a
    /// run starts and so holds alone; it comes after, for what already happened matters more.
    fn precedence(self) -> u8 {
        match self {
            Exit::Internal => 0,
            Exit::Credentials => 1,
            Exit::Halted => 2,
            Exit::Interrupted => 3,
            Exit::InDoubt => 4,
            Exit::RowsFailed => 5,
            Exit::Usage => 6,
            Exit::NotApproved => 7,
            Exit::Locked => 8,
            Exit::NotStarted => 9,
            Exit::Success => 10,
        }
    }

    /// The one that is told where several hold: the first of 5, 12, 3, 130, 4, 1. Success where none holds.
    pub fn first_of(holding: impl IntoIterator<Item = Exit>) -> Exit {
        holding.into_iter().min_by_key(|exit| exit.precedence()).unwrap_or(Exit::Success)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_never_change() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 10, 11, 12, 75, 130]);
    }

    /// Every set of exits, against the documented order read from left to right.
    #[test]
    fn of_several_the_first_in_the_documented_order_is_told() {
        let documented = [5, 12, 3, 130, 4, 1, 2, 10, 11, 75, 0];
        for set in 0..1_u32 << Exit::ALL.len() {
            let holding: Vec<Exit> = Exit::ALL
                .into_iter()
                .enumerate()
                .filter(|(bit, _)| set & (1 << bit) != 0)
                .map(|(_, exit)| exit)
                .collect();
            let codes: Vec<u8> = holding.iter().map(|exit| exit.code()).collect();
            let expected = documented.into_iter().find(|code| codes.contains(code)).unwrap_or(0);
            assert_eq!(Exit::first_of(holding).code(), expected, "{codes:?}");
        }
    }
}
