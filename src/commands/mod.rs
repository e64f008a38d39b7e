//! What the user asks for: one module a command. Commands take options of their own and know no command line.

mod bind;
pub mod check;
pub mod generate;
pub mod guard;
pub mod serve;
pub mod stop;

use std::fmt;
use std::io::{self, Write};

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

/// Says something to a person. A stderr that is closed or full is nobody's fault.
fn talk(quiet: bool, text: &str) {
    if !quiet {
        let _ = writeln!(io::stderr(), "{}", plain(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_write_to_the_terminal() {
        let failure = Failure::usage("cannot follow 'a\u{1b}[2J\nerror: b'").help("try again");
        assert_eq!(failure.to_string(), "error: cannot follow 'a\\u{1b}[2J\\nerror: b'\nhelp: try again");
    }
}
