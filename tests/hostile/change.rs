//! Changes replies the way a broken server, a proxy or an enemy does: a few at a time, from a few numbers, so that a case
//! is the same whenever it is tried again.

/// Pieces that mean something to one of the formats.
const PIECES: [&str; 48] = [
    "true",
    "false",
    "null",
    "0",
    "1",
    "-1",
    "\"true\"",
    "\"\"",
    "{}",
    "[]",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "<",
    ">",
    "</",
    "/>",
    "<a>",
    "</a>",
    "<!-- x -->",
    "<![CDATA[",
    "]]>",
    "<?x y?>",
    "&amp;",
    "&#x41;",
    "&#0;",
    "&x;",
    "<!DOCTYPE a [<!ENTITY x \"Success\">]>",
    "Successful",
    "Success",
    "OK:0",
    "{id}",
    "{method}",
    "\u{feff}",
    "\"id\":1,",
    "\"isSuccess\":true,",
    "<string>Success</string>",
    " xsi:nil=\"true\"",
    " a=\"b\"",
    "<html>",
    "é",
];

/// One change: what it does, where, and with what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub(crate) how: u8,
    pub(crate) at: u16,
    pub(crate) what: u16,
}

/// Applies a change.
pub(crate) fn apply(bytes: &mut Vec<u8>, change: Change) {
    let length = bytes.len();
    let at = if length == 0 { 0 } else { usize::from(change.at) % (length + 1) };
    let end = (at + 1 + usize::from(change.what) % 24).min(length);
    let piece = PIECES[usize::from(change.what) % PIECES.len()].as_bytes();
    match change.how % 10 {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(at..at, piece.iter().copied())),
        2 => drop(bytes.splice(at..end.max(at), piece.iter().copied())),
        3 => drop(bytes.drain(at..end.max(at))),
        4 => {
            let copy = bytes[at..end.max(at)].to_vec();
            drop(bytes.splice(at..at, copy));
        }
        5 if at < length => bytes[at] ^= 1 << (change.what % 8),
        6 if at < length => bytes[at] = change.what.to_le_bytes()[0],
        7 => swap_token(bytes, change),
        8 => in_utf16(bytes),
        9 => bytes.splice(0..0, *b"\xEF\xBB\xBF").for_each(drop),
        _ => {}
    }
}

/// Puts a piece in place of a whole value: between quotes, or between tags.
fn swap_token(bytes: &mut Vec<u8>, change: Change) {
    let is_mark = |byte: &u8| b"\"<>:,{}[]".contains(byte);
    let marks: Vec<usize> = bytes.iter().enumerate().filter(|(_, byte)| is_mark(byte)).map(|(at, _)| at).collect();
    let Some(chosen) = usize::from(change.at).checked_rem(marks.len()) else { return };
    let from = marks[chosen] + 1;
    let to = marks.get(chosen + 1).copied().unwrap_or(bytes.len());
    let piece = PIECES[usize::from(change.what) % PIECES.len()].as_bytes();
    drop(bytes.splice(from..to, piece.iter().copied()));
}

/// The same text in another encoding than the one that was declared.
fn in_utf16(bytes: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        *bytes = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    }
}
