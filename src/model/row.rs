//! A validated row: one operation to perform.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use zeroize::Zeroize;

use super::ids::{AccountName, RowNumber, SubjectKey};
use super::money::Money;
use super::operation::{Effect, Kind, Need, OperationSpec, Parameter};

/// One row of the input, checked against its operation, ready to be sent.
pub struct Row {
    /// Its name: the line it starts on.
    pub number: RowNumber,
    /// What to do.
    pub operation: &'static OperationSpec,
    /// In which account.
    pub account: AccountName,
    /// The checked parameter values.
    pub values: Values,
    /// What it acts on; none where the operation has no subject.
    pub subject: Option<SubjectKey>,
    /// The money it is about, if any.
    pub amount: Option<Money>,
}

impl Row {
    /// The value of a parameter, by name; case is ignored. None where it was not given.
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.values.get(self.operation.position(parameter)?)
    }

    /// The given parameters with their values, in the order of the declaration.
    pub fn given(&self) -> impl Iterator<Item = (&'static super::operation::Parameter, &str)> {
        let parameters = self.operation.parameters;
        parameters.iter().enumerate().filter_map(|(at, parameter)| Some((parameter, self.values.get(at)?)))
    }
}

impl Row {
    /// The operation and what is sent with it, as one JSON object; secrets are left out.
    pub fn as_sent(&self, token: Option<&str>) -> String {
        let marked = self.operation.token.zip(token.and_then(|token| self.marked(token)));
        // Text into memory has nothing to fail of; an empty one is kept as none.
        serde_json::to_string(&Sent { row: self, marked }).unwrap_or_default()
    }

    /// The row's free text as it is sent, with `token` in brackets behind it. `None` where it goes without: where there is
    /// no place for one, and where both together are longer than the text may be. A text is never cut for the token's sake.
    ///
    /// A text that is not given becomes the token alone where an empty one would be sent, and where it may be left out but
    /// the operation adds up, of which the token can be the only trace. Any other text is the person's to give.
    pub fn marked(&self, token: &str) -> Option<String> {
        let position = self.operation.position(self.operation.token?)?;
        let parameter = self.operation.parameters.get(position)?;
        let Kind::Text { max } = parameter.kind else { return None };
        let marked = match (self.values.get(position).filter(|text| !text.is_empty()), parameter.need) {
            (Some(text), _) => format!("{text} [{token}]"),
            (None, Need::Nullable) => format!("[{token}]"),
            (None, Need::Optional) if self.operation.effect == Effect::Additive => format!("[{token}]"),
            (None, _) => return None,
        };
        (marked.chars().count() <= max).then_some(marked)
    }
}

/// A row as it is kept. Written as it goes, without a tree of values: each row makes one.
struct Sent<'a> {
    row: &'a Row,
    /// The parameter that carries a token, and its text with it.
    marked: Option<(&'static str, String)>,
}

impl Serialize for Sent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sent = serializer.serialize_map(None)?;
        sent.serialize_entry("operation", self.row.operation.name)?;
        let marked = self.marked.as_ref();
        let carries = |name: &str| marked.is_some_and(|(parameter, _)| *parameter == name);
        let shown = |(parameter, _): &(&Parameter, &str)| !parameter.kind.is_secret() && !carries(parameter.name);
        for (parameter, value) in self.row.given().filter(shown) {
            sent.serialize_entry(parameter.name, value)?;
        }
        if let Some((parameter, text)) = marked {
            sent.serialize_entry(parameter, text)?;
        }
        sent.end()
    }
}

/// Shows which row it is and never what it holds: some values are card numbers.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("operation", &self.operation.name)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Parameter values by their position in the operation's declaration, in canonical spelling. Wiped when dropped.
#[derive(Clone, Default)]
pub struct Values(Vec<Option<Box<str>>>);

impl Values {
    /// Room for `parameters` values, none of them given.
    pub fn new(parameters: usize) -> Self {
        Self(vec![None; parameters])
    }

