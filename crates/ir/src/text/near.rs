//! Words in messages: cut when they are long, and what else may have been meant.

/// The start of a text that may be long.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// Names longer than this are not compared: it takes time in the square of their length.
const LONGEST_GUESS: usize = 64;

/// What to do about an unknown word: perhaps it is the known one that is most like it.
pub fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let near = names.map(|name| (distance(name, word), name)).min();
    near.filter(|(distance, _)| *distance <= 2).map(|(_, name)| format!("Did you mean `{name}`?"))
}

/// Edits that turn one word into the other (Levenshtein), at most 3.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) > 2 || a.len() > LONGEST_GUESS {
        return 3;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + (x != y) as usize;
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()].min(3)
}
