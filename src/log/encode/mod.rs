//! From the bytes of lines to the bytes of a stream: the one place that may replace bytes.
//!
//! Invariant: no byte of a line can end a field. In an event stream (HTML Living Standard § 9.2) LF and CR end
//! fields; LF ends the line already, a lone CR is shown as `␍`. Bad UTF-8 becomes U+FFFD, since the stream must
//! be UTF-8. `data: ` is always written with its blank, because a reader strips exactly one. Ids come from
//! [`cursor`]'s alphabet. Nothing here is done per client: a block is encoded once per view.

pub mod json;
mod live;
pub mod named;

use super::cursor::{self, CHECK_DIGITS, check, push_place};
use super::filter::State;
use super::lines::{self, LINE_LIMIT, Line};
use super::map::Map;
use super::wide::{self, Wide};
use memchr::memchr;
use named::Naming;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

/// What a stream looks like on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Server-Sent Events, the data is the line's text.
    Sse,
    /// Server-Sent Events, the data is a JSON object.
    SseJson,
    /// One JSON object a line.
    Ndjson,
    /// The bare lines, their bytes unchanged.
    Plain,
    /// The page's own transport: Server-Sent Events with batches of lines.
    Live,
}

impl Format {
    /// True for the formats made of events with ids.
    pub fn has_events(self) -> bool {
        matches!(self, Format::Sse | Format::SseJson | Format::Live)
    }

    /// What keeps an idle connection alive; a complete comment or blank line, no event of its own.
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Format::Sse | Format::SseJson | Format::Live => b":\n",
            Format::Ndjson => b"\n",
            Format::Plain => b"",
        }
    }
}

/// What stands around the moving part of the ids of one file's lines: the other files' entries, and its own
/// key, generation and tie.
#[derive(Debug, Clone, Default)]
pub struct Stamp {
    /// Up to the check.
    pub before: Vec<u8>,
    /// From the offset on.
    pub after: Vec<u8>,
    /// The key and the tie of its own entry.
    pub own: (u32, u16),
    /// What is added, wrapping, to an offset before it is written; 0 but in the piece of a message.
    shift: u64,
    /// What the lines are called elsewhere, where they came in messages.
    pub naming: Option<Arc<dyn Naming>>,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Stamp) -> bool {
        // A file has one naming: its entry tells.
        (&self.before, &self.after, self.own, self.shift)
            == (&other.before, &other.after, other.own, other.shift)
    }
}

impl Eq for Stamp {}

impl Stamp {
    /// The id after a line.
    pub fn id(&self, check: u64, offset: u64) -> String {
        let mut out = Vec::with_capacity(self.before.len() + self.after.len() + 20);
        match self.at(offset) {
            Some(own) => own.push(check, offset, &mut out),
            None => self.push(check, offset, &mut out),
        }
        out.into_iter().map(char::from).collect()
    }

    #[inline]
    fn push(&self, check: u64, offset: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before);
        push_place(out, check, offset.wrapping_add(self.shift));
        out.extend_from_slice(&self.after);
    }
}

/// A run of whole lines of one generation.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The lines, each with its newline; the last may lack it where its generation has ended. If the block
    /// holds one line of more than [`LINE_LIMIT`], these are its first bytes and `omitted` tells the rest.
    pub bytes: &'a [u8],
    /// The offset of the first byte.
    pub from: u64,
    /// Bytes of a single long line between its shown part and its newline.
    pub omitted: u64,
    /// What the first byte is in UTF-16, if that is what the lines are in.
    pub wide: Option<Wide>,
    /// The check of the last line, for a block with `omitted` bytes.
    pub check: u64,
    /// Just past the last line.
    pub to: u64,
    /// Where the lines are in the file, if they are not as long there.
    pub map: &'a Map,
}

impl Block<'_> {
    /// The offset in the file of the place `at` in the bytes, where a line begins or ends.
    #[inline]
    pub fn offset(&self, at: usize) -> u64 {
        self.from + self.map.raw(at as u64)
    }
}

/// The encoder of one file's lines.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Format,
    /// The file's name as a JSON string, quotes included.
    file_json: String,
    /// Whose lines they are, as a JSON string, where a file holds those of many.
    origin_json: Option<String>,
}

impl Encoder {
    /// An encoder for the lines of the file with this name.
    pub fn new(format: Format, file: &str) -> Encoder {
        Encoder { format, file_json: json_string(file), origin_json: None }
    }

