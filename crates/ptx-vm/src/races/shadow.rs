//! Who touched each place last, four bytes by four.

/// Bytes of memory in a piece of the shadow.
const PIECE: usize = 4096;
/// The most accesses that are kept beside the last ones.
const KEPT: usize = 64;

/// An access by lanes of one warp at one count.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Access {
    pub(super) block: u32,
    /// 0: there is no access.
    pub(super) count: u32,
    pub(super) lanes: u32,
    pub(super) line: u32,
    pub(super) warp: u8,
    /// Which of the four bytes.
    pub(super) bytes: u8,
    /// Bits 0 and 1: 0 weak, 1 strong in the block, 2 strong for all. Further bits: the size of a strong access.
    pub(super) strength: u8,
    pub(super) writes: bool,
}

impl Access {
    pub(super) fn there(&self) -> bool {
        self.count != 0
    }

    /// Whether both are by the same warp at the same count, and differ in lanes alone.
    pub(super) fn alike(&self, other: &Access) -> bool {
        self.count == other.count
            && self.block == other.block
            && self.warp == other.warp
            && self.bytes == other.bytes
            && self.strength == other.strength
            && self.writes == other.writes
    }

    /// Whether no race is between them because both are strong for each other, and of the same size.
    pub(super) fn strong_with(&self, other: &Access) -> bool {
        let (mine, theirs) = (self.strength & 3, other.strength & 3);
        mine != 0
            && theirs != 0
            && (mine == 2 && theirs == 2 || self.block == other.block)
            && self.strength >> 2 == other.strength >> 2
    }
}

/// Four bytes: the last write, the last read, and a list of others.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) write: Access,
    pub(super) read: Access,
    /// Number of the list plus 1.
    pub(super) more: u32,
}

/// The shadow of one allocation or of one block's shared memory.
#[derive(Default)]
pub(super) struct Shadow {
    pieces: Vec<Option<Box<[Cell]>>>,
}

impl Shadow {
    pub(super) fn cell(&mut self, word: usize) -> &mut Cell {
        let (piece, at) = (word / (PIECE / 4), word % (PIECE / 4));
        if self.pieces.len() <= piece {
            self.pieces.resize_with(piece + 1, || None);
        }
        let cells = self.pieces[piece].get_or_insert_with(|| vec![Cell::default(); PIECE / 4].into());
        &mut cells[at]
    }

    pub(super) fn clear(&mut self, lists: &mut Lists) {
        for cell in self.pieces.iter_mut().flatten().flat_map(|piece| piece.iter_mut()) {
            lists.free(cell.more);
            *cell = Cell::default();
        }
    }
}

/// Lists of accesses.
#[derive(Default)]
pub(super) struct Lists {
    lists: Vec<Vec<Access>>,
    unused: Vec<u32>,
    turn: usize,
}

impl Lists {
    pub(super) fn get(&self, number: u32) -> &[Access] {
        if number == 0 { &[] } else { &self.lists[number as usize - 1] }
    }

    /// Adds an access, or a lane to one that is alike; where there are too many, in place of another.
    pub(super) fn add(&mut self, number: &mut u32, access: Access) {
        if *number == 0 {
            *number = self.unused.pop().unwrap_or_else(|| {
                self.lists.push(Vec::new());
                self.lists.len() as u32
            });
        }
        let list = &mut self.lists[*number as usize - 1];
        if let Some(known) = list.iter_mut().find(|known| known.alike(&access)) {
            known.lanes |= access.lanes;
        } else if list.len() < KEPT {
            list.push(access);
        } else {
            self.turn = (self.turn + 1) % KEPT;
            list[self.turn] = access;
        }
    }

    pub(super) fn retain(&mut self, number: &mut u32, keep: impl Fn(&Access) -> bool) {
        if *number == 0 {
            return;
        }
        let list = &mut self.lists[*number as usize - 1];
        list.retain(keep);
        if list.is_empty() {
            self.free(*number);
            *number = 0;
        }
    }

    fn free(&mut self, number: u32) {
        if number != 0 {
            self.lists[number as usize - 1].clear();
            self.unused.push(number);
        }
    }
}
