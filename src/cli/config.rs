//! The configuration file of `serve` and `run`: TOML, the options' long names as keys.
//!
//! It is below the environment, which is below the flags: what it says becomes the default of an option. An option
//! that is given wins over the keys that conflict with it. A key that is not known is an error that names its line.

use super::command;
use super::wrong::{clearer, close};
use crate::commands::Failure;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// Whether an error says that there is no file, or that its folder is another user's: who runs it with `su` or
/// `setpriv` keeps the environment of who they were.
fn is_nowhere(path: &Path, error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
        io::ErrorKind::PermissionDenied => std::fs::metadata(path).is_err(),
        _ => false,
    }
}

/// The next step where a value is wrong.
const VALUES: &str = "logcast serve --help tells what an option takes";
/// Whoever may write it may have everything served to everybody.
const OTHERS_WRITE: u32 = 0o002;
/// The most that is read of it.
const MOST: u64 = 1 << 20;
/// The commands that it is for, beside that which has no name.
const COMMANDS: [&str; 2] = ["serve", "run"];

/// A key, with what a command line would say.
#[derive(Debug)]
struct Setting {
    id: String,
    values: Vec<String>,
}

/// The definition with the file's say in it, for arguments that were understood without it.
pub(super) fn with_config(definition: Command, matches: &ArgMatches) -> Result<Command, Failure> {
    let (name, own) = match matches.subcommand() {
        None => (None, matches),
        Some((name, own)) if COMMANDS.contains(&name) => (Some(name.to_owned()), own),
        Some(_) => return Ok(definition),
    };
    if own.get_flag("no_config") {
        return Ok(definition);
    }
    let given = own.get_one::<PathBuf>("config").cloned();
    let Some(path) = given.clone().or_else(usual_path) else { return Ok(definition) };
    let text = match read(&path) {
        Err(error) if given.is_none() && is_nowhere(&path, &error) => return Ok(definition),
        Err(error) => return Err(Failure::refused(format!("cannot read '{}': {error}", path.display()))),
        Ok((_, mode)) if mode & OTHERS_WRITE != 0 => {
            let failure = format!("cannot trust '{}': every user may write to it", path.display());
            return Err(
                Failure::refused(failure).help(format!("chmod o-w '{}', or --no-config", path.display()))
            );
        }
        Ok((text, _)) => text,
    };
    let settings = settings(&path.display().to_string(), &text)?;
    let explicit =
        |id: &str| matches!(own.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable));
    let set = |mut command: Command| {
        for Setting { id, values } in settings {
            let Some(arg) = command.get_arguments().find(|arg| *arg.get_id() == id) else { continue };
            let against = command.get_arguments().any(|other| {
                let conflict = |a: &clap::Arg, b: &clap::Arg| {
                    command.get_arg_conflicts_with(a).iter().any(|found| found.get_id() == b.get_id())
                };
                explicit(other.get_id().as_str()) && (conflict(other, arg) || conflict(arg, other))
            });
            if !against {
                command = command.mut_arg(&id, |arg| arg.default_values(values));
            }
        }
        command
    };
    Ok(match name {
        None => set(definition),
        Some(name) => definition.mut_subcommand(name, set),
    })
}

/// What it says, and its mode.
fn read(path: &Path) -> io::Result<(String, u32)> {
    let (file, mut text) = (std::fs::File::open(path)?, String::new());
    let meta = file.metadata()?;
    file.take(MOST).read_to_string(&mut text)?;
    // A device such as /dev/null is everybody's, and says nothing.
    Ok((text, if meta.is_file() { meta.mode() } else { 0 }))
}

/// `$XDG_CONFIG_HOME/logcast/config.toml`, below `~/.config` if that is not set.
fn usual_path() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
    Some(base.join("logcast/config.toml"))
}

