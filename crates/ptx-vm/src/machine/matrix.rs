//! Matrices spread over a warp: `ldmatrix` and `mma.sync`.

use super::Machine;
use super::lane::{Halt, halt};
use crate::code::{Access, Instruction, NONE, Order, Scope, Space};
use crate::fault::FaultKind;
use crate::float;
use crate::races::Kind;
use crate::types::Format;

impl Machine<'_> {
    /// Each row's address comes from one lane; each lane gets two elements of a row, or of a column, of each matrix.
    pub(super) fn load_matrix(
        &mut self,
        instruction: &Instruction,
        count: usize,
        transposed: bool,
        warp: usize,
        members: &[usize],
    ) -> Result<(), Halt> {
        whole(members)?;
        let access = Access {
            space: Space::Shared,
            order: Order::Weak,
            scope: Scope::System,
            bytes: 16,
            count: 1,
            signed: false,
            non_coherent: false,
        };
        for matrix in 0..count {
            let mut rows = [[0u64; 8]; 8];
            for (row, elements) in rows.iter_mut().enumerate() {
                let thread = warp + 8 * matrix + row;
                let at = self.address(thread, instruction, Space::Shared)?;
                let found = self.locate(thread, at, 16, 16)?;
                self.expect_written(thread, found, 16, at.1)?;
                self.note(thread, instruction, found, access, Kind::Read, at.1)?;
                for (column, element) in elements.iter_mut().enumerate() {
                    *element = self.fetch(thread, found.plus(2 * column), 2);
                }
            }
            let destination =
                if matrix == 0 { instruction.destination } else { instruction.more_destinations[matrix - 1] };
            for lane in 0..32 {
                let (row, column) = (lane / 4, lane % 4 * 2);
                let (low, high) = if transposed {
                    (rows[column][row], rows[column + 1][row])
                } else {
                    (rows[row][column], rows[row][column + 1])
                };
                self.write(warp + lane, destination, low | high << 16);
            }
        }
        Ok(())
    }

    /// A product of 16 rows, 8 columns and `k` between; the fragments as the PTX ISA lays them out. Sums are made in
    /// f64 in order of `k` and rounded once.
    pub(super) fn multiply(
        &mut self,
        instruction: &Instruction,
        k: usize,
        format: Format,
        wide: bool,
        warp: usize,
        members: &[usize],
    ) -> Result<(), Halt> {
        whole(members)?;
        let (mut a, mut b, mut c) = ([[0f64; 16]; 16], [[0f64; 8]; 16], [[0f64; 8]; 16]);
        let pieces = k / 4;
        let of_c = if wide { 4 } else { 2 };
        for lane in 0..32 {
            let (group, member) = (lane / 4, lane % 4);
            let mut words = [0; 10];
            for (at, source) in instruction.more_sources.iter().enumerate() {
                words[at] = self.read(warp + lane, *source)?;
            }
            let element = |word: u64, half: usize| float::value(word >> (16 * half) & 0xffff, format);
            for at in 0..2 * pieces {
                let row = group + 8 * (at / 2 % 2);
                let column = member * 2 + at % 2 + 8 * (at / 4);
                a[row][column] = element(words[at / 2], at % 2);
            }
            for at in 0..pieces {
                b[member * 2 + at % 2 + 8 * (at / 2)][group] = element(words[pieces + at / 2], at % 2);
            }
            for at in 0..4 {
                let first = pieces + pieces / 2;
                c[group + 8 * (at / 2)][member * 2 + at % 2] = if wide {
                    float::value(words[first + at], Format::F32)
                } else {
                    element(words[first + at / 2], at % 2)
                };
            }
        }
        for lane in 0..32 {
            let (group, member) = (lane / 4, lane % 4);
            let mut out = [0; 4];
            for (at, value) in out.iter_mut().enumerate() {
                let (row, column) = (group + 8 * (at / 2), member * 2 + at % 2);
                let sum = (0..k).fold(c[row][column], |sum, k| sum + a[row][k] * b[k][column]);
                *value = float::nearest(sum, if wide { Format::F32 } else { Format::F16 });
            }
            for at in 0..of_c {
                let value = if wide { out[at] } else { out[2 * at] | out[2 * at + 1] << 16 };
                let destination =
                    if at == 0 { instruction.destination } else { instruction.more_destinations[at - 1] };
                debug_assert!(destination != NONE);
                self.write(warp + lane, destination, value);
            }
        }
        Ok(())
    }
}

fn whole(members: &[usize]) -> Result<(), Halt> {
    if members.len() == 32 { Ok(()) } else { halt(FaultKind::Collective, "a whole warp takes part in this") }
}
