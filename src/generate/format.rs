//! What lines can look like, and mixtures of it.

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// `TIME - log_app - INFO - log message num: 0`, the tutorial's.
    Plain,
    /// One JSON object a line.
    Json,
    /// `level=info msg="…"`.
    Logfmt,
    /// nginx's access log, Combined Log Format.
    Nginx,
    /// Apache's `other_vhosts_access.log`.
    Apache,
    /// RFC 3164, with priority.
    Syslog,
    /// RFC 5424, with structured data.
    Syslog5424,
    /// log4j's, with stack traces.
    Log4j,
    /// Python's logging, with tracebacks.
    Python,
    /// Go's log package, with the stacks of goroutines.
    Go,
    /// Rust's tracing.
    RustTracing,
    /// In colours, for a terminal.
    Ansi,
    /// What a Kubernetes node keeps of a container's output.
    Cri,
    /// Everything that breaks viewers.
    Hostile,
}

/// All of them, each with its name and what else it is called.
const NAMES: [(Format, &str, &[&str], &str); 14] = [
    (Format::Plain, "plain", &["tutorial"], "Python's logging, one message with a number"),
    (Format::Json, "json", &[], "One JSON object a line"),
    (Format::Logfmt, "logfmt", &[], "Pairs key=value"),
    (Format::Nginx, "nginx", &[], "nginx's access log, combined"),
    (Format::Apache, "apache", &[], "Apache's access log with virtual hosts"),
    (Format::Syslog, "syslog", &["syslog3164"], "RFC 3164, with priority"),
    (Format::Syslog5424, "syslog5424", &[], "RFC 5424, with structured data"),
    (Format::Log4j, "log4j", &["java"], "Java's, with stack traces"),
    (Format::Python, "python", &[], "Python's logging, with tracebacks"),
    (Format::Go, "go", &[], "Go's log, with stacks of goroutines"),
    (Format::RustTracing, "rust-tracing", &["rust"], "Rust's tracing"),
    (Format::Ansi, "ansi", &[], "Coloured for a terminal"),
    (Format::Cri, "cri", &["kubernetes"], "A container's output as Kubernetes keeps it"),
    (Format::Hostile, "hostile", &[], "Everything that breaks viewers"),
];

impl Format {
    /// All of them.
    pub const ALL: [Format; NAMES.len()] = {
        let (mut all, mut at) = ([Format::Plain; NAMES.len()], 0);
        while at < NAMES.len() {
            all[at] = NAMES[at].0;
            at += 1;
        }
        all
    };

    /// The format of a name.
    pub fn of(name: &str) -> Option<Format> {
        let fits = |own: &&str| own.eq_ignore_ascii_case(name);
        NAMES.iter().find(|(_, own, others, _)| fits(own) || others.iter().any(fits)).map(|row| row.0)
    }

    fn row(self) -> &'static (Format, &'static str, &'static [&'static str], &'static str) {
        &NAMES[self as usize]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What else it is called.
    pub fn aliases(self) -> &'static [&'static str] {
        self.row().2
    }

    /// What it is, in a few words.
    pub fn about(self) -> &'static str {
        self.row().3
    }

    /// Whether a record may have more lines than one.
    pub(super) fn has_traces(self) -> bool {
        matches!(self, Format::Log4j | Format::Python | Format::Go | Format::Cri)
    }

    /// Whether each line is a request that was answered.
    pub(super) fn is_access(self) -> bool {
        matches!(self, Format::Nginx | Format::Apache)
    }
}

/// Formats, and how often each occurs relative to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix(Vec<(Format, u32)>);

impl From<Format> for Mix {
    fn from(format: Format) -> Mix {
        Mix(vec![(format, 1)])
    }
}

impl Mix {
    /// The most that a part may weigh.
    pub const MAX_WEIGHT: u32 = 1_000_000;

    /// Reads `json` or `json=3,nginx=1`; else says which part is wrong.
    ///
    /// # Errors
    /// The part that is not understood.
    pub fn parse(text: &str) -> Result<Mix, String> {
        let mut parts: Vec<(Format, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let format = Format::of(name.trim()).ok_or_else(|| name.trim().to_owned())?;
            let weight = weight.trim().parse().ok().filter(|weight| *weight <= Mix::MAX_WEIGHT);
            let weight = weight.ok_or_else(|| part.trim().to_owned())?;
            match parts.iter_mut().find(|(own, _)| *own == format) {
                // All formats once at most: the sum of the weights stays small.
                Some(own) => own.1 = weight,
                None => parts.push((format, weight)),
            }
        }
        parts.retain(|(_, weight)| *weight > 0);
        if parts.is_empty() { Err(text.to_owned()) } else { Ok(Mix(parts)) }
    }

    /// The only one, if there is but one.
    pub fn single(&self) -> Option<Format> {
        match self.0[..] {
            [(format, _)] => Some(format),
            _ => None,
        }
    }

    /// The format at a place below [`total`](Mix::total).
    pub fn at(&self, mut place: u32) -> Format {
        for &(format, weight) in &self.0 {
            if place < weight {
                return format;
            }
            place -= weight;
        }
        self.0.first().map_or(Format::Plain, |part| part.0)
    }

    /// All weights together, at least 1.
    pub fn total(&self) -> u32 {
        self.0.iter().map(|part| part.1).sum::<u32>().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_own_row() {
        for (at, format) in Format::ALL.into_iter().enumerate() {
            assert_eq!(format as usize, at);
            for name in [format.name()].iter().chain(format.aliases()) {
                assert_eq!(Format::of(name), Some(format), "{name}");
            }
        }
    }

    #[test]
    fn mixtures_are_read() {
        assert_eq!(Mix::parse("json").unwrap().single(), Some(Format::Json));
        assert_eq!(Mix::parse("tutorial=7").unwrap().single(), Some(Format::Plain));
        let mix = Mix::parse("json=3, nginx").unwrap();
        assert_eq!((mix.single(), mix.total()), (None, 4));
        let all: Vec<Format> = (0..4).map(|place| mix.at(place)).collect();
        assert_eq!(all, [Format::Json, Format::Json, Format::Json, Format::Nginx]);
        for (wrong, part) in [("", ""), ("json,jsn=2", "jsn"), ("json=x", "json=x"), ("json=0", "json=0")] {
            assert_eq!(Mix::parse(wrong).unwrap_err(), part, "{wrong}");
        }
    }
}
