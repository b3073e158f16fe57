//! Draws the chart in the README: each server's lines, as a share of the bare relay's lines.

use std::fmt::Write;

use super::report::Row;
use super::server_kind::ServerKind;

const WIDTH: usize = 720;
const MARGIN: usize = 210;
/// The width of a bar for 1.00, the relay's value.
const FULL: usize = 400;
const BAR: usize = 11;
const GAP: usize = 12;
const TOP: usize = 64;

/// The servers in the chart, and their colours.
const BARS: [(ServerKind, &str); 4] = [
    (ServerKind::Chinwag, "#1f6feb"),
    (ServerKind::Redis, "#b08a4f"),
    (ServerKind::Inspircd, "#8a9aa9"),
    (ServerKind::Ngircd, "#c4cbd2"),
];

/// Draws the rows that measure lines, as SVG.
pub(super) fn draw(rows: &[Row]) -> String {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.is_about_lines()).collect();
    let group = BARS.len() * BAR + GAP;
    let height = TOP + rows.len() * group + GAP;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#24292f\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"22\" font-size=\"14\" font-weight=\"bold\">\
         Lines a second of CPU time, as a share of a bare byte relay's</text>\n"
    );
    for (index, (kind, colour)) in BARS.iter().enumerate() {
        let x = 16 + 100 * index;
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"36\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"46\">{}</text>",
            x + 18,
            kind.name()
        );
    }
    let relay = MARGIN + FULL;
    let _ = writeln!(
        svg,
        "<line x1=\"{relay}\" y1=\"{}\" x2=\"{relay}\" y2=\"{height}\" stroke=\"#cf222e\" \
         stroke-dasharray=\"4 3\"/><text x=\"{relay}\" y=\"46\" text-anchor=\"middle\" \
         fill=\"#cf222e\">relay</text>",
        TOP - 10
    );
    for (index, row) in rows.iter().enumerate() {
        draw_row(&mut svg, row, TOP + index * group);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw_row(svg: &mut String, row: &Row, top: usize) {
    let middle = top + BARS.len() * BAR / 2 + 4;
    let name = &row.name;
    let right = MARGIN - 8;
    let _ = writeln!(svg, "<text x=\"{right}\" y=\"{middle}\" text-anchor=\"end\">{name}</text>");
    for (index, (kind, colour)) in BARS.iter().enumerate() {
        let Some(summary) = row.summary(*kind) else { continue };
        let (y, share) = (top + index * BAR, summary.median);
        let _ = writeln!(
            svg,
            "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\" font-size=\"9\">{share:.2}</text>",
            share * FULL as f64,
            BAR - 2,
            MARGIN as f64 + share * FULL as f64 + 4.0,
            y + BAR - 3
        );
    }
}
