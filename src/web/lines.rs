//! `GET /api/lines`: any place of a log.

use super::files::json;
use super::params::Params;
use super::problem::Problem;
use super::{State, filters};
use crate::live::around::{Around, At, MAX_LINES, Refused, Wanted, around};
use crate::live::history::Named;
use crate::log::cursor::{Cursor, Entry};
use crate::log::encode::json_string;
use crate::log::filter::instant;
use crate::log::lines::{self, LINE_LIMIT, strip_cr};
use crate::log::wide::is_rest;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::fmt::Write;
use std::sync::Arc;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

const KNOWN: &[&str] = &["file", "at", "before", "after", "generation", "token"];

/// `GET /api/lines`.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file or one that is not there, 409 for a line that the index has not passed,
/// 410 for a generation that is gone.
pub async fn lines(state: Arc<State>, query: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let params = Params::parse(query, &[KNOWN, filters::FILTERS].concat(), filters::REPEATABLE)?;
    let name = params.get("file").ok_or_else(|| Problem::parameter("file", "missing"))?.to_owned();
    let source = state.hub.source_named(&name).ok_or_else(Problem::no_such_file)?;
    let before = params.number("before", 0, MAX_LINES)?;
    let after = params.number("after", if before == 0 { 100 } else { 0 }, MAX_LINES)?;
    if before + after > MAX_LINES {
        let detail = format!("before and after may be {MAX_LINES} lines together");
        return Err(Problem::parameter("after", detail));
    }
    let Some((newest, _)) = source.status().current else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the file is not there"));
    };
    let malformed = || Problem::parameter("generation", "not a generation");
    let generation = params.get("generation");
    let generation = generation.map(|text| Named::parse(text).ok_or_else(malformed)).transpose()?;
    let at = parse_at(params.get("at").unwrap_or("end"), source.key, state.hub.zone())?;
    let filter = filters::compiled(&params, state.hub.zone()).await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    // Bytes that are not the file's are never given raw.
    let other = newest.file().wide_at(0).is_some() || source.redact.is_some();
    let said = filter.is_some() || other || accept.is_some_and(|accept| accept.contains("application/json"));
    let wanted = Wanted { at, before, after, generation, filter, said };
    let turn = state.limits.look().await?;
    let found = tokio::task::spawn_blocking(move || {
        // Whether or not the client waits: what counts is that it runs.
        let _turn = turn;
        around(&state.hub, &source, &wanted)
    })
    .await;
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(refused)) => return Err(problem(&refused)),
        Err(_) => return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the read failed")),
    };
    let is_wide = found.life.segment.file().wide_at(0).is_some();
    Ok(match said || found.is_cut || is_wide {
        true => json(found.json(&name)),
        false => found.raw(&name),
    })
}

fn problem(refused: &Refused) -> Problem {
    match refused {
        Refused::Gone => {
            Problem::new(StatusCode::GONE, "this generation, or the place of the cursor, is gone")
        }
        Refused::NotIndexed => {
            let mut problem = Problem::parameter("at", "the index has not passed this line yet");
            problem.status = StatusCode::CONFLICT;
            problem
        }
        Refused::Io(error) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("cannot read the file: {error}"))
        }
    }
}

/// A place as a request names it; `key` is the source's in cursors.
fn parse_at(text: &str, key: u32, zone: &TimeZone) -> Result<At, Problem> {
    let wrong = |detail: &str| Problem::parameter("at", detail);
    if text == "end" {
        return Ok(At::End);
    }
    if let Some(number) = text.strip_suffix('%') {
        let share = number.parse::<f64>().ok().filter(|share| (0.0..=100.0).contains(share));
        return share.map(|share| At::Share(share / 100.0)).ok_or_else(|| wrong("must be 0% to 100%"));
    }
    if let Some(number) = text.strip_prefix("line:") {
        let number = number.parse().ok().filter(|&number| number > 0);
        return number.map(At::Line).ok_or_else(|| wrong("must be line:1 or more"));
    }
    if let Some(time) = text.strip_prefix("time:") {
        return Ok(At::Time(instant("at", time, Timestamp::now(), zone)?));
    }
    if let Some(cursor) = text.strip_prefix("older:") {
        return Ok(At::Older(entry(cursor, key)?));
    }
    if let Some(cursor) = text.strip_prefix("newer:") {
        return Ok(At::Newer(entry(cursor, key)?));
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(At::Offset).map_err(|_| wrong("too large"));
    }
    Ok(At::Cursor(entry(text, key)?))
}