    /// Appends the lines of a block, without what they say about themselves.
    pub fn encode(&self, stamp: &Stamp, block: Block<'_>, out: &mut Vec<u8>) {
        if let Some(naming) = &stamp.naming {
            return self.encode_named(stamp, &**naming, block, None, out);
        }
        match self.format {
            Format::Plain | Format::Sse if block.wide.is_some() => {
                self.wide(stamp, block, std::slice::from_ref(&(0..block.bytes.len())), out);
            }
            Format::Plain if block.omitted == 0 => {
                out.extend_from_slice(block.bytes);
                if !block.bytes.ends_with(b"\n") && !block.bytes.is_empty() {
                    out.push(b'\n');
                }
            }
            Format::Plain => {
                out.extend_from_slice(lines::cut(block.bytes, LINE_LIMIT));
                let _ = writeln!(out, "{}", cut_mark(block.omitted));
            }
            Format::Sse if block.omitted == 0 => {
                let clean = is_clean(block.bytes);
                // What lines of a hundred bytes need; a buffer that is used again has it.
                out.reserve(block.bytes.len() + block.bytes.len() / 2);
                sse(stamp, block, lines::lines(block.bytes), clean, out);
            }
            Format::Sse => {
                let shown = lines::cut(block.bytes, LINE_LIMIT);
                let omitted = block.omitted + (block.bytes.len() - shown.len()) as u64;
                push_id(stamp, block.check, block.to, out);
                out.extend_from_slice(b"data: ");
                push_clean(shown, out);
                out.extend_from_slice(cut_mark(omitted).as_bytes());
                out.extend_from_slice(b"\n\n");
            }
            Format::SseJson | Format::Ndjson => {
                self.json(stamp, block, std::slice::from_ref(&(0..block.bytes.len())), None, out);
            }
            // The page's batches are made by who knows their generation.
            Format::Live => {}
        }
    }

    /// Appends some lines of a block, those in `kept`: ranges of whole lines, in order. `state` holds what is true
    /// before the block; the formats that tell a line's level and time go on with it.
    pub fn encode_kept(
        &self,
        stamp: &Stamp,
        block: Block<'_>,
        kept: &[Range<usize>],
        state: &mut State,
        out: &mut Vec<u8>,
    ) {
        if let Some(naming) = &stamp.naming {
            return self.encode_named(stamp, &**naming, block, Some((kept, state)), out);
        }
        match self.format {
            Format::SseJson | Format::Ndjson => self.json(stamp, block, kept, Some(state), out),
            _ if kept.is_empty() => {}
            _ if block.wide.is_some() => self.wide(stamp, block, kept, out),
            _ if block.omitted > 0 => self.encode(stamp, block, out),
            Format::Sse => {
                let clean = kept.iter().all(|range| is_clean(&block.bytes[range.clone()]));
                sse(stamp, block, lines_in(block.bytes, kept), clean, out);
            }
            _ => {
                for range in kept {
                    let bytes = &block.bytes[range.clone()];
                    self.encode(stamp, Block { bytes, ..block }, out);
                }
            }
        }
    }
}

