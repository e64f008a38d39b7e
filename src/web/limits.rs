//! How much at once: who has to wait or is turned away, and how often that was.
//!
//! Connections are counted for each address, since one host must not take all places; on loopback, where everybody has
//! the same, they are not. An address of IPv6 counts by its network of 64 bits: a host has as many of those as it likes.
//! What is over a limit waits (connections in all, a filter's compilation), or gets 429 (its address has too many) or 503
//! (all have) with `Retry-After`. Each time is counted.

use super::problem::Problem;
use crate::live::counts::Counter;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::http::StatusCode;

/// The connections of one address, if nobody says.
pub const PER_ADDRESS: usize = 64;
/// Requests for places of a log (`/api/lines`) that are worked on at once: each may read 512 MiB.
const LOOKS: usize = 8;
/// How long such a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What there may only be so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Connections in all; the next one waits.
    Connections,
    /// Connections of one address.
    Address,
    /// Streams in all.
    Streams,
    /// Different things that streams ask for.
    Views,
    /// Looks at places of a log.
    Lines,
    /// Searches.
    Searches,
    /// Histograms.
    Histograms,
    /// Downloads.
    Downloads,
}

impl Limit {
    /// All of them.
    pub const ALL: [Limit; 8] = [
        Limit::Connections,
        Limit::Address,
        Limit::Streams,
        Limit::Views,
        Limit::Lines,
        Limit::Searches,
        Limit::Histograms,
        Limit::Downloads,
    ];

    /// Its name in `/metrics`.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Connections => "connections",
            Limit::Address => "address",
            Limit::Streams => "streams",
            Limit::Views => "views",
            Limit::Lines => "lines",
            Limit::Searches => "searches",
            Limit::Histograms => "histograms",
            Limit::Downloads => "downloads",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Limit::Connections => "too many connections",
            Limit::Address => "too many connections from this address",
            Limit::Streams => "too many streams are open",
            Limit::Views => "too many streams with different files, filters or formats are open",
            Limit::Lines => "too many requests for lines at once, try again later",
            Limit::Searches => "too many searches are under way",
            Limit::Histograms => "too many histograms at once, try again later",
            Limit::Downloads => "too many downloads at once; try again",
        }
    }
}

/// The limits that are set, and what they are held against.
#[derive(Debug)]
pub struct Limits {
    /// The most streams.
    pub streams: usize,
    /// The most connections of one address.
    pub per_address: usize,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
    looks: Arc<Semaphore>,
    over: [Counter; Limit::ALL.len()],
}

impl Limits {
    /// Limits with these numbers.
    pub fn new(streams: usize, per_address: usize) -> Limits {
        Limits {
            streams,
            per_address,
            addresses: Arc::default(),
            looks: Arc::new(Semaphore::new(LOOKS)),
            over: Default::default(),
        }
    }

    /// Counts that something was over a limit.
    pub fn count(&self, limit: Limit) {
        self.over[limit as usize].one();
    }

    /// Counts it, and says so to who asked.
    pub fn refuse(&self, limit: Limit) -> Problem {
        self.count(limit);
        let status = match limit {
            Limit::Address => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Problem { retry_after: Some(1), ..Problem::new(status, limit.detail()) }
    }

    /// How often something was over each limit.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Limit::ALL.into_iter().map(|limit| (limit.name(), self.over[limit as usize].get()))
    }

    /// A place for one more connection of an address; `None` if it has as many as it may.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        let host = host_of(peer);
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        // As many entries as there are places taken: connections are bounded.
        let taken = addresses.entry(host).or_insert(0);
        if *taken >= self.per_address {
            return None;
        }
        *taken += 1;
        Some(Place { addresses: self.addresses.clone(), host })
    }

    /// A turn at looking at a place of a log.
    ///
    /// # Errors
    /// 503 if none comes soon.
    pub async fn look(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = tokio::time::timeout(PATIENCE, self.looks.clone().acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| self.refuse(Limit::Lines))
    }
}

/// A place of an address; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
    host: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = addresses.get_mut(&self.host) {
            *taken -= 1;
            if *taken == 0 {
                addresses.remove(&self.host);
            }
        }
    }
}

/// What counts as one address: that of IPv4, the network of IPv6.
pub fn host_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let limits = Limits::new(10, 2);
        let peer = |text: &str| text.parse::<IpAddr>().expect("an address");
        let first = limits.enter(peer("2001:db8::1"));
        let second = limits.enter(peer("2001:db8::2:0:0:1"));
        assert!(first.is_some() && second.is_some());
        assert!(limits.enter(peer("2001:db8::ffff:ffff")).is_none(), "the same network");
        assert!(limits.enter(peer("2001:db8:0:1::1")).is_some() && limits.enter(peer("192.0.2.1")).is_some());
        drop(first);
        let again = limits.enter(peer("2001:db8::1"));
        assert!(again.is_some());
        drop((again, second));
        assert!(limits.addresses.lock().expect("unpoisoned").is_empty(), "nothing is kept of who has gone");
        let mapped = limits.enter(peer("::ffff:192.0.2.7"));
        assert_eq!(mapped.expect("a place").host, peer("192.0.2.7"));
    }

    #[test]
    fn what_is_over_is_counted_and_said() {
        let limits = Limits::new(1, 1);
        assert_eq!(limits.refuse(Limit::Address).status, 429);
        let problem = limits.refuse(Limit::Views);
        assert_eq!((problem.status.as_u16(), problem.retry_after), (503, Some(1)));
        let counts: Vec<_> = limits.counts().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [("address", 1), ("views", 1)]);
        for (at, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, at, "the order of the counters");
        }
    }
}
