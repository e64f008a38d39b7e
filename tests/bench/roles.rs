//! What this binary is when the runner starts it again: a yardstick or the writer.

use crate::{servers, writer};
use anyhow::{Context, Result, bail};
use std::path::Path;

/// `NAME ARGUMENT…` behind the word `role`.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["write", path, lines, rate] => {
            writer::run(Path::new(path), lines.parse().context("lines")?, rate.parse().context("rate")?)
        }
        ["write-many", folder, files, lines, rate] => writer::run_many(
            Path::new(folder),
            files.parse().context("files")?,
            lines.parse().context("lines")?,
            rate.parse().context("rate")?,
        ),
        ["bare", path] => servers::bare::run(Path::new(path)),
        ["memory", lines] => servers::memory::run(lines.parse().context("lines")?),
        ["sendfile", path] => servers::sendfile::run(Path::new(path), servers::sendfile::How::Sendfile),
        ["copy", path] => servers::sendfile::run(Path::new(path), servers::sendfile::How::Copy),
        ["naive", path] => servers::naive::run(Path::new(path), servers::naive::Slow::Waits),
        ["naive-loses", path] => servers::naive::run(Path::new(path), servers::naive::Slow::Loses),
        _ => bail!("no such role: {words:?}"),
    }
}
