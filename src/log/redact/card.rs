//! Payment card numbers: 14 to 19 digits of a known issuer that pass Luhn's check, with blanks or dashes between groups.

use memchr::memchr;
use std::ops::Range;

/// The shortest and the longest number, in digits. The 13 digits of the oldest cards are those of a time in milliseconds.
const DIGITS: Range<usize> = 14..20;
/// How much is looked at at once: what it is made into stays in the processor's nearest cache.
const BLOCK: usize = 4 << 10;

/// Whether a byte may stand in a number; 1 or 0, so that many are told at once.
#[inline(always)]
fn part(byte: u8) -> u8 {
    u8::from(byte.wrapping_sub(b'0') < 10) | u8::from(byte == b' ') | u8::from(byte == b'-')
}

/// Calls `each` with the place of every number in a run, in order.
pub(super) fn find(run: &[u8], mut each: impl FnMut(Range<usize>)) {
    let mut starts = [0; BLOCK + DIGITS.start];
    let (mut at, mut done) = (0, 0);
    while at + DIGITS.start <= run.len() {
        let block = &run[at..run.len().min(at + BLOCK + DIGITS.start - 1)];
        let starts = long(block, &mut starts);
        let mut next = 0;
        while let Some(found) = memchr(1, &starts[next..]) {
            let start = at + next + found;
            let to =
                run[start..].iter().position(|&byte| part(byte) == 0).map_or(run.len(), |end| start + end);
            // A stretch that began in an earlier block was looked at whole.
            if start >= done {
                within(run, start..to, &mut each);
                done = to;
            }
            next = (to - at).min(starts.len());
        }
        at += starts.len();
    }
}

/// Marks with 1 where the least that is a number may stand from there on. Passes without branches, each over many bytes
/// at once: of 1, 2, 4, 8 and then 14 bytes in a row.
fn long<'a>(block: &[u8], marks: &'a mut [u8; BLOCK + DIGITS.start]) -> &'a [u8] {
    let mut length = block.len();
    let marks = &mut marks[..length];
    marks.iter_mut().zip(block).for_each(|(mark, &byte)| *mark = part(byte));
    for step in [1, 2, 4, DIGITS.start - 8] {
        length -= step;
        for at in 0..length {
            marks[at] &= marks[at + step];
        }
    }
    &marks[..length]
}

