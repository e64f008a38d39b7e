//! What must hold for any bytes that come from outside: one function for each fuzz target, which panics where it does
//! not. `tests/it/fuzz.rs` calls the same functions, over the seeds and over random bytes.

#![allow(unreachable_pub, reason = "the fuzz targets are another crate")]

use crate::support::events::{Event, Reader};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use logcast::live::feed::Hub;
use logcast::live::history::Named;
use logcast::log::cursor::{self, Cursor, Entry};
use logcast::log::encode::{Block, Encoder, Format, Stamp};
use logcast::log::filter::{self, Levels, Sieve, State as FilterState};
use logcast::log::lines::{Line, complete, lines};
use logcast::log::map::Map;
use logcast::log::record::{self, Inherited, Want};
use logcast::log::wide::{Wide, is_rest};
use logcast::web::State;
use logcast::web::asker::Asker;
use logcast::web::filters::{FILTERS, REPEATABLE, filter as read_filter};
use logcast::web::params::{Params, parse_backlog};
use logcast::web::range::{Validator, Wanted, disposition, wanted};
use logcast::web::server::connection;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FORMATS: [Format; 5] = [Format::Sse, Format::SseJson, Format::Ndjson, Format::Plain, Format::Live];

/// A byte that chooses, and the others.
fn choice(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}

fn reader() -> record::Reader {
    let now = Timestamp::from_second(1_764_000_000).expect("a time");
    record::Reader::new(&record::Options { now, zone: TimeZone::UTC })
}

/// What a stream shows of a line: bad UTF-8 replaced, a lone CR made visible.
fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).replace('\r', "␍")
}

fn read_events(stream: &[u8]) -> Vec<Event> {
    let mut reader = Reader::default();
    // A stream whose last event is whole ends with a blank line.
    assert!(stream.is_empty() || stream.ends_with(b"\n\n"), "the stream does not end with a whole event");
    reader.feed(stream);
    std::iter::from_fn(|| reader.next()).collect()
}

