//! Requests to a stream: find or make it, read a message by its number or the last one of a subject, append one.
//!
//! A stream that exists is checked and never altered. The last message of a subject is read by *direct get*, which a
//! permission can limit to a host's own subjects; its answer may be a little old, which an append that names the
//! expected message finds out. A stream is missing only if the server says so by number: during an election nobody
//! answers, and that passes.

mod create;

pub use self::create::{Create, Storage};

use super::connect::Link;
use super::error::{Answer, Error};
use super::message::Head;
use super::subject::covers;
use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How long a request that is not an append takes at most.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The most streams that are looked at for one that has the subjects.
const MOST_NAMES: usize = 256;

/// Which stream is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, if it has to have one.
    pub name: Option<String>,
    /// The name that it most likely has, and gets if it is made.
    pub usual: String,
    /// The subjects that it has to have.
    pub filter: String,
    /// How to make it, if that is wanted.
    pub create: Option<Create>,
}

/// What is known of a stream.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Info {
    /// How it was made.
    pub config: Config,
    /// What it holds.
    pub state: State,
    /// When it was made, as the server writes it: another stream of the same name has another time.
    #[serde(default)]
    pub created: String,
}

/// How a stream was made; what is not read here is left out.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// Its subjects.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// Whether messages can be read without asking the leader.
    #[serde(default)]
    pub allow_direct: bool,
    /// Whether it answers to no append.
    #[serde(default)]
    pub no_ack: bool,
    /// How many servers keep it.
    #[serde(default)]
    pub num_replicas: usize,
    /// The largest message; -1 for no limit of its own.
    #[serde(default)]
    pub max_msg_size: i64,
    /// What happens when it is full: `old` or `new`.
    #[serde(default)]
    pub discard: String,
}

/// What a stream holds.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct State {
    /// How many messages.
    #[serde(default)]
    pub messages: u64,
    /// How many bytes.
    #[serde(default)]
    pub bytes: u64,
    /// The number of the first one.
    #[serde(default)]
    pub first_seq: u64,
    /// The number of the last one there ever was.
    #[serde(default)]
    pub last_seq: u64,
}

/// A message of a stream.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its subject.
    pub subject: String,
    /// Its number.
    pub seq: u64,
    /// When it came, in nanoseconds since 1970 by the server's clock.
    pub time: i128,
    /// What its headers say.
    pub head: Head,
    /// Its payload, perhaps compressed.
    pub payload: Bytes,
}

/// A stream.
#[derive(Debug, Clone)]
pub struct Stream {
    link: Arc<Link>,
    /// Its name.
    pub name: String,
    /// What was known of it when it was opened.
    pub info: Info,
    /// Whether it was made just now.
    pub made: bool,
}

impl Stream {
    /// Finds the stream that has the subjects, or makes it; checks that it is fit to be appended to and read.
    ///
    /// # Errors
    /// [`Error::NoStream`], [`Error::Unfit`], or what the request says.
    pub async fn open(link: Arc<Link>, wanted: &Wanted) -> Result<Stream, Error> {
        if let Some(stream) = Stream::find(link.clone(), wanted).await? {
            return Ok(stream);
        }
        let subject = wanted.name.as_ref().unwrap_or(&wanted.usual);
        let Some(create) = &wanted.create else {
            let filter = &wanted.filter;
            let make = format!("nats stream add {subject} --subjects '{filter}' --allow-direct --defaults");
            return Err(Error::NoStream {
                wanted: wanted.name.clone().unwrap_or_else(|| filter.clone()),
                make,
            });
        };
        Stream::create(link, subject, &wanted.filter, create).await
    }

    /// Finds the stream that has the subjects.
    ///
    /// # Errors
    /// [`Error::Unfit`], or what the request says.
    pub async fn find(link: Arc<Link>, wanted: &Wanted) -> Result<Option<Stream>, Error> {
        let fits = |info: &Info| info.config.subjects.iter().any(|own| covers(own, &wanted.filter));
        // Named first: the right to list all streams is not everybody's.
        let name = wanted.name.as_ref().unwrap_or(&wanted.usual);
        if let Some(info) = info(&link, name).await? {
            if wanted.name.is_some() || fits(&info) {
                return Stream::checked(link, info, &wanted.filter).map(Some);
            }
        } else if wanted.name.is_some() {
            return Ok(None);
        }
        for name in names(&link, &wanted.filter).await? {
            if let Some(info) = info(&link, &name).await?.filter(fits) {
                return Stream::checked(link, info, &wanted.filter).map(Some);
            }
        }
        Ok(None)
    }

