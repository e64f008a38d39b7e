//! `GET /raw/NAME`: the bytes of a source as they stand, whole, in parts, or only some lines of them.
//!
//! What is there when the request comes is sent, a line without newline included. The validator proves content: a
//! download that broke off goes on in the same generation after it has grown, and never in another one.

use super::State;
use super::download::{self, Download, Part, Permit};
use super::filters::{self, FILTERS};
use super::limits::Limit;
use super::params::Params;
use super::problem::Problem;
use super::range::{Validator, Wanted, disposition, wanted};
use crate::live::history::{History, Named};
use crate::live::source::Source;
use crate::log::cursor::{Cursor, Entry, NO_GENERATION, generation_text};
use crate::log::filter::{Filter, Sieve, State as FilterState};
use crate::log::segment::Place;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

const KNOWN: &[&str] = &["from", "to", "generation", "history", "download", "token"];
/// What the bytes are, unless they say otherwise themselves. Never anything that a browser would run.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const WIDE_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-16");
/// How often a file is looked at again that shows another generation than the follower has seen, and how long
/// before.
const TRIES: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(100);
/// How far before its first line a filter looks for the level that a line inherits.
const LOOK_BACK_BYTES: u64 = 64 << 10;

/// Answers the request; `name` is the rest of the path as it came.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file or one that is not there, 410 for what is gone, 416 for a range that
/// is not there, 503 for too many at once.
pub async fn raw(
    state: Arc<State>,
    head: bool,
    name: &str,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::parse(query, &[KNOWN, FILTERS].concat(), filters::REPEATABLE)?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().map_err(|_| no_such_file())?;
    let source = state.hub.source_named(&name).ok_or_else(no_such_file)?;
    let is_decoded = source.is_decoded();
    let attachment = params.flag("download", false)?;
    let filter = filters::compiled(&params, state.hub.zone()).await?;
    if filter.as_ref().is_some_and(Filter::asks_origin) {
        let parameter = if params.get("host").is_some() { "host" } else { "origin" };
        return Err(Problem::parameter(parameter, "the bytes of a file do not tell whose they are"));
    }
    let slice = Slice::read(&params, source.key)?;
    let permit = download::permit().ok_or_else(|| state.limits.refuse(Limit::Downloads))?;
    let sieve = filter.map(|filter| Sifting { filter, state: FilterState::new(state.hub.reader()) });
    let mut response = if params.flag("history", false)? {
        if let Some(given) = ["from", "to", "generation"].into_iter().find(|name| params.get(name).is_some())
        {
            return Err(Problem::parameter(given, "not together with history"));
        }
        history(&state, source, head, sieve, permit).await?
    } else {
        let part = open(&state, &source, slice).await?;
        match sieve {
            Some(sieve) => filtered(part, head, sieve, permit).await?,
            // What is redacted has another length than the file, and no ranges.
            None if source.redact.is_some() => veiled(part, head, permit).await?,
            None => bytes(part, head, headers, permit).await?,
        }
    };
    if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
        return Ok(response);
    }
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_TYPE).or_insert(TEXT);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).filter(|_| is_decoded);
    if let Ok(value) = HeaderValue::from_str(&disposition(plain.unwrap_or(&name), attachment)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

fn no_such_file() -> Problem {
    Problem { parameter: None, ..Problem::no_such_file() }
}

/// Which bytes of which generation a request asks for.
#[derive(Debug, Clone, Copy)]
struct Slice {
    from: Option<Bound>,
    to: Option<Bound>,
    generation: Option<Named>,
}

/// One end of a slice.
#[derive(Debug, Clone, Copy)]
enum Bound {
    Offset(u64),
    Cursor(Entry),
}

impl Slice {
    fn read(params: &Params, key: u32) -> Result<Slice, Problem> {
        let bound = |name: &str| -> Result<Option<Bound>, Problem> {
            let Some(text) = params.get(name) else { return Ok(None) };
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                let offset = text.parse().map_err(|_| Problem::parameter(name, "too large"))?;
                return Ok(Some(Bound::Offset(offset)));
            }
            let cursor = Cursor::parse(text.as_bytes())
                .ok_or_else(|| Problem::parameter(name, "must be an offset or a cursor"))?;
            let entry = cursor.entries.iter().find(|entry| entry.key == key);
            entry
                .map(|entry| Some(Bound::Cursor(*entry)))
                .ok_or_else(|| Problem::parameter(name, "another file's cursor"))
        };
        let generation = params
            .get("generation")
            .map(|text| {
                Named::parse(text).ok_or_else(|| Problem::parameter("generation", "not a generation"))
            })
            .transpose()?;
        let slice = Slice { from: bound("from")?, to: bound("to")?, generation };
        match slice {
            Slice { from: Some(Bound::Offset(from)), to: Some(Bound::Offset(to)), .. } if to < from => {
                Err(Problem::parameter("to", "before from"))
            }
            _ => Ok(slice),
        }
    }

    /// The generation that it names; a cursor names one too.
    fn named(&self) -> Option<Named> {
        let of = |bound: Option<Bound>| match bound {
            Some(Bound::Cursor(entry)) => Some(entry.generation).filter(|&own| own != NO_GENERATION),
            _ => None,
        };
        self.generation.or_else(|| of(self.from).or(of(self.to)).map(Named::newest))
    }

    /// The part's bytes that it means; `NotFound` where a cursor's place is gone.
    fn range(&self, part: &Part) -> io::Result<Range<u64>> {
        let whole = part.range();
        let place = |bound: Option<Bound>, default: u64| -> io::Result<u64> {
            match bound {
                None => Ok(default),
                Some(Bound::Offset(offset)) => Ok(offset.clamp(whole.start, whole.end)),
                // Before its first line was known it could only be at the start.
                Some(Bound::Cursor(entry)) if entry.generation == NO_GENERATION => {
                    let same = part.segment().tie == entry.tie;
                    same.then_some(whole.start).ok_or_else(|| io::ErrorKind::NotFound.into())
                }
                Some(Bound::Cursor(entry)) => {
                    let place = Place { offset: entry.offset, check: entry.check };
                    let proved = part.segment().proves(entry.generation, place) && entry.offset <= whole.end;
                    proved.then_some(entry.offset).ok_or_else(|| io::ErrorKind::NotFound.into())
                }
            }
        };
        let from = place(self.from, whole.start)?;
        Ok(from..place(self.to, whole.end)?.max(from))
    }
}