/// Whatever lines hold, each is one event of its own, no name, its own id, its own text; nothing is forged. The first
/// byte chooses format, place and whether it is UTF-16, the second the lines that a filter keeps; a name follows up to
/// the first NUL.
pub fn encoder(data: &[u8]) {
    let (how, data) = choice(data);
    let (keep, data) = choice(data);
    let (name, bytes) = match data.iter().position(|&byte| byte == 0) {
        Some(at) if how & 0x80 != 0 => (String::from_utf8_lossy(&data[..at]).into_owned(), &data[at + 1..]),
        _ => ("app.log".to_owned(), data),
    };
    let format = FORMATS[usize::from(how & 7) % FORMATS.len()];
    let from = if how & 8 == 0 { 0 } else { 1 << 20 };
    let mut before = Vec::new();
    cursor::push_prefix(&mut before, 77, 12_345, 9);
    let other = Entry { key: 1, generation: 2, tie: 3, check: 4, offset: 5 };
    let mut after = Vec::new();
    if how & 16 != 0 {
        after.push(b'.');
        other.push(&mut after);
    }
    let mut stamp = Stamp::default();
    (stamp.before, stamp.after) = (before, after);
    let wide = if from == 0 { Wide::of(bytes) } else { None };
    let omitted = if how & 32 != 0 && !bytes.contains(&b'\n') && !bytes.is_empty() { 4711 } else { 0 };
    let to = from + bytes.len() as u64 + omitted;
    let block = Block { bytes, from, omitted, wide, check: 99, to, map: Map::SAME };
    let encoder = Encoder::new(format, &name);
    let is_kept = |at: usize| keep == 0 || keep >> (at % 8) & 1 == 1;
    let all: Vec<_> = lines(bytes).collect();
    let kept: Vec<Range<usize>> =
        all.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, line)| line.from..line.to).collect();
    let mut out = Vec::new();
    if format == Format::Live {
        if !bytes.is_empty() {
            encoder.live(&stamp, 12_345, block, (0, Some(1)), &mut out);
        }
    } else if keep == 0 {
        encoder.encode(&stamp, block, &mut out);
    } else {
        encoder.encode_kept(&stamp, block, &kept, &mut FilterState::new(reader()), &mut out);
    }
    let wide_at = |at: usize| wide.map(|wide| wide.at(at as u64));
    let expected: Vec<_> = all
        .iter()
        .enumerate()
        .filter(|(at, _)| format == Format::Live || is_kept(*at))
        .map(|(_, line)| *line)
        .filter(|line| !wide_at(line.from).is_some_and(|wide| is_rest(wide, &bytes[line.from..line.to])))
        .collect();
    // Not asked of the code under test: a line is what stands before `\n`, without one `\r` and a file's mark.
    let text_of = |line: &Line<'_>| {
        let text = &bytes[line.from..line.to];
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let is_first = from + line.from as u64 == 0;
        let text = text.strip_prefix(b"\xef\xbb\xbf").filter(|_| is_first).unwrap_or(text);
        wide_at(line.from).is_none().then_some(text)
    };
    let place_of = |id: &str, line: &Line<'_>| {
        let cursor = Cursor::parse(id.as_bytes()).expect("an id that is one");
        assert_eq!(cursor.entries.len(), if how & 16 != 0 { 2 } else { 1 }, "{id}");
        assert_eq!(
            (cursor.entries[0].key, cursor.entries[0].generation, cursor.entries[0].tie),
            (77, 12_345, 9)
        );
        let end = if omitted > 0 { to } else { from + line.to as u64 };
        assert_eq!(cursor.entries[0].offset, end, "the place after the line");
        if omitted == 0 {
            let raw = &bytes[line.from..line.to];
            assert_eq!(cursor.entries[0].check, cursor::check(raw.strip_suffix(b"\n").unwrap_or(raw)));
        }
    };
    let object = |json: &serde_json::Value, line: &Line<'_>| {
        assert_eq!(json["file"], name.as_str());
        assert_eq!(json["offset"], from + line.from as u64);
        if let Some(text) = text_of(line).filter(|_| omitted == 0) {
            assert_eq!(json["text"], String::from_utf8_lossy(text).as_ref());
        }
        assert_eq!(json["cut"].as_u64(), (omitted > 0).then_some(omitted));
    };
    match format {
        Format::Plain => {
            if wide.is_none() && omitted == 0 {
                let mut plain: Vec<u8> = Vec::new();
                for line in &expected {
                    let raw = &bytes[line.from..line.to];
                    plain.extend_from_slice(raw);
                    if !raw.ends_with(b"\n") {
                        plain.push(b'\n');
                    }
                }
                if bytes.is_empty() && keep == 0 {
                    // A block without bytes is never made.
                    return;
                }
                assert_eq!(out, plain);
            }
        }
        Format::Ndjson => {
            let text = std::str::from_utf8(&out).expect("UTF-8");
            assert_eq!(text.lines().count(), expected.len());
            for (row, line) in text.lines().zip(&expected) {
                let json = serde_json::from_str(row).expect("an object a line");
                object(&json, line);
                place_of(json["cursor"].as_str().expect("a cursor"), line);
            }
        }
        Format::Live => {
            let events = read_events(&out);
            assert_eq!(events.len(), usize::from(!bytes.is_empty()));
            let Some(event) = events.first() else { return };
            assert_eq!(event.name, "batch");
            let json = event.json();
            assert_eq!(json["lines"].as_array().map(Vec::len), Some(expected.len()));
            assert_eq!(json["offsets"].as_array().map(Vec::len), Some(expected.len()));
            for (shown, line) in json["lines"].as_array().into_iter().flatten().zip(&expected) {
                if let Some(text) = text_of(line).filter(|_| omitted == 0) {
                    assert_eq!(shown, String::from_utf8_lossy(text).as_ref());
                }
            }
        }
        Format::Sse | Format::SseJson => {
            let events = read_events(&out);
            assert_eq!(events.len(), expected.len(), "one event a line");
            for (event, line) in events.iter().zip(&expected) {
                assert!(event.is_line() && event.own_id, "an event that no line is: {event:?}");
                place_of(&event.id, line);
                if format == Format::SseJson {
                    object(&event.json(), line);
                } else if let Some(text) = text_of(line) {
                    match omitted {
                        0 => assert_eq!(event.data, shown(text)),
                        _ => assert!(event.data.contains("4711 more bytes"), "{}", event.data),
                    }
                }
            }
        }
    }
}

