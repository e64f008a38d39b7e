//! The parameters that say which lines are wanted, the same on every route that has them.

use super::params::Params;
use super::problem::Problem;
use crate::log::filter::{Case, Filter, FilterError, Levels, Spec, Syntax, instant};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::Semaphore;
use warp::http::StatusCode;

/// The names of the parameters that [`filter`] reads.
pub const FILTERS: &[&str] =
    &["grep", "exclude", "case", "syntax", "level", "since", "until", "host", "origin"];
/// Those of them that may occur more than once.
pub const REPEATABLE: &[&str] = &["grep", "exclude", "host", "origin"];
/// How many filters are compiled at once; the others wait. A bad one takes tens of milliseconds.
static COMPILING: Semaphore = Semaphore::const_new(2);

/// The filter that a request asks for; `None` if it wants every line. Times without a zone are meant in `zone`.
///
/// # Errors
/// A 400 that names the parameter and, where there is one, the place in it.
pub fn filter(params: &Params, zone: &TimeZone) -> Result<Option<Filter>, Problem> {
    kept(Filter::new(spec(params, zone)?)?)
}

/// The same, off the reactor if there are patterns: who asks for bad ones must not hold up the others.
///
/// # Errors
/// As [`filter`].
pub async fn compiled(params: &Params, zone: &TimeZone) -> Result<Option<Filter>, Problem> {
    let spec = spec(params, zone)?;
    if spec.grep.is_empty() && spec.exclude.is_empty() {
        return kept(Filter::new(spec)?);
    }
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the filter could not be compiled");
    let _turn = COMPILING.acquire().await.map_err(|_| failed())?;
    let made = tokio::task::spawn_blocking(move || Filter::new(spec)).await;
    kept(made.map_err(|_| failed())??)
}

fn kept(filter: Filter) -> Result<Option<Filter>, Problem> {
    Ok((!filter.is_empty()).then_some(filter))
}

fn spec(params: &Params, zone: &TimeZone) -> Result<Spec, Problem> {
    let now = Timestamp::now();
    let time = |name: &'static str| params.get(name).map(|text| instant(name, text, now, zone)).transpose();
    Ok(Spec {
        grep: params.all("grep").map(str::to_owned).collect(),
        exclude: params.all("exclude").map(str::to_owned).collect(),
        case: match params.get("case") {
            None | Some("smart") => Case::Smart,
            Some("yes") => Case::Yes,
            Some("no") => Case::No,
            Some(_) => return Err(Problem::parameter("case", "must be smart, yes or no")),
        },
        syntax: match params.get("syntax") {
            None | Some("regex") => Syntax::Regex,
            Some("literal") => Syntax::Literal,
            Some(_) => return Err(Problem::parameter("syntax", "must be regex or literal")),
        },
        levels: params.get("level").map(Levels::parse).transpose()?,
        since: time("since")?,
        until: time("until")?,
        hosts: params.all("host").map(str::to_owned).collect(),
        origins: params.all("origin").map(str::to_owned).collect(),
    })
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Problem {
        Problem { offset: error.offset, ..Problem::parameter(error.parameter, error.message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Option<Filter>, Problem> {
        let params = Params::parse(query, FILTERS, REPEATABLE).expect("known parameters");
        filter(&params, &TimeZone::UTC)
    }

    #[test]
    fn a_request_says_which_lines_it_wants() {
        assert_eq!(read("").expect("no filter"), None);
        assert_eq!(read("grep=&case=no").expect("no filter"), None);
        let query = "grep=a%2Bb&grep=c&exclude=d&case=yes&syntax=literal&level=warn+&since=2026-11-24T14:02";
        let spec = read(query).expect("a filter").expect("one").spec().clone();
        assert_eq!((&spec.grep[..], &spec.exclude[..]), (&["a+b".into(), "c".into()][..], &["d".into()][..]));
        assert_eq!((spec.case, spec.syntax), (Case::Yes, Syntax::Literal));
        assert_eq!(spec.levels, Levels::parse("warn+").ok());
        assert_eq!(spec.since.map(|time| time.to_string()).as_deref(), Some("2026-11-24T14:02:00Z"));
    }

    #[test]
    fn what_is_wrong_is_named_and_where() {
        for (query, parameter, offset) in [
            ("grep=ok&grep=abc(de", "grep", Some(3)),
            ("exclude=*", "exclude", Some(0)),
            ("level=warn,loud", "level", Some(5)),
            ("since=soon", "since", None),
            ("until=", "until", None),
            ("case=maybe", "case", None),
            ("syntax=glob", "syntax", None),
        ] {
            let problem = read(query).expect_err(query);
            assert_eq!((problem.parameter.as_deref(), problem.offset), (Some(parameter), offset), "{query}");
            assert_eq!(problem.status, 400, "{query}");
        }
    }
}
