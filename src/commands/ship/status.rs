//! The status line: what a person at the terminal sees while it ships. Where stderr is no terminal there is none.

use crate::live::feed::Hub;
use crate::nats::ship::Counts;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(500);

/// Draws it until it is aborted.
pub(super) async fn line(hub: Arc<Hub>, counts: Arc<Counts>, quiet: bool) {
    if quiet || !io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let (mut before, mut looked) = (0, Instant::now());
    loop {
        let lines = counts.lines.load(Ordering::Relaxed);
        let rate = (lines - before) as f64 / looked.elapsed().as_secs_f64().max(0.001);
        (before, looked) = (lines, Instant::now());
        let (files, behind) = (hub.sources().len(), counts.behind());
        let gaps = counts.gaps.load(Ordering::Relaxed);
        bar.set_message(format!(
            "{files} file{} · {} lines/s · {} lines shipped{}{}{}",
            if files == 1 { "" } else { "s" },
            HumanCount(rate.round() as u64),
            HumanCount(lines),
            if behind > 0 { format!(" · {} behind", HumanBytes(behind)) } else { String::new() },
            if gaps > 0 { format!(" · {gaps} gaps") } else { String::new() },
            if counts.well.load(Ordering::Relaxed) { "" } else { " · waiting for the engine" },
        ));
        bar.tick();
        tokio::time::sleep(EVERY).await;
    }
}
