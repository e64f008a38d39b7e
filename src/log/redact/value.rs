//! Values that are secret by what stands before them: `password=…`, `"token": "…"`, `Authorization: …`, the password
//! of a URL.
//!
//! The grammar is that of logs, not of a format: a key, perhaps in quotes (escaped ones, where JSON is in JSON), `=` or
//! `:`, a value, perhaps in quotes. A quote that is not closed reaches to the line's end, so that a line that is cut off
//! shows no less masked than it would be whole.

use super::DONE;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use std::ops::Range;

/// base64 without its padding (RFC 4648 § 4) that may be cut off within a byte.
const CUT_BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// How long the rest of a key may be, and blanks around the sign behind it.
const KEY_BYTES: usize = 64;
const BLANKS: usize = 8;
/// How long a URL's user and password may be together.
const USER_BYTES: usize = 1024;

/// Endings of keys whose values are about a secret and none.
const ABOUT: &[&str] = &[
    "count",
    "type",
    "len",
    "length",
    "size",
    "limit",
    "ttl",
    "expiry",
    "expires",
    "expires_in",
    "expires_at",
    "expires-in",
    "expiresin",
    "expiresat",
    "expired",
    "url",
    "uri",
    "name",
    "policy",
    "age",
    "version",
    "valid",
    "used",
    "required",
    "enabled",
    "status",
    "error",
    "id",
    "bucket",
    "path",
    "file",
    "usage",
    "budget",
];
/// Values that are none.
const NOTHING: &[&str] = &[
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "empty",
    "missing",
    "invalid",
    "unset",
    "nan",
    "ok",
];

/// The value of a key that holds the word at `word`, to be masked.
pub(super) fn value_of(text: &[u8], word: Range<usize>, strict: bool) -> Option<Range<usize>> {
    let mut at = word.end;
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    while at < text.len() && is_key(text[at]) && at - word.end < KEY_BYTES {
        at += 1;
    }
    let rest = text[word.end..at].to_ascii_lowercase();
    if ABOUT.iter().any(|about| rest.ends_with(about.as_bytes())) || strict && rest.starts_with(b"s") {
        return None;
    }
    // In XML the value lies between the tags.
    if text.get(at) == Some(&b'>') {
        let name = text[..word.start].iter().rposition(|&byte| !is_key(byte));
        let end = text[at..].iter().position(|&byte| byte == b'<').map_or(text.len(), |end| at + end);
        return name.filter(|&name| text[name] == b'<').and_then(|_| told(text, at + 1..end));
    }
    let (quoted, after) = quote(text, at);
    at = if quoted.is_some() { after } else { at };
    for bracket in [&b"]"[..], b"%5D", b"%22"] {
        if text[at..].starts_with(bracket) {
            at += bracket.len();
        }
    }
    at = blanks(text, at);
    let is_colon = text.get(at) == Some(&b':');
    at = sign(text, at)?;
    at = blanks(text, at);
    let value = value(text, at)?;
    let plain =
        is_colon && quoted.is_none() && text[value.start - 1] != b'"' && text[value.start - 1] != b'\'';
    // "invalid token: unexpected end" tells no token.
    if plain && strict && !is_random(&text[value.clone()]) {
        return None;
    }
    told(text, value)
}

/// A value, unless it says that there is none.
fn told(text: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let bytes = &text[value.clone()];
    let nothing = bytes.is_empty()
        || NOTHING.iter().any(|word| bytes.eq_ignore_ascii_case(word.as_bytes()))
        || bytes.iter().all(|byte| b"*.-".contains(byte))
        || bytes.starts_with(DONE);
    (!nothing).then_some(value)
}

/// Behind `=`, `:`, `=>`, `:=`, `==` or an encoded `=` or `:`.
fn sign(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let long = [&b"=>"[..], b":=", b"==", b"%3D", b"%3d", b"%3A", b"%3a"];
    if let Some(sign) = long.iter().find(|sign| rest.starts_with(sign)) {
        return Some(at + sign.len());
    }
    match rest {
        // A path of names in Rust or C++.
        [b':', b':', ..] => None,
        [b'=' | b':', ..] => Some(at + 1),
        _ => None,
    }
}

fn blanks(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(BLANKS).take_while(|byte| b" \t".contains(byte)).count()
}

/// A quote at a place, with how many backslashes stand before it, and where it ends.
fn quote(text: &[u8], at: usize) -> (Option<(usize, u8)>, usize) {
    let slashes = text[at..].iter().take_while(|&&byte| byte == b'\\').count();
    match text.get(at + slashes) {
        Some(&mark @ (b'"' | b'\'' | b'`')) => (Some((slashes, mark)), at + slashes + 1),
        _ => (None, at),
    }
}

