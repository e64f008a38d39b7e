//! The options that say what is replaced in lines before anybody sees them, and their way to a redactor.

use crate::commands::Failure;
use crate::log::redact::{Redact, Redactor, Rules};
use clap::Args;
use clap::builder::FalseyValueParser;

/// What to replace in lines.
#[derive(Debug, Args)]
pub(super) struct RedactArgs {
    /// Replace what this regular expression matches in every line; of one with groups, what its groups match; may be
    /// repeated
    #[arg(
        long,
        env = "LOGCAST_REDACT",
        value_name = "REGEX",
        hide_env_values = true,
        value_delimiter = '\n',
        allow_hyphen_values = true
    )]
    redact: Vec<String>,
    /// Replace what looks like a secret: tokens, keys and passwords, private keys, card numbers
    #[arg(long, env = "LOGCAST_REDACT_SECRETS", value_parser = FalseyValueParser::new())]
    redact_secrets: bool,
}

impl RedactArgs {
    /// What is replaced; an error names the pattern that is none.
    pub(super) fn redact(self) -> Result<Redact, Failure> {
        let rules = Rules { patterns: self.redact, secrets: self.redact_secrets };
        for pattern in &rules.patterns {
            let alone = Rules { patterns: vec![pattern.clone()], secrets: false };
            if let Err(error) = Redactor::new(&alone) {
                let shown = pattern.escape_debug();
                let place = error.offset.map_or(String::new(), |at| format!(" at byte {at}"));
                let failure = Failure::usage(format!("cannot redact '{shown}': {}{place}", error.message));
                return Err(failure.help(
                    "it is a regular expression; of one with groups these are replaced: 'pin=([0-9]+)'",
                ));
            }
        }
        Redactor::new(&rules).map_err(|error| {
            Failure::usage(format!("cannot redact: {}", error.message))
                .help("several can be one: 'this|that'")
        })
    }
}
