//! Matrices: lists of columns.

use super::lower::{Lower, Outcome};
use super::value::{Leaves, Rvalue};
use vyre_ir::*;

impl Lower<'_> {
    /// The sum of the products of corresponding lanes, first lane first.
    pub fn dot(&mut self, a: Value, b: Value) -> Value {
        let products = self.code.op(Op::Mul, &[a, b]);
        let lanes = self.code.scalars(products);
        lanes[1..].iter().fold(lanes[0], |sum, &p| self.code.op(Op::Add, &[sum, p]))
    }

    /// The columns weighted by the vector's lanes, first column first.
    pub fn matrix_vector(&mut self, columns: &[Value], vector: Value) -> Value {
        let mut sum = None;
        for (i, &column) in columns.iter().enumerate() {
            let lane = self.code.extract(vector, i as u8);
            let weight = self.code.splat_like(lane, column);
            let part = self.code.op(Op::Mul, &[column, weight]);
            sum = Some(match sum {
                None => part,
                Some(sum) => self.code.op(Op::Add, &[sum, part]),
            });
        }
        sum.expect("a matrix has columns")
    }

    /// Columns become rows.
    pub fn transpose(&mut self, columns: &[Value]) -> Leaves {
        let rows = self.code.ty(columns[0]).lanes;
        (0..rows)
            .map(|row| {
                let lanes: Leaves = columns.iter().map(|&c| self.code.extract(c, row)).collect();
                self.code.compose(&lanes)
            })
            .collect()
    }

    /// The matrix of a column and a row vector.
    pub fn outer(&mut self, column: Value, row: Value) -> Outcome<Leaves> {
        if self.code.ty(column) != self.code.ty(row) {
            // naga and SPIR-V disagree on which of the two gives the columns.
            return Err(self.unsupported("an outer product of vectors of different sizes"));
        }
        let lanes = self.code.scalars(row);
        Ok(lanes
            .iter()
            .map(|&lane| {
                let weight = self.code.splat_like(lane, column);
                self.code.op(Op::Mul, &[column, weight])
            })
            .collect())
    }

    /// `m[column][row]` as scalars.
    fn entries(&mut self, matrix: &Rvalue) -> Outcome<Vec<Leaves>> {
        let columns = self.leaves(matrix)?;
        Ok(columns.iter().map(|&c| self.code.scalars(c)).collect())
    }

    pub fn determinant(&mut self, matrix: &Rvalue) -> Outcome<Value> {
        let m = self.entries(matrix)?;
        let n = m.len();
        Ok(self.minor(&m, &(0..n).collect::<Vec<_>>(), &(0..n).collect::<Vec<_>>()))
    }

    /// The determinant of some columns and rows, by the first column. Smaller ones that occur again are computed once.
    fn minor(&mut self, m: &[Leaves], columns: &[usize], rows: &[usize]) -> Value {
        if let ([column], [row]) = (columns, rows) {
            return m[*column][*row];
        }
        let mut sum = None;
        for (i, &row) in rows.iter().enumerate() {
            let others: Vec<usize> = rows.iter().copied().filter(|&r| r != row).collect();
            let rest = self.minor(m, &columns[1..], &others);
            let product = self.code.op(Op::Mul, &[m[columns[0]][row], rest]);
            sum = Some(match sum {
                None => product,
                Some(sum) => self.code.op(if i % 2 == 0 { Op::Add } else { Op::Sub }, &[sum, product]),
            });
        }
        sum.expect("a matrix has rows")
    }

    /// The adjugate divided by the determinant.
    pub fn inverse(&mut self, matrix: &Rvalue) -> Outcome<Leaves> {
        let m = self.entries(matrix)?;
        let n = m.len();
        let whole = self.determinant(matrix)?;
        let mut columns = Leaves::new();
        for column in 0..n {
            let mut lanes = Leaves::new();
            for row in 0..n {
                // The cofactor of the transposed entry.
                let others = |skip: usize| (0..n).filter(|&i| i != skip).collect::<Vec<_>>();
                let mut cofactor = self.minor(&m, &others(row), &others(column));
                if (row + column) % 2 == 1 {
                    cofactor = self.code.op(Op::Neg, &[cofactor]);
                }
                lanes.push(self.code.op(Op::Div, &[cofactor, whole]));
            }
            columns.push(self.code.compose(&lanes));
        }
        Ok(columns)
    }
}
