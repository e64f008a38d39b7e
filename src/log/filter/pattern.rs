//! From a pattern's text to something that finds lines.
//!
//! The engine is grep-regex with `\n` as its line terminator: it refuses what could match across lines, and finds
//! candidates by their literals. The pattern is parsed here first, because only the parser says where it is wrong.

use super::{Case, FilterError, PATTERN_BYTES, Spec, Syntax};
use grep_matcher::{Captures, LineMatchKind, Matcher};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use memchr::{memchr, memrchr};
use regex_syntax::ast::{self, Ast, ClassPerlKind, ClassSetItem, GroupKind};
use regex_syntax::hir::translate::TranslatorBuilder;
use std::convert::Infallible;
use std::ops::Range;

/// The largest compiled pattern and the largest cache of one that searches, in bytes.
const PATTERN_MOST_BYTES: usize = 2 << 20;
/// All patterns of a filter, and all their caches: a filter is kept as long as somebody watches by it.
const FILTER_MOST_BYTES: usize = 4 << 20;
/// How deep groups may be nested.
const NESTED: u32 = 64;

/// A compiled pattern, or several of which one must match.
#[derive(Debug)]
pub(in crate::log) struct Pattern {
    matcher: RegexMatcher,
    /// False if the pattern means the ends of the text (`\A`, `\z`): then each line is a text of its own.
    searches: bool,
    /// The names of its groups, by their numbers.
    groups: Vec<(usize, String)>,
}

/// One pattern a `grep`.
pub(super) fn all(spec: &Spec) -> Result<Vec<Pattern>, FilterError> {
    spec.grep
        .iter()
        .map(|text| {
            let source = Source::new("grep", text, spec)?;
            build("grep", &[source.text.as_str()], source.fold, share(spec))
        })
        .collect()
}

/// One pattern for each text, for what is marked in lines.
pub(super) fn marking(texts: &[String]) -> Result<Vec<Pattern>, FilterError> {
    let spec = Spec::default();
    let sources = texts.iter().map(|text| Source::new("highlight", text, &spec));
    let most = (FILTER_MOST_BYTES / texts.len().max(1)).min(PATTERN_MOST_BYTES);
    sources
        .map(|source| source.and_then(|own| build("highlight", &[own.text.as_str()], own.fold, most)))
        .collect()
}

/// All `exclude`s as one pattern, or two if capitals matter only in some.
pub(super) fn any(spec: &Spec) -> Result<Vec<Pattern>, FilterError> {
    let sources: Vec<Source> =
        spec.exclude.iter().map(|text| Source::new("exclude", text, spec)).collect::<Result<_, _>>()?;
    let mut built = Vec::new();
    for fold in [false, true] {
        let texts: Vec<&str> =
            sources.iter().filter(|source| source.fold == fold).map(|source| source.text.as_str()).collect();
        if !texts.is_empty() {
            built.push(build("exclude", &texts, fold, share(spec))?);
        }
    }
    Ok(built)
}

/// What each of a filter's patterns may take, in bytes. Those that exclude are one or two.
fn share(spec: &Spec) -> usize {
    let built = spec.grep.len() + spec.exclude.len().min(2);
    (FILTER_MOST_BYTES / built.max(1)).min(PATTERN_MOST_BYTES)
}

fn build(
    parameter: &'static str,
    texts: &[&str],
    fold: bool,
    most_bytes: usize,
) -> Result<Pattern, FilterError> {
    let matcher = RegexMatcherBuilder::new()
        .multi_line(true)
        .case_insensitive(fold)
        .line_terminator(Some(b'\n'))
        .size_limit(most_bytes)
        .dfa_size_limit(most_bytes)
        .nest_limit(NESTED)
        .build_many(texts)
        .map_err(|error| {
            let message = one_line(&error.to_string());
            FilterError { parameter, offset: None, message }
        })?;
    let searches = matcher.line_terminator().is_some();
    Ok(Pattern { matcher, searches, groups: Vec::new() })
}

