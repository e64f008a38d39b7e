//! What is asked of a page in any browser: values of scripts, and waiting until something is true of it.

use crate::support::{DEADLINE, LOOK};
use serde_json::Value;
use std::time::Instant;

/// What a function's body returns, as a type.
#[track_caller]
pub(crate) fn get<T: serde::de::DeserializeOwned>(run: impl Fn(&str) -> Value, script: &str) -> T {
    let value = run(script);
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value} of {script}"))
}

/// Asks until an expression is true.
#[track_caller]
pub(crate) fn until(run: impl Fn(&str) -> Value, what: &str, expression: &str) {
    let script = format!("return !!({expression})");
    let end = Instant::now() + DEADLINE;
    while run(&script) != true {
        if Instant::now() > end {
            let seen = run("return document.body.innerText.slice(0, 2000)");
            panic!("waited {DEADLINE:?} for {what}: {expression}\nthe page reads: {seen}");
        }
        std::thread::sleep(LOOK);
    }
}
