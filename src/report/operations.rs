//! The catalogue: what can be done, and what each operation needs; as tables, JSON, Markdown and templates. Pure.
//!
//! All of it comes from the operations' declarations, so that help, documentation and validation cannot disagree.

use serde::Serialize;

use super::format::{columns, sentence, shortened, table};
use super::plan::effect;
use super::style::Style;
use crate::model::operation::{Effect, Kind, Meaning, Need, OperationSpec, Parameter, Rule};

/// Columns of effect, money and the gaps.
const BESIDE: usize = 24;

/// Columns in which a sentence can be broken and still be read.
const ENOUGH: usize = 40;

/// The catalogue as a table.
pub fn catalogue(operations: &[&OperationSpec], style: &Style) -> String {
    let header = ["operation", "effect", "money", "what it does"];
    let names = operations.iter().map(|operation| columns(operation.name)).max().unwrap_or(0);
    let room = style.width.saturating_sub(names + BESIDE);
    // Where there is little room a line each is worth more than every word: one operation is shown in full by its name.
    let about = |about: &str| if room < ENOUGH { shortened(about, room) } else { about.to_owned() };
    let lines = operations.iter().map(|operation| {
        let money = if operation.moves_money { "moves" } else { "" };
        vec![operation.name.to_owned(), operation.effect.to_string(), money.to_owned(), about(operation.about)]
    });
    table(&header, lines, &[], style.width)
}

/// One operation in full.
pub fn detail(operation: &OperationSpec, style: &Style) -> String {
    let mut text = format!("{}\n", style.strong(operation.name));
    text.push_str(&format!("  {}\n\n", sentence(operation.about, 2, 2, style.width)));
    for (label, value) in facts(operation) {
        text.push_str(&format!("  {label:<13}{}\n", sentence(&value, 15, 15, style.width)));
    }
    if !operation.parameters.is_empty() {
        text.push('\n');
        let lines = operation.parameters.iter().map(|parameter| {
            vec![
                format!("  {}", parameter.name),
                need(parameter.need).to_owned(),
                expected(parameter.kind),
                parameter.about.to_owned(),
            ]
        });
        text.push_str(&table(&["  parameter", "", "type", ""], lines, &[], style.width));
    }
    if !operation.rules.is_empty() {
        text.push('\n');
        for one in operation.rules {
            text.push_str(&format!("  {}\n", sentence(&rule(one), 2, 4, style.width)));
        }
    }
    text.push_str(&format!("\n  an example input:  subops operations {} --template csv\n", operation.name));
    text
}

fn facts(operation: &OperationSpec) -> Vec<(&'static str, String)> {
    let mut facts = vec![("effect", effect(operation.effect).to_owned())];
    if operation.moves_money {
        facts.push(("money", "moves money".to_owned()));
    }
    match operation.verified_by {
        Some(how) => facts.push(("verified by", how.to_owned())),
        None if operation.effect != Effect::Read => {
            facts.push(("verified by", "nothing; a row in doubt needs a person".to_owned()));
        }
        None => {}
    }
    facts.extend(operation.subject.map(|subject| ("acts on", subject.to_owned())));
    facts.extend(operation.amount.map(|amount| ("amount", amount.to_owned())));
    facts.extend(operation.token.map(|text| ("token", format!("run and row, behind {text}"))));
    if !operation.returns.is_empty() {
        facts.push(("returns", operation.returns.join(", ")));
    }
    facts
}

fn need(need: Need) -> &'static str {
    match need {
        Need::Required => "required",
        Need::Nullable => "may be empty",
        Need::Optional => "optional",
        Need::Conditional => "depends",
    }
}

/// What a cell must hold, in words.
fn expected(kind: Kind) -> String {
    match kind {
        Kind::Integer { expected, .. } => expected.strip_prefix("a ").unwrap_or(expected).to_owned(),
        Kind::Amount { zero: true } => "amount, 0 or more".to_owned(),
        Kind::Amount { zero: false } => "amount".to_owned(),
        Kind::Text { max } => format!("text, at most {max} characters"),
        Kind::Id { max } => format!("id, at most {max} characters"),
        Kind::Bool => "true or false".to_owned(),
        Kind::Date => "date (YYYY-MM-DD)".to_owned(),
        Kind::DateTime => "date, or date and time (ISO 8601)".to_owned(),
        Kind::Currency => "currency code (ISO 4217)".to_owned(),
        Kind::Country => "country code (ISO 3166-1)".to_owned(),
        Kind::Choice(words) => words.join(" | "),
        Kind::Code(codes) => {
            codes.iter().map(|(code, means)| format!("{code} {means}")).collect::<Vec<_>>().join(" | ")
        }
        Kind::List { words: [] } => "list, separated by ;".to_owned(),
        Kind::List { words } => format!("list, separated by ;, of {}", words.join(" | ")),
        Kind::Json => "JSON array".to_owned(),
        Kind::CardNumber => "card number".to_owned(),
        Kind::SecurityCode => "card security code".to_owned(),
    }
}