/// The last line of a message is what is wrong; those before it draw the pattern.
fn one_line(message: &str) -> String {
    let last = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(message);
    last.trim().trim_start_matches("error: ").to_owned()
}

impl Pattern {
    /// A regular expression, or several of which one must match; capitals matter.
    pub(in crate::log) fn exact(
        parameter: &'static str,
        texts: &[impl AsRef<str>],
    ) -> Result<Pattern, FilterError> {
        let spec = Spec { case: Case::Yes, ..Spec::default() };
        let sources: Vec<Source> = texts
            .iter()
            .map(|text| Source::new(parameter, text.as_ref(), &spec))
            .collect::<Result<_, _>>()?;
        let texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
        let mut built = build(parameter, &texts, false, PATTERN_MOST_BYTES)?;
        if let [only] = &sources[..] {
            built.groups.clone_from(&only.groups);
        }
        Ok(built)
    }

    /// Calls `each` with every part of a line's text that it means, none of them empty: what its groups match, with
    /// their names, or all of a match if no group has a part in it.
    pub(in crate::log) fn each_part<'a>(&'a self, text: &[u8], each: &mut impl FnMut(Range<usize>, &'a str)) {
        // The engine has no error that it could return.
        if self.matcher.capture_count() <= 1 {
            let _ = self.matcher.find_iter(text, |found| {
                if !found.is_empty() {
                    each(found.start()..found.end(), "");
                }
                true
            });
            return;
        }
        let Ok(mut captures) = self.matcher.new_captures() else { return };
        let _ = self.matcher.captures_iter(text, &mut captures, |captures| {
            let mut grouped = false;
            for number in 1..captures.len() {
                if let Some(found) = captures.get(number) {
                    grouped = true;
                    let name = self.groups.iter().find(|(own, _)| *own == number);
                    if !found.is_empty() {
                        each(found.start()..found.end(), name.map_or("", |(_, name)| name));
                    }
                }
            }
            if let Some(found) = captures.get(0).filter(|found| !grouped && !found.is_empty()) {
                each(found.start()..found.end(), "");
            }
            true
        });
    }

    /// True if [`Pattern::next_line`] may be used.
    pub(in crate::log) fn searches(&self) -> bool {
        self.searches
    }

    /// True if it matches in a line's text.
    pub(super) fn is_match(&self, text: &[u8]) -> bool {
        // The engine has no error that it could return.
        self.matcher.is_match(text).unwrap_or(false)
    }

    /// Calls `each` with the place of every match in a line's text, until it says false.
    pub(super) fn find_in(&self, text: &[u8], mut each: impl FnMut(Range<usize>) -> bool) {
        let _ = self.matcher.find_iter(text, |found| each(found.start()..found.end()));
    }

    /// The next line with a match, its newline included, from the beginning of a line on.
    pub(in crate::log) fn next_line(&self, block: &[u8], mut at: usize) -> Option<Range<usize>> {
        while at < block.len() {
            let (near, sure) = match self.matcher.find_candidate_line(&block[at..]).ok()?? {
                LineMatchKind::Confirmed(near) => (at + near, true),
                LineMatchKind::Candidate(near) => (at + near, false),
            };
            // Behind the last newline no line begins.
            if near == block.len() && block.ends_with(b"\n") {
                return None;
            }
            let from = memrchr(b'\n', &block[at..near]).map_or(at, |newline| at + newline + 1);
            let to = memchr(b'\n', &block[near..]).map_or(block.len(), |newline| near + newline + 1);
            if sure || self.is_match(super::without_newline(&block[from..to])) {
                return Some(from..to);
            }
            at = to;
        }
        None
    }
}

/// A pattern as the engine gets it.
struct Source {
    text: String,
    /// Capitals do not matter.
    fold: bool,
    /// The names of its groups, by their numbers.
    groups: Vec<(usize, String)>,
}

