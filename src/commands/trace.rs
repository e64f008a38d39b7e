//! What `-v` and `-vv` tell: the `tracing` events of logcast's own modules, a line each on stderr.
//!
//! Those of libraries are not told: they say what requests hold. Spans are not kept, since a line says all by itself.

use super::talk;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Tells events up to a level from now on; `verbose` is how often `-v` was said.
pub(super) fn tell(verbose: u8) {
    let most = match verbose {
        0 => return,
        1 => Level::INFO,
        _ => Level::DEBUG,
    };
    // Where somebody listens already, they do.
    let _ = tracing::subscriber::set_global_default(Teller { most });
}

struct Teller {
    most: Level,
}

impl Subscriber for Teller {
    fn enabled(&self, meta: &Metadata<'_>) -> bool {
        *meta.level() <= self.most && meta.target().starts_with("logcast")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(self.most))
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        talk(false, &(line.message + &line.fields));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The message, and ` name=value` for each further field.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A string takes all.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all() {
        struct Kept(std::sync::Mutex<Vec<String>>);
        impl Subscriber for &'static Kept {
            fn enabled(&self, meta: &Metadata<'_>) -> bool {
                Teller { most: Level::INFO }.enabled(meta)
            }
            fn event(&self, event: &Event<'_>) {
                let mut line = Line::default();
                event.record(&mut line);
                self.0.lock().unwrap().push(line.message + &line.fields);
            }
            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }
            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }
        static KEPT: Kept = Kept(std::sync::Mutex::new(Vec::new()));
        tracing::subscriber::with_default(&KEPT, || {
            tracing::info!("one {}", 2);
            tracing::warn!(error = %"broken", "it failed");
            tracing::debug!("too much");
            tracing::info!(target: "hyper::proto", "a library's");
        });
        assert_eq!(*KEPT.0.lock().unwrap(), ["one 2", "it failed error=broken"]);
    }
}
