//! Notices as a person reads them: one line on stderr.

use crate::commands::plain;
use serde_json::Value;

/// What a notice says; `None` for one that is not for people. True for what is wrong.
pub(super) fn words(name: &str, data: &[u8]) -> Option<(bool, String)> {
    let data: Value = serde_json::from_slice(data).unwrap_or_default();
    let file = match data["file"].as_str() {
        Some(file) => format!("'{}'", plain(file)),
        None => "the stream".to_owned(),
    };
    let reason = data["reason"].as_str().map(plain);
    let because = reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
    let said = match name {
        "rotated" => format!("{file} was rotated"),
        "truncated" => format!("{file} was truncated"),
        "waiting" => format!("{file} is not there, waiting for it{because}"),
        "resumed" => format!("{file} is there again"),
        // One that ended before its end says why.
        "ended" => return Some((reason.is_some(), format!("{file} has ended{because}"))),
        "gap" => {
            let bytes = data["bytes"].as_u64().map_or(String::new(), |bytes| format!(" ({bytes} bytes)"));
            return Some((true, format!("lines of {file} may be missing{because}{bytes}")));
        }
        _ => return None,
    };
    Some((false, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_a_line() {
        for (name, data, expected) in [
            ("rotated", r#"{"file":"a"}"#, Some((false, "'a' was rotated"))),
            (
                "gap",
                r#"{"file":"a","reason":"gone","bytes":3}"#,
                Some((true, "lines of 'a' may be missing: gone (3 bytes)")),
            ),
            ("gap", r#"{"file":null,"reason":"x"}"#, Some((true, "lines of the stream may be missing: x"))),
            ("ended", r#"{"file":"a\nb"}"#, Some((false, "'a\\nb' has ended"))),
            ("cursor", "{}", None),
            ("hello", "{}", None),
            ("gap", "no JSON", Some((true, "lines of the stream may be missing"))),
        ] {
            let got = words(name, data.as_bytes());
            assert_eq!(got.as_ref().map(|(wrong, text)| (*wrong, text.as_str())), expected, "{name} {data}");
        }
    }
}
