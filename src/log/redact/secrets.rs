//! The built-in set: what secrets look like, found by one search for their literal parts.
//!
//! The search is over a lower-cased copy, a few lines at a time so that it stays in the processor's cache; what it finds
//! is looked at in the line itself by the rule of its literal. So a line without a candidate costs that search alone.

use super::value::{authorization, scheme, url_password, value_of};
use super::{Mask, card};
use crate::log::lines::{complete, strip_cr};
use aho_corasick::packed::{Config, MatchKind, Searcher};
use aho_corasick::{AhoCorasick, BuildError};
use memchr::{memchr, memmem, memrchr};
use std::cell::RefCell;
use std::ops::Range;

/// How much is lower-cased and searched at once.
const WINDOW_BYTES: usize = 32 << 10;

thread_local! {
    /// The lower-cased lines: a window, or a longer line, until the next call.
    static LOWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What stands behind a literal that begins a key of some vendor.
#[derive(Debug, Clone, Copy)]
struct Key {
    name: &'static str,
    /// The literal as it is written.
    literal: &'static str,
    /// Letters and digits, and which bytes beside them.
    others: &'static [u8],
    /// How many bytes at least, and at most: a longer word is no such key.
    least: usize,
    most: usize,
}

/// What a literal is a part of.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// A key of a vendor.
    Key(Key),
    /// The name of a value; of a strict one the value must look like a secret where a sentence may stand.
    Name {
        name: &'static str,
        strict: bool,
    },
    Authorization,
    Bearer,
    Basic,
    Jwt,
    Hook,
}

const fn key(name: &'static str, literal: &'static str, others: &'static [u8], least: usize) -> Rule {
    Rule::Key(Key { name, literal, others, least, most: usize::MAX })
}

const fn exactly(name: &'static str, literal: &'static str, bytes: usize) -> Rule {
    Rule::Key(Key { name, literal, others: b"", least: bytes, most: bytes })
}

const fn named(name: &'static str, strict: bool) -> Rule {
    Rule::Name { name, strict }
}

const URL_SAFE: &[u8] = b"-_";

/// Each literal in lower case; none begins with another.
const RULES: &[(&str, Rule)] = &[
    ("authorization", Rule::Authorization),
    ("bearer", Rule::Bearer),
    ("basic", Rule::Basic),
    ("eyj", Rule::Jwt),
    ("hooks.slack.com/", Rule::Hook),
    ("passw", named("password", false)),
    ("passphrase", named("password", false)),
    ("pwd", named("password", false)),
    ("secret", named("secret", true)),
    ("token", named("token", true)),
    ("api_key", named("api-key", true)),
    ("api-key", named("api-key", true)),
    ("apikey", named("api-key", true)),
    ("access_key", named("api-key", true)),
    ("access-key", named("api-key", true)),
    ("accesskey", named("api-key", true)),
    ("accountkey", named("api-key", true)),
    ("credential", named("credential", true)),
    ("akia", exactly("aws-key", "AKIA", 16)),
    ("asia", exactly("aws-key", "ASIA", 16)),
    ("ghp_", key("github", "ghp_", b"", 30)),
    ("gho_", key("github", "gho_", b"", 30)),
    ("ghu_", key("github", "ghu_", b"", 30)),
    ("ghs_", key("github", "ghs_", b"", 30)),
    ("ghr_", key("github", "ghr_", b"", 30)),
    ("github_pat_", key("github", "github_pat_", b"_", 20)),
    ("glpat-", key("gitlab", "glpat-", b"-_.", 20)),
    ("gldt-", key("gitlab", "gldt-", URL_SAFE, 20)),
    ("glrt-", key("gitlab", "glrt-", b"-_.", 20)),
    ("glptt-", key("gitlab", "glptt-", URL_SAFE, 20)),
    ("xoxa-", key("slack", "xoxa-", b"-", 10)),
    ("xoxb-", key("slack", "xoxb-", b"-", 10)),
    ("xoxe", key("slack", "xoxe", b"-.", 20)),
    ("xoxp-", key("slack", "xoxp-", b"-", 10)),
    ("xoxr-", key("slack", "xoxr-", b"-", 10)),
    ("xoxs-", key("slack", "xoxs-", b"-", 10)),
    ("xapp-", key("slack", "xapp-", b"-", 10)),
    ("sk_live_", key("stripe", "sk_live_", b"", 10)),
    ("sk_test_", key("stripe", "sk_test_", b"", 10)),
    ("rk_live_", key("stripe", "rk_live_", b"", 10)),
    ("rk_test_", key("stripe", "rk_test_", b"", 10)),
    ("whsec_", key("stripe", "whsec_", b"+/=", 20)),
    ("aiza", key("google", "AIza", URL_SAFE, 35)),
    ("ya29.", key("google", "ya29.", b"-_.", 20)),
    ("gocspx-", key("google", "GOCSPX-", URL_SAFE, 20)),
    ("sk-", key("openai", "sk-", URL_SAFE, 20)),
    ("npm_", key("npm", "npm_", b"", 30)),
    ("pypi-", key("pypi", "pypi-", URL_SAFE, 40)),
    ("sg.", key("sendgrid", "SG.", b"-_.", 40)),
    ("hf_", key("huggingface", "hf_", b"", 30)),
    ("dop_v1_", key("digitalocean", "dop_v1_", b"", 40)),
    ("shpat_", key("shopify", "shpat_", b"", 30)),
    ("dckr_pat_", key("docker", "dckr_pat_", URL_SAFE, 20)),
];

