//! Cursors: places in logs that prove themselves.
//!
//! A cursor says "all before this was delivered". To a client it is an opaque event id; to the server it is
//! one [`Entry`] for each file of the stream, and each entry holds enough of the file's content to be checked
//! with one positioned read: the hash of the generation's head, the offset, and a hash of the line before it.
//! Nothing is stored on the server, so an id is as good after a restart, on another server over the same
//! files, and after a rotation, as long as the bytes still exist somewhere.
//!
//! Text form of an entry, all in the base64url alphabet (RFC 4648 § 5), most significant digit first:
//!
//! ```text
//! KKKK GGGGGGGG TT CCCCCCCC O…      key 24 bits, generation 48, tie 12, check 48, offset (1 to 11 digits)
//! ```
//!
//! Entries are joined by `.`; a leading `~` marks an id that could not hold every file of its stream.
//! The hashes are XXH3-64 cut to 48 bits: they guard against mistakes and make a forged id useless, since
//! it can only name a place of a file that its sender may read anyway.

use xxhash_rust::xxh3::xxh3_64;

/// The longest id that is given, in bytes.
pub const MAX_ID_BYTES: usize = 1024;
/// The longest one that is looked at: a client of more files than an id can hold puts theirs together, and a request's
/// head may have 16 KiB.
pub const MAX_GIVEN_BYTES: usize = 12 << 10;
/// How much of a generation's first line names it, in bytes.
pub const HEAD_BYTES: usize = 1024;
/// How much of the line before an offset is hashed into a check, in bytes from its end.
pub const CHECK_BYTES: usize = 256;
/// The check of a place that has no line before it.
pub const NO_LINE: u64 = 0;
/// The generation of a file whose head is not known yet.
pub const NO_GENERATION: u64 = 0;

/// Bytes of an entry's fixed part.
const FIXED: usize = 4 + 8 + 2 + 8;
const MASK_48: u64 = (1 << 48) - 1;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The place in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Which source: [`source_key`] of its name, 24 bits.
    pub key: u32,
    /// Which life of the file: [`generation`] of its head, or [`NO_GENERATION`].
    pub generation: u64,
    /// Twelve bits of (device, inode, birth time); they only choose between lives of equal content. 0: no file.
    pub tie: u16,
    /// [`check`] of the last line before `offset`, or [`NO_LINE`].
    pub check: u64,
    /// Bytes from the generation's start.
    pub offset: u64,
}

/// A parsed id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// At most one entry for a life of a file.
    pub entries: Vec<Entry>,
    /// True if the stream had more files than the id could hold.
    pub partial: bool,
}

/// The key of a source, 24 bits of the hash of its name.
pub fn source_key(name: &[u8]) -> u32 {
    (xxh3_64(name) & 0xff_ffff) as u32
}

/// The name of a generation: 48 bits, never 0. `head` is the first line without its newline, or its first
/// [`HEAD_BYTES`].
pub fn generation(head: &[u8]) -> u64 {
    (xxh3_64(&head[..head.len().min(HEAD_BYTES)]) & MASK_48).max(1)
}

/// The check of a line without its newline: 48 bits, never [`NO_LINE`], over its last [`CHECK_BYTES`].
pub fn check(line: &[u8]) -> u64 {
    (xxh3_64(&line[line.len().saturating_sub(CHECK_BYTES)..]) & MASK_48).max(1)
}

/// The check at the end of `before`, bytes that end at the offset in question and begin either at the start
/// of the content or at least [`CHECK_BYTES`] + 1 earlier. A last line without newline counts as a line.
pub fn check_at_end(before: &[u8]) -> u64 {
    if before.is_empty() {
        return NO_LINE;
    }
    let line = before.strip_suffix(b"\n").unwrap_or(before);
    let start = memchr::memrchr(b'\n', line).map_or(0, |at| at + 1);
    check(&line[start..])
}

/// How many bytes before an offset [`check_at_end`] needs to see.
pub const OVERLAP_BYTES: usize = CHECK_BYTES + 1;

/// Writes the fixed part of an entry up to its check: key, generation, tie.
pub fn push_prefix(out: &mut Vec<u8>, key: u32, generation: u64, tie: u16) {
    push_digits::<4>(out, u64::from(key));
    push_digits::<8>(out, generation);
    push_digits::<2>(out, u64::from(tie));
}

/// Writes the moving part of an entry: check and offset.
#[inline]
pub fn push_place(out: &mut Vec<u8>, check: u64, offset: u64) {
    push_digits::<8>(out, check);
    let mut text = [0; 12];
    let digits = offset_digits(offset);
    write_digits(&mut text[..digits], offset);
    out.extend_from_slice(&text[..digits]);
}

/// Digits of what [`push_prefix`] writes.
pub const PREFIX_DIGITS: usize = 4 + 8 + 2;
/// Digits of a check.
pub const CHECK_DIGITS: usize = 8;

/// How many digits an offset takes.
#[inline]
pub fn offset_digits(offset: u64) -> usize {
    (64 - offset.leading_zeros() as usize).div_ceil(6).max(1)
}

