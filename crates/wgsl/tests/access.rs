//! Random types and random paths into them, in every kind of memory, against layouts computed here by the rules of the
//! WGSL specification ("Alignment and Size"). Some indices are out of bounds: they read 0 and write nothing.

mod common;

use common::{Random, import, words};
use std::fmt::Write;
use vyre_wgsl::ImportOptions;

#[derive(Clone)]
enum Type {
    Scalar(&'static str),
    Vector(u32, &'static str),
    Matrix(u32, u32),
    Array(Box<Type>, u32),
    /// Its number, and its members.
    Struct(u32, Vec<Type>),
}

struct Gen {
    random: Random,
    structs: Vec<(u32, String)>,
}

impl Gen {
    fn ty(&mut self, depth: u32) -> Type {
        let scalar = ["u32", "i32", "f32"][self.random.below(3) as usize];
        match self.random.below(if depth > 2 { 4 } else { 8 }) {
            0 | 1 => Type::Scalar(scalar),
            2 => Type::Vector(self.random.below(3) + 2, scalar),
            3 => Type::Matrix(self.random.below(3) + 2, self.random.below(3) + 2),
            4 | 5 => Type::Array(Box::new(self.ty(depth + 1)), self.random.below(5) + 1),
            _ => {
                let members: Vec<Type> = (0..self.random.below(3) + 1).map(|_| self.ty(depth + 1)).collect();
                let number = self.structs.len() as u32;
                let mut text = format!("struct S{number} {{ ");
                for (i, member) in members.iter().enumerate() {
                    write!(text, "m{i}: {}, ", name(member)).unwrap();
                }
                self.structs.push((number, text + "}\n"));
                Type::Struct(number, members)
            }
        }
    }
}

fn name(ty: &Type) -> String {
    match ty {
        Type::Scalar(s) => s.to_string(),
        Type::Vector(n, s) => format!("vec{n}<{s}>"),
        Type::Matrix(c, r) => format!("mat{c}x{r}<f32>"),
        Type::Array(ty, n) => format!("array<{}, {n}>", name(ty)),
        Type::Struct(number, _) => format!("S{number}"),
    }
}

/// Alignment and size in bytes.
fn layout(ty: &Type) -> (u32, u32) {
    let up = |n: u32, to: u32| n.div_ceil(to) * to;
    match ty {
        Type::Scalar(_) => (4, 4),
        Type::Vector(n, _) => (if *n == 2 { 8 } else { 16 }, n * 4),
        Type::Matrix(c, r) => {
            let (align, size) = layout(&Type::Vector(*r, "f32"));
            (align, c * up(size, align))
        }
        Type::Array(ty, n) => {
            let (align, size) = layout(ty);
            (align, n * up(size, align))
        }
        Type::Struct(_, members) => {
            let (mut end, mut most) = (0, 1);
            for member in members {
                let (align, size) = layout(member);
                end = up(end, align) + size;
                most = most.max(align);
            }
            (most, up(end, most))
        }
    }
}

/// The parts of a type with their offsets.
fn parts(ty: &Type) -> Vec<(Type, u32)> {
    let stride = |ty: &Type| {
        let (align, size) = layout(ty);
        size.div_ceil(align) * align
    };
    match ty {
        Type::Scalar(_) => vec![],
        Type::Vector(n, s) => (0..*n).map(|i| (Type::Scalar(s), 4 * i)).collect(),
        Type::Matrix(c, r) => {
            let column = Type::Vector(*r, "f32");
            (0..*c).map(|i| (column.clone(), i * stride(&column))).collect()
        }
        Type::Array(ty, n) => (0..*n).map(|i| ((**ty).clone(), i * stride(ty))).collect(),
        Type::Struct(_, members) => {
            let mut end = 0u32;
            members
                .iter()
                .map(|m| {
                    let (align, size) = layout(m);
                    let offset = end.div_ceil(align) * align;
                    end = offset + size;
                    (m.clone(), offset)
                })
                .collect()
        }
    }
}

/// A path to a scalar: its text, its offset if it is in bounds, and its type.
struct Path {
    text: String,
    offset: Option<u32>,
    scalar: &'static str,
}

impl Gen {
    /// `dynamic` holds the values of the dynamic indices so far.
    fn path(&mut self, ty: &Type, dynamic: &mut Vec<u32>) -> Path {
        let (mut ty, mut text, mut offset) = (ty.clone(), String::new(), Some(0));
        loop {
            if let Type::Scalar(scalar) = ty {
                return Path { text, offset, scalar };
            }
            let all = parts(&ty);
            let n = all.len() as u32;
            let index = if matches!(ty, Type::Struct(..)) {
                let k = self.random.below(n);
                write!(text, ".m{k}").unwrap();
                Some(k)
            } else if self.random.below(2) == 0 {
                let k = self.random.below(n);
                write!(text, "[{k}]").unwrap();
                Some(k)
            } else {
                let k = match self.random.below(12) {
                    0 => n,
                    1 => u32::MAX,
                    2 => 1 << 30,
                    3 => 0x8000_0000 - self.random.below(4),
                    _ => self.random.below(n),
                };
                if self.random.below(3) == 0 {
                    write!(text, "[i32(idx[{}])]", dynamic.len()).unwrap();
                } else {
                    write!(text, "[idx[{}]]", dynamic.len()).unwrap();
                }
                dynamic.push(k);
                (k < n).then_some(k)
            };
            let (part, at) = all[index.unwrap_or(0) as usize].clone();
            offset = index.and(offset).map(|o| o + at);
            ty = part;
        }
    }
}

fn bits(scalar: &str, text: &str) -> String {
    if scalar == "u32" { text.into() } else { format!("bitcast<u32>({text})") }
}

fn check(seed: u64) {
    let mut g = Gen { random: Random(seed), structs: Vec::new() };
    let ty = g.ty(0);
    let (align, size) = layout(&ty);
    let stride = size.div_ceil(align) * align;
    // Distinct words, so that every wrong offset shows. Small ones are floats that move unchanged.
    let elements = g.random.below(3) + 1;
    let data: Vec<u32> = (0..elements * stride / 4).map(|i| 0x4000_0000 + i * 7).collect();
    let mut memory = data.clone();
    let (mut idx, mut body, mut wanted) = (Vec::new(), String::new(), Vec::new());
    let first = |offset: u32| data[offset as usize / 4];
    // One model per variable; each starts as the first element.
    let mut copies: Vec<(&str, std::collections::HashMap<u32, u32>)> =
        ["loc", "priv_", "shared_"].into_iter().map(|n| (n, Default::default())).collect();
    for step in 0..24u32 {
        let value = 0x4100_0000 + step * 3;
        let which = g.random.below(4) as usize;
        let write = g.random.below(2) == 0;
        if which == 3 {
            let element = match g.random.below(6) {
                0 => elements,
                1 => u32::MAX - g.random.below(9),
                2 => 1 << 28,
                _ => g.random.below(elements),
            };
            let position = idx.len();
            idx.push(element);
            let path = g.path(&ty, &mut idx);
            let text = format!("data[idx[{position}]]{}", path.text);
            let at =
                path.offset.filter(|_| element < elements).map(|o| ((element * stride + o) / 4) as usize);
            if write {
                writeln!(body, "{text} = bitcast<{}>({value}u);", path.scalar).unwrap();
                if let Some(at) = at {
                    memory[at] = value;
                }
            } else {
                writeln!(body, "out[{}] = {};", wanted.len(), bits(path.scalar, &text)).unwrap();
                wanted.push(at.map_or(0, |at| memory[at]));
            }
            continue;
        }
        let path = g.path(&ty, &mut idx);
        let (name, changes) = &mut copies[which];
        let text = format!("{name}{}", path.text);
        if write {
            writeln!(body, "{text} = bitcast<{}>({value}u);", path.scalar).unwrap();
            if let Some(offset) = path.offset {
                changes.insert(offset, value);
            }
        } else {
            writeln!(body, "out[{}] = {};", wanted.len(), bits(path.scalar, &text)).unwrap();
            let read = |offset: u32| changes.get(&offset).copied().unwrap_or_else(|| first(offset));
            wanted.push(path.offset.map_or(0, read));
        }
    }
    // Whole values move from one kind of memory to another and back.
    let (from, to) = (g.random.below(3) as usize, g.random.below(elements));
    writeln!(body, "let whole = {}; data[{to}] = whole;", copies[from].0).unwrap();
    let mut places = Vec::new();
    scalars(&ty, 0, &mut places);
    for offset in places {
        let value = copies[from].1.get(&offset).copied().unwrap_or_else(|| first(offset));
        memory[((to * stride + offset) / 4) as usize] = value;
    }
    let structs: String = g.structs.iter().map(|s| s.1.as_str()).collect();
    let t = name(&ty);
    let source = format!(
        "{structs}@group(0) @binding(0) var<storage, read_write> data: array<{t}>;
         @group(0) @binding(1) var<storage, read> idx: array<u32>;
         @group(0) @binding(2) var<storage, read_write> out: array<u32>;
         var<private> priv_: {t}; var<workgroup> shared_: {t};
         @compute @workgroup_size(1) fn main() {{
         var loc = data[0]; priv_ = loc; shared_ = data[0];
         {body} }}"
    );
    wanted.resize(24, 0);
    idx.resize(200, 0);
    let program = import(&source, &ImportOptions::default());
    let got = words(&program, &[("data", data), ("idx", idx.clone()), ("out", vec![0; 24])]);
    assert_eq!(got["out"], wanted, "seed {seed}: out\nidx {idx:?}\n{source}\n{program}");
    assert_eq!(got["data"], memory, "seed {seed}: data\nidx {idx:?}\n{source}\n{program}");
}

/// The offsets of all scalars.
fn scalars(ty: &Type, at: u32, found: &mut Vec<u32>) {
    if let Type::Scalar(_) = ty {
        found.push(at);
    }
    for (part, offset) in parts(ty) {
        scalars(&part, at + offset, found);
    }
}

#[test]
fn random_paths_reach_what_they_name() {
    let from = std::env::var("VYRE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0);
    (from..from + 200).for_each(check);
}
