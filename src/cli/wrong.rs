//! What is said about wrong arguments: one line that says what is wrong, and one that says what to do.

use super::{command, print};
use crate::commands::{Failure, complain};
use clap::Arg;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::process::ExitCode;

/// clap's error in our form; help and version are no errors.
pub(super) fn usage(error: &clap::Error, args: &[OsString]) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return match print(error.render().to_string().as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                complain(&failure);
                ExitCode::from(failure.code)
            }
        };
    }
    let failure = failure(error, args);
    complain(&failure);
    ExitCode::from(failure.code)
}

fn failure(error: &clap::Error, args: &[OsString]) -> Failure {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let mut message = first.to_owned();
    // clap lists what is missing on the lines below.
    if let (ErrorKind::MissingRequiredArgument, Some(ContextValue::Strings(missing))) =
        (error.kind(), error.get(ContextKind::InvalidArg))
    {
        message = format!("missing: {}", missing.join(", "));
    }
    let failure = Failure::usage(clearer(&message));
    let values = strings(error, ContextKind::ValidValue);
    let own = strings(error, ContextKind::InvalidValue).concat();
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    let word = suggested.iter().find_map(|kind| strings(error, *kind).into_iter().next());
    // clap's idea of a near value is wide; where all can be told, only a slip is one.
    if let Some(word) = word.filter(|word| values.is_empty() || own.is_empty() || close(word, &own)) {
        return failure.help(format!("did you mean '{word}'?"));
    }
    if !values.is_empty() {
        return failure.help(format!("it can be {}", values.join(", ")));
    }
    if error.kind() == ErrorKind::ArgumentConflict {
        return failure.help("leave one of the two out");
    }
    // Where the words are one command's, so is the help.
    let first = args.get(1).and_then(|word| word.to_str());
    match first.filter(|word| command().get_subcommands().any(|own| own.get_name() == *word)) {
        Some(name) => failure.help(format!("logcast {name} --help lists what there is")),
        None => failure.help("logcast --help lists what there is"),
    }
}

/// The standard library's words for wrong numbers, and clap's for those out of range, in ours.
pub(super) fn clearer(message: &str) -> String {
    let Some((head, cause)) = message.rsplit_once(": ") else { return message.to_owned() };
    let cause = match cause {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "must be a whole number".to_owned()
        }
        "number too large to fit in target type" => "too large".to_owned(),
        cause => match cause.split_once(" is not in ").and_then(|(_, range)| range.split_once("..=")) {
            Some((from, to)) => format!("must be from {from} to {to}"),
            None => return message.to_owned(),
        },
    };
    format!("{head}: {cause}")
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

/// A part of a value that is none of the names; a near one is suggested, one of the `other` ones too, else all are
/// told.
pub(super) fn wrong_choice(arg: Option<&Arg>, part: &str, names: &[&str], others: &[&str]) -> clap::Error {
    let mut error = raw(arg, part, None);
    let lower = part.to_ascii_lowercase();
    let near = names.iter().chain(others).find(|name| close(name, &lower));
    let near = near.map(|name| ContextValue::String((*name).to_owned()));
    if let Some(near) = near {
        error.insert(ContextKind::SuggestedValue, near);
    }
    let all = names.iter().map(|name| (*name).to_owned()).collect();
    error.insert(ContextKind::ValidValue, ContextValue::Strings(all));
    error
}

/// A value, or a part of one, with the reason why it is wrong.
pub(super) fn wrong_value(arg: Option<&Arg>, part: &str, cause: &str) -> clap::Error {
    raw(arg, part, Some(cause))
}

fn raw(arg: Option<&Arg>, part: &str, cause: Option<&str>) -> clap::Error {
    let name = arg.map(Arg::to_string).unwrap_or_default();
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    clap::Error::raw(ErrorKind::InvalidValue, format!("invalid value '{part}' for '{name}'{cause}\n"))
}

/// Whether one slip (a letter more, less or another, or two swapped) makes the one word of the other.
pub(super) fn close(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - tail], &b[..b.len() - tail]);
    a.len() <= 1 && b.len() <= 1 || a.len() == 2 && b.len() == 2 && a[0] == b[1] && a[1] == b[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_clear() {
        for (message, expected) in [
            ("invalid value 'x' for '--count <N>': invalid digit found in string", "must be a whole number"),
            ("invalid value '0' for '--files <N>': 0 is not in 1..=500", "must be from 1 to 500"),
            ("invalid value 'x' for '--size <SIZE>': must be a size", "must be a size"),
            ("unexpected argument 'a: b' found", "b' found"),
        ] {
            assert!(clearer(message).ends_with(&format!(": {expected}")), "{}", clearer(message));
        }
    }

    #[test]
    fn a_slip_is_close() {
        for (a, b, expected) in [
            ("serve", "sevre", true),
            ("serve", "serv", true),
            ("serve", "server", true),
            ("serve", "app", false),
            ("man", "main", true),
        ] {
            assert_eq!(close(a, b), expected, "{a} {b}");
        }
    }
}