/// An id is read as it was written or not at all, and so is every other place that a request can name.
pub fn cursor(data: &[u8]) {
    if let Some(cursor) = Cursor::parse(data) {
        assert!(!cursor.entries.is_empty() && data.len() <= 1024);
        let text = cursor.to_text();
        assert_eq!(Cursor::parse(text.as_bytes()).as_ref(), Some(&cursor));
        assert!(text.len() <= data.len(), "{text}");
    }
    if let Some(generation) = cursor::parse_generation(data) {
        assert_eq!(cursor::generation_text(generation).as_bytes(), data);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Named::parse(text);
        let _ = parse_backlog(text);
        if let Some(validator) = Validator::parse(text) {
            assert_eq!(validator.text(), text.trim());
        }
    }
    let mut numbers = data.chunks_exact(8).map(|eight| u64::from_le_bytes(eight.try_into().expect("eight")));
    let mut entries = Vec::new();
    while let (Some(a), Some(b), Some(offset)) = (numbers.next(), numbers.next(), numbers.next()) {
        entries.push(Entry {
            key: (a & 0xff_ffff) as u32,
            tie: (a >> 24 & 0xfff) as u16,
            generation: b & 0xffff_ffff_ffff,
            check: (b >> 16) & 0xffff_ffff_ffff,
            offset: offset >> 1,
        });
        if entries.len() == 20 {
            break;
        }
    }
    if !entries.is_empty() {
        let cursor = Cursor { partial: data[0] & 1 == 1, entries };
        assert_eq!(Cursor::parse(cursor.to_text().as_bytes()), Some(cursor));
    }
    assert!(cursor::check(data) != 0 && cursor::generation(data) != 0);
    assert!(cursor::check_at_end(data) == 0 || !data.is_empty());
}

/// What a line says is the same, asked for together or one by one, alone or in a run; times are possible ones.
pub fn record(data: &[u8]) {
    let reader = reader();
    let every = Want { time: true, level: true };
    let mut stepped = Inherited::default();
    for line in lines(data) {
        let read = reader.read(line.text);
        assert_eq!(reader.time(line.text), read.time, "{}", line.text.escape_ascii());
        assert_eq!(record::level(line.text), read.level, "{}", line.text.escape_ascii());
        stepped.step(line.text, &reader, every);
    }
    let mut passed = Inherited::default();
    passed.pass(data, &reader, every);
    assert_eq!(passed, stepped, "a run says what its lines say");
    for want in [Want { time: true, level: false }, Want { time: false, level: true }] {
        let mut one = Inherited::default();
        one.pass(data, &reader, want);
        assert!(!want.time || one.time == passed.time);
        assert!(!want.level || one.level == passed.level);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Levels::parse(text);
        let _ = filter::span(text);
        for zone in ["UTC", "Europe/Berlin"] {
            let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
            let now = Timestamp::from_second(1_764_000_000).expect("a time");
            let _ = filter::instant("since", text, now, &zone);
        }
    }
}

/// A query is read or refused by the name of a parameter; a filter keeps the same lines of a block, line by line and in
/// pieces. Query and lines are apart by the first NUL.
pub fn query(data: &[u8]) {
    let end = data.iter().position(|&byte| byte == 0).unwrap_or(data.len());
    let Ok(query) = std::str::from_utf8(&data[..end]) else { return };
    let block = data.get(end + 1..).unwrap_or_default();
    let known = [&["file", "lines", "limit", "follow"][..], FILTERS].concat();
    let params = match Params::parse(query, &known, &[&["file"][..], REPEATABLE].concat()) {
        Ok(params) => params,
        Err(problem) => return assert!(problem.status.is_client_error()),
    };
    let _ = params.number("limit", 5, 100).map(|number| assert!(number <= 100));
    let _ = params.flag("follow", true);
    let _ = params.backlog("lines", logcast::live::backlog::Backlog::All);
    let filter = match read_filter(&params, &TimeZone::UTC) {
        Ok(Some(filter)) => filter,
        Ok(None) => return,
        Err(problem) => {
            assert!(problem.parameter.is_some() && problem.status.is_client_error());
            return;
        }
    };
    let whole = &block[..complete(block)];
    let mut kept = Vec::new();
    let mut state = FilterState::new(reader());
    for line in lines(whole) {
        if filter.keep(&whole[line.from..line.to], &mut state) {
            kept.push(line.from..line.to);
        }
    }
    let mut found = Vec::new();
    let mut together = FilterState::new(reader());
    filter.matches_in(whole, &mut together, |range| found.push(range));
    assert_eq!(found, kept, "{query:?} in {}", whole.escape_ascii());
    if filter.want().time || filter.want().level {
        assert_eq!(together.inherited, state.inherited);
    }
    let text: Vec<u8> = kept.iter().flat_map(|range| whole[range.clone()].to_vec()).collect();
    for length in [1, 7, whole.len().max(1)] {
        let (mut sieve, mut out) = (Sieve::new(filter.clone(), FilterState::new(reader())), Vec::new());
        whole.chunks(length).for_each(|piece| sieve.push(piece, &mut out));
        sieve.finish(&mut out);
        assert_eq!(
            out.escape_ascii().to_string(),
            text.escape_ascii().to_string(),
            "{query:?} in pieces of {length}"
        );
    }
}

