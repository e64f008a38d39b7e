//! Subjects: the name of a file in the engine, `logs.{host}.{path}`, and filters over such names.
//!
//! Pure. A part of a path is a token: every byte outside `[A-Za-z0-9_-]` is written `%XX`, an empty part `%00`, so that no
//! name can hold a wildcard, a dot or a space. A subject has at most [`MAX_BYTES`] bytes; the tail of a longer one is its
//! hash.

use ring::digest::{SHA256, digest};
use std::fmt::Write;

/// The longest subject, in bytes: servers take more, but their file names and tools do not like it.
pub const MAX_BYTES: usize = 255;
/// How a file's subject is named unless told otherwise.
pub const DEFAULT_TEMPLATE: &str = "logs.{host}.{path}";

/// A token for a name.
pub fn escape(name: &[u8]) -> String {
    if name.is_empty() {
        return "%00".to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for &byte in name {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => out.push(char::from(byte)),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// The name that a token stands for; what is no escape stands for itself.
pub fn unescape(token: &str) -> Vec<u8> {
    if token == "%00" {
        return Vec::new();
    }
    percent_encoding::percent_decode_str(token).collect()
}

/// A path as tokens: `/var/log/app.log` is `var.log.app%2Elog`.
pub fn path_tokens(path: &[u8]) -> String {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let parts: Vec<String> = path.split(|&byte| byte == b'/').map(escape).collect();
    parts.join(".")
}

/// The path that tokens stand for, with a leading `/`.
pub fn tokens_path(tokens: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(tokens.len());
    for token in tokens.split('.') {
        out.push(b'/');
        out.extend(unescape(token));
    }
    out
}

/// How subjects are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

impl Template {
    /// Reads a template: tokens, `{host}` and `{path}`. A plain prefix (`logs`, `logs.>`) is one with `.{host}.{path}`
    /// behind it.
    ///
    /// # Errors
    /// One line about what is wrong with it.
    pub fn parse(text: &str) -> Result<Template, String> {
        let text = match text.contains('{') {
            true => text.to_owned(),
            false => format!("{}.{{host}}.{{path}}", text.strip_suffix(".>").unwrap_or(text)),
        };
        let example = text.replace("{host}", "h").replace("{path}", "p");
        if example.contains(['{', '}']) {
            return Err("only {host} and {path} may stand in braces".to_owned());
        }
        if !text.contains("{path}") {
            return Err("without {path} all files would have one subject".to_owned());
        }
        if text.starts_with('{') {
            return Err("must begin with a word, as logs.{host}.{path} does".to_owned());
        }
        check_filter(&example)?;
        if example.contains(['*', '>']) {
            return Err("a wildcard is not a subject to write to".to_owned());
        }
        Ok(Template(text))
    }

    /// The subject of a file.
    pub fn subject(&self, host: &str, path: &[u8]) -> String {
        let subject =
            self.0.replace("{host}", &escape(host.as_bytes())).replace("{path}", &path_tokens(path));
        shortened(subject)
    }

    /// What covers the subjects of all files of all hosts: `logs.>`.
    pub fn filter(&self) -> String {
        let fixed = self.0.split('{').next().unwrap_or_default().trim_end_matches('.');
        // A word that is only partly fixed (`logs.x-{host}`) is not one.
        let whole = self.0[fixed.len()..].starts_with('.');
        let fixed = match whole {
            true => fixed,
            false => fixed.rsplit_once('.').map_or(fixed, |(before, _)| before),
        };
        format!("{fixed}.>")
    }

    /// The name that a stream of these subjects gets: their first token.
    pub fn stream(&self) -> String {
        let first = self.0.split('.').next().unwrap_or("logs");
        first
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '_' })
            .collect()
    }
}

/// A subject of at most [`MAX_BYTES`] bytes: the tail of a longer one is `~` and 16 digits of its hash.
fn shortened(subject: String) -> String {
    if subject.len() <= MAX_BYTES {
        return subject;
    }
    let mut tail = String::from("~");
    for byte in &digest(&SHA256, subject.as_bytes()).as_ref()[..8] {
        let _ = write!(tail, "{byte:02x}");
    }
    // Whole tokens are kept, as many as fit.
    let room = MAX_BYTES - tail.len() - 1;
    let kept = subject[..room + 1].rfind('.').unwrap_or(0);
    match kept {
        0 => tail,
        kept => format!("{}.{tail}", &subject[..kept]),
    }
}

/// Whether a text can be a subject or a filter.
///
/// # Errors
/// One line about what is wrong with it.
pub fn check_filter(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("a subject has at most {MAX_BYTES} bytes"));
    }
    let mut tokens = text.split('.').peekable();
    while let Some(token) = tokens.next() {
        let wild = token.contains(['*', '>']);
        if token.is_empty() {
            return Err("a subject has no empty words: a.b, not a..b".to_owned());
        }
        if token.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("a subject holds no spaces".to_owned());
        }
        if wild && token.len() > 1 {
            return Err("* and > stand for whole words".to_owned());
        }
        if token == ">" && tokens.peek().is_some() {
            return Err("> stands at the end of a subject".to_owned());
        }
    }
    if text.starts_with('$') {
        return Err("subjects that begin with $ are the server's own".to_owned());
    }
    Ok(())
}

