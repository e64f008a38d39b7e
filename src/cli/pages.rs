//! What is made from the definition of the command line: completions and man pages.

use super::command;
use super::wrong::wrong_choice;
use crate::commands::Failure;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Command, ValueHint};
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
                Err(wrong_choice(arg, &value, &names, &[]))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names().into_iter().map(PossibleValue::new)))
    }
}

/// A shell's completions.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let hint = |command: Command, name: &str, hint: ValueHint| {
        command.mut_args(|arg| if arg.get_id() == name { arg.value_hint(hint) } else { arg })
    };
    let mut definition = hint(command(), "sources", ValueHint::AnyPath)
        .mut_subcommand("serve", |serve| hint(serve, "sources", ValueHint::AnyPath))
        .mut_subcommand("check", |check| hint(check, "source", ValueHint::FilePath));
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut definition, "logcast", &mut out);
    match (shell, String::from_utf8(out)) {
        (Shell::Zsh, Ok(text)) => zsh(&text).into_bytes(),
        (Shell::Fish, Ok(text)) => (text + &fish(&definition)).into_bytes(),
        (_, Ok(text)) => text.into_bytes(),
        (_, Err(error)) => error.into_bytes(),
    }
}

/// zsh's first word is a command or a file. As it is generated, files come first and the second word is the command,
/// so that no command's own options are ever offered.
fn zsh(text: &str) -> String {
    let Some(commands) = text.find("\":: :_logcast_commands\"") else { return text.to_owned() };
    let (root, rest) = text.split_at(commands);
    let is_files = |line: &&str| !line.trim_start_matches(['\'', '*']).starts_with("::sources");
    let root: String = root.split_inclusive('\n').filter(is_files).collect();
    let rest = rest
        .replacen("\":: :_logcast_commands\"", "'::command or file:{_logcast_commands; _files}'", 1)
        .replacen("words=($line[2]", "words=($line[1]", 1)
        .replacen("logcast-command-$line[2]", "logcast-command-$line[1]", 1)
        .replacen("case $line[2] in", "case $line[1] in", 1)
        // Further files, where the first word is none of the commands.
        .replacen(
            "\n        esac\n    ;;\nesac\n}\n\n(( $+functions[_logcast_commands] ))",
            "\n(*)\n_files\n;;\n        esac\n    ;;\nesac\n}\n\n(( $+functions[_logcast_commands] ))",
            1,
        );
    root + &rest
}

/// fish is told no values of arguments that are no options.
fn fish(definition: &Command) -> String {
    let mut out = String::new();
    for command in definition.get_subcommands() {
        for arg in command.get_positionals() {
            let values: Vec<String> =
                arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            if !values.is_empty() {
                let (name, values) = (command.get_name(), values.join(" "));
                out += &format!(
                    "complete -c logcast -n \"__fish_logcast_using_subcommand {name}\" -f -a \"{values}\"\n"
                );
            }
        }
    }
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
