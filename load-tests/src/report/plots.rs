//! Plots as SVG.

use std::ops::Range;

use plotters::prelude::*;

use super::Error;
use crate::lab::{Look, Report};
use crate::process::Usage;

/// A drawn plot.
pub(super) struct Plot {
    /// For file names.
    pub(super) name: &'static str,
    /// For people.
    pub(super) title: String,
    pub(super) svg: String,
}

/// A named line.
struct Line {
    name: &'static str,
    points: Vec<(f64, f64)>,
}

/// What is drawn.
struct Chart<'a> {
    name: &'static str,
    title: &'a str,
    x: &'static str,
    y: &'static str,
    lines: Vec<Line>,
    /// Points only: they are not in an order.
    scattered: bool,
    label_x: &'a dyn Fn(&f64) -> String,
}

const SIZE: (u32, u32) = (860, 300);
const MARGIN: u32 = 8;
const FONT: (&str, u32) = ("sans-serif", 13);
const COLOURS: [RGBColor; 5] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(148, 103, 189),
    RGBColor(127, 127, 127),
];

/// Every plot that a report has.
pub(super) fn all(report: &Report) -> Result<Vec<Plot>, Error> {
    let number = |value: &f64| format!("{value}");
    let run = &report.run;
    let by_second = |of: fn(&crate::lab::Second) -> f64| {
        run.seconds.iter().map(|second| (second.second as f64, of(second))).collect::<Vec<_>>()
    };
    let time_line = |name, title, y, lines| Chart {
        name,
        title,
        x: "seconds",
        y,
        lines,
        scattered: false,
        label_x: &number,
    };
    let charts = [
        Chart {
            name: "latency",
            title: "Latency by percentile, from the intended start",
            x: "percentile",
            y: "ms",
            lines: vec![Line { name: "webhooks", points: percentiles(report) }],
            scattered: false,
            label_x: &percentile,
        },
        throughput(report, &number),
        time_line(
            "rate",
            "Webhooks, by the second of their intended start",
            "per second",
            vec![
                Line { name: "due", points: by_second(|second| second.requests as f64) },
                Line { name: "refused", points: by_second(|second| second.refused as f64) },
                Line { name: "accepted", points: by_second(|second| second.accepted as f64) },
            ],
        ),
        time_line(
            "time",
            "Latency of acknowledgements",
            "ms",
            vec![
                Line { name: "p50", points: by_second(|second| second.p50_ms) },
                Line { name: "p99", points: by_second(|second| second.p99_ms) },
            ],
        ),
        time_line("processor", "Processor", "cores", used(&run.looks, cores)),
        time_line("memory", "Memory", "MiB", used(&run.looks, mebibytes)),
        time_line(
            "commits",
            "Applied and committed",
            "per second",
            vec![Line { name: "inputs", points: rates(&run.looks, |look| look.committed) }],
        ),
    ];
    charts.iter().map(draw).collect()
}

/// Steps of a search for the knee; else the seconds of the run.
fn throughput<'a>(report: &Report, number: &'a dyn Fn(&f64) -> String) -> Chart<'a> {
    let points = match &report.knee {
        Some(knee) => {
            let mut points: Vec<_> =
                knee.steps.iter().map(|step| (step.accepted_per_second, step.p99_ms)).collect();
            points.sort_by(|one, other| one.0.total_cmp(&other.0));
            points
        }
        None => report.run.seconds.iter().map(|second| (second.accepted as f64, second.p99_ms)).collect(),
    };
    Chart {
        name: "throughput",
        title: "Throughput against p99",
        x: "webhooks accepted per second",
        y: "p99, ms",
        lines: vec![Line { name: if report.knee.is_some() { "rates" } else { "seconds" }, points }],
        scattered: report.knee.is_none(),
        label_x: number,
    }
}

/// On an axis that gives as much room to 90–99 % as to 99–99.9 %.
fn percentiles(report: &Report) -> Vec<(f64, f64)> {
    let nines = |quantile: f64| -f64::log10((1.0 - quantile).max(1e-6));
    report.run.percentiles.iter().map(|(quantile, ms)| (nines(*quantile), *ms)).collect()
}

fn percentile(nines: &f64) -> String {
    let percent = 100.0 * (1.0 - 10f64.powf(-nines));
    format!("{}%", (percent * 1e4).round() / 1e4)
}

fn mebibytes(_: Usage, now: Usage, _: f64) -> f64 {
    now.memory_bytes as f64 / f64::from(1 << 20)
}

