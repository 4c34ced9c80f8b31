//! What a job's argument and its paths are called. Pure: nothing is opened.

use std::path::{Component, Path, PathBuf};

use super::error::ConfigError;

/// What a job's argument names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A TOML job file.
    JobFile,
    /// An input, which is a job by itself.
    Input,
    /// The standard input.
    Standard,
}

/// Tells by the argument's extension.
pub(super) fn kind_of(argument: &str) -> Result<Kind, ConfigError> {
    if argument == "-" {
        return Ok(Kind::Standard);
    }
    match extension(argument).as_str() {
        "toml" => Ok(Kind::JobFile),
        "csv" | "tsv" | "jsonl" | "ndjson" => Ok(Kind::Input),
        _ => Err(ConfigError::new(format!("`{argument}` is no job")).hint(
            "a job is a `.toml` job file, a `.csv` or `.jsonl` input (also with `.gz` or `.zst`), or `-` for standard \
             input; a job file may name an input with any name, with `format = \"csv\"`",
        )),
    }
}

/// The extension in lower case, after one for compression.
fn extension(argument: &str) -> String {
    let lower = argument.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    let name = plain.rsplit('/').next().unwrap_or(plain);
    name.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned()
}

/// A file's name without folder and extensions, fit for a folder's name.
pub(super) fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut stem = name.as_str();
    for known in ["gz", "zst", "toml", "csv", "tsv", "jsonl", "ndjson"] {
        let cut = stem.len().saturating_sub(known.len() + 1);
        if let (Some(rest), Some(end)) = (stem.get(..cut), stem.get(cut..))
            && end.strip_prefix('.').is_some_and(|end| end.eq_ignore_ascii_case(known))
        {
            stem = rest;
        }
    }
    match cleaned(stem) {
        empty if empty.is_empty() => "job".to_owned(),
        cleaned => cleaned,
    }
}

/// The name with everything replaced that does not belong into the name of a folder.
pub(super) fn cleaned(name: &str) -> String {
    let replace = |c: char| if c.is_control() || matches!(c, '/' | '\\' | ':') { '_' } else { c };
    name.trim().trim_start_matches('.').chars().map(replace).take(100).collect()
}

/// `jobs/../samples/a.csv` as `samples/a.csv`: shorter, for a person. Never used to open anything that a link may move.
pub(super) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        let may_go_up = matches!(tidy.components().next_back(), Some(Component::Normal(_)));
        match part {
            Component::CurDir => {}
            Component::ParentDir if may_go_up => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_its_name() {
        for (argument, kind, name) in [
            ("-", Some(Kind::Standard), ""),
            ("jobs/nightly.toml", Some(Kind::JobFile), "nightly"),
            ("extend.csv", Some(Kind::Input), "extend"),
            ("a/EXTEND.CSV", Some(Kind::Input), "EXTEND"),
            ("a/b.c/extend.v2.jsonl.gz", Some(Kind::Input), "extend.v2"),
            ("extend.csv.zst", Some(Kind::Input), "extend"),
            ("my file.ndjson", Some(Kind::Input), "my file"),
            (".csv", Some(Kind::Input), "job"),
            ("ä.csv", Some(Kind::Input), "ä"),
            ("extend", None, "extend"),
            ("extend.xlsx", None, "extend.xlsx"),
            ("folder.csv/extend", None, "extend"),
        ] {
            assert_eq!(kind_of(argument).ok(), kind, "{argument}");
            if kind != Some(Kind::Standard) {
                assert_eq!(stem(Path::new(argument)), name, "{argument}");
            }
        }
    }

    #[test]
    fn paths_are_shown_short() {
        for (path, expected) in [
            ("jobs/../samples/a.csv", "samples/a.csv"),
            ("./a.csv", "a.csv"),
            ("../a.csv", "../a.csv"),
            ("../../x/../a.csv", "../../a.csv"),
            ("/jobs/../a.csv", "/a.csv"),
            ("/../a.csv", "/../a.csv"),
        ] {
            assert_eq!(tidy(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
