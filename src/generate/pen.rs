//! Writes numbers and words into a buffer without a detour through `fmt`.

/// A number in decimal.
pub(super) fn number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    out.extend_from_slice(decimal(&mut digits, number));
}

/// A number in decimal, at the end of the room given.
fn decimal(digits: &mut [u8; 20], mut number: u64) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

/// The lowest digits of a number in hexadecimal.
pub(super) fn hex<const DIGITS: usize>(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&hex_of::<DIGITS>(number));
}

/// The lowest digits of a number in hexadecimal.
pub(super) fn hex_of<const DIGITS: usize>(number: u64) -> [u8; DIGITS] {
    std::array::from_fn(|at| b"0123456789abcdef"[(number >> (4 * (DIGITS - 1 - at))) as usize & 15])
}

/// A word.
pub(super) fn word(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
}

/// Several words, one after the other.
pub(super) fn words(out: &mut Vec<u8>, words: &[&str]) {
    for word in words {
        out.extend_from_slice(word.as_bytes());
    }
}

/// Two decimal digits.
pub(super) fn two(number: u32) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

/// A number that counts up, kept as its digits: most steps change one of them.
#[derive(Debug)]
pub(super) struct Counter {
    digits: [u8; 20],
    from: usize,
}

impl Counter {
    /// Begins at a number.
    pub(super) fn new(number: u64) -> Counter {
        let mut digits = [b'0'; 20];
        let len = decimal(&mut digits, number).len();
        Counter { from: digits.len() - len, digits }
    }

    /// Its digits.
    pub(super) fn text(&self) -> &[u8] {
        &self.digits[self.from..]
    }

    /// Adds one.
    pub(super) fn add(&mut self) {
        let mut at = self.digits.len();
        while at > 0 {
            at -= 1;
            if self.digits[at] != b'9' {
                self.digits[at] += 1;
                break;
            }
            self.digits[at] = b'0';
        }
        self.from = self.from.min(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_counts() {
        for start in [0, 7, 8, 9, 98, 99, 999_999, u64::MAX - 1] {
            let mut counter = Counter::new(start);
            assert_eq!(counter.text(), start.to_string().as_bytes());
            counter.add();
            assert_eq!(counter.text(), (start + 1).to_string().as_bytes());
        }
        let mut out = Vec::new();
        hex::<6>(&mut out, 0x12_abcdef);
        number(&mut out, 120);
        assert_eq!(out, b"abcdef120");
    }
}
