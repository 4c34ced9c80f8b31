//! What a plan came to, in the form in which it is kept with its run: a resume needs no second look at every row.
//!
//! A kept plan stands only for the very bytes that it was made from, which are digested again before it is used. Whatever
//! does not fit makes no error here: the input is then planned anew, and that says what is wrong.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::BadRows;
use super::mapping::Mapping;
use super::watch::{Fingerprint, Watched};
use super::{Census, Directory, Format, GroupCount, InputSpec, PlannedInput, digest, secret_names};
use crate::model::ids::AccountName;
use crate::model::money::{Currency, parse_own};

/// The names of what was given or found.
const FACTS: [&str; 5] = ["encoding", "delimiter", "format", "operation", "account"];

/// How much of the file is digested at a time.
const BUFFER: usize = 256 * 1024;

/// A plan as it is kept. The names are a stored format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The digest of the file's bytes, in hexadecimal.
    file: String,
    /// Whether it is keyed.
    keyed: bool,
    rows: u64,
    bad: u64,
    groups: Vec<Group>,
    /// Currency and sum.
    amounts: Vec<(String, String)>,
    facts: Vec<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    operation: String,
    account: String,
    rows: u64,
    quantity: Option<i64>,
}

impl Kept {
    /// Whether the input's digest needs a key.
    pub fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// The plan in the form in which it is kept.
    pub(super) fn of(planned: &PlannedInput) -> Self {
        let census = &planned.census;
        let group = |group: &GroupCount| Group {
            operation: group.operation.name.to_owned(),
            account: group.account.to_string(),
            rows: group.rows,
            quantity: group.quantity.map(|(sum, _)| sum),
        };
        let text = |(currency, sum): &(Currency, _)| (currency.code().to_owned(), format!("{sum}"));
        Self {
            file: planned.digest.to_hex().to_string(),
            keyed: planned.spec.digest_key.is_some(),
            rows: census.rows,
            bad: census.skipped.bad,
            groups: census.groups.iter().map(group).collect(),
            amounts: census.amounts.iter().map(|(currency, sum)| text(&(*currency, sum))).collect(),
            facts: planned.facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        }
    }

    /// The census again, as far as it is kept: the first rows and the repeated subjects are only for who looks at a plan.
    fn census(&self, spec: &InputSpec, directory: &dyn Directory) -> Option<Census> {
        let group = |group: &Group| {
            let operation = directory.operation(&group.operation)?;
            Some(GroupCount {
                operation,
                account: AccountName::new(&group.account),
                rows: group.rows,
                quantity: group.quantity.and_then(|sum| Some((sum, operation.quantity?.1))),
            })
        };
        let amount = |(code, sum): &(String, String)| Some((Currency::parse(code)?, parse_own(sum)?));
        Some(Census {
            rows: self.rows,
            skipped: BadRows {
                input: spec.shown.clone(),
                rows: self.rows + self.bad,
                bad: self.bad,
                ..BadRows::default()
            },
            groups: self.groups.iter().map(group).collect::<Option<_>>()?,
            amounts: self.amounts.iter().map(amount).collect::<Option<_>>()?,
            ..Census::default()
        })
    }

    fn facts(&self) -> Option<Vec<(&'static str, String)>> {
        let fact =
            |(name, value): &(String, String)| Some((FACTS.into_iter().find(|known| known == name)?, value.clone()));
        self.facts.iter().map(fact).collect()
    }
}

/// The plan that was kept, if the file still has the bytes that it was made from. Reads the file once and parses nothing.
pub fn recall(spec: InputSpec, directory: Arc<dyn Directory>, kept: &Kept) -> Option<PlannedInput> {
    if spec.digest_key.is_some() != kept.keyed {
        return None;
    }
    let mut operations = directory.operations();
    operations.extend(spec.operation);
    let mapping = Mapping::new(&spec.columns, &spec.defaults, &operations).ok()?;
    let secrets = secret_names(&operations);
    let (census, facts) = (kept.census(&spec, &*directory)?, kept.facts()?);
    let written = facts.iter().find(|(name, _)| *name == "format").map(|(_, value)| value.as_str());
    let format = [Format::Csv, Format::JsonLines].into_iter().find(|format| Some(format.as_str()) == written)?;
    let (fingerprint, digest) = digest_of(&spec).ok()??;
    let same = digest.to_hex().as_str() == kept.file;
    same.then_some(PlannedInput { spec, directory, mapping, secrets, census, fingerprint, digest, facts, format })
}

/// Digests the bytes of the file. None where it changes meanwhile.
fn digest_of(spec: &InputSpec) -> io::Result<Option<(Fingerprint, blake3::Hash)>> {
    let file = File::open(&spec.path)?;
    let fingerprint = Fingerprint::of(&file.metadata()?);
    let (mut file, watch) = Watched::new(file, fingerprint, Some(digest::hasher(spec.digest_key.as_ref())));
    let mut buffer = vec![0; BUFFER];
    while file.read(&mut buffer)? > 0 {}
    Ok(watch.complete().then(|| watch.digest()).flatten().map(|digest| (fingerprint, digest)))
}
