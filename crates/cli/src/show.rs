//! Quantities for people.

/// A time with three digits and a unit.
pub fn nanoseconds(ns: u64) -> String {
    let ns = ns as f64;
    match ns {
        ns if ns < 1e3 => format!("{ns} ns"),
        ns if ns < 1e6 => format!("{} us", three(ns / 1e3)),
        ns if ns < 1e9 => format!("{} ms", three(ns / 1e6)),
        ns => format!("{} s", three(ns / 1e9)),
    }
}

/// A size with three digits and a unit.
pub fn bytes(n: u64) -> String {
    let x = n as f64;
    match x {
        x if x < 1e3 => format!("{n} B"),
        x if x < 1e6 => format!("{} kB", three(x / 1e3)),
        x if x < 1e9 => format!("{} MB", three(x / 1e6)),
        x => format!("{} GB", three(x / 1e9)),
    }
}

/// An extent without the axes that are 1 at its end.
pub fn shape(axes: [u32; 3]) -> String {
    match axes {
        [x, 1, 1] => x.to_string(),
        [x, y, 1] => format!("{x} x {y}"),
        [x, y, z] => format!("{x} x {y} x {z}"),
    }
}

/// Rows with aligned columns, the first row a header if it is meant as one. No line ends in spaces.
pub fn table(rows: &[impl AsRef<[String]>]) -> String {
    let mut widths = Vec::new();
    for row in rows.iter().map(AsRef::as_ref) {
        widths.resize(row.len().max(widths.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &dyn AsRef<[String]>| {
        let cells: Vec<String> =
            row.as_ref().iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(|row| line(row)).collect()
}

/// The widest line of text that is meant to be read.
const WIDTH: usize = 100;

/// Text after a label, in lines of at most [`WIDTH`] characters where words allow it, those after the first indented.
pub fn paragraph(label: &str, text: &str) -> String {
    let indent = label.chars().count();
    let (mut lines, mut line) = (String::new(), label.to_string());
    let mut width = indent;
    for (i, word) in text.split(' ').enumerate() {
        let more = word.chars().count();
        if i > 0 && width + 1 + more > WIDTH {
            lines += line.trim_end();
            lines += "\n";
            line = " ".repeat(indent);
            width = indent;
        } else if i > 0 {
            line += " ";
            width += 1;
        }
        line += word;
        width += more;
    }
    lines + line.trim_end() + "\n"
}

/// At most so many characters; where some are left out at the end, dots say so.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.into(),
        Some(_) => text.chars().take(most.saturating_sub(3)).chain("...".chars()).collect(),
    }
}

fn three(x: f64) -> String {
    let digits = if x < 10.0 {
        2
    } else if x < 100.0 {
        1
    } else {
        0
    };
    format!("{x:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables() {
        let rows = [["a", "bcd", ""], ["ef", "\u{e9}", "g"]].map(|row| row.map(String::from));
        assert_eq!(table(&rows), "a   bcd\nef  \u{e9}    g\n");
    }

    #[test]
    fn paragraphs() {
        assert_eq!(paragraph("  a  ", "b c"), "  a  b c\n");
        let word = "x".repeat(47);
        assert_eq!(
            paragraph("  a  ", &[&*word; 3].join(" ")),
            format!("  a  {word} {word}\n     {word}\n"),
            "5 + 47 + 1 + 47 are 100"
        );
        assert_eq!(paragraph("a ", &"x".repeat(200)), format!("a {}\n", "x".repeat(200)));
        assert_eq!(shortened("\u{e9}bcdef", 6), "\u{e9}bcdef");
        assert_eq!(shortened("\u{e9}bcdefg", 6), "\u{e9}bc...");
    }

    #[test]
    fn quantities() {
        assert_eq!(nanoseconds(999), "999 ns");
        assert_eq!(nanoseconds(1500), "1.50 us");
        assert_eq!(nanoseconds(12_345_678), "12.3 ms");
        assert_eq!(bytes(4 << 20), "4.19 MB");
        assert_eq!(shape([4, 1, 1]), "4");
        assert_eq!(shape([4, 1, 2]), "4 x 1 x 2");
    }
}
