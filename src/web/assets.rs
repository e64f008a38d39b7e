//! The page's files, embedded in the binary as they are sent: with brotli, with gzip, and plain.
//!
//! Each answer has an ETag of its content and its encoding, and must be revalidated: an upgrade never mixes an old script
//! with a new page. build.rs makes the files; nothing is compressed while serving.

use std::sync::LazyLock;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// Name, and the content in each of [`ENCODINGS`].
type File = (&'static str, [&'static [u8]; ENCODINGS.len()]);

/// The better one first; plain is what everybody takes.
const ENCODINGS: [&str; 3] = ["br", "gzip", "identity"];

static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// A hash of each file's plain content.
static TAGS: LazyLock<Vec<u64>> =
    LazyLock::new(|| FILES.iter().map(|(_, forms)| xxhash_rust::xxh3::xxh3_64(forms[2])).collect());

/// The file with this name below `assets/`; `None` if there is none.
pub fn asset(name: &str, headers: &HeaderMap) -> Option<Response> {
    let at = FILES.iter().position(|(own, _)| *own == name)?;
    let form = chosen(headers);
    // Other bytes, another tag: a cache between must not answer one with the other.
    let tag = format!("\"{:016x}-{}\"", TAGS[at], ENCODINGS[form]);
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let known = known
        .flat_map(|value| value.split(','))
        .any(|own| matches!(own.trim(), "*") || own.trim().trim_start_matches("W/") == tag);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => FILES[at].1[form].into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if ENCODINGS[form] != "identity" {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(ENCODINGS[form]));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Some(response)
}

/// Which of [`ENCODINGS`] a client gets: the first that it names and does not weigh zero. Plain where it names none, and
/// where it refuses all, as RFC 9110 § 12.5.3 lets a server do.
fn chosen(headers: &HeaderMap) -> usize {
    let mut refused = [false; ENCODINGS.len()];
    let mut wanted = [false; ENCODINGS.len()];
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let (name, weight) = item.split_once(';').unwrap_or((item, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        let zero = weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0);
        let name = name.trim();
        for (at, own) in ENCODINGS.iter().enumerate() {
            if name.eq_ignore_ascii_case(own) {
                refused[at] = zero;
                wanted[at] = !zero;
            } else if name == "*" && !zero && !refused[at] {
                wanted[at] = true;
            }
        }
    }
    let plain = ENCODINGS.len() - 1;
    (0..plain).find(|at| wanted[*at] && !refused[*at]).unwrap_or(plain)
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

    fn asking(accept: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap());
        headers
    }

    #[test]
    fn the_page_is_there_and_is_not_sent_twice() {
        let first = asset("index.html", &HeaderMap::new()).unwrap();
        assert_eq!(first.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(asset("index.html", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert!(asset("../Cargo.toml", &HeaderMap::new()).is_none());
    }

    #[test]
    fn the_encoding_is_one_that_the_client_takes() {
        for (accept, encoding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("br;q=0.1, gzip", "br"),
            ("gzip, deflate", "gzip"),
            ("GZIP", "gzip"),
            ("br;q=0, gzip;q=0.5", "gzip"),
            ("br; q=0.000, *", "gzip"),
            ("*, br;q=0", "gzip"),
            ("*;q=0", "identity"),
            ("identity", "identity"),
            ("gzip;q=0", "identity"),
            ("deflate, x-unknown", "identity"),
            ("", "identity"),
        ] {
            assert_eq!(ENCODINGS[chosen(&asking(accept))], encoding, "{accept}");
        }
        assert_eq!(chosen(&HeaderMap::new()), 2);
    }

    #[test]
    fn each_form_is_the_same_file() {
        use std::io::Read;
        for (name, [_, gzip, plain]) in FILES {
            let mut out = Vec::new();
            flate2::read::GzDecoder::new(*gzip).read_to_end(&mut out).unwrap();
            assert_eq!(out, *plain, "{name}");
        }
        let tag = |accept| asset("page.js", &asking(accept)).unwrap().headers()[header::ETAG].clone();
        assert_ne!(tag("br"), tag("gzip"));
    }
}
