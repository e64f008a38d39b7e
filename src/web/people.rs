//! People who have a name and a password (`--auth`): HTTP Basic, which browsers and curl speak by themselves.
//!
//! A password is checked against its hash off the reactor, two at once; who waits too long is told to come again. What
//! was good is remembered for the life of the process by a keyed digest, so that a request does not cost a hash.

use super::tries::Tries;
use argon2::{Argon2, PasswordHash, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::hmac;
use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use warp::http::{HeaderMap, header};

/// Passwords that are checked at once: each costs a core, and argon2 its memory too.
const CHECKS: usize = 2;
/// How long a request waits for its turn.
const WAIT: Duration = Duration::from_secs(5);
/// Good credentials that are remembered: 40 bytes each.
const MOST_KNOWN: usize = 1024;
/// The most memory that a hash may ask for, in KiB.
const MOST_MEMORY: u32 = 1 << 20;

/// A name and a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    name: Arc<str>,
    hash: Hash,
}

#[derive(Clone, PartialEq, Eq)]
enum Hash {
    /// `$argon2id$…`, as a PHC string.
    Argon2(String),
    /// `$2b$…`, as `htpasswd -B` writes it too.
    Bcrypt(String),
}

impl fmt::Debug for Person {
    /// Without the hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Person").field(&self.name).finish()
    }
}

impl Person {
    /// Reads `NAME:HASH`.
    ///
    /// # Errors
    /// What is wrong with it; never the hash itself.
    pub fn parse(text: &str) -> Result<Person, &'static str> {
        let (name, hash) = text.split_once(':').ok_or("it must be NAME:HASH")?;
        if name.is_empty() || name.len() > 64 || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err("the name must have 1 to 64 characters, and no blanks");
        }
        let is_bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|kind| hash.starts_with(kind));
        let hash = if is_bcrypt {
            hash.parse::<bcrypt::HashParts>().map_err(|_| "its bcrypt hash is malformed")?;
            Hash::Bcrypt(hash.to_owned())
        } else {
            let parsed = PasswordHash::new(hash).map_err(|_| "it has no argon2 or bcrypt hash")?;
            let params = argon2::Params::try_from(&parsed).map_err(|_| "its argon2 hash is malformed")?;
            let known = argon2::Algorithm::try_from(parsed.algorithm).is_ok();
            if !known || parsed.hash.is_none() {
                return Err("it has no argon2 or bcrypt hash");
            }
            if params.m_cost() > MOST_MEMORY {
                return Err("its argon2 hash asks for more than 1 GiB of memory");
            }
            Hash::Argon2(hash.to_owned())
        };
        Ok(Person { name: name.into(), hash })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn has(&self, password: &[u8]) -> bool {
        match &self.hash {
            Hash::Argon2(hash) => PasswordHash::new(hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok()),
            Hash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }
}

/// What a request's credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// There are none of this kind.
    None,
    /// They are this person's.
    Good(Arc<str>),
    /// They are nobody's.
    Bad,
    /// This address has sent too many bad ones.
    Throttled,
    /// Others are being checked.
    Busy,
}

/// All people.
pub struct People {
    people: Arc<[Person]>,
    checks: Semaphore,
    key: hmac::Key,
    known: Mutex<VecDeque<(hmac::Tag, Arc<str>)>>,
}

impl fmt::Debug for People {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("People").field(&self.people).finish()
    }
}

impl People {
    /// People, and a secret of the process's own.
    pub fn new(people: Vec<Person>, secret: &[u8]) -> People {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        People { people: people.into(), checks: Semaphore::new(CHECKS), key, known: Mutex::default() }
    }

    /// Whose credentials a request has. A try counts as a bad one until it has proved good, so that many at once are no way
    /// around the limit.
    pub async fn login(&self, headers: &HeaderMap, peer: Option<IpAddr>, tries: &Tries) -> Login {
        let Some(given) = basic(headers) else { return Login::None };
        let tag = hmac::sign(&self.key, &given);
        let seen = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.iter().find(|(own, _)| own.as_ref() == tag.as_ref()).map(|(_, name)| name.clone())
        };
        if let Some(name) = seen {
            return Login::Good(name);
        }
        if tries.exhausted(peer) {
            return Login::Throttled;
        }
        tries.bad(peer);
        let Ok(Ok(_permit)) = tokio::time::timeout(WAIT, self.checks.acquire()).await else {
            return Login::Busy;
        };
        let people = self.people.clone();
        let checked = tokio::task::spawn_blocking(move || check(&people, &given)).await;
        let Ok(Some(name)) = checked else { return Login::Bad };
        tries.forgive(peer);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == MOST_KNOWN {
            known.pop_front();
        }
        known.push_back((tag, name.clone()));
        Login::Good(name)
    }
}

