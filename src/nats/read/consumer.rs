//! Messages of a stream from a number on, in order: a pull consumer that is ours.
//!
//! The engine forgets it when nobody asks for half a minute. It is asked for a bounded number of messages at a time, and
//! says every second that it is there; silence, a hole in its own numbering, or a refusal end it with an error, and whoever
//! reads makes another one behind the last message that came. It is asked to begin at a number and nowhere else; servers
//! before 2.11 begin earlier where a replica lags behind that number, which the reader finds out.

use crate::nats::connect::Link;
use crate::nats::error::Error;
use crate::nats::message::Head;
use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long the engine keeps a consumer that nobody asks.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// How long one request for messages stands.
const EXPIRES: Duration = Duration::from_secs(5);
/// How often the engine says that it is there, and how long it may be silent.
const HEARTBEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_millis(2_500);
/// How long the making of a consumer takes at most: an election takes longer, and who waited for its answer would come late.
const CREATE_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How many bytes are asked for at a time: the client has room for that many before the server calls it slow.
const PULL_BYTES: usize = 8 << 20;
/// The bounds of how many messages that is.
const MIN_BATCH: usize = 8;
const MAX_BATCH: usize = 2048;
/// What a message is taken to be at least, in bytes, and at first.
const SMALL: usize = 4 << 10;
const FIRST: usize = 128 << 10;

/// A message as it came.
#[derive(Debug)]
pub(super) struct Received {
    /// Its subject.
    pub(super) subject: String,
    /// Its number in the stream.
    pub(super) sequence: u64,
    /// When it was stored, in ms since 1970.
    pub(super) stored: u64,
    /// How many more there are now.
    pub(super) pending: u64,
    /// What its headers say.
    pub(super) head: Head,
    /// Its payload, perhaps compressed.
    pub(super) payload: Bytes,
}

/// What comes.
#[derive(Debug)]
pub(super) enum Item {
    /// A message.
    Message(Box<Received>),
    /// Nothing for now.
    Idle,
}

/// A consumer.
#[derive(Debug)]
pub(super) struct Consumer {
    link: Arc<Link>,
    stream: String,
    name: String,
    inbox: Subscriber,
    reply: String,
    /// The number that the consumer itself gives the next message.
    expected: u64,
    /// The stream's number of the last message that came.
    last: u64,
    /// How many messages were asked for and have not come.
    asked: usize,
    /// The largest message lately, in bytes.
    largest: usize,
    /// How many there were when it was made.
    pub(super) pending: u64,
}

#[derive(Debug, Deserialize)]
struct Created {
    #[serde(default)]
    num_pending: u64,
    error: Option<crate::nats::error::Answer>,
}

impl Consumer {
    /// Makes one for the messages of some subjects from a number on.
    ///
    /// # Errors
    /// What the request says.
    pub(super) async fn create(
        link: Arc<Link>,
        stream: &str,
        filters: &[String],
        from: u64,
    ) -> Result<Consumer, Error> {
        let name = format!("logcast-{}", unique());
        let mut config = json!({
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": from.max(1),
            "ack_policy": "none",
            "replay_policy": "instant",
            "max_deliver": -1,
            "inactive_threshold": FORGOTTEN_AFTER.as_nanos() as u64,
            "num_replicas": 1,
            "mem_storage": true,
        });
        let mut subject = format!("$JS.API.CONSUMER.CREATE.{stream}.{name}");
        match filters {
            [filter] => {
                config["filter_subject"] = json!(filter);
                // One filter stands in the subject, where a permission can tell it.
                subject = format!("{subject}.{filter}");
            }
            filters => config["filter_subjects"] = json!(filters),
        }
        let body = json!({ "stream_name": stream, "config": config }).to_string();
        let reply = link.client().new_inbox();
        let unavailable = |cause: String| Error::Unavailable { cause };
        let inbox =
            link.client().subscribe(reply.clone()).await.map_err(|error| unavailable(error.to_string()))?;
        let answer = link.request(&subject, None, Bytes::from(body), CREATE_TIMEOUT).await?;
        let created: Created = serde_json::from_slice(&answer.payload)
            .map_err(|_| unavailable("an answer to CONSUMER.CREATE that is none".to_owned()))?;
        if let Some(error) = created.error {
            return Err(Error::api(link.place(), &error));
        }
        Ok(Consumer {
            link,
            stream: stream.to_owned(),
            name,
            inbox,
            reply,
            expected: 1,
            last: 0,
            asked: 0,
            largest: FIRST,
            pending: created.num_pending,
        })
    }

