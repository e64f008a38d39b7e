//! `GET /api/files`: what there is.

use super::State;
use super::params::Params;
use super::problem::Problem;
use crate::live::history::siblings_json;
use crate::live::notices::now;
use crate::log::encode::json_string;
use jiff::tz::TimeZone;
use std::sync::Arc;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// With more sources than this their folders are not listed for rotated files.
const MOST_LISTED: usize = 64;

/// `GET /api/files`.
///
/// # Errors
/// 400 for a parameter.
pub async fn files(state: Arc<State>, query: &str) -> Result<Response, Problem> {
    Params::parse(query, &["token"], &[])?;
    let title =
        state.title.as_deref().map_or(String::new(), |title| format!(r#""title":{},"#, json_string(title)));
    let marks: Vec<String> = state.highlight.iter().map(|pattern| json_string(pattern)).collect();
    let marks =
        if marks.is_empty() { String::new() } else { format!(r#""highlight":[{}],"#, marks.join(",")) };
    let version = env!("CARGO_PKG_VERSION");
    let zone = json_string(&zone_name(state.hub.zone()));
    let listed = tokio::task::spawn_blocking(move || {
        let sources = state.hub.sources();
        let lists = state.hub.shows_history() && sources.len() <= MOST_LISTED;
        // Who looks at the files wants to know how long they are.
        sources.iter().for_each(|source| source.want_lines());
        let files = sources.iter().map(|source| match lists {
            true => source.json(&format!(r#","history":{}"#, siblings_json(source))),
            false => source.json(""),
        });
        files.collect::<Vec<_>>().join(",")
    });
    let files = listed
        .await
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the files cannot be listed"))?;
    Ok(json(format!(
        r#"{{"version":"{version}","now":"{}","zone":{zone},{title}{marks}"files":[{files}]}}"#,
        now()
    )))
}

/// A zone as browsers know it: its name, or the offset that it has now if it has none.
fn zone_name(zone: &TimeZone) -> String {
    match zone.iana_name() {
        Some(name) => name.to_owned(),
        None => zone.to_offset(jiff::Timestamp::now()).to_string(),
    }
}

/// An answer in JSON.
pub(super) fn json(body: String) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
