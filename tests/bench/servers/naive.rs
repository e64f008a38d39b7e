//! The naive design, for comparison only: one `warp::sse::Event` for each line and client over tokio's broadcast
//! channel, served by `warp::serve`, as warp's own chat example does it.
//!
//! Left to itself it loses lines: a slow receiver lags. For the cost of a delivered line its reader is made to wait
//! for the slowest client, which is more than the design gives; how much it loses is measured without that.

use super::{Bell, announce};
use anyhow::Result;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};
use warp::Filter;
use warp::sse::Event;

/// Lines in the channel.
const CAPACITY: usize = 4096;

/// What happens when a client is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slow {
    /// The reader waits for it.
    Waits,
    /// It loses lines.
    Loses,
}

/// A line with its id.
type Line = Arc<(String, String)>;

/// Serves the file until it is killed.
pub(crate) fn run(path: &Path, slow: Slow) -> Result<()> {
    let (sender, _) = channel::<Line>(CAPACITY);
    let (file, bell) = (File::open(path)?, Bell::on(path)?);
    let lines = sender.clone();
    std::thread::spawn(move || read(file, &bell, &lines, slow));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?)?;
        let route = warp::path("stream-logs").and(warp::get()).map(move || {
            let receiver = sender.subscribe();
            warp::sse::reply(warp::sse::keep_alive().stream(events(receiver)))
        });
        warp::serve(route).incoming(listener).run().await;
        Ok(())
    })
}

fn events(
    receiver: Receiver<Line>,
) -> impl futures_util::Stream<Item = Result<Event, std::convert::Infallible>> + Send + 'static {
    futures_util::stream::unfold((receiver, true), |(mut receiver, first)| async move {
        if first {
            return Some((Ok(Event::default().comment("")), (receiver, false)));
        }
        loop {
            match receiver.recv().await {
                Ok(line) => {
                    let event = Event::default().id(line.0.clone()).data(line.1.clone());
                    return Some((Ok(event), (receiver, false)));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}

fn read(mut file: File, bell: &Bell, sender: &Sender<Line>, slow: Slow) -> Result<()> {
    let mut offset = file.seek(SeekFrom::End(0))?;
    let mut file = BufReader::new(file);
    let mut line = String::new();
    loop {
        offset += file.read_line(&mut line)? as u64;
        if !line.ends_with('\n') {
            bell.wait()?;
            continue;
        }
        while slow == Slow::Waits && sender.len() >= CAPACITY / 2 {
            std::thread::sleep(Duration::from_micros(50));
        }
        let id = format!("eTJq6bHbKHkEtM6bHbKHkE{offset:05}");
        let _ = sender.send(Arc::new((id, line.trim_end().to_owned())));
        line.clear();
    }
}