/// Appends a notice: a named event, or an object with the member `notice`. `body` is the JSON of the other
/// members without braces, `id` the cursor after it. Plain text has no room for notices.
pub fn notice(format: Format, name: &str, id: Option<&str>, body: &str, out: &mut Vec<u8>) {
    debug_assert!(!body.contains(['\n', '\r']), "JSON escapes both");
    let _ = match (format, id) {
        (Format::Plain, _) => Ok(()),
        (Format::Ndjson, Some(id)) => writeln!(out, r#"{{"notice":"{name}",{body},"cursor":"{id}"}}"#),
        (Format::Ndjson, None) => writeln!(out, r#"{{"notice":"{name}",{body}}}"#),
        (_, Some(id)) => write!(out, "event: {name}\nid: {id}\ndata: {{{body}}}\n\n"),
        (_, None) => write!(out, "event: {name}\ndata: {{{body}}}\n\n"),
    };
}

/// A JSON string, quotes included.
pub fn json_string(text: &str) -> String {
    let mut out = Vec::new();
    push_json_string(text.as_bytes(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// One look at many lines spares a look at each: nothing in them has to be replaced.
fn is_clean(run: &[u8]) -> bool {
    memchr(b'\r', run).is_none() && std::str::from_utf8(run).is_ok()
}

/// The lines in some ranges of a run, which hold whole lines.
fn lines_in<'a>(run: &'a [u8], ranges: &'a [Range<usize>]) -> impl Iterator<Item = Line<'a>> {
    ranges.iter().flat_map(move |range| {
        let shift = range.start;
        lines::lines(&run[range.clone()]).map(move |line| Line {
            from: line.from + shift,
            to: line.to + shift,
            text: line.text,
        })
    })
}

impl Encoder {
    /// Lines of UTF-16 as text.
    fn wide(&self, stamp: &Stamp, block: Block<'_>, kept: &[Range<usize>], out: &mut Vec<u8>) {
        for line in json::shown(block, lines_in(block.bytes, kept)) {
            let mark = if line.omitted > 0 { cut_mark(line.omitted) } else { String::new() };
            if self.format == Format::Plain {
                out.extend_from_slice(&line.text);
                let _ = writeln!(out, "{mark}");
                continue;
            }
            push_id(stamp, line.check, line.to, out);
            out.extend_from_slice(b"data: ");
            push_clean(&line.text, out);
            let _ = write!(out, "{mark}\n\n");
        }
    }
}

/// The lines of a block that are lines: the last bytes of UTF-16 may be half a newline.
fn is_line(block: Block<'_>, line: Line<'_>) -> bool {
    let bytes = &block.bytes[line.from..line.to];
    block.wide.is_none_or(|wide| !wide::is_rest(wide.at(line.from as u64), bytes))
}

fn sse<'a>(
    stamp: &Stamp,
    block: Block<'a>,
    lines: impl Iterator<Item = Line<'a>>,
    clean: bool,
    out: &mut Vec<u8>,
) {
    if clean {
        return sse_clean(stamp, block, lines, out);
    }
    let run = block.bytes;
    for line in lines {
        push_id(stamp, check(raw(run, line)), block.offset(line.to), out);
        out.extend_from_slice(b"data: ");
        push_clean(text_of(block, line), out);
        out.extend_from_slice(b"\n\n");
    }
}

/// Events of lines that need no look: between two lines' texts stands the same lead, in which only the check and the
/// offset move.
fn sse_clean<'a>(stamp: &Stamp, block: Block<'a>, lines: impl Iterator<Item = Line<'a>>, out: &mut Vec<u8>) {
    let run = block.bytes;
    let mut lead = Vec::with_capacity(stamp.before.len() + stamp.after.len() + 64);
    let mut digits = 0;
    let at = b"\n\nid: ".len() + stamp.before.len();
    // The first event's lead has no blank line before it.
    let mut skip = 2;
    for line in lines {
        let offset = block.offset(line.to).wrapping_add(stamp.shift);
        if cursor::offset_digits(offset) != digits {
            digits = cursor::offset_digits(offset);
            lead.clear();
            for part in [
                b"\n\nid: ",
                &stamp.before[..],
                &[0; CHECK_DIGITS],
                &[0; 11][..digits],
                &stamp.after,
                b"\ndata: ",
            ] {
                lead.extend_from_slice(part);
            }
        }
        cursor::write_digits(&mut lead[at..at + CHECK_DIGITS], check(raw(run, line)));
        cursor::write_digits(&mut lead[at + CHECK_DIGITS..at + CHECK_DIGITS + digits], offset);
        out.extend_from_slice(&lead[skip..]);
        out.extend_from_slice(text_of(block, line));
        skip = 0;
    }
    if skip == 0 {
        out.extend_from_slice(b"\n\n");
    }
}

#[inline]
fn text_of<'a>(block: Block<'a>, line: Line<'a>) -> &'a [u8] {
    match block.offset(line.from) {
        0 => lines::strip_mark(line.text),
        _ => line.text,
    }
}

#[inline]
fn push_id(stamp: &Stamp, check: u64, offset: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"id: ");
    stamp.push(check, offset, out);
    out.push(b'\n');
}

/// The bytes of a line as the check sees them: without newline, with its CR.
#[inline]
fn raw<'a>(run: &'a [u8], line: Line<'_>) -> &'a [u8] {
    let bytes = &run[line.from..line.to];
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

/// The slow path of one line: lone CRs and bad UTF-8.
fn push_clean(line: &[u8], out: &mut Vec<u8>) {
    for (i, part) in line.split(|&byte| byte == b'\r').enumerate() {
        if i > 0 {
            out.extend_from_slice("␍".as_bytes());
        }
        for chunk in part.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
    }
}

fn push_json_string(text: &[u8], out: &mut Vec<u8>) {
    // Writing into a Vec cannot fail, and a str always serialises.
    let _ = serde_json::to_writer(&mut *out, &*lines::text(text));
}

/// What is shown behind a line that was cut, of so many bytes.
pub fn cut_mark(omitted: u64) -> String {
    format!(" … [cut: {omitted} more bytes]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An independent reader after HTML § 9.2.6: splits at CR, LF and CRLF.
    fn read_events(stream: &str) -> Vec<(String, String, String)> {
        let mut events = Vec::new();
        let (mut event, mut data, mut id, mut any) = (String::new(), String::new(), String::new(), false);
        for line in stream.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
            if line.is_empty() {
                if any {
                    data.pop();
                    events.push((std::mem::take(&mut event), std::mem::take(&mut data), id.clone()));
                    any = false;
                }
                event.clear();
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => event = value.to_owned(),
                "data" => {
                    data.push_str(value);
                    data.push('\n');
                    any = true;
                }
                "id" => id = value.to_owned(),
                _ => {}
            }
        }
        events
    }

    fn block(bytes: &[u8], from: u64) -> Block<'_> {
        Block { bytes, from, omitted: 0, wide: None, check: 0, to: from + bytes.len() as u64, map: Map::SAME }
    }

    proptest! {
        #[test]
        fn no_byte_of_a_line_can_forge_a_field(
            lines in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\r'), Just(b':'), Just(b' '), Just(0), any::<u8>()], 0..40),
                1..8,
            ),
        ) {
            let lines: Vec<Vec<u8>> =
                lines.into_iter().map(|l| l.into_iter().filter(|&b| b != b'\n').collect()).collect();
            let bytes: Vec<u8> = lines.iter().flat_map(|l| l.iter().copied().chain([b'\n'])).collect();
            let mut out = Vec::new();
            Encoder::new(Format::Sse, "f").encode(&Stamp::default(), block(&bytes, 5), &mut out);
            let text = String::from_utf8(out).expect("the stream is UTF-8");
            let events = read_events(&text);
            prop_assert_eq!(events.len(), lines.len());
            let mut offset = 5;
            for (line, (event, data, id)) in lines.iter().zip(events) {
                offset += line.len() as u64 + 1;
                let raw_line = &line[..];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                prop_assert_eq!(event, "");
                prop_assert_eq!(data, String::from_utf8_lossy(line).replace('\r', "␍"));
                let mut place = Vec::new();
                push_place(&mut place, check(raw_line), offset);
                prop_assert_eq!(id.as_bytes(), &place[..]);
            }

            let mut out = Vec::new();
            Encoder::new(Format::SseJson, "f").encode(&Stamp::default(), block(&bytes, 5), &mut out);
            let events = read_events(std::str::from_utf8(&out).unwrap());
            for (line, (_, data, _)) in lines.iter().zip(events) {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let object: serde_json::Value = serde_json::from_str(&data).unwrap();
                prop_assert_eq!(object["text"].as_str().unwrap(), String::from_utf8_lossy(line));
            }
        }

        #[test]
        fn the_fast_and_the_slow_path_agree(text in "[a-zé \\n]{0,200}") {
            let (mut fast, mut slow) = (Vec::new(), Vec::new());
            Encoder::new(Format::Sse, "").encode(&Stamp::default(), block(text.as_bytes(), 1), &mut fast);
            for line in lines::lines(text.as_bytes()) {
                push_id(&Stamp::default(), check(line.text), 1 + line.to as u64, &mut slow);
                slow.extend_from_slice(b"data: ");
                push_clean(line.text, &mut slow);
                slow.extend_from_slice(b"\n\n");
            }
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn a_byte_order_mark_is_dropped_at_the_start_of_a_file_only() {
        let bytes = "\u{feff}one\n\u{feff}two\n".as_bytes();
        let mut out = Vec::new();
        Encoder::new(Format::Sse, "").encode(&Stamp::default(), block(bytes, 0), &mut out);
        let events = read_events(std::str::from_utf8(&out).unwrap());
        assert_eq!(events[0].1, "one");
        assert_eq!(events[1].1, "\u{feff}two");
        assert_eq!(events[1].2, Stamp::default().id(check("\u{feff}two".as_bytes()), bytes.len() as u64));
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let mut out = Vec::new();
        let cut = Block { bytes: b"abc", from: 0, omitted: 7, wide: None, check: 9, to: 11, map: Map::SAME };
        Encoder::new(Format::Sse, "f").encode(&Stamp::default(), cut, &mut out);
        let events = read_events(std::str::from_utf8(&out).unwrap());
        assert_eq!(events[0].1, "abc … [cut: 7 more bytes]");
        assert_eq!(events[0].2, Stamp::default().id(9, 11));
    }

    #[test]
    fn a_notice_is_a_named_event() {
        let mut out = Vec::new();
        notice(Format::Sse, "gap", Some("x"), r#""file":"f""#, &mut out);
        assert_eq!(out, b"event: gap\nid: x\ndata: {\"file\":\"f\"}\n\n");
    }
}
