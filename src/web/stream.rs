//! `GET /stream-logs`: the lines as they come.

use super::limits::Limit;
use super::params::Params;
use super::problem::Problem;
use super::{State, filters};
use crate::live::backlog::Backlog;
use crate::live::client::{Client, Opened, Options};
use crate::live::feed::Hub;
use crate::live::resume::Start;
use crate::live::view::ViewKey;
use crate::log::encode::Format;
use crate::log::filter::Filter;
use jiff::Timestamp;
use std::sync::Arc;
use warp::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

const KNOWN: &[&str] = &["file", "lines", "from", "lastEventId", "format", "view", "follow", "token"];
const REPEATABLE: &[&str] = &["file"];

/// Answers the request; the body goes on until the client or the server stops.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file, 406 where no format is acceptable, 503 for too many at once.
pub async fn stream(
    state: Arc<State>,
    head: bool,
    query: &str,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let params = Params::parse(
        query,
        &[KNOWN, filters::FILTERS].concat(),
        &[REPEATABLE, filters::REPEATABLE].concat(),
    )?;
    let format = format(&params, headers)?;
    let filter = filters::compiled(&params, state.hub.zone()).await?;
    if filter.is_some() && format == Format::Live {
        return Err(Problem::parameter("view", "the page's own transport has all lines: it takes no filter"));
    }
    let spec = filter.as_ref().map(Filter::spec);
    let (since, until) = spec.map_or((None, None), |spec| (spec.since, spec.until));
    // Who asks for all since a time wants all of it.
    let backlog = params.backlog("lines", if since.is_some() { Backlog::All } else { state.backlog })?;
    // Nothing will come of a time that has passed.
    let follow = params.flag("follow", until.is_none_or(|until| until > Timestamp::now()))?;
    let key = ViewKey { sources: selection(&state.hub, &params)?, filter, format };
    // The header wins: a browser sends both, and the query is that of its first request.
    let id = headers.get("last-event-id").map(HeaderValue::as_bytes);
    let query_id = params.get("from").or(params.get("lastEventId")).map(str::as_bytes);
    let start = match id.or(query_id).filter(|id| !id.is_empty()) {
        Some(id) => Start::Cursor(id.to_vec(), backlog),
        None => Start::Backlog(backlog),
    };
    // Connections are bounded too, but one of HTTP/2 may hold many streams.
    if state.hub.clients() >= state.limits.streams {
        return Err(state.limits.refuse(Limit::Streams));
    }
    let seat = state.hub.enter(key).ok_or_else(|| state.limits.refuse(Limit::Views))?;
    let response = match Client::open(seat, Options { start, follow, until }, state.stop.clone()).await {
        Opened::AllDelivered => return Ok(StatusCode::NO_CONTENT.into_response()),
        Opened::Stream(_) if head => StatusCode::OK.into_response(),
        Opened::Stream(client) => warp::reply::stream(client.into_stream()).into_response(),
    };
    Ok(with_headers(response, format))
}

fn with_headers(mut response: Response, format: Format) -> Response {
    let kind = match format {
        Format::Sse | Format::SseJson | Format::Live => "text/event-stream; charset=utf-8",
        Format::Ndjson => "application/x-ndjson",
        Format::Plain => "text/plain; charset=utf-8",
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// The files that are asked for; `None` for all.
pub(super) fn selection(hub: &Hub, params: &Params) -> Result<Option<Vec<usize>>, Problem> {
    let mut sources = Vec::new();
    for name in params.all("file") {
        let source = hub.source_named(name).ok_or_else(Problem::no_such_file)?;
        sources.push(source.id);
    }
    sources.sort_unstable();
    sources.dedup();
    Ok(if sources.is_empty() { None } else { Some(sources) })
}

fn format(params: &Params, headers: &HeaderMap) -> Result<Format, Problem> {
    let json = match params.get("format") {
        None | Some("text") => false,
        Some("json") => true,
        Some(_) => return Err(Problem::parameter("format", "must be text or json")),
    };
    match params.get("view") {
        None => {}
        Some("live") => return Ok(Format::Live),
        Some(_) => return Err(Problem::parameter("view", "must be live")),
    }
    match negotiate(headers, &OFFERS) {
        Some(Format::Sse) if json => Ok(Format::SseJson),
        Some(Format::Plain) if json => Ok(Format::Ndjson),
        Some(format) => Ok(format),
        None => Err(Problem::new(
            StatusCode::NOT_ACCEPTABLE,
            "the stream can be text/event-stream, application/x-ndjson or text/plain",
        )),
    }
}

/// What a stream can be.
const OFFERS: [(&str, Format); 3] = [
    ("text/event-stream", Format::Sse),
    ("application/x-ndjson", Format::Ndjson),
    ("text/plain", Format::Plain),
];

/// The best of some media types that an `Accept` header allows (RFC 9110 § 12.5.1); the first where it does not care.
pub(super) fn negotiate<T: Copy>(headers: &HeaderMap, offers: &[(&str, T)]) -> Option<T> {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accept = accept.collect::<Vec<_>>().join(",");
    if accept.trim().is_empty() {
        return offers.first().map(|&(_, offer)| offer);
    }
    let mut best: Option<(f32, T)> = None;
    for &(kind, format) in offers {
        // The most specific range that matches decides.
        let quality = accept
            .split(',')
            .filter_map(|range| {
                let mut parts = range.split(';').map(str::trim);
                let name = parts.next()?.to_ascii_lowercase();
                let specific = match name.as_str() {
                    "*/*" => 0,
                    _ if name == kind => 2,
                    _ if name.strip_suffix("/*").is_some_and(|main| kind.split('/').next() == Some(main)) => {
                        1
                    }
                    _ => return None,
                };
                let quality =
                    parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse::<f32>);
                Some((specific, quality.unwrap_or(0.0)))
            })
            .max_by_key(|&(specific, _)| specific)
            .map_or(0.0, |(_, quality)| quality);
        if quality > 0.0 && best.is_none_or(|(other, _)| quality > other) {
            best = Some((quality, format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_chooses() {
        for (accept, expected) in [
            ("", Some(Format::Sse)),
            ("*/*", Some(Format::Sse)),
            ("text/event-stream", Some(Format::Sse)),
            ("text/plain", Some(Format::Plain)),
            ("text/*", Some(Format::Sse)),
            ("application/x-ndjson", Some(Format::Ndjson)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(Format::Sse)),
            ("text/event-stream;q=0, */*", Some(Format::Ndjson)),
            ("text/plain;q=0.5, application/x-ndjson;q=0.9", Some(Format::Ndjson)),
            ("image/png", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(negotiate(&headers, &OFFERS), expected, "{accept}");
        }
    }
}
