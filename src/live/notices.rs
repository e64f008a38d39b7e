//! What notices say: the members of their data, and the words that announce a generation.

use crate::log::cursor::{NO_GENERATION, generation_text};
use crate::log::encode::json_string;
use crate::log::segment::{Born, Segment};

/// The members of a notice about a file, `None` for all of them.
pub fn notice_body(file: Option<&str>, more: &str) -> String {
    let file = file.map_or("null".to_owned(), json_string);
    format!(r#""file":{file},"at":"{}"{more}"#, now())
}

/// The time now, RFC 3339 with milliseconds.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    format!("{now:.3}")
}

/// The notice that announces a generation; the first one needs none.
pub fn born_word(born: Born) -> Option<&'static str> {
    match born {
        Born::First => None,
        Born::Rotated => Some("rotated"),
        Born::Truncated => Some("truncated"),
        Born::Resumed => Some("resumed"),
    }
}

/// The member of a notice that names a new generation, where its name is known already.
pub fn generation_member(segment: &Segment) -> String {
    match segment.generation() {
        NO_GENERATION => String::new(),
        known => format!(r#","generation":"{}""#, generation_text(known)),
    }
}
