//! What a fuzzer starts from: the documented replies, in `fuzz/seeds`, one file each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::input::{read, write};
use crate::samples::Said;
use crate::stand::{Say, every};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/replies")
}

/// `SUBOPS_BLESS=1 cargo test --test hostile seeds` writes them again.
#[test]
fn seeds_are_the_documented_replies() {
    let stands = every();
    let mut seeds: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (which, stand) in stands.iter().enumerate() {
        let mut add = |name: &str, said: &Said| {
            let seed = write(which, said).unwrap_or_else(|| panic!("{}: {name} is no seed", stand.name()));
            let (back, say) = read(&stands, &seed).expect("what was written");
            assert_eq!(back.name(), stand.name());
            assert!(matches!(say, Say::Reply { status, .. } if status == said.status));
            seeds.insert(format!("{}-{}-{name}", stand.operation.name, stand.form), seed);
        };
        add("success", &stand.samples.success);
        // The words are the same for all operations of an interface: those of one are enough.
        if ["extend_membership", "upgrade_membership", "dynamic_pricing", "extend_subscription", "suspend_subscription"]
            .contains(&stand.operation.verb())
        {
            for (at, (_, said, _)) in stand.samples.words.iter().chain(&stand.samples.others).enumerate() {
                if write(which, said).is_some() {
                    add(&format!("{at:02}"), said);
                }
            }
        }
    }
    let wire =
        b"\x00\xFFHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n18\r\n<string>Success</string>\r\n0\r\n\r\n";
    seeds.insert("wire-chunked".to_owned(), wire.to_vec());
    if std::env::var_os("SUBOPS_BLESS").is_some() {
        drop(fs::remove_dir_all(folder()));
        fs::create_dir_all(folder()).expect("a folder");
        for (name, seed) in &seeds {
            fs::write(folder().join(name), seed).expect("a file");
        }
    }
    let entries = fs::read_dir(folder()).expect("seeds").map(|entry| entry.expect("an entry"));
    let known: BTreeMap<String, Vec<u8>> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a seed")))
        .collect();
    assert!(known == seeds, "fuzz/seeds is not what is documented: SUBOPS_BLESS=1 cargo test --test hostile seeds");
}
