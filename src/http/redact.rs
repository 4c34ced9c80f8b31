//! Takes secrets out of what a provider wrote, before anybody else sees it.
//!
//! Providers send back what they were sent: in a query inside an error, in a JSON echo, in a decoded header. So each
//! secret is looked for in every spelling in which it travels.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// The most characters that are kept.
const KEPT: usize = 200;

/// The most bytes that are looked at: 200 characters come from its beginning, and an error page may have a megabyte.
const LOOKED_AT: usize = 16 * 1024;

/// The beginning of `text`, at most 200 characters, with every secret replaced by `***` (plain, percent-encoded, form-
/// encoded, escaped for XML or JSON, and in base64) and control characters escaped.
pub fn redact(text: &str, secrets: &[&str]) -> String {
    let end = (0..=LOOKED_AT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let mut clean = Cow::Borrowed(&text[..end]);
    let mut spellings: Vec<String> =
        secrets.iter().filter(|secret| !secret.is_empty()).flat_map(|s| spellings(s)).collect();
    // The longest first, so that a spelling that contains another is not taken apart.
    spellings.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    spellings.dedup();
    for spelling in &spellings {
        if clean.contains(spelling.as_str()) {
            clean = Cow::Owned(clean.replace(spelling.as_str(), "***"));
        }
    }
    shorten(&clean)
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

fn spellings(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    for encoded in [form, percent, strict_percent(secret)] {
        all.push(lower_hex(&encoded));
        all.push(encoded);
    }
    let xml = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    all.push(xml.replace('"', "&quot;").replace('\'', "&#39;"));
    all.push(xml.replace('"', "&quot;").replace('\'', "&apos;"));
    all.push(xml);
    let json = secret.replace('\\', "\\\\").replace('"', "\\\"");
    all.push(json.replace('/', "\\/"));
    all.push(json);
    // The inner characters of a shorter one say nothing and stand in every other word.
    if secret.len() >= 4 {
        all.push(STANDARD.encode(secret));
        all.push(STANDARD_NO_PAD.encode(secret));
        all.extend((0..3).flat_map(|shift| base64_within(secret.as_bytes(), shift)));
    }
    all
}

/// Percent-encoded in all but letters and digits.
fn strict_percent(secret: &str) -> String {
    secret
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The same with `%c3` for `%C3`.
fn lower_hex(encoded: &str) -> String {
    let mut digits = 0;
    let lowered = encoded.chars().map(|character| {
        if digits > 0 {
            digits -= 1;
            return character.to_ascii_lowercase();
        }
        digits = if character == '%' { 2 } else { 0 };
        character
    });
    lowered.collect()
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
