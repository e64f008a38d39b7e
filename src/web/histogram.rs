//! `GET /api/histogram`: how many lines of each level there were when; with `by=place` where, along the bytes of the file.

use super::State;
use super::files::json;
use super::limits::Limit;
use super::params::Params;
use super::problem::Problem;
use crate::live::histogram::{self, Asked};
use crate::log::encode::json_string;
use crate::log::filter::instant;
use crate::log::tally::{Histogram, NAMES};
use jiff::Timestamp;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use warp::http::StatusCode;
use warp::reply::Response;

const KNOWN: &[&str] = &["file", "since", "until", "buckets", "by", "token"];
/// How many buckets if nobody says, and at most.
const BUCKETS: u64 = 120;
const MOST_BUCKETS: u64 = 1_000;
/// How many are made at once, each with some hundred KiB and a processor for a fifth of a second.
static AT_ONCE: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /api/histogram`.
///
/// # Errors
/// 400 for a parameter, 404 for an unknown file or one that is not there, 503 if it cannot be read.
pub async fn histogram(state: Arc<State>, query: &str) -> Result<Response, Problem> {
    let params = Params::parse(query, KNOWN, &[])?;
    let name = params.get("file").ok_or_else(|| Problem::parameter("file", "missing"))?.to_owned();
    let source = state.hub.source_named(&name).ok_or_else(Problem::no_such_file)?;
    let buckets = params.number("buckets", BUCKETS, MOST_BUCKETS)?;
    if buckets == 0 {
        return Err(Problem::parameter("buckets", format!("must be a number from 1 to {MOST_BUCKETS}")));
    }
    let by_place = match params.get("by") {
        None | Some("time") => false,
        Some("place") => true,
        Some(_) => return Err(Problem::parameter("by", "must be time or place")),
    };
    if by_place && let Some(given) = ["since", "until"].into_iter().find(|name| params.get(name).is_some()) {
        return Err(Problem::parameter(given, "not together with by=place"));
    }
    let now = Timestamp::now();
    let time = |name: &'static str| {
        params.get(name).map(|text| instant(name, text, now, state.hub.zone())).transpose()
    };
    let asked = Asked { since: time("since")?, until: time("until")?, buckets: buckets as usize };
    if let (Some(since), Some(until)) = (asked.since, asked.until)
        && since >= until
    {
        return Err(Problem::parameter("until", "must be later than since"));
    }
    if source.status().current.is_none() {
        return Err(Problem::new(StatusCode::NOT_FOUND, "the file is not there"));
    }
    let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, AT_ONCE.clone().acquire_owned()).await else {
        return Err(state.limits.refuse(Limit::Histograms));
    };
    let made = tokio::task::spawn_blocking(move || {
        // Whether or not the client waits: what counts is that it runs.
        let _permit = permit;
        if by_place {
            let made = histogram::by_place(&state.hub, &source, asked.buckets)?;
            let start = i64::try_from(made.from).map_err(io::Error::other)?;
            let bucket = i64::try_from(made.bucket).map_err(io::Error::other)?;
            return Ok((Some(Histogram { start, bucket, counts: made.counts }), made.exact));
        }
        histogram::histogram(&state.hub, &source, asked)
    });
    match made.await {
        Ok(Ok((made, exact))) => Ok(json(body(&name, made.as_ref(), exact))),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            Err(Problem::new(StatusCode::NOT_FOUND, "the file is not there"))
        }
        Ok(Err(error)) => {
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("cannot read the file: {error}")))
        }
        Err(_) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the count failed")),
    }
}

fn body(name: &str, made: Option<&Histogram>, exact: bool) -> String {
    let mut out = format!(r#"{{"file":{},"start":"#, json_string(name));
    let _ = match made {
        Some(made) => write!(out, r#"{},"bucket":{},"levels":["#, made.start, made.bucket),
        None => write!(out, r#"null,"bucket":0,"levels":["#),
    };
    for (at, level) in NAMES.iter().enumerate() {
        let _ = write!(out, r#"{}"{level}""#, if at > 0 { "," } else { "" });
    }
    out.push_str(r#"],"counts":["#);
    for (at, counts) in made.iter().flat_map(|made| &made.counts).enumerate() {
        out.push_str(if at > 0 { ",[" } else { "[" });
        for (at, count) in counts.iter().enumerate() {
            let _ = write!(out, "{}{count}", if at > 0 { "," } else { "" });
        }
        out.push(']');
    }
    let lines = made.map_or(0, Histogram::lines);
    let _ = write!(out, r#"],"exact":{exact},"lines":{lines}}}"#);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_json() {
        let made = Histogram { start: -5, bucket: 10, counts: vec![[0, 1, 2, 3, 4, 5, 6], [0; 7]] };
        let told: serde_json::Value = serde_json::from_str(&body("a\"b", Some(&made), true)).unwrap();
        assert_eq!((told["file"].as_str(), told["start"].as_i64()), (Some("a\"b"), Some(-5)));
        assert_eq!((told["counts"][0][6].as_u64(), told["lines"].as_u64()), (Some(6), Some(21)));
        let none: serde_json::Value = serde_json::from_str(&body("f", None, false)).unwrap();
        assert!(none["start"].is_null() && none["counts"].as_array().unwrap().is_empty());
    }
}
