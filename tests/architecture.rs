//! The walls between the rooms: which room may name which, held against the source itself.

#![allow(clippy::expect_used, reason = "a test that cannot read the source should stop where it shows")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room, and the rooms that it may name. A room may always name itself.
const WALLS: [(&str, &[&str]); 11] = [
    ("model", &[]),
    ("contract", &["model", "http"]),
    ("engine", &["model", "contract"]),
    ("http", &["model"]),
    ("providers", &["model", "contract", "http"]),
    ("journal", &["model", "contract"]),
    ("input", &["model", "contract"]),
    ("config", &["model", "contract", "http"]),
    ("report", &["model", "contract"]),
    ("sandbox", &["model"]),
    ("cli", &["model", "config"]),
];

/// What the sandbox may take from the model: it must not share a mistake with the client.
const SANDBOX_MODEL: [&str; 2] = ["ids", "money"];

fn sources(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).expect("a folder of the source") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The room that a file is in, and the file's path below `src`.
fn room(file: &Path) -> (String, String) {
    let inside = file.strip_prefix(root()).expect("a file below src").to_string_lossy().into_owned();
    let room = inside.split('/').next().expect("a first part").trim_end_matches(".rs").to_owned();
    (room, inside)
}

/// The code of a file, without its comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path that starts with `crate::`, as its parts after that, groups in braces taken apart at the first level.
fn named(code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let group = after.strip_prefix('{').and_then(|group| group.split('}').next());
        let paths: Vec<&str> = group.map_or_else(|| vec![after], |group| group.split(',').collect());
        for path in paths {
            let path = path.trim();
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(path.len());
            found.insert(path[..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
        }
    }
    found
}

#[test]
fn every_room_names_only_what_it_may() {
    let mut broken = Vec::new();
    for file in sources(&root()) {
        let (room, inside) = room(&file);
        let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == room) else { continue };
        for path in named(&code(&file)) {
            let Some(first) = path.first() else { continue };
            let known = WALLS.iter().any(|(name, _)| name == first) || first == "commands";
            if known && *first != room && !allowed.contains(&first.as_str()) {
                broken.push(format!("{inside} names crate::{}", path.join("::")));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_sandbox_shares_no_code_with_the_client() {
    for file in sources(&root().join("sandbox")) {
        for path in named(&code(&file)) {
            if path.first().is_some_and(|first| first == "model") {
                let part = path.get(1).map(String::as_str).unwrap_or_default();
                assert!(SANDBOX_MODEL.contains(&part), "{} names crate::{}", file.display(), path.join("::"));
            }
        }
    }
}

#[test]
fn a_provider_names_no_other_provider() {
    for file in sources(&root().join("providers")) {
        let (_, inside) = room(&file);
        let parts: Vec<&str> = inside.split('/').collect();
        let [_, provider, _, ..] = parts.as_slice() else { continue };
        for path in named(&code(&file)) {
            if let [first, other, ..] = path.as_slice()
                && first == "providers"
            {
                let own = other == provider || fs::metadata(root().join("providers").join(other)).is_err();
                assert!(own, "{inside} names crate::{}", path.join("::"));
            }
        }
    }
}

/// Each of these libraries is named in one room only.
const OWNERS: [(&str, &str); 6] = [
    ("rusqlite::", "journal"),
    ("hyper::client", "http"),
    ("rustls::", "http"),
    ("indicatif::", "report"),
    ("clap::", "cli"),
    ("quick_xml::", "providers"),
];

#[test]
fn a_library_has_one_owner() {
    let mut broken = Vec::new();
    for file in sources(&root()) {
        let (room, inside) = room(&file);
        let code = code(&file);
        for (library, owner) in OWNERS {
            if room != owner && code.contains(library) {
                broken.push(format!("{inside} names {library}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
