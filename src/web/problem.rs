//! Errors as `application/problem+json` (RFC 9457).
//!
//! A handler returns `Result<Response, Problem>`; rejections of the router become problems in
//! [`recover`](super::routes). Nothing of a request is echoed but names of parameters, as JSON strings.

use super::access::Why;
use serde::Serialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// What was wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// What a person should know, one sentence.
    pub detail: String,
    /// The parameter that was wrong.
    pub parameter: Option<String>,
    /// Where in its value, in bytes, if there is one place.
    pub offset: Option<usize>,
    /// After how many seconds it may go better.
    pub retry_after: Option<u32>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
}

impl Problem {
    /// A problem with this status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem { status, detail: detail.into(), parameter: None, offset: None, retry_after: None }
    }

    /// 400 for a parameter.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Problem {
        Problem { parameter: Some(name.to_owned()), ..Problem::new(StatusCode::BAD_REQUEST, detail) }
    }

    /// 404 for a source's name that is none.
    pub fn no_such_file() -> Problem {
        let mut problem = Problem::parameter("file", "no source has this name; /api/files lists them");
        problem.status = StatusCode::NOT_FOUND;
        problem
    }
}

impl Reply for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let parameter = self.parameter.as_deref();
        let body = Body {
            r#type: "about:blank",
            title,
            status: self.status.as_u16(),
            detail: &self.detail,
            parameter,
            offset: self.offset,
        };
        let mut response = serde_json::to_string(&body).unwrap_or_default().into_response();
        *response.status_mut() = self.status;
        response.extensions_mut().insert(Why(self.detail));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let busy = self.status == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(busy.then_some(1)) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