impl Source {
    fn new(parameter: &'static str, pattern: &str, spec: &Spec) -> Result<Source, FilterError> {
        let wrong = |offset, message: String| FilterError { parameter, offset, message };
        if pattern.len() > PATTERN_BYTES {
            return Err(wrong(None, format!("longer than {PATTERN_BYTES} bytes")));
        }
        if let Some(at) = memchr(b'\n', pattern.as_bytes()) {
            return Err(wrong(Some(at), "a pattern is looked for within one line".to_owned()));
        }
        let (text, capital, groups) = match spec.syntax {
            Syntax::Literal => {
                (regex_syntax::escape(pattern), pattern.chars().any(char::is_uppercase), Vec::new())
            }
            Syntax::Regex => {
                let tree = ast::parse::ParserBuilder::new()
                    .nest_limit(NESTED)
                    .build()
                    .parse(pattern)
                    .map_err(|error| wrong(Some(error.span().start.offset), error.kind().to_string()))?;
                let Ok(seen) = ast::visit(&tree, Seen::default());
                if let Some(at) = seen.newline {
                    return Err(wrong(Some(at), "a pattern is looked for within one line".to_owned()));
                }
                TranslatorBuilder::new()
                    .utf8(false)
                    .multi_line(true)
                    .build()
                    .translate(pattern, &tree)
                    .map_err(|error| wrong(Some(error.span().start.offset), error.kind().to_string()))?;
                (ascii_digits(pattern, &seen.digits), seen.capital, seen.groups)
            }
        };
        let fold = match spec.case {
            Case::Smart => !capital,
            Case::Yes => false,
            Case::No => true,
        };
        Ok(Source { text, fold, groups })
    }
}

/// Writes `[0-9]` for `\d`: logs have no other digits, and the sets of Unicode's make searching many times slower.
fn ascii_digits(pattern: &str, digits: &[(Range<usize>, bool)]) -> String {
    let (mut text, mut at) = (String::with_capacity(pattern.len() + 8), 0);
    for (range, negated) in digits {
        text.push_str(&pattern[at..range.start]);
        text.push_str(if *negated { "[^0-9]" } else { "[0-9]" });
        at = range.end;
    }
    text.push_str(&pattern[at..]);
    text
}

/// What a walk over a parsed pattern finds.
#[derive(Default)]
struct Seen {
    capital: bool,
    newline: Option<usize>,
    /// Each `\d`, and whether it is a `\D`.
    digits: Vec<(Range<usize>, bool)>,
    groups: Vec<(usize, String)>,
}

impl Seen {
    fn literal(&mut self, literal: &ast::Literal) {
        self.capital |= literal.c.is_uppercase();
        if literal.c == '\n' {
            self.newline.get_or_insert(literal.span.start.offset);
        }
    }

    fn class(&mut self, class: &ast::ClassPerl) {
        if class.kind == ClassPerlKind::Digit {
            self.digits.push((class.span.start.offset..class.span.end.offset, class.negated));
        }
    }
}

impl ast::Visitor for Seen {
    type Output = Seen;
    type Err = Infallible;

    fn finish(self) -> Result<Seen, Infallible> {
        Ok(self)
    }

    fn visit_pre(&mut self, tree: &Ast) -> Result<(), Infallible> {
        match tree {
            Ast::Literal(literal) => self.literal(literal),
            Ast::ClassPerl(class) => self.class(class),
            Ast::Group(group) => {
                if let GroupKind::CaptureName { name, .. } = &group.kind {
                    self.groups.push((name.index as usize, name.name.clone()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        match item {
            ClassSetItem::Literal(literal) => self.literal(literal),
            ClassSetItem::Range(range) => {
                self.literal(&range.start);
                self.literal(&range.end);
            }
            ClassSetItem::Perl(class) => self.class(class),
            _ => {}
        }
        Ok(())
    }
}
