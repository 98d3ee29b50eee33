//! What a terminal showed, as an SVG: `faden demo | cargo xtask picture > docs/images/demo.svg`.
//!
//! Understands colours and bold (ECMA-48 SGR) and drops every other escape sequence. A line that was
//! overwritten with a carriage return shows its last state. Text stays text, so it can be searched and read aloud.

use anyhow::{Context, Result};
use std::fmt::Write;
use std::io::Read;

/// Width of a character and distance of lines, in pixels, for a font of [`FONT_SIZE`].
const CHAR_WIDTH: f32 = 8.4;
const LINE_HEIGHT: usize = 18;
const FONT_SIZE: usize = 14;
const MARGIN: usize = 16;
const BACKGROUND: &str = "#1e1e2e";
const FOREGROUND: &str = "#cdd6f4";
/// Black, red, green, yellow, blue, magenta, cyan, white; readable on the background.
const COLOURS: [&str; 8] = ["#6c7086", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#cba6f7", "#94e2d5", "#cdd6f4"];

/// How a run of characters looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Style {
    colour: Option<usize>,
    bold: bool,
    dim: bool,
}

/// Characters of one line with one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    style: Style,
    text: String,
}

/// Reads standard input, prints the picture.
///
/// # Errors
/// When standard input cannot be read or is not UTF-8.
pub fn run() -> Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read what the terminal showed")?;
    print!("{}", svg(&text));
    Ok(())
}

fn svg(text: &str) -> String {
    let mut style = Style::default();
    let lines: Vec<Vec<Run>> = text.trim_end().lines().map(|line| runs(line, &mut style)).collect();
    let width = |runs: &[Run]| runs.iter().map(|run| run.text.chars().count()).sum::<usize>();
    let columns = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let pixels = (columns as f32 * CHAR_WIDTH).ceil() as usize + 2 * MARGIN;
    let height = lines.len() * LINE_HEIGHT + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {pixels} {height}\" width=\"{pixels}\" height=\"{height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"{FONT_SIZE}\" fill=\"{FOREGROUND}\" xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let _ = write!(out, "<text x=\"{MARGIN}\" y=\"{}\">", MARGIN + number * LINE_HEIGHT + FONT_SIZE);
        let mut column = 0;
        for run in line {
            // Every run has its own place, so that a missing glyph shifts nothing behind it.
            let _ = write!(out, "<tspan x=\"{:.1}\"", MARGIN as f32 + column as f32 * CHAR_WIDTH);
            if let Some(colour) = run.style.colour {
                let _ = write!(out, " fill=\"{}\"", COLOURS[colour]);
            }
            out.push_str(if run.style.bold { " font-weight=\"bold\"" } else { "" });
            out.push_str(if run.style.dim { " opacity=\"0.6\"" } else { "" });
            let _ = write!(out, ">{}</tspan>", escape(&run.text));
            column += run.text.chars().count();
        }
        out.push_str("</text>\n");
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// One line cut where its look changes. `style` goes on into the next line, as on a terminal.
fn runs(line: &str, style: &mut Style) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' if letters.peek() == Some(&'[') => {
                letters.next();
                let mut parameters = String::new();
                let end = loop {
                    match letters.next() {
                        Some(letter @ '\u{40}'..='\u{7e}') => break Some(letter),
                        Some(letter) => parameters.push(letter),
                        None => break None,
                    }
                };
                if end == Some('m') {
                    *style = restyle(*style, &parameters);
                }
            }
            '\r' => runs.clear(),
            letter if letter.is_control() => {}
            letter => match runs.last_mut() {
                Some(run) if run.style == *style => run.text.push(letter),
                _ => runs.push(Run { style: *style, text: letter.to_string() }),
            },
        }
    }
    runs
}

fn restyle(before: Style, parameters: &str) -> Style {
    let mut style = before;
    for code in parameters.split(';') {
        match code.parse::<usize>().unwrap_or(0) {
            0 => style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            22 => (style.bold, style.dim) = (false, false),
            code @ 30..=37 => style.colour = Some(code - 30),
            code @ 90..=97 => style.colour = Some(code - 90),
            39 => style.colour = None,
            _ => {}
        }
    }
    style
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_bold_and_overwritten_lines_are_drawn_as_the_terminal_shows_them() {
        let plain = Style::default();
        let green = Style { colour: Some(2), ..plain };
        let table: [(&str, &[(Style, &str)]); 6] = [
            ("a b", &[(plain, "a b")]),
            ("\u{1b}[32mok\u{1b}[0m done", &[(green, "ok"), (plain, " done")]),
            ("\u{1b}[1;32mok", &[(Style { bold: true, ..green }, "ok")]),
            ("10 %\r100 %", &[(plain, "100 %")]),
            ("\u{1b}[2Kx\u{1b}[", &[(plain, "x")]),
            ("", &[]),
        ];
        for (line, expected) in table {
            let expected: Vec<Run> = expected.iter().map(|(style, text)| Run { style: *style, text: (*text).to_owned() }).collect();
            assert_eq!(runs(line, &mut Style::default()), expected, "{line:?}");
        }
    }

    #[test]
    fn what_was_shown_cannot_become_markup() {
        assert!(svg("<script>&").contains("&lt;script&gt;&amp;"));
    }
}