    /// Finds the stream that has the subjects, to read from: what an append would need is not asked of it.
    ///
    /// # Errors
    /// What the requests say.
    pub async fn find_to_read(link: Arc<Link>, wanted: &Wanted) -> Result<Option<Stream>, Error> {
        let fits = |info: &Info| info.config.subjects.iter().any(|own| covers(own, &wanted.filter));
        let name = wanted.name.as_ref().unwrap_or(&wanted.usual);
        let mut found = info(&link, name).await?.filter(|info| wanted.name.is_some() || fits(info));
        if found.is_none() && wanted.name.is_none() {
            for name in names(&link, &wanted.filter).await? {
                found = info(&link, &name).await?.filter(fits);
                if found.is_some() {
                    break;
                }
            }
        }
        Ok(found.map(|info| Stream { link, name: info.config.name.clone(), info, made: false }))
    }

    fn checked(link: Arc<Link>, info: Info, filter: &str) -> Result<Stream, Error> {
        let name = info.config.name.clone();
        let unfit = |cause: &str, help: String| {
            Err(Error::Unfit { stream: name.clone(), cause: cause.to_owned(), help })
        };
        if !info.config.subjects.iter().any(|own| covers(own, filter)) {
            let cause = format!("it does not hold the subjects {filter}");
            return unfit(&cause, format!("nats stream edit {name} --subjects '{filter}'"));
        }
        if info.config.no_ack {
            return unfit("it acknowledges nothing (no_ack)", format!("nats stream edit {name} --ack"));
        }
        if !info.config.allow_direct {
            return unfit("it does not allow direct get", format!("nats stream edit {name} --allow-direct"));
        }
        Ok(Stream { link, name, info, made: false })
    }

    /// The connection.
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// What is known of it now; `None` if it is gone.
    ///
    /// # Errors
    /// What the request says.
    pub async fn look(&self) -> Result<Option<Info>, Error> {
        info(&self.link, &self.name).await
    }

    /// The last message of a subject. May be a little old.
    ///
    /// # Errors
    /// What the request says.
    pub async fn last(&self, subject: &str, timeout: Duration) -> Result<Option<Stored>, Error> {
        let request = format!("$JS.API.DIRECT.GET.{}.{subject}", self.name);
        stored(self.link.request(&request, None, Bytes::new(), timeout).await?)
    }

    /// The message with a number.
    ///
    /// # Errors
    /// What the request says.
    pub async fn get(&self, seq: u64, timeout: Duration) -> Result<Option<Stored>, Error> {
        let request = format!("$JS.API.DIRECT.GET.{}", self.name);
        let payload = Bytes::from(json!({ "seq": seq }).to_string());
        stored(self.link.request(&request, None, payload, timeout).await?)
    }

    /// The first message of a subject whose number is this one or greater. May be a little old.
    ///
    /// # Errors
    /// What the request says.
    pub async fn next(&self, subject: &str, seq: u64, timeout: Duration) -> Result<Option<Stored>, Error> {
        let request = format!("$JS.API.DIRECT.GET.{}", self.name);
        let payload = Bytes::from(json!({ "seq": seq, "next_by_subj": subject }).to_string());
        stored(self.link.request(&request, None, payload, timeout).await?)
    }

