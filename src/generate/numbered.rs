//! Numbers and sums at the ends of lines, by which `logcast check` tells whether one is missing.
//!
//! A numbered line ends with ` seq=N sum=HHHHHHHH`: the number counts from 0 without a gap, the sum is the low
//! half of the XXH3-64 of all before ` sum=`, in hexadecimal. A line that is a JSON object stays one: it ends with
//! `,"seq":N,"sum":"HHHHHHHH"}`, and the sum is of all before `,"sum":`. [`Numbered::parse`] reads both back. The
//! sum finds accidents; it is no signature.

use super::pen;
use xxhash_rust::xxh3::xxh3_64;

/// How a number and a sum stand in a line.
struct Form {
    seq: &'static [u8],
    sum: &'static [u8],
    end: &'static [u8],
}

const TEXT: Form = Form { seq: b" seq=", sum: b" sum=", end: b"" };
const JSON: Form = Form { seq: b",\"seq\":", sum: b",\"sum\":\"", end: b"\"}" };
const SUM_LEN: usize = 8;

fn sum(text: &[u8]) -> [u8; SUM_LEN] {
    pen::hex_of(xxh3_64(text))
}

/// Ends the line that begins at `start` with its number and sum.
pub fn push_numbered(out: &mut Vec<u8>, start: usize, number: u64) {
    let is_object = out.len() > start + 2 && out[start] == b'{' && out.ends_with(b"}");
    let form = if is_object { JSON } else { TEXT };
    out.truncate(out.len() - usize::from(is_object));
    out.extend_from_slice(form.seq);
    pen::number(out, number);
    let sum = sum(&out[start..]);
    out.extend_from_slice(form.sum);
    out.extend_from_slice(&sum);
    out.extend_from_slice(form.end);
}

/// What a numbered line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Its number; its text is what was written.
    Intact(u64),
    /// It has a number, but not the text that was written with it.
    Altered(u64),
    /// It has no number.
    Plain,
}

impl Numbered {
    /// Reads a line without its newline.
    pub fn parse(line: &[u8]) -> Numbered {
        let read = |form: &Form| -> Option<Numbered> {
            let line = line.strip_suffix(form.end)?;
            let (text, found) = line.split_at_checked(line.len().checked_sub(SUM_LEN)?)?;
            let text = text.strip_suffix(form.sum)?;
            let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let (before, digits) = text.split_at(text.len() - digits);
            let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
            before.ends_with(form.seq).then(|| match sum(text) == *found {
                true => Numbered::Intact(number),
                false => Numbered::Altered(number),
            })
        };
        read(&TEXT).or_else(|| read(&JSON)).unwrap_or(Numbered::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_altered_byte_is_found() {
        for text in [&b"a line of text: 7"[..], b"{\"msg\":\"an object\",\"n\":7}"] {
            let mut line = text.to_vec();
            push_numbered(&mut line, 0, 41);
            assert_eq!(Numbered::parse(&line), Numbered::Intact(41));
            for at in 0..line.len() {
                for flip in [0x01, 0x20, 0x80] {
                    let mut other = line.clone();
                    other[at] ^= flip;
                    assert!(!matches!(Numbered::parse(&other), Numbered::Intact(_)), "{at} {flip}");
                }
                let mut other = line.clone();
                other.remove(at);
                assert!(!matches!(Numbered::parse(&other), Numbered::Intact(_)), "without {at}");
            }
        }
        assert_eq!(Numbered::parse(b"seq=5"), Numbered::Plain);
        assert_eq!(Numbered::parse(b""), Numbered::Plain);
    }
}
