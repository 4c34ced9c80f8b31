//! What an operation is: one declaration drives validation, the catalogue, templates, help and documentation.

use std::fmt;

/// What a repeat of an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Changes nothing at the provider that matters.
    Read,
    /// Sets a value: a repeat leaves the same value.
    Absolute,
    /// The provider's own state guards it: a repeat is answered "already so".
    Conditional,
    /// Adds up: a repeat doubles the effect.
    Additive,
}

impl Effect {
    /// True where sending it again without knowing about the first time does no harm.
    pub fn repeatable(self) -> bool {
        matches!(self, Effect::Read | Effect::Absolute)
    }

    /// The word for it in the catalogue.
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Read => "read",
            Effect::Absolute => "absolute",
            Effect::Conditional => "conditional",
            Effect::Additive => "additive",
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The type of a parameter: what a cell must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number within bounds, stored without leading zeros or plus sign.
    Integer {
        /// The smallest allowed value.
        min: i64,
        /// The largest allowed value.
        max: i64,
        /// What to call it in a message, for instance `a 32-bit whole number`.
        expected: &'static str,
    },
    /// An exact decimal amount, no exponent, more than zero unless `zero` is set.
    Amount {
        /// Whether 0 is an amount here.
        zero: bool,
    },
    /// Free text of at most `max` characters, without control characters other than tab and line breaks.
    Text {
        /// The most characters it may have.
        max: usize,
    },
    /// An identifier: text without spaces or control characters, at most `max` characters.
    Id {
        /// The most characters it may have.
        max: usize,
    },
    /// `true` or `false` (also `yes`, `no`, `1`, `0`), stored as `true` or `false`.
    Bool,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
    /// A date, or a date and time, in ISO 8601, stored as written.
    DateTime,
    /// An ISO 4217 currency code, stored in capitals.
    Currency,
    /// An ISO 3166-1 alpha-2 country code, stored in capitals.
    Country,
    /// One of the listed words; case is ignored, the listed spelling is stored.
    Choice(&'static [&'static str]),
    /// One of the listed numbers, each with what it means.
    Code(&'static [(i64, &'static str)]),
    /// A list of texts: in CSV separated by `;`, in JSONL an array. Stored as a JSON array of strings.
    List {
        /// The words allowed, or empty for any.
        words: &'static [&'static str],
    },
    /// Objects in an array. In CSV the cell holds JSON. Stored as compact JSON. The provider's own check looks inside.
    Json,
    /// A payment card's number: 12 to 19 digits with a valid check digit. Secret.
    CardNumber,
    /// A card's security code: 3 or 4 digits. Secret.
    SecurityCode,
}

impl Kind {
    /// The word for the type in the catalogue's `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Integer { .. } => "integer",
            Kind::Amount { .. } => "amount",
            Kind::Text { .. } => "text",
            Kind::Id { .. } => "id",
            Kind::Bool => "boolean",
            Kind::Date => "date",
            Kind::DateTime => "date-time",
            Kind::Currency => "currency",
            Kind::Country => "country",
            Kind::Choice(_) => "choice",
            Kind::Code(_) => "code",
            Kind::List { .. } => "list",
            Kind::Json => "json",
            Kind::CardNumber => "card-number",
            Kind::SecurityCode => "security-code",
        }
    }

    /// True where the value may be neither stored nor shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Kind::CardNumber | Kind::SecurityCode)
    }
}

/// Whether a parameter must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Must be there, and not empty.
    Required,
    /// Is sent, empty where it is not given ("can be set to null").
    Nullable,
    /// Left out where it is not given.
    Optional,
    /// Needed or forbidden depending on others: see [`OperationSpec::rules`].
    Conditional,
}

/// One parameter of an operation, spelled as its vendor spells it.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// The vendor's name; a dot goes one object deeper (`EndUser.Email`).
    pub name: &'static str,
    /// What a cell must hold.
    pub kind: Kind,
    /// Whether it must be given.
    pub need: Need,
    /// What it means, in one sentence.
    pub about: &'static str,
    /// A made-up value for templates.
    pub example: &'static str,
}

/// A rule over several parameters of one row.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// At least one of these must be given.
    AnyOf(&'static [&'static str]),
    /// At most one of these may be given.
    AtMostOne(&'static [&'static str]),
    /// All of these are given, or none.
    Together(&'static [&'static str]),
    /// The first must not be later than the second (dates).
    Ordered(&'static str, &'static str),
    /// A negative amount in the first is allowed only where the second is `true`.
    NegativeOnlyWith(&'static str, &'static str),
}

/// What a documented reply word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// It was done.
    Applied,
    /// The wanted state was there before.
    Already,
    /// It was not done.
    Refused,
    /// It was not done as far as the vendor says, but the cause is not known: refused, and worth a look.
    RefusedUnclear,
    /// The credentials are wrong.
    Credentials,
}

/// One word that the vendor documents as a reply.
#[derive(Debug, Clone, Copy)]
pub struct Word {
    /// The word as documented; compared without regard to case.
    pub text: &'static str,
    /// What it means for the row.
    pub meaning: Meaning,
}

/// An operation, declared once.
#[derive(Debug)]
pub struct OperationSpec {
    /// `provider.verb_object`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// What a repeat does.
    pub effect: Effect,
    /// Whether money changes hands when it is called.
    pub moves_money: bool,
    /// The parameter that names the thing acted on; none for operations without one.
    pub subject: Option<&'static str>,
    /// The parameter that is an amount of money, for totals.
    pub amount: Option<&'static str>,
    /// A parameter that is summed in totals, with its unit: `("Days", "days")`.
    pub quantity: Option<(&'static str, &'static str)>,
    /// How a row in doubt is verified, in words for a person: `reading the next bill date`; none where nothing can.
    pub verified_by: Option<&'static str>,
    /// The parameters, in the order in which they are sent.
    pub parameters: &'static [Parameter],
    /// Rules over several parameters.
    pub rules: &'static [Rule],
    /// The free-text parameter that may carry a token of run and row.
    pub token: Option<&'static str>,
    /// The names of what a success returns, as columns of the results; empty where it returns nothing.
    pub returns: &'static [&'static str],
    /// The documented reply words.
    pub words: &'static [Word],
}

impl OperationSpec {
    /// The provider's name: what stands before the dot.
    pub fn provider(&self) -> &'static str {
        self.name.split('.').next().unwrap_or(self.name)
    }

    /// The operation's name without the provider.
    pub fn verb(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, verb)| verb)
    }

    /// The position of a parameter, by name; case is ignored.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// What a documented word means here; case and surrounding space are ignored.
    pub fn meaning(&self, word: &str) -> Option<Meaning> {
        let word = word.trim();
        self.words.iter().find(|known| known.text.eq_ignore_ascii_case(word)).map(|known| known.meaning)
    }

    /// Whether any parameter is a secret.
    pub fn has_secrets(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.kind.is_secret())
    }
}
