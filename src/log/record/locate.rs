//! Finds the time in a line: at its beginning in any format, further on only a full date with a clock.

use super::scan::Scan;
use super::stamp::{Stamp, at};

/// How far into a line a full date is looked for, if the line does not begin with its time.
const INNER_BYTES: usize = 96;
/// And after how many words: further on it is what a text is about.
const INNER_WORDS: usize = 3;

/// glog's head, `E1124 10:00:00.123456` or `E20261124 …`: its letter comes before the date.
pub(super) fn glog(text: &[u8]) -> Option<(Stamp, usize)> {
    let mut scan = Scan { text, at: 1 };
    if !matches!(text.first(), Some(b'I' | b'W' | b'E' | b'F' | b'D')) {
        return None;
    }
    let year = if scan.ahead(4).is_ascii_digit() { Some(scan.number(4, 4)?) } else { None };
    let (month, day) = (scan.number(2, 2)?, scan.number(2, 2)?);
    if scan.peek() != b' ' {
        return None;
    }
    Some((scan.date_clock(year, month, day)?, scan.at))
}

/// Finds the time in a line's head, and where it ends.
pub(super) fn locate(head: &[u8]) -> Option<(Stamp, usize)> {
    let start = lead(head);
    if let Some(found) = at(head, start) {
        return Some(found);
    }
    if start == 0 {
        if let Some(found) = glog(head) {
            return Some(found);
        }
        if head.first().is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            return None;
        }
    }
    inner(head)
}

/// Just past what stands before a time that begins a line: blanks, brackets, `<34>1 `, `I, [`, Redis' `12:M `.
fn lead(head: &[u8]) -> usize {
    let mut scan = Scan { text: head, at: 0 };
    if head.starts_with(b"\xef\xbb\xbf") {
        scan.at = 3;
    }
    if scan.peek() == b'<' && scan.ahead(1).is_ascii_digit() {
        scan.at += 1;
        let priority = scan.number(1, 3).is_some() && scan.take(b'>').is_some();
        if !priority {
            return 0;
        }
        if scan.peek() == b'1' && scan.ahead(1) == b' ' {
            scan.at += 2;
        }
        return scan.at;
    }
    let blanks = scan.at;
    while matches!(scan.peek(), b' ' | b'\t') {
        scan.at += 1;
    }
    if blanks == scan.at && scan.peek().is_ascii_digit() {
        let from = scan.at;
        let _ = scan.number(1, 7);
        if scan.peek() == b':' && scan.ahead(1).is_ascii_uppercase() && scan.ahead(2) == b' ' {
            return scan.at + 3;
        }
        scan.at = from;
    }
    if scan.peek().is_ascii_uppercase() && scan.ahead(1) == b',' && scan.ahead(2) == b' ' {
        scan.at += 3;
    }
    while matches!(scan.peek(), b'[' | b'(' | b'"' | b'|' | b'\'') {
        scan.at += 1;
    }
    if scan.at > 0 && scan.peek().is_ascii_uppercase() && scan.ahead(1) == b' ' {
        scan.at += 2;
    }
    scan.at
}

/// A full date with a clock that does not begin the line.
fn inner(head: &[u8]) -> Option<(Stamp, usize)> {
    let byte = |at: usize| head.get(at).copied().unwrap_or(0);
    let (mut last, mut words) = (b' ', 0);
    for (from, &now) in head.iter().enumerate() {
        let before = std::mem::replace(&mut last, now);
        words += usize::from(now == b' ' && before != b' ');
        // A time in brackets may stand further in: a name and a user come before it in an access log.
        if (from > INNER_BYTES || words > INNER_WORDS) && before != b'[' {
            continue;
        }
        if !now.is_ascii_digit()
            || before.is_ascii_alphanumeric()
            || matches!(before, b'.' | b'-' | b'/' | b'_')
        {
            if now == b'(' && head[..from].ends_with(b"audit") {
                return at(head, from + 1);
            }
            if before == b'['
                && now.is_ascii_uppercase()
                && byte(from + 3) == b' '
                && let Some(found) = at(head, from)
            {
                return Some(found);
            }
            continue;
        }
        let dashed = matches!(byte(from + 4), b'-' | b'/') && byte(from + 7) == byte(from + 4);
        let named = matches!(byte(from + 2), b'/' | b'-') && byte(from + 6) == byte(from + 2);
        let compact = before == b'[' && byte(from + 6) == b' ' && byte(from + 9) == b':';
        if (dashed || named || compact || byte(from + 8) == b'T')
            && let Some(found) = at(head, from)
        {
            return Some(found);
        }
    }
    None
}
