//! The page's files, embedded in the binary.
//!
//! Each answer has an ETag of its content and must be revalidated: an upgrade never mixes old and new modules.

use std::sync::LazyLock;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| {
    FILES.iter().map(|(_, bytes)| format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(bytes))).collect()
});

/// The file with this name below `assets/`; `None` if there is none.
pub fn asset(name: &str, headers: &HeaderMap) -> Option<Response> {
    let at = FILES.iter().position(|(own, _)| *own == name)?;
    let tag = &TAGS[at];
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known
        .flat_map(|value| value.split(','))
        .any(|own| matches!(own.trim(), "*") || own.trim().trim_start_matches("W/") == tag);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => FILES[at].1.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_there_and_is_not_sent_twice() {
        let first = asset("index.html", &HeaderMap::new()).unwrap();
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(asset("index.html", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert!(asset("../Cargo.toml", &HeaderMap::new()).is_none());
    }
}
