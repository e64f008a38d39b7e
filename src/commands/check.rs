//! `logcast check`: are all lines of `logcast generate --sequence` here, once and in order?
//!
//! Reads a file, standard input or the stream of a URL, to which it comes back with the last id when it is cut.
//! Memory is bounded by the number of holes, not of lines; ten places of each kind are shown.

use super::{Failure, plain};
use crate::generate::Numbered;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How many places of each kind are shown.
const PLACES: usize = 10;
/// The most holes that are kept apart; with more, the file is not what `generate` wrote.
const MAX_HOLES: usize = 1_000_000;
/// The longest line that is looked at whole.
const MAX_LINE: u64 = 16 << 20;
/// The wait before a cut stream is asked for again.
const RETRY: Duration = Duration::from_millis(300);

/// What to check.
#[derive(Debug)]
pub struct Options {
    /// A path, `-`, or `http://…`.
    pub source: std::ffi::OsString,
    /// End after this many numbered lines of a URL.
    pub count: Option<u64>,
    /// End when a URL has been silent for so long.
    pub idle: Duration,
}

/// Reads everything and says what is missing.
///
/// # Errors
/// Exit code 1 if something is lost, doubled, out of order or altered, or if it cannot be read.
pub fn run(options: &Options) -> Result<(), Failure> {
    let mut verdict = Verdict::default();
    let shown = plain(&options.source.to_string_lossy());
    let url = options.source.to_str().filter(|source| source.starts_with("http://"));
    let read = match url {
        Some(url) => stream(url, options, &mut verdict),
        None if options.source == OsStr::new("-") => lines(io::stdin().lock(), &mut verdict),
        None => File::open(&options.source)
            .and_then(|file| lines(BufReader::with_capacity(256 << 10, file), &mut verdict)),
    };
    read.map_err(|error| Failure::refused(format!("cannot read '{shown}': {error}")))?;
    let mut out = io::stdout().lock();
    let _ = out.write_all(verdict.text().as_bytes()).and_then(|()| out.flush());
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
        if let Some(&to) = self.runs.get(&(number + 1)) {
            self.runs.remove(&(number + 1));
            run.1 = to;
        }
        if self.runs.len() < MAX_HOLES || self.runs.contains_key(&run.0) {
            self.runs.insert(run.0, run.1);
        }
        true
    }

    fn holes(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.runs.iter().zip(self.runs.iter().skip(1)).map(|((_, to), (from, _))| (to + 1, from - 1))
    }

    fn lost(&self) -> u64 {
        self.holes().map(|(from, to)| to - from + 1).sum()
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

/// Reads lines to the end.
fn lines(mut from: impl BufRead, verdict: &mut Verdict) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        verdict.line(line.strip_suffix(b"\n").unwrap_or(&line));
    }
}

/// Reads an event stream, and comes back to it when it is cut.
fn stream(url: &str, options: &Options, verdict: &mut Verdict) -> io::Result<()> {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.find('/').map_or((rest, "/stream-logs"), |at| rest.split_at(at));
    let address = if host.rsplit(']').next().is_some_and(|port| port.contains(':')) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut id = String::new();
    let mut last_line = Instant::now();
    let mut first = true;
    loop {
        match connect(&address, host, path, &id) {
            Ok(reader) => {
                first = false;
                if events(reader, options, verdict, &mut id, &mut last_line)? {
                    return Ok(());
                }
            }
            Err(error) if first || error.kind() == io::ErrorKind::InvalidData => return Err(error),
            Err(_) => {}
        }
        if last_line.elapsed() >= options.idle {
            return Ok(());
        }
        std::thread::sleep(RETRY);
    }
}

/// Asks by HTTP/1.0, whose answers have no chunks.
fn connect(address: &str, host: &str, path: &str, id: &str) -> io::Result<BufReader<TcpStream>> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_millis(200)))?;
    let resume = if id.is_empty() { String::new() } else { format!("Last-Event-ID: {id}\r\n") };
    write!(socket, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: text/event-stream\r\n{resume}\r\n")?;
    let mut reader = BufReader::with_capacity(256 << 10, socket);
    let mut status = Vec::new();
    let mut line = Vec::new();
    let until = Instant::now() + Duration::from_secs(10);
    while line != b"\r\n" {
        line.clear();
        read_line(&mut reader, &mut line, until)?;
        if status.is_empty() {
            status = line.clone();
        }
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let status = String::from_utf8_lossy(&status).trim().to_owned();
    match status.split(' ').nth(1) {
        Some("200") => Ok(reader),
        Some("204") => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "no more")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("the server says '{}'", plain(&status)))),
    }
}

/// Reads a line with its newline; a time-out of the socket is waited out until `until`.
fn read_line(reader: &mut BufReader<TcpStream>, line: &mut Vec<u8>, until: Instant) -> io::Result<()> {
    loop {
        match reader.by_ref().take(MAX_LINE).read_until(b'\n', line) {
            Ok(_) => return Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                if Instant::now() >= until {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads events until the stream is cut; true if the check is over.
fn events(
    mut reader: BufReader<TcpStream>,
    options: &Options,
    verdict: &mut Verdict,
    id: &mut String,
    last_line: &mut Instant,
) -> io::Result<bool> {
    let (mut name, mut data, mut next_id) = (String::new(), None::<Vec<u8>>, id.clone());
    let mut line = Vec::new();
    loop {
        line.clear();
        match read_line(&mut reader, &mut line, *last_line + options.idle) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(true),
            Err(_) => return Ok(false),
            // A block that was cut off does not count.
            Ok(()) if !line.ends_with(b"\n") => return Ok(false),
            Ok(()) => line.truncate(line.len() - 1),
        }
        if let Some(value) = line.strip_prefix(b"data: ") {
            data = Some(value.to_vec());
        } else if let Some(value) = line.strip_prefix(b"id: ") {
            next_id = String::from_utf8_lossy(value).into_owned();
        } else if let Some(value) = line.strip_prefix(b"event: ") {
            name = String::from_utf8_lossy(value).into_owned();
        } else if line.is_empty() {
            id.clone_from(&next_id);
            match (name.as_str(), data.take()) {
                ("", Some(text)) => {
                    *last_line = Instant::now();
                    verdict.line(&text);
                }
                ("gap", Some(text)) => verdict.gap(&String::from_utf8_lossy(&text)),
                _ => {}
            }
            name.clear();
            if options.count.is_some_and(|count| verdict.numbered >= count) {
                return Ok(true);
            }
        }
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
}