    /// What comes next.
    ///
    /// # Errors
    /// The consumer is of no use any more: silence, a hole, or what the engine says.
    pub(super) async fn next(&mut self) -> Result<Item, Error> {
        let batch = (PULL_BYTES / self.largest.max(SMALL)).clamp(MIN_BATCH, MAX_BATCH);
        if self.asked <= batch / 2 {
            self.ask(batch).await?;
        }
        let silent = || Error::Unavailable { cause: "the consumer is silent".to_owned() };
        let message = tokio::time::timeout(SILENCE, self.inbox.next()).await.map_err(|_| silent())?;
        let message = message.ok_or_else(silent)?;
        match message.status {
            None => self.take(message).map(|received| Item::Message(Box::new(received))),
            Some(status) => self.hear(status, &message),
        }
    }

    async fn ask(&mut self, batch: usize) -> Result<(), Error> {
        let body = json!({
            "batch": batch,
            "expires": EXPIRES.as_nanos() as u64,
            "idle_heartbeat": HEARTBEAT.as_nanos() as u64,
        });
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", self.stream, self.name);
        let sent =
            self.link.client().publish_with_reply(subject, self.reply.clone(), Bytes::from(body.to_string()));
        let unavailable = |cause: String| Error::Unavailable { cause };
        match tokio::time::timeout(SILENCE, sent).await {
            Ok(Ok(())) => {
                self.asked += batch;
                Ok(())
            }
            Ok(Err(error)) => Err(unavailable(error.to_string())),
            Err(_) => Err(unavailable("the connection takes nothing".to_owned())),
        }
    }

    fn take(&mut self, message: Message) -> Result<Received, Error> {
        let wrong = |cause: &str| Error::Unavailable { cause: cause.to_owned() };
        let reply = message.reply.as_deref().unwrap_or_default();
        let (sequence, own, stored, pending) =
            delivered(reply).ok_or_else(|| wrong("a message that does not say its place"))?;
        if own != self.expected {
            return Err(wrong("messages were left out on the way"));
        }
        if sequence <= self.last {
            return Err(wrong("messages came out of order"));
        }
        self.expected += 1;
        self.last = sequence;
        self.asked = self.asked.saturating_sub(1);
        // Falls slowly, so that one small message among large ones does not ask for too many.
        self.largest = message.length.max(self.largest - self.largest / 64);
        let head = message.headers.as_ref().map(Head::read).unwrap_or_default();
        Ok(Received {
            subject: message.subject.into_string(),
            sequence,
            stored,
            pending,
            head,
            payload: message.payload,
        })
    }

    fn hear(&mut self, status: StatusCode, message: &Message) -> Result<Item, Error> {
        let text = message.description.as_deref().unwrap_or_default();
        match status.as_u16() {
            // A heartbeat; or a request that ended, with what it did not bring.
            100 => Ok(Item::Idle),
            404 | 408 => {
                let left = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
                let left = left.and_then(|left| left.as_str().parse::<usize>().ok());
                self.asked = left.map_or(0, |left| self.asked.saturating_sub(left));
                Ok(Item::Idle)
            }
            code => Err(Error::Unavailable { cause: format!("{text} ({code})") }),
        }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // The engine would forget it anyway, half a minute later.
        let subject = format!("$JS.API.CONSUMER.DELETE.{}.{}", self.stream, self.name);
        let client = self.link.client().clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(HEARTBEAT, client.publish(subject, Bytes::new())).await;
            });
        }
    }
}

/// Number in the stream, number of the consumer, ms since 1970, messages still to come: from the subject on which an
/// acknowledgement would be sent.
fn delivered(reply: &str) -> Option<(u64, u64, u64, u64)> {
    let rest = reply.strip_prefix("$JS.ACK.")?;
    let tokens: Vec<&str> = rest.split('.').collect();
    // Newer servers put a domain and an account in front, and perhaps one token more behind.
    let at = match tokens.len() {
        7 => 2,
        9.. => 4,
        _ => return None,
    };
    let number = |n: usize| tokens.get(at + n)?.parse::<u64>().ok();
    Some((number(1)?, number(2)?, number(3)? / 1_000_000, number(4)?))
}

/// Letters and digits that no other consumer has.
fn unique() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_message_is_read_from_its_reply() {
        let found = Some((7, 3, 1_700_000_000_123, 40));
        assert_eq!(delivered("$JS.ACK.logs.c.1.7.3.1700000000123456789.40"), found);
        assert_eq!(delivered("$JS.ACK.hub.acc.logs.c.1.7.3.1700000000123456789.40"), found);
        assert_eq!(delivered("$JS.ACK.hub.acc.logs.c.1.7.3.1700000000123456789.40.x"), found);
        for hostile in ["", "$JS.ACK.", "$JS.ACK.a.b.c.d.e.f.g", "$JS.ACK.1.2.3", "x.$JS.ACK.a.b.1.7.3.1.40"]
        {
            assert_eq!(delivered(hostile), None, "{hostile}");
        }
    }
}
