//! The route table, and the gate and the headers around it.

use super::access::Seen;
use super::asker::Asker;
use super::auth::{Verdict, secure};
use super::params::Params;
use super::people::Login;
use super::problem::Problem;
use super::{State, assets, files, histogram, lines, metrics, raw, search, stream};
use crate::live::counts::Counter;
use bytes::Bytes;
use hyper::body::Body;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use warp::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use warp::reply::{Reply, Response};
use warp::{Filter, Rejection};

/// The most bytes of a request's body: a token in JSON.
const MAX_BODY: u64 = 4096;
/// How long a client may take to send it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// All routes. Handlers are reached only through [`gate`].
pub fn routes(
    state: Arc<State>,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone + Send + Sync {
    let with_state = warp::any().map(move || state.clone());
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let get = warp::get().or(warp::head()).unify();
    let root = warp::path::end()
        .and(get)
        .and(warp::header::headers_cloned())
        .map(|headers: HeaderMap| page("index.html", &headers));
    let asset = warp::path("assets")
        .and(warp::path::tail())
        .and(get)
        .and(warp::header::headers_cloned())
        .map(|tail: warp::path::Tail, headers: HeaderMap| page(tail.as_str(), &headers));
    let health = warp::path!("healthz")
        .and(get)
        .and(query)
        .map(|query: String| bare(&query, || "ok\n".into_response()));
    let ready = warp::path!("readyz")
        .and(get)
        .and(with_state.clone())
        .and(query)
        .map(|state: Arc<State>, query: String| bare(&query, || metrics::ready(&state)));
    let counts = warp::path!("metrics")
        .and(get)
        .and(with_state.clone())
        .and(query)
        .map(|state: Arc<State>, query: String| bare(&query, || metrics::metrics(state)));
    let stream = warp::path!("stream-logs")
        .and(get)
        .and(with_state.clone())
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .then(|state, method, query: String, headers: HeaderMap| async move {
            reply(stream::stream(state, method == Method::HEAD, &query, &headers).await)
        });
    let listed = warp::path!("api" / "files")
        .and(get)
        .and(with_state.clone())
        .and(query)
        .then(|state, query: String| async move { reply(files::files(state, &query).await) });
    let around = warp::path!("api" / "lines")
        .and(get)
        .and(with_state.clone())
        .and(query)
        .and(warp::header::headers_cloned())
        .then(|state, query: String, headers: HeaderMap| async move {
            sized(reply(lines::lines(state, &query, &headers).await))
        });
    let search = warp::path!("api" / "search")
        .and(get)
        .and(with_state.clone())
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .then(|state, method, query: String, headers: HeaderMap| async move {
            reply(search::search(state, method == Method::HEAD, &query, &headers).await)
        });
    let raw = warp::path("raw")
        .and(warp::path::tail())
        .and(get)
        .and(with_state.clone())
        .and(warp::method())
        .and(query)
        .and(warp::header::headers_cloned())
        .then(|name: warp::path::Tail, state, method, query: String, headers: HeaderMap| async move {
            reply(raw::raw(state, method == Method::HEAD, name.as_str(), &query, &headers).await)
        });
    let counted = warp::path!("api" / "histogram")
        .and(get)
        .and(with_state.clone())
        .and(query)
        .then(|state, query: String| async move { reply(histogram::histogram(state, &query).await) });
    let session = warp::path!("api" / "session")
        .and(warp::post())
        .and(with_state)
        .and(warp::ext::optional::<Asker>())
        .and(warp::body::content_length_limit(MAX_BODY))
        .and(warp::body::bytes())
        .map(|state: Arc<State>, asker: Option<Asker>, body: Bytes| {
            reply(session(&state, &asker.unwrap_or_default(), &body))
        });
    let all = stream
        .or(around)
        .unify()
        .or(listed)
        .unify()
        .or(search)
        .unify()
        .or(raw)
        .unify()
        .or(counted)
        .unify()
        .or(root)
        .unify()
        .or(asset)
        .unify()
        .or(health)
        .unify()
        .or(ready)
        .unify()
        .or(counts)
        .unify()
        .or(session)
        .unify();
    all.recover(recover).unify()
}

fn reply(result: Result<Response, Problem>) -> Response {
    result.unwrap_or_else(Reply::into_response)
}

/// An answer without parameters, but for the token that the gate has looked at. The page takes any: links are decorated on
/// their way by mail programs and chats.
fn bare(query: &str, answer: impl FnOnce() -> Response) -> Response {
    reply(Params::parse(query, &["token"], &[]).map(|_| answer()))
}

/// Says how long an answer is that is all there: HEAD, which loses its body, says it too.
fn sized(mut response: Response) -> Response {
    if let Some(length) = response.body().size_hint().exact() {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}

fn page(name: &str, headers: &HeaderMap) -> Response {
    let missing = || Problem::new(StatusCode::NOT_FOUND, "there is nothing here").into_response();
    assets::asset(name, headers).unwrap_or_else(missing)
}

/// `POST /api/session`: a token for a cookie.
fn session(state: &State, asker: &Asker, body: &[u8]) -> Result<Response, Problem> {
    let given: serde_json::Value = serde_json::from_slice(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the body must be {\"token\":\"…\"}"))?;
    let token = given.get("token").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !state.policy.accepts(token, asker.peer) {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "the token is wrong"));
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Ok(cookie) = HeaderValue::from_str(&state.policy.session_cookie(asker)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The methods of a path; empty for no path of ours.
fn methods(path: &str) -> &'static str {
    // The router takes a slash at the end for none.
    match path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path) {
        "/" | "/stream-logs" | "/healthz" | "/readyz" | "/metrics" => "GET, HEAD",
        "/api/files" | "/api/lines" | "/api/search" | "/api/histogram" => "GET, HEAD",
        "/api/session" => "POST",
        _ if path.starts_with("/assets/") || path.starts_with("/raw/") => "GET, HEAD",
        _ => "",
    }
}

async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let (status, detail) = if rejection.find::<warp::reject::PayloadTooLarge>().is_some() {
        (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")
    } else if rejection.find::<warp::reject::LengthRequired>().is_some() {
        (StatusCode::LENGTH_REQUIRED, "the length of the body must be given")
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() && !rejection.is_not_found() {
        (StatusCode::METHOD_NOT_ALLOWED, "this method does nothing here")
    } else if rejection.is_not_found() {
        (StatusCode::NOT_FOUND, "there is nothing here")
    } else {
        (StatusCode::BAD_REQUEST, "the request is malformed")
    };
    Ok(Problem::new(status, detail).into_response())
}

/// Counts refused requests by their status.
#[derive(Debug, Default)]
pub struct Refused([Counter; STATUSES.len()]);

/// The statuses that are counted.
const STATUSES: [u16; 12] = [400, 401, 403, 404, 405, 406, 408, 409, 410, 416, 429, 503];

impl Refused {
    fn count(&self, status: StatusCode) {
        if let Some(at) = STATUSES.iter().position(|&own| own == status.as_u16()) {
            self.0[at].one();
        }
    }

    /// Each status, and how often it was answered.
    pub fn counts(&self) -> impl Iterator<Item = (u16, u64)> {
        STATUSES.into_iter().zip(self.0.iter().map(Counter::get))
    }
}

/// What every request passes first and every answer last.
pub async fn gate<F, R>(
    state: Arc<State>,
    connection: Asker,
    request: Request<hyper::body::Incoming>,
    route: F,
) -> Response
where
    F: FnOnce(Request<hyper::body::Incoming>) -> R,
    R: Future<Output = Response>,
{
    let (mut parts, body) = request.into_parts();
    let counted = state.clone();
    let policy = &counted.policy;
    let asker = policy.proxies.asker(connection, &parts.headers);
    let place = below(&policy.base, &mut parts.uri);
    let login = match &policy.people {
        Some(people) => people.login(&parts.headers, asker.peer, &policy.tries).await,
        None => Login::None,
    };
    let mut seen = Seen { peer: asker.peer, user: None };
    let (mut response, cors) = match policy.decide(&parts, &asker, &login) {
        Verdict::Refuse(problem) => {
            let is_unknown = problem.status == StatusCode::UNAUTHORIZED;
            let mut response = problem.into_response();
            if is_unknown {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, policy.challenge(&parts.headers));
            }
            (response, None)
        }
        Verdict::Pass(cors) => {
            let allow = if place == Place::Below { methods(parts.uri.path()) } else { "" };
            let answer = if let Place::Door(location) = place {
                door(&location)
            } else if place == Place::Beside {
                Problem::new(StatusCode::NOT_FOUND, "there is nothing here").into_response()
            } else if parts.method == Method::OPTIONS && !allow.is_empty() {
                preflight(allow, cors.is_some())
            } else if !allow.is_empty() && !allow.split(", ").any(|own| own == parts.method.as_str()) {
                let mut response =
                    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this method does nothing here")
                        .into_response();
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
                response
            } else {
                // The gate has looked at the authority of an absolute target; the router wants a path.
                if let Some(path) = parts.uri.path_and_query().filter(|_| parts.uri.authority().is_some()) {
                    parts.uri = Uri::from(path.clone());
                }
                parts.extensions.insert(asker);
                let has_body = parts.method == Method::POST;
                let routed = route(Request::from_parts(parts, body));
                match has_body {
                    true => tokio::time::timeout(BODY_TIMEOUT, routed).await.unwrap_or_else(|_| too_late()),
                    false => routed.await,
                }
            };
            (answer, cors)
        }
    };
    if let Login::Good(name) = login {
        seen.user = Some(name);
    }
    secure(response.headers_mut(), cors.as_deref());
    response.extensions_mut().insert(seen);
    counted.refused.count(response.status());
    response
}

/// Where a request's path is, seen from the base path.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Below it; the path begins there now.
    Below,
    /// The base path itself, without its slash: the page's own URLs would lead elsewhere from there. The right one.
    Door(String),
    /// Somewhere else.
    Beside,
}

