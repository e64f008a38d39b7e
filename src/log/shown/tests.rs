//! Lines of real files as they are shown: the same wherever one begins to read, and cursors that tell nothing.

use super::*;
use crate::log::cursor::check;
use crate::log::filter::{Filter, Spec};
use crate::log::record::{Options, Reader};
use crate::log::redact::{Redact, Redactor, Rules};
use crate::log::search::Search;
use crate::log::segment::{Born, Segment};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::io::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

fn secrets() -> Redact {
    Redactor::new(&Rules { secrets: true, ..Rules::default() }).unwrap()
}

fn written(text: &[u8], redact: &Redact) -> LogFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    LogFile::from_file(file, redact).unwrap()
}

/// Where lines begin, and the end.
fn places(text: &[u8]) -> Vec<u64> {
    let begins = lines::lines(text).map(|line| line.from as u64);
    begins.chain([text.len() as u64]).collect()
}

fn wide(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn text() -> String {
    let key: String = (0..40).map(|n| format!("MIIEowIBAAKCAQEA{n:048}\n")).collect();
    let mut text = String::from("token=first1234 begins\n");
    for n in 0..300 {
        text += &match n % 7 {
            0 => format!("2026-11-27 line {n} password=hunter{n} and {}\n", "x".repeat(n)),
            3 => String::from("\n"),
            _ => format!("2026-11-27 line {n}\r\n"),
        };
        if n == 150 {
            text += &format!("-----BEGIN RSA PRIVATE KEY-----\n{key}-----END RSA PRIVATE KEY-----\n");
        }
    }
    text
}

/// What a walk over the whole text shows: each line's end and its text.
fn walked(raw: &[u8], file: &LogFile) -> Vec<(u64, Vec<u8>)> {
    let shown = file.shown(0, 0, raw).unwrap();
    lines::lines(&shown.bytes)
        .map(|line| (shown.map.raw(line.to as u64), shown.bytes[line.from..line.to].to_vec()))
        .collect()
}

#[test]
fn lines_and_cursors_are_the_same_wherever_one_begins() {
    for raw in [text().into_bytes(), wide(&text())] {
        let file = Arc::new(written(&raw, &secrets()));
        let all = walked(&raw, &file);
        assert!(
            !all.iter().any(|(_, line)| line.windows(6).any(|part| part == b"hunter" || part == b"MIIEow"))
        );
        let segment = Segment::new(0, 1, file.clone(), 0, Born::First);
        segment.learn_head(&raw, false);
        segment.seal(raw.len() as u64);
        for max in [300, 5_000, 1 << 20] {
            let (mut at, mut seen) = (segment.first(), Vec::new());
            while at.offset < raw.len() as u64 {
                let read = segment.read_lines(at, raw.len() as u64, max, Vec::new()).unwrap();
                let block = read.block();
                seen.extend(
                    lines::lines(block.bytes)
                        .map(|line| (block.offset(line.to), block.bytes[line.from..line.to].to_vec())),
                );
                at = read.to;
                assert!(segment.proves(segment.generation(), at));
                assert_eq!(file.check_before(0, at.offset).unwrap(), at.check);
            }
            // The second half of the last newline of UTF-16 belongs to the last line.
            assert_eq!(seen.len(), all.len(), "{max}");
            assert!(seen.iter().zip(&all).all(|((_, seen), (_, line))| seen == line), "{max}");
        }
        for (to, line) in &all[..all.len() - 1] {
            assert_eq!(file.check_before(0, *to).unwrap(), check(line.strip_suffix(b"\n").unwrap_or(line)));
        }
    }
}

#[test]
fn ids_of_files_that_differ_in_their_secrets_are_the_same() {
    let [one, two] = ["hunter", "winter"]
        .map(|word| text().replace("hunter", word).replace("first1234", &format!("{word}123")));
    let files = [&one, &two].map(|text| written(text.as_bytes(), &secrets()));
    let bare = [&one, &two].map(|text| written(text.as_bytes(), &None));
    assert_eq!(one.len(), two.len());
    assert_eq!(files[0].head(0).unwrap(), files[1].head(0).unwrap());
    assert_ne!(bare[0].head(0).unwrap(), bare[1].head(0).unwrap());
    let mut differ = 0;
    for at in places(one.as_bytes()) {
        assert_eq!(files[0].check_before(0, at).unwrap(), files[1].check_before(0, at).unwrap(), "{at}");
        differ += usize::from(bare[0].check_before(0, at).unwrap() != bare[1].check_before(0, at).unwrap());
    }
    assert!(differ > 30, "{differ}");
}

#[test]
fn a_search_finds_what_is_shown_in_both_directions() {
    let raw = text().repeat(40).into_bytes();
    let file = written(&raw, &secrets());
    let all = walked(&raw, &file);
    let reader = Reader::new(&Options { now: jiff::Timestamp::UNIX_EPOCH, zone: TimeZone::UTC });
    for (pattern, some) in [
        ("hunter", false),
        ("MIIEow", false),
        ("redacted:password", true),
        ("private-key", true),
        ("line 7", true),
    ] {
        let filter = Filter::new(Spec { grep: vec![pattern.to_owned()], ..Spec::default() }).unwrap();
        let search = Search { file: &file, begin: 0, filter: &filter, reader: &reader, naming: None };
        let mut found: [Vec<(u64, Vec<u8>)>; 2] = Default::default();
        search
            .forwards(0, raw.len() as u64, |block| {
                found[0].extend(
                    block.kept.iter().map(|kept| (block.end_of(kept), block.bytes[kept.clone()].to_vec())),
                );
                ControlFlow::Continue(())
            })
            .unwrap();
        search
            .backwards(0, raw.len() as u64, |block| {
                let kept = block.kept.iter().rev();
                found[1].extend(kept.map(|kept| (block.end_of(kept), block.bytes[kept.clone()].to_vec())));
                ControlFlow::Continue(())
            })
            .unwrap();
        found[1].reverse();
        let has = |line: &[u8]| line.windows(pattern.len()).any(|part| part == pattern.as_bytes());
        let expected: Vec<_> = all.iter().filter(|(_, line)| has(line)).cloned().collect();
        assert_eq!(expected.is_empty(), !some, "{pattern}");
        for found in found {
            assert!(found == expected, "{pattern}: {} for {}", found.len(), expected.len());
        }
    }
}

#[test]
fn long_lines_are_shown_alike_by_all() {
    let secret = "password=hunter2hunter2";
    let long = |at: usize, length: usize| {
        format!(
            "{}{secret} {}\n",
            "x ".repeat(at / 2),
            "y".repeat(length.saturating_sub(at + secret.len() + 1))
        )
    };
    for length in [LINE_LIMIT - 10, LINE_LIMIT, LINE_LIMIT + 1, LINE_LIMIT + 30, 2 * LINE_LIMIT] {
        let raw =
            [String::from("a\n"), long(LINE_LIMIT - 40, length), String::from("b\n")].concat().into_bytes();
        let file = Arc::new(written(&raw, &secrets()));
        let segment = Segment::new(0, 1, file.clone(), 0, Born::First);
        segment.learn_head(&raw, false);
        let (mut at, mut shown) = (segment.first(), Vec::new());
        while at.offset < raw.len() as u64 {
            let read = segment.read_lines(at, raw.len() as u64, 256 << 10, Vec::new()).unwrap();
            shown.extend_from_slice(read.block().bytes);
            at = read.to;
            assert_eq!(file.check_before(0, at.offset).unwrap(), at.check, "{length}");
        }
        assert_eq!(at.offset, raw.len() as u64);
        assert!(!shown.windows(6).any(|part| part == b"hunter"), "{length}");
        let filter =
            Filter::new(Spec { grep: vec!["redacted:password".to_owned()], ..Spec::default() }).unwrap();
        let reader = Reader::new(&Options { now: jiff::Timestamp::UNIX_EPOCH, zone: TimeZone::UTC });
        let search = Search { file: &file, begin: 0, filter: &filter, reader: &reader, naming: None };
        let mut hits = Vec::new();
        for forwards in [true, false] {
            let each = |block: crate::log::search::Found<'_>| {
                hits.extend(block.kept.iter().map(|kept| (block.offset_of(kept.start), block.end_of(kept))));
                ControlFlow::Continue(())
            };
            let end = raw.len() as u64;
            if forwards { search.forwards(0, end, each) } else { search.backwards(0, end, each) }.unwrap();
        }
        assert_eq!(hits, [(2, raw.len() as u64 - 2); 2], "{length}");
    }
}

