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
        state.wide = file.wide_at(from + whole as u64);
        state.pass(&run[whole..], want);
        let known = state.inherited;
        if from == begin || (known.time.is_some() || !want.time) && (known.level.is_some() || !want.level) {
            break;
        }
    }
    Ok(state)
}

/// Says level and time of lines that are met here and there in one file.
#[derive(Debug)]
pub struct Sayer {
    state: State,
    /// What a look back is worth: where lines tell no time there is no need to look again and again.
    want: Want,
    /// Just past the last line.
    known: Option<u64>,
}

impl Sayer {
    /// Before the first line.
    pub fn new(reader: Reader) -> Sayer {
        Sayer { state: State::new(reader), want: Want { time: true, level: true }, known: None }
    }

    /// What holds for the record of a line, which lies from `offset` to `next`; content begins at `begin`.
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
        let wide = file.wide_at(offset).map(|wide| wide.text(line));
        let line = wide.as_ref().map_or(line, |text| text.as_bytes());
        let text = strip_cr(line.strip_suffix(b"\n").unwrap_or(line));
        if self.known != Some(offset) {
            self.state.inherited = Inherited::default();
            // A line with a time begins a record of its own.
            if self.state.reader.time(text).is_none() {
                self.state = state_before(file, begin, offset, self.state.reader.clone(), self.want)?;
                self.want.time = self.state.inherited.time.is_some();
            }
        }
        self.state.inherited.step(text, &self.state.reader, Want { time: true, level: true });
        self.known = Some(next);
        Ok(self.state.inherited)
    }
}
