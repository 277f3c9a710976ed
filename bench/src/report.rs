//! What was measured: one table for people, JSON for programs.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

/// A measured figure.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    section: &'static str,
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<Bar>,
    /// What is to be known beside the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<String>,
}

/// What a figure has to reach.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// All figures of a run, and the details that only the JSON has.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    figures: Vec<Figure>,
    /// Sentences about sections.
    notes: Vec<(&'static str, String)>,
    details: serde_json::Map<String, Value>,
}

impl Bar {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::AtLeast(limit) => format!("≥ {limit}"),
        }
    }
}

impl Report {
    /// Adds a figure.
    pub(crate) fn add(
        &mut self,
        section: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
    ) {
        self.push(section, name.into(), value, unit, None);
    }

    /// Adds a figure that has a bar.
    pub(crate) fn judge(
        &mut self,
        section: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        bar: Bar,
    ) {
        self.push(section, name.into(), value, unit, Some(bar));
    }

    /// Adds a figure with a remark.
    pub(crate) fn remark(
        &mut self,
        section: &'static str,
        name: impl Into<String>,
        value: f64,
        unit: &'static str,
        remark: String,
    ) {
        self.push(section, name.into(), value, unit, None);
        if let Some(figure) = self.figures.last_mut() {
            figure.remark = Some(remark);
        }
    }

    /// Adds a sentence about a section.
    pub(crate) fn note(&mut self, section: &'static str, sentence: impl Into<String>) {
        self.notes.push((section, sentence.into()));
    }

    /// Adds something that only the JSON shows.
    pub(crate) fn detail(&mut self, name: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).unwrap_or_default();
        self.details.insert(name.to_owned(), value);
    }

    /// The figures of a section with this unit: name and value.
    pub(crate) fn values(&self, section: &str, unit: &str) -> Vec<(&str, f64)> {
        let wanted = self
            .figures
            .iter()
            .filter(|figure| figure.section == section && figure.unit == unit);
        wanted
            .map(|figure| (figure.name.as_str(), figure.value))
            .collect()
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let width = self
            .figures
            .iter()
            .map(|figure| figure.name.chars().count())
            .max()
            .unwrap_or(0);
        let mut table = String::new();
        let mut section = "";
        for figure in &self.figures {
            if figure.section != section {
                section = figure.section;
                let _ = writeln!(table, "\n{section}");
            }
            let _ = write!(
                table,
                "  {:width$}  {:>12} {:<14}",
                figure.name,
                number(figure.value),
                figure.unit
            );
            if let Some(bar) = figure.bar {
                let _ = write!(
                    table,
                    " {} {}",
                    if bar.is_met(figure.value) { "✓" } else { "✗" },
                    bar.text()
                );
            }
            if let Some(remark) = &figure.remark {
                let _ = write!(table, " {remark}");
            }
            let _ = writeln!(table);
        }
        let mut section = "";
        for (about, sentence) in &self.notes {
            if *about != section {
                section = about;
                let _ = writeln!(table, "\n{section}:");
            }
            let _ = writeln!(table, "- {sentence}");
        }
        table
    }

    /// Writes the JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        Ok(std::fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }

    fn push(
        &mut self,
        section: &'static str,
        name: String,
        value: f64,
        unit: &'static str,
        bar: Option<Bar>,
    ) {
        self.figures.push(Figure {
            section,
            name,
            value,
            unit,
            bar,
            remark: None,
        });
    }
}

/// Three significant digits.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        small if small >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

/// A number of endpoints in words, such as "1 endpoint".
pub(crate) fn count_of_endpoints(count: usize) -> String {
    let endpoints = if count == 1 { "endpoint" } else { "endpoints" };
    format!("{count} {endpoints}")
}

/// The middle of some values; 0 if there are none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50.0)
}

/// The value below which `percent` of the values are; 0 if there are none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an index"
)]
pub(crate) fn percentile(values: impl IntoIterator<Item = f64>, percent: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let index = (values.len().saturating_sub(1) as f64 * percent / 100.0).round() as usize;
    values.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_met_or_not() {
        let mut report = Report::default();
        report.judge("s", "good", 1.0, "x", Bar::AtMost(1.5));
        report.judge("s", "bad", 1.0, "x", Bar::AtLeast(1.5));

        let table = report.table();

        assert!(table.contains("✓ ≤ 1.5") && table.contains("✗ ≥ 1.5"), "{table}");
    }

    #[test]
    fn a_remark_is_beside_its_figure_and_notes_come_last() {
        let mut report = Report::default();
        report.note("s", "It leaves out the weather.");
        report.remark("s", "time", 1.0, "s", "in the sun".to_owned());

        let table = report.table();

        assert!(
            table.contains("time") && table.contains("in the sun\n\ns:\n- It leaves out the weather.\n"),
            "{table}"
        );
    }

    #[test]
    fn the_median_is_the_middle_value() {
        assert!((median([3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((percentile([1.0, 2.0, 3.0], 100.0) - 3.0).abs() < f64::EPSILON);
    }
}
