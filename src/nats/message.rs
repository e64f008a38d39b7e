//! What a message holds: a range of a file's bytes, whole lines where it can be, and in its headers where they stand.
//!
//! Pure. The payload is the bytes as they are, so that any subscriber can print them. A message without our headers is
//! another program's (Vector, `nats pub`): its payload is lines, a missing last newline the end of a line. Nothing in a
//! header is believed beyond its meaning here, and what is inflated is bounded.
//!
//! | header | means |
//! |---|---|
//! | `Logcast-At: GEN~CHECK:START-END` | which bytes of which generation; CHECK is of the line before END |
//! | `Logcast-Cursor: ID` | where the shipper stands after it, all open generations: what it goes on from |
//! | `Logcast-Path: PATH` | the file, percent-encoded |
//! | `Logcast-From: ID` | which machine |
//! | `Logcast-Sent: MS` | that machine's clock, milliseconds since 1970 |
//! | `Logcast-Lines: N` | how many newlines the range has |
//! | `Logcast-Cut: BYTES` | the end of the last line that is left out, in bytes |
//! | `Logcast-Gap: BYTES REASON` | no payload: that many bytes (`?`: unknown) were lost before END |
//! | `Logcast-Inside: 1` | it begins inside of a line, whose beginning is in the messages before |
//! | `Logcast-End: 1` | nothing of this generation follows: a last line without newline is whole |
//! | `Content-Encoding: zstd` | how the payload is compressed |

use crate::log::cursor::{generation_text, parse_generation};
use async_nats::HeaderMap;
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};
use ruzstd::decoding::FrameDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::fmt;
use std::io::Read;
use std::str::FromStr;

/// The most that a payload may inflate to, in bytes: a hundred times what `ship` puts into one.
pub const MAX_INFLATED: usize = 16 << 20;
/// What headers take of a message's room, in bytes: paths and cursors are bounded.
pub const HEADER_ROOM: usize = 4 << 10;
/// The longest path that a header tells, in bytes before it is encoded.
const MAX_PATH: usize = 768;
/// The smallest payload that is worth compressing.
const WORTH_BYTES: usize = 512;

/// What stays as it is in a path.
const PATH: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// A range of a generation's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The generation.
    pub generation: u64,
    /// The check of the line before `end`.
    pub check: u64,
    /// The offset of the first byte.
    pub start: u64,
    /// The offset behind the last one.
    pub end: u64,
}

impl At {
    /// Whether a range goes on where another ended.
    pub fn follows(&self, before: &At) -> bool {
        self.generation == before.generation && self.start == before.end
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (generation, check) = (generation_text(self.generation), generation_text(self.check));
        write!(f, "{generation}~{check}:{}-{}", self.start, self.end)
    }
}

impl FromStr for At {
    type Err = ();

    fn from_str(text: &str) -> Result<At, ()> {
        let read = || {
            let (names, range) = text.split_once(':')?;
            let (generation, check) = names.split_once('~')?;
            let (start, end) = range.split_once('-')?;
            Some(At {
                generation: parse_generation(generation.as_bytes())?,
                check: parse_generation(check.as_bytes())?,
                start: number(start)?,
                end: number(end)?,
            })
        };
        read().filter(|at| at.start <= at.end).ok_or(())
    }
}

/// A number of plain digits that an offset can be.
fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number: &u64| plain && number <= i64::MAX as u64)
}

/// Bytes that were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// How many, if that is known.
    pub bytes: Option<u64>,
    /// What became of them.
    pub reason: String,
}

/// What the headers say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Which bytes; `None` for another program's message.
    pub at: Option<At>,
    /// Where the shipper stands after it ([`crate::log::cursor::Cursor`] as text).
    pub cursor: Option<String>,
    /// The file's path.
    pub path: Option<Vec<u8>>,
    /// Which machine.
    pub from: Option<String>,
    /// When it was sent, by that machine's clock, in milliseconds since 1970.
    pub sent: Option<u64>,
    /// How many lines end in it.
    pub lines: Option<u64>,
    /// How many bytes of its last line are left out.
    pub cut: Option<u64>,
    /// What was lost before `at`'s end.
    pub gap: Option<Gap>,
    /// Whether it begins inside of a line.
    pub inside: bool,
    /// Whether nothing of its generation follows.
    pub end: bool,
    /// How the payload is compressed.
    pub encoding: Encoding,
}

/// How a payload is compressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Encoding {
    /// It is not.
    #[default]
    Plain,
    /// RFC 8878.
    Zstd,
    /// In a way that is not known here.
    Other(String),
}

/// Why a payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// It inflates to more than [`MAX_INFLATED`].
    TooLarge,
    /// It is not what its header says.
    Damaged,
    /// How it is compressed is not known here.
    Unknown(String),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::TooLarge => f.write_str("a message inflates to too much"),
            Broken::Damaged => f.write_str("a message is damaged"),
            Broken::Unknown(how) => write!(f, "a message is compressed in an unknown way: {how}"),
        }
    }
}

