//! When to colour: `--color`, else `NO_COLOR` and `CLICOLOR_FORCE`, else on a terminal that can.

use clap::ValueEnum;
use std::io::IsTerminal;

/// The values of `--color`. They need no help of their own, which would make all of `--help` long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    // On a terminal, if the environment has nothing against it.
    Auto,
    // Everywhere.
    Always,
    // Nowhere.
    Never,
}

impl Color {
    /// Whether what is written there is coloured.
    pub(super) fn on(self, out: &impl IsTerminal) -> bool {
        self.decide(out.is_terminal(), &|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// <https://no-color.org> and <https://bixense.com/clicolors/>.
    fn decide(self, terminal: bool, env: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if env("NO_COLOR").is_some() => false,
            Color::Auto if env("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            Color::Auto => terminal && env("TERM").is_none_or(|term| term != "dumb"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_has_a_say() {
        for (color, terminal, env, expected) in [
            (Color::Auto, true, &[][..], true),
            (Color::Auto, false, &[], false),
            (Color::Auto, true, &[("NO_COLOR", "1")], false),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Color::Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Color::Auto, true, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
            (Color::Auto, true, &[("TERM", "dumb")], false),
            (Color::Always, false, &[("NO_COLOR", "1")], true),
            (Color::Never, true, &[("CLICOLOR_FORCE", "1")], false),
        ] {
            let get =
                |name: &str| env.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(color.decide(terminal, &get), expected, "{color:?} {terminal} {env:?}");
        }
    }
}