fn cores(before: Usage, now: Usage, seconds: f64) -> f64 {
    (now.cpu_seconds - before.cpu_seconds) / seconds.max(f64::EPSILON)
}

type Process = fn(&Look) -> Usage;

const PROCESSES: [(&str, Process); 4] = [
    ("gateway", |look| look.gateway),
    ("Redis", |look| look.redis),
    ("PostgreSQL", |look| look.postgres),
    ("generator and provider", |look| look.generator),
];

/// One line for each kind of process that used anything.
fn used(looks: &[Look], of: fn(Usage, Usage, f64) -> f64) -> Vec<Line> {
    let lines = PROCESSES.into_iter().map(|(name, process)| {
        let point = |pair: &[Look]| {
            let (before, now) = (&pair[0], &pair[1]);
            (now.seconds, of(process(before), process(now), now.seconds - before.seconds))
        };
        Line { name, points: looks.windows(2).map(point).collect() }
    });
    lines.filter(|line| line.points.iter().any(|(_, y)| *y > 0.0)).collect()
}

fn rates(looks: &[Look], of: fn(&Look) -> f64) -> Vec<(f64, f64)> {
    let rate = |pair: &[Look]| {
        (
            pair[1].seconds,
            (of(&pair[1]) - of(&pair[0])) / (pair[1].seconds - pair[0].seconds).max(f64::EPSILON),
        )
    };
    looks.windows(2).map(rate).filter(|(_, rate)| rate.is_finite()).collect()
}

fn draw(chart: &Chart<'_>) -> Result<Plot, Error> {
    let mut svg = String::new();
    draw_into(chart, &mut svg).map_err(|reason| Error::Plot { name: chart.name, reason })?;
    Ok(Plot { name: chart.name, title: chart.title.to_owned(), svg })
}

fn draw_into(chart: &Chart<'_>, svg: &mut String) -> Result<(), String> {
    let text = |error: DrawingAreaErrorKind<_>| error.to_string();
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(text)?;
    let (x, y) = bounds(&chart.lines);
    let mut builder = ChartBuilder::on(&area);
    builder.margin(MARGIN).x_label_area_size(36).y_label_area_size(60);
    let mut context = builder.build_cartesian_2d(x, y).map_err(text)?;
    let mut mesh = context.configure_mesh();
    mesh.x_desc(chart.x).y_desc(chart.y).x_label_formatter(chart.label_x).label_style(FONT);
    mesh.light_line_style(WHITE).draw().map_err(text)?;
    for (line, colour) in chart.lines.iter().zip(COLOURS.iter().cycle()) {
        let points = line.points.iter().copied();
        let drawn = if chart.scattered {
            context.draw_series(points.map(|point| Circle::new(point, 2, colour.filled())))
        } else {
            context.draw_series(LineSeries::new(points, colour.stroke_width(2)))
        };
        drawn
            .map_err(text)?
            .label(line.name)
            .legend(|(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let mut labels = context.configure_series_labels();
    labels.background_style(WHITE.mix(0.8)).label_font(FONT).position(SeriesLabelPosition::UpperLeft);
    labels.draw().map_err(text)?;
    area.present().map_err(text)
}

/// From zero to a little more than the highest; an empty chart has an axis too.
fn bounds(lines: &[Line]) -> (Range<f64>, Range<f64>) {
    let points = || lines.iter().flat_map(|line| &line.points);
    let highest = |of: fn(&(f64, f64)) -> f64| points().map(of).fold(0.0, f64::max);
    let (x, y) = (highest(|point| point.0), highest(|point| point.1));
    (0.0..x.max(f64::MIN_POSITIVE.max(1e-3)), 0.0..(y * 1.1).max(1e-3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_told_as_people_tell_them() {
        assert_eq!(percentile(&0.0), "0%");
        assert_eq!(percentile(&2.0), "99%");
        assert_eq!(percentile(&3.0), "99.9%");
    }

    #[test]
    fn a_plot_without_points_can_be_drawn() {
        let chart = Chart {
            name: "empty",
            title: "Empty",
            x: "x",
            y: "y",
            lines: vec![Line { name: "none", points: Vec::new() }],
            scattered: false,
            label_x: &|value| format!("{value}"),
        };
        let plot = draw(&chart).unwrap();
        assert!(plot.svg.starts_with("<svg") && plot.svg.contains("none"));
    }
}
