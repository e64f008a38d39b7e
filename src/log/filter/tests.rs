use super::*;
use crate::log::record::Options;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().expect("a time")
}

fn state() -> State {
    State::new(Reader::new(&Options { now: now(), zone: TimeZone::UTC }))
}

fn grep(pattern: &str) -> Spec {
    Spec { grep: vec![pattern.to_owned()], ..Spec::default() }
}

fn kept(spec: Spec, block: &str) -> Vec<&str> {
    let filter = Filter::new(spec).expect("a filter");
    let mut found = Vec::new();
    filter.matches_in(block.as_bytes(), &mut state(), |range| found.push(block[range].trim_end()));
    found
}

#[test]
fn all_greps_must_match_and_no_exclude() {
    let block = "one two\ntwo three\none three\nONE TWO THREE\n";
    let both = Spec { grep: vec!["one".into(), "two".into()], ..Spec::default() };
    assert_eq!(kept(both, block), ["one two", "ONE TWO THREE"]);
    let none = Spec { exclude: vec!["one".into(), "THREE".into()], ..Spec::default() };
    assert_eq!(kept(none, block), ["two three"]);
    let mixed = Spec { grep: vec!["^o".into()], exclude: vec!["two".into()], ..Spec::default() };
    assert_eq!(kept(mixed, block), ["one three"]);
}

#[test]
fn capitals_matter_as_asked() {
    let block = "error\nError\nERROR\n";
    assert_eq!(kept(grep("error"), block).len(), 3);
    assert_eq!(kept(grep("Error"), block), ["Error"]);
    assert_eq!(kept(Spec { case: Case::Yes, ..grep("error") }, block), ["error"]);
    assert_eq!(kept(Spec { case: Case::No, ..grep("ERROR") }, block).len(), 3);
    assert_eq!(kept(grep(r"\Werror|^\Serror|error$"), block).len(), 3, "a class is no capital");
}

#[test]
fn no_match_crosses_a_line() {
    let block = "a\nb\n\na b\n";
    assert_eq!(kept(grep(r"a\s+b"), block), ["a b"]);
    assert_eq!(kept(grep("[^x]b"), block), ["a b"]);
    assert_eq!(kept(grep("^$"), block), [""]);
    assert_eq!(kept(grep("^..$"), "ab\nabc\ncd\r\n"), ["ab", "cd"]);
    assert_eq!(kept(grep(r"\Ab\z"), "a\nb\n"), ["b"]);
    assert_eq!(kept(grep("x*"), "\na\n").len(), 2);
    assert_eq!(kept(grep(r"b\s"), "b\r\nb \r\n").len(), 1);
}

#[test]
fn bytes_that_are_no_text_are_matched_around() {
    let filter = Filter::new(grep(r"q=\d+ .*é")).expect("a filter");
    assert!(filter.keep("q=17 \u{e9}".as_bytes(), &mut state()));
    assert!(!filter.keep("q=\u{663} \u{e9}".as_bytes(), &mut state()), "only 0 to 9 are digits");
    let broken = Filter::new(grep("end$")).expect("a filter");
    assert!(broken.keep(b"\xff\xfe end\n", &mut state()));
}

#[test]
fn a_literal_is_the_text_itself() {
    let spec = Spec { syntax: Syntax::Literal, ..grep("a.b[") };
    assert_eq!(kept(spec, "a.b[0]\naxb[0]\nA.B[1]\n"), ["a.b[0]", "A.B[1]"]);
}

#[test]
fn a_wrong_pattern_says_where() {
    let wrong = |spec: Spec| Filter::new(spec).expect_err("wrong");
    let error = wrong(grep("abc(de"));
    assert_eq!((error.parameter, error.offset), ("grep", Some(3)));
    assert_eq!(error.to_string(), "grep at byte 3: unclosed group");
    assert_eq!(wrong(grep("é[z-a]")).offset, Some(3));
    assert_eq!(wrong(grep(r"a\nb")).offset, Some(1));
    assert_eq!(wrong(grep("a\nb")).offset, Some(1));
    assert_eq!(wrong(grep(r"a\p{Nix}")).offset, Some(1));
    let exclude = wrong(Spec { exclude: vec!["ok".into(), "*".into()], ..Spec::default() });
    assert_eq!((exclude.parameter, exclude.offset), ("exclude", Some(0)));
    assert_eq!(wrong(grep(&"x".repeat(PATTERN_BYTES + 1))).offset, None);
    assert_eq!(wrong(grep(r"(?:\w{90}){90}")).message, "compiled regex exceeds size limit of 2097152");
    let many = Spec { grep: (0..17).map(|i| i.to_string()).collect(), ..Spec::default() };
    assert!(wrong(many).message.contains("16"));
}

