//! The beginning: the connection, the stream, and what a person should know of both.

use super::{FIRST_WAIT, Failed, MOST_WAIT, ONCE_PATIENCE, Options};
use crate::nats::connect::{Link, Listener, News, back_off};
use crate::nats::error::Error;
use crate::nats::stream::{Stream, Wanted};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a cluster that just started may take to know its servers.
const CLUSTER_PATIENCE: Duration = Duration::from_secs(10);

/// The connection; with `once` one try.
pub(super) async fn link(options: &Options, stop: &CancellationToken) -> Result<Option<Link>, Failed> {
    let say = options.say.clone();
    let (lost, refused) = (AtomicBool::new(false), AtomicBool::new(false));
    let place = options.url.place();
    let listener: Listener = Arc::new(move |news| match news {
        News::Disconnected if !lost.swap(true, Ordering::Relaxed) => {
            say(&format!("warning: the connection to {place} is lost; lines wait in their files"));
        }
        News::Connected if lost.swap(false, Ordering::Relaxed) => {
            refused.store(false, Ordering::Relaxed);
            say(&format!("{place} is there again"));
        }
        News::Other(text)
            if text.to_lowercase().contains("authorization") && !refused.swap(true, Ordering::Relaxed) =>
        {
            say(&format!(
                "warning: {place} refuses these credentials now; retrying, lines wait in their files"
            ));
        }
        _ => {}
    });
    let name = format!("logcast ship on {}", options.host);
    let connected = match options.once {
        true => Link::connect(&options.url, &name, listener).await.map(Some),
        false => {
            let told = |error: &Error| {
                (options.say)(&format!("warning: {error}; retrying, lines wait in their files"))
            };
            Link::connect_patiently(&options.url, &name, listener, told, stop).await
        }
    };
    connected.map_err(Failed::Engine)
}

/// The stream, once it can be opened.
pub(super) async fn stream(
    link: &Arc<Link>,
    wanted: &Wanted,
    options: &Options,
    stop: &CancellationToken,
) -> Result<Option<Stream>, Failed> {
    let began = Instant::now();
    let mut told = false;
    for tries in 0.. {
        let opened = tokio::select! {
            opened = Stream::open(link.clone(), wanted) => opened,
            () = stop.cancelled() => return Ok(None),
        };
        match opened {
            Ok(stream) => return Ok(Some(stream)),
            // A cluster that just began knows too few of its servers yet.
            Err(Error::Api { code: 10005, .. }) if began.elapsed() < CLUSTER_PATIENCE => {}
            Err(Error::Api { code: 10005 | 10074, cause }) => {
                let help = "--replicas 1, or start as many servers as there are to be replicas".to_owned();
                let name = wanted.usual.clone();
                return Err(Failed::Engine(Error::Unfit { stream: name, cause, help }));
            }
            Err(error) if error.waits() && (!options.once || began.elapsed() < ONCE_PATIENCE) => {
                if tries > 2 && !std::mem::replace(&mut told, true) {
                    (options.say)(&format!("warning: {error}; retrying, lines wait in their files"));
                }
            }
            Err(error) => return Err(Failed::Engine(error)),
        }
        tokio::select! {
            () = tokio::time::sleep(back_off(tries, FIRST_WAIT, MOST_WAIT)) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
    Ok(None)
}

/// Says what was made, and what to know of the stream.
pub(super) fn tell(stream: &Stream, options: &Options, link: &Link) {
    let config = &stream.info.config;
    if stream.made {
        let subjects = config.subjects.join(", ");
        (options.say)(&format!(
            "made stream {} for {subjects}, {} replica{}",
            stream.name,
            config.num_replicas,
            if config.num_replicas == 1 { "" } else { "s" }
        ));
    }
    if config.num_replicas > 1 && !link.is_at_least(2, 11) {
        (options.say)(
            "warning: this server is older than 2.11: let only one logcast ship a file, lines of two may be doubled",
        );
    }
}
