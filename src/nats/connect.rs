//! The connection to the engine: made with patience, kept for ever, and with an end to every wait.
//!
//! The client reconnects by itself. What it does not do is done here: the first connection is tried again and each
//! distinct reason told once, a missing permission (which the server tells beside the request, which then only times out)
//! ends the request at once, and every request has an outer time-out, because the client's own does not count while its
//! queue is full.

use super::error::Error;
use super::url::{Auth, Url};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, Message, Request, ServerError};
use bytes::Bytes;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long one try to connect takes at most.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the server is asked whether it is there: one that is cut off is known after two.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How many commands the client keeps while it has no connection. What is published then waits here and is written later,
/// when nobody expects it any more: few.
const QUEUE: usize = 128;
/// The wait between two tries, at first and at most. Half of it is left to chance, so that thousands do not come together.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MOST_WAIT: Duration = Duration::from_secs(10);
/// How many missing permissions are remembered: each is asked for at once by who was refused.
const MOST_DENIED: usize = 64;

/// A wait of this many tries, half of it by chance.
pub fn back_off(tries: u32, first: Duration, most: Duration) -> Duration {
    let whole = first.saturating_mul(1 << tries.min(16)).min(most);
    whole.mul_f64(0.5 + 0.5 * fastrand::f64())
}

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is there again.
    Connected,
    /// It is gone.
    Disconnected,
    /// The user may not do this.
    Denied(Error),
    /// The server, or the client, says something else.
    Other(String),
}

/// A connection. It is kept until this is dropped.
#[derive(Debug)]
pub struct Link {
    client: Client,
    place: String,
    heard: Arc<Heard>,
}

/// What the connection's events told.
#[derive(Debug)]
struct Heard {
    denied: Mutex<VecDeque<(&'static str, String)>>,
    /// Counts what was told; a change is a reason to look.
    told: watch::Sender<u64>,
}

impl Heard {
    fn take_denied(&self, subject: &str) -> Option<Error> {
        let mut denied = self.denied.lock().unwrap_or_else(PoisonError::into_inner);
        let at = denied.iter().position(|(_, own)| own == subject)?;
        denied.remove(at).map(|(verb, subject)| Error::Denied { verb, subject })
    }
}

/// Who hears of a connection's fate.
pub type Listener = Arc<dyn Fn(News) + Send + Sync>;

impl Link {
    /// Connects; one try, of each server that the URL names.
    ///
    /// # Errors
    /// [`Error`]: all of them failed, the last one's reason.
    pub async fn connect(url: &Url, name: &str, listener: Listener) -> Result<Link, Error> {
        let place = url.place();
        let (told, _) = watch::channel(0);
        let heard = Arc::new(Heard { denied: Mutex::default(), told });
        let options = options(url, name, heard.clone(), listener).await?;
        let scheme = if url.tls { "tls" } else { "nats" };
        let mut servers = Vec::new();
        for server in &url.servers {
            let address = format!("{scheme}://{server}").parse::<async_nats::ServerAddr>();
            let unreachable =
                |error: std::io::Error| Error::Unreachable { place: place.clone(), cause: error.to_string() };
            servers.push(address.map_err(unreachable)?);
        }
        let connected = options.connect(&servers[..]).await;
        let client = connected.map_err(|error| refusal(url, &error))?;
        if !client.server_info().jetstream {
            return Err(Error::NoJetStream { place });
        }
        Ok(Link { client, place, heard })
    }