impl Head {
    /// Reads headers; what is not understood is as if it were not there.
    pub fn read(headers: &HeaderMap) -> Head {
        let get = |name: &str| headers.get(name).map(|value| value.as_str());
        let encoding = match get("Content-Encoding") {
            None | Some("" | "identity") => Encoding::Plain,
            Some(value) if value.eq_ignore_ascii_case("zstd") => Encoding::Zstd,
            Some(value) => Encoding::Other(value.chars().take(32).collect()),
        };
        let plain = |text: &&str| text.len() <= crate::log::cursor::MAX_ID_BYTES;
        Head {
            at: get("Logcast-At").and_then(|text| text.parse().ok()),
            cursor: get("Logcast-Cursor").filter(plain).map(str::to_owned),
            path: get("Logcast-Path")
                .filter(|text| text.len() <= 3 * MAX_PATH)
                .map(|text| percent_decode_str(text).collect()),
            from: get("Logcast-From").map(|text| text.chars().take(32).collect()),
            sent: get("Logcast-Sent").and_then(number),
            lines: get("Logcast-Lines").and_then(number),
            cut: get("Logcast-Cut").and_then(number),
            gap: get("Logcast-Gap").map(|text| {
                let (bytes, reason) = text.split_once(' ').unwrap_or((text, ""));
                Gap { bytes: number(bytes), reason: reason.chars().take(300).collect() }
            }),
            inside: get("Logcast-Inside") == Some("1"),
            end: get("Logcast-End") == Some("1"),
            encoding,
        }
    }

    /// The headers of a message; what a header cannot hold is left out of it.
    pub fn write(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: Option<String>| {
            if let Some(value) = value.and_then(|value| async_nats::HeaderValue::from_str(&value).ok()) {
                headers.insert(name, value);
            }
        };
        put("Logcast-At", self.at.map(|at| at.to_string()));
        put("Logcast-Cursor", self.cursor.clone());
        let path = self.path.as_ref().filter(|path| path.len() <= MAX_PATH);
        put("Logcast-Path", path.map(|path| percent_encode(path, PATH).to_string()));
        put("Logcast-From", self.from.clone());
        let numbers = [("Logcast-Sent", self.sent), ("Logcast-Lines", self.lines), ("Logcast-Cut", self.cut)];
        for (name, value) in numbers {
            put(name, value.map(|value| value.to_string()));
        }
        put(
            "Logcast-Gap",
            self.gap.as_ref().map(|gap| {
                let bytes = gap.bytes.map_or("?".to_owned(), |bytes| bytes.to_string());
                format!("{bytes} {}", gap.reason.replace(['\r', '\n'], " "))
            }),
        );
        put("Logcast-Inside", self.inside.then(|| "1".to_owned()));
        put("Logcast-End", self.end.then(|| "1".to_owned()));
        put(
            "Content-Encoding",
            match &self.encoding {
                Encoding::Plain => None,
                Encoding::Zstd => Some("zstd".to_owned()),
                Encoding::Other(how) => Some(how.clone()),
            },
        );
        headers
    }

    /// Whether it is another program's.
    pub fn is_foreign(&self) -> bool {
        self.at.is_none()
    }

    /// The bytes of a payload with these headers.
    ///
    /// # Errors
    /// [`Broken`]: nothing of it can be used.
    pub fn body(&self, payload: &Bytes) -> Result<Bytes, Broken> {
        match &self.encoding {
            Encoding::Plain => Ok(payload.clone()),
            Encoding::Zstd => inflate(payload).map(Bytes::from),
            Encoding::Other(how) => Err(Broken::Unknown(how.clone())),
        }
    }
}

/// A payload compressed, if that makes it smaller.
pub fn deflate(payload: &[u8]) -> Option<Vec<u8>> {
    if payload.len() < WORTH_BYTES {
        return None;
    }
    let deflated = compress_to_vec(payload, CompressionLevel::Fastest);
    (deflated.len() < payload.len()).then_some(deflated)
}

