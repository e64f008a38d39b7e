//! Instructions for each line, counted by valgrind: the same on a busy machine and an idle one.
//!
//! `cargo bench --bench instructions` runs itself under callgrind, each part with two amounts of work, so that what
//! does not grow with the work falls out. It fails where a part needs more than 10 % over what `instructions.txt`
//! has; `-- --record` writes that file. `-- --profile PART` keeps callgrind's output, to be read with
//! `callgrind_annotate`; build it with `CARGO_PROFILE_BENCH_STRIP=false` to see names.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to a person")]

mod work;

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// The recorded figures: `PART INSTRUCTIONS` a line.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/instructions.txt");
/// How much more than recorded is too much.
const GROWTH: f64 = 1.10;

fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["work", part, amount] => {
            work::run(part, amount.parse().context("an amount")?)?;
            Ok(ExitCode::SUCCESS)
        }
        ["--profile", part] => profile(part),
        ["--record"] => {
            let text = measure()?.iter().fold(
                "# Instructions a line; written by `cargo bench --bench instructions -- --record`.\n"
                    .to_owned(),
                |mut text, (part, count)| {
                    let _ = writeln!(text, "{part} {count:.1}");
                    text
                },
            );
            std::fs::write(RECORD, text)?;
            Ok(ExitCode::SUCCESS)
        }
        [] if std::env::args().any(|word| word == "--bench") => compare(),
        // `cargo test --all-targets` starts benchmarks without any word.
        [] => Ok(ExitCode::SUCCESS),
        _ => bail!("--record, --profile PART, or nothing"),
    }
}

fn compare() -> Result<ExitCode> {
    let recorded = std::fs::read_to_string(RECORD).context("cannot read tests/bench/instructions.txt")?;
    let recorded: BTreeMap<&str, f64> = recorded
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' ').and_then(|(part, count)| Some((part, count.parse().ok()?))))
        .collect();
    let mut grown = false;
    for (part, count) in measure()? {
        let before = recorded.get(part).with_context(|| format!("no record of {part}: use --record"))?;
        let change = (count / before - 1.0) * 100.0;
        let too_much = count > before * GROWTH;
        println!(
            "{part:24} {count:10.1} a line, {change:+6.1} %{}",
            if too_much { "  TOO MUCH" } else { "" }
        );
        grown |= too_much;
    }
    if grown {
        eprintln!(
            "error: more instructions than recorded; mend it, or record it with a reason in the commit"
        );
        return Ok(ExitCode::FAILURE);
    }
    println!("no part grew by more than 10 %");
    Ok(ExitCode::SUCCESS)
}

fn measure() -> Result<Vec<(&'static str, f64)>> {
    let mut found = Vec::new();
    for part in work::PARTS {
        let less = count(part.name, part.less, Path::new("/dev/null"))?;
        let more = count(part.name, part.more, Path::new("/dev/null"))?;
        ensure!(more > less, "{} did nothing", part.name);
        found
            .push((part.name, (more - less) as f64 / (part.lines(part.more) - part.lines(part.less)) as f64));
    }
    Ok(found)
}

fn profile(part: &str) -> Result<ExitCode> {
    let more = work::PARTS.iter().find(|known| known.name == part).context("no such part")?.more;
    let out = std::env::temp_dir().join(format!("callgrind.{part}.out"));
    count(part, more, &out)?;
    println!("callgrind_annotate {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// Runs a part under callgrind and gives its instructions.
fn count(part: &str, amount: u64, out: &Path) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", out.display())])
        .arg(std::env::current_exe()?)
        .args(["work", part, &amount.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("cannot start valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{part} failed under valgrind:\n{text}");
    let line =
        text.lines().find_map(|line| line.split_once("Collected :")).context("no count of valgrind's")?;
    line.1.trim().parse().context("a count")
}
