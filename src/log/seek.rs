//! Where a time is in a file, found by bisection over its bytes: no index is needed.
//!
//! A log is in order of time, or nearly. Where it is not, the answer is one of the places where lines change from
//! before the time to after it; who needs all of them takes [`SLACK_BYTES`] more. Lines without a time belong to the
//! one above and are passed over.

use super::lines::lines;
use super::logfile::LogFile;
use super::record::Reader;
use jiff::Timestamp;
use std::io;

/// How far from the found place lines may lie that were written a little out of order.
pub const SLACK_BYTES: u64 = 1 << 20;

/// How much one probe reads at a time: some lines, most of which have a time.
const PROBE_BYTES: u64 = 16 << 10;
/// How much all probes together read of what has no times before the search is given up.
const MAX_BYTES: u64 = 8 << 20;

/// The first line between two places at or after `time`: the offset where it begins, `end` if there is none. `begin`
/// and `end` are line ends (or where content begins and ends).
///
/// # Errors
/// What the system says.
pub fn first_at(file: &LogFile, begin: u64, end: u64, time: Timestamp, reader: &Reader) -> io::Result<u64> {
    let (mut low, mut high) = (begin, end);
    let mut budget = MAX_BYTES;
    while high - low > PROBE_BYTES && budget > 0 {
        let middle = low + (high - low) / 2;
        let found = first_known(file, middle, high, reader, &mut budget)?;
        match found {
            Some((from, known)) if known < time => low = from,
            // What has no time up to `high` belongs to the line before the middle.
            Some(_) | None => high = middle,
        }
    }
    // The line at `low` begins there; `high` may lie within a line.
    let (mut at, mut budget) = (low, MAX_BYTES);
    while at < end && budget > 0 {
        let Some((from, known)) = first_known_from(file, at, end, reader, &mut budget)? else { break };
        if known >= time {
            return Ok(from);
        }
        at = match file.next_line_end(from, end)? {
            Some(next) => next,
            None => break,
        };
    }
    // Where most lines tell no time, what may hold it is not passed over.
    Ok(if at > low && budget == 0 { at } else { end })
}

/// The first time that a line between two places tells, and where that line begins.
///
/// # Errors
/// What the system says.
pub fn first_time(file: &LogFile, begin: u64, end: u64, reader: &Reader) -> io::Result<Option<Timestamp>> {
    let mut budget = MAX_BYTES;
    Ok(first_known_from(file, begin, end, reader, &mut budget)?.map(|(_, time)| time))
}

/// The first line that begins behind `at` and tells a time.
fn first_known(
    file: &LogFile,
    at: u64,
    end: u64,
    reader: &Reader,
    budget: &mut u64,
) -> io::Result<Option<(u64, Timestamp)>> {
    match file.next_line_end(at, end)? {
        Some(from) => first_known_from(file, from, end, reader, budget),
        None => Ok(None),
    }
}

/// The first line from a line's start on that tells a time.
fn first_known_from(
    file: &LogFile,
    from: u64,
    end: u64,
    reader: &Reader,
    budget: &mut u64,
) -> io::Result<Option<(u64, Timestamp)>> {
    let mut buf = vec![0; PROBE_BYTES as usize];
    let mut at = from;
    while at < end && *budget > 0 {
        let want = (end - at).min(PROBE_BYTES) as usize;
        let n = file.read_at(&mut buf[..want], at)?;
        if n == 0 {
            break;
        }
        *budget = budget.saturating_sub(n as u64);
        let mut next = at;
        for line in lines(&buf[..n]) {
            // A line's time stands in its head; a line that is cut off here is read again from its start.
            let whole = buf[line.to - 1] == b'\n' || n < want || at + n as u64 == end;
            if !whole && line.from > 0 {
                break;
            }
            let wide = file.wide_at(at + line.from as u64).map(|wide| wide.text(&buf[line.from..line.to]));
            if let Some(time) = reader.time(wide.as_ref().map_or(line.text, |text| text.as_bytes())) {
                return Ok(Some((at + line.from as u64, time)));
            }
            next = at + line.to as u64;
        }
        // A long line: what begins behind its end is wanted.
        at = match next == at + n as u64 && buf[n - 1] != b'\n' {
            true => file.next_line_end(next, end)?.unwrap_or(end),
            false => next,
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::record::Options;
    use jiff::tz::TimeZone;
    use std::io::Write;

    fn reader() -> Reader {
        Reader::new(&Options { now: "2026-11-25T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC })
    }

    fn written(text: &[u8]) -> LogFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        LogFile::from_file(file, &None).unwrap()
    }

    /// Lines a second apart, with traces, some longer than a probe.
    fn log(count: i64) -> (Vec<u8>, Vec<(u64, Timestamp)>) {
        let start: Timestamp = "2026-11-20T00:00:00Z".parse().unwrap();
        let (mut text, mut places) = (Vec::new(), Vec::new());
        for n in 0..count {
            let time = Timestamp::from_second(start.as_second() + n).unwrap();
            places.push((text.len() as u64, time));
            writeln!(text, "{time} INFO request {n} took 5 ms").unwrap();
            if n % 7 == 3 {
                text.extend_from_slice(&b"    at com.example.Main(Main.java:5)\n".repeat(n as usize % 40));
            }
            if n % 501 == 400 {
                text.extend_from_slice(&[b'x'; 40_000]);
                text.push(b'\n');
            }
        }
        (text, places)
    }

    #[test]
    fn every_time_is_found_where_a_walk_finds_it() {
        let (text, places) = log(3_000);
        let (file, end) = (written(&text), text.len() as u64);
        for &(offset, time) in places.iter().step_by(13) {
            assert_eq!(first_at(&file, 0, end, time, &reader()).unwrap(), offset, "{time}");
            let between = Timestamp::from_millisecond(time.as_millisecond() - 1).unwrap();
            assert_eq!(first_at(&file, 0, end, between, &reader()).unwrap(), offset, "before {time}");
        }
        let later = Timestamp::from_second(places.last().unwrap().1.as_second() + 1).unwrap();
        assert_eq!(first_at(&file, 0, end, later, &reader()).unwrap(), end);
        assert_eq!(first_time(&file, 0, end, &reader()).unwrap(), Some(places[0].1));
    }

    #[test]
    fn a_file_without_times_is_given_up_soon() {
        let text = b"no time here\n".repeat(4_000_000);
        let file = written(&text);
        let end = text.len() as u64;
        assert_eq!(first_time(&file, 0, end, &reader()).unwrap(), None);
        assert_eq!(first_at(&file, 0, end, Timestamp::UNIX_EPOCH, &reader()).unwrap(), end);
    }

    #[test]
    fn an_empty_file_and_one_long_line_have_no_time() {
        for text in [&b""[..], &[b'y'; 100_000][..]] {
            let (file, end) = (written(text), text.len() as u64);
            assert_eq!(first_at(&file, 0, end, Timestamp::UNIX_EPOCH, &reader()).unwrap(), end);
        }
    }
}