#[test]
fn filters_are_equal_if_they_ask_for_the_same() {
    let of = |greps: &[&str]| {
        let grep = greps.iter().map(|&text| text.to_owned()).collect();
        Filter::new(Spec { grep, ..Spec::default() }).expect("a filter")
    };
    assert_eq!(of(&["a", "b", ""]), of(&["b", "a", "a"]));
    assert_ne!(of(&["a"]), of(&["b"]));
    let empty = Filter::new(Spec { case: Case::No, ..grep("") }).expect("a filter");
    assert!(empty.is_empty());
    assert_eq!(empty, Filter::new(Spec::default()).expect("a filter"));
    assert!(!of(&["a"]).is_empty());
}

#[test]
fn a_stack_trace_follows_its_error() {
    let block = "\
2026-11-25 10:00:00 INFO start
2026-11-25 10:01:00 ERROR broken
java.io.IOException: ERROR
\tat a.b(C.java:1)
2026-11-25 10:02:00 INFO on
more of it
2026-11-25 10:03:00 says no level
more of that
";
    let levels = |text: &str| Some(Levels::parse(text).expect("levels"));
    let errors = Spec { levels: levels("error+"), ..Spec::default() };
    assert_eq!(kept(errors.clone(), block).len(), 3);
    assert_eq!(kept(Spec { levels: levels("info"), ..Spec::default() }, block).len(), 3);
    assert_eq!(
        kept(Spec { levels: levels("none"), ..Spec::default() }, block),
        ["2026-11-25 10:03:00 says no level", "more of that"]
    );
    assert_eq!(kept(Spec { grep: vec!["C.java".into()], ..errors }, block), ["\tat a.b(C.java:1)"]);
    let time = |text: &str| Some(instant("since", text, now(), &TimeZone::UTC).expect("a time"));
    let since = Spec { since: time("10:01"), until: time("10:02"), ..Spec::default() };
    assert_eq!(kept(since, block).len(), 3);
    assert_eq!(kept(Spec { since: time("10:02"), ..grep("more") }, block).len(), 2);
}

