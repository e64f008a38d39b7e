//! What a client is told about its stream: where it begins, what is missing, what became of the files.

use super::Client;
use crate::live::notices::{born_word, generation_member, notice_body, now};
use crate::live::resume;
use crate::live::vector::Delta;
use crate::log::encode::{Format, notice};
use crate::log::filter::Filter;
use crate::log::segment::Segment;
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::Instant;

/// Why an id alone does not resume a stream of many files. Before it each file's own id has been told.
pub const MANY_FILES: &str = "more files than an id can hold: an id resumes its line's file only";

impl Client {
    /// The first block: the cursor that the client starts from, so that it can resume before its first line.
    pub(super) fn greet(&mut self, gaps: Vec<resume::Gap>) {
        let mut out = Vec::new();
        let format = self.format();
        let files = self.seat.hub.files_json(&self.seat.view.key);
        let version = env!("CARGO_PKG_VERSION");
        let mut body = format!(r#""version":"{version}","at":"{}","files":{files}"#, now());
        // Whoever comes back asks for these times: a span or a clock time would mean another one by then.
        let spec = self.seat.view.key.filter.as_ref().map(Filter::spec);
        let times = spec.map_or([None, None], |spec| [spec.since, spec.until]);
        for (name, time) in ["since", "until"].iter().zip(times) {
            body += &time.map_or(String::new(), |time| format!(r#","{name}":"{time}""#));
        }
        match format.has_events() {
            true => {
                let id = self.own.id();
                out.extend_from_slice(
                    format!(":\nevent: hello\nretry: 1000\nid: {id}\ndata: {{{body}}}\n\n").as_bytes(),
                );
            }
            false => notice(format, "hello", Some(&self.own.id()), &body, &mut out),
        }
        self.ready.push_back(Bytes::from(out));
        for gap in gaps {
            self.gap(gap.source, &gap.reason, None);
        }
        if !self.own.fits_an_id() && matches!(format, Format::Sse | Format::SseJson) {
            self.tell_each();
        }
        if !self.own.fits_an_id() && format.has_events() {
            self.gap(None, MANY_FILES, None);
        }
    }

    /// Where the client begins in each file, for one that puts the ids of its files together.
    fn tell_each(&mut self) {
        let ids: Vec<usize> = self.own.sources().collect();
        let mut out = Vec::new();
        for id in ids {
            let Some(name) = self.name(id) else { continue };
            let body = notice_body(Some(&name), "");
            notice(self.format(), "cursor", Some(&self.own.id_of(id)), &body, &mut out);
        }
        self.ready.push_back(Bytes::from(out));
    }

    pub(super) fn gap(&mut self, source: Option<usize>, reason: &str, bytes: Option<u64>) {
        self.seat.hub.served.gaps.one();
        let name = source.and_then(|id| self.name(id));
        let reason = crate::log::encode::json_string(reason);
        let bytes = bytes.map_or(String::new(), |bytes| format!(r#","bytes":{bytes}"#));
        let body = notice_body(name.as_deref(), &format!(r#","reason":{reason}{bytes}"#));
        let mut out = Vec::new();
        notice(self.format(), "gap", Some(&self.own.id()), &body, &mut out);
        self.ready.push_back(Bytes::from(out));
        self.end_plain();
    }

    /// Plain text has no room for a notice: after its first byte the response ends where a gap would be. Before it,
    /// the text just begins behind the gap.
    pub(super) fn end_plain(&mut self) {
        self.done |= self.format() == Format::Plain && self.sent;
    }

    pub(super) fn name(&mut self, source: usize) -> Option<String> {
        if source >= self.sources.len() {
            self.sources = self.seat.hub.sources();
        }
        self.sources.get(source).map(|source| source.name.clone())
    }

    /// Says where the client stands, so that one that comes back does not begin before all that was passed over.
    pub(super) fn tell_cursor(&mut self) {
        let mut out = Vec::new();
        notice(self.format(), "cursor", Some(&self.own.id()), &notice_body(None, ""), &mut out);
        self.ready.push_back(Bytes::from(out));
        self.said();
    }

    pub(super) fn said(&mut self) {
        (self.told, self.silent) = (Instant::now(), false);
    }

    /// Says `ended` for each file, if it was not told, and ends.
    pub(super) fn end(&mut self, told: bool) {
        let ids: Vec<usize> = self.own.sources().collect();
        for id in ids.into_iter().filter(|_| !told) {
            let Some(name) = self.name(id) else { continue };
            let more = self.sources.get(id).map_or(String::new(), |source| source.end_members());
            let mut out = Vec::new();
            notice(self.format(), "ended", Some(&self.own.id()), &notice_body(Some(&name), &more), &mut out);
            self.ready.push_back(Bytes::from(out));
        }
        self.done = true;
    }

    pub(super) fn turn(&mut self, segment: Arc<Segment>) {
        let follows = self.own.of(segment.source).next().is_some();
        let leads = self.own.of(segment.source).last().and_then(|(last, _)| last.leads());
        self.own.apply(&Delta::Begin(segment.clone()));
        if let Some(place) = leads {
            // The same life: what was before it was only kept elsewhere.
            self.own.apply(&Delta::Advance(segment, place));
            return;
        }
        // The first one of this server is another life to a client that comes from an older one.
        let word = born_word(segment.born).or(follows.then_some("rotated"));
        if let Some(word) = word
            && let Some(name) = self.name(segment.source)
        {
            let body = notice_body(Some(&name), &generation_member(&segment));
            let mut out = Vec::new();
            notice(self.format(), word, Some(&self.own.id()), &body, &mut out);
            self.ready.push_back(Bytes::from(out));
        }
    }
}