/// A range lies within what is there; a name to save under is one name and ends neither header nor folder. The first
/// byte tells how much is there.
pub fn range(data: &[u8]) {
    let (size, data) = choice(data);
    let size = if size == 255 { u64::MAX } else { u64::from(size) };
    let text = String::from_utf8_lossy(data);
    match wanted(Some(&text), size) {
        Wanted::Whole => {}
        Wanted::Part(range) => assert!(range.start < range.end && range.end <= size, "{text}: {range:?}"),
        Wanted::Nothing => assert!(text.contains('-')),
    }
    for attachment in [false, true] {
        let header = disposition(&text, attachment);
        assert!(header.len() < 2000 && header.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{header}");
        let kind = if attachment { "attachment" } else { "inline" };
        let name = header.strip_prefix(&format!("{kind}; filename=\"")).expect("a name");
        let name = &name[..name.find('"').expect("an end")];
        assert!(
            !name.is_empty() && !name.contains(['/', '\\', '%']) && name != ".." && name != ".",
            "{header}"
        );
        assert!(header.matches('"').count() == 2, "{header}");
    }
    let own = Validator { generation: 7, from: 0, to: size, check: 9 };
    let _ = own.is_in(&text);
    if let Some(parsed) = Validator::parse(&text) {
        assert!(parsed.is_in(&text) || text.contains(','));
    }
}

/// The name of the only source: it is told to nobody who may not ask.
const SECRET: &str = "kept-from-strangers";
/// What a client is answered, whatever it sends.
const STATUSES: [u16; 21] =
    [200, 204, 206, 304, 400, 401, 403, 404, 405, 406, 409, 410, 411, 413, 414, 416, 429, 431, 501, 503, 505];

/// Whatever arrives on a connection, it ends, no answer is one of a fault of ours, and who names another host, or has no
/// token where one is needed, is told nothing. The first byte tells whether a token is needed.
pub fn head(data: &[u8]) {
    let (how, data) = choice(data);
    let hub = Arc::new(Hub::default());
    hub.join(SECRET.to_owned(), None);
    let mut state = State::on_loopback(hub);
    let needs_token = how & 1 == 1;
    if needs_token {
        state.policy.token = Some("sesame-open".to_owned());
        state.policy.session = "a-session-of-its-own".to_owned();
        state.policy.cookie = "logcast-8000".to_owned();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let answer = runtime.block_on(async {
        let (mut ours, theirs) = tokio::io::duplex(64 << 10);
        let stop = state.stop.clone();
        let served = connection(theirs, Asker::default(), Arc::new(state), false);
        let asked = async {
            let _ = ours.write_all(data).await;
            let _ = ours.shutdown().await;
            // A stream goes on: what comes at once is looked at, then the client is gone and the server stops.
            let (mut answer, mut block) = (Vec::new(), [0; 4096]);
            while let Ok(Ok(len @ 1..)) =
                tokio::time::timeout(Duration::from_millis(200), ours.read(&mut block)).await
                && answer.len() < 1 << 20
            {
                answer.extend_from_slice(&block[..len]);
            }
            drop(ours);
            stop.cancel();
            answer
        };
        let both = async { tokio::join!(served, asked).1 };
        let answer = tokio::time::timeout(Duration::from_secs(15), both).await;
        answer.expect("a connection ends when its client has gone and the server stops")
    });
    runtime.shutdown_background();
    let text = String::from_utf8_lossy(&answer);
    if let Some(rest) = text.strip_prefix("HTTP/1.") {
        let status: u16 = rest[2..5].parse().expect("a status");
        assert!(STATUSES.contains(&status), "{status}");
        assert!(text.contains("\r\n\r\n"), "a head that ends");
    } else {
        assert!(text.is_empty(), "{text}");
    }
    if text.contains(SECRET) {
        let asked = String::from_utf8_lossy(data).to_ascii_lowercase();
        let own =
            ["localhost", "127.", "[::1", "[::ffff:127", "http/1.0"].iter().any(|host| asked.contains(host));
        assert!(own || needs_token, "a foreign host was told: {asked}");
        let may = asked.contains("sesame") || asked.contains("%") || asked.contains("a-session-of-its-own");
        assert!(!needs_token || may, "a stranger was told: {asked}");
    }
}
