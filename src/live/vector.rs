//! Vectors: where a client, a view or the follower stands in every file of a stream.
//!
//! During a rotation a source has two stands, the old generation's and the new one's; a source without a file
//! has one stand that is nowhere. Vectors change only by [`Delta`]s, in the follower's one canonical order or
//! along a client's own reads; an event's id is the vector after it.

use crate::log::cursor::{Cursor, Entry, MAX_ID_BYTES, push_prefix};
use crate::log::encode::Stamp;
use crate::log::segment::{Place, Segment};
use std::sync::Arc;

/// The most stands of one source that an id names where it does not name the other sources: half of what it can hold.
const MOST_OF_ONE: usize = 16;

/// One step of a vector.
#[derive(Debug, Clone)]
pub enum Delta {
    /// A source joined; it has no file yet.
    Join {
        /// Its number.
        source: usize,
        /// Its key in cursors.
        key: u32,
    },
    /// A generation begins.
    Begin(Arc<Segment>),
    /// Lines of a generation up to this place.
    Advance(Arc<Segment>, Place),
    /// A generation has ended and was read to its end.
    Seal(Arc<Segment>),
    /// Nothing moved.
    Same,
    /// Nothing moved, and nothing of the source with this number will.
    End(usize),
}

/// Where one generation stands, or that a source has none.
#[derive(Debug, Clone)]
pub struct Stand {
    /// The source's number.
    pub source: usize,
    /// The source's key in cursors.
    pub key: u32,
    /// The generation and the place in it.
    pub at: Option<(Arc<Segment>, Place)>,
    /// What a cursor said of a source that has not begun yet.
    said: Option<Box<Entry>>,
}

impl Stand {
    /// A source without a file.
    pub fn nowhere(source: usize, key: u32) -> Stand {
        Stand { source, key, at: None, said: None }
    }

    /// A source that has not begun yet, of which a cursor has said something already.
    pub fn not_yet(source: usize, entry: Entry) -> Stand {
        Stand { said: Some(Box::new(entry)), ..Stand::nowhere(source, entry.key) }
    }

    /// A place in a generation.
    pub fn at(segment: Arc<Segment>, place: Place) -> Stand {
        Stand { at: Some((segment.clone(), place)), ..Stand::nowhere(segment.source, segment.key) }
    }

    fn entry(&self) -> Entry {
        match (&self.at, &self.said) {
            (Some((segment, place)), _) => segment.entry(*place),
            (None, Some(entry)) => **entry,
            (None, None) => Entry { key: self.key, generation: 0, tie: 0, check: 0, offset: 0 },
        }
    }

    fn is(&self, segment: &Arc<Segment>) -> bool {
        self.at.as_ref().is_some_and(|(own, _)| Arc::ptr_eq(own, segment))
    }
}

/// Stands, those of a source together, older generations first.
#[derive(Debug, Clone, Default)]
pub struct Vector(Vec<Stand>);

impl Vector {
    /// All stands.
    pub fn stands(&self) -> &[Stand] {
        &self.0
    }