    /// Connects, and tries again for as long as waiting may help; each distinct reason is told once. `None` when stopped.
    ///
    /// # Errors
    /// What somebody has to change.
    pub async fn connect_patiently(
        url: &Url,
        name: &str,
        listener: Listener,
        say: impl Fn(&Error),
        stop: &CancellationToken,
    ) -> Result<Option<Link>, Error> {
        let mut told: Option<Error> = None;
        for tries in 0.. {
            let tried = tokio::select! {
                tried = Link::connect(url, name, listener.clone()) => tried,
                () = stop.cancelled() => return Ok(None),
            };
            match tried {
                Ok(link) => return Ok(Some(link)),
                Err(error) if error.waits() => {
                    if told.as_ref() != Some(&error) {
                        say(&error);
                        told = Some(error);
                    }
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = tokio::time::sleep(back_off(tries, FIRST_WAIT, MOST_WAIT)) => {}
                () = stop.cancelled() => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The client underneath.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where it leads, for people.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether the connection stands.
    pub fn is_up(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The largest payload that the server takes, headers included.
    pub fn max_payload(&self) -> usize {
        self.client.server_info().max_payload
    }

    /// Whether the server is at least this version; false for one that does not tell.
    pub fn is_at_least(&self, major: u64, minor: u64) -> bool {
        version(&self.client.server_info().version).is_some_and(|own| own >= (major, minor))
    }

    /// Sends a request and waits for its answer, at most so long.
    ///
    /// # Errors
    /// [`Error::Denied`] as soon as the server says so; [`Error::Unavailable`] for anything that passes.
    pub async fn request(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Message, Error> {
        let unavailable = |cause: String| Error::Unavailable { cause };
        if !self.is_up() {
            return Err(unavailable("there is no connection".to_owned()));
        }
        // What the last one left behind is not this one's answer.
        while self.heard.take_denied(subject).is_some() {}
        let mut told = self.heard.told.subscribe();
        let mut request = Request::new().payload(payload).timeout(Some(timeout));
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let sent = self.client.send_request(subject.to_owned(), request);
        tokio::pin!(sent);
        let ends = tokio::time::sleep(timeout + timeout / 4);
        tokio::pin!(ends);
        loop {
            tokio::select! {
                answer = &mut sent => return answer.map_err(|error| match error.kind() {
                    async_nats::RequestErrorKind::NoResponders => unavailable("nobody answers for it now".to_owned()),
                    async_nats::RequestErrorKind::MaxPayloadExceeded => Error::TooLarge { cause: error.to_string() },
                    async_nats::RequestErrorKind::TimedOut => unavailable("no answer in time".to_owned()),
                    _ => unavailable(error.to_string()),
                }),
                () = &mut ends => return Err(unavailable("no answer in time".to_owned())),
                changed = told.changed() => {
                    if changed.is_err() {
                        return Err(unavailable("the connection was closed".to_owned()));
                    }
                    if let Some(denied) = self.heard.take_denied(subject) {
                        return Err(denied);
                    }
                }
            }
        }
    }
}

async fn options(
    url: &Url,
    name: &str,
    heard: Arc<Heard>,
    listener: Listener,
) -> Result<ConnectOptions, Error> {
    // The process may hold more than one provider's code; ours is ring's.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let again = AtomicBool::new(false);
    let mut options = ConnectOptions::new()
        .name(name)
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_EVERY)
        .client_capacity(QUEUE)
        .require_tls(url.tls)
        .reconnect_delay_callback(move |tries| match again.swap(true, Ordering::Relaxed) {
            // It delays the very first try too.
            false => Duration::ZERO,
            true => back_off(tries.min(32) as u32, FIRST_WAIT / 2, MOST_WAIT),
        })
        .event_callback(move |event| {
            hear(event, &heard, &*listener);
            std::future::ready(())
        });
    match &url.auth {
        Auth::None => {}
        Auth::Token(token) => options = options.token(token.reveal().to_owned()),
        Auth::User { name, password } => {
            options = options.user_and_password(name.clone(), password.reveal().to_owned());
        }
    }
    let file = |path: &Path, cause: String| Error::File { path: path.display().to_string(), cause };
    let text = |path: &Path| std::fs::read_to_string(path).map_err(|error| file(path, error.to_string()));
    if let Some(path) = &url.creds {
        let creds = text(path)?;
        options =
            options.credentials(&creds).map_err(|_| file(path, "it holds no credentials".to_owned()))?;
    }
    if let Some(path) = &url.nkey {
        let seed = text(path)?;
        let seed = seed.split_whitespace().find(|word| word.starts_with("SU"));
        let seed = seed.ok_or_else(|| file(path, "it holds no user's nkey seed (SU…)".to_owned()))?;
        options = options.nkey(seed.to_owned());
    }
    if let Some(path) = &url.ca {
        text(path)?;
        options = options.add_root_certificates(path.clone());
    }
    if let (Some(cert), Some(key)) = (&url.cert, &url.key) {
        text(cert)?;
        text(key)?;
        options = options.add_client_certificate(cert.clone(), key.clone());
    }
    Ok(options)
}

fn hear(event: Event, heard: &Heard, listener: &(dyn Fn(News) + Send + Sync)) {
    let news = match event {
        Event::Connected => News::Connected,
        Event::Disconnected => News::Disconnected,
        Event::ServerError(ServerError::Other(text)) => match denied(&text) {
            Some((verb, subject)) => {
                let mut denied = heard.denied.lock().unwrap_or_else(PoisonError::into_inner);
                if denied.len() == MOST_DENIED {
                    denied.pop_front();
                }
                denied.push_back((verb, subject.clone()));
                News::Denied(Error::Denied { verb, subject })
            }
            None => News::Other(text),
        },
        other => News::Other(other.to_string()),
    };
    heard.told.send_modify(|told| *told += 1);
    listener(news);
}

/// Which permission is missing, as a server says it: `Permissions Violation for Publish to "logs.x"`.
fn denied(text: &str) -> Option<(&'static str, String)> {
    let rest = text.trim_matches('\'').strip_prefix("Permissions Violation for ")?;
    let (verb, rest) = match rest.strip_prefix("Publish to ") {
        Some(rest) => ("publish to", rest),
        None => ("subscribe to", rest.strip_prefix("Subscription to ")?),
    };
    let subject = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()).unwrap_or(rest);
    Some((verb, subject.chars().take(512).collect()))
}

/// What a connection that failed means. The reasons of TLS are only in the text of the errors beneath.
fn refusal(url: &Url, error: &async_nats::ConnectError) -> Error {
    let place = url.place();
    let (mut text, mut source) = (format!("{error:?}"), std::error::Error::source(error));
    let mut cause = error.to_string();
    while let Some(inner) = source {
        text += &format!(" {inner:?} {inner}");
        cause = inner.to_string();
        source = inner.source();
    }
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["UnknownIssuer"]) {
        return Error::UnknownIssuer { place };
    }
    if has(&["CertificateRequired", "BadCertificate"]) && url.cert.is_none() {
        return Error::CertificateWanted { place };
    }
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            Error::Refused { place, user: url.user().map(str::to_owned) }
        }
        _ if has(&["authentication error", "Authorization Violation"]) => {
            Error::Refused { place, user: url.user().map(str::to_owned) }
        }
        ConnectErrorKind::Tls => Error::Tls { place, cause },
        _ if has(&["InvalidCertificate", "AlertReceived", "InvalidMessage"]) => Error::Tls { place, cause },
        ConnectErrorKind::TimedOut => Error::Unreachable { place, cause: "no answer in time".to_owned() },
        _ => Error::Unreachable { place, cause },
    }
}

/// Major and minor of a version like `2.10.4` or `2.11.0-RC.1`.
fn version(text: &str) -> Option<(u64, u64)> {
    let mut parts = text.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_permission_is_understood() {
        for (text, expected) in [
            ("Permissions Violation for Publish to \"logs.a\"", Some(("publish to", "logs.a"))),
            ("Permissions Violation for Subscription to \"x.>\"", Some(("subscribe to", "x.>"))),
            (
                "Permissions Violation for Subscription to \"x\" using queue \"q\"",
                Some(("subscribe to", "x")),
            ),
            ("Permissions Violation for ", None),
            ("Stale Connection", None),
        ] {
            let expected = expected.map(|(verb, subject)| (verb, subject.to_owned()));
            assert_eq!(denied(text), expected, "{text}");
        }
    }

    #[test]
    fn waits_grow_to_their_most_and_differ() {
        for tries in 0..40 {
            let wait = back_off(tries, FIRST_WAIT, MOST_WAIT);
            assert!(wait >= FIRST_WAIT / 2 && wait <= MOST_WAIT, "{tries}: {wait:?}");
        }
        let waits: Vec<Duration> = (0..8).map(|_| back_off(9, FIRST_WAIT, MOST_WAIT)).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }

    #[test]
    fn versions() {
        assert_eq!(version("2.10.4"), Some((2, 10)));
        assert_eq!(version("2.11-RC"), Some((2, 11)));
        assert_eq!(version(""), None);
    }
}