/// Whether a subject is one of those that a filter names.
pub fn matches(filter: &str, subject: &str) -> bool {
    let (mut filter, mut subject) = (filter.split('.'), subject.split('.'));
    loop {
        match (filter.next(), subject.next()) {
            (Some(">"), Some(_)) => return true,
            (Some("*"), Some(_)) => {}
            (Some(own), Some(other)) if own == other => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// Whether every subject that `inner` names is named by `outer` too.
pub fn covers(outer: &str, inner: &str) -> bool {
    let (mut outer, mut inner) = (outer.split('.'), inner.split('.'));
    loop {
        match (outer.next(), inner.next()) {
            (Some(">"), Some(_)) => return true,
            (Some("*"), Some(other)) if other != ">" => {}
            (Some(own), Some(other)) if own == other => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subject(host: &str, path: &str) -> String {
        Template::parse(DEFAULT_TEMPLATE).unwrap().subject(host, path.as_bytes())
    }

    #[test]
    fn a_path_is_tokens() {
        assert_eq!(subject("web1", "/var/log/nginx/access.log"), "logs.web1.var.log.nginx.access%2Elog");
        assert_eq!(subject("web1.lan", "/a b/*/>"), "logs.web1%2Elan.a%20b.%2A.%3E");
        assert_eq!(subject("", "//x"), "logs.%00.%00.x");
        assert_eq!(tokens_path("var.log.app%2Elog"), b"/var/log/app.log");
        assert_eq!(tokens_path("%00.x"), b"//x");
    }

    #[test]
    fn a_long_subject_ends_with_a_hash() {
        let long =
            |last: &str| subject("h", &format!("/{}/{last}", "d".repeat(200) + "/" + &"e".repeat(100)));
        let (one, two) = (long("a"), long("b"));
        assert!(one.len() <= MAX_BYTES && one != two, "{one}");
        assert!(one.starts_with(&format!("logs.h.{}.~", "d".repeat(200))), "{one}");
        assert_eq!(subject("h", &"x".repeat(300)).len(), "logs.h.~".len() + 16);
        assert_eq!(subject(&"h".repeat(300), "x").len(), "logs.~".len() + 16);
    }

    #[test]
    fn templates() {
        for (text, filter, stream) in [
            ("logs.{host}.{path}", "logs.>", "logs"),
            ("logs.>", "logs.>", "logs"),
            ("prod.logs", "prod.logs.>", "prod"),
            ("a.b-{host}.{path}", "a.>", "a"),
            ("a.{path}", "a.>", "a"),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!((template.filter().as_str(), template.stream().as_str()), (filter, stream), "{text}");
            assert!(matches(filter, &template.subject("h.x", b"/y.z")), "{text}");
        }
        for (text, word) in [
            ("{host}.{path}", "begin with a word"),
            ("logs.{host}", "{path}"),
            ("logs.{x}.{path}", "braces"),
            ("logs..{path}", "empty"),
            ("logs.*.{path}", "wildcard"),
            ("$JS.{path}", "server's own"),
            ("", "empty"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn filters() {
        for (filter, subject, expected) in [
            ("logs.>", "logs.a.b", true),
            ("logs.>", "logs", false),
            ("logs.*", "logs.a", true),
            ("logs.*", "logs.a.b", false),
            ("logs.*.x", "logs.a.x", true),
            ("logs.a", "logs.b", false),
            (">", "x", true),
        ] {
            assert_eq!(matches(filter, subject), expected, "{filter} {subject}");
        }
        for (outer, inner, expected) in [
            ("logs.>", "logs.>", true),
            ("logs.>", "logs.*.x", true),
            ("logs.*", "logs.>", false),
            ("logs.*", "logs.a", true),
            ("logs.a", "logs.*", false),
            (">", "logs.>", true),
            ("logs.a.>", "logs.>", false),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} {inner}");
        }
        for wrong in ["a..b", ".a", "", "a b", "a.>.b", "a*", "$SYS.x", &"a".repeat(256)] {
            assert!(check_filter(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_token_is_read_back_and_holds_nothing_special(name in prop::collection::vec(any::<u8>(), 0..50)) {
            let token = escape(&name);
            prop_assert!(check_filter(&token).is_ok() && !token.contains(['.', '*', '>']));
            // A single NUL is written like an empty name: no path has one.
            prop_assume!(name != [0]);
            prop_assert_eq!(unescape(&token), name);
        }

        #[test]
        fn every_path_has_a_subject_of_its_own_that_is_one(
            one in prop::collection::vec(1u8.., 0..400), two in prop::collection::vec(1u8.., 0..400)
        ) {
            let template = Template::parse(DEFAULT_TEMPLATE).unwrap();
            let [a, b] = [&one, &two].map(|path| template.subject("h", path));
            prop_assert!(check_filter(&a).is_ok(), "{}", a);
            let plain = |path: &[u8]| path.strip_prefix(b"/").unwrap_or(path).to_vec();
            prop_assert_eq!(a == b, plain(&one) == plain(&two));
        }
    }
}
