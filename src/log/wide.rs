//! UTF-16, known by its byte order mark: what the bytes of a line mean.
//!
//! Lines are cut where a byte 0A is, in UTF-16 as in everything else, so that offsets, cursors and checks count the
//! bytes of the file and nothing that cuts lines has to know. What is different is what a line's bytes mean, and that
//! follows from where it begins: a unit begins at every other byte. Little-endian, a newline is `0A 00`: the next line
//! begins with the `00`. Big-endian, it is `00 0A`: the line ends with the `00`. A byte 0A that is half of another
//! character cuts a line in two; then the byte beside the cut tells which character it was, and it is shown in the
//! part that has its second byte.

use super::lines::{LINE_LIMIT, lines};

/// A place in UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wide {
    /// Big-endian.
    big: bool,
    /// Whether the place lies within a unit.
    within: bool,
}

impl Wide {
    /// The start of a file, if its first bytes are a mark of UTF-16.
    pub fn of(first: &[u8]) -> Option<Wide> {
        match first {
            [0xff, 0xfe, ..] => Some(Wide { big: false, within: false }),
            [0xfe, 0xff, ..] => Some(Wide { big: true, within: false }),
            _ => None,
        }
    }

    /// The place so many bytes further.
    pub fn at(self, bytes: u64) -> Wide {
        Wide { within: self.within ^ !bytes.is_multiple_of(2), ..self }
    }

    /// The text of a line that begins here, given with its newline if it has one. What is no character is U+FFFD.
    pub fn text(self, line: &[u8]) -> String {
        let mut units = Vec::with_capacity(line.len() / 2 + 1);
        let mut rest = line;
        if self.within
            && let Some((&second, others)) = line.split_first()
        {
            units.extend(Some(self.unit(b'\n', second)).filter(|&unit| unit != NEWLINE));
            rest = others;
        }
        let (pairs, half) = rest.as_chunks::<2>();
        units.extend(pairs.iter().map(|&[first, second]| self.unit(first, second)));
        if !self.big || pairs.is_empty() {
            // The newline's first byte is alone, or it was no newline.
        } else if half.is_empty() && units.last() == Some(&NEWLINE) {
            units.pop();
        }
        // A unit that is cut in its middle: by a newline it goes on in the next line, by the limit it is left out.
        if let [half] = half
            && *half != b'\n'
            && line.len() < LINE_LIMIT
        {
            units.push(0xfffd);
        }
        let from = usize::from(units.first() == Some(&MARK));
        String::from_utf16_lossy(&units[from..])
    }

    /// The text of a run of lines that begins here, each with its newline.
    pub fn run(self, run: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(run.len());
        for line in lines(run) {
            let bytes = &run[line.from..line.to];
            out.extend_from_slice(self.at(line.from as u64).text(bytes).as_bytes());
            out.extend(bytes.last().filter(|&&last| last == b'\n'));
        }
        out
    }

    fn unit(self, first: u8, second: u8) -> u16 {
        match self.big {
            true => u16::from_be_bytes([first, second]),
            false => u16::from_le_bytes([first, second]),
        }
    }
}

const NEWLINE: u16 = 0x0a;
const MARK: u16 = 0xfeff;

/// Whether a run of bytes, the last of a generation, is no line but the second half of a newline.
pub fn is_rest(wide: Wide, line: &[u8]) -> bool {
    wide.within && !wide.big && line == [0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(text: &str, big: bool) -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(MARK).chain(text.encode_utf16()).flat_map(order).collect()
    }

    /// The lines as they are cut.
    fn read(file: &[u8]) -> Vec<String> {
        let wide = Wide::of(file).expect("a mark");
        let lines = lines(file).filter(|line| !is_rest(wide.at(line.from as u64), &file[line.from..line.to]));
        lines.map(|line| wide.at(line.from as u64).text(&file[line.from..line.to])).collect()
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "([a-zé€😀\r]{0,9}\n){0,9}[a-zé€😀]{1,5}\n?", big: bool) {
            let expected: Vec<&str> = text.split_terminator('\n').collect();
            prop_assert_eq!(read(&bytes(&text, big)), expected);
        }

        #[test]
        fn no_character_is_lost_or_garbled(text in "[a\u{10a}\u{a0a}\u{a05}\u{d0a}\u{a00}\u{a0d}\n]{0,30}", big: bool) {
            prop_assert_eq!(read(&bytes(&text, big)).concat(), text.replace('\n', ""));
        }

        #[test]
        fn no_line_holds_a_newline(file in prop::collection::vec(prop_oneof![Just(0), Just(10), any::<u8>()], 0..40), big: bool, within: bool) {
            let wide = Wide { big, within };
            for line in lines(&file) {
                let text = wide.at(line.from as u64).text(&file[line.from..line.to]);
                prop_assert!(!text.contains('\n'), "{:?}", text);
            }
        }
    }

    #[test]
    fn what_is_no_character_is_shown_as_one() {
        for big in [false, true] {
            let mut file = bytes("a", big);
            let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
            file.extend([0xd83d, 0x62, 0xde00, 0x0a].into_iter().flat_map(order));
            assert_eq!(read(&file), ["a\u{fffd}b\u{fffd}"]);
            // A character of two units, one of which holds a byte 0A: that one is lost, and nothing else.
            let file = bytes("x\u{1f40a}y\n", big);
            assert_eq!(read(&file).concat().replace(['\u{fffd}', '\u{1f40a}'], ""), "xy");
            let mut file = bytes("end", big);
            file.push(if big { 0 } else { b'!' });
            assert_eq!(read(&file), ["end\u{fffd}"]);
        }
    }
}
