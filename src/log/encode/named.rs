//! Lines that came in messages of a stream: their ids name the message, not the file that they are kept in.
//!
//! Every server that reads the same stream keeps its lines at other offsets. What is the same everywhere is the message:
//! its number in the stream and when it was stored. A [`Naming`] tells which bytes of a kept run came in which message,
//! and the encoder writes ids piece by piece: in an entry of a cursor ([`cursor`](crate::log::cursor)) the generation is
//! then the time of the message in milliseconds, and the offset its number and a byte in it, see [`message_place`].

use super::{Block, Encoder, Stamp};
use crate::log::cursor::{PREFIX_DIGITS, push_prefix};
use crate::log::filter::{Filter, State};
use crate::log::map::Map;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// Bits of a message's length in the offset of an entry: no message, inflated, is longer than 16 MiB.
const MESSAGE_BITS: u32 = 25;
/// The greatest number of a message that an id can tell: 2³⁸ messages are 27 years at 300 a second.
pub const MAX_SEQUENCE: u64 = (1 << (63 - MESSAGE_BITS)) - 1;

/// The offset of an entry that names a byte of a message.
pub fn message_place(sequence: u64, byte: u64) -> u64 {
    sequence.min(MAX_SEQUENCE) << MESSAGE_BITS | byte.min((1 << MESSAGE_BITS) - 1)
}

/// The message's number, and the byte in it, the inverse of [`message_place`].
pub fn place_in_message(offset: u64) -> (u64, u64) {
    (offset >> MESSAGE_BITS, offset & ((1 << MESSAGE_BITS) - 1))
}

/// Tells which bytes of a file came in which message.
pub trait Naming: Debug + Send + Sync {
    /// The pieces that touch `[from, to)`, in order. Bytes of which nothing is known are in none.
    fn pieces(&self, from: u64, to: u64) -> Vec<Piece>;
}

/// Bytes of a file that came in one message: whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where they begin in the file.
    pub from: u64,
    /// Just past them.
    pub to: u64,
    /// When the message was stored, in ms since 1970: the generation in ids.
    pub stored: u64,
    /// What makes an offset in the file one that names the message, by wrapping addition.
    pub shift: u64,
    /// Whose lines they are.
    pub origin: Option<Arc<str>>,
}

impl Stamp {
    /// The stamp of one piece.
    pub(super) fn of_piece(&self, piece: &Piece) -> Stamp {
        let mut before = self.before.clone();
        let (key, tie) = self.own;
        before.truncate(before.len().saturating_sub(PREFIX_DIGITS));
        push_prefix(&mut before, key, piece.stored, tie);
        Stamp { before, after: self.after.clone(), own: self.own, shift: piece.shift, naming: None }
    }

    /// The stamp of the line that ends at `to`.
    pub(super) fn at(&self, to: u64) -> Option<Stamp> {
        let naming = self.naming.as_ref()?;
        naming.pieces(to.saturating_sub(1), to).last().map(|piece| self.of_piece(piece))
    }
}

impl Encoder {
    /// As [`Encoder::encode_kept`] (all lines without a state: as [`Encoder::encode`]), piece by piece.
    pub(super) fn encode_named(
        &self,
        stamp: &Stamp,
        naming: &dyn Naming,
        block: Block<'_>,
        kept: Option<(&[Range<usize>], &mut State)>,
        out: &mut Vec<u8>,
    ) {
        let mut kept = kept;
        for (at, piece) in pieces_of(naming, block) {
            let encoder =
                Encoder { origin_json: piece.origin.as_deref().map(super::json_string), ..self.clone() };
            let own = stamp.of_piece(&piece);
            let map = block.map.from(at.start as u64);
            let part = match block.omitted {
                0 => Block {
                    bytes: &block.bytes[at.clone()],
                    from: block.offset(at.start),
                    to: block.offset(at.end),
                    map: &map,
                    ..block
                },
                _ => block,
            };
            match &mut kept {
                None => encoder.encode(&own, part, out),
                Some((ranges, state)) => {
                    encoder.encode_kept(&own, part, &within(ranges, &at), state, out);
                }
            }
        }
    }

