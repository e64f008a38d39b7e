//! Values that several commands take.

use crate::log::filter;
use std::time::Duration;

/// A size: digits and an optional unit, powers of 1024 (`64M`, `1GiB`) or of 1000 (`64MB`).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "must be a size like 64M or 1GiB".to_owned();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let letter = unit.chars().next();
    let power = match letter {
        None | Some('b') => 0,
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        _ => return Err(wrong()),
    };
    let base: u64 = match unit.get(1..).unwrap_or_default() {
        "" | "i" | "ib" => 1024,
        "b" => 1000,
        _ => return Err(wrong()),
    };
    number.checked_mul(base.pow(power)).ok_or_else(|| "too large".to_owned())
}

/// A span: `30s`, `1h30m`.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    let span = filter::span(text).and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero()).ok_or_else(|| "must be a span like 30s or 1h30m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("64k", Some(64 << 10)),
            ("64M", Some(64 << 20)),
            ("1GiB", Some(1 << 30)),
            ("2gb", Some(2_000_000_000)),
            ("", None),
            ("M", None),
            ("5x", None),
            ("5\u{e4}", None),
            ("99999999999999999999", None),
            ("99999999T", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn spans() {
        assert_eq!(span("1h30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["", "0s", "5", "h", "5y", "-1s"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
    }
}