/// Takes the base path off a target. The base path itself is the page's: who may have that is shown the way to it.
fn below(base: &str, uri: &mut Uri) -> Place {
    if base.is_empty() {
        return Place::Below;
    }
    let Some(rest) = uri.path().strip_prefix(base) else { return Place::Beside };
    let query = uri.query().map_or(String::new(), |query| format!("?{query}"));
    let (rest, place) = match rest {
        "" => ("/", Place::Door(format!("{base}/{query}"))),
        rest if rest.starts_with('/') => (rest, Place::Below),
        _ => return Place::Beside,
    };
    let mut parts = uri.clone().into_parts();
    let Ok(path) = format!("{rest}{query}").parse() else { return Place::Beside };
    parts.path_and_query = Some(path);
    let Ok(inner) = Uri::from_parts(parts) else { return Place::Beside };
    *uri = inner;
    place
}

fn door(location: &str) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A body that does not come is not waited for.
fn too_late() -> Response {
    let mut response = Problem::new(StatusCode::REQUEST_TIMEOUT, "the body did not come").into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A long cursor costs other origins a preflight.
fn preflight(allow: &'static str, cors: bool) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    if cors {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(allow));
        let allowed = "last-event-id, authorization, cache-control, accept";
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(allowed));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_the_base_path_and_beside_it() {
        for (base, target, expected, place) in [
            ("", "/stream-logs?a=b", "/stream-logs?a=b", Place::Below),
            ("/logs", "/logs/stream-logs?a=b", "/stream-logs?a=b", Place::Below),
            ("/logs", "/logs/", "/", Place::Below),
            ("/logs", "/logs//evil.example/", "//evil.example/", Place::Below),
            ("/logs", "http://h/logs/healthz", "http://h/healthz", Place::Below),
            ("/logs", "/logs", "/", Place::Door("/logs/".to_owned())),
            ("/logs", "http://h/logs", "http://h/", Place::Door("/logs/".to_owned())),
            ("/logs", "/logs?token=x", "/?token=x", Place::Door("/logs/?token=x".to_owned())),
            ("/logs", "/logsx/", "/logsx/", Place::Beside),
            ("/logs", "/", "/", Place::Beside),
            ("/a/b", "/a/b/metrics", "/metrics", Place::Below),
        ] {
            let mut uri: Uri = target.parse().unwrap();
            assert_eq!(below(base, &mut uri), place, "{target}");
            assert_eq!(uri.to_string(), expected, "{target}");
        }
    }
}
