//! The plot: one panel of horizontal bars for each section that has something to compare.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::Report;
use crate::{cold_start, cost, deliver, end_to_end, growth};

const RATE: &str = "deliveries/s";
const WIDTH: u32 = 900;
const TITLE_HEIGHT: u32 = 40;
const ROW_HEIGHT: u32 = 24;
/// Where bars begin, and how long the longest is.
const LABEL_WIDTH: i32 = 330;
const BAR_WIDTH: f64 = 460.0;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

struct Panel<'a> {
    title: &'static str,
    rows: Vec<(&'a str, f64)>,
}

impl Panel<'_> {
    fn height(&self) -> u32 {
        TITLE_HEIGHT + ROW_HEIGHT * u32::try_from(self.rows.len()).unwrap_or(0)
    }
}

/// Draws what was measured; an empty plot if that is nothing.
pub(crate) fn draw(report: &Report, path: &Path) -> Result<()> {
    let panels = [
        Panel {
            title: "End to end on the local stack at saturation, deliveries/s",
            rows: report.values(end_to_end::SECTION, RATE),
        },
        Panel {
            title: "deliver alone against a bare HTTP client, requests/s",
            rows: of_either(report),
        },
        Panel {
            title: "Cold start: process start to first answer, ms",
            rows: report.values(cold_start::SECTION, cold_start::UNIT),
        },
        Panel {
            title: "Full batches: dollars per million deliveries",
            rows: of_full_batches(report),
        },
        Panel {
            title: "Growth on the local stack, deliveries/s",
            rows: report.values(growth::SECTION, RATE),
        },
    ];
    let panels: Vec<_> = panels
        .into_iter()
        .filter(|panel| !panel.rows.is_empty())
        .collect();
    let height = panels.iter().map(Panel::height).sum::<u32>() + ROW_HEIGHT;
    let mut rest = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    let failed = |error| anyhow!("drawing failed: {error}");
    rest.fill(&WHITE).map_err(failed)?;
    for panel in &panels {
        let (area, below) = rest.split_vertically(panel.height());
        panel.draw(&area)?;
        rest = below;
    }
    rest.present().map_err(failed)
}

fn of_either(report: &Report) -> Vec<(&str, f64)> {
    [
        report.values(deliver::SECTION, RATE),
        report.values(deliver::SECTION, "requests/s"),
    ]
    .concat()
}

fn of_full_batches(report: &Report) -> Vec<(&str, f64)> {
    let items = report.values(cost::SECTION, cost::ITEM_UNIT).into_iter();
    let of_full = items.filter_map(|(name, value)| Some((name.strip_prefix(cost::FULL)?, value)));
    of_full
        .filter_map(|(name, value)| Some((name.strip_prefix(':')?, value)))
        .collect()
}

impl Panel<'_> {
    fn draw(&self, area: &Area<'_>) -> Result<()> {
        let failed = |error| anyhow!("drawing failed: {error}");
        area.draw(&Text::new(self.title, (10, 14), ("sans-serif", 16)))
            .map_err(failed)?;
        let longest = self
            .rows
            .iter()
            .map(|(_, value)| *value)
            .fold(f64::MIN_POSITIVE, f64::max);
        let row_height = i32::try_from(ROW_HEIGHT)?;
        let mut top = i32::try_from(TITLE_HEIGHT)?;
        for (name, value) in &self.rows {
            let end = LABEL_WIDTH + length(value / longest * BAR_WIDTH);
            let bar = Rectangle::new(
                [(LABEL_WIDTH, top + 3), (end, top + row_height - 3)],
                BLUE.mix(0.6).filled(),
            );
            area.draw(&bar).map_err(failed)?;
            area.draw(&Text::new(
                name.trim().to_owned(),
                (10, top + 6),
                ("sans-serif", 12),
            ))
            .map_err(failed)?;
            area.draw(&Text::new(
                format!("{value:.2}"),
                (end + 6, top + 6),
                ("sans-serif", 12),
            ))
            .map_err(failed)?;
            top += row_height;
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most the width of the plot")]
fn length(pixels: f64) -> i32 {
    pixels.round() as i32
}
