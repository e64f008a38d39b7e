//! The one gate before every route: who may ask, from where, and for which host.
//!
//! Walls, in order: a `Host` that is ours (DNS rebinding), an `Origin` that is ours or allowed, fetch metadata
//! (another site's page), a token where one is in force. The decision is a plain function of what the request
//! says ([`Policy::decide`]); what it needs beside is the process's secret and a count of bad tries.

use super::problem::Problem;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use warp::http::request::Parts;
use warp::http::uri::Authority;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

/// Bad tokens that an address may send in a second.
const BAD_TRIES: u32 = 5;
/// The most addresses whose bad tries are counted.
const MAX_ADDRESSES: usize = 1024;

/// Who may ask. Without anything said: who is on loopback, without a token.
#[derive(Debug, Default)]
pub struct Policy {
    /// Names and addresses of hosts, beside the loopback ones.
    pub hosts: Vec<String>,
    /// Whether any literal address is a host: bound to a wildcard.
    pub any_address: bool,
    /// Origins of other sites that may read; `*` for all.
    pub origins: Vec<String>,
    /// The token, where one is in force.
    pub token: Option<String>,
    /// The value of the cookie that a token is exchanged for; dies with the process.
    pub session: String,
    /// The cookie's name. It holds the port, since cookies ignore ports.
    pub cookie: String,
    /// Whether it speaks TLS: then the cookie is for TLS only.
    pub secure: bool,
    /// Bad tries by address.
    pub tries: Tries,
}

/// Counts bad tokens by address.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Tries {
    /// Whether this address may try no more for now.
    fn exhausted(&self, peer: Option<IpAddr>) -> bool {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        peer.and_then(|peer| tries.get(&peer))
            .is_some_and(|(since, count)| *count >= BAD_TRIES && since.elapsed() < Duration::from_secs(1))
    }

    fn bad(&self, peer: Option<IpAddr>) {
        let Some(peer) = peer else { return };
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, (since, _)| since.elapsed() < Duration::from_secs(1));
        if tries.len() < MAX_ADDRESSES {
            tries.entry(peer).or_insert((Instant::now(), 0)).1 += 1;
        }
    }
}

/// What the gate says.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on; with the origin to name in CORS headers, if another site may read the answer.
    Pass(Option<String>),
    /// This is the answer.
    Refuse(Problem),
}

/// 192 bits from the system, base64url: a token or a session.
///
/// # Errors
/// If the system has no randomness.
pub fn random_token() -> std::io::Result<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte & 63)])).collect())
}

fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