/// The rules, ready to search.
#[derive(Debug)]
pub(super) struct Secrets(Search);

#[derive(Debug)]
enum Search {
    Packed(Searcher),
    /// Where the processor has no instructions for that.
    Plain(AhoCorasick),
}

impl Secrets {
    pub(super) fn new() -> Result<Secrets, BuildError> {
        let literals = RULES.iter().map(|(literal, _)| literal);
        let mut config = Config::new();
        config.match_kind(MatchKind::LeftmostFirst).heuristic_pattern_limits(false);
        let packed = config.builder().extend(literals.clone()).build();
        Ok(Secrets(match packed {
            Some(searcher) => Search::Packed(searcher),
            None => Search::Plain(AhoCorasick::new(literals)?),
        }))
    }

    /// Calls `each` with what has to be masked in a run of whole lines.
    pub(super) fn find(&self, run: &[u8], each: &mut impl FnMut(Mask<'static>)) {
        LOWER.with_borrow_mut(|lower| {
            let mut rest = run;
            while !rest.is_empty() {
                let end = match rest.len() > WINDOW_BYTES {
                    true => match complete(&rest[..WINDOW_BYTES]) {
                        0 => memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1),
                        end => end,
                    },
                    false => rest.len(),
                };
                lower.clear();
                lower.extend_from_slice(&rest[..end]);
                lower.make_ascii_lowercase();
                self.window(&rest[..end], lower, run.len() - rest.len(), each);
                rest = &rest[end..];
            }
            lower.shrink_to(WINDOW_BYTES);
        });
        urls(run, |range| each(Mask { range, name: "url-password" }));
        card::find(run, |range| each(Mask { range, name: "card" }));
    }

