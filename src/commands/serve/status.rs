//! The status line: what a person at the terminal sees while it serves. Where stderr is no terminal there is none.

use crate::live::feed::Hub;
use crate::live::indexer;
use crate::live::source::State;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(500);

/// Draws it until it is aborted.
pub(super) async fn line(hub: Arc<Hub>, quiet: bool) {
    if quiet || !io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
    };
    let (mut before, mut looked) = (0, Instant::now());
    loop {
        // What does not fit into a narrow terminal is cut off.
        let (mut template, mut work) = ("{spinner} {wide_msg}", String::new());
        if let Some((what, done, whole)) = indexer::progress(&hub) {
            template = "{spinner} {msg} [{bar:20}] {percent}%";
            work = format!(" · {what}");
            bar.set_length(whole);
            bar.set_position(done);
        }
        bar.set_style(style(template));
        let sources = hub.sources();
        let following = sources.iter().filter(|source| source.status().state == State::Following).count();
        let lines = sources.iter().map(|source| source.counts.lines.get()).sum::<u64>();
        // Those that joined meanwhile are counted from now on.
        sources.iter().for_each(|source| source.counts.lines.want());
        let rate = (lines - before) as f64 / looked.elapsed().as_secs_f64().max(0.001);
        (before, looked) = (lines, Instant::now());
        let lag: u64 = sources.iter().map(|source| source.unread_bytes()).sum();
        let (clients, behind) = (hub.clients(), hub.behind());
        bar.set_message(format!(
            "{following} of {} · {} lines/s · {clients} client{}{}{}{work}",
            sources.len(),
            HumanCount(rate.round() as u64),
            if clients == 1 { "" } else { "s" },
            if behind > 0 { format!(", {behind} behind") } else { String::new() },
            if lag > 0 { format!(" · {} not read yet", HumanBytes(lag)) } else { String::new() },
        ));
        bar.tick();
        tokio::time::sleep(EVERY).await;
    }
}
