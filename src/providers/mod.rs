//! The providers: one folder each, and the list of them.
//!
//! A folder declares its operations as data, builds requests, and classifies replies by the vendor's documented words.
//! It decides nothing about what happens next: retries, doubts and stops are the engine's. No folder knows another.

use crate::contract::Provider;
use crate::model::operation::OperationSpec;

pub(crate) mod json;
pub mod paypro;
pub mod segpay;
pub(crate) mod setup;
pub mod twocheckout;
pub(crate) mod xml;

/// Every provider. A new one is one folder and one line here.
pub static REGISTRY: &[&dyn Provider] = &[&segpay::Segpay, &paypro::PayPro, &twocheckout::TwoCheckout];

/// The provider of this name.
pub fn find_provider(name: &str) -> Option<&'static dyn Provider> {
    REGISTRY.iter().copied().find(|provider| provider.name() == name)
}

/// The operation of this name (`segpay.extend_membership`).
pub fn find_operation(name: &str) -> Option<&'static OperationSpec> {
    let (provider, _) = name.split_once('.')?;
    find_provider(provider)?.operations().iter().find(|operation| operation.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::operation::{Effect, Kind, Need};

    #[test]
    fn names_are_found_and_belong_to_their_provider() {
        let mut seen = HashSet::new();
        for provider in REGISTRY {
            for operation in provider.operations() {
                assert_eq!(operation.provider(), provider.name());
                assert!(seen.insert(operation.name), "{} is there twice", operation.name);
                assert!(find_operation(operation.name).is_some_and(|found| std::ptr::eq(found, operation)));
            }
        }
        for unknown in ["segpay", "segpay.", "segpay.extend", "nobody.extend_membership", "", "."] {
            assert!(find_operation(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn declarations_hold_together() {
        for operation in REGISTRY.iter().flat_map(|provider| provider.operations()) {
            let name = operation.name;
            let named = [operation.subject, operation.amount, operation.token, operation.quantity.map(|(of, _)| of)];
            for parameter in named.into_iter().flatten() {
                assert!(operation.position(parameter).is_some(), "{name}: {parameter} is no parameter");
            }
            let token = operation.token.and_then(|token| operation.position(token));
            if let Some(parameter) = token.and_then(|at| operation.parameters.get(at)) {
                assert!(matches!(parameter.kind, Kind::Text { .. }), "{name}: the token's place is no text");
            }
            let subject = operation.subject.and_then(|subject| operation.position(subject));
            if let Some(parameter) = subject.and_then(|at| operation.parameters.get(at)) {
                assert!(parameter.need == Need::Required, "{name}: the subject can be missing");
            }
            if let Some(parameter) = operation.amount.and_then(|amount| operation.position(amount)) {
                let kind = operation.parameters.get(parameter).map(|parameter| parameter.kind);
                assert!(matches!(kind, Some(Kind::Amount { .. })), "{name}: the amount is none");
            }
            assert!(!operation.moves_money || operation.effect != Effect::Read, "{name}");
            let words: HashSet<String> = operation.words.iter().map(|word| word.text.to_lowercase()).collect();
            assert_eq!(words.len(), operation.words.len(), "{name}: a word is there twice");
        }
    }
}
