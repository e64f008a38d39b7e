//! Query parameters, read strictly: what is not known, given twice or not understood is a 400 that names it.

use super::problem::Problem;
use crate::live::backlog::Backlog;
use percent_encoding::percent_decode;
use warp::http::StatusCode;

/// The most parameters of one request.
const MAX_PARAMETERS: usize = 256;

/// The parameters of a request.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query; only `known` names may occur, only `repeatable` ones more than once.
    ///
    /// # Errors
    /// A 400 that names the parameter.
    pub fn parse(query: &str, known: &[&str], repeatable: &[&str]) -> Result<Params, Problem> {
        let mut params: Vec<(String, String)> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            if params.len() == MAX_PARAMETERS {
                return Err(Problem::new(StatusCode::BAD_REQUEST, "too many parameters"));
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name).unwrap_or_default();
            if !known.contains(&name.as_str()) {
                let shown: String = name.chars().take(64).collect();
                return Err(Problem::parameter(&shown, "unknown parameter"));
            }
            if !repeatable.contains(&name.as_str()) && params.iter().any(|(other, _)| *other == name) {
                return Err(Problem::parameter(&name, "given twice"));
            }
            let value = decode(value).ok_or_else(|| Problem::parameter(&name, "not UTF-8"))?;
            params.push((name, value));
        }
        Ok(Params(params))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeatable parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// A 400 for anything else.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, Problem> {
        match self.get(name) {
            None => Ok(default),
            Some("true" | "1" | "yes") => Ok(true),
            Some("false" | "0" | "no") => Ok(false),
            Some(_) => Err(Problem::parameter(name, "must be true or false")),
        }
    }

    /// A whole number up to `max`.
    ///
    /// # Errors
    /// A 400 for anything else.
    pub fn number(&self, name: &str, default: u64, max: u64) -> Result<u64, Problem> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        value
            .parse()
            .ok()
            .filter(|&number| digits && number <= max)
            .ok_or_else(|| Problem::parameter(name, format!("must be a number from 0 to {max}")))
    }

    /// A backlog: `N`, `+N` or `all`, the grammar of `tail -n`.
    ///
    /// # Errors
    /// A 400 for anything else.
    pub fn backlog(&self, name: &str, default: Backlog) -> Result<Backlog, Problem> {
        let Some(value) = self.get(name) else { return Ok(default) };
        parse_backlog(value).ok_or_else(|| Problem::parameter(name, "must be N, +N or all"))
    }
}

/// `N`, `+N` or `all`. In a query a `+` may have become a blank.
pub fn parse_backlog(value: &str) -> Option<Backlog> {
    if value == "all" {
        return Some(Backlog::All);
    }
    let (from, digits) = match value.strip_prefix(['+', ' ']) {
        Some(rest) => (true, rest),
        None => (false, value),
    };
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse().ok()?;
    Some(if from { Backlog::From(number) } else { Backlog::Last(number) })
}

/// `application/x-www-form-urlencoded`; `None` if it is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode(text.as_bytes()).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused_by_name() {
        let parse = |query| Params::parse(query, &["lines", "file"], &["file"]);
        let params = parse("file=a%20b&file=c+d&lines=+5").unwrap();
        assert_eq!(params.all("file").collect::<Vec<_>>(), ["a b", "c d"]);
        assert_eq!(params.backlog("lines", Backlog::All).unwrap(), Backlog::From(5));
        for (query, parameter) in
            [("lines=1&lines=2", "lines"), ("x=1", "x"), ("file=%ff", "file"), ("a%00b", "a\0b")]
        {
            assert_eq!(parse(query).unwrap_err().parameter.as_deref(), Some(parameter), "{query}");
        }
    }

    #[test]
    fn the_grammar_of_tail() {
        for (text, expected) in [
            ("10", Some(Backlog::Last(10))),
            ("0", Some(Backlog::Last(0))),
            ("+3", Some(Backlog::From(3))),
            (" 3", Some(Backlog::From(3))),
            ("all", Some(Backlog::All)),
            ("-1", None),
            ("", None),
            ("+", None),
            ("1e9", None),
            ("10000000000000000000000", None),
        ] {
            assert_eq!(parse_backlog(text), expected, "{text}");
        }
    }
}
