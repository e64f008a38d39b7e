//! How many lines of each level a file has when: by passing over it, or about, by looking at few places.
//!
//! The sample costs the same whatever the size: [`PROBES`] reads of [`PROBE_BYTES`]. What lies between two probes is
//! taken to hold lines as they do, spread evenly over the time between them; each tells its middle time, so that a
//! single line with a wrong one has no say. Times need not be in order.

use super::lines::{complete, lines};
use super::logfile::LogFile;
use super::record::{Inherited, Reader, Want};
use super::tally::{COLUMNS, Stretch, Tally, column};
use std::io;

/// How many places are looked at: two for each bucket that a page shows.
pub const PROBES: u64 = 240;
/// How much is read at each: some hundred lines.
pub const PROBE_BYTES: u64 = 32 << 10;
/// How much is read at once to pass over lines.
const READ_BYTES: usize = 256 << 10;

/// Counts the lines between two places, `from` a line's start and `to` a line's end, until `to` or until about `max`
/// bytes were read; returns how far it came, a line's end.
///
/// # Errors
/// What the system says; `UnexpectedEof` if the file ends before `to`.
pub fn pass(
    file: &LogFile,
    (from, to): (u64, u64),
    max: u64,
    reader: &Reader,
    tally: &mut Tally,
    buf: &mut Vec<u8>,
) -> io::Result<u64> {
    buf.resize(READ_BYTES, 0);
    let mut at = from;
    while at < to && at - from < max {
        let want = (to - at).min(READ_BYTES as u64) as usize;
        if file.read_at(&mut buf[..want], at)? < want {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let last = at + want as u64 == to;
        match if last { want } else { complete(&buf[..want]) } {
            // What a long line says stands at its beginning.
            0 => {
                tally.pass(&file.told(&buf[..want], at), reader);
                at = file.next_line_end(at + want as u64, to)?.unwrap_or(to);
            }
            whole => {
                tally.pass(&file.told(&buf[..whole], at), reader);
                at += whole as u64;
            }
        }
    }
    Ok(at)
}

/// What one place tells.
#[derive(Debug, Clone, Copy)]
struct Probe {
    /// The middle of what was read.
    at: u64,
    /// Lines by column for each byte.
    density: [f64; COLUMNS],
    /// The earliest, the middle and the latest time, those apart that few lines tell; `None` if there is none.
    times: Option<(i64, i64, i64)>,
}

/// About how many lines there are between two places, the first a line's start.
///
/// # Errors
/// What the system says.
pub fn sample(file: &LogFile, from: u64, to: u64, reader: &Reader) -> io::Result<Vec<Stretch>> {
    Ok(between(&look_along(file, from, to, reader)?, from, to))
}

/// Whether [`by_place`] counts all lines between two places: they are no more bytes than a sample reads.
pub fn is_counted(from: u64, to: u64) -> bool {
    to.saturating_sub(from) <= PROBES * PROBE_BYTES
}

/// How many lines of each level each run of `width` bytes between two places has, the first a line's start: for
/// files whose lines have no times. About, but where [`is_counted`].
///
/// # Errors
/// What the system says.
pub fn by_place(
    file: &LogFile,
    from: u64,
    to: u64,
    reader: &Reader,
    width: u64,
) -> io::Result<Vec<[u64; COLUMNS]>> {
    let width = width.max(1);
    if is_counted(from, to) {
        return counted_by_place(file, from, to, reader, width);
    }
    let probes = look_along(file, from, to, reader)?;
    let mut next = 0;
    Ok((0..to.saturating_sub(from).div_ceil(width))
        .map(|bucket| {
            let start = from + bucket * width;
            let end = start.saturating_add(width).min(to);
            while next + 1 < probes.len() && probes[next].at < start {
                next += 1;
            }
            // Those within; where there are none, the nearest behind.
            let within = probes[next..].iter().take_while(|probe| probe.at < end).count().max(1);
            let those = &probes[next.min(probes.len())..(next + within).min(probes.len())];
            let sum = |column: usize| those.iter().map(|probe| probe.density[column]).sum::<f64>();
            std::array::from_fn(|column| {
                (sum(column) / those.len().max(1) as f64 * (end - start) as f64).round() as u64
            })
        })
        .collect())
}

/// The same of a file that is no larger than what a sample reads: all of it is counted.
fn counted_by_place(
    file: &LogFile,
    from: u64,
    to: u64,
    reader: &Reader,
    width: u64,
) -> io::Result<Vec<[u64; COLUMNS]>> {
    let mut counts = vec![[0; COLUMNS]; to.saturating_sub(from).div_ceil(width) as usize];
    let (mut buf, mut at) = (vec![0; READ_BYTES], from);
    let mut inherited = Inherited::default();
    while at < to {
        let want = (to - at).min(READ_BYTES as u64) as usize;
        let n = file.read_at(&mut buf[..want], at)?;
        if n == 0 {
            break; // it was cut meanwhile
        }
        let whole = if at + n as u64 == to { n } else { complete(&buf[..n]) };
        let run = if whole == 0 { n } else { whole };
        let text = file.text(&buf[..run], at);
        for line in lines(&text) {
            inherited.step(line.text, reader, Want { time: false, level: true });
            // UTF-16 has other lengths than its text.
            let place = line.from as u64 * run as u64 / text.len().max(1) as u64;
            counts[((at - from + place) / width) as usize][column(inherited.level)] += 1;
        }
        // What a long line says stands at its beginning.
        at =
            if whole == 0 { file.next_line_end(at + n as u64, to)?.unwrap_or(to) } else { at + whole as u64 };
    }
    Ok(counts)
}

/// Looks at places from `from` to `to`, evenly apart.
fn look_along(file: &LogFile, from: u64, to: u64, reader: &Reader) -> io::Result<Vec<Probe>> {
    let mut buf = vec![0; PROBE_BYTES as usize];
    let room = to.saturating_sub(from).saturating_sub(PROBE_BYTES);
    let number = (room / PROBE_BYTES).clamp(1, PROBES - 1);
    let mut probes: Vec<Probe> = Vec::new();
    for i in 0..=number {
        // The first begins at `from`, the last ends at `to`.
        let at = from + (u128::from(room) * u128::from(i) / u128::from(number)) as u64;
        let want = (to - at).min(PROBE_BYTES) as usize;
        let n = file.read_at(&mut buf[..want], at)?;
        let begin = match at == from {
            true => 0,
            false => memchr::memchr(b'\n', &buf[..n]).map_or(n, |newline| newline + 1),
        };
        let run = &buf[begin..n.min(complete(&buf[..n]).max(begin))];
        if let Some(mut probe) = look(file, at + begin as u64, run, reader) {
            // Lines without a time belong to those above.
            let above = probes.last().and_then(|last| last.times);
            probe.times = probe.times.or(above.map(|(_, _, late)| (late, late, late)));
            probes.push(probe);
        }
    }
    Ok(probes)
}

fn look(file: &LogFile, at: u64, run: &[u8], reader: &Reader) -> Option<Probe> {
    let (mut counts, mut times) = ([0.0; COLUMNS], Vec::new());
    let mut inherited = Inherited::default();
    for line in lines(&file.told(run, at)) {
        inherited.step(line.text, reader, Want { time: true, level: true });
        counts[column(inherited.level)] += 1.0;
        times.extend(inherited.time.map(|time| time.as_millisecond()));
    }
    if run.is_empty() {
        return None;
    }
    times.sort_unstable();
    let apart = times.len() / 20;
    let times =
        (!times.is_empty()).then(|| (times[apart], times[times.len() / 2], times[times.len() - 1 - apart]));
    let density = counts.map(|count| count / run.len() as f64);
    Some(Probe { at: at + run.len() as u64 / 2, density, times })
}

/// What lies before the first middle, between each two, and behind the last.
fn between(probes: &[Probe], from: u64, to: u64) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    let mut add = |bytes: u64, density: [f64; COLUMNS], a: i64, b: i64| {
        let counts = density.map(|density| density * bytes as f64);
        stretches.push(Stretch { from: a.min(b), to: a.max(b).max(a.min(b) + 1), counts });
    };
    let timed: Vec<(&Probe, (i64, i64, i64))> =
        probes.iter().filter_map(|probe| probe.times.map(|times| (probe, times))).collect();
    let (Some((first, (early, middle, _))), Some((last, (_, late_middle, late)))) =
        (timed.first(), timed.last())
    else {
        return Vec::new();
    };
    // Lines before the first time have none.
    let before = (first.at - from).min(PROBE_BYTES);
    add(before, first.density, *early, *middle);
    for pair in timed.windows(2) {
        let [(a, (_, a_time, _)), (b, (_, b_time, _))] = pair else { continue };
        let density = std::array::from_fn(|column| (a.density[column] + b.density[column]) / 2.0);
        add(b.at - a.at, density, *a_time, *b_time);
    }
    add(to.saturating_sub(last.at), last.density, *late_middle, *late + 1);
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::record::{Level, Options};
    use crate::log::tally::{Histogram, range};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use std::io::Write;

    const START: i64 = 1_795_000_000_000;
    const NOW: i64 = START + 600_000_000;

    fn reader() -> Reader {
        Reader::new(&Options { now: Timestamp::from_millisecond(NOW).unwrap(), zone: TimeZone::UTC })
    }

    fn written(text: &[u8]) -> LogFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        LogFile::from_file(file, &None).unwrap()
    }

    /// Busy and quiet hours, an hour of errors, traces.
    fn log(lines: i64) -> Vec<u8> {
        let (mut text, mut rng, mut time) = (Vec::new(), fastrand::Rng::with_seed(3), START);
        for n in 0..lines {
            time += if n % 40_000 < 20_000 { rng.i64(0..20) } else { rng.i64(0..200) };
            let stamp = Timestamp::from_millisecond(time).unwrap();
            let bad = (60_000..70_000).contains(&n);
            let level = if bad || rng.u8(0..100) == 0 { "ERROR" } else { "INFO" };
            writeln!(text, "{stamp:.3} {level} request {n} of {}", "x".repeat(rng.usize(0..80))).unwrap();
            if level == "ERROR" && n % 3 == 0 {
                text.extend_from_slice(b"    at com.example.Main(Main.java:5)\n");
            }
        }
        text
    }

    fn passed(file: &LogFile, to: u64, max: u64) -> Tally {
        let (mut tally, mut buf, mut at) = (Tally::default(), Vec::new(), 0);
        while at < to {
            at = pass(file, (at, to), max, &reader(), &mut tally, &mut buf).unwrap();
        }
        tally
    }

    #[test]
    fn a_sample_is_like_the_whole() {
        let text = log(200_000);
        let (file, to) = (written(&text), text.len() as u64);
        assert!(to > PROBES * PROBE_BYTES * 3 / 2, "{to} bytes are nearly read by the probes");
        let tally = passed(&file, to, u64::MAX);
        let exact = tally.stretches();
        let about = sample(&file, 0, to, &reader()).unwrap();
        let shown = range(&exact, NOW).unwrap();
        let shown_about = range(&about, NOW).unwrap();
        let tolerance = (shown.1 - shown.0) / 100;
        assert!((shown.0 - shown_about.0).abs() < tolerance && (shown.1 - shown_about.1).abs() < tolerance);
        let exact = Histogram::of(&exact, shown, 40, tally.width());
        let end = exact.start + exact.bucket * exact.counts.len() as i64;
        let about = Histogram::of(&about, (exact.start, end), exact.counts.len(), 1);
        assert_eq!((exact.start, exact.bucket), (about.start, about.bucket));
        let (whole, counted) = (exact.lines() as f64, about.lines() as f64);
        assert!((whole - counted).abs() < whole * 0.02, "{counted} of {whole}");
        let wrong: u64 = exact
            .counts
            .iter()
            .zip(&about.counts)
            .flat_map(|(a, b)| a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)))
            .sum();
        assert!((wrong as f64) < whole * 0.15, "{wrong} of {whole} lines stand elsewhere");
        let error = column(Some(Level::Error));
        let most = |histogram: &Histogram| {
            (0..histogram.counts.len()).max_by_key(|&at| histogram.counts[at][error]).unwrap()
        };
        assert!(most(&exact).abs_diff(most(&about)) <= 1, "the hour of errors is where it was");
    }

    #[test]
    fn lines_by_place_need_no_times() {
        let line = |n: usize| match n {
            40_000..60_000 => "ERROR it failed, and there is more to say about it than else\n",
            _ => "INFO fine, and a little more to say about it\n",
        };
        let text: String = (0..400_000).map(line).collect();
        let (file, to) = (written(text.as_bytes()), text.len() as u64);
        assert!(to > PROBES * PROBE_BYTES * 3 / 2, "{to} bytes are nearly read by the probes");
        let counts = by_place(&file, 0, to, &reader(), to.div_ceil(100)).unwrap();
        let [info, error] = [Level::Info, Level::Error].map(|level| column(Some(level)));
        let sum = |column: usize| counts.iter().map(|counts| counts[column]).sum::<u64>();
        assert!(sum(info).abs_diff(380_000) < 10_000 && sum(error).abs_diff(20_000) < 2_000, "{counts:?}");
        let bad = |bucket: usize| counts[bucket][error] > 0;
        let begin = 100 * text.find("ERROR").unwrap() / text.len();
        assert!(!bad(begin - 2) && bad(begin + 2) && !bad(99), "{counts:?}");
        // What is small, empty or one long line.
        assert_eq!(by_place(&written(b"ERROR a\nb\n"), 0, 10, &reader(), 10).unwrap()[0][error], 2);
        for text in [&b""[..], &[b'q'; 100_000]] {
            let counts = by_place(&written(text), 0, text.len() as u64, &reader(), 1000).unwrap();
            assert_eq!(counts.len(), text.len() / 1000);
            assert_eq!(counts.iter().flatten().sum::<u64>(), u64::from(!text.is_empty()));
        }
    }

    #[test]
    fn to_pass_in_parts_is_to_pass_at_once() {
        let mut text = log(3_000);
        text.extend_from_slice(&[b'y'; 700_000]);
        text.push(b'\n');
        text.extend_from_slice(b"2026-11-20T00:00:00Z WARN last, not ended");
        let (file, to) = (written(&text), text.len() as u64);
        let whole = passed(&file, to, u64::MAX).stretches();
        assert_eq!(whole, passed(&file, to, 1).stretches());
        let lines = lines(&text).count() as f64;
        assert_eq!(whole.iter().flat_map(|stretch| stretch.counts).sum::<f64>(), lines);
        let shorter = pass(&file, (0, to + 1), u64::MAX, &reader(), &mut Tally::default(), &mut Vec::new());
        assert!(shorter.is_err());
    }

    #[test]
    fn hostile_times_and_lines_ruin_no_sample() {
        let mut text = Vec::new();
        for (n, line) in log(100_000).split_inclusive(|&byte| byte == b'\n').enumerate() {
            text.extend_from_slice(line);
            if n % 50 == 0 {
                text.extend_from_slice(
                    b"2199-01-01T00:00:00Z INFO from the future\n1971-01-01T00:00:00Z ERROR y\n",
                );
            }
        }
        text.extend_from_slice(&vec![b'z'; 3 << 20]);
        let (file, to) = (written(&text), text.len() as u64);
        let about = sample(&file, 0, to, &reader()).unwrap();
        let (from, until) = range(&about, NOW).unwrap();
        assert!(from >= START - 60_000 && until <= NOW, "{from} {until}");
        for text in [&b""[..], b"\n", b"no time\n", b"unfinished", &[b'q'; 100_000]] {
            assert!(sample(&written(text), 0, text.len() as u64, &reader()).unwrap().is_empty());
        }
        let one = b"2026-11-20T00:00:00Z WARN one\n";
        assert_eq!(sample(&written(one), 0, 30, &reader()).unwrap().len(), 3);
    }
}
