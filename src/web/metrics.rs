//! `GET /metrics`: what is counted, in the text format of OpenMetrics and Prometheus; `GET /readyz`: whether it serves.
//!
//! Names follow Prometheus' conventions: a prefix, base units, `_total` for counters. A source's name is a label; nothing
//! of a line or a request is told.

use super::State;
use crate::live::counts::EDGES;
use crate::live::feed::Hub;
use crate::live::source::{Source, State as SourceState};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

/// The media type of the format.
const KIND: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub fn metrics(state: Arc<State>) -> Response {
    let mut registry = Registry::with_prefix("logcast");
    registry.register_collector(Box::new(Everything(state)));
    let mut out = String::new();
    if text::encode(&mut out, &registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut response = out.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /readyz`: 503 once it is about to stop, so that nobody sends new clients.
pub fn ready(state: &State) -> Response {
    match state.stop.is_cancelled() {
        false => "ready\n".into_response(),
        true => warp::reply::with_status("stopping\n", StatusCode::SERVICE_UNAVAILABLE).into_response(),
    }
}

#[derive(Debug)]
struct Everything(Arc<State>);

impl Collector for Everything {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let state = &*self.0;
        let hub = &*state.hub;
        let sources = hub.sources();
        sources_of(&sources, &mut out)?;
        clients_of(hub, &mut out)?;
        let searches = &hub.searches;
        counter(&mut out, "searches", "searches that ran", searches.searches.get())?;
        counter(&mut out, "search_bytes", "bytes that were searched", searches.bytes.get())?;
        let seconds = searches.micros.get() as f64 / 1e6;
        let mut family =
            describe(&mut out, "search_seconds", "time that searches took", MetricType::Counter)?;
        family.encode_counter::<NoLabelSet, f64, f64>(&seconds, None)?;
        let refused =
            describe(&mut out, "refused_requests", "requests refused, by status", MetricType::Counter);
        let mut refused = refused?;
        for (status, count) in state.refused.counts() {
            let label = [("status", status.to_string())];
            refused.encode_family(&label)?.encode_counter::<NoLabelSet, u64, f64>(&count, None)?;
        }
        if let Some(log) = &state.access {
            counter(
                &mut out,
                "access_log_lost",
                "lines of the access log that could not be written",
                log.lost(),
            )?;
        }
        let panics = state.panics.get();
        counter(&mut out, "connection_panics", "connections that ended by a fault of logcast's own", panics)?;
        let help = "how often something was over a limit, and had to wait or was turned away";
        let mut over = describe(&mut out, "over_limit", help, MetricType::Counter)?;
        for (limit, count) in state.limits.counts() {
            over.encode_family(&[("limit", limit)])?.encode_counter::<NoLabelSet, u64, f64>(&count, None)?;
        }
        process(&mut out)
    }
}

fn sources_of(sources: &[Arc<Source>], out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    type Count = fn(&Source) -> u64;
    let counters: [(&str, &str, Count); 4] = [
        ("source_bytes", "bytes of complete lines that were read", |source| source.counts.bytes.get()),
        ("source_rotations", "other files that took the path", |source| source.counts.rotations.get()),
        ("source_truncations", "cuts and rewritings", |source| source.counts.truncations.get()),
        ("source_gaps", "places where something is missing", |source| source.counts.gaps.get()),
    ];
    for (name, help, count) in counters {
        let mut family = describe(out, name, help, MetricType::Counter)?;
        for source in sources {
            let label = named(source);
            let mut one = family.encode_family(&label)?;
            one.encode_counter::<NoLabelSet, u64, f64>(&count(source), None)?;
        }
    }
    let gauges: [(&str, &str, Count); 3] = [
        ("source_size_bytes", "where its last line ends", |source| {
            source.status().current.map_or(0, |(_, tip)| tip.offset)
        }),
        (
            "source_lag_bytes",
            "bytes of the file that were not read yet, an unfinished line among them",
            Source::unread_bytes,
        ),
        ("source_following", "1 if there is a file that is read", |source| {
            u64::from(source.status().state == SourceState::Following)
        }),
    ];
    for (name, help, value) in gauges {
        let mut family = describe(out, name, help, MetricType::Gauge)?;
        for source in sources {
            family.encode_family(&named(source))?.encode_gauge(&value(source))?;
        }
    }
    Ok(())
}

/// A source's name. The format escapes newlines; other control characters, which a terminal would obey, are shown.
fn named(source: &Source) -> [(&'static str, String); 1] {
    let mut shown = String::with_capacity(source.name.len());
    for c in source.name.chars() {
        match c.is_control() && c != '\n' {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    [("source", shown)]
}

fn clients_of(hub: &Hub, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    gauge(out, "clients", "streams that are open", hub.clients() as u64)?;
    let clients = &hub.served;
    counter(out, "streams", "streams that were begun", clients.streams.get())?;
    counter(out, "stream_bytes", "bytes of streams, as encoded", clients.bytes.get())?;
    counter(out, "client_gaps", "gaps that single clients were told of", clients.gaps.get())?;
    let (counts, sum) = clients.waits.get();
    let edges = EDGES.iter().map(|&micros| micros as f64 / 1e6).chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = edges.zip(counts).collect();
    let help = "time from the read of a line to the client that shares it";
    let mut family = describe(out, "delivery_seconds", help, MetricType::Histogram)?;
    family.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
}

/// What the kernel tells of this process (proc(5)).
fn process(out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let resident = field("VmRSS:").unwrap_or(0) * 1024;
    gauge(out, "process_resident_memory_bytes", "resident memory", resident)?;
    gauge(out, "process_threads", "threads", field("Threads:").unwrap_or(0))?;
    let descriptors = std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64);
    gauge(out, "process_open_descriptors", "open descriptors", descriptors)
}

fn describe<'a>(
    out: &'a mut DescriptorEncoder<'_>,
    name: &'a str,
    help: &str,
    kind: MetricType,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    out.encode_descriptor(name, help, None, kind)
}

fn counter(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    describe(out, name, help, MetricType::Counter)?.encode_counter::<NoLabelSet, u64, f64>(&value, None)
}

fn gauge(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    describe(out, name, help, MetricType::Gauge)?.encode_gauge(&value)
}
