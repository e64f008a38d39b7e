//! What holds for the record of a line anywhere in a file: a line without a level or a time takes over those of the lines
//! above it, for which a look back goes at most 64 KiB.

use super::filter::State;
use super::lines::strip_cr;
use super::logfile::LogFile;
use super::record::{Inherited, Reader, Want};
use std::io;

/// How far a look back goes, first and at most.
const LOOK_BACK: [u64; 2] = [4 << 10, 64 << 10];

/// What holds before a line, from what stands at most 64 KiB above it; `begin` is where content begins.
///
/// # Errors
/// What the system says.
pub fn state_before(
    file: &LogFile,
    begin: u64,
    offset: u64,
    reader: Reader,
    want: Want,
) -> io::Result<State> {
    let mut state = State::new(reader);
    if !want.time && !want.level {
        return Ok(state);
    }
    for back in LOOK_BACK {
        let from = offset.saturating_sub(back).max(begin);
        let mut run = vec![0; (offset - from) as usize];
        let n = file.read_at(&mut run, from)?;
        let run = &run[..n];
        // A line that is cut off at its head says nothing.
        let whole = match from == begin {
            true => 0,
            false => memchr::memchr(b'\n', run).map_or(run.len(), |at| at + 1),
        };
        state.inherited = Inherited::default();
        state.pass(&file.told(&run[whole..], from + whole as u64), want);
        let known = state.inherited;
        if from == begin || (known.time.is_some() || !want.time) && (known.level.is_some() || !want.level) {
            break;
        }
    }
    Ok(state)
}

/// Says level and time of lines that are met here and there in one file. Going on in one direction it looks at each byte
/// once, also where lines tell neither.
#[derive(Debug)]
pub struct Sayer {
    state: State,
    /// Whether a look back has found a time: where lines tell none there is no need to look again and again.
    has_times: bool,
    /// Just past the last line.
    known: Option<u64>,
    /// Between these places no line tells anything.
    barren: Option<(u64, u64)>,
}

/// All that a line can say.
const ALL: Want = Want { time: true, level: true };

impl Sayer {
    /// Before the first line.
    pub fn new(reader: Reader) -> Sayer {
        Sayer { state: State::new(reader), has_times: true, known: None, barren: None }
    }

    /// What holds for the record of a line as it is shown, which lies from `offset` to `next`; content begins at `begin`.
    ///
    /// # Errors
    /// What the system says to a look back.
    pub fn say(
        &mut self,
        file: &LogFile,
        begin: u64,
        (offset, next): (u64, u64),
        line: &[u8],
    ) -> io::Result<Inherited> {
        let wide = file.shown_wide(offset).map(|wide| wide.text(line));
        let line = wide.as_ref().map_or(line, |text| text.as_bytes());
        let text = strip_cr(line.strip_suffix(b"\n").unwrap_or(line));
        match self.known {
            Some(known) if known == offset => {}
            // A line with a time begins a record of its own.
            _ if self.state.reader.time(text).is_some() => self.state.inherited = Inherited::default(),
            Some(known) if known < offset && offset - known <= LOOK_BACK[1] => {
                self.pass(file, known, offset)?
            }
            _ => self.look_back(file, begin, offset)?,
        }
        self.state.inherited.step(text, &self.state.reader, ALL);
        self.known = Some(next);
        Ok(self.state.inherited)
    }

    /// Goes on over the lines between two places.
    fn pass(&mut self, file: &LogFile, from: u64, to: u64) -> io::Result<()> {
        let mut run = vec![0; (to - from) as usize];
        let n = file.read_at(&mut run, from)?;
        self.state.pass(&file.told(&run[..n], from), ALL);
        Ok(())
    }

    fn look_back(&mut self, file: &LogFile, begin: u64, offset: u64) -> io::Result<()> {
        let known = self.barren.filter(|&(from, to)| from <= offset && offset <= to);
        let (end, until) = known.map_or((offset, offset), |(from, to)| (from, to));
        for back in LOOK_BACK {
            let from = offset.saturating_sub(back).max(begin);
            self.state.inherited = Inherited::default();
            if from < end {
                // A line that is cut off at its head says nothing.
                let whole = if from == begin { from } else { file.next_line_end(from, end)?.unwrap_or(end) };
                self.pass(file, whole, end)?;
            }
            let found = self.state.inherited;
            if found.time.is_some() || found.level.is_some() && !self.has_times {
                return Ok(());
            }
            if from == begin {
                break;
            }
        }
        self.has_times = false;
        if self.state.inherited.level.is_none() {
            let from = offset.saturating_sub(LOOK_BACK[1]).max(begin).min(end);
            self.barren = Some((from, until));
        }
        Ok(())
    }
}