impl Policy {
    /// Decides about a request.
    pub fn decide(&self, parts: &Parts, peer: Option<IpAddr>) -> Verdict {
        let refuse = |status, detail: &str| Verdict::Refuse(Problem::new(status, detail));
        let host = match host_of(parts) {
            Ok(host) => host,
            Err(detail) => return refuse(StatusCode::BAD_REQUEST, detail),
        };
        let by_token = match self.authenticate(parts) {
            Who::Nobody if self.tries.exhausted(peer) => {
                return refuse(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens");
            }
            who => who,
        };
        let host_ok = host.as_ref().is_none_or(|host| self.knows_host(host.host()));
        if !host_ok && !matches!(by_token, Who::Token) {
            return refuse(StatusCode::FORBIDDEN, "the Host header names another host; see --allow-host");
        }
        let cors = match self.origin(parts, host.as_ref()) {
            Ok(cors) => cors,
            Err(detail) => return refuse(StatusCode::FORBIDDEN, detail),
        };
        if cors.is_none() && is_foreign(&parts.headers) {
            return refuse(StatusCode::FORBIDDEN, "another site may not read this; see --allow-origin");
        }
        let open = matches!(parts.uri.path(), "/" | "/healthz" | "/readyz" | "/favicon.ico")
            || parts.uri.path().starts_with("/assets/")
            || parts.uri.path() == "/api/session" && parts.method == Method::POST
            || parts.method == Method::OPTIONS;
        if self.token.is_some() && !open && matches!(by_token, Who::Nobody) {
            if gave_token(parts) {
                self.tries.bad(peer);
            }
            return refuse(StatusCode::UNAUTHORIZED, "a token is needed");
        }
        Verdict::Pass(cors)
    }

    /// Whether a token is the one in force.
    pub fn accepts(&self, token: &str, peer: Option<IpAddr>) -> bool {
        let good = !self.tries.exhausted(peer) && self.token.as_deref().is_none_or(|own| same(own, token));
        if !good {
            self.tries.bad(peer);
        }
        good
    }

    /// The `Set-Cookie` value of a session.
    pub fn session_cookie(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{}={}; HttpOnly; SameSite=Lax; Path=/{secure}", self.cookie, self.session)
    }

    fn authenticate(&self, parts: &Parts) -> Who {
        let Some(token) = &self.token else { return Who::Open };
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = given
            .and_then(|value| value.split_once(' '))
            .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
        if bearer.is_some_and(|(_, given)| same(given.trim(), token)) {
            return Who::Token;
        }
        if query_token(parts).is_some_and(|given| same(&given, token)) {
            return Who::Token;
        }
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        match pairs.any(|(name, value)| name == self.cookie && same(value, &self.session)) {
            true => Who::Cookie,
            false => Who::Nobody,
        }
    }

    fn knows_host(&self, host: &str) -> bool {
        let bare =
            host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        if bare == "localhost" || bare.ends_with(".localhost") {
            return true;
        }
        match bare.parse::<IpAddr>() {
            Ok(address) if address.to_canonical().is_loopback() || self.any_address => true,
            _ => self.hosts.iter().any(|own| own.eq_ignore_ascii_case(&bare)),
        }
    }

    /// The origin that may read the answer, `None` for our own.
    fn origin(&self, parts: &Parts, host: Option<&Authority>) -> Result<Option<String>, &'static str> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(None) };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else {
            return Err("the Origin header is malformed");
        };
        let own = origin.split_once("://").map(|(_, rest)| rest);
        if own.is_some() && own == host.map(Authority::as_str) {
            return Ok(None);
        }
        let allowed =
            self.origins.iter().any(|allowed| allowed == "*" || allowed.trim_end_matches('/') == origin);
        match allowed {
            true => Ok(Some(origin.to_owned())),
            false => Err("another site may not read this; see --allow-origin"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// No token is in force.
    Open,
    Token,
    Cookie,
    Nobody,
}

/// The host that a request is for; `None` for HTTP/1.0 without one.
fn host_of(parts: &Parts) -> Result<Option<Authority>, &'static str> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err("more than one Host header");
    }
    // An absolute target replaces the header (RFC 9112 § 3.2.2).
    if let Some(authority) = parts.uri.authority() {
        return Ok(Some(authority.clone()));
    }
    let Some(host) = first else {
        return if parts.version == Version::HTTP_10 { Ok(None) } else { Err("no Host header") };
    };
    let malformed = "the Host header is malformed";
    let host = host.to_str().map_err(|_| malformed)?;
    let authority: Authority = host.parse().map_err(|_| malformed)?;
    let bracketed = authority.host().starts_with('[');
    let whole =
        !bracketed || authority.host()[1..].trim_end_matches(']').parse::<std::net::Ipv6Addr>().is_ok();
    if authority.host().is_empty() || host.contains('@') || !whole {
        return Err(malformed);
    }
    Ok(Some(authority))
}

/// Whether a browser says that another site's page makes this request, and not a person's navigation.
fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    matches!(text("sec-fetch-site"), Some("cross-site" | "same-site"))
        && text("sec-fetch-mode") != Some("navigate")
}

fn query_token(parts: &Parts) -> Option<String> {
    let query = parts.uri.query()?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix("token="))?;
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(|value| value.into_owned())
}

fn gave_token(parts: &Parts) -> bool {
    parts.headers.contains_key(header::AUTHORIZATION) || query_token(parts).is_some()
}