/// Opens what a request asks for.
async fn open(state: &Arc<State>, source: &Arc<Source>, slice: Slice) -> Result<Part, Problem> {
    let mut tries = 0;
    loop {
        let current = source.status().current;
        let newest = current.as_ref().map_or(NO_GENERATION, |(segment, _)| segment.generation());
        let is_current = slice.named().is_none_or(|named| named == Named::newest(newest));
        if is_current && current.is_none() {
            return Err(Problem::new(StatusCode::NOT_FOUND, "the file is not there"));
        }
        let (hub, source, current) = (state.hub.clone(), source.clone(), current.filter(|_| is_current));
        let opened = download::blocking(move || {
            let path = source.path.clone();
            let mut part = match (current, slice.named()) {
                (Some((segment, tip)), _) => Part::whole(segment, path, tip)?,
                (None, named) => {
                    let history = History::of(&hub, &source);
                    let life = named.and_then(|named| history.named(named));
                    let life = life.ok_or(io::ErrorKind::NotFound)?;
                    Part::whole(life.segment, path, life.end)?
                }
            };
            part.only(slice.range(&part)?)?;
            Ok(part)
        })
        .await;
        match opened {
            Ok(part) => return Ok(part),
            Err(error) if is_moved(&error) && slice.named().is_some() => {
                return Err(Problem::new(
                    StatusCode::GONE,
                    "this generation, or the place of the cursor, is gone",
                ));
            }
            // The file was cut or replaced just now: the follower will say what it is.
            Err(error) if is_moved(&error) && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(TRY_AGAIN).await;
            }
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

fn is_moved(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

fn unreadable(error: &io::Error) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("cannot read the file: {error}"))
}

/// The bytes, or a range of them.
async fn bytes(part: Part, head: bool, headers: &HeaderMap, permit: Permit) -> Result<Response, Problem> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // What cannot be read is another state.
    let earlier = headers.get(header::IF_RANGE);
    let earlier = earlier.map(|value| value.to_str().ok().and_then(Validator::parse));
    let looked = download::blocking(move || {
        let Range { start: from, end: to } = part.range();
        let generation = part.segment().generation();
        let now = Validator { generation, from, to, check: part.check(from, to)? };
        // A log grows: what was there before is still there if its end is.
        let fits = |earlier: Validator| {
            (earlier.generation == generation || earlier.generation == NO_GENERATION)
                && earlier.from == from
                && (from..=to).contains(&earlier.to)
                && part.check(from, earlier.to).is_ok_and(|check| check == earlier.check)
        };
        let earlier = earlier.map(|earlier| earlier.filter(|earlier| fits(*earlier)));
        let is_wide = part.wide().is_some();
        Ok((part, now, earlier, is_wide))
    })
    .await;
    let (mut part, now, earlier, is_wide) = looked.map_err(|error| unreadable(&error))?;
    if text(header::IF_NONE_MATCH).is_some_and(|tags| now.is_in(tags)) {
        return Ok(with_place(StatusCode::NOT_MODIFIED.into_response(), &now));
    }
    let size = now.to - now.from;
    // A range is asked of GET only, and not of another state than the one that the client has a part of.
    let range = text(header::RANGE).filter(|_| !head && earlier != Some(None));
    let (status, sent) = match wanted(range, size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "the range begins behind the end");
            let mut response = with_place(problem.into_response(), &now);
            insert(&mut response, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(response);
        }
    };
    let length = sent.end - sent.start;
    // Some clients put parts together only if their validators are equal; both are true of these bytes.
    let shown = earlier.flatten().filter(|_| status == StatusCode::PARTIAL_CONTENT).unwrap_or(now);
    let mut response = if head || length == 0 {
        status.into_response()
    } else {
        let range = now.from + sent.start..now.from + sent.end;
        let part = download::blocking(move || {
            part.only(range)?;
            Download::part(part, None, permit)
        });
        let download = part.await.map_err(|error| unreadable(&error))?;
        warp::reply::stream(download.into_stream()).into_response()
    };
    *response.status_mut() = status;
    insert(&mut response, header::CONTENT_LENGTH, &length.to_string());
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", sent.start, sent.end - 1);
        insert(&mut response, header::CONTENT_RANGE, &range);
    }
    let mut response = with_place(response, &now);
    insert(&mut response, header::ETAG, &shown.text());
    if is_wide {
        response.headers_mut().insert(header::CONTENT_TYPE, WIDE_TEXT);
    }
    Ok(response)
}

