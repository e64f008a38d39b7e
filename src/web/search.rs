//! `GET /api/search`: matches as a stream of records.

use super::filters;
use super::limits::Limit;
use super::params::Params;
use super::problem::Problem;
use super::{State, stream};
use crate::live::history::Named;
use crate::live::search::{Begin, Mode, Order, Query, run};
use crate::log::cursor::Cursor;
use bytes::Bytes;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

const KNOWN: &[&str] = &["file", "mode", "order", "limit", "from", "generation", "token"];
/// How many lines or places are told if nobody says.
const LINES: u64 = 1_000;
const PLACES: u64 = 10_000;
/// How many searches run at once: each keeps one core busy.
const RUNNING: usize = 2;
/// How many more may wait for their turn.
const WAITING: usize = 16;
/// How many batches of records wait for a client that reads slowly.
const BATCHES: usize = 4;

/// How long a client may take nothing.
const STALL: Duration = Duration::from_secs(60);

static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(RUNNING)));
static ASKED: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(RUNNING + WAITING)));

/// Answers the request; the search ends with its client.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file, 503 where too many search already.
pub async fn search(
    state: Arc<State>,
    head: bool,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::parse(
        query,
        &[KNOWN, filters::FILTERS].concat(),
        &[filters::REPEATABLE, &["file"]].concat(),
    )?;
    let query = read(&state, &params).await?;
    let offers = [("application/x-ndjson", false), ("text/event-stream", true)];
    let events = stream::negotiate(headers, &offers).ok_or_else(|| {
        let detail = "a search can be application/x-ndjson or text/event-stream";
        Problem::new(StatusCode::NOT_ACCEPTABLE, detail)
    })?;
    let busy = |_| state.limits.refuse(Limit::Searches);
    let asked = ASKED.clone().try_acquire_owned().map_err(busy)?;
    let (sender, receiver) = mpsc::channel::<Bytes>(BATCHES);
    if !head {
        let stop = state.stop.clone();
        tokio::spawn(async move {
            // The semaphore is never closed; who goes while waiting gives up the place.
            let permit = tokio::select! {
                permit = PERMITS.clone().acquire_owned() => permit,
                () = sender.closed() => return,
                () = stop.cancelled() => return,
            };
            let (hub, runtime) = (state.hub.clone(), tokio::runtime::Handle::current());
            let _ = tokio::task::spawn_blocking(move || {
                let mut turn = Turn { permit: permit.ok(), sender: &sender, runtime };
                let mut out = |records: Vec<u8>| match records.is_empty() || stop.is_cancelled() {
                    true => !sender.is_closed() && !stop.is_cancelled(),
                    false if events => turn.send(as_events(&records)),
                    false => turn.send(Bytes::from(records)),
                };
                run(&hub, &query, &mut out);
                drop(asked);
            })
            .await;
        });
    }
    let body = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|records| (Ok::<_, Infallible>(records), receiver))
    });
    let mut response =
        if head { StatusCode::OK.into_response() } else { warp::reply::stream(body).into_response() };
    let kind = if events { "text/event-stream; charset=utf-8" } else { "application/x-ndjson" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// A search's turn: it is given up while the client takes nothing, so that one that reads slowly keeps nobody waiting.
struct Turn<'a> {
    permit: Option<OwnedSemaphorePermit>,
    sender: &'a mpsc::Sender<Bytes>,
    runtime: Handle,
}

impl Turn<'_> {
    /// Sends records; false once nobody reads them, or nothing was read for [`STALL`].
    fn send(&mut self, records: Bytes) -> bool {
        let records = match self.sender.try_send(records) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(records)) => records,
        };
        self.permit = None;
        let sent = self.runtime.block_on(async {
            let sent = tokio::time::timeout(STALL, self.sender.send(records)).await;
            matches!(sent, Ok(Ok(())))
        });
        if sent {
            let again = PERMITS.clone().acquire_owned();
            self.permit = self.runtime.block_on(again).ok();
        }
        sent
    }
}

async fn read(state: &State, params: &Params) -> Result<Query, Problem> {
    let mut sources = state.hub.sources();
    if let Some(wanted) = stream::selection(&state.hub, params)? {
        sources.retain(|source| wanted.contains(&source.id));
    }
    let filter = filters::compiled(params, state.hub.zone())
        .await?
        .ok_or_else(|| Problem::parameter("grep", "a search needs grep, exclude, level, since or until"))?;
    let order = match params.get("order") {
        None | Some("newest") => Order::Newest,
        Some("oldest") => Order::Oldest,
        Some(_) => return Err(Problem::parameter("order", "must be newest or oldest")),
    };
    let mode = match params.get("mode") {
        None | Some("filter") => Mode::Filter,
        Some("find") => Mode::Find,
        Some(_) => return Err(Problem::parameter("mode", "must be find or filter")),
    };
    let usual = if mode == Mode::Find { PLACES } else { LINES };
    let limit = match params.get("limit") {
        Some("all") => None,
        _ => Some(params.number("limit", usual, u64::MAX)?),
    };
    let wrong = |name: &str, detail: &str| Problem::parameter(name, detail);
    let generation = params
        .get("generation")
        .map(|text| Named::parse(text).ok_or_else(|| wrong("generation", "not a generation")))
        .transpose()?;
    if generation.is_some() && params.get("from").is_none() {
        return Err(wrong("generation", "says in which generation `from` is: give both"));
    }
    let from = match (params.get("from"), &sources[..]) {
        (None, _) => None,
        (Some(text), [source]) => Some(match text.parse() {
            Ok(offset) => Begin::Offset(offset, generation),
            Err(_) => {
                let cursor = Cursor::parse(text.as_bytes());
                let entries = cursor.map(|cursor| cursor.entries).unwrap_or_default();
                let own = entries.into_iter().rev().find(|entry| entry.key == source.key);
                Begin::Cursor(own.ok_or_else(|| wrong("from", "must be an offset or a cursor of this file"))?)
            }
        }),
        _ => return Err(wrong("from", "names a place of one file: say which")),
    };
    Ok(Query { sources, filter, order, mode, limit, from })
}

/// Each record as an event.
fn as_events(records: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(records.len() + records.len() / 8);
    for record in records.split_inclusive(|&byte| byte == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(record);
        out.push(b'\n');
    }
    Bytes::from(out)
}
