//! The writer: a process that appends numbered lines of 120 bytes, as fast as it can or at a rate.
//!
//! A line is `NNNNNNNNNN TTTTTTTTTTTTTTTTTTT text…`: its number from 0, and the monotonic clock in nanoseconds just
//! before the write. It prepares everything, waits for a byte on standard input, writes, and tells on standard
//! output how long the writing took.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes of a line with its newline.
pub(crate) const LINE: usize = 120;
/// Digits of the number, and of the clock behind a blank.
pub(crate) const NUMBER: usize = 10;
pub(crate) const CLOCK: usize = 19;
/// Lines of a write at full speed: 64 KiB, what a buffered writer under load gives at most.
const BLOCK_LINES: u64 = 546;
/// Between two looks at what is due in many files.
const STEP: Duration = Duration::from_millis(5);

/// The monotonic clock, the same in all processes of the machine.
pub(crate) fn now_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

fn digits(into: &mut [u8], mut value: u64) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

fn template() -> Vec<u8> {
    let text = "INFO checkout order=247238 ms=701 user=968 plan=pro path=/api/v1/orders status=200";
    let mut line = vec![b'.'; LINE];
    line[NUMBER] = b' ';
    line[NUMBER + 1 + CLOCK] = b' ';
    let from = NUMBER + CLOCK + 2;
    line[from..from + text.len()].copy_from_slice(text.as_bytes());
    line[LINE - 1] = b'\n';
    line
}

/// The role: `write PATH LINES RATE`, a rate of 0 is full speed.
pub(crate) fn run(path: &Path, lines: u64, rate: u64) -> Result<()> {
    let mut file = File::options().append(true).create(true).open(path).context("the log to write")?;
    let mut go = [0; 1];
    std::io::stdin().read_exact(&mut go).context("a go on standard input")?;
    let began = Instant::now();
    match rate {
        0 => flat_out(&mut file, lines)?,
        rate => paced(&mut file, lines, rate)?,
    }
    println!("{}", began.elapsed().as_nanos());
    Ok(())
}

/// The role `write-many FOLDER FILES LINES RATE`: so many lines into each of `f000.log`, `f001.log`, …, at a rate for each.
/// It says when all files are there.
pub(crate) fn run_many(folder: &Path, files: usize, lines: u64, rate: u64) -> Result<()> {
    let open = |file: usize| {
        let path = folder.join(format!("f{file:03}.log"));
        File::options().append(true).create(true).open(path).context("a log to write")
    };
    let mut files = (0..files).map(open).collect::<Result<Vec<File>>>()?;
    println!("ready");
    let mut go = [0; 1];
    std::io::stdin().read_exact(&mut go).context("a go on standard input")?;
    let began = Instant::now();
    let mut written = 0;
    while written < lines {
        let due = match rate {
            0 => lines.min(written + BLOCK_LINES),
            rate => lines.min((began.elapsed().as_secs_f64() * rate as f64) as u64),
        };
        let mut block = template().repeat((due - written) as usize);
        let clock = now_ns();
        for (line, number) in block.chunks_exact_mut(LINE).zip(written..) {
            digits(&mut line[..NUMBER], number);
            digits(&mut line[NUMBER + 1..NUMBER + 1 + CLOCK], clock);
        }
        for file in &mut files {
            file.write_all(&block)?;
        }
        written = due;
        if rate > 0 {
            std::thread::sleep(STEP);
        }
    }
    println!("{}", began.elapsed().as_nanos());
    Ok(())
}

fn flat_out(file: &mut File, lines: u64) -> Result<()> {
    let mut block = template().repeat(BLOCK_LINES as usize);
    let mut number = 0;
    while number < lines {
        let count = BLOCK_LINES.min(lines - number) as usize;
        let clock = now_ns();
        for line in block.chunks_exact_mut(LINE).take(count) {
            digits(&mut line[..NUMBER], number);
            digits(&mut line[NUMBER + 1..NUMBER + 1 + CLOCK], clock);
            number += 1;
        }
        file.write_all(&block[..count * LINE])?;
    }
    Ok(())
}

fn paced(file: &mut File, lines: u64, rate: u64) -> Result<()> {
    let mut line = template();
    let began = Instant::now();
    for number in 0..lines {
        let due = Duration::from_nanos(number * 1_000_000_000 / rate);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
        digits(&mut line[..NUMBER], number);
        digits(&mut line[NUMBER + 1..NUMBER + 1 + CLOCK], now_ns());
        file.write_all(&line)?;
    }
    Ok(())
}
