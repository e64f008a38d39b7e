//! `logcast hash`: what `serve --auth` knows of a password.
//!
//! The password is asked for on a terminal, twice and without showing it, or it is the first line of standard input. It
//! is never an argument, which other users of the machine could see.

use super::Failure;
use crate::web::people::Person;
use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Argon2, MIN_SALT_LEN};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Read, Write};

/// The most bytes of a password.
const MOST: u64 = 1024;
/// The fewest characters.
const FEWEST: usize = 8;
/// What Ctrl-C types.
const INTERRUPT: u8 = 3;
/// The bytes of a salt (RFC 9106 § 4).
const SALT: usize = 16;
const _: () = assert!(SALT >= MIN_SALT_LEN);

/// Reads a password and gives its hash, with the name before it if there is one, as a line.
///
/// # Errors
/// What is wrong with the password, or what this machine refuses.
pub fn run(name: Option<&str>) -> Result<String, Failure> {
    let password = read()?;
    if password.chars().count() < FEWEST {
        let failure =
            Failure::refused(format!("cannot use this password: it must have {FEWEST} characters at least"));
        return Err(failure.help("several words are easy to remember"));
    }
    let refused = |error: &dyn std::fmt::Display| Failure::refused(format!("cannot make a hash: {error}"));
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt).map_err(|error| refused(&error))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| refused(&error))?;
    let hash =
        Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|error| refused(&error))?;
    let Some(name) = name else { return Ok(format!("{hash}\n")) };
    let line = format!("{name}:{hash}");
    match Person::parse(&line) {
        Ok(_) => Ok(format!("{line}\n")),
        Err(why) => Err(Failure::usage(format!("cannot use '{name}': {why}")).help("logcast hash eva")),
    }
}

fn read() -> Result<String, Failure> {
    let refused = |error: io::Error| Failure::refused(format!("cannot read the password: {error}"));
    if !io::stdin().is_terminal() {
        return line().map_err(refused);
    }
    let first = ask("password: ").map_err(refused)?;
    match ask("again: ").map_err(refused)? == first {
        true => Ok(first),
        false => Err(Failure::refused("cannot use this password: it was not the same twice")),
    }
}

/// The first line of standard input.
fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().take(MOST).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn ask(prompt: &str) -> io::Result<String> {
    let terminal = tcgetattr(io::stdin())?;
    let mut silent = terminal.clone();
    // Without signals too: Ctrl-C must not leave a terminal that shows nothing. It ends the line, and is no password.
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
    silent.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
    let restore = Restore(terminal);
    let asked = write!(io::stderr(), "{prompt}").and_then(|()| io::stderr().flush()).and_then(|()| line());
    drop(restore);
    let _ = writeln!(io::stderr());
    let asked = asked?;
    match asked.as_bytes().contains(&INTERRUPT) {
        true => Err(io::ErrorKind::Interrupted.into()),
        false => Ok(asked),
    }
}

/// Puts the terminal back, whatever happens.
struct Restore(Termios);

impl Drop for Restore {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