    fn window(&self, run: &[u8], lower: &[u8], from: usize, each: &mut impl FnMut(Mask<'static>)) {
        let mut at = 0;
        let mut line = 0..0;
        while let Some((rule, word)) = self.next(lower, at) {
            // One literal may begin within another.
            at = word.start + 1;
            if word.start >= line.end {
                let start = memrchr(b'\n', &run[line.end..word.start])
                    .map_or(line.end, |before| line.end + before + 1);
                let end = memchr(b'\n', &run[word.end..]).map_or(run.len(), |end| word.end + end);
                line = start..end;
            }
            let text = strip_cr(&run[line.clone()]);
            let word = word.start - line.start..word.end - line.start;
            if let Some((range, name)) = RULES[rule].1.look(text, word) {
                let shift = from + line.start;
                each(Mask { range: range.start + shift..range.end + shift, name });
            }
        }
    }

    fn next(&self, lower: &[u8], at: usize) -> Option<(usize, Range<usize>)> {
        match &self.0 {
            Search::Packed(searcher) => {
                let found = searcher.find_in(lower, (at..lower.len()).into())?;
                Some((found.pattern().as_usize(), found.range()))
            }
            Search::Plain(search) => {
                let found = search.find(aho_corasick::Input::new(lower).range(at..))?;
                Some((found.pattern().as_usize(), found.range()))
            }
        }
    }
}

impl Rule {
    /// What has to be masked in a line that holds the literal at `word`.
    fn look(self, text: &[u8], word: Range<usize>) -> Option<(Range<usize>, &'static str)> {
        match self {
            Rule::Key(key) => key.look(text, word).map(|range| (range, key.name)),
            Rule::Name { name, strict } => value_of(text, word, strict).map(|range| (range, name)),
            Rule::Authorization => authorization(text, word),
            Rule::Bearer => scheme(text, word, false).map(|range| (range, "bearer")),
            Rule::Basic => scheme(text, word, true).map(|range| (range, "basic")),
            Rule::Jwt => jwt(text, word.start).map(|range| (range, "jwt")),
            Rule::Hook => hook(text, word).map(|range| (range, "slack")),
        }
    }
}

impl Key {
    fn look(&self, text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
        if text[word.clone()] != *self.literal.as_bytes() || !begins(text, word.start) {
            return None;
        }
        let end = end_of_word(text, word.end, self.others);
        let rest = &text[word.end..end];
        let fits = (self.least..=self.most).contains(&rest.len());
        // Words with dashes are not keys.
        let random = self.others.is_empty() || rest.iter().any(u8::is_ascii_digit);
        (fits && random).then_some(word.start..end)
    }
}

/// Calls `each` with every password in a URL: many lines have a URL, few an `@`.
fn urls(run: &[u8], mut each: impl FnMut(Range<usize>)) {
    let mut done = 0;
    while let Some(found) = memchr(b'@', &run[done..]) {
        let at = done + found;
        let start = memrchr(b'\n', &run[done..at]).map_or(done, |before| done + before + 1);
        let end = memchr(b'\n', &run[at..]).map_or(run.len(), |end| at + end);
        let text = strip_cr(&run[start..end]);
        for sign in memmem::find_iter(text, "://") {
            if let Some(range) = url_password(text, sign..sign + 3) {
                each(range.start + start..range.end + start);
            }
        }
        done = end;
    }
}

/// Whether a word begins at a place; one that is encoded for a URL ends with two digits.
fn begins(text: &[u8], at: usize) -> bool {
    let Some(&before) = at.checked_sub(1).and_then(|before| text.get(before)) else { return true };
    !before.is_ascii_alphanumeric()
        || at >= 3 && text[at - 3] == b'%'
        || at >= 2 && text[at - 2] == b'\\' && b"nrt".contains(&before)
}

fn end_of_word(text: &[u8], from: usize, others: &[u8]) -> usize {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    text[from..].iter().position(|&byte| !is_part(byte)).map_or(text.len(), |end| from + end)
}

/// A JSON Web Token: two parts at least, of which the first is an object.
fn jwt(text: &[u8], from: usize) -> Option<Range<usize>> {
    if text[from..from + 3] != *b"eyJ" || !begins(text, from) {
        return None;
    }
    let mut end = end_of_word(text, from, URL_SAFE);
    if end - from < 12 {
        return None;
    }
    let mut parts = 1;
    while parts < 5 && text.get(end) == Some(&b'.') {
        let next = end_of_word(text, end + 1, URL_SAFE);
        if next == end + 1 && parts < 2 {
            break;
        }
        (end, parts) = (next, parts + 1);
    }
    // One that is cut off, or without its signature, is one too.
    let whole = parts > 1 && text[from..end].contains(&b'.');
    (whole || end == text.len() && end - from >= 20).then_some(from..end)
}

/// The secret part of the address of a hook.
fn hook(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let end = end_of_word(text, word.end, b"/-_");
    (end - word.end >= 20).then_some(word.end..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_hides_another() {
        for (n, (literal, _)) in RULES.iter().enumerate() {
            assert_eq!(*literal, literal.to_ascii_lowercase());
            let hidden =
                RULES.iter().enumerate().find(|(m, (other, _))| n != *m && other.starts_with(literal));
            assert!(hidden.is_none(), "{literal}: {hidden:?}");
        }
        for (literal, rule) in RULES {
            if let Rule::Key(key) = rule {
                assert_eq!(*literal, key.literal.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn the_search_without_special_instructions_finds_the_same() {
        let literals = RULES.iter().map(|(literal, _)| literal);
        let plain = Secrets(Search::Plain(AhoCorasick::new(literals).unwrap()));
        let text =
            b"password=a token=b1234567 eyJhbGciOiJIUzI1NiJ9.e30.x\nhttps://u:p@h/ AKIAABCDEFGHIJKLMNOP\n"
                .repeat(700);
        let all = |secrets: &Secrets| {
            let mut all = Vec::new();
            secrets.find(&text, &mut |mask| all.push((mask.range, mask.name)));
            all
        };
        let found = all(&plain);
        assert_eq!(found.len(), 5 * 700);
        assert_eq!(found, all(&Secrets::new().unwrap()));
    }
}
