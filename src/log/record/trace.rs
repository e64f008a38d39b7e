//! Lines that go on with what the line above began.

/// What lines begin with that are never a record of their own.
const STARTS: [&[u8]; 13] = [
    b"Caused by:",
    b"Suppressed:",
    b"Traceback (most recent call last)",
    b"During handling of the above exception",
    b"The above exception was the direct cause",
    b"--- End of",
    b"goroutine ",
    b"created by ",
    b"stack backtrace:",
    b"Stack trace:",
    b"note: run with `RUST_BACKTRACE",
    b"File \"",
    b"Wrapped by:",
];
/// PostgreSQL's words for lines that say more about the error above, though they have a time.
const ADDS: [&[u8]; 5] = [b"DETAIL", b"HINT", b"STATEMENT", b"CONTEXT", b"QUERY"];

/// True if a line without level looks like more of the one above. `timed`: it has a time, which ends at `end`.
pub(super) fn continues(head: &[u8], timed: bool, end: usize) -> bool {
    if timed {
        return adds(&head[end..]);
    }
    let Some(&first) = head.first() else { return false };
    match first {
        b' ' | b'\t' => true,
        b'.' => head.starts_with(b"... ") && (head.ends_with(b" more") || head.ends_with(b" omitted")),
        b'#' => head.get(1).is_some_and(u8::is_ascii_digit),
        b'}' | b')' | b']' => head.len() <= 3,
        b'a' if head.starts_with(b"at ") => {
            let next = head.get(3).copied().unwrap_or(0);
            (next.is_ascii_alphabetic() || matches!(next, b'<' | b'/')) && head.contains(&b':')
        }
        _ => starts(head),
    }
}

/// True if a line without time begins as nothing but more of a stack trace does.
pub(super) fn starts(head: &[u8]) -> bool {
    // Most lines differ in their first byte.
    let first = head.first();
    STARTS.iter().any(|start| first == start.first() && head.starts_with(start)) || exception(head)
}

/// True if a line with a time says more about the one above.
pub(super) fn adds(line: &[u8]) -> bool {
    let head = &line[..line.len().min(super::HEAD_BYTES)];
    memchr::memchr_iter(b':', head).any(|colon| {
        // Two blanks come after none of the colons of a time.
        head[colon..].starts_with(b":  ")
            && ADDS.iter().any(|word| {
                head[..colon].strip_suffix(*word).is_some_and(|rest| matches!(rest.last(), None | Some(b' ')))
            })
    })
}

/// `java.lang.IllegalStateException: pool closed`, `ValueError: bad`: the first word names what was thrown.
fn exception(head: &[u8]) -> bool {
    let end = head
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$')))
        .unwrap_or(head.len());
    let (word, rest) = head.split_at(end);
    if !(rest.is_empty() || rest.starts_with(b":")) {
        return false;
    }
    [&b"Exception"[..], b"Error", b"Throwable"]
        .iter()
        .any(|kind| word.len() > kind.len() && word.ends_with(kind))
}
