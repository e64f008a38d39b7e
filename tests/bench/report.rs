//! The tables: what was promised against what was measured, and every figure.

use crate::measures::Measures;
use crate::options::Options;
use crate::rules::{Limit, RULES};
use serde_json::{Value, json};
use std::fmt::Write;

/// A rule with its figures.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
    pub(crate) over: Option<(&'static str, f64)>,
    pub(crate) result: f64,
    pub(crate) limit: Limit,
}

/// All that is to be told.
pub(crate) struct Report<'a> {
    options: &'a Options,
    measures: &'a Measures,
    pub(crate) verdicts: Vec<Verdict>,
}

impl Report<'_> {
    pub(crate) fn new<'a>(options: &'a Options, measures: &'a Measures) -> Report<'a> {
        let verdicts = RULES.iter().filter_map(|rule| {
            let value = rule.figure.of(measures)?;
            let over = match rule.over {
                Some(figure) => {
                    let other = figure.of(measures)?;
                    let same = figure.server() == rule.figure.server();
                    Some((if same { figure.scenario() } else { figure.server() }, other))
                }
                None => None,
            };
            let result = over.map_or(value, |(_, other)| value / other);
            Some(Verdict {
                what: rule.what,
                unit: rule.figure.metric(),
                value,
                over,
                result,
                limit: rule.limit,
            })
        });
        Report { options, measures, verdicts: verdicts.collect() }
    }

    /// Both tables.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        let rounds = self.options.rounds;
        let _ = writeln!(
            out,
            "Medians of {rounds} interleaved rounds{}.\n",
            if self.options.quick { ", quick" } else { "" }
        );
        out.push_str(
            "| what | measured | against | result | limit | |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        for verdict in &self.verdicts {
            let over =
                verdict.over.map_or(String::new(), |(name, value)| format!("{} ({name})", figure(value)));
            let holds = if verdict.limit.holds(verdict.result) { "" } else { "**missed**" };
            let _ = writeln!(
                out,
                "| {} | {} {} | {over} | {} | {} | {holds} |",
                verdict.what,
                figure(verdict.value),
                verdict.unit,
                figure(verdict.result),
                limit_text(verdict.limit),
            );
        }
        out.push_str("\n| scenario | server | figures |\n| --- | --- | --- |\n");
        for (scenario, server, metrics) in self.measures.rows() {
            let shown: Vec<String> = metrics
                .iter()
                .map(|(metric, _)| {
                    let median = self.measures.median(scenario, server, metric).unwrap_or_default();
                    format!("{} {metric}", figure(median))
                })
                .collect();
            let _ = writeln!(out, "| {scenario} | {server} | {} |", shown.join(", "));
        }
        for skipped in &self.measures.skipped {
            let _ = writeln!(out, "\nskipped: {skipped}");
        }
        out
    }

    /// Everything, every round.
    pub(crate) fn json(&self) -> String {
        let rows: Vec<Value> = self
            .measures
            .rows()
            .map(|(scenario, server, metrics)| {
                let metrics: serde_json::Map<String, Value> =
                    metrics.into_iter().map(|(name, values)| (name.to_owned(), json!(values))).collect();
                json!({ "scenario": scenario, "server": server, "rounds": metrics })
            })
            .collect();
        let verdicts: Vec<Value> = self
            .verdicts
            .iter()
            .map(|verdict| {
                json!({
                    "what": verdict.what, "value": verdict.value, "unit": verdict.unit,
                    "over": verdict.over.map(|(name, value)| json!({ "name": name, "value": value })),
                    "result": verdict.result, "limit": limit_text(verdict.limit),
                    "holds": verdict.limit.holds(verdict.result),
                })
            })
            .collect();
        let skipped = &self.measures.skipped;
        format!("{:#}\n", json!({ "verdicts": verdicts, "figures": rows, "skipped": skipped }))
    }
}

pub(crate) fn limit_text(limit: Limit) -> String {
    match limit {
        Limit::AtLeast(limit) => format!("≥ {limit}"),
        Limit::AtMost(limit) => format!("≤ {limit}"),
    }
}

/// Three digits that count, large numbers by thousands.
pub(crate) fn figure(value: f64) -> String {
    let size = value.abs();
    match () {
        () if size >= 1e6 => format!("{:.2} M", value / 1e6),
        () if size >= 1e4 => format!("{:.0} k", value / 1e3),
        () if size >= 100.0 || value == 0.0 => format!("{value:.0}"),
        () if size >= 10.0 => format!("{value:.1}"),
        () if size >= 0.1 => format!("{value:.2}"),
        () => format!("{value:.3}"),
    }
}
