//! The plan's digest: the input's bytes together with everything that gives them their meaning.
//!
//! Two plans with one digest do the same to the same subjects. What changes nothing about that (how many faults are
//! tolerated, whether a separator was given or found) is not in it: a run that was finished must be recognised.

/// Digests parts; each is preceded by its length, so that no two lists of parts look alike.
pub(super) struct Meaning(blake3::Hasher);

impl Meaning {
    /// Starts with the digest of the file. With a key, nobody without it can try out contents.
    pub(super) fn new(key: Option<&[u8; 32]>, file: &blake3::Hash) -> Self {
        let mut meaning = Self(hasher(key));
        meaning.part("subops plan 1").part_bytes(file.as_bytes());
        meaning
    }

    /// Adds a part.
    pub(super) fn part(&mut self, text: &str) -> &mut Self {
        self.part_bytes(text.as_bytes())
    }

    fn part_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// `blake3:` and 64 hexadecimal digits.
    pub(super) fn text(&self) -> String {
        format!("blake3:{}", self.0.finalize().to_hex())
    }
}

/// A hasher, keyed where there is a key.
pub(super) fn hasher(key: Option<&[u8; 32]>) -> blake3::Hasher {
    key.map_or_else(blake3::Hasher::new, blake3::Hasher::new_keyed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let text = |parts: &[&str]| {
            let mut meaning = Meaning::new(None, &blake3::hash(b"file"));
            for part in parts {
                meaning.part(part);
            }
            meaning.text()
        };
        assert_eq!(text(&["ab", "c"]), text(&["ab", "c"]));
        assert_ne!(text(&["ab", "c"]), text(&["a", "bc"]));
        assert_ne!(text(&["ab", "c"]), text(&["abc"]));
    }

    #[test]
    fn a_key_changes_everything() {
        let file = blake3::hash(b"file");
        assert_ne!(Meaning::new(None, &file).text(), Meaning::new(Some(&[0; 32]), &file).text());
    }
}