#[test]
fn levels_are_read_as_typed() {
    let has = |text: &str| {
        let levels = Levels::parse(text).expect("levels");
        Level::ALL
            .into_iter()
            .filter(|&level| levels.has(Some(level)))
            .map(Level::name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(has("warn+"), "warn error fatal");
    assert_eq!(has("warn "), "warn error fatal");
    assert_eq!(has("debug,FATAL"), "debug fatal");
    let unknown = |text: &str| Levels::parse(text).expect("levels").has(None);
    assert!(unknown("none") && unknown("error, NONE") && !unknown("trace+"));
    assert_eq!(has("none"), "");
    assert!(Levels::parse("none+").is_err());
    let error = Levels::parse("warn, loud").expect_err("wrong");
    assert_eq!(error.offset, Some(6));
    assert!(Levels::parse("").is_err());
}

#[test]
fn times_are_read_as_typed() {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    let read = |text: &str| instant("since", text, now(), &zone).map(|time| time.to_string());
    for (text, is) in [
        ("2026-11-24T14:02:00Z", "2026-11-24T14:02:00Z"),
        ("2026-11-24T14:02:00+01:00", "2026-11-24T13:02:00Z"),
        ("2026-11-24T14:02:00 01:00", "2026-11-24T13:02:00Z"),
        ("2026-11-24 14:02:00.5-08:00", "2026-11-24T22:02:00.5Z"),
        ("2026-11-24T14:02", "2026-11-24T13:02:00Z"),
        ("2026-07-24 14:02:03", "2026-07-24T12:02:03Z"),
        ("2026-11-24", "2026-11-23T23:00:00Z"),
        ("14:02", "2026-11-25T13:02:00Z"),
        ("9:02:03.25", "2026-11-25T08:02:03.25Z"),
        ("15m", "2026-11-25T11:45:00Z"),
        ("1h30m", "2026-11-25T10:30:00Z"),
        ("1d", "2026-11-24T12:00:00Z"),
        ("now", "2026-11-25T12:00:00Z"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(is), "{text}");
    }
    for text in [
        "",
        "15",
        "m",
        "25:00",
        "14:2",
        "yesterday",
        "2026-13-01",
        "9999999999999999999d",
        "9223372036854775807w",
    ] {
        assert!(read(text).is_err(), "{text}");
    }
}

/// The definition: each line on its own, with the regex crate.
fn naive(spec: &Spec, block: &[u8]) -> Vec<Range<usize>> {
    let compile = |patterns: &[String]| -> Vec<regex::bytes::Regex> {
        patterns
            .iter()
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| {
                // The letter of an escape is no capital that somebody looks for.
                let letters = pattern.replace(r"\S", "").replace(r"\A", "");
                let smart = !letters.chars().any(char::is_uppercase);
                regex::bytes::RegexBuilder::new(pattern)
                    .multi_line(true)
                    .case_insensitive(match spec.case {
                        Case::Smart => smart,
                        Case::Yes => false,
                        Case::No => true,
                    })
                    .build()
                    .expect("a pattern")
            })
            .collect()
    };
    let (greps, excludes) = (compile(&spec.grep), compile(&spec.exclude));
    let (mut inherited, reader) = (Inherited::default(), state().reader);
    lines(block)
        .filter(|line| {
            inherited.step(line.text, &reader, Want { time: true, level: true });
            greps.iter().all(|regex| regex.is_match(line.text))
                && !excludes.iter().any(|regex| regex.is_match(line.text))
                && spec.levels.is_none_or(|levels| levels.has(inherited.level))
                && spec.since.is_none_or(|since| inherited.time.is_some_and(|time| time >= since))
                && spec.until.is_none_or(|until| inherited.time.is_some_and(|time| time < until))
        })
        .map(|line| line.from..line.to)
        .collect()
}

fn pattern() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "B",
        "ab",
        "a.b",
        "^a",
        "b$",
        "^$",
        "[^a]",
        "a|b",
        r"\bab\b",
        r"\s",
        r"\S",
        r"a\s*b",
        "x*",
        "a{2,}",
        r"\Aa",
        r"b\z",
        "info",
        "ERROR",
        "(a|b)+c?",
        ".",
        r"[a-c]\d",
        r"(?-u:\xff)",
        "é",
    ])
    .prop_map(str::to_owned)
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[abB1 é\r\t]{0,8}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..8),
        2 => "2026-11-25 10:0[0-9]:00 (INFO |ERROR |DEBUG |)[ab]{0,3}".prop_map(String::into_bytes),
        1 => "(info|error): [ab]{0,3}".prop_map(String::into_bytes),
        1 => Just(b"2026-11-25 10:05:00 UTC DETAIL:  a".to_vec()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn blocks_are_filtered_as_lines_are(
        grep in prop::collection::vec(pattern(), 0..3),
        exclude in prop::collection::vec(pattern(), 0..3),
        case in prop::sample::select(vec![Case::Smart, Case::Yes, Case::No]),
        levels in prop::option::of(prop::sample::select(vec!["info", "warn+", "debug,error", "none", "error+,none"])),
        since in prop::option::of(0i64..10),
        until in prop::option::of(0i64..10),
        lines_of in prop::collection::vec((line(), any::<bool>()), 0..14),
        last in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let minute = |minute: i64| "2026-11-25T10:00:00Z".parse::<Timestamp>().expect("a time") + jiff::SignedDuration::from_mins(minute);
        let spec = Spec {
            grep, exclude, case, syntax: Syntax::Regex,
            levels: levels.map(|text| Levels::parse(text).expect("levels")),
            since: since.map(minute), until: until.map(minute),
            ..Spec::default()
        };
        let mut block = Vec::new();
        for (line, cr) in &lines_of {
            block.extend(line.iter().map(|&byte| if byte == b'\n' { b'b' } else { byte }));
            block.extend_from_slice(if *cr { b"\r\n" } else { b"\n" });
        }
        if last {
            block.pop();
        }
        let expected = naive(&spec, &block);
        let filter = Filter::new(spec).expect("a filter");
        // In two blocks, cut between lines.
        let ends: Vec<usize> = std::iter::once(0).chain(lines(&block).map(|line| line.to)).collect();
        let cut = ends[cut.index(ends.len())];
        let (mut found, mut of_block) = (Vec::new(), state());
        for (from, part) in [(0, &block[..cut]), (cut, &block[cut..])] {
            filter.matches_in(part, &mut of_block, |range| found.push(from + range.start..from + range.end));
        }
        prop_assert_eq!(&found, &expected);
        let mut of_line = state();
        let one_by_one: Vec<_> = lines(&block)
            .filter(|line| filter.keep(&block[line.from..line.to], &mut of_line))
            .map(|line| line.from..line.to)
            .collect();
        prop_assert_eq!(&one_by_one, &expected);
    }
}
