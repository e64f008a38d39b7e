//! What the person at the keyboard chose.

use clap::Parser;
use std::path::PathBuf;

/// Measures logcast beside a bare sender and the usual designs, and prints the ratios.
#[derive(Debug, Parser)]
#[command(name = "delivery")]
pub(crate) struct Options {
    /// Only these scenarios, by their names or the beginnings of them
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// How often each server is measured, in turns; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) rounds: u32,
    /// A tenth of the work, for a first look
    #[arg(long)]
    pub(crate) quick: bool,
    /// The size of the file that a late client catches up with, in MB
    #[arg(long, default_value_t = 2000, value_name = "MB")]
    pub(crate) size: u64,
    /// Start-up on a file of 10 GB instead of one of --size; needs that much disk
    #[arg(long)]
    pub(crate) huge: bool,
    /// Also websocketd, socat, frontail and a Python server, where they are installed or can be
    #[arg(long)]
    pub(crate) others: bool,
    /// Also what lies beyond one machine, where there is a nats-server
    #[arg(long)]
    pub(crate) engine: bool,
    /// Another logcast to measure as well, under the name `before`
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) before: Option<PathBuf>,
    /// Where the log files lie [default: the system's temporary folder]
    #[arg(long)]
    pub(crate) folder: Option<PathBuf>,
    /// All figures, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The ratios, as a picture
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Print the scenarios' names and end
    #[arg(long)]
    pub(crate) list: bool,
    /// What `cargo bench` adds
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Options {
    /// A quantity of work, less of it for a first look.
    pub(crate) fn scaled(&self, full: u64) -> u64 {
        if self.quick { (full / 10).max(1) } else { full }
    }

    /// Whether one of all scenarios was asked for.
    pub(crate) fn wants(&self, name: &str, all: &[&str]) -> bool {
        let fits = |only: &String| match all.contains(&only.as_str()) {
            // `idle-100` is not meant to begin `idle-1000`.
            true => only == name,
            false => name.starts_with(only.as_str()),
        };
        self.only.is_empty() || self.only.iter().any(fits)
    }
}