    /// Whose lines the lines of a block are: the index of the first of each run, and the name. The index counts the
    /// newlines before it.
    pub(super) fn origins(naming: &dyn Naming, block: Block<'_>) -> Vec<(usize, Arc<str>)> {
        let mut runs: Vec<(usize, Arc<str>)> = Vec::new();
        let mut line = 0;
        for (at, piece) in pieces_of(naming, block) {
            // What has no name after what had one has the empty one.
            let origin = piece.origin.unwrap_or_else(|| "".into());
            if runs.last().map_or(!origin.is_empty(), |(_, last)| *last != origin) {
                runs.push((line, origin));
            }
            line += memchr::memchr_iter(b'\n', &block.bytes[at]).count();
        }
        runs
    }
}

/// Whose line it is that ends at `to`.
pub fn origin_of(naming: &dyn Naming, to: u64) -> Option<Arc<str>> {
    naming.pieces(to.saturating_sub(1), to).pop()?.origin
}

/// A run of whole lines: where it stands, what there is of it (of a line that is too long only its first bytes), and where
/// bytes stand in the run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Where it begins.
    pub from: u64,
    /// Just past it.
    pub to: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether that is all of them.
    pub whole: bool,
    /// Their places in it.
    pub map: &'a Map,
}

/// The places in a run of the lines that a filter keeps, each with its newline: of those whose origin it wants. Lines of
/// others are not looked at, unless they tell of lines below them: among the lines of a hundred hosts that is a
/// hundredth of the work.
pub fn kept_of(
    filter: &Filter,
    naming: Option<&dyn Naming>,
    run: Run<'_>,
    state: &mut State,
    kept: &mut Vec<Range<usize>>,
) {
    kept.clear();
    if !filter.asks_origin() {
        return filter.matches_in(run.bytes, state, |range| kept.push(range));
    }
    let wanted = wanted(filter, naming, run);
    if run.whole && state.wide.is_none() && !filter.asks_record() {
        for part in wanted {
            let keep = |range: Range<usize>| kept.push(part.start + range.start..part.start + range.end);
            filter.matches_in(&run.bytes[part.clone()], state, keep);
        }
        return;
    }
    filter.matches_in(run.bytes, state, |range| kept.push(range));
    let inside = |part: &Range<usize>| {
        let begin = part.start;
        within(kept, part).into_iter().map(move |range| begin + range.start..begin + range.end)
    };
    *kept = wanted.iter().flat_map(inside).collect();
}

/// Where in a run lines stand whose origin a filter wants.
fn wanted(filter: &Filter, naming: Option<&dyn Naming>, run: Run<'_>) -> Vec<Range<usize>> {
    let len = run.bytes.len();
    let pieces = naming.map_or(Vec::new(), |naming| naming.pieces(run.from, run.to));
    let wanted = pieces.iter().filter(|piece| filter.wants_origin(piece.origin.as_deref()));
    let parts = wanted.map(|piece| {
        let begin = run.map.shown(piece.from.saturating_sub(run.from)).min(len as u64) as usize;
        // The last piece of a line that is too long holds its end.
        let end = if piece.to >= run.to { len } else { run.map.shown(piece.to - run.from) as usize };
        begin..end
    });
    parts.filter(|part| part.start < part.end).collect()
}

/// The pieces of a block with their places in it; together they cover it, also where something is not known.
fn pieces_of(naming: &dyn Naming, block: Block<'_>) -> Vec<(Range<usize>, Piece)> {
    if block.omitted > 0 {
        // One long line.
        let last = naming.pieces(block.to.saturating_sub(1), block.to).pop();
        return last.map(|piece| (0..block.bytes.len(), piece)).into_iter().collect();
    }
    let end = block.bytes.len();
    let mut pieces = Vec::new();
    let mut at = 0;
    for piece in naming.pieces(block.from, block.to) {
        let to = (block.map.shown(piece.to.saturating_sub(block.from)) as usize).min(end);
        if to > at {
            pieces.push((at..to, piece));
            at = to;
        }
    }
    pieces
}

