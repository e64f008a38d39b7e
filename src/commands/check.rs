//! `logcast check`: are all lines of `logcast generate --sequence` here, once and in order?
//!
//! Reads a file, standard input or the stream of a URL, to which it comes back with the last id when it is cut.
//! A number that is missing between the first and the last one seen is lost; one that comes after a higher one is out
//! of order. What was lost before the first or after the last cannot be seen. Memory is bounded by the number of
//! holes, not of lines; ten places of each kind are shown.

mod stream;

use super::http::Fingerprint;
use super::stop::Stop;
use super::{Failure, out, plain};
use crate::generate::Numbered;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How many places of each kind are shown.
const PLACES: usize = 10;
/// The most holes that are kept apart, some MB; with more, the lowest is counted as lost for good, and a line that
/// comes into it later as doubled.
const MAX_HOLES: usize = 100_000;
/// The longest line that is looked at whole.
const MAX_LINE: u64 = 16 << 20;

/// How often what is silent is left to look at the clock and at signals.
const LOOK: Duration = Duration::from_millis(200);

/// What to check.
#[derive(Debug)]
pub struct Options {
    /// A path, `-`, or a URL.
    pub source: std::ffi::OsString,
    /// The token of a URL that has none.
    pub token: Option<String>,
    /// A name and a password, `NAME:PASSWORD`, for a server that wants one.
    pub user: Option<String>,
    /// The only certificate to trust.
    pub fingerprint: Option<Fingerprint>,
    /// End after this many numbered lines.
    pub count: Option<u64>,
    /// End when a URL has been silent for so long.
    pub idle: Duration,
}

/// Reads everything and says what is missing.
///
/// # Errors
/// Exit code 1 if something is lost, doubled, out of order or altered, or if it cannot be read.
pub fn run(options: &Options) -> Result<(), Failure> {
    let text = options.source.to_str().filter(|text| stream::is_url(text));
    let address = text.map(|url| stream::address(url, options)).transpose()?;
    // A token is for no message.
    let shown = match &address {
        Some(address) => address.shown(),
        None => plain(&options.source.to_string_lossy()),
    };
    if address.is_none() && std::fs::metadata(&options.source).is_ok_and(|meta| meta.is_dir()) {
        let help = format!("logcast check '{}/app.log'", shown.trim_end_matches('/'));
        return Err(Failure::usage(format!("cannot check '{shown}': it is a folder")).help(help));
    }
    let out = out::stdout()?;
    // Without a verdict it did not succeed.
    let stop = Stop::listen(1)?;
    let mut verdict = Verdict::default();
    let read = match &address {
        Some(address) => stream::read(address, options, &stop, &mut verdict).map(Ok)?,
        None if options.source == OsStr::new("-") => {
            lines(Input::new(stop.clone()), options, &stop, &mut verdict)
        }
        None => File::open(&options.source)
            .and_then(|file| lines(BufReader::with_capacity(256 << 10, file), options, &stop, &mut verdict)),
    };
    read.map_err(|error| Failure::refused(format!("cannot read '{shown}': {error}")))?;
    let mut out = out.lock();
    // A verdict that nobody wants to read is one all the same; one that cannot be written is none.
    if let Err(error) = out.write_all(verdict.text().as_bytes()).and_then(|()| out.flush())
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return Err(Failure::refused(format!("cannot write to stdout: {error}")));
    }
    match verdict.is_good() {
        true => Ok(()),
        false if verdict.numbered == 0 => Err(Failure::refused(format!("'{shown}' has no numbered lines"))
            .help("logcast generate --sequence writes them")),
        false => Err(Failure::refused(format!("'{shown}' is not whole"))),
    }
}

/// What was found so far.
#[derive(Debug, Default)]
struct Verdict {
    /// Numbers that were seen, as runs from the key up to the value.
    runs: BTreeMap<u64, u64>,
    numbered: u64,
    plain: u64,
    doubled: u64,
    out_of_order: u64,
    altered: u64,
    gaps: u64,
    highest: Option<u64>,
    places: Vec<String>,
    /// Of holes that are no longer kept.
    lost_for_good: u64,
}

impl Verdict {
    fn line(&mut self, line: &[u8]) {
        let number = match Numbered::parse(line) {
            Numbered::Plain => {
                self.plain += 1;
                return;
            }
            Numbered::Altered(number) => {
                self.altered += 1;
                self.place(self.altered, format!("altered: {number}"));
                // Perhaps it is the number that was altered: one that is not due says nothing.
                if self.highest.is_some_and(|highest| highest.checked_add(1) != Some(number)) {
                    return;
                }
                number
            }
            Numbered::Intact(number) => number,
        };
        self.numbered += 1;
        if !self.add(number) {
            self.doubled += 1;
            self.place(self.doubled, format!("doubled: {number}"));
        } else if self.highest.is_some_and(|highest| number < highest) {
            self.out_of_order += 1;
            self.place(
                self.out_of_order,
                format!("out of order: {number} after {}", self.highest.unwrap_or(0)),
            );
        }
        self.highest = Some(self.highest.map_or(number, |highest| highest.max(number)));
    }

    fn gap(&mut self, data: &str) {
        self.gaps += 1;
        self.place(self.gaps, format!("gap: {}", plain(data)));
    }

    fn place(&mut self, count: u64, text: String) {
        if count <= PLACES as u64 {
            self.places.push(text);
        }
    }

