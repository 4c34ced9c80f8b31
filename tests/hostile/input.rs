//! What a fuzzer's bytes mean: the first names the operation and its form, the second what stands around the body, the
//! rest is the body (or the whole reply, head and all).

use crate::samples::Said;
use crate::stand::{Say, Stand};

/// Statuses and types that mean something; the first is what most replies have.
const AROUND: [(u16, &str); 16] = [
    (200, "text/xml; charset=utf-8"),
    (200, "application/json"),
    (200, "application/json; charset=utf-8"),
    (200, "application/xml"),
    (200, "text/plain; charset=utf-8"),
    (200, "text/html"),
    (201, "application/json"),
    (302, "text/xml"),
    (400, "application/json; charset=utf-8"),
    (400, "text/plain"),
    (409, "application/json"),
    (429, "text/plain"),
    (500, "text/plain; charset=utf-8"),
    (500, "text/xml; charset=utf-8"),
    (502, "application/json"),
    (503, "text/html"),
];

/// The second byte of a reply whose head is in the bytes too.
const WIRE: u8 = 0xFF;

/// The operation, and what it is told.
pub(crate) fn read<'a>(stands: &'a [Stand], bytes: &[u8]) -> Option<(&'a Stand, Say)> {
    let [which, around, body @ ..] = bytes else { return None };
    let stand = stands.get(usize::from(*which) % stands.len())?;
    if *around == WIRE {
        return Some((stand, Say::Wire(body.to_vec())));
    }
    let (status, content_type) = AROUND[usize::from(*around) % AROUND.len()];
    Some((stand, Say::Reply { status, content_type: content_type.to_owned(), body: body.to_vec() }))
}

/// The bytes for a documented reply; none where its status and type are none of those above.
#[allow(dead_code, reason = "the fuzzer only reads")]
pub(crate) fn write(which: usize, said: &Said) -> Option<Vec<u8>> {
    let around = AROUND.iter().position(|around| *around == (said.status, said.content_type))?;
    let head = [u8::try_from(which).ok()?, u8::try_from(around).ok()?];
    Some([&head, said.body.as_bytes()].concat())
}