/// A source's entry in a cursor.
fn entry(text: &str, key: u32) -> Result<Entry, Problem> {
    let wrong = |detail: &str| Problem::parameter("at", detail);
    let cursor = Cursor::parse(text.as_bytes())
        .ok_or_else(|| wrong("must be an offset, a cursor, line:N, time:T, N% or end"))?;
    let entry = cursor.entries.iter().rev().find(|entry| entry.key == key);
    entry.copied().ok_or_else(|| wrong("another file's cursor"))
}

impl Around {
    fn raw(self, name: &str) -> Response {
        let segment = &self.life.segment;
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let mut place = vec![
            ("x-logcast-from", self.from.to_string()),
            ("x-logcast-to", self.to.to_string()),
            ("x-logcast-at", self.at.to_string()),
            ("x-logcast-begin", segment.begin().to_string()),
            ("x-logcast-size", self.life.end.offset.to_string()),
            ("x-logcast-generation", self.life.name.clone()),
            ("x-logcast-cursor", self.cursor.clone()),
            ("x-logcast-file", name.to_string()),
        ];
        place.extend(self.line.map(|line| ("x-logcast-line", line.to_string())));
        place.extend(self.previous().map(|place| ("x-logcast-previous", place)));
        place.extend(self.next().map(|place| ("x-logcast-next", place)));
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

    fn previous(&self) -> Option<String> {
        self.older.then(|| format!("older:{}", self.cursor))
    }

    fn next(&self) -> Option<String> {
        self.newer.then(|| format!("newer:{}", self.cursor))
    }

    fn json(&self, name: &str) -> String {
        let segment = &self.life.segment;
        let (file, generation) = (json_string(name), json_string(&self.life.name));
        let mut out = format!(
            r#"{{"file":{file},"generation":{generation},"from":{},"to":{},"at":{},"begin":{},"size":{},"cursor":"{}""#,
            self.from,
            self.to,
            self.at,
            segment.begin(),
            self.life.end.offset,
            self.cursor,
        );
        if let Some(line) = self.line {
            let _ = write!(out, r#","line":{line}"#);
        }
        for (member, place) in [("previous", self.previous()), ("next", self.next())] {
            if let Some(place) = place {
                let _ = write!(out, r#","{member}":"{place}""#);
            }
        }
        if self.more {
            out.push_str(r#","more":true"#);
        }
        out.push_str(r#","lines":["#);
        let pieces = segment.naming().map_or(Vec::new(), |naming| naming.pieces(self.from, self.to));
        for (i, line) in self.lines.iter().enumerate() {
            let bytes = &self.bytes[line.bytes.clone()];
            let wide = segment.file().shown_wide(line.offset);
            if wide.is_some_and(|wide| is_rest(wide, bytes)) {
                continue;
            }
            let wide_text = wide.map(|wide| wide.text(bytes));
            let bytes = wide_text.as_ref().map_or(bytes, |text| text.as_bytes());
            let text = strip_cr(bytes.strip_suffix(b"\n").unwrap_or(bytes));
            let text = if line.offset == 0 { lines::strip_mark(text) } else { text };
            let shown = lines::cut(text, LINE_LIMIT);
            let comma = if i > 0 { "," } else { "" };
            let shown_text = json_string(&lines::text(shown));
            let _ =
                write!(out, r#"{comma}{{"offset":{},"next":{},"text":{shown_text}"#, line.offset, line.next);
            let piece = pieces.get(pieces.partition_point(|piece| piece.to < line.next));
            if let Some(origin) = piece.and_then(|piece| piece.origin.as_deref()) {
                let _ = write!(out, r#","origin":{}"#, json_string(origin));
            }
            if let Some(level) = line.said.level {
                let _ = write!(out, r#","level":"{}""#, level.name());
            }
            if let Some(time) = line.said.time {
                let _ = write!(out, r#","time":"{time}""#);
            }
            let cut = line.omitted + (text.len() - shown.len()) as u64;
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
