//! The rows that every contestant sends, in the forms that each of them reads.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::Result;

pub(crate) const USER_ID: &str = "bench";
pub(crate) const ACCESS_KEY: &str = "bench-key";

/// The first row's purchase; each row has one of its own.
const FIRST: usize = 80_000_000;

/// Where such files lie. They are kept: ten million rows need not be written each time.
fn folder(rows: usize) -> Result<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench/rows").join(rows.to_string());
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a file once, line by line.
fn written(name: &str, rows: usize, head: &str, line: impl Fn(&mut String, usize)) -> Result<PathBuf> {
    let path = folder(rows)?.join(name);
    if path.exists() {
        return Ok(path);
    }
    // Under another name first: an interrupted benchmark must not leave half a file.
    let unfinished = path.with_extension("unfinished");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    file.write_all(head.as_bytes())?;
    let mut text = String::new();
    for row in 0..rows {
        text.clear();
        line(&mut text, FIRST + row);
        file.write_all(text.as_bytes())?;
    }
    file.into_inner()?.sync_all()?;
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

/// A CSV file: `PurchaseID,Note`.
pub(crate) fn csv(rows: usize) -> Result<PathBuf> {
    written("rows.csv", rows, "PurchaseID,Note\n", |text, purchase| {
        let _ = writeln!(text, "{purchase},price of {purchase} was lowered");
    })
}

fn target(purchase: usize) -> String {
    format!(
        "/adm.asmx/InsertConsumerNote?UserID={USER_ID}&UserAccessKey={ACCESS_KEY}&PurchaseID={purchase}\
         &Note=price%20of%20{purchase}%20was%20lowered"
    )
}

/// One request's URL, for those who send the same again and again.
pub(crate) fn url(base: &str) -> String {
    format!("{base}{}", target(FIRST))
}

/// A file of URLs, one a line. The base is part of the name: the provider's port is another in each process.
pub(crate) fn urls(rows: usize, base: &str) -> Result<PathBuf> {
    written(&format!("urls-{}", port(base)), rows, "", |text, purchase| {
        let _ = writeln!(text, "{base}{}", target(purchase));
    })
}

/// The same as a configuration of curl.
pub(crate) fn curl_config(rows: usize, base: &str) -> Result<PathBuf> {
    written(&format!("curl-{}", port(base)), rows, "", |text, purchase| {
        let _ = writeln!(text, "url = \"{base}{}\"", target(purchase));
    })
}

/// A collection of newman's: one request, its values from the CSV file.
pub(crate) fn collection(rows: usize, base: &str) -> Result<PathBuf> {
    let path = folder(rows)?.join(format!("collection-{}.json", port(base)));
    let url = format!(
        "{base}/adm.asmx/InsertConsumerNote?UserID={USER_ID}&UserAccessKey={ACCESS_KEY}&PurchaseID={{{{PurchaseID}}}}\
         &Note={{{{Note}}}}"
    );
    let collection = serde_json::json!({
        "info": {"name": "bench", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "item": [{"name": "note", "request": {"method": "GET", "url": url}}],
    });
    fs::write(&path, collection.to_string())?;
    Ok(path)
}

fn port(base: &str) -> &str {
    base.rsplit(':').next().unwrap_or(base)
}

/// Removes what was for one process's port only.
pub(crate) fn forget(base: &str) -> Result<()> {
    for rows in fs::read_dir(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench/rows"))? {
        for file in fs::read_dir(rows?.path())? {
            let path = file?.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(&format!("-{}", port(base))) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}