    /// The numbers of the sources, each once, in order.
    pub fn sources(&self) -> impl Iterator<Item = usize> + '_ {
        let mut last = None;
        self.0.iter().map(|stand| stand.source).filter(move |&source| last.replace(source) != Some(source))
    }

    /// The generations of one source.
    pub fn of(&self, source: usize) -> impl Iterator<Item = &(Arc<Segment>, Place)> {
        self.0.iter().filter(move |stand| stand.source == source).filter_map(|stand| stand.at.as_ref())
    }

    /// The place in a generation, if it stands in it.
    pub fn place(&self, segment: &Arc<Segment>) -> Option<Place> {
        self.0.iter().find(|stand| stand.is(segment))?.at.as_ref().map(|(_, place)| *place)
    }

    /// Leaves one source out.
    pub fn without(&self, source: usize) -> Vector {
        self.only(|own| own != source)
    }

    /// Adds the stands of another source behind the others.
    pub fn push(&mut self, stand: Stand) {
        let at = self.0.iter().rposition(|own| own.source <= stand.source).map_or(0, |at| at + 1);
        self.0.insert(at, stand);
    }

    /// Adds a stand of a generation that is older than those its source has.
    pub fn push_older(&mut self, stand: Stand) {
        let at = self.0.iter().position(|own| own.source >= stand.source).unwrap_or(self.0.len());
        self.0.insert(at, stand);
    }

    /// The part over some sources.
    pub fn only(&self, wanted: impl Fn(usize) -> bool) -> Vector {
        Vector(self.0.iter().filter(|stand| wanted(stand.source)).cloned().collect())
    }

    /// Takes one step.
    pub fn apply(&mut self, delta: &Delta) {
        match delta {
            Delta::Same | Delta::End(_) => {}
            Delta::Join { source, key } => {
                if self.0.iter().all(|stand| stand.source != *source) {
                    self.push(Stand::nowhere(*source, *key));
                }
            }
            Delta::Begin(segment) => {
                if self.place(segment).is_none() {
                    self.0.retain(|stand| stand.source != segment.source || stand.at.is_some());
                    self.push(Stand::at(segment.clone(), segment.first()));
                }
            }
            Delta::Advance(segment, to) => {
                if let Some((_, place)) =
                    self.0.iter_mut().find(|stand| stand.is(segment)).and_then(|stand| stand.at.as_mut())
                {
                    *place = *to;
                }
            }
            Delta::Seal(segment) => {
                let Some(at) = self.0.iter().position(|stand| stand.is(segment)) else { return };
                if self.0.iter().filter(|stand| stand.source == segment.source).count() > 1 {
                    self.0.remove(at);
                } else {
                    self.0[at].at = None;
                }
            }
        }
    }

    /// The id of this vector. Where it would be too long for an id it names nothing but the source of `own`, and says so.
    fn id_bytes(&self, own: Option<&Arc<Segment>>) -> (Vec<u8>, bool) {
        let mut out = Vec::with_capacity(self.0.len() * 32);
        for stand in &self.0 {
            if !out.is_empty() {
                out.push(b'.');
            }
            stand.entry().push(&mut out);
            // An own entry may grow to eleven digits, and a mark may come.
            if out.len() + 12 > MAX_ID_BYTES {
                let source = own.map_or(self.0[0].source, |own| own.source);
                return (self.id_of(source).into_bytes(), true);
            }
        }
        (out, false)
    }

    /// The id of this vector as text, see [`Cursor`].
    pub fn id(&self) -> String {
        self.id_bytes(None).0.into_iter().map(char::from).collect()
    }

    /// The id of what one source has, marked as one that does not name the others.
    pub fn id_of(&self, source: usize) -> String {
        let own: Vec<Entry> =
            self.0.iter().filter(|stand| stand.source == source).map(Stand::entry).collect();
        // During a rotation there are two; a burst of them may leave more, of which the newest count.
        let entries = own[own.len().saturating_sub(MOST_OF_ONE)..].to_vec();
        Cursor { entries, partial: true }.to_text()
    }

    /// Whether an id can name every stand.
    pub fn fits_an_id(&self) -> bool {
        !self.id_bytes(None).1
    }

    /// What stands around the moving part of the ids of a generation's lines.
    pub fn stamp(&self, segment: &Arc<Segment>) -> Stamp {
        let mut stamp = Stamp::default();
        let partial = self.id_bytes(Some(segment)).1;
        if partial {
            stamp.before.push(b'~');
        }
        let named = |stand: &&Stand| !partial || stand.source == segment.source;
        // Too many of one source are named like one.
        let alone = partial && self.0.iter().filter(named).count() > MOST_OF_ONE;
        let mut passed = false;
        for stand in self.0.iter().filter(named).filter(|stand| !alone || stand.is(segment)) {
            let out = if passed { &mut stamp.after } else { &mut stamp.before };
            if passed || !matches!(out[..], [] | [b'~']) {
                out.push(b'.');
            }
            if stand.is(segment) {
                push_prefix(out, segment.key, segment.generation(), segment.tie);
                (stamp.own, stamp.naming) = ((segment.key, segment.tie), segment.naming());
                passed = true;
            } else {
                stand.entry().push(out);
            }
        }
        stamp
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::log::logfile::LogFile;
    use crate::log::segment::Born;

    pub(crate) fn segment(source: usize, first: &[u8]) -> Arc<Segment> {
        let file = LogFile::from_file(tempfile::tempfile().unwrap(), &None).unwrap();
        let segment = Segment::new(source, source as u32 + 7, Arc::new(file), 0, Born::First);
        segment.learn_head(first, false);
        Arc::new(segment)
    }

    #[test]
    fn a_line_s_id_is_the_vector_with_its_own_entry_advanced() {
        let (a, b, c) = (segment(0, b"a\n"), segment(1, b"b\n"), segment(2, b"c\n"));
        let mut vector = Vector::default();
        for segment in [&a, &b, &c] {
            vector.apply(&Delta::Begin(segment.clone()));
        }
        for segment in [&a, &b, &c] {
            let to = Place { offset: 1 << 33, check: 77 };
            let id = vector.stamp(segment).id(to.check, to.offset);
            vector.apply(&Delta::Advance(segment.clone(), to));
            assert_eq!(vector.id(), id);
        }
        assert_eq!(Cursor::parse(vector.id().as_bytes()).unwrap().entries.len(), 3);
    }

    #[test]
    fn a_rotation_is_two_stands_and_then_one() {
        let (old, new) = (segment(0, b"a\n"), segment(0, b"b\n"));
        let mut vector = Vector::default();
        vector.apply(&Delta::Join { source: 0, key: 7 });
        assert_eq!(vector.stands().len(), 1);
        vector.apply(&Delta::Begin(old.clone()));
        vector.apply(&Delta::Begin(new.clone()));
        assert_eq!(vector.of(0).count(), 2);
        vector.apply(&Delta::Seal(old));
        assert_eq!(vector.of(0).count(), 1);
        vector.apply(&Delta::Seal(new));
        assert_eq!((vector.of(0).count(), vector.stands().len()), (0, 1));
    }

    #[test]
    fn an_id_never_grows_beyond_its_limit() {
        let mut vector = Vector::default();
        let segments: Vec<_> = (0..100).map(|i| segment(i, b"x\n")).collect();
        for segment in &segments {
            vector.apply(&Delta::Begin(segment.clone()));
        }
        assert!(!vector.fits_an_id());
        let id = vector.stamp(&segments[50]).id(5, 6);
        let cursor = Cursor::parse(id.as_bytes()).unwrap();
        assert!(cursor.partial && cursor.entries[0].key == segments[50].key);
        // During a rotation it names both lives of its file, and of no other.
        let new = segment(50, b"y\n");
        vector.apply(&Delta::Begin(new.clone()));
        for (own, place) in [(&segments[50], 0), (&new, 1)] {
            let cursor = Cursor::parse(vector.stamp(own).id(5, 6).as_bytes()).unwrap();
            assert_eq!(cursor.entries.len(), 2);
            assert_eq!(
                (cursor.entries[place].check, cursor.entries[place].generation),
                (5, own.generation())
            );
            assert!(cursor.entries.iter().all(|entry| entry.key == new.key));
        }
        assert_eq!(Cursor::parse(vector.id_of(50).as_bytes()).unwrap().entries.len(), 2);
    }
}
