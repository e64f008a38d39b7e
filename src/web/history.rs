//! `GET /api/files` and `GET /api/lines`: what there is, and any place of it.

use super::State;
use super::params::Params;
use super::problem::Problem;
use crate::live::notices::now;
use crate::live::source::Source;
use crate::live::view::ViewKey;
use crate::log::cursor::{Cursor, NO_GENERATION, generation_text, parse_generation};
use crate::log::encode::{Format, json_string};
use crate::log::lines::{self, LINE_LIMIT};
use crate::log::rotated::look;
use crate::log::segment::{Born, Place, Segment};
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::io;
use std::sync::Arc;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// The most lines and bytes of one answer.
const MAX_LINES: u64 = 2_000;
const MAX_BYTES: u64 = 1 << 20;

/// `GET /api/files`.
///
/// # Errors
/// 400 for a parameter.
pub fn files(state: &State, query: &str) -> Result<Response, Problem> {
    Params::parse(query, &["token"], &[])?;
    let key = ViewKey::all(Format::Live);
    let title =
        state.title.as_deref().map_or(String::new(), |title| format!(r#""title":{},"#, json_string(title)));
    let files = state.hub.files_json(&key);
    let version = env!("CARGO_PKG_VERSION");
    let zone = json_string(&zone_name(&state.zone));
    Ok(json(format!(r#"{{"version":"{version}","now":"{}","zone":{zone},{title}"files":{files}}}"#, now())))
}

/// A zone as browsers know it: its name, or the offset that it has now if it has none.
fn zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some(name) => name.to_owned(),
        None => zone.to_offset(jiff::Timestamp::now()).to_string(),
    }
}

/// Whole lines around a place.
#[derive(Debug)]
struct Around {
    bytes: Vec<u8>,
    /// How much of the one line that this is was left out, if it is longer than an answer.
    omitted: Option<u64>,
    from: u64,
    to: u64,
    at: u64,
    size: u64,
    generation: u64,
    partial: Option<String>,
}

/// `GET /api/lines`.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file or one that is not there, 410 for a generation that is gone.
pub async fn lines(state: Arc<State>, query: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    const KNOWN: &[&str] = &["file", "at", "before", "after", "generation", "token"];
    let params = Params::parse(query, KNOWN, &[])?;
    let name = params.get("file").ok_or_else(|| Problem::parameter("file", "missing"))?.to_owned();
    let source = state.hub.source_named(&name).ok_or_else(Problem::no_such_file)?;
    let before = params.number("before", 0, MAX_LINES)?;
    let after = params.number("after", if before == 0 { 100 } else { 0 }, MAX_LINES)?;
    if before + after > MAX_LINES {
        return Err(Problem::parameter(
            "after",
            format!("before and after may be {MAX_LINES} lines together"),
        ));
    }
    let Some((segment, tip)) = source.status().current else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the file is not there"));
    };
    let wanted = match params.get("generation") {
        None => None,
        Some(text) => {
            let malformed = || Problem::parameter("generation", "not a generation");
            Some(parse_generation(text.as_bytes()).ok_or_else(malformed)?)
        }
    };
    let at = At::parse(params.get("at").unwrap_or("end"), source.key)?;
    let read = tokio::task::spawn_blocking(move || match wanted {
        Some(wanted) if wanted != segment.generation() => {
            let (segment, end) = archived(&source, wanted).ok_or(io::ErrorKind::NotFound)?;
            around(&segment, end, at, before, after)
        }
        _ => around(&segment, tip, at, before, after),
    })
    .await;
    let found = match read {
        Ok(Ok(found)) => found,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Problem::new(
                StatusCode::GONE,
                "this generation, or the place of the cursor, is gone",
            ));
        }
        Ok(Err(error)) => {
            return Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("cannot read the file: {error}"),
            ));
        }
        Err(_) => return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the read failed")),
    };
    let wants_json = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // Bytes that are not the file's are never given raw.
    let wants_json = wants_json.is_some_and(|accept| accept.contains("application/json"));
    Ok(match wants_json || found.omitted.is_some() {
        true => json(found.json(&name)),
        false => found.raw(&name),
    })
}

/// A place as a request names it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    Offset(u64),
    Proved(Place, u64),
    Share(f64),
    End,
}

impl At {
    fn parse(text: &str, key: u32) -> Result<At, Problem> {
        let wrong = |detail: &str| Problem::parameter("at", detail);
        if text == "end" {
            return Ok(At::End);
        }
        if let Some(number) = text.strip_suffix('%') {
            let share = number.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
            return share.map(|share| At::Share(share / 100.0)).ok_or_else(|| wrong("must be 0% to 100%"));
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(At::Offset).map_err(|_| wrong("too large"));
        }
        let cursor =
            Cursor::parse(text.as_bytes()).ok_or_else(|| wrong("must be an offset, a cursor, N% or end"))?;
        let entry = cursor
            .entries
            .iter()
            .find(|entry| entry.key == key)
            .ok_or_else(|| wrong("another file's cursor"))?;
        Ok(At::Proved(Place { offset: entry.offset, check: entry.check }, entry.generation))
    }
}

