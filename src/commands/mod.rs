//! What the user asks for: one module a command. Commands take options of their own and know no command line.

mod bind;
pub mod check;
pub mod generate;
pub mod guard;
pub mod hash;
pub mod health;
pub mod http;
pub mod out;
pub mod run;
pub mod serve;
#[cfg(feature = "nats")]
pub mod ship;
pub mod stop;
pub mod tail;
mod trace;

use crate::log::filter::Marks;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a command ended badly: one line, perhaps a next step, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// 1 for what this machine refused, 2 for what is wrong on any machine.
    pub code: u8,
    /// The act, the object and the cause.
    pub message: String,
    /// What to do next.
    pub help: Option<String>,
}

impl Failure {
    /// What this machine refused.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure { code: 1, message: message.into(), help: None }
    }

    /// What is wrong on any machine.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { code: 2, message: message.into(), help: None }
    }

    /// Adds a next step.
    pub fn help(mut self, help: impl Into<String>) -> Failure {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Failure {
    /// `error: …` and `help: …`; what a name holds of control characters is shown escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", plain(&self.message))?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {}", plain(help)),
            None => Ok(()),
        }
    }
}

/// The next step for who typed no pattern.
const PLAIN_CHARACTERS: &str =
    "it is a regular expression: a backslash before ( [ . * and the like makes them plain";

/// What `--highlight` names, as patterns.
fn check_marks(patterns: &[String]) -> Result<Marks, Failure> {
    for pattern in patterns {
        if let Err(error) = Marks::new(std::slice::from_ref(pattern)) {
            let failure = Failure::usage(format!("cannot mark '{pattern}': {}", error.message));
            return Err(failure.help(PLAIN_CHARACTERS));
        }
    }
    Marks::new(patterns).map_err(|error| {
        Failure::usage(format!("cannot mark all of them: {}", error.message))
            .help("put some together: one|two")
    })
}

/// Text for a terminal: control characters escaped.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out
}

/// Whether the first word of what is said on stderr is coloured.
static COLOR: AtomicBool = AtomicBool::new(false);

/// Says whether what a person reads on stderr is coloured; plain if nobody says.
pub fn color_talk(on: bool) {
    COLOR.store(on, Ordering::Relaxed);
}

/// Says something to a person. A stderr that is closed or full is nobody's fault.
fn talk(quiet: bool, text: &str) {
    if !quiet {
        let _ = writeln!(io::stderr(), "{}", painted(&plain(text), COLOR.load(Ordering::Relaxed)));
    }
}

/// Says why a command ended badly.
pub fn complain(failure: &Failure) {
    let color = COLOR.load(Ordering::Relaxed);
    let lines: String =
        failure.to_string().lines().map(|line| format!("{}\n", painted(line, color))).collect();
    let _ = io::stderr().write_all(lines.as_bytes());
}

/// A line with its first word in the colour of what it means.
fn painted(line: &str, color: bool) -> Cow<'_, str> {
    let known = [("error:", "1;31"), ("warning:", "1;33"), ("help:", "1;36")];
    match known.iter().find_map(|(word, code)| Some((word, code, line.strip_prefix(word)?))) {
        Some((word, code, rest)) if color => Cow::Owned(format!("\x1b[{code}m{word}\x1b[0m{rest}")),
        _ => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_word_is_coloured() {
        for (line, expected) in [
            ("error: cannot", "\x1b[1;31merror:\x1b[0m cannot"),
            ("warning: a help: b", "\x1b[1;33mwarning:\x1b[0m a help: b"),
            ("also: http://h/", "also: http://h/"),
        ] {
            assert_eq!(painted(line, true), expected);
            assert_eq!(painted(line, false), line);
        }
    }

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        let failure = Failure::usage("cannot follow 'a\u{1b}[2J\nerror: b'").help("try again");
        assert_eq!(failure.to_string(), "error: cannot follow 'a\\u{1b}[2J\\nerror: b'\nhelp: try again");
    }
}
