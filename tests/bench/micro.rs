//! Micro-benchmarks of the pure parts: encoding, cutting lines, checks, cursors, index and tally.
//!
//! `cargo bench --bench micro [-- FILTER]`. For changes while tuning; the promises are measured by `delivery`.

#![allow(dead_code, reason = "the work is shared with the count of instructions")]

mod work;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use logcast::log::cursor::{Cursor, Entry, check, check_at_end};
use logcast::log::encode::{Block, Encoder, Format};
use logcast::log::filter::{Filter, Levels, Spec, State};
use logcast::log::index::Counted;
use logcast::log::lines;
use logcast::log::map::Map;
use logcast::log::record::{Options, Reader};
use logcast::log::redact::{self, Redactor, Rules};
use logcast::log::tally::Tally;

fn main() {
    // `cargo test --all-targets` starts benchmarks without this flag.
    if std::env::args().any(|word| word == "--bench") {
        divan::main();
    }
}

fn encode(bencher: Bencher<'_, '_>, format: Format, bytes: &[u8]) {
    let (encoder, stamp) = (Encoder::new(format, "app.log"), work::stamp());
    let to = bytes.len() as u64;
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_slice(bytes)).bench_local(|| {
        out.clear();
        let block =
            Block { bytes: black_box(bytes), from: 0, omitted: 0, wide: None, check: 0, to, map: Map::SAME };
        encoder.encode(&stamp, block, &mut out);
        out.len()
    });
}

#[divan::bench]
fn encode_events(bencher: Bencher<'_, '_>) {
    encode(bencher, Format::Sse, &work::block());
}

/// Lines as a program with colours and a lone CR writes them, one of them not UTF-8.
#[divan::bench]
fn encode_events_unclean(bencher: Bencher<'_, '_>) {
    let mut bytes = work::block();
    for (at, byte) in bytes.iter_mut().enumerate() {
        if at % 120 == 60 {
            *byte = b'\r';
        }
    }
    bytes[30] = 0xff;
    encode(bencher, Format::Sse, &bytes);
}

#[divan::bench]
fn encode_json(bencher: Bencher<'_, '_>) {
    encode(bencher, Format::Ndjson, &work::block());
}

#[divan::bench]
fn encode_text(bencher: Bencher<'_, '_>) {
    encode(bencher, Format::Plain, &work::block());
}

#[divan::bench]
fn cut_lines(bencher: Bencher<'_, '_>) {
    let bytes = work::block();
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench_local(|| lines::lines(black_box(&bytes)).map(|line| line.text.len()).sum::<usize>());
}

#[divan::bench]
fn count_newlines(bencher: Bencher<'_, '_>) {
    let bytes = work::block();
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| Counted::of(0, black_box(&bytes)));
}

#[divan::bench]
fn count_by_time(bencher: Bencher<'_, '_>) {
    let bytes = work::block();
    let now = "2026-11-25T12:00:00Z".parse().expect("a time");
    let reader = Reader::new(&Options { now, zone: jiff::tz::TimeZone::UTC });
    let mut tally = Tally::default();
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| tally.pass(black_box(&bytes), &reader));
}

/// What a filter costs for each byte that it looks at.
fn filter(bencher: Bencher<'_, '_>, spec: Spec) {
    let bytes = work::block();
    let now = "2026-11-25T12:00:00Z".parse().expect("a time");
    let filter = Filter::new(spec).expect("a filter");
    let mut state = State::new(Reader::new(&Options { now, zone: jiff::tz::TimeZone::UTC }));
    bencher.counter(BytesCount::of_slice(&bytes)).bench_local(|| {
        let mut kept = 0;
        filter.matches_in(black_box(&bytes), &mut state, |line| kept += line.len());
        kept
    });
}

#[divan::bench(args = ["no such text", "No Such Text", "log", r"num: \d*77\d$"])]
fn filter_by_text(bencher: Bencher<'_, '_>, pattern: &str) {
    filter(bencher, Spec { grep: vec![pattern.to_owned()], ..Spec::default() });
}

#[divan::bench]
fn filter_by_level(bencher: Bencher<'_, '_>) {
    filter(bencher, Spec { levels: Levels::parse("warn+").ok(), ..Spec::default() });
}

#[divan::bench]
fn filter_by_time(bencher: Bencher<'_, '_>) {
    filter(bencher, Spec { since: "2026-11-25T12:00:00Z".parse().ok(), ..Spec::default() });
}

/// The tutorial's lines, and lines of which each has a secret.
fn redacted(kind: &str) -> Vec<u8> {
    match kind {
        "lines" => work::block(),
        "access log" => {
            let line = b"192.0.2.7 - - [27/Nov/2026:09:12:17 +0000] \"GET /img/logo.png HTTP/1.1\" 200 5316 \"https://example.org/shop\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n";
            line.repeat((64 << 10) / line.len())
        }
        _ => {
            let line = b"2026-11-27T09:12:17.123Z INFO login user=ann password=hunter2 from 192.0.2.7 in 12 ms, session opened for the shop\n";
            line.repeat((64 << 10) / line.len())
        }
    }
}

/// What it costs to look for secrets, and to replace them; beside `encode_events`.
#[divan::bench(args = ["lines", "access log", "a secret a line"])]
fn redact_secrets(bencher: Bencher<'_, '_>, kind: &str) {
    redact(bencher, Rules { patterns: Vec::new(), secrets: true }, &redacted(kind));
}

#[divan::bench(args = ["lines", "a secret a line"])]
fn redact_a_pattern(bencher: Bencher<'_, '_>, kind: &str) {
    redact(bencher, Rules { patterns: vec![r"password=(\S+)".to_owned()], secrets: false }, &redacted(kind));
}

fn redact(bencher: Bencher<'_, '_>, rules: Rules, bytes: &[u8]) {
    let redactor = Redactor::new(&rules).expect("patterns").expect("something to redact");
    bencher
        .counter(BytesCount::of_slice(bytes))
        .bench_local(|| redactor.run(&mut redact::State::default(), black_box(bytes)).is_some());
}

#[divan::bench]
fn check_a_line(bencher: Bencher<'_, '_>) {
    let line = work::line();
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| check(black_box(&line[..line.len() - 1])));
}

#[divan::bench]
fn check_at_an_end(bencher: Bencher<'_, '_>) {
    let bytes = work::block();
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| check_at_end(black_box(&bytes)));
}

fn cursor(files: u32) -> Cursor {
    let entry = |key| Entry { key, generation: 1 << 40, tie: 77, check: 1 << 41, offset: 40_000_000_000 };
    Cursor { entries: (1..=files).map(entry).collect(), partial: false }
}

#[divan::bench(args = [1, 10])]
fn parse_a_cursor(bencher: Bencher<'_, '_>, files: u32) {
    let text = cursor(files).to_text();
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| Cursor::parse(black_box(text.as_bytes())));
}

#[divan::bench(args = [1, 10])]
fn print_a_cursor(bencher: Bencher<'_, '_>, files: u32) {
    let cursor = cursor(files);
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| black_box(&cursor).to_text());
}
