//! Times as people type them: a whole one, a clock time of today, or how long ago.

use super::FilterError;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Reads the value of a parameter that is a time: RFC 3339 with or without zone (`2026-11-24T14:02:00Z`,
/// `2026-11-24 14:02`, `2026-11-24`), a clock time of today (`14:02`, `14:02:03`), or a span back from now (`15m`,
/// `1h30m`, `2d`). What has no zone is meant in `zone`. A blank before an offset is read as the `+` it was.
pub fn instant(
    parameter: &'static str,
    text: &str,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Timestamp, FilterError> {
    let text = text.trim();
    let found = if text.eq_ignore_ascii_case("now") {
        Some(now)
    } else if let Some(span) = span(text) {
        now.checked_sub(span).ok()
    } else if let Some(time) = clock(text) {
        zone.to_timestamp(zone.to_datetime(now).date().to_datetime(time)).ok()
    } else {
        whole(text, zone)
    };
    found.ok_or_else(|| FilterError {
        parameter,
        offset: None,
        message: format!("'{text}' is no time: 2026-11-24T14:02:00Z, 14:02 and 15m are"),
    })
}

/// Reads a span: `15m`, `1h30m`, `2d`.
pub fn span(text: &str) -> Option<SignedDuration> {
    let (mut total, mut rest) = (0i64, text);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value: i64 = rest[..digits].parse().ok()?;
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit_ms = match &rest[digits..digits + letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            _ => return None,
        };
        total = total.checked_add(value.checked_mul(unit_ms)?)?;
        rest = &rest[digits + letters..];
    }
    (!text.is_empty()).then(|| SignedDuration::from_millis(total))
}

fn clock(text: &str) -> Option<Time> {
    let colon = text.find(':')?;
    if !(1..=2).contains(&colon) || !text.bytes().all(|byte| byte.is_ascii_digit() || b":.".contains(&byte)) {
        return None;
    }
    format!("{text:0>width$}", width = text.len() + 2 - colon).parse().ok()
}

fn whole(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let mut text = text.to_owned();
    // `…:00 01:00`, or `…:00.5 0100`: a form made a blank of the `+`.
    if let Some(blank) = text.rfind(' ')
        && text[..blank].contains(':')
    {
        text.replace_range(blank..=blank, "+");
    }
    match text.parse::<Timestamp>() {
        Ok(found) => Some(found),
        Err(_) => zone.to_timestamp(text.parse::<DateTime>().ok()?).ok(),
    }
}
