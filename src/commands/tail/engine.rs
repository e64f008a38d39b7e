//! `tail nats://…`: the stream of an engine as `serve` would serve it, in this process and for nobody else.
//!
//! What a URL of a server gets by HTTP comes here over a pipe in memory, from the same source, filters and cursors. So
//! nothing is lost or doubled through elections and restarts, and a place that is kept is the one that any server gives.

use super::Options;
use crate::commands::http::Here;
use crate::commands::{Failure, talk};
use crate::live::backlog::Backlog;
use crate::live::fed::Fed;
use crate::live::feed::{Hub, Shown};
use crate::live::follow;
use crate::live::source::{State, Status};
use crate::log::source::Spec;
use crate::web;
use jiff::tz::TimeZone;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most that is kept of it on disk while it is printed.
const SPOOL_BYTES: u64 = 1 << 30;
/// How often it is looked whether it has begun.
const LOOK: Duration = Duration::from_millis(10);

/// The stream of an engine.
pub(super) struct Engine {
    /// The server of it.
    pub(super) here: Here,
    /// Whether lines come from several files.
    pub(super) merged: bool,
    spec: Spec,
    begun: Arc<AtomicBool>,
    stop: CancellationToken,
    follower: Option<follow::Handle>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Engine {
    /// The engine of a URL; `None` if it is no engine's.
    ///
    /// # Errors
    /// What is wrong with it (2).
    pub(super) fn of(url: &str) -> Result<Option<Engine>, Failure> {
        let Ok(spec @ Spec::Engine { .. }) = crate::log::source::parse(url.as_ref()) else { return Ok(None) };
        let Spec::Engine { name, .. } = &spec else { return Ok(None) };
        let (shown, merged) = (shown(url)?, name.contains(['*', '>', ',']));
        let hub = Arc::new(Hub::new(Shown { history: false, zone: TimeZone::system(), redact: None }));
        let here = Here { shown, state: Arc::new(web::State::on_loopback(hub)) };
        let (begun, stop) = (Arc::default(), CancellationToken::new());
        Ok(Some(Engine { here, merged, spec, begun, stop, follower: None }))
    }

    /// Begins to read, behind a place that was kept if there is one.
    ///
    /// # Errors
    /// What the engine refuses (1), what is wrong with the options (2).
    pub(super) fn start(&mut self, options: &Options, id: Option<&str>) -> Result<(), Failure> {
        let begun = self.begun.clone();
        let quiet = options.quiet;
        // What it says later comes as notices.
        let say = move |text: &str| talk(quiet || begun.load(Ordering::Relaxed), text);
        let fed = self.fed(options, id, Arc::new(say))?;
        let follow_options = follow::Options {
            poll: None,
            follow: options.follow,
            spool_limit: SPOOL_BYTES,
            tee: None,
            pipes: Vec::new(),
            only_public: false,
            fed: vec![fed],
            talk: Box::new(|_| {}),
        };
        let follower = follow::start(self.here.state.hub.clone(), Vec::new(), follow_options);
        self.follower = Some(follower.map_err(|error| self.failure(&error.to_string()))?);
        Ok(())
    }

    /// Waits until there is something to begin with.
    ///
    /// # Errors
    /// Why there never will be.
    pub(super) async fn ready(&self) -> Result<(), String> {
        loop {
            self.broken()?;
            let stands = |status: Status| status.current.is_some() || status.state == State::Ended;
            if self.here.state.hub.sources().iter().all(|source| stands(source.status())) {
                self.begun.store(true, Ordering::Relaxed);
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What ended it before its end.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn broken(&self) -> Result<(), String> {
        let sources = self.here.state.hub.sources();
        sources.iter().find_map(|source| source.broken().map(str::to_owned)).map_or(Ok(()), Err)
    }

    fn failure(&self, cause: &str) -> Failure {
        Failure::refused(format!("cannot tail '{}': {cause}", self.here.shown))
    }

    #[cfg(feature = "nats")]
    fn fed(
        &self,
        options: &Options,
        id: Option<&str>,
        talk: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Fed, Failure> {
        use crate::nats::{read, url::Url};
        let Spec::Engine { name, url } = &self.spec else { return Err(Failure::usage("no engine")) };
        let wrong = |cause: String| Failure { code: 2, ..self.failure(&cause) };
        let url = Url::parse(url, |name| std::env::var(name).ok()).map_err(wrong)?;
        let history = history(options, id, &self.here.shown)?;
        // Nothing will come of a time that has passed.
        let passed =
            time(options.until.as_deref(), "until").is_some_and(|until| until <= jiff::Timestamp::now());
        let (name, follow, stop) = (name.clone(), options.follow && !passed, self.stop.clone());
        read::fed(read::Options { name, url, follow, history, patient: options.retry, talk, stop })
            .map_err(wrong)
    }

    #[cfg(not(feature = "nats"))]
    fn fed(&self, _: &Options, _: Option<&str>, _: Arc<dyn Fn(&str) + Send + Sync>) -> Result<Fed, Failure> {
        let _ = (&self.spec, Backlog::All);
        Err(Failure { code: 2, ..self.failure("built without NATS") }
            .help("build it with the feature `nats`"))
    }
}

/// The URL for people.
#[cfg(feature = "nats")]
fn shown(url: &str) -> Result<String, Failure> {
    use crate::nats::url::Url;
    let wrong = |cause: String| {
        let shown = crate::commands::plain(&crate::commands::http::without_secrets(url));
        Failure::usage(format!("cannot tail '{shown}': {cause}"))
            .help("logcast tail 'nats://HOST:4222/logs.>'")
    };
    let url = Url::parse(url, |_| None).map_err(wrong)?;
    let filters = url.filters_or_default().map_err(wrong)?.join(",");
    Ok(format!("{}/{filters}", url.place()))
}

#[cfg(not(feature = "nats"))]
fn shown(url: &str) -> Result<String, Failure> {
    Ok(crate::commands::plain(&crate::commands::http::without_secrets(url)))
}

/// A time that was asked for; what is wrong with it is said by who filters by it.
#[cfg(feature = "nats")]
fn time(text: Option<&str>, name: &'static str) -> Option<jiff::Timestamp> {
    let now = jiff::Timestamp::now();
    crate::log::filter::instant(name, text?, now, &TimeZone::system()).ok()
}

/// How much of what is there is to be read.
#[cfg(feature = "nats")]
fn history(options: &Options, id: Option<&str>, shown: &str) -> Result<crate::nats::read::History, Failure> {
    use crate::log::cursor::Cursor;
    use crate::log::encode::named::place_in_message;
    use crate::nats::read::History;
    /// How far clocks may be apart.
    const CLOCKS_MS: u64 = 60_000;
    /// What a line may have on average for the last ones to be found all.
    const LINE_BYTES: u64 = 64 << 10;
    let entry = id.and_then(|id| Cursor::parse(id.as_bytes())?.entries.first().copied());
    if let Some(entry) = entry {
        let (sequence, _) = place_in_message(entry.offset);
        return Ok(History::From { sequence, stored: entry.generation });
    }
    let History::Bytes(served) = History::SERVED else { return Ok(History::SERVED) };
    let since = options.since.as_deref().filter(|_| matches!(options.lines, None | Some(Backlog::All)));
    if let Some(since) = time(since, "since") {
        // A host's clock may be ahead of the engine's, whose time of a message counts here.
        let stored = u64::try_from(since.as_millisecond()).unwrap_or(0).saturating_sub(CLOCKS_MS);
        return Ok(History::Since(stored));
    }
    let filtered = options.level.is_some()
        || [&options.grep, &options.exclude, &options.files].iter().any(|asked| !asked.is_empty());
    Ok(match options.lines {
        Some(Backlog::All) => History::All,
        Some(Backlog::From(_)) => {
            let cause = format!("cannot tail '{shown}': messages have no line numbers");
            return Err(Failure::usage(cause).help("-n N for the last ones, -n all, or --since TIME"));
        }
        Some(Backlog::Last(0)) => History::Bytes(0),
        Some(Backlog::Last(lines)) if !filtered => {
            History::Bytes(lines.saturating_add(16).saturating_mul(LINE_BYTES).min(served))
        }
        None if !filtered => History::Bytes(32 * LINE_BYTES),
        _ => History::SERVED,
    })
}