fn rule(rule: &Rule) -> String {
    match rule {
        Rule::AnyOf(names) => format!("at least one of {}", names.join(", ")),
        Rule::AtMostOne(names) => format!("at most one of {}", names.join(", ")),
        Rule::Together(names) => format!("all or none of {}", names.join(", ")),
        Rule::Ordered(first, second) => format!("{first} is not later than {second}"),
        Rule::NegativeOnlyWith(amount, flag) => format!("{amount} may be negative only where {flag} is true"),
    }
}

#[derive(Serialize)]
struct OperationJson {
    name: &'static str,
    provider: &'static str,
    effect: &'static str,
    moves_money: bool,
    subject: Option<&'static str>,
    amount: Option<&'static str>,
    verified_by: Option<&'static str>,
    parameters: Vec<ParameterJson>,
}

#[derive(Serialize)]
struct ParameterJson {
    name: &'static str,
    r#type: &'static str,
    required: bool,
    about: &'static str,
}

/// The catalogue as JSON, a fixed format: one array on one line, and a line break.
pub fn to_json(operations: &[&OperationSpec]) -> String {
    let operations: Vec<OperationJson> = operations
        .iter()
        .map(|operation| OperationJson {
            name: operation.name,
            provider: operation.provider(),
            effect: operation.effect.as_str(),
            moves_money: operation.moves_money,
            subject: operation.subject,
            amount: operation.amount,
            verified_by: operation.verified_by,
            parameters: operation
                .parameters
                .iter()
                .map(|parameter| ParameterJson {
                    name: parameter.name,
                    r#type: parameter.kind.as_str(),
                    required: parameter.need == Need::Required,
                    about: parameter.about,
                })
                .collect(),
        })
        .collect();
    super::format::json(&operations)
}

/// An example input as CSV, to be run as it is: every parameter has a column, those that are needed have a value.
pub fn template_csv(operation: &OperationSpec) -> String {
    let given = needed(operation);
    let header = std::iter::once("operation").chain(operation.parameters.iter().map(|parameter| parameter.name));
    let row =
        operation.parameters.iter().map(|parameter| if is_in(&given, parameter.name) { parameter.example } else { "" });
    let row = std::iter::once(operation.name).chain(row);
    format!("{}\n{}\n", csv_line(header), csv_line(row))
}

fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted = cells.map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(",")
}

/// An example input as JSONL, to be run as it is: what is needed, in the types that the operation has.
pub fn template_jsonl(operation: &OperationSpec) -> String {
    let mut object = serde_json::Map::new();
    object.insert("operation".to_owned(), operation.name.into());
    let given = needed(operation);
    for parameter in operation.parameters.iter().filter(|parameter| is_in(&given, parameter.name)) {
        insert(&mut object, parameter.name, example_json(parameter));
    }
    super::format::json(&object)
}

/// A dot in a name goes one object deeper.
fn insert(object: &mut serde_json::Map<String, serde_json::Value>, name: &str, value: serde_json::Value) {
    match name.split_once('.') {
        None => {
            object.insert(name.to_owned(), value);
        }
        Some((outer, inner)) => {
            let deeper = object.entry(outer).or_insert_with(|| serde_json::Map::new().into());
            if let Some(deeper) = deeper.as_object_mut() {
                insert(deeper, inner, value);
            }
        }
    }
}

