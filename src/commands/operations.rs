//! `subops operations [NAME]`: the catalogue.

use super::context::{Context, to_stdout};
use super::failure::Failure;
use crate::cli::Exit;
use crate::config::Format;
use crate::model::near::near;
use crate::model::operation::OperationSpec;
use crate::providers::REGISTRY;
use crate::report;

pub(super) fn run(context: &Context, name: Option<&str>, template: Option<Format>) -> Result<Exit, Failure> {
    let all: Vec<&'static OperationSpec> = REGISTRY.iter().flat_map(|provider| provider.operations()).collect();
    let chosen: Vec<&'static OperationSpec> = match name {
        None => all.clone(),
        Some(name) => {
            // `extend_membership` and `segpay` are as clear as the full name, where only one thing is meant.
            let matching = |operation: &&&OperationSpec| {
                operation.name == name || operation.verb() == name || operation.provider() == name
            };
            all.iter().filter(matching).copied().collect()
        }
    };
    if chosen.is_empty() {
        let name = name.unwrap_or_default();
        let failure = Failure::new(Exit::Usage, format!("unknown operation `{name}`"));
        return Err(match near(name, all.iter().map(|operation| operation.name)) {
            Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
            None => failure.hint("`subops operations` lists them"),
        });
    }
    match (template, chosen.as_slice()) {
        (Some(format), [only]) => match format {
            Format::Csv => to_stdout(&report::operations::template_csv(only))?,
            Format::Jsonl => to_stdout(&report::operations::template_jsonl(only))?,
        },
        (Some(_), _) => {
            return Err(Failure::new(Exit::Usage, "a template is of one operation")
                .hint("name one: `subops operations NAME --template csv`"));
        }
        (None, [only]) if name.is_some() => context
            .print(|| report::operations::detail(only, &context.style), || report::operations::to_json(&chosen))?,
        (None, several) => context.print(
            || report::operations::catalogue(several, &context.style),
            || report::operations::to_json(several),
        )?,
    }
    Ok(Exit::Success)
}