/// The numbers in a stretch of digits, blanks and dashes, which ends where that ends.
fn within(run: &[u8], stretch: Range<usize>, each: &mut impl FnMut(Range<usize>)) {
    let mut at = stretch.start;
    while at < stretch.end {
        let begins = run[at].is_ascii_digit()
            && (at == stretch.start || !run[at - 1].is_ascii_digit())
            && !(at == stretch.start && at > 0 && is_word(run, at - 1));
        match begins.then(|| number(run, at..stretch.end)).flatten() {
            Some(end) => {
                each(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// Whether a byte beside digits makes them part of something else.
fn is_word(run: &[u8], at: usize) -> bool {
    run[at].is_ascii_alphanumeric()
        || run[at] == b'_'
        || run[at] == b'.' && at > 0 && run[at - 1].is_ascii_digit()
}

/// The end of the number that begins at a place: digits, or groups of them with the same byte between all.
fn number(run: &[u8], range: Range<usize>) -> Option<usize> {
    let (mut digits, mut count) = ([0u8; DIGITS.end], 0);
    let (mut between, mut group, mut best) = (None, 0, None);
    let mut at = range.start;
    while at < range.end {
        let byte = run[at];
        if byte.is_ascii_digit() {
            if count == DIGITS.end - 1 {
                // Longer than any number: the rest of these digits is of the same word.
                if group > 0 {
                    return best;
                }
                break;
            }
            digits[count] = byte - b'0';
            count += 1;
            group += 1;
            let ends = run.get(at + 1).is_none_or(|next| !next.is_ascii_digit());
            let apart = at + 1 < range.end || range.end == run.len() || !ends_in_word(run, range.end);
            if ends && apart && DIGITS.contains(&count) && is_card(&digits[..count]) {
                best = Some(at + 1);
            }
        } else {
            // A number without groups is one word.
            if group < 3 || between.is_some_and(|own| own != byte) || between.is_none() && group > 6 {
                break;
            }
            between = Some(byte);
            group = 0;
        }
        at += 1;
    }
    best
}

fn ends_in_word(run: &[u8], at: usize) -> bool {
    run[at].is_ascii_alphanumeric()
        || run[at] == b'_'
        || run[at] == b'.' && run.get(at + 1).is_some_and(u8::is_ascii_digit)
}

/// Whether an issuer has such numbers, and the last digit is right.
fn is_card(digits: &[u8]) -> bool {
    let first = |count: usize| digits[..count].iter().fold(0u32, |all, &digit| all * 10 + u32::from(digit));
    let issued = matches!(
        (first(1), first(2), first(4), digits.len()),
        (4, _, _, 16 | 18 | 19)
            | (_, 51..=55, _, 16)
            | (_, _, 2221..=2720, 16)
            | (_, 34 | 37, _, 15)
            | (_, 36 | 38 | 39, _, 14..=19)
            | (_, _, 3000..=3059, 14..=19)
            | (_, _, 3528..=3589 | 6011, 16..=19)
            | (_, 50 | 56..=58 | 60..=65 | 67, _, 16..=19)
    );
    issued && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at % 2, u32::from(digit) * 2) {
            (0, twice) => twice / 2,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        find(text.as_bytes(), |range| all.push(&text[range]));
        all
    }

    #[test]
    fn numbers_are_found_in_any_dress() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "378282246310005",
            "3782 822463 10005",
            "5555555555554444",
            "2223003122003222",
            "6011111111111117",
            "30569309025904",
            "3530111333300000",
            "6212345678900000003",
        ] {
            for text in [
                card.to_owned(),
                format!("card {card} is declined"),
                format!("card={card}, cvc"),
                format!("\"{card}\""),
                format!("2026-11-27 {card}."),
                format!("{card} 12"),
                format!("x\n{card}\n"),
            ] {
                let expected = text.find(card).unwrap();
                let mut all = Vec::new();
                find(text.as_bytes(), |range| all.push(range));
                assert!(all.iter().any(|range| range.contains(&expected)), "{text}: {all:?}");
            }
        }
    }

    #[test]
    fn other_numbers_are_not_cards() {
        for text in [
            "4111111111111112",
            "1764234737123",
            "1764234737123456",
            "a4111111111111111",
            "4111111111111111b",
            "0.4111111111111111",
            "41111111111111110000000000",
            "2026-11-27 09:12:17.123456789",
            "192.168.100.200 255.255.255.255",
            "4111 1111-1111 1111",
            "id_4111111111111111",
            "4111\n111111111111",
        ] {
            assert_eq!(found(text), Vec::<&str>::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_place_is_looked_at(before in "[a-z :,]{0,20}", after in "[a-z:,]{0,9}") {
            let before = if before.ends_with(|c: char| c.is_ascii_lowercase()) { before + ":" } else { before };
            let after = if after.starts_with(|c: char| c.is_ascii_lowercase()) { format!(",{after}") } else { after };
            let text = format!("{before}4111111111111111{after}");
            prop_assert_eq!(found(&text), ["4111111111111111"]);
        }

        #[test]
        fn blocks_have_no_edges(before in BLOCK - 40..BLOCK + 10, blank in any::<bool>()) {
            // Behind a stretch that is none, too.
            let fill = if blank { "- ".repeat(before / 2) } else { "x:".repeat(before / 2) };
            let text = format!("{fill}x:4111111111111111,{fill}");
            prop_assert_eq!(found(&text), ["4111111111111111"]);
        }

        #[test]
        fn any_bytes_are_looked_at_without_panic(run in prop::collection::vec(prop_oneof![b'0'..=b'9', Just(b' '), Just(b'-'), any::<u8>()], 0..200)) {
            find(&run, |range| assert!(range.end <= run.len() && range.len() >= DIGITS.start));
        }
    }
}