/// A filter at its start.
struct Sifting {
    filter: Filter,
    state: FilterState,
}

impl Sifting {
    /// The sieve at a line's start: what its first lines inherit is read from those before.
    fn at(mut self, part: &Part, at: u64) -> io::Result<Sieve> {
        let (begin, want) = (part.segment().begin(), self.filter.want());
        if at > begin && (want.time || want.level) {
            let length = (at - begin).min(LOOK_BACK_BYTES);
            let mut before = vec![0; length as usize];
            let n = part.segment().file().read_at(&mut before, at - length)?;
            self.state.pass(&part.segment().file().told(&before[..n], at - length), want);
        }
        self.state.wide = part.segment().file().shown_wide(at);
        Ok(Sieve::new(self.filter, self.state))
    }
}

/// The lines that are kept, from the beginning of the line at the part's start on.
async fn filtered(mut part: Part, head: bool, sifting: Sifting, permit: Permit) -> Result<Response, Problem> {
    let opened = download::blocking(move || {
        let range = part.range();
        let segment = part.segment();
        let from = segment.file().last_line_end(segment.begin(), range.start)?;
        let sieve = sifting.at(&part, from)?;
        part.only(from..range.end)?;
        Download::part(part, Some(sieve), permit)
    });
    let download = opened.await.map_err(|error| unreadable(&error))?;
    Ok(endless(head, || download))
}

/// All lines, with what is redacted replaced.
async fn veiled(part: Part, head: bool, permit: Permit) -> Result<Response, Problem> {
    let opened = download::blocking(move || Download::part(part, None, permit));
    let download = opened.await.map_err(|error| unreadable(&error))?;
    Ok(endless(head, || download))
}

/// All generations, oldest first.
async fn history(
    state: &Arc<State>,
    source: Arc<Source>,
    head: bool,
    sifting: Option<Sifting>,
    permit: Permit,
) -> Result<Response, Problem> {
    let hub = state.hub.clone();
    let opened = download::blocking(move || {
        let sieve = sifting.map(|sifting| Sieve::new(sifting.filter, sifting.state));
        Download::history(History::of(&hub, &source), source.path.clone(), sieve, permit)
    });
    let download = opened.await.map_err(|error| unreadable(&error))?;
    let download = download.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "the file is not there"))?;
    Ok(endless(head, || download))
}

/// An answer whose length is not known before.
fn endless(head: bool, download: impl FnOnce() -> Download) -> Response {
    let mut response = match head {
        true => StatusCode::OK.into_response(),
        false => warp::reply::stream(download().into_stream()).into_response(),
    };
    insert(&mut response, header::ACCEPT_RANGES, "none");
    response
}

/// Where the bytes stand in their generation.
fn with_place(mut response: Response, place: &Validator) -> Response {
    insert(&mut response, header::ETAG, &place.text());
    if place.generation != NO_GENERATION {
        let name = HeaderName::from_static("x-logcast-generation");
        insert(&mut response, name, &generation_text(place.generation));
    }
    insert(&mut response, HeaderName::from_static("x-logcast-from"), &place.from.to_string());
    insert(&mut response, HeaderName::from_static("x-logcast-to"), &place.to.to_string());
    response
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