    /// Sets the value at `position`. A position that the operation does not have is ignored.
    pub fn set(&mut self, position: usize, value: impl Into<Box<str>>) {
        if let Some(slot) = self.0.get_mut(position) {
            *slot = Some(value.into());
        }
    }

    /// The value at `position`.
    pub fn get(&self, position: usize) -> Option<&str> {
        self.0.get(position)?.as_deref()
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values({} given)", self.0.iter().flatten().count())
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        for value in self.0.iter_mut().flatten() {
            value.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::Parameter;

    const fn spec(effect: Effect, token: Option<&'static str>, parameters: &'static [Parameter]) -> OperationSpec {
        OperationSpec {
            name: "acme.note",
            about: "",
            effect,
            moves_money: false,
            subject: None,
            amount: None,
            quantity: None,
            verified_by: None,
            parameters,
            rules: &[],
            token,
            returns: &[],
            words: &[],
        }
    }

    const fn note(need: Need) -> Parameter {
        Parameter { name: "Note", kind: Kind::Text { max: 20 }, need, about: "", example: "" }
    }

    static REQUIRED: OperationSpec = spec(Effect::Additive, Some("Note"), &[note(Need::Required)]);
    static NULLABLE: OperationSpec = spec(Effect::Conditional, Some("Note"), &[note(Need::Nullable)]);
    static OPTIONAL: OperationSpec = spec(Effect::Conditional, Some("Note"), &[note(Need::Optional)]);
    static OPTIONAL_ADDS_UP: OperationSpec = spec(Effect::Additive, Some("Note"), &[note(Need::Optional)]);
    static CONDITIONAL: OperationSpec = spec(Effect::Conditional, Some("Note"), &[note(Need::Conditional)]);
    static WITHOUT: OperationSpec = spec(Effect::Additive, None, &[note(Need::Required)]);

    fn row(operation: &'static OperationSpec, text: Option<&str>) -> Row {
        let mut values = Values::new(1);
        if let Some(text) = text {
            values.set(0, text);
        }
        Row { number: RowNumber(2), operation, account: AccountName::new("acme"), values, subject: None, amount: None }
    }

    #[test]
    fn a_text_ends_with_the_token_where_there_is_room_for_both() {
        let marked = |operation, text| row(operation, text).marked("r7-2 k3");
        assert_eq!(marked(&REQUIRED, Some("called")).as_deref(), Some("called [r7-2 k3]"));
        assert_eq!(marked(&REQUIRED, Some("ten letter")).as_deref(), Some("ten letter [r7-2 k3]"), "20 in all");
        assert_eq!(marked(&REQUIRED, Some("eleven lett")), None, "the text goes alone, whole");
        assert_eq!(marked(&REQUIRED, Some("zehn Löwen")).as_deref(), Some("zehn Löwen [r7-2 k3]"), "characters count");
        assert_eq!(marked(&WITHOUT, Some("called")), None);
    }

    #[test]
    fn a_text_that_is_not_given_is_the_token_only_where_it_matters() {
        let marked = |operation| row(operation, None).marked("r7-2");
        assert_eq!(marked(&NULLABLE).as_deref(), Some("[r7-2]"), "it is sent all the same");
        assert_eq!(marked(&OPTIONAL_ADDS_UP).as_deref(), Some("[r7-2]"));
        assert_eq!((marked(&OPTIONAL), marked(&CONDITIONAL), marked(&REQUIRED)), (None, None, None));
    }

    #[test]
    fn what_is_recorded_is_what_is_sent() {
        let called = row(&REQUIRED, Some("called"));
        assert_eq!(called.as_sent(None), r#"{"operation":"acme.note","Note":"called"}"#);
        assert_eq!(called.as_sent(Some("r7-2")), r#"{"operation":"acme.note","Note":"called [r7-2]"}"#);
        let long = row(&REQUIRED, Some("twenty letters long."));
        assert_eq!(long.as_sent(Some("r7-2")), r#"{"operation":"acme.note","Note":"twenty letters long."}"#);
    }
}
