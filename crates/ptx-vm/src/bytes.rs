//! Which bytes of a piece of memory something is true of.

/// A set of bytes. It costs nothing while it is empty or has all of them.
#[derive(Clone, Default, Debug)]
pub(crate) struct ByteSet {
    /// A bit for each byte; empty while the set is empty or full.
    words: Vec<u64>,
    bytes: usize,
    full: bool,
}

impl ByteSet {
    /// The empty set of so many bytes.
    pub(crate) fn new(bytes: usize) -> ByteSet {
        ByteSet { words: Vec::new(), bytes, full: bytes == 0 }
    }

    pub(crate) fn fill(&mut self) {
        self.full = true;
        self.words = Vec::new();
    }

    pub(crate) fn clear(&mut self) {
        self.full = self.bytes == 0;
        self.words.fill(0);
    }

    /// Whether all of a range is in the set.
    #[inline]
    pub(crate) fn contains(&self, at: usize, count: usize) -> bool {
        if self.full || count == 0 {
            return true;
        }
        if self.words.is_empty() {
            return false;
        }
        let (first, last) = (at / 64, (at + count - 1) / 64);
        (first..=last).all(|word| {
            let wanted = mask(word, at, count);
            self.words[word] & wanted == wanted
        })
    }

    /// Whether something of a range is in the set.
    pub(crate) fn touches(&self, at: usize, count: usize) -> bool {
        if self.full {
            return count > 0;
        }
        if self.words.is_empty() || count == 0 {
            return false;
        }
        let (first, last) = (at / 64, (at + count - 1) / 64);
        (first..=last).any(|word| self.words[word] & mask(word, at, count) != 0)
    }

    #[inline]
    pub(crate) fn insert(&mut self, at: usize, count: usize) {
        if self.full || count == 0 {
            return;
        }
        if count == self.bytes {
            return self.fill();
        }
        if self.words.is_empty() {
            self.words = vec![0; self.bytes.div_ceil(64)];
        }
        let (first, last) = (at / 64, (at + count - 1) / 64);
        for word in first..=last {
            self.words[word] |= mask(word, at, count);
        }
    }
}

/// The bits of a range that lie in a word.
#[inline]
fn mask(word: usize, at: usize, count: usize) -> u64 {
    let begin = at.max(word * 64) - word * 64;
    let end = (at + count).min(word * 64 + 64) - word * 64;
    (u64::MAX >> (64 - (end - begin))) << begin
}

#[cfg(test)]
mod tests {
    use super::ByteSet;

    #[test]
    fn ranges_across_words() {
        let mut set = ByteSet::new(300);
        assert!(!set.contains(0, 1) && !set.touches(0, 300));
        set.insert(60, 72);
        assert!(set.contains(60, 72) && set.contains(64, 64) && set.contains(131, 1));
        assert!(
            !set.contains(59, 2) && !set.contains(131, 2) && set.touches(131, 100) && !set.touches(132, 100)
        );
        set.insert(0, 300);
        assert!(set.contains(0, 300));
        set.clear();
        assert!(!set.touches(0, 300));
    }
}