/// The headers that every answer has.
pub fn secure(headers: &mut HeaderMap, cors: Option<&str>) {
    const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
    let resource = if cors.is_some() { "cross-origin" } else { "same-origin" };
    for (name, value) in [
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", resource),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(origin) = cors.and_then(|origin| HeaderValue::from_str(origin).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::Request;

    fn policy() -> Policy {
        Policy {
            secure: false,
            hosts: vec!["logs.example".to_owned()],
            any_address: false,
            origins: vec!["https://ok.example".to_owned(), "null".to_owned()],
            token: None,
            session: "session".to_owned(),
            cookie: "logcast-8000".to_owned(),
            tries: Tries::default(),
        }
    }

    fn decide(policy: &Policy, target: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        match policy.decide(&parts, None) {
            Verdict::Pass(_) => 200,
            Verdict::Refuse(problem) => problem.status.as_u16(),
        }
    }

    #[test]
    fn hosts() {
        let policy = policy();
        for (host, expected) in [
            ("localhost", 200),
            ("localhost:9", 200),
            ("a.localhost", 200),
            ("127.0.0.1:8000", 200),
            ("127.9.9.9", 200),
            ("[::1]:8000", 200),
            ("logs.example", 200),
            ("LOGS.example:1", 200),
            ("evil.example", 403),
            ("localhost.evil.example", 403),
            ("10.0.0.1", 403),
            ("[::1", 400),
            ("[zz]", 400),
            ("a b", 400),
            ("", 400),
            ("x@localhost", 400),
        ] {
            assert_eq!(decide(&policy, "/stream-logs", &[("host", host)]), expected, "{host}");
        }
        assert_eq!(decide(&policy, "/", &[]), 400);
        assert_eq!(decide(&policy, "/", &[("host", "localhost"), ("host", "localhost")]), 400);
        assert_eq!(decide(&policy, "http://evil.example/", &[("host", "localhost")]), 403);
    }

    #[test]
    fn origins() {
        let policy = policy();
        for (origin, site, expected) in [
            ("http://localhost:1", "same-origin", 200),
            ("https://ok.example", "cross-site", 200),
            ("null", "cross-site", 200),
            ("http://evil.example", "cross-site", 403),
            ("http://localhost:2", "same-site", 403),
            ("file://", "cross-site", 403),
        ] {
            let headers = [("host", "localhost:1"), ("origin", origin), ("sec-fetch-site", site)];
            assert_eq!(decide(&policy, "/stream-logs", &headers), expected, "{origin}");
        }
        let foreign =
            [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        assert_eq!(decide(&policy, "/stream-logs", &foreign), 403);
        let link = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
        assert_eq!(decide(&policy, "/", &link), 200);
    }

    #[test]
    fn tokens() {
        let mut policy = policy();
        policy.token = Some("secret".to_owned());
        let host = ("host", "localhost");
        let evil = ("host", "evil.example");
        assert_eq!(decide(&policy, "/", &[host]), 200);
        assert_eq!(decide(&policy, "/assets/js/main.js", &[host]), 200);
        assert_eq!(decide(&policy, "/stream-logs", &[host]), 401);
        assert_eq!(decide(&policy, "/stream-logs?token=secret", &[host]), 200);
        assert_eq!(decide(&policy, "/stream-logs?token=secret", &[evil]), 200);
        assert_eq!(decide(&policy, "/stream-logs?token=wrong", &[host]), 401);
        assert_eq!(decide(&policy, "/stream-logs", &[host, ("authorization", "Bearer secret")]), 200);
        assert_eq!(decide(&policy, "/stream-logs", &[host, ("authorization", "Bearer secrets")]), 401);
        assert_eq!(decide(&policy, "/stream-logs", &[host, ("cookie", "a=b; logcast-8000=session")]), 200);
        assert_eq!(decide(&policy, "/stream-logs", &[evil, ("cookie", "logcast-8000=session")]), 403);
    }

    #[test]
    fn wrong_tokens_are_counted() {
        let mut policy = policy();
        policy.token = Some("secret".to_owned());
        let peer = Some(IpAddr::from([127, 0, 0, 1]));
        let tries = (0..50).map(|_| policy.accepts("wrong", peer)).filter(|good| *good).count();
        assert_eq!(tries, 0);
        assert!(policy.tries.exhausted(peer));
        assert!(!policy.accepts("secret", peer));
    }
}