    /// Adds a number to the runs; false if it is there already.
    fn add(&mut self, number: u64) -> bool {
        let before = self.runs.range(..=number).next_back().map(|(&from, &to)| (from, to));
        if before.is_some_and(|(_, to)| number <= to) {
            return false;
        }
        let mut run = (number, number);
        if let Some((from, to)) = before
            && to + 1 == number
        {
            run.0 = from;
        }
        if let Some(next) = number.checked_add(1)
            && let Some(to) = self.runs.remove(&next)
        {
            run.1 = to;
        }
        self.runs.insert(run.0, run.1);
        if self.runs.len() > MAX_HOLES
            && let (Some((from, to)), Some((next, last))) = (self.runs.pop_first(), self.runs.pop_first())
        {
            self.lost_for_good += next - to - 1;
            self.runs.insert(from, last);
        }
        true
    }

    fn holes(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.runs.iter().zip(self.runs.iter().skip(1)).map(|((_, to), (from, _))| (to + 1, from - 1))
    }

    fn lost(&self) -> u64 {
        self.lost_for_good + self.holes().map(|(from, to)| to - from + 1).sum::<u64>()
    }

    fn is_good(&self) -> bool {
        self.numbered > 0
            && self.lost() == 0
            && self.doubled == 0
            && self.out_of_order == 0
            && self.altered == 0
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (from, to) in self.holes().take(PLACES) {
            out += &if from == to { format!("lost: {from}\n") } else { format!("lost: {from} to {to}\n") };
        }
        for place in &self.places {
            out += &format!("{place}\n");
        }
        out + &format!(
            "lines={} lost={} doubled={} out_of_order={} altered={} gaps={} other={}\n",
            self.numbered,
            self.lost(),
            self.doubled,
            self.out_of_order,
            self.altered,
            self.gaps,
            self.plain
        )
    }
}

/// Standard input that a signal ends: a pipe may be silent for ever, so a thread of its own waits for it.
struct Input {
    stop: Stop,
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Input {
    fn new(stop: Stop) -> Input {
        // One is read while the other is looked at.
        let (sender, chunks) = sync_channel(1);
        std::thread::spawn(move || {
            let mut from = io::stdin().lock();
            loop {
                let mut chunk = vec![0; 256 << 10];
                let read = match from.read(&mut chunk) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(0) => return,
                    read => read,
                };
                let failed = read.is_err();
                let sent = sender.send(read.map(|len| {
                    chunk.truncate(len);
                    chunk
                }));
                if failed || sent.is_err() {
                    return;
                }
            }
        });
        Input { stop, chunks, chunk: Vec::new(), at: 0 }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.fill_buf()?.read(into)?;
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.chunk.len() {
            match self.chunks.recv_timeout(LOOK) {
                Ok(chunk) => (self.chunk, self.at) = (chunk?, 0),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if self.stop.is_set() => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        Ok(&self.chunk[self.at..])
    }

    fn consume(&mut self, len: usize) {
        self.at += len;
    }
}

/// Reads lines to the end.
fn lines(mut from: impl BufRead, options: &Options, stop: &Stop, verdict: &mut Verdict) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        if stop.is_set() || options.count.is_some_and(|count| verdict.numbered >= count) {
            return Ok(());
        }
        line.clear();
        if from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        verdict.line(line.strip_suffix(b"\n").unwrap_or(&line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(numbers: &[u64]) -> Verdict {
        let mut verdict = Verdict::default();
        for &number in numbers {
            let mut line = b"text".to_vec();
            crate::generate::push_numbered(&mut line, 0, number);
            verdict.line(&line);
        }
        verdict
    }

    #[test]
    fn what_is_missing_is_found() {
        assert!(verdict(&[0, 1, 2, 3]).is_good());
        assert!(verdict(&[7, 8, 9]).is_good());
        assert!(!verdict(&[]).is_good());
        let found = verdict(&[0, 1, 5, 1, 3, 6]);
        assert_eq!((found.lost(), found.doubled, found.out_of_order), (2, 1, 1));
        let text = found.text();
        assert!(text.starts_with("lost: 2\nlost: 4\n"), "{text}");
        assert!(
            text.ends_with("lines=6 lost=2 doubled=1 out_of_order=1 altered=0 gaps=0 other=0\n"),
            "{text}"
        );
    }

    #[test]
    fn an_altered_number_makes_no_hole() {
        let mut verdict = verdict(&[0, 1]);
        verdict.line(b"text seq=9000000000 sum=00000000");
        verdict.line(b"text seq=2 sum=00000000");
        let text = verdict.text();
        assert!(text.contains("lines=3 lost=0 doubled=0 out_of_order=0 altered=2 "), "{text}");
        assert!(!verdict.is_good());
    }

    #[test]
    fn the_ends_of_numbers_are_numbers() {
        let found = verdict(&[u64::MAX - 1, u64::MAX, u64::MAX]);
        assert_eq!((found.lost(), found.doubled), (0, 1));
    }

    #[test]
    fn memory_is_bounded() {
        let many = MAX_HOLES as u64 + 50_000;
        let mut verdict = Verdict::default();
        for number in 0..many {
            verdict.add(number * 3);
        }
        assert!(verdict.runs.len() <= MAX_HOLES);
        assert_eq!(verdict.lost(), 2 * (many - 1));
    }
}
