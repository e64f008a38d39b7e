//! What the figures have to show: the thresholds of promise 4 and its neighbours, each a ratio of two figures or one
//! figure alone.

use crate::measures::{Measures, metric::*};

/// A figure: scenario, server, metric.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figure(&'static str, &'static str, &'static str);

impl Figure {
    pub(crate) fn of(self, measures: &Measures) -> Option<f64> {
        measures.median(self.0, self.1, self.2)
    }

    /// Which server, and what of it.
    pub(crate) fn server(self) -> &'static str {
        self.1
    }

    pub(crate) fn metric(self) -> &'static str {
        self.2
    }

    pub(crate) fn scenario(self) -> &'static str {
        self.0
    }
}

/// A limit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Limit::AtLeast(limit) => value >= limit,
            Limit::AtMost(limit) => value <= limit,
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) what: &'static str,
    pub(crate) figure: Figure,
    /// What it is divided by.
    pub(crate) over: Option<Figure>,
    pub(crate) limit: Limit,
}

const fn ratio(what: &'static str, figure: Figure, over: Figure, limit: Limit) -> Rule {
    Rule { what, figure, over: Some(over), limit }
}

const fn alone(what: &'static str, figure: Figure, limit: Limit) -> Rule {
    Rule { what, figure, over: None, limit }
}

use Limit::{AtLeast, AtMost};

const fn ours(scenario: &'static str, metric: &'static str) -> Figure {
    Figure(scenario, "logcast", metric)
}

const fn bare(scenario: &'static str, metric: &'static str) -> Figure {
    Figure(scenario, "bare", metric)
}

/// All of them.
pub(crate) const RULES: &[Rule] = &[
    ratio("1 live client", ours("live-1", LINES_PER_S), bare("live-1", LINES_PER_S), AtLeast(0.85)),
    ratio("10 live clients", ours("live-10", LINES_PER_S), bare("live-10", LINES_PER_S), AtLeast(0.85)),
    ratio("100 live clients", ours("live-100", LINES_PER_S), bare("live-100", LINES_PER_S), AtLeast(0.8)),
    ratio("CPU per line, 100 clients", ours("live-100", CPU_NS), bare("live-100", CPU_NS), AtMost(1.25)),
    ratio("CPU per line, 1,000 clients", ours("live-1000", CPU_NS), bare("live-1000", CPU_NS), AtMost(1.25)),
    ratio(
        "CPU per line of the naive design, 100 clients",
        Figure("live-100", "naive", CPU_NS),
        ours("live-100", CPU_NS),
        AtLeast(20.0),
    ),
    alone("lines lost, 1 live client", ours("live-1", LOST), AtMost(0.0)),
    alone("lines lost, 100 live clients", ours("live-100", LOST), AtMost(0.0)),
    ratio(
        "catch-up as events against sendfile",
        ours("catch-up-events", MB_PER_S),
        Figure("catch-up-events", "sendfile", MB_PER_S),
        AtLeast(0.7),
    ),
    ratio(
        "catch-up as text against sendfile",
        ours("catch-up-text", MB_PER_S),
        Figure("catch-up-text", "sendfile", MB_PER_S),
        AtLeast(0.9),
    ),
    ratio("latency p50, 1,000 lines/s", ours("latency", P50), bare("latency", P50), AtMost(2.0)),
    ratio("latency p99, 1,000 lines/s", ours("latency", P99), bare("latency", P99), AtMost(3.0)),
    ratio("1,000 clients, 100 lines/s: p99", ours("many-1000", P99), bare("many-1000", P99), AtMost(1.5)),
    alone("1,000 clients: lost", ours("many-1000", LOST), AtMost(0.0)),
    alone("1,000 clients: memory", ours("many-1000", RESIDENT_MB), AtMost(40.0)),
    ratio("5,000 clients, 100 lines/s: p99", ours("many-5000", P99), bare("many-5000", P99), AtMost(1.5)),
    alone("5,000 clients: lost", ours("many-5000", LOST), AtMost(0.0)),
    alone("5,000 clients: memory", ours("many-5000", RESIDENT_MB), AtMost(120.0)),
    alone("a stalled client: resident", ours("stalled", RESIDENT_KB), AtMost(150.0)),
    alone("a stalled client: kernel", ours("stalled", KERNEL_KB), AtMost(300.0)),
    ratio(
        "a fast client beside 50 stalled ones: time",
        ours("beside-stalled", SECONDS),
        ours("beside-nobody", SECONDS),
        AtMost(1.05),
    ),
    alone("an idle client: resident", ours("idle-1000", RESIDENT_KB), AtMost(14.0)),
    alone("100 idle clients: processor", ours("idle-100", CPU_PERCENT), AtMost(0.1)),
    ratio(
        "a live client beside ten that catch up: p99",
        ours("beside-catch-up", P99),
        ours("beside-none", P99),
        AtMost(3.0),
    ),
    ratio(
        "a live client beside two searches: p99",
        ours("beside-search", P99),
        ours("beside-none", P99),
        AtMost(3.0),
    ),
    alone("start-up: URL printed", ours("start-up", URL_MS), AtMost(50.0)),
    alone("start-up: first line after the request", ours("start-up", FIRST_LINE_MS), AtMost(10.0)),
];