/// The value that begins at a place, without its quotes.
fn value(text: &[u8], mut at: usize) -> Option<Range<usize>> {
    if text[at..].starts_with(DONE) {
        return None;
    }
    // How Rust shows what is there, and a list of one.
    for around in [&b"Some("[..], b"[", b"(", b"<", b"{"] {
        if text[at..].starts_with(around) {
            at += around.len();
            break;
        }
    }
    let (quoted, after) = quote(text, at);
    let Some((slashes, mark)) = quoted else {
        let end = text[at..].iter().enumerate().position(|(n, &byte)| ends_plain(text, at + n, byte));
        return Some(at..end.map_or(text.len(), |end| at + end));
    };
    let mut end = after;
    while end < text.len() {
        let escapes = text[end..].iter().take_while(|&&byte| byte == b'\\').count();
        match text.get(end + escapes) {
            // As many backslashes as before the first quote: a quote in the value has more.
            Some(&byte) if byte == mark && escapes <= slashes => {
                return Some(after..end + escapes.saturating_sub(slashes));
            }
            _ => end += escapes + 1,
        }
    }
    Some(after..text.len())
}

/// Whether a byte ends a value without quotes.
fn ends_plain(text: &[u8], at: usize, byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || b",;&\"'`)]}<>|".contains(&byte)
        || byte == b'\\' && text.get(at + 1).is_some_and(|next| b"\"'nrt\\".contains(next))
}

/// Whether a word looks like what no person would write.
pub(super) fn is_random(word: &[u8]) -> bool {
    word.len() >= 20 || word.len() >= 8 && word.iter().any(u8::is_ascii_digit)
}

/// The credentials behind the word `Authorization`, and the name of their scheme.
pub(super) fn authorization(text: &[u8], word: Range<usize>) -> Option<(Range<usize>, &'static str)> {
    let (quoted, after) = quote(text, word.end);
    let at = if quoted.is_some() { after } else { word.end };
    let at = blanks(text, sign(text, blanks(text, at))?);
    let (quoted, after) = quote(text, at);
    let at = if quoted.is_some() { after } else { at };
    let first = value(text, at)?;
    let scheme = &text[first.clone()];
    let is_scheme =
        !scheme.is_empty() && scheme.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'-');
    let second = blanks(text, first.end);
    if is_scheme && second > first.end {
        let name = match () {
            () if scheme.eq_ignore_ascii_case(b"bearer") => "bearer",
            () if scheme.eq_ignore_ascii_case(b"basic") => "basic",
            () => "authorization",
        };
        let credentials = value(text, second)?;
        // Without a quote it is a header as it stands, or a sentence.
        let fits = quoted.is_some() || name != "authorization" || is_random(&text[credentials.clone()]);
        return fits.then(|| told(text, credentials)).flatten().map(|found| (found, name));
    }
    let fits = is_random(scheme);
    fits.then(|| told(text, first)).flatten().map(|found| (found, "authorization"))
}

/// The credentials behind the word `Bearer` or `Basic`.
pub(super) fn scheme(text: &[u8], word: Range<usize>, basic: bool) -> Option<Range<usize>> {
    let mut at = word.end;
    while text.get(at).is_some_and(|byte| b" +".contains(byte)) || text[at..].starts_with(b"%20") {
        at += if text[at] == b'%' { 3 } else { 1 };
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let end = text[at..].iter().position(|&byte| !is_part(byte)).map_or(text.len(), |end| at + end);
    let token = &text[at..end];
    let fits = at > word.end && if basic { names_a_user(token) } else { is_random(token) };
    fits.then_some(at..end)
}

/// Whether base64 holds `user:password`; it may be cut off anywhere.
fn names_a_user(token: &[u8]) -> bool {
    let digits = token.split(|&byte| byte == b'=').next().unwrap_or_default();
    // One digit alone tells no byte.
    let digits = &digits[..digits.len() - usize::from(digits.len() % 4 == 1)];
    CUT_BASE64.decode(digits).is_ok_and(|told| {
        // Text, in ASCII or UTF-8.
        told.len() >= 3 && told.contains(&b':') && !told.iter().any(u8::is_ascii_control)
    })
}

/// The password of a URL whose `://` stands at `sign`.
pub(super) fn url_password(text: &[u8], sign: Range<usize>) -> Option<Range<usize>> {
    let (mut colon, mut end) = (None, None);
    for (n, &byte) in text[sign.end..].iter().take(USER_BYTES).enumerate() {
        match byte {
            b':' if colon.is_none() => colon = Some(sign.end + n + 1),
            b'@' => end = Some(sign.end + n),
            b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b',' => break,
            _ if byte.is_ascii_whitespace() => break,
            _ => {}
        }
    }
    let (from, to) = (colon?, end?);
    (from < to).then_some(from..to).and_then(|found| told(text, found))
}
