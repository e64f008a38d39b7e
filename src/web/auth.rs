//! The one gate before every route: who may ask, from where, and for which host.
//!
//! Walls, in order: a `Host` that is ours (DNS rebinding), an `Origin` that is ours or allowed, fetch metadata
//! (another site's page), a token or a login where one is in force. The decision is a plain function of what the
//! request says ([`Policy::decide`]); what it needs beside is the process's secret and a count of bad tries.

use super::asker::{Asker, Proxies};
use super::people::{Login, People};
use super::problem::Problem;
use super::tries::Tries;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use subtle::ConstantTimeEq;
use warp::http::request::Parts;
use warp::http::uri::Authority;
use warp::http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

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
    /// One that opens a single session: the browser that we start has it among its arguments, which others may read.
    pub once: Mutex<Option<String>>,
    /// The value of the cookie that a token is exchanged for; dies with the process.
    pub session: String,
    /// The cookie's name. It holds the port, since cookies ignore ports.
    pub cookie: String,
    /// People who have passwords, where some have.
    pub people: Option<People>,
    /// Whether on loopback only the server's own user may read: no token is in force, but a log is in a closed folder.
    pub own_only: bool,
    /// The path below which everything is, without a slash at its end; empty for all.
    pub base: String,
    /// Proxies that are believed.
    pub proxies: Proxies,
    /// Bad tries by address.
    pub tries: Tries,
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
    pub fn decide(&self, parts: &Parts, asker: &Asker, login: &Login) -> Verdict {
        let refuse = |status, detail: &str| Verdict::Refuse(Problem::new(status, detail));
        let host = match host_of(parts, asker) {
            Ok(host) => host,
            Err(detail) => return refuse(StatusCode::BAD_REQUEST, detail),
        };
        let who = self.authenticate(parts, asker, login);
        let host_ok = host.as_ref().is_none_or(|host| self.knows_host(host.host()));
        if !host_ok && !matches!(who, Who::Proved) {
            return refuse(StatusCode::FORBIDDEN, "the Host header names another host; see --allow-host");
        }
        let cors = match self.origin(parts, asker, host.as_ref()) {
            Ok(cors) => cors,
            Err(detail) => return refuse(StatusCode::FORBIDDEN, detail),
        };
        if cors.is_none() && is_foreign(&parts.headers) {
            return refuse(StatusCode::FORBIDDEN, "another site may not read this; see --allow-origin");
        }
        match who {
            Who::Nobody if !self.is_open(parts) => Verdict::Refuse(self.unknown(parts, asker, login)),
            _ => Verdict::Pass(cors),
        }
    }

    /// What needs no token: the page asks for it, and what is in it is no secret. Names and passwords are asked for by the
    /// browser itself, at the page.
    fn is_open(&self, parts: &Parts) -> bool {
        let path = parts.uri.path();
        let page = path == "/" && self.people.is_none() && self.token.is_some();
        page || matches!(path, "/healthz" | "/readyz" | "/favicon.ico")
            || path.starts_with("/assets/")
            || path == "/api/session" && parts.method == Method::POST
            || parts.method == Method::OPTIONS
    }

    /// What somebody is told who has proved nothing; a bad try counts.
    fn unknown(&self, parts: &Parts, asker: &Asker, login: &Login) -> Problem {
        let throttled = || {
            let why = "too many wrong tokens or passwords";
            Problem { retry_after: Some(1), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, why) }
        };
        match login {
            Login::Throttled => return throttled(),
            Login::Busy => {
                return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many passwords are being checked");
            }
            Login::None | Login::Bad | Login::Good(_) => {}
        }
        if *login == Login::None && gave_token(parts) {
            if self.tries.exhausted(asker.peer) {
                return throttled();
            }
            self.tries.bad(asker.peer);
        }
        if self.own_only {
            let why = "a log is in a folder that only its user may enter; see --token and --no-auth";
            return Problem::new(StatusCode::FORBIDDEN, why);
        }
        let what = match (&self.token, &self.people) {
            (_, None) => "a token is needed",
            (None, _) => "a name and a password are needed",
            (Some(_), Some(_)) => "a token, or a name and a password, are needed",
        };
        Problem::new(StatusCode::UNAUTHORIZED, what)
    }

    /// What a refusal asks for (RFC 9110 § 11.6.1). What a page's script asks is not asked back: the browser would.
    pub fn challenge(&self, headers: &HeaderMap) -> HeaderValue {
        let mode = headers.get("sec-fetch-mode").and_then(|mode| mode.to_str().ok());
        match self.people.is_some() && mode.is_none_or(|mode| mode == "navigate") {
            true => HeaderValue::from_static("Basic realm=\"logcast\", charset=\"UTF-8\""),
            false => HeaderValue::from_static("Bearer realm=\"logcast\""),
        }
    }

    /// Whether a token is the one in force.
    pub fn accepts(&self, token: &str, peer: Option<IpAddr>) -> bool {
        let right = || match &self.token {
            Some(own) => same(own, token) || self.takes_once(token),
            None => self.people.is_none() && !self.own_only,
        };
        let good = !self.tries.exhausted(peer) && right();
        if !good {
            self.tries.bad(peer);
        }
        good
    }

    fn takes_once(&self, token: &str) -> bool {
        let mut once = self.once.lock().unwrap_or_else(PoisonError::into_inner);
        let right = once.as_deref().is_some_and(|own| same(own, token));
        if right {
            *once = None;
        }
        right
    }

    /// The `Set-Cookie` value of a session.
    pub fn session_cookie(&self, asker: &Asker) -> String {
        let secure = if asker.secure { "; Secure" } else { "" };
        format!("{}={}; HttpOnly; SameSite=Lax; Path={}/{secure}", self.cookie, self.session, self.base)
    }

    fn authenticate(&self, parts: &Parts, asker: &Asker, login: &Login) -> Who {
        if self.token.is_none() && self.people.is_none() {
            return if self.own_only && !asker.own { Who::Nobody } else { Who::Open };
        }
        if matches!(login, Login::Good(_)) {
            return Who::Proved;
        }
        let Some(token) = &self.token else { return Who::Nobody };
        let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let has_cookie = !self.session.is_empty()
            && pairs.any(|(name, value)| name == self.cookie && same(value, &self.session));
        // Who has tried too often is not told whether this one is right.
        if gave_token(parts) && !self.tries.exhausted(asker.peer) {
            let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let bearer = given
                .and_then(|value| value.split_once(' '))
                .filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
            let by_header = bearer.is_some_and(|(_, given)| same(given.trim(), token));
            if by_header || query_token(parts).is_some_and(|given| same(&given, token)) {
                return Who::Proved;
            }
        }
        if has_cookie { Who::Cookie } else { Who::Nobody }
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
    fn origin(
        &self,
        parts: &Parts,
        asker: &Asker,
        host: Option<&Authority>,
    ) -> Result<Option<String>, &'static str> {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Ok(None) };
        let (Ok(origin), None) = (origin.to_str(), origins.next()) else {
            return Err("the Origin header is malformed");
        };
        // Over TLS the same host without it is another origin; a proxy that is not trusted may have taken TLS off.
        let own = origin.split_once("://").filter(|(scheme, _)| *scheme == "https" || !asker.secure);
        if own.is_some_and(|(_, own)| host.is_some_and(|host| host.as_str() == own)) {
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
    /// Nothing has to be proved.
    Open,
    /// By a token or a password with the request, which a browser sends only to the host where they were typed.
    Proved,
    Cookie,
    Nobody,
}

/// The host that a request is for; `None` for HTTP/1.0 without one.
fn host_of(parts: &Parts, asker: &Asker) -> Result<Option<Authority>, &'static str> {
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
    let host = asker.host.as_deref().unwrap_or(host);
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
            people: None,
            own_only: false,
            base: String::new(),
            proxies: Proxies::default(),
            hosts: vec!["logs.example".to_owned()],
            any_address: false,
            origins: vec!["https://ok.example".to_owned(), "null".to_owned()],
            token: None,
            once: Mutex::default(),
            session: "session".to_owned(),
            cookie: "logcast-8000".to_owned(),
            tries: Tries::default(),
        }
    }

    fn decide(policy: &Policy, target: &str, headers: &[(&str, &str)]) -> u16 {
        decide_for(policy, &Asker::default(), &Login::None, target, headers)
    }

    fn decide_for(
        policy: &Policy,
        asker: &Asker,
        login: &Login,
        target: &str,
        headers: &[(&str, &str)],
    ) -> u16 {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = request.body(()).unwrap().into_parts().0;
        match policy.decide(&parts, asker, login) {
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
        // A guess is not looked at, be it right; who has a cookie gets on.
        let asker = Asker { peer, ..Asker::default() };
        let ask = |headers: &[(&str, &str)]| {
            let headers = [&[("host", "localhost")], headers].concat();
            decide_for(&policy, &asker, &Login::None, "/stream-logs", &headers)
        };
        assert_eq!(ask(&[("authorization", "Bearer secret")]), 429);
        assert_eq!(ask(&[("cookie", "logcast-8000=session")]), 200);
        assert_eq!(ask(&[("cookie", "logcast-8000=session"), ("authorization", "Bearer wrong")]), 200);
        assert_eq!(ask(&[]), 401);
    }

    #[test]
    fn a_token_that_is_good_once() {
        let mut policy = policy();
        policy.token = Some("secret".to_owned());
        policy.once = Mutex::new(Some("door".to_owned()));
        // For a session, and for nothing else.
        assert_eq!(decide(&policy, "/stream-logs?token=door", &[("host", "localhost")]), 401);
        assert!(!policy.accepts("doors", None) && policy.accepts("door", None));
        assert!(!policy.accepts("door", None) && policy.accepts("secret", None));
    }

    #[test]
    fn a_name_and_a_password() {
        let mut policy = policy();
        policy.people = Some(People::new(Vec::new(), b"secret"));
        let host = [("host", "localhost")];
        let ask = |policy: &Policy, login: &Login, target: &str| {
            decide_for(policy, &Asker::default(), login, target, &host)
        };
        let good = Login::Good("eva".into());
        for target in ["/", "/stream-logs", "/metrics", "/raw/f"] {
            assert_eq!(ask(&policy, &Login::None, target), 401, "{target}");
            assert_eq!(ask(&policy, &Login::Bad, target), 401, "{target}");
            assert_eq!(ask(&policy, &Login::Throttled, target), 429, "{target}");
            assert_eq!(ask(&policy, &Login::Busy, target), 503, "{target}");
            assert_eq!(ask(&policy, &good, target), 200, "{target}");
        }
        assert_eq!(ask(&policy, &Login::None, "/healthz"), 200);
        // No token is in force: none is good, nor is a session that one is exchanged for.
        assert!(!policy.accepts("", None));
        assert_eq!(decide(&policy, "/stream-logs", &[host[0], ("cookie", "logcast-8000=session")]), 401);
        policy.token = Some("secret".to_owned());
        assert_eq!(ask(&policy, &Login::None, "/stream-logs?token=secret"), 200);
        assert_eq!(ask(&policy, &Login::None, "/"), 401);
        let challenge = |mode: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            mode.map(|mode| headers.insert("sec-fetch-mode", HeaderValue::from_static(mode)));
            policy.challenge(&headers).to_str().unwrap().split(' ').next().unwrap().to_owned()
        };
        assert_eq!(
            [challenge(None), challenge(Some("navigate")), challenge(Some("cors"))],
            ["Basic", "Basic", "Bearer"]
        );
    }

    #[test]
    fn other_users_of_the_machine() {
        let mut policy = policy();
        policy.own_only = true;
        let own = Asker { own: true, ..Asker::default() };
        for (target, expected) in [("/", 403), ("/stream-logs", 403), ("/api/files", 403), ("/healthz", 200)]
        {
            let host = [("host", "localhost")];
            assert_eq!(decide(&policy, target, &host), expected, "{target}");
            assert_eq!(decide_for(&policy, &own, &Login::None, target, &host), 200, "{target}");
        }
        assert!(!policy.accepts("", None));
        let evil = [("host", "evil.example")];
        assert_eq!(decide_for(&policy, &own, &Login::None, "/stream-logs", &evil), 403);
    }

    #[test]
    fn what_a_proxy_forwards() {
        let policy = policy();
        let asker = Asker { secure: true, host: Some("logs.example".to_owned()), ..Asker::default() };
        let ask = |asker: &Asker, headers: &[(&str, &str)]| {
            decide_for(&policy, asker, &Login::None, "/stream-logs", headers)
        };
        let local = ("host", "127.0.0.1:8000");
        assert_eq!(ask(&asker, &[local, ("origin", "https://logs.example")]), 200);
        assert_eq!(ask(&asker, &[local, ("origin", "http://logs.example")]), 403);
        assert_eq!(ask(&Asker::default(), &[local, ("origin", "https://logs.example")]), 403);
        let evil = Asker { host: Some("evil.example".to_owned()), ..Asker::default() };
        assert_eq!(ask(&evil, &[local]), 403);
        let broken = Asker { host: Some("a b".to_owned()), ..Asker::default() };
        assert_eq!(ask(&broken, &[local]), 400);
        assert!(policy.session_cookie(&asker).ends_with("; Path=/; Secure"));
        assert!(policy.session_cookie(&Asker::default()).ends_with("; Path=/"));
    }
}
