//! How far it is, on a terminal: the part that is done, bytes, bytes a second, lines, and the time left.

use super::Options;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::time::Duration;

/// The end that the bar runs to.
#[derive(Clone, Copy)]
enum End {
    Lines,
    Bytes,
    Millis,
}

/// A bar, or nothing where nobody looks or there is no end.
pub(super) struct Bar(Option<(ProgressBar, End)>);

impl Bar {
    /// Shows nothing where lines go to the same terminal.
    pub(super) fn new(options: &Options) -> Bar {
        let end = match (options.count, options.size, options.duration) {
            (Some(lines), ..) => Some((lines, End::Lines)),
            (_, Some(bytes), _) => Some((bytes, End::Bytes)),
            (_, _, Some(time)) => Some((time.as_millis() as u64, End::Millis)),
            _ => None,
        };
        let is_seen = !options.quiet
            && io::stderr().is_terminal()
            && (options.file.is_some() || !io::stdout().is_terminal());
        let Some((all, end)) = end.filter(|_| is_seen) else { return Bar(None) };
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr_with_hz(10));
        let style = ProgressStyle::with_template("{bar:20} {percent:>3}% · {msg} · {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar(Some((bar, end)))
    }

    /// Says how much is done.
    pub(super) fn show(&self, lines: u64, bytes: u64, elapsed: Duration) {
        let Some((bar, end)) = &self.0 else { return };
        let each_second = bytes as f64 / elapsed.as_secs_f64().max(0.001);
        bar.set_message(format!(
            "{} · {}/s · {} lines",
            HumanBytes(bytes),
            HumanBytes(each_second as u64),
            HumanCount(lines)
        ));
        bar.set_position(match end {
            End::Lines => lines,
            End::Bytes => bytes,
            End::Millis => elapsed.as_millis() as u64,
        });
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        if let Some((bar, _)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
