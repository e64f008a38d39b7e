//! Bad tokens and passwords, counted by who sends them, for a second each.
//!
//! Who has many addresses shall neither try for ever nor keep others from trying. A host of IPv6 has all addresses of its
//! network of 64 bits, and who holds a /48 has 65,536 of those: both count as one. All who come over unix sockets do, too.
//! The table is bounded; when it is full, who has tried least goes, and of those who was first: whoever was told to wait
//! stays, and a newcomer is heard.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bad tries that an address may send in a second, and that a whole /48 of IPv6 may.
const BAD_TRIES: u32 = 5;
const BAD_TRIES_OF_SITE: u32 = 20;
/// For how long a try counts.
const COUNTS: Duration = Duration::from_secs(1);
/// The most that are counted: 64 bytes each.
const MOST: usize = 1024;

/// Who counts as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// Whoever comes over a unix socket.
    Socket,
    /// An address of IPv4, or a network of 64 bits.
    Host(IpAddr),
    /// A network of 48 bits.
    Site(u64),
}

impl Who {
    /// An address counts as this, and perhaps as that too.
    fn of(peer: Option<IpAddr>) -> (Who, Option<Who>) {
        match peer.map(|peer| peer.to_canonical()) {
            None => (Who::Socket, None),
            Some(IpAddr::V4(ip)) => (Who::Host(IpAddr::V4(ip)), None),
            Some(IpAddr::V6(ip)) => {
                let network = (u128::from(ip) >> 64) as u64;
                let host = IpAddr::V6((u128::from(network) << 64).into());
                (Who::Host(host), Some(Who::Site(network >> 16)))
            }
        }
    }

    fn most(self) -> u32 {
        if matches!(self, Who::Site(_)) { BAD_TRIES_OF_SITE } else { BAD_TRIES }
    }
}

/// Counts bad tokens and passwords.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<Who, (Instant, u32)>>);

impl Tries {
    /// Whether this address may try no more for now.
    pub(super) fn exhausted(&self, peer: Option<IpAddr>) -> bool {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (host, site) = Who::of(peer);
        let is_over = |who: Who| {
            tries.get(&who).is_some_and(|(since, count)| since.elapsed() < COUNTS && *count >= who.most())
        };
        is_over(host) || site.is_some_and(is_over)
    }

    /// Counts a bad try.
    pub(super) fn bad(&self, peer: Option<IpAddr>) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (host, site) = Who::of(peer);
        for who in [Some(host), site].into_iter().flatten() {
            if tries.len() >= MOST && !tries.contains_key(&who) {
                tries.retain(|_, (since, _)| since.elapsed() < COUNTS);
            }
            if tries.len() >= MOST && !tries.contains_key(&who) {
                let least = tries.iter().min_by_key(|(_, (since, count))| (*count, *since));
                if let Some(least) = least.map(|(who, _)| *who) {
                    tries.remove(&least);
                }
            }
            let (since, count) = tries.entry(who).or_insert((now, 0));
            if now.duration_since(*since) >= COUNTS {
                (*since, *count) = (now, 0);
            }
            *count = count.saturating_add(1);
        }
    }

    /// Takes one back: it was good.
    pub(super) fn forgive(&self, peer: Option<IpAddr>) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (host, site) = Who::of(peer);
        for who in [Some(host), site].into_iter().flatten() {
            if let Some((_, count)) = tries.get_mut(&who) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[test]
    fn they_are_counted_by_network_and_for_all_sockets() {
        let tries = Tries::default();
        for at in 0..BAD_TRIES {
            tries.bad(ip(&format!("2001:db8::{at}")));
            tries.bad(ip("192.0.2.1"));
            tries.bad(None);
        }
        assert!(tries.exhausted(ip("2001:db8::ffff")) && tries.exhausted(None));
        assert!(tries.exhausted(ip("::ffff:192.0.2.1")) && !tries.exhausted(ip("192.0.2.2")));
        assert!(!tries.exhausted(ip("2001:db8:0:1::1")));
        tries.forgive(None);
        assert!(!tries.exhausted(None));
    }

    #[test]
    fn a_site_of_many_networks_is_one() {
        let tries = Tries::default();
        let of_site = |at: u32| ip(&format!("2001:db8:7:{at:x}::1"));
        for at in 0..BAD_TRIES_OF_SITE {
            assert!(!tries.exhausted(of_site(at)), "{at}");
            tries.bad(of_site(at));
        }
        assert!(tries.exhausted(of_site(9_999)));
        assert!(!tries.exhausted(ip("2001:db8:8::1")), "a neighbour");
    }

    /// The table is smaller than the attacker's means: it forgets nobody who has to wait, and shuts nobody out.
    #[test]
    fn a_flood_of_addresses_locks_nobody_out() {
        let tries = Tries::default();
        let guesser = ip("198.51.100.9");
        (0..BAD_TRIES).for_each(|_| tries.bad(guesser));
        for at in 0..2 * MOST as u32 {
            tries.bad(Some(IpAddr::from((0x0a00_0000 + at).to_be_bytes())));
        }
        assert_eq!(tries.0.lock().expect("unpoisoned").len(), MOST);
        assert!(!tries.exhausted(ip("203.0.113.1")), "somebody else is heard");
        let passed =
            tries.0.lock().expect("unpoisoned").get(&Who::of(guesser).0).map(|(since, _)| since.elapsed());
        // On a machine so slow that the second is over, it may be forgotten.
        assert!(tries.exhausted(guesser) || passed.is_none_or(|passed| passed >= COUNTS));
    }

    #[test]
    fn a_second_later_it_begins_anew() {
        let tries = Tries::default();
        (0..100).for_each(|_| tries.bad(None));
        assert!(tries.exhausted(None));
        let then = Instant::now().checked_sub(COUNTS).expect("a clock that is not new");
        tries.0.lock().expect("unpoisoned").insert(Who::Socket, (then, 100));
        assert!(!tries.exhausted(None));
        tries.bad(None);
        assert_eq!(tries.0.lock().expect("unpoisoned")[&Who::Socket].1, 1);
    }
}
