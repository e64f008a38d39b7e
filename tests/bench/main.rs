//! The delivery benchmark: logcast beside the least program that could do the same, and beside what people use.
//!
//! `cargo bench --bench delivery -- --help` tells the options. One binary: the runner starts itself again for the
//! yardsticks and the writer (`delivery role NAME …`), so that each is a process of its own whose processor time
//! and memory can be read. Everything is on loopback, every wait has a deadline, every child ends with its handle.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to a person")]

mod decode;
mod engine;
mod histogram;
mod load;
mod measures;
mod options;
mod others;
mod plot;
mod process;
mod report;
mod roles;
mod rules;
mod scenarios;
mod servers;
mod started;
mod writer;

use anyhow::Result;
use clap::Parser;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().collect();
    if words.get(1).is_some_and(|word| word == "role") {
        return roles::run(&words[2..]);
    }
    let options = options::Options::parse();
    if !options.bench {
        // `cargo test --all-targets` starts benchmarks too, without this flag.
        eprintln!("this takes minutes: start it with `cargo bench --bench delivery`");
        return Ok(());
    }
    if options.list {
        scenarios::names().for_each(|name| println!("{name}"));
        return Ok(());
    }
    process::raise_descriptor_limit()?;
    let measures = scenarios::run(&options)?;
    let report = report::Report::new(&options, &measures);
    print!("{}", report.markdown());
    if let Some(path) = &options.json {
        std::fs::write(path, report.json())?;
    }
    if let Some(path) = &options.plot {
        std::fs::write(path, plot::svg(&report))?;
    }
    Ok(())
}
