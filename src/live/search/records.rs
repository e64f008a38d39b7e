//! The records of a search: each one line of JSON.

use super::{Running, Searched, Stopped};
use crate::log::cursor::Cursor;
use crate::log::encode::named::origin_of;
use crate::log::encode::{json, json_string};
use crate::log::lines::{self, LINE_LIMIT, strip_cr};
use crate::log::said::Sayer;
use crate::log::segment::Place;
use std::io::Write;
use std::ops::ControlFlow;

impl Running<'_> {
    pub(super) fn line(
        &mut self,
        place: &Searched<'_>,
        (offset, next): (u64, u64),
        (bytes, omitted): (&[u8], u64),
        sayer: &mut Sayer,
    ) {
        let segment = place.segment;
        let file = segment.file();
        let (text, begin) = (file.shown_text(bytes, offset), segment.begin());
        let text = strip_cr(text.strip_suffix(b"\n").unwrap_or(&text));
        let text = if offset == 0 { lines::strip_mark(text) } else { text };
        let shown = lines::cut(text, LINE_LIMIT);
        let _ = write!(
            self.batch,
            r#"{{"file":{},"generation":"{}","offset":{offset},"next":{next},"text":{}"#,
            place.file,
            place.generation,
            json_string(&lines::text(shown))
        );
        if let Some(origin) = segment.naming().and_then(|naming| origin_of(&*naming, next)) {
            let _ = write!(self.batch, r#","origin":{}"#, json_string(&origin));
        }
        if let Ok(said) = sayer.say(&file, begin, (offset, next), bytes) {
            json::push_said(said, &mut self.batch);
        }
        let cut = omitted + (text.len() - shown.len()) as u64;
        if cut > 0 {
            let _ = write!(self.batch, r#","cut":{cut}"#);
        }
        if let Ok(check) = file.check_before(begin, next) {
            let entries = vec![segment.entry(Place { offset: next, check })];
            let _ = write!(self.batch, r#","cursor":"{}""#, Cursor { entries, partial: false }.to_text());
        }
        self.batch.extend_from_slice(b"}\n");
    }

    pub(super) fn push_places(&mut self, place: &Searched<'_>) {
        if self.places.is_empty() {
            return;
        }
        let _ = write!(self.batch, r#"{{"file":{},"generation":"{}","hits":["#, place.file, place.generation);
        for (n, offset) in self.places.drain(..).enumerate() {
            let _ = write!(self.batch, "{}{offset}", if n > 0 { "," } else { "" });
        }
        self.batch.extend_from_slice(b"]}\n");
    }

    pub(super) fn push_density(&mut self, place: &Searched<'_>) {
        let part = self.density.part;
        if let Some(density) = self.density.take() {
            let _ = writeln!(
                self.batch,
                r#"{{"file":{},"generation":"{}","part":{part},"density":[{density}]}}"#,
                place.file, place.generation
            );
        }
    }

    pub(super) fn push_progress(&mut self) {
        let rate = (self.bytes as f64 / self.began.elapsed().as_secs_f64().max(0.001)) as u64;
        let (bytes, of, hits) = (self.bytes, self.of.max(self.bytes), self.hits);
        let _ = writeln!(
            self.batch,
            r#"{{"progress":{{"bytes":{bytes},"of":{of},"hits":{hits},"rate":{rate}}}}}"#
        );
    }

    pub(super) fn gap(&mut self, file: &str, reason: &str) -> ControlFlow<Stopped> {
        let reason = json_string(reason);
        let _ = writeln!(self.batch, r#"{{"gap":{{"file":{file},"reason":{reason}}}}}"#);
        self.flush()
    }
}
