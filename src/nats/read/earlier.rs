//! What a stream holds before a source's spool: read once more, when a client's cursor asks for it, into a spool of its own.
//!
//! On a connection of its own, so that a live reader is not held up; bounded in bytes and in time.

use super::Options;
use super::consumer::{Consumer, Item};
use super::lines::{Joiner, origin};
use crate::live::fed::{Feed, Identity, Writer};
use crate::live::streamed::Engine;
use crate::log::segment::Segment;
use crate::nats::connect::Link;
use crate::nats::error::Error;
use crate::nats::stream::{Stream, Wanted};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The most that is fetched, in bytes: what a client's cursor may lie behind the spool.
const MAX_FETCH: u64 = 1 << 30;
/// How long a fetch takes at most: a GiB comes in some seconds, and a browser waits for as long.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Fetches what is older than the spool.
pub(super) struct Earlier {
    options: Options,
    filters: Vec<String>,
    feed: Feed,
    identity: Identity,
}

impl fmt::Debug for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Earlier").field("filters", &self.filters).finish_non_exhaustive()
    }
}

impl Earlier {
    pub(super) fn new(options: &Options, filters: &[String], feed: &Feed, identity: Identity) -> Earlier {
        Earlier { options: options.clone(), filters: filters.to_vec(), feed: feed.clone(), identity }
    }

    async fn read(&self, from: u64, before: u64) -> Result<Segment, io::Error> {
        let name = format!("logcast serve {} (earlier)", self.options.name);
        let other = |error: Error| io::Error::other(error.to_string());
        let link = Link::connect(&self.options.url, &name, Arc::new(|_| {})).await.map_err(other)?;
        let link = Arc::new(link);
        let wanted = Wanted {
            name: self.options.url.stream.clone(),
            usual: self.filters[0].split('.').next().unwrap_or_default().to_owned(),
            filter: self.filters[0].clone(),
            create: None,
        };
        let stream = Stream::find_to_read(link.clone(), &wanted).await.map_err(other)?;
        let stream =
            stream.filter(|stream| stream.info.state.first_seq <= from).ok_or(io::ErrorKind::NotFound)?;
        let identity = Identity { start: from, ..self.identity };
        let mut writer = self.feed.clone().keeping(MAX_FETCH + MAX_FETCH / 8).write(identity)?;
        let mut consumer = Consumer::create(link, &stream.name, &self.filters, from).await.map_err(other)?;
        let mut joiner = Joiner::default();
        if consumer.pending == 0 {
            return writer.into_segment();
        }
        loop {
            let Item::Message(received) = consumer.next().await.map_err(other)? else { continue };
            // One that comes before its turn is a server's that lags; what was asked for follows.
            if (from..before).contains(&received.sequence) {
                self.keep(&mut writer, &mut joiner, &received)?;
            }
            if received.sequence + 1 >= before || received.pending == 0 {
                return writer.into_segment();
            }
        }
    }

    fn keep(&self, writer: &mut Writer, joiner: &mut Joiner, received: &super::Received) -> io::Result<()> {
        let body = received.head.body(&received.payload).unwrap_or_default();
        let lines = joiner.take(&received.subject, &received.head, &body);
        let place = (received.sequence, received.stored);
        writer.message(place, Some(&origin(&received.subject, &received.head)), lines.lead, &lines.bytes)?;
        // More than may be kept: the oldest, which were asked for, would go first.
        if writer.written() > MAX_FETCH { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
    }
}

impl Engine for Earlier {
    fn fetch(&self, from: u64, before: u64) -> io::Result<Segment> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let read =
            || runtime.block_on(async { tokio::time::timeout(FETCH_TIMEOUT, self.read(from, before)).await });
        // A thread of its own: this one may belong to a runtime.
        let read = std::thread::scope(|scope| scope.spawn(read).join());
        read.map_err(|_| io::Error::other("the fetch failed"))?.map_err(io::Error::from)?
    }
}
