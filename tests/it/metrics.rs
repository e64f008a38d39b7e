//! `/metrics` and `/readyz`: counts that are those of what happened, in a text that Prometheus reads.

use crate::support::http::get;
use crate::support::{Client, Place, Server, numbered, wait_for};

/// The value of a series.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn counts_are_those_of_what_happened() {
    let place = Place::with("f", numbered("old", 0, 3).join("\n") + "\n");
    place.write("odd \"name\"\\", "");
    place.write("ev\r\nil 7\u{1b}[2J", "");
    let server = Server::start(&place, &["f", "odd \"name\"\\", "ev\r\nil 7\u{1b}[2J"]);
    let mut client = Client::open(&server, "file=f&lines=0");
    client.hello();
    place.append("f", "one\ntwo\n");
    client.take(2);
    place.rename("f", "f.1");
    place.write("f", "three\n");
    client.until(|event| event.name == "rotated");
    get(&server, "/api/lines?file=none");
    get(&server, "/api/search?grep=one");
    let text = wait_for("the counts", || {
        let answer = get(&server, "/metrics");
        assert_eq!(answer.status, 200);
        let text = answer.text();
        (value(&text, r#"logcast_source_rotations_total{source="f"}"#) == Some(1.0)
            && value(&text, r#"logcast_source_bytes_total{source="f"}"#) == Some(14.0)
            && value(&text, "logcast_searches_total") == Some(1.0))
        .then_some(text)
    });
    for (series, expected) in [
        ("logcast_clients", 1.0),
        ("logcast_streams_total", 1.0),
        (r#"logcast_refused_requests_total{status="404"}"#, 1.0),
        (r#"logcast_source_following{source="f"}"#, 1.0),
        (r#"logcast_source_size_bytes{source="odd \"name\"\\"}"#, 0.0),
        (r#"logcast_source_size_bytes{source="ev\\r\nil 7\\u{1b}[2J"}"#, 0.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
    // Each line of the text is a comment or a series with a number; buckets grow.
    let mut last = 0.0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let number: f64 = line.rsplit_once(' ').expect("a series").1.parse().expect("a number");
        if line.starts_with("logcast_delivery_seconds_bucket") {
            assert!(number >= last, "{line}");
            last = number;
        }
    }
    assert!(last >= 1.0 && text.ends_with("# EOF\n"), "{text}");
    assert!(value(&text, "logcast_process_resident_memory_bytes").expect("memory") > 1e6);
    client.take(1);
}

/// A token is needed for the counts, and for nothing that a load balancer asks.
#[test]
fn the_counts_are_for_those_who_may_ask() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--token", "a-long-token"]);
    assert_eq!(get(&server, "/metrics").status, 401);
    assert_eq!(get(&server, "/metrics?token=a-long-token").status, 200);
    for open in ["/healthz", "/readyz"] {
        assert_eq!(get(&server, open).status, 200, "{open}");
    }
}
