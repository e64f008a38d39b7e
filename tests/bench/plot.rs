//! The ratios as a picture: for each promise where its limit is and where logcast stands, on one scale.
//!
//! Every row is turned so that right is better and 1 is the limit. The colours come from a style sheet that knows
//! light and dark.

use crate::report::{Report, Verdict, figure, limit_text};
use crate::rules::Limit;
use std::fmt::Write;

const ROW: usize = 24;
const TOP: usize = 44;
const LEFT: usize = 330;
const WIDTH: usize = 300;
const RIGHT: usize = 200;
/// The scale goes from this share of the limit to its inverse.
const FAR: f64 = 4.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.quiet{fill:#59636e}.axis{stroke:#8c959f;\
stroke-dasharray:3 3}.held{fill:#1a7f37}.missed{fill:#cf222e}.bar{stroke:#d1d9e0;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.axis{stroke:#656c76}.held{fill:#3fb950}\
.missed{fill:#f85149}.bar{stroke:#3d444d}}";

/// The picture.
pub(crate) fn svg(report: &Report<'_>) -> String {
    let (width, height) = (LEFT + WIDTH + RIGHT, TOP + ROW * report.verdicts.len() + 12);
    let middle = LEFT + WIDTH / 2;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>logcast against its limits: right of the line is \
         better than promised</title>\n<style>{STYLE}</style>\n"
    );
    let _ = write!(
        out,
        "<text x=\"{middle}\" y=\"20\" text-anchor=\"middle\">limit</text>\n\
         <text x=\"{LEFT}\" y=\"20\" class=\"quiet\">worse</text>\n\
         <text x=\"{}\" y=\"20\" class=\"quiet\" text-anchor=\"end\">better</text>\n\
         <line class=\"axis\" x1=\"{middle}\" x2=\"{middle}\" y1=\"28\" y2=\"{}\"/>\n",
        LEFT + WIDTH,
        height - 8,
    );
    for (row, verdict) in report.verdicts.iter().enumerate() {
        let y = TOP + ROW * row + 4;
        let x = LEFT as f64 + WIDTH as f64 * (0.5 + place(verdict) / 2.0);
        let class = if verdict.limit.holds(verdict.result) { "held" } else { "missed" };
        let unit = if verdict.over.is_some() { "×" } else { verdict.unit.rsplit(' ').next().unwrap_or("") };
        let text = format!("{} {unit} ({})", figure(verdict.result), limit_text(verdict.limit));
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <line class=\"bar\" x1=\"{middle}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{y}\"/>\n\
             <circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y}\" r=\"5\"/>\n\
             <text x=\"{}\" y=\"{}\" class=\"quiet\">{}</text>\n",
            LEFT - 12,
            y + 4,
            escape(verdict.what),
            LEFT + WIDTH + 12,
            y + 4,
            escape(&text),
        );
    }
    out.push_str("</svg>\n");
    out
}

/// From -1, far worse than the limit, over 0, at it, to 1, far better.
fn place(verdict: &Verdict) -> f64 {
    let better = match verdict.limit {
        Limit::AtLeast(limit) => verdict.result / limit,
        Limit::AtMost(limit) if verdict.result > 0.0 => limit / verdict.result,
        // Nothing of what must not be.
        Limit::AtMost(_) => FAR,
    };
    (better.max(1e-9).ln() / FAR.ln()).clamp(-1.0, 1.0)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
