//! The reader of an event stream behind `logcast check URL`.
//!
//! A stream that is cut is asked for again from the place after the last whole block.

use super::{LOOK, Options, Stop, Verdict};
use crate::commands::http::events::{Block, Reader as Blocks, is_id};
use crate::commands::http::kept::Kept;
use crate::commands::http::{self, Address, NoAnswer};
use crate::commands::{Failure, plain};
use crate::live::client::MANY_FILES;
use hyper::body::Incoming;
use hyper::{StatusCode, header};
use serde_json::Value;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The wait before a cut stream is asked for again.
const RETRY: Duration = Duration::from_millis(300);

/// Whether a text is meant as a URL.
pub(super) fn is_url(text: &str) -> bool {
    text.starts_with("unix:") || ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

/// The stream that a URL means.
///
/// # Errors
/// What is wrong with it.
pub(super) fn address(url: &str, options: &Options) -> Result<Address, Failure> {
    let mut address = Address::parse(url)
        .map_err(|(cause, help)| {
            let shown = http::without_secrets(url);
            Failure::usage(format!("cannot check '{shown}': {cause}")).help(help)
        })?
        .route("stream-logs");
    address.token = address.token.or_else(|| options.token.clone());
    address.login.clone_from(&options.user);
    address.fingerprint = options.fingerprint;
    Ok(address)
}

/// Reads events until the stream has ended, was silent for too long, or brought as many lines as wished.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn read(
    address: &Address,
    options: &Options,
    stop: &Stop,
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let (kept, last_line) = (Kept::default(), Instant::now());
    let read = runtime.block_on(Reader { address, options, stop, verdict, kept, last_line }.all());
    // A name that is still looked up must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    read
}

struct Reader<'a> {
    address: &'a Address,
    options: &'a Options,
    stop: &'a Stop,
    verdict: &'a mut Verdict,
    kept: Kept,
    last_line: Instant,
}

impl Reader<'_> {
    async fn all(mut self) -> Result<(), Failure> {
        let mut first = true;
        while !self.stop.is_set() {
            let connected = tokio::select! {
                connected = self.connect() => connected,
                () = stopped(self.stop) => return Ok(()),
            };
            match connected {
                Ok(None) => return Ok(()),
                Ok(Some(body)) => {
                    first = false;
                    if self.events(body).await {
                        return Ok(());
                    }
                }
                Err((failure, for_good)) if first || for_good => return Err(failure),
                Err(_) => {}
            }
            if self.last_line.elapsed() >= self.options.idle {
                return Ok(());
            }
            sleep(RETRY).await;
        }
        Ok(())
    }

    /// Asks for the stream; `None` if there is no more of it. An error says whether it is for good.
    async fn connect(&self) -> Result<Option<Incoming>, (Failure, bool)> {
        let mut headers = vec![("accept", "text/event-stream"), ("user-agent", "logcast-check")];
        let id = self.kept.text();
        if let Some(id) = &id {
            headers.push(("last-event-id", id));
        }
        let failure =
            |cause: &str| Failure::refused(format!("cannot read '{}': {cause}", self.address.shown()));
        let mut response = http::get(self.address, &headers).await.map_err(|NoAnswer { cause, help }| {
            let failure = failure(&cause);
            (help.map_or(failure.clone(), |help| failure.help(help)), false)
        })?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_stream = kind.is_some_and(|kind| kind.starts_with("text/event-stream"));
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::OK if is_stream => Ok(Some(response.into_body())),
            StatusCode::OK => {
                let failure = failure("the answer is no event stream");
                Err((failure.help("give the URL that logcast serve printed"), true))
            }
            StatusCode::UNAUTHORIZED => {
                let failure = failure("it needs another token");
                Err((
                    failure.help("copy the URL that logcast serve printed, or give --token or --user"),
                    true,
                ))
            }
            status => {
                let body = http::small(response.body_mut()).await;
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let detail =
                    body["detail"].as_str().map_or(String::new(), |text| format!(": {}", plain(text)));
                Err((failure(&format!("the server says '{status}'{detail}")), !status.is_server_error()))
            }
        }
    }

    /// Reads events until the stream is cut; true if the check is over.
    async fn events(&mut self, mut body: Incoming) -> bool {
        let mut blocks = Blocks::default();
        loop {
            if self.is_over() {
                return true;
            }
            match timeout(LOOK, http::next(&mut body)).await {
                Err(_) => {}
                Ok(Ok(Some(bytes))) => {
                    // What comes after the last line that is wished for does not count.
                    let fed = blocks.feed(&bytes, |block| {
                        if !self.has_enough() {
                            self.take(block);
                        }
                    });
                    if fed.is_err() {
                        return true;
                    }
                }
                Ok(Ok(None) | Err(_)) => return self.is_over(),
            }
        }
    }

    fn has_enough(&self) -> bool {
        self.options.count.is_some_and(|count| self.verdict.numbered >= count)
    }

    fn is_over(&self) -> bool {
        self.has_enough() || self.stop.is_set() || self.last_line.elapsed() >= self.options.idle
    }

    fn take(&mut self, block: Block<'_>) {
        if let Some(id) = block.id.filter(|id| is_id(id)) {
            self.kept.take(&String::from_utf8_lossy(id));
        }
        match (block.name, block.data) {
            (b"", Some(text)) => {
                self.last_line = Instant::now();
                self.verdict.line(text);
            }
            (b"gap", Some(data)) => {
                let text = String::from_utf8_lossy(data);
                match serde_json::from_str::<Value>(&text).unwrap_or_default()["reason"] == MANY_FILES {
                    true => self.kept.told_all(),
                    false => self.verdict.gap(&text),
                }
            }
            _ => {}
        }
    }
}

async fn stopped(stop: &Stop) {
    while !stop.is_set() {
        sleep(LOOK).await;
    }
}
