//! What is made from the definition of the command line: completions and man pages.

use super::command;
use super::wrong::wrong_choice;
use crate::commands::Failure;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command};
use clap_complete::Shell;
use std::ffi::OsStr;

/// The name of a command; which there are is asked when it is needed, for this is a part of their definition.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandName;

fn names() -> Vec<String> {
    command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

impl TypedValueParser for CommandName {
    type Value = String;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let (names, value) = (names(), value.to_string_lossy());
        match names.iter().find(|name| **name == value) {
            Some(name) => Ok(name.clone()),
            None => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                Err(wrong_choice(arg, &value, &names))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names().into_iter().map(PossibleValue::new)))
    }
}

/// A shell's completions.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut command(), "logcast", &mut out);
    out
}

/// The man page of the program, or of a command.
///
/// # Errors
/// A command that there is none of.
pub(super) fn man(name: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut whole = command();
    whole.build();
    let page = match name {
        None => whole,
        Some(name) => {
            let own = whole.find_subcommand(name).cloned();
            own.ok_or_else(|| Failure::usage(format!("cannot find the command '{name}'")))?
        }
    };
    let mut out = Vec::new();
    let rendered = clap_mangen::Man::new(page).render(&mut out);
    rendered.map_err(|error| Failure::refused(format!("cannot write the man page: {error}")))?;
    Ok(out)
}