/// The parts of some ranges inside another, counted from its start.
fn within(ranges: &[Range<usize>], at: &Range<usize>) -> Vec<Range<usize>> {
    let first = ranges.partition_point(|range| range.end <= at.start);
    let inside = ranges[first..].iter().take_while(|range| range.start < at.end);
    inside.map(|range| range.start.max(at.start) - at.start..range.end.min(at.end) - at.start).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::cursor::Cursor;
    use crate::log::encode::Format;

    #[derive(Debug)]
    struct Two;

    impl Naming for Two {
        fn pieces(&self, from: u64, to: u64) -> Vec<Piece> {
            let piece = |from: u64, to, sequence, origin: &str| Piece {
                from,
                to,
                stored: 1_000 + sequence,
                shift: message_place(sequence, 0).wrapping_sub(from),
                origin: Some(origin.into()),
            };
            let all = [piece(100, 108, 7, "a"), piece(108, 112, 9, "b")];
            all.into_iter().filter(|piece| piece.from < to && piece.to > from).collect()
        }
    }

    #[test]
    fn ids_name_the_message_and_offsets_the_file() {
        let mut stamp = Stamp { own: (5, 3), naming: Some(Arc::new(Two)), ..Stamp::default() };
        push_prefix(&mut stamp.before, 5, 1, 3);
        let block = Block {
            bytes: b"one\ntwo\nxyz\n",
            from: 100,
            omitted: 0,
            wide: None,
            check: 0,
            to: 112,
            map: Map::SAME,
        };
        let mut out = Vec::new();
        Encoder::new(Format::Ndjson, "f").encode(&stamp, block, &mut out);
        let lines: Vec<serde_json::Value> = out
            .split(|&b| b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        let places: Vec<_> = lines
            .iter()
            .map(|line| {
                let entry = Cursor::parse(line["cursor"].as_str().unwrap().as_bytes()).unwrap().entries[0];
                (entry.generation, place_in_message(entry.offset), line["offset"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(places, [(1_007, (7, 4), 100), (1_007, (7, 8), 104), (1_009, (9, 4), 108)]);
        assert_eq!((lines[1]["origin"].as_str(), lines[2]["origin"].as_str()), (Some("a"), Some("b")));
        assert_eq!(Encoder::origins(&Two, block), [(0, "a".into()), (2, "b".into())]);
    }

    #[test]
    fn the_lines_of_an_origin_are_kept() {
        use crate::log::filter::{Filter, Levels, Spec};
        use crate::log::record::{Options, Reader};
        let of = |hosts: &[&str], origins: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            Filter::new(Spec { hosts: names(hosts), origins: names(origins), ..Spec::default() }).unwrap()
        };
        let kept = |filter: &Filter, naming: Option<&dyn Naming>| {
            let (mut kept, bytes) = (Vec::new(), b"one\ntwo\nERR\n");
            let run = Run { from: 100, to: 112, bytes, whole: true, map: Map::SAME };
            let now = Options { now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
            let mut state = State::new(Reader::new(&now));
            kept_of(filter, naming, run, &mut state, &mut kept);
            kept
        };
        assert_eq!(kept(&of(&[], &[]), None), [0..4, 4..8, 8..12]);
        let some = kept(&of(&[], &["a"]), Some(&Two));
        let other = kept(&of(&[], &["b"]), Some(&Two));
        assert_eq!([some, other].concat(), [0..4, 4..8, 8..12]);
        assert!(kept(&of(&["h"], &[]), None).is_empty(), "a file's lines have no host");
        // What stands in a line is asked of those lines only; what lines above tell, of all.
        let with = |origin: &str, spec: Spec| {
            Filter::new(Spec { origins: vec![origin.to_owned()], ..spec }).unwrap()
        };
        for grep in ["two", "^two$", "o"] {
            let spec = || Spec { grep: vec![grep.to_owned()], ..Spec::default() };
            assert_eq!(kept(&with("a", spec()), Some(&Two)).last(), Some(&(4..8)), "{grep}");
            assert!(kept(&with("b", spec()), Some(&Two)).is_empty(), "{grep}");
        }
        let level = || Spec { levels: Some(Levels::parse("error").unwrap()), ..Spec::default() };
        assert_eq!(kept(&with("b", level()), Some(&Two)).first(), Some(&(8..12)));
        assert!(kept(&with("a", level()), Some(&Two)).is_empty());
        let filter = of(&["h"], &[]);
        assert!(
            filter.wants_origin(Some("h:/a:b")) && !filter.wants_origin(Some("logs.h")) && !filter.is_empty()
        );
    }
}