/// Reads the file; each value is tried as the option that it sets.
fn settings(shown: &str, text: &str) -> Result<Vec<Setting>, Failure> {
    let wrong = |at: usize, cause: &str| {
        let line = text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("cannot use '{shown}', line {line}: {cause}"))
    };
    let table = DeTable::parse(text)
        .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message()))
        .map_err(|failure| {
            failure.help("lines are like port = 8000, open = true or bind = [\"127.0.0.1\", \"::1\"]")
        })?;
    // Without a source they are those of the definition without a command.
    let definition = command();
    let known = || {
        let named = definition.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_positional());
        named.filter(|arg| !["help", "version", "config", "no_config"].contains(&arg.get_id().as_str()))
    };
    let mut found: Vec<Setting> = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        let Some(arg) = known().chain(run_only(&definition)).find(|arg| arg.get_long() == Some(name)) else {
            let failure = wrong(at, &format!("there is no option '{name}'"));
            let close = known().filter_map(clap::Arg::get_long).find(|long| close(long, name));
            return Err(match close {
                Some(long) => failure.help(format!("did you mean '{long}'?")),
                None => failure.help("keys are the long options of logcast serve"),
            });
        };
        let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
        let values = values(value.get_ref(), is_flag)
            .map_err(|cause| wrong(value.span().start, &format!("'{name}' must be {cause}")).help(VALUES))?;
        // A flag that is there is what a command line can say of it.
        let words: Vec<String> = match is_flag {
            true => vec![format!("--{name}")],
            false => values.iter().map(|value| format!("--{name}={value}")).collect(),
        };
        let tried =
            definition.clone().try_get_matches_from(std::iter::once("logcast".to_owned()).chain(words));
        if let Err(error) = tried
            && matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue)
        {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            return Err(wrong(value.span().start, &clearer(first)).help(VALUES));
        }
        found.push(Setting { id: arg.get_id().to_string(), values });
    }
    Ok(found)
}

/// What `run` has and `serve` has not.
fn run_only(definition: &Command) -> impl Iterator<Item = &clap::Arg> {
    let run = definition.get_subcommands().filter(|command| command.get_name() == "run");
    run.flat_map(Command::get_arguments).filter(|arg| ["keep", "no_show"].contains(&arg.get_id().as_str()))
}

/// A value as words of a command line.
fn values(value: &DeValue<'_>, is_flag: bool) -> Result<Vec<String>, &'static str> {
    let word = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        _ => None,
    };
    match value {
        DeValue::Boolean(on) if is_flag => Ok(vec![on.to_string()]),
        _ if is_flag => Err("true or false"),
        DeValue::Array(list) if !list.is_empty() => {
            let words: Option<Vec<String>> = list.iter().map(|value| word(value.get_ref())).collect();
            words.ok_or("a list of texts or numbers")
        }
        value => word(value).map(|word| vec![word]).ok_or("a text, a number or a list of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_options() {
        let text =
            "port = 9000\nbind = [\"127.0.0.1\", \"::1\"]\nno-follow = true\nlines = \"all\"\nkeep = false\n";
        let found = settings("c", text).unwrap();
        let mut found: Vec<(&str, String)> =
            found.iter().map(|own| (own.id.as_str(), own.values.join(" "))).collect();
        found.sort();
        let expected = [
            ("bind", "127.0.0.1 ::1"),
            ("keep", "false"),
            ("lines", "all"),
            ("no_follow", "true"),
            ("port", "9000"),
        ];
        assert_eq!(found, expected.map(|(id, values)| (id, values.to_owned())));
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (text, message, help) in [
            ("\nprot = 1\n", "cannot use 'c', line 2: there is no option 'prot'", "did you mean 'port'?"),
            (
                "help = true",
                "cannot use 'c', line 1: there is no option 'help'",
                "keys are the long options of logcast serve",
            ),
            (
                "port = 70000",
                "cannot use 'c', line 1: invalid value '70000' for '--port <PORT>': must be from 0 to 65535",
                VALUES,
            ),
            ("# a\n\ntee = \"yes\"", "cannot use 'c', line 3: 'tee' must be true or false", VALUES),
            (
                "title = 1.5",
                "cannot use 'c', line 1: 'title' must be a text, a number or a list of them",
                VALUES,
            ),
            ("bind = [true]", "cannot use 'c', line 1: 'bind' must be a list of texts or numbers", VALUES),
        ] {
            let failure = settings("c", text).unwrap_err();
            assert_eq!(
                (failure.message.as_str(), failure.help.as_deref().unwrap_or_default()),
                (message, help)
            );
            assert_eq!(failure.code, 2);
        }
        let failure = settings("c", "port = 1\nport = 2\nx").unwrap_err();
        assert!(failure.message.starts_with("cannot use 'c', line "), "{failure}");
    }
}