/// Amounts and ids stay text: a reader that makes floating point of numbers cannot harm them.
fn example_json(parameter: &Parameter) -> serde_json::Value {
    let text = parameter.example;
    let parsed = match parameter.kind {
        Kind::Integer { .. } | Kind::Bool | Kind::Json | Kind::Code(_) => serde_json::from_str(text).ok(),
        Kind::List { .. } => Some(text.split(';').map(str::trim).collect::<Vec<_>>().into()),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// What an example must give: what is required, and of each rule as little as satisfies it.
fn needed(operation: &OperationSpec) -> Vec<&'static str> {
    let required = operation.parameters.iter().filter(|parameter| parameter.need == Need::Required);
    let mut given: Vec<&'static str> = required.map(|parameter| parameter.name).collect();
    for rule in operation.rules {
        if let Rule::AnyOf([first, rest @ ..]) = rule
            && !is_in(&given, first)
            && !rest.iter().any(|name| is_in(&given, name))
        {
            given.push(first);
        }
    }
    for rule in operation.rules {
        if let Rule::Together(names) = rule
            && names.iter().any(|name| is_in(&given, name))
        {
            let missing: Vec<_> = names.iter().filter(|name| !is_in(&given, name)).collect();
            given.extend(missing);
        }
    }
    given
}

fn is_in(names: &[&'static str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The catalogue as Markdown, for the documentation.
pub fn markdown(operations: &[&OperationSpec]) -> String {
    let mut text = "# Operations\n".to_owned();
    let mut provider = "";
    for operation in operations {
        if operation.provider() != provider {
            provider = operation.provider();
            text.push_str(&format!("\n## {provider}\n"));
        }
        text.push_str(&markdown_of(operation));
    }
    text
}

fn markdown_of(operation: &OperationSpec) -> String {
    let mut text = format!("\n### `{}`\n\n{}\n\n", operation.name, operation.about);
    for (label, value) in facts(operation) {
        text.push_str(&format!("- {label}: {value}\n"));
    }
    for one in operation.rules {
        text.push_str(&format!("- {}\n", rule(one)));
    }
    if !operation.parameters.is_empty() {
        text.push_str("\n| parameter | | type | meaning | example |\n|---|---|---|---|---|\n");
        for parameter in operation.parameters {
            let cells = [expected(parameter.kind), parameter.about.to_owned()].map(|cell| cell.replace('|', "\\|"));
            let example = parameter.example.replace('|', "\\|");
            let example = if example.is_empty() { example } else { format!("`{example}`") };
            text.push_str(&format!(
                "| `{}` | {} | {} | {} | {example} |\n",
                parameter.name,
                need(parameter.need),
                cells[0],
                cells[1]
            ));
        }
    }
    if !operation.words.is_empty() {
        text.push_str("\n| the provider says | the row is |\n|---|---|\n");
        for word in operation.words {
            text.push_str(&format!("| {} | {} |\n", word.text.replace('|', "\\|"), meaning(word.meaning)));
        }
    }
    text
}

fn meaning(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Applied => "applied",
        Meaning::Already => "already",
        Meaning::Refused => "refused",
        Meaning::RefusedUnclear => "refused; worth a look",
        Meaning::Credentials => "not sent; the run stops, the credentials are wrong",
    }
}

#[cfg(test)]
pub(super) mod samples {
    //! Made-up operations for the tests of this room.

    use super::*;
    use crate::model::operation::Word;

    const fn parameter(name: &'static str, kind: Kind, need: Need, example: &'static str) -> Parameter {
        Parameter { name, kind, need, about: "What it means.", example }
    }

    const WHOLE: Kind = Kind::Integer { min: 1, max: 9_999, expected: "a whole number" };

    /// Adds up, and can be verified.
    pub(crate) static EXTEND: OperationSpec = OperationSpec {
        name: "segpay.extend_membership",
        about: "Adds days to a membership.",
        effect: Effect::Additive,
        moves_money: false,
        subject: Some("PurchaseID"),
        amount: None,
        quantity: Some(("Days", "days")),
        verified_by: Some("reading the next bill date"),
        parameters: &[
            parameter("PurchaseID", Kind::Id { max: 20 }, Need::Required, "80012345"),
            parameter("Days", WHOLE, Need::Required, "30"),
            parameter("Note", Kind::Text { max: 100 }, Need::Optional, "a \"good\", long note"),
        ],
        rules: &[],
        token: None,
        returns: &[],
        words: &[Word { text: "OK", meaning: Meaning::Applied }],
    };

    /// Moves money, cannot be verified, and has rules.
    pub(crate) static CHARGE: OperationSpec = OperationSpec {
        name: "other.charge",
        about: "Charges a customer.",
        effect: Effect::Additive,
        moves_money: true,
        subject: None,
        amount: Some("Amount"),
        quantity: None,
        verified_by: None,
        parameters: &[
            parameter("Amount", Kind::Amount { zero: false }, Need::Required, "9.95"),
            parameter("User.Email", Kind::Text { max: 50 }, Need::Conditional, "a@example.com"),
            parameter("User.Name", Kind::Text { max: 50 }, Need::Conditional, "A. Person"),
            parameter("UserId", Kind::Id { max: 9 }, Need::Conditional, "7"),
            parameter("Mode", Kind::Choice(&["now", "later"]), Need::Optional, "now"),
        ],
        rules: &[
            Rule::AnyOf(&["User.Email", "UserId"]),
            Rule::AtMostOne(&["User.Email", "UserId"]),
            Rule::Together(&["User.Name", "User.Email"]),
        ],
        token: None,
        returns: &["link"],
        words: &[],
    };
}

#[cfg(test)]
#[path = "operations_tests.rs"]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests;
