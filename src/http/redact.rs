//! Takes secrets out of what a provider wrote, before anybody else sees it.
//!
//! Providers send back what they were sent: in a query inside an error, in a JSON echo, in a decoded header. So each
//! secret is looked for in every spelling in which it travels.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The most characters that are kept.
const KEPT: usize = 200;

/// The most bytes that are looked at: 200 characters come from its beginning, and an error page may have a megabyte.
const LOOKED_AT: usize = 16 * 1024;

/// The beginning of `text`, at most 200 characters, with every secret replaced by `***` (however it is escaped for a URL,
/// a form, XML, HTML or JSON, and in base64) and control characters escaped.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let end = (0..=LOOKED_AT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let looked_for: Vec<(&str, Vec<String>)> =
        secrets.iter().filter(|secret| !secret.is_empty()).map(|secret| (*secret, in_base64(secret))).collect();
    let (mut clean, mut rest) = (String::with_capacity(KEPT * 2), &text[..end]);
    let mut kept = 0;
    while let Some(character) = rest.chars().next().filter(|_| kept <= KEPT) {
        let longest = looked_for.iter().filter_map(|(secret, encoded)| found(rest, secret, encoded)).max();
        match longest {
            Some(_) => clean.push_str("***"),
            None => clean.push(character),
        }
        kept += if longest.is_some() { 3 } else { 1 };
        rest = &rest[longest.unwrap_or(character.len_utf8())..];
    }
    shorten(&clean)
}

/// How many bytes at the beginning of `text` are the secret, in whatever spelling.
fn found(text: &str, secret: &str, encoded: &[String]) -> Option<usize> {
    let encoded = encoded.iter().filter(|encoded| text.starts_with(encoded.as_str())).map(String::len).max();
    encoded.max(spelled(text, secret))
}

/// How many bytes at the beginning of `text` spell `secret`, each character in a spelling of its own: which ones a server
/// escapes, and how, differs from one to the next.
fn spelled(text: &str, secret: &str) -> Option<usize> {
    let mut ends = vec![0];
    for character in secret.chars() {
        let mut next: Vec<usize> =
            ends.iter().flat_map(|end| lengths(&text[*end..], character).map(move |length| end + length)).collect();
        next.sort_unstable();
        next.dedup();
        ends = next;
        if ends.is_empty() {
            return None;
        }
    }
    ends.pop()
}

/// The lengths of the spellings of a character with which `text` begins.
fn lengths(text: &str, character: char) -> impl Iterator<Item = usize> {
    let begins = |spelling: &str| {
        let head = text.as_bytes().get(..spelling.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(spelling.as_bytes())).then_some(spelling.len())
    };
    let plain = text.starts_with(character).then(|| character.len_utf8());
    let rare = || {
        let percent: String = character.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect();
        let json: String = character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let named = match character {
            ' ' => "+",
            '"' => "&quot;",
            '\'' => "&apos;",
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        let slashed = format!("\\{character}");
        let named = Some(named).filter(|named| !named.is_empty()).and_then(begins);
        let slashed = Some(slashed).filter(|_| "\"'\\/".contains(character)).as_deref().and_then(begins);
        [begins(&percent), begins(&json), named, slashed, entity(text, character)]
    };
    let escaped = matches!(text.as_bytes().first(), Some(b'%' | b'\\' | b'+' | b'&')).then(rare);
    plain.into_iter().chain(escaped.into_iter().flatten().flatten())
}

/// The length of a numeric reference to the character, decimal or hexadecimal.
fn entity(text: &str, character: char) -> Option<usize> {
    let (number, _) = text.strip_prefix("&#")?.split_once(';').filter(|(number, _)| number.len() <= 8)?;
    let value = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    (value.ok()? == u32::from(character)).then_some(number.len() + 3)
}

/// Cuts and escapes. Only after the secrets are out: half a secret would not be found.
fn shorten(text: &str) -> String {
    let mut kept = String::with_capacity(text.len().min(KEPT + 4));
    for (count, character) in text.chars().enumerate() {
        if count == KEPT {
            kept.push('…');
            break;
        }
        if character.is_control() || is_invisible(character) {
            kept.extend(character.escape_default());
        } else {
            kept.push(character);
        }
    }
    kept
}

/// Characters that change how the text around them is shown.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// The secret in base64, alone and within something longer. The inner characters of a short one say nothing and stand in
/// every other word.
fn in_base64(secret: &str) -> Vec<String> {
    if secret.len() < 4 {
        return Vec::new();
    }
    let alone = [STANDARD.encode(secret), STANDARD_NO_PAD.encode(secret)];
    alone.into_iter().chain((0..3).flat_map(|shift| base64_within(secret.as_bytes(), shift))).collect()
}

/// The characters of base64 that stand for the secret alone, where `shift` bytes modulo 3 come before it in what was
/// encoded (`user:password` is encoded as one).
fn base64_within(secret: &[u8], shift: usize) -> [String; 2] {
    let mut padded = vec![0_u8; shift];
    padded.extend_from_slice(secret);
    // Six bits a character: drop those that also hold bits of a neighbour.
    let (from, to) = ((shift * 8).div_ceil(6), padded.len() * 8 / 6);
    [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)]
        .map(|encoded| encoded.get(from..to).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "Acce$$ kéy/<12>&\"3";

    #[test]
    fn every_spelling_is_found() {
        let pair = STANDARD_NO_PAD.encode(format!("jane:{SECRET}"));
        let echoed = [
            SECRET.to_owned(),
            "Acce%24%24+k%C3%A9y%2F%3C12%3E%26%223".to_owned(),
            "Acce%24%24%20k%c3%a9y%2f%3c12%3e%26%223".to_owned(),
            "Acce$$ kéy/&lt;12&gt;&amp;&quot;3".to_owned(),
            r#"Acce$$ kéy/<12>&\"3"#.to_owned(),
            r#"Acce$$ kéy\/<12>&\"3"#.to_owned(),
            STANDARD_NO_PAD.encode(SECRET),
            r"Acce$$ k\u00e9y/\u003c12\u003E\u0026\u00223".to_owned(),
            "Acce$$ k&#233;y&#x2F;&#60;12&gt;&amp;&#34;3".to_owned(),
            "%41%63%63%65%24%24+k%C3%A9y/<12>%26%223".to_owned(),
        ];
        for echo in echoed {
            assert_eq!(redact(&format!("a {echo} b"), &["", SECRET]), "a *** b", "{echo}");
        }
        let clean = redact(&pair, &[SECRET]);
        assert!(clean.len() < 14 && clean.contains("***"), "{clean}");
    }

    #[test]
    fn a_secret_at_the_cut_does_not_show_its_first_half() {
        let text = format!("{}{SECRET}", "x".repeat(KEPT - 3));
        let clean = redact(&text, &[SECRET]);
        assert!(!clean.contains("Acc"), "{clean}");
        assert_eq!(clean.chars().count(), KEPT);
    }

    #[test]
    fn what_could_disturb_a_terminal_is_escaped() {
        assert_eq!(redact("a\r\n\x1b[2J\u{202e}b", &[]), "a\\r\\n\\u{1b}[2J\\u{202e}b");
        assert_eq!(redact(&"ä".repeat(20_000), &[]).chars().count(), KEPT + 1);
    }
}