    /// Appends a message, if the subject's last one has the number `expected` (0: there is none). Returns its number.
    ///
    /// # Errors
    /// [`Error::WrongSequence`] if it has another; after any other error it may be stored all the same, now or later.
    pub async fn append(
        &self,
        subject: &str,
        mut headers: HeaderMap,
        payload: Bytes,
        expected: u64,
        timeout: Duration,
    ) -> Result<u64, Error> {
        headers.insert("Nats-Expected-Last-Subject-Sequence", expected.to_string());
        headers.insert("Nats-Expected-Stream", self.name.as_str());
        let answer = self.link.request(subject, Some(headers), payload, timeout).await?;
        let ack: Ack = serde_json::from_slice(&answer.payload).map_err(|_| strange("to a message"))?;
        match (ack.error, ack.seq) {
            (Some(error), _) => Err(Error::api(self.link.place(), &error)),
            (None, Some(seq)) if seq > 0 => Ok(seq),
            _ => Err(strange("to a message")),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Ack {
    seq: Option<u64>,
    error: Option<Answer>,
}

#[derive(Debug, Default, Deserialize)]
struct Body {
    error: Option<Answer>,
    #[serde(flatten)]
    info: Option<Info>,
    streams: Option<Vec<String>>,
}

/// An answer that is none.
fn strange(to: &str) -> Error {
    Error::Unavailable { cause: format!("an answer {to} that is none") }
}

async fn api(link: &Link, name: &str, request: &serde_json::Value) -> Result<Body, Error> {
    let payload = match request.is_null() {
        true => Bytes::new(),
        false => Bytes::from(request.to_string()),
    };
    let answer = link.request(&format!("$JS.API.{name}"), None, payload, REQUEST_TIMEOUT).await?;
    serde_json::from_slice(&answer.payload).map_err(|_| strange(&format!("to {name}")))
}

async fn info(link: &Link, name: &str) -> Result<Option<Info>, Error> {
    let body = api(link, &format!("STREAM.INFO.{name}"), &serde_json::Value::Null).await?;
    match body.error {
        Some(error) if error.err_code == 10059 => Ok(None),
        Some(error) => Err(Error::api(link.place(), &error)),
        None => body.info.map(Some).ok_or_else(|| strange("to STREAM.INFO")),
    }
}

/// The names of the streams that hold some of the subjects.
async fn names(link: &Link, filter: &str) -> Result<Vec<String>, Error> {
    let body = api(link, "STREAM.NAMES", &json!({ "subject": filter })).await?;
    match body.error {
        Some(error) => Err(Error::api(link.place(), &error)),
        None => Ok(body.streams.unwrap_or_default().into_iter().take(MOST_NAMES).collect()),
    }
}

/// Reads what a direct get answers.
fn stored(message: Message) -> Result<Option<Stored>, Error> {
    match message.status {
        Some(StatusCode::NOT_FOUND) => return Ok(None),
        Some(status) if status != StatusCode::OK => {
            return Err(Error::Unavailable { cause: format!("{status} to a direct get") });
        }
        _ => {}
    }
    let headers = message.headers.unwrap_or_default();
    let get = |name: &str| headers.get(name).map(|value| value.as_str());
    let read = || {
        Some(Stored {
            subject: get("Nats-Subject")?.to_owned(),
            seq: get("Nats-Sequence")?.parse().ok()?,
            time: get("Nats-Time-Stamp")?.parse::<jiff::Timestamp>().ok()?.as_nanosecond(),
            head: Head::read(&headers),
            payload: message.payload.clone(),
        })
    };
    read().map(Some).ok_or_else(|| strange("to a direct get"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_strange_ones_survived() {
        let body = |text: &str| serde_json::from_str::<Body>(text);
        let full = r#"{"type":"x","config":{"name":"logs","subjects":["logs.>"],"allow_direct":true,"num_replicas":1,"max_msg_size":-1},
            "created":"2026-11-27T09:00:00Z","state":{"messages":3,"bytes":9,"first_seq":1,"last_seq":3},"new":{"a":1}}"#;
        let info = body(full).unwrap().info.unwrap();
        assert_eq!((info.config.name.as_str(), info.state.last_seq), ("logs", 3));
        let error =
            body(r#"{"error":{"code":404,"err_code":10059,"description":"stream not found"}}"#).unwrap();
        assert_eq!(error.error.unwrap().err_code, 10059);
        for text in ["", "[]", "null", "{\"error\":7}", "\u{0}"] {
            assert!(body(text).map_or(true, |body| body.info.is_none() && body.error.is_none()), "{text}");
        }
        assert!(serde_json::from_str::<Ack>(r#"{"stream":"logs","seq":-1}"#).is_err());
    }
}
