//! The delivery policy: what a client that is not in the ring does next on its way to a vector. Pure, and tested
//! without I/O.

use super::vector::{Delta, Stand, Vector};
use crate::log::segment::{Place, Segment};
use std::sync::Arc;

/// What a client that is not in the ring does next.
#[derive(Debug)]
pub enum Move {
    /// Read lines of a generation, from a place up to an offset.
    Read(Arc<Segment>, Place, u64),
    /// Take a step that says nothing.
    Take(Delta),
    /// Turn to a new generation, and say so.
    Turn(Arc<Segment>),
    /// Take over a stand of the target without reading: an old generation that this client never knew.
    Adopt(Stand),
    /// It stands beyond the target (another server has read further): wait for the follower.
    Ahead,
    /// It stands at the target.
    Joined,
}

/// The next move on the way from one vector to another.
pub fn next_move(own: &Vector, target: &Vector) -> Move {
    for source in target.sources() {
        match source_move(own, target, source) {
            Move::Joined => {}
            step => return step,
        }
    }
    Move::Joined
}

fn source_move(own: &Vector, target: &Vector, source: usize) -> Move {
    let last = own.of(source).last().map(|(segment, _)| segment);
    for (segment, place) in own.of(source) {
        let (to, sealed) = match (target.place(segment), segment.end()) {
            (Some(to), _) => (to.offset, false),
            (None, Some(end)) => (end, true),
            // The follower has not said yet what became of it.
            (None, None) => return Move::Ahead,
        };
        match place.offset.cmp(&to) {
            std::cmp::Ordering::Less => return Move::Read(segment.clone(), *place, to),
            std::cmp::Ordering::Greater => return Move::Ahead,
            std::cmp::Ordering::Equal if !sealed => {}
            std::cmp::Ordering::Equal => {
                // What lies between two stands was delivered: only the last one leads on.
                let is_last = last.is_some_and(|last| Arc::ptr_eq(last, segment));
                return match segment.next().filter(|_| is_last) {
                    Some(next) => Move::Turn(next.clone()),
                    None => Move::Take(Delta::Seal(segment.clone())),
                };
            }
        }
    }
    let Some((segment, place)) = target.of(source).find(|(segment, _)| own.place(segment).is_none()) else {
        return Move::Joined;
    };
    let mut next = last.and_then(|last| last.next());
    let follows = next.cloned();
    while let Some(later) = next {
        if Arc::ptr_eq(later, segment) {
            return Move::Turn(follows.unwrap_or_else(|| segment.clone()));
        }
        next = later.next();
    }
    match last {
        None => Move::Turn(segment.clone()),
        Some(_) => Move::Adopt(Stand::at(segment.clone(), *place)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::vector::tests::segment;
    use super::*;

    fn place(offset: u64) -> Place {
        Place { offset, check: offset }
    }

    fn at(stands: &[(&Arc<Segment>, u64)]) -> Vector {
        let mut vector = Vector::default();
        for (segment, offset) in stands {
            vector.push(Stand::at((*segment).clone(), place(*offset)));
        }
        vector
    }

    #[test]
    fn a_client_reads_each_file_up_to_the_target_and_joins() {
        let (a, b) = (segment(0, b"a\n"), segment(1, b"b\n"));
        let target = at(&[(&a, 10), (&b, 20)]);
        assert!(
            matches!(next_move(&at(&[(&a, 5), (&b, 20)]), &target), Move::Read(s, p, 10) if Arc::ptr_eq(&s, &a) && p == place(5))
        );
        assert!(
            matches!(next_move(&at(&[(&a, 10), (&b, 0)]), &target), Move::Read(s, _, 20) if Arc::ptr_eq(&s, &b))
        );
        assert!(matches!(next_move(&at(&[(&a, 11), (&b, 20)]), &target), Move::Ahead));
        assert!(matches!(next_move(&target, &target), Move::Joined));
    }

    #[test]
    fn a_client_goes_from_life_to_life() {
        let (old, middle, new) = (segment(0, b"1\n"), segment(0, b"2\n"), segment(0, b"3\n"));
        old.set_next(middle.clone());
        middle.set_next(new.clone());
        old.seal(10);
        middle.seal(20);
        let target = at(&[(&new, 30)]);
        assert!(matches!(next_move(&at(&[(&old, 4)]), &target), Move::Read(_, _, 10)));
        assert!(matches!(next_move(&at(&[(&old, 10)]), &target), Move::Turn(s) if Arc::ptr_eq(&s, &middle)));
        assert!(
            matches!(next_move(&at(&[(&old, 10), (&middle, 0)]), &target), Move::Take(Delta::Seal(s)) if Arc::ptr_eq(&s, &old))
        );
        assert!(matches!(next_move(&at(&[(&middle, 20)]), &target), Move::Turn(s) if Arc::ptr_eq(&s, &new)));
    }

    #[test]
    fn what_lies_between_two_stands_was_delivered() {
        let (old, middle, new) = (segment(0, b"1\n"), segment(0, b"2\n"), segment(0, b"3\n"));
        old.set_next(middle.clone());
        middle.set_next(new.clone());
        old.seal(10);
        middle.seal(20);
        let own = at(&[(&old, 10), (&new, 5)]);
        assert!(
            matches!(next_move(&own, &at(&[(&new, 5)])), Move::Take(Delta::Seal(s)) if Arc::ptr_eq(&s, &old))
        );
    }

    #[test]
    fn an_old_life_that_a_client_never_knew_is_taken_over_where_it_stands() {
        let (old, new) = (segment(0, b"1\n"), segment(0, b"2\n"));
        old.set_next(new.clone());
        let target = at(&[(&old, 10), (&new, 5)]);
        assert!(
            matches!(next_move(&at(&[(&new, 5)]), &target), Move::Adopt(stand) if stand.at.as_ref().is_some_and(|(s, p)| Arc::ptr_eq(s, &old) && *p == place(10)))
        );
        assert!(matches!(next_move(&at(&[(&old, 10)]), &target), Move::Turn(s) if Arc::ptr_eq(&s, &new)));
    }
}