/// What stands behind `Basic`, decoded: `NAME:PASSWORD` (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (kind, given) = given.split_once(' ')?;
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    // What is no base64 is no login, but it is one that was tried.
    Some(decode(given.trim()).unwrap_or_default())
}

fn check(people: &[Person], given: &[u8]) -> Option<Arc<str>> {
    let at = given.iter().position(|&byte| byte == b':');
    let (name, password) = at.map_or((given, &[][..]), |at| (&given[..at], &given[at + 1..]));
    match people.iter().find(|person| person.name.as_bytes() == name) {
        Some(person) => person.has(password).then(|| person.name.clone()),
        None => {
            // Whether there is such a name must not show in the time that it takes.
            let _ = people.first()?.has(password);
            None
        }
    }
}

/// base64 with its padding or without (RFC 4648 § 4).
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::PasswordHasher;
    use argon2::password_hash::SaltString;
    use warp::http::HeaderValue;

    /// The cheapest hashes that there are.
    fn eva() -> Person {
        let salt = SaltString::from_b64("c2FsdHNhbHRzYWx0").unwrap();
        let cheap = argon2::Params::new(8, 1, 1, None).unwrap();
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cheap);
        let hash = argon2.hash_password(b"pass:word", &salt).unwrap();
        Person::parse(&format!("eva:{hash}")).unwrap()
    }

    fn jo() -> Person {
        Person::parse(&format!("jo:{}", bcrypt::hash("geheim", 4).unwrap())).unwrap()
    }

    #[test]
    fn base64() {
        for (text, expected) in [
            ("", Some("")),
            ("Zg==", Some("f")),
            ("Zm8=", Some("fo")),
            ("Zm9v", Some("foo")),
            ("Zm9vYg", Some("foob")),
            ("ZXZhOnBhc3M6d29yZA==", Some("eva:pass:word")),
            ("Z", None),
            ("Zm9v!", None),
            ("Zm=9", None),
        ] {
            assert_eq!(decode(text), expected.map(|text| text.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn names_and_hashes() {
        for (text, wrong) in [
            ("eva", "it must be NAME:HASH"),
            (":$2y$04$abc", "the name must have 1 to 64 characters, and no blanks"),
            ("e va:x", "the name must have 1 to 64 characters, and no blanks"),
            ("eva:secret", "it has no argon2 or bcrypt hash"),
            ("eva:$2y$04$abc", "its bcrypt hash is malformed"),
            ("eva:$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0", "it has no argon2 or bcrypt hash"),
            (
                "eva:$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0$c2FsdHNhbHRzYWx0",
                "its argon2 hash asks for more than 1 GiB of memory",
            ),
            ("eva:$apr1$x$y", "it has no argon2 or bcrypt hash"),
        ] {
            assert_eq!(Person::parse(text).err(), Some(wrong), "{text}");
        }
        assert!(!format!("{:?}", eva()).contains("argon"));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn who_it_is() {
        let people = People::new(vec![eva(), jo()], b"secret");
        let tries = Tries::default();
        let peer = Some(IpAddr::from([192, 0, 2, 1]));
        let login = async |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            people.login(&headers, peer, &tries).await
        };
        assert_eq!(people.login(&HeaderMap::new(), peer, &tries).await, Login::None);
        assert_eq!(login("Bearer abc").await, Login::None);
        // eva:pass:word and jo:geheim
        assert_eq!(login("Basic ZXZhOnBhc3M6d29yZA==").await, Login::Good("eva".into()));
        assert_eq!(login("basic am86Z2VoZWlt").await, Login::Good("jo".into()));
        assert!(!tries.exhausted(peer), "good ones do not count");
        // eva:geheim, nobody:geheim, no base64, eva without a colon
        for bad in ["ZXZhOmdlaGVpbQ==", "bm9ib2R5OmdlaGVpbQ==", "%%%", "ZXZh", ""] {
            assert_eq!(login(&format!("Basic {bad}")).await, Login::Bad, "{bad}");
        }
        assert_eq!(login("Basic ZXZhOmdlaGVpbQ==").await, Login::Throttled);
        assert_eq!(login("Basic am86Z2VoZWlt").await, Login::Good("jo".into()), "who is known gets in");
    }
}