#[test]
fn a_first_line_longer_than_a_head_names_its_generation_once() {
    let first = format!("{} password=hunter2 {}", "x".repeat(1_000), "y".repeat(3_000));
    let head = |text: &str| written(text.as_bytes(), &secrets()).head(0).unwrap();
    let known = head(&format!("{first}\nmore\n"));
    assert!(matches!(known, crate::log::logfile::Head::Known(_)));
    assert_eq!(known, head(&format!("{}\n", first.replace("hunter2", "other77"))));
    assert!(matches!(head(&first), crate::log::logfile::Head::Unfinished(_)), "its secret may go on");
    let endless = "z".repeat(64 << 10);
    assert_eq!(head(&endless), head(&format!("{endless}{endless}\n")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_holds_at_a_line_is_what_a_walk_knows(
        kinds in prop::collection::vec((0usize..5, 1usize..6_000), 1..30), utf16 in any::<bool>(),
    ) {
        let text: String = kinds
            .iter()
            .map(|&(kind, length)| match kind {
                0 => String::from("-----BEGIN RSA PRIVATE KEY-----\n"),
                1 => String::from("-----END RSA PRIVATE KEY-----\n"),
                2 => format!("{}-----BEGIN PRIVATE KEY-----\n", "x".repeat(length)),
                _ => format!("{}\n", "MIIEowIB".repeat(length / 8)),
            })
            .collect();
        let raw = if utf16 { wide(&text) } else { text.into_bytes() };
        let file = written(&raw, &secrets());
        let mut state = State::default();
        for pair in places(&raw).windows(2) {
            prop_assert_eq!(file.state_at(0, pair[0]).unwrap().is_within(), state.is_within(), "{}", pair[0]);
            file.shown_from(&mut state, pair[0], &raw[pair[0] as usize..pair[1] as usize]);
        }
    }
}