/// What Zstandard frames hold, at most [`MAX_INFLATED`] bytes.
fn inflate(mut payload: &[u8]) -> Result<Vec<u8>, Broken> {
    let mut out = Vec::new();
    while !payload.is_empty() {
        let mut frame = FrameDecoder::new();
        frame.set_max_window_size(MAX_INFLATED as u64);
        let mut frame = ruzstd::decoding::StreamingDecoder::new_with_decoder(&mut payload, frame)
            .map_err(|_| Broken::Damaged)?;
        let room = (MAX_INFLATED + 1 - out.len()) as u64;
        frame.by_ref().take(room).read_to_end(&mut out).map_err(|_| Broken::Damaged)?;
        if out.len() > MAX_INFLATED {
            return Err(Broken::TooLarge);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> Head {
        Head {
            at: Some(At { generation: 5, check: 7, start: 10, end: 1 << 40 }),
            cursor: Some("AAAB-x.y".to_owned()),
            path: Some(b"/var/log/a b\xff\n.log".to_vec()),
            from: Some("9f3c".to_owned()),
            sent: Some(1_800_000_000_000),
            lines: Some(3),
            cut: None,
            gap: Some(Gap { bytes: Some(12), reason: "the file was cut".to_owned() }),
            inside: true,
            end: true,
            encoding: Encoding::Zstd,
        }
    }

    #[test]
    fn headers_are_read_back_as_written() {
        assert_eq!(Head::read(&head().write()), head());
        let unknown = Head { gap: Some(Gap { bytes: None, reason: "gone".to_owned() }), ..Head::default() };
        assert_eq!(Head::read(&unknown.write()), unknown);
        assert_eq!(head().at.unwrap().to_string(), "AAAAAAAF~AAAAAAAH:10-1099511627776");
        assert!(Head::read(&HeaderMap::new()).is_foreign());
    }

    #[test]
    fn headers_fit_the_room_that_is_left_for_them() {
        let long = Head {
            cursor: Some("x".repeat(crate::log::cursor::MAX_ID_BYTES)),
            path: Some(vec![0xff; MAX_PATH]),
            ..head()
        };
        let size: usize = long
            .write()
            .iter()
            .map(|(name, value)| name.to_string().len() + value[0].as_str().len() + 4)
            .sum();
        assert!(size < HEADER_ROOM, "{size}");
        assert_eq!(Head::read(&long.write()), long);
        assert_eq!(Head { path: Some(vec![b'x'; MAX_PATH + 1]), ..head() }.write().get("Logcast-Path"), None);
    }

    #[test]
    fn a_header_that_is_not_ours_means_nothing() {
        for text in [
            "",
            ":",
            "~:-",
            "AAAAAAAF~AAAAAAAH:10-9",
            "AAAAAAAF~AAAAAAAH:+1-9",
            "AAAAAAAF:1-9",
            "AAAAAAAF~AAAAAAAH:1-99999999999999999999",
            "AAAAAAAF~AAAAAAAH:1-",
            "AAAA~AAAA:1-2",
            "AAAAAAAF~AAAAAAAH:1-9223372036854775808",
        ] {
            assert_eq!(text.parse::<At>(), Err(()), "{text}");
        }
    }

    #[test]
    fn what_was_compressed_is_read_back() {
        let lines: Vec<u8> = (0..3000).flat_map(|i| format!("GET /item/{i} 200\n").into_bytes()).collect();
        let small = deflate(&lines).unwrap();
        assert!(small.len() < lines.len() / 3, "{} of {}", small.len(), lines.len());
        let head = Head { encoding: Encoding::Zstd, ..Head::default() };
        assert_eq!(head.body(&Bytes::from(small.clone())), Ok(Bytes::from(lines.clone())));
        // Two frames are one text.
        let twice = [small.clone(), small.clone()].concat();
        assert_eq!(head.body(&Bytes::from(twice)).map(|all| all.len()), Ok(2 * lines.len()));
        assert_eq!(deflate(b"short"), None);
        let noise: Vec<u8> =
            (0..4000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761) ^ i << 7).to_be_bytes()).collect();
        assert!(deflate(&noise).is_none_or(|small| small.len() < noise.len()));
        let cut = Bytes::copy_from_slice(&small[..small.len() / 2]);
        assert_eq!(head.body(&cut), Err(Broken::Damaged));
        let other = Head { encoding: Encoding::Other("br".to_owned()), ..Head::default() };
        assert_eq!(other.body(&Bytes::new()), Err(Broken::Unknown("br".to_owned())));
    }

    #[test]
    fn a_bomb_does_not_go_off() {
        let head = Head { encoding: Encoding::Zstd, ..Head::default() };
        let bomb = compress_to_vec(&*vec![0; MAX_INFLATED + 1], CompressionLevel::Fastest);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(head.body(&Bytes::from(bomb)), Err(Broken::TooLarge));
        // A frame that claims a window of 128 MiB.
        let claims = Bytes::from_static(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 1, 0, 0]);
        assert_eq!(head.body(&claims), Err(Broken::Damaged));
    }

    proptest! {
        #[test]
        fn any_range_is_read_back(generation in 0..1u64 << 48, check in 0..1u64 << 48, start in 0..1u64 << 40, length in 0..1u64 << 40) {
            let at = At { generation, check, start, end: start + length };
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }

        #[test]
        fn any_payload_is_inflated_or_refused(payload in prop::collection::vec(any::<u8>(), 0..300), magic: bool) {
            let mut payload = payload;
            if magic && payload.len() > 4 {
                payload[..4].copy_from_slice(&[0x28, 0xb5, 0x2f, 0xfd]);
            }
            let _ = Head { encoding: Encoding::Zstd, ..Head::default() }.body(&Bytes::from(payload));
        }

        #[test]
        fn any_header_is_read(at in "\\PC{0,60}", gap in "\\PC{0,60}", path in "\\PC{0,60}") {
            let mut headers = HeaderMap::new();
            for (name, value) in [("Logcast-At", &at), ("Logcast-Gap", &gap), ("Logcast-Path", &path)] {
                if let Ok(value) = value.parse::<async_nats::HeaderValue>() {
                    headers.insert(name, value);
                }
            }
            let _ = Head::read(&headers);
        }
    }
}
