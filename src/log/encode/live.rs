//! The page's own transport: batches of lines as one event each.

use super::named::Naming;
use super::{
    Block, Encoder, Stamp, check, is_line, json, json_string, lines, push_id, push_json_string, raw,
};
use crate::log::cursor::generation_text;
use std::io::Write;

impl Encoder {
    /// Appends one batch of the page's transport; `skip` bytes before the block are covered but not sent, `seen` is when
    /// its first line was read.
    pub fn live(
        &self,
        stamp: &Stamp,
        generation: u64,
        block: Block<'_>,
        (skip, seen): (u64, Option<i64>),
        out: &mut Vec<u8>,
    ) {
        let last = match block.omitted {
            0 => lines::lines(block.bytes).last().map_or(block.check, |line| check(raw(block.bytes, line))),
            _ => block.check,
        };
        out.extend_from_slice(b"event: batch\n");
        let own = stamp.at(block.to);
        push_id(own.as_ref().unwrap_or(stamp), last, block.to, out);
        let _ = write!(
            out,
            r#"data: {{"file":{},"generation":"{}","from":{},"to":{},"skip":{skip},"offsets":["#,
            self.file_json,
            generation_text(generation),
            block.from - skip,
            block.to
        );
        let lines = || lines::lines(block.bytes).filter(|line| is_line(block, *line));
        for (i, line) in lines().enumerate() {
            let _ = write!(out, "{}{}", if i > 0 { "," } else { "" }, block.offset(line.from));
        }
        out.extend_from_slice(br#"],"lines":["#);
        for (i, line) in json::shown(block, lines()).enumerate() {
            if i > 0 {
                out.push(b',');
            }
            push_json_string(&line.text, out);
        }
        out.extend_from_slice(b"]");
        if block.omitted > 0 {
            let _ = write!(out, r#","cut":{}"#, block.omitted);
        }
        if let Some(naming) = &stamp.naming {
            push_origins(&**naming, block, out);
        }
        if let Some(seen) = seen {
            let _ = write!(out, r#","at":{seen}"#);
        }
        out.extend_from_slice(b"}\n\n");
    }
}

/// Appends whose lines those of a block are: `"origins":[[LINE,"NAME"],…]`, each with its first line.
fn push_origins(naming: &dyn Naming, block: Block<'_>, out: &mut Vec<u8>) {
    let runs = Encoder::origins(naming, block);
    let told = runs.iter().map(|(line, origin)| format!("[{line},{}]", json_string(origin)));
    let _ = write!(out, r#","origins":[{}]"#, told.collect::<Vec<_>>().join(","));
}