/// An earlier generation of a source, if one of its rotated siblings holds it, and its end.
fn archived(source: &Source, generation: u64) -> Option<(Segment, Place)> {
    let held = look(source.path.as_deref()?).into_iter().find(|held| held.generation == generation)?;
    let file = held.file().ok()?;
    let begin = file.content_start().ok()?;
    let segment = Segment::new(source.id, source.key, file, begin, Born::First);
    segment.set_generation(generation);
    let (_, end) = held.end()?;
    segment.seal(end.offset);
    Some((segment, end))
}

fn around(segment: &Segment, tip: Place, at: At, before: u64, after: u64) -> io::Result<Around> {
    let file = segment.file();
    let (begin, end) = (segment.begin(), tip.offset);
    let size = file.size()?;
    let at = match at {
        At::End => end,
        At::Offset(offset) => offset.clamp(begin, end),
        At::Share(share) => begin + ((end - begin) as f64 * share) as u64,
        At::Proved(place, generation) if file.proves(begin, generation, place.offset, place.check) => {
            place.offset.min(end)
        }
        At::Proved(..) => return Err(io::ErrorKind::NotFound.into()),
    };
    // A line is addressed by any of its bytes; the end of the last line is no byte of it.
    let at = if at >= end { end } else { file.last_line_end(begin, at)? };
    let mut from = match before {
        0 => at,
        _ => file.last_lines(begin, at, before)?.0.max(first_line_after(&file, begin, at)?),
    };
    let mut to = at;
    let mut missing = after;
    if from == at && before > 0 && at > begin {
        // The line before is longer than an answer: it is one of its own.
        from = file.last_line_end(begin, at - 1)?;
        missing = 0;
    }
    let limit = end.min(from + MAX_BYTES);
    let mut buf = vec![0; 64 << 10];
    'blocks: while missing > 0 && to < limit {
        let mut seen = to;
        let want = (limit - seen).min(buf.len() as u64) as usize;
        let n = file.read_at(&mut buf[..want], seen)?;
        for newline in memchr::memchr_iter(b'\n', &buf[..n]) {
            to = seen + newline as u64 + 1;
            missing -= 1;
            if missing == 0 {
                break 'blocks;
            }
        }
        seen += n as u64;
        if n == 0 {
            break;
        }
        // A line longer than the buffer: look on for its end.
        if memchr::memchr(b'\n', &buf[..n]).is_none() {
            match file.next_line_end(seen, end)? {
                Some(next) => to = next,
                None => break,
            }
            missing -= 1;
        }
    }
    let mut omitted = None;
    let mut want = to - from;
    if want > MAX_BYTES {
        let first = file.next_line_end(from, to)?.unwrap_or(to);
        if first - from > MAX_BYTES {
            (to, want) = (first, LINE_LIMIT as u64);
            omitted = Some(first - 1 - from - want);
        } else {
            to = file.last_line_end(from, from + MAX_BYTES)?;
            want = to - from;
        }
    }
    let mut content = vec![0; want as usize];
    let n = file.read_at(&mut content, from)?;
    content.truncate(n);
    if omitted.is_none() {
        to = from + n as u64;
    }
    let partial = (to == end && size > end && segment.end().is_none()).then(|| {
        let mut rest = vec![0; (size - end).min(8 << 10) as usize];
        let n = file.read_at(&mut rest, end).unwrap_or(0);
        lines::text(&rest[..n]).into_owned()
    });
    Ok(Around { bytes: content, omitted, from, to, at, size: end, generation: segment.generation(), partial })
}

/// The first whole line within the answer's bytes before `at`.
fn first_line_after(file: &crate::log::logfile::LogFile, begin: u64, at: u64) -> io::Result<u64> {
    let floor = at.saturating_sub(MAX_BYTES);
    if floor <= begin {
        return Ok(begin);
    }
    Ok(file.next_line_end(floor, at)?.unwrap_or(at))
}

impl Around {
    fn raw(self, name: &str) -> Response {
        let place = [
            ("x-logcast-from", self.from.to_string()),
            ("x-logcast-to", self.to.to_string()),
            ("x-logcast-at", self.at.to_string()),
            ("x-logcast-size", self.size.to_string()),
            ("x-logcast-generation", generation(self.generation)),
            (
                "x-logcast-file",
                percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string(),
            ),
        ];
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        for (name, value) in place {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn json(&self, name: &str) -> String {
        let (file, generation) = (json_string(name), json_string(&generation(self.generation)));
        let mut out = format!(
            r#"{{"file":{file},"generation":{generation},"from":{},"to":{},"at":{},"size":{},"lines":["#,
            self.from, self.to, self.at, self.size
        );
        for (i, line) in lines::lines(&self.bytes).enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let shown = lines::cut(line.text, LINE_LIMIT);
            let text = json_string(&lines::text(shown));
            let offset = self.from + line.from as u64;
            let next = self.omitted.map_or(self.from + line.to as u64, |_| self.to);
            let _ = write!(out, r#"{comma}{{"offset":{offset},"next":{next},"text":{text}"#);
            let cut = self.omitted.unwrap_or((line.text.len() - shown.len()) as u64);
            if cut > 0 {
                let _ = write!(out, r#","cut":{cut}"#);
            }
            out.push('}');
        }
        out.push(']');
        if let Some(partial) = &self.partial {
            let _ = write!(out, r#","partial":{}"#, json_string(partial));
        }
        out.push('}');
        out
    }
}

fn generation(generation: u64) -> String {
    match generation {
        NO_GENERATION => String::new(),
        known => generation_text(known),
    }
}

fn json(body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