/// Fills `text` with the last digits of a value.
#[inline]
pub fn write_digits(text: &mut [u8], mut value: u64) {
    let mut pairs = text.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[value as usize & 0xfff]);
        value >>= 12;
    }
    if let [first] = pairs.into_remainder() {
        *first = DIGITS[value as usize & 63];
    }
}

/// All pairs of digits: two at a time halve the look-ups of each line's id.
static PAIRS: [[u8; 2]; 4096] = {
    let mut pairs = [[0; 2]; 4096];
    let mut at = 0;
    while at < pairs.len() {
        pairs[at] = [DIGITS[at >> 6], DIGITS[at & 63]];
        at += 1;
    }
    pairs
};

#[inline]
fn push_digits<const N: usize>(out: &mut Vec<u8>, value: u64) {
    let mut text = [0; N];
    write_digits(&mut text, value);
    out.extend_from_slice(&text);
}

/// A generation as eight characters, for people and for the API.
pub fn generation_text(generation: u64) -> String {
    let mut out = Vec::with_capacity(8);
    push_digits::<8>(&mut out, generation);
    out.into_iter().map(char::from).collect()
}

/// The generation that [`generation_text`] wrote; `None` for anything else.
pub fn parse_generation(text: &[u8]) -> Option<u64> {
    (text.len() == 8).then(|| digits(text)).flatten()
}

impl Entry {
    /// Appends the entry's text form.
    pub fn push(&self, out: &mut Vec<u8>) {
        push_prefix(out, self.key, self.generation, self.tie);
        push_place(out, self.check, self.offset);
    }
}

impl Cursor {
    /// Reads an id. `None` for anything that this program did not write; never panics, never allocates more
    /// than the id could hold.
    pub fn parse(id: &[u8]) -> Option<Cursor> {
        if id.is_empty() || id.len() > MAX_GIVEN_BYTES {
            return None;
        }
        let (partial, id) = match id.strip_prefix(b"~") {
            Some(rest) => (true, rest),
            None => (false, id),
        };
        let mut entries = Vec::with_capacity(id.len() / (FIXED + 2) + 1);
        for part in id.split(|&byte| byte == b'.') {
            if part.len() <= FIXED || part.len() > FIXED + 11 {
                return None;
            }
            let entry = Entry {
                key: digits(&part[..4])? as u32,
                generation: digits(&part[4..12])?,
                tie: digits(&part[12..14])? as u16,
                check: digits(&part[14..22])?,
                offset: digits(&part[22..])?,
            };
            if entry.offset > i64::MAX as u64 {
                return None;
            }
            entries.push(entry);
        }
        Some(Cursor { entries, partial })
    }

    /// The id as text, the inverse of [`Cursor::parse`].
    pub fn to_text(&self) -> String {
        let mut out = Vec::new();
        if self.partial {
            out.push(b'~');
        }
        for (i, entry) in self.entries.iter().enumerate() {
            if i > 0 {
                out.push(b'.');
            }
            entry.push(&mut out);
        }
        out.into_iter().map(char::from).collect()
    }
}

fn digits(text: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    for &byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        if value >> 58 != 0 {
            return None;
        }
        value = value << 6 | u64::from(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> impl Strategy<Value = Entry> {
        (
            0..1u32 << 24,
            0..1u64 << 48,
            0..1u16 << 12,
            0..1u64 << 48,
            prop_oneof![0..1u64 << 31, 0..1u64 << 63],
        )
            .prop_map(|(key, generation, tie, check, offset)| Entry {
                key,
                generation,
                tie,
                check,
                offset,
            })
    }

    proptest! {
        #[test]
        fn an_id_is_read_back_as_written(entries in prop::collection::vec(entry(), 1..20), partial: bool) {
            let cursor = Cursor { entries, partial };
            let text = cursor.to_text();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._~-".contains(&b)));
            prop_assert_eq!(Cursor::parse(text.as_bytes()), Some(cursor));
        }

        #[test]
        fn any_bytes_are_refused_or_read_without_panic(id in prop::collection::vec(any::<u8>(), 0..2000)) {
            let _ = Cursor::parse(&id);
        }
    }

    #[test]
    fn three_files_of_a_terabyte_fit_into_128_bytes() {
        let entry = Entry { key: 1, generation: MASK_48, tie: 4095, check: MASK_48, offset: 1 << 40 };
        let text = Cursor { entries: vec![entry; 3], partial: false }.to_text();
        assert!(text.len() <= 128, "{} bytes", text.len());
    }

    #[test]
    fn the_check_is_that_of_the_last_line_however_much_is_seen_before_it() {
        let long = [b"x".repeat(400), b"\n".to_vec(), b"y".repeat(300), b"\n".to_vec()].concat();
        assert_eq!(check_at_end(&long), check_at_end(&long[long.len() - OVERLAP_BYTES..]));
        assert_eq!(check_at_end(b"a\nb\n"), check(b"b"));
        assert_eq!(check_at_end(b"\n"), check(b""));
        assert_eq!(check_at_end(b"a\ntail"), check(b"tail"));
        assert_eq!(check_at_end(b""), NO_LINE);
        assert_ne!(check(b""), NO_LINE);
    }
}
