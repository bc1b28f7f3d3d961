//! Random operations of a dialect, in terms of the same rows, and calls of them.

use super::{Buffers, Generator, Options, Random};
use std::sync::Arc;
use vyre_ir::dialect::{AttributeDef, Call, DialectDef, DialectRegistry, Function, OpDef, RegistryBuilder};
use vyre_ir::types::ANY;
use vyre_ir::{Attr, Buffer, Builder, Entity, Op, Rule, Scalar, Type, Value, Version};

/// Kinds of statements, as the generator numbers them, that only compute: control flow, vectors, calls, operations.
const PURE: [usize; 12] = [0, 2, 4, 15, 24, 24, 33, 33, 33, 33, 33, 33];

/// A registry of a few random operations; later ones call earlier ones.
pub(super) fn registry(
    random: &mut Random,
    options: &Options,
    scalars: &[Scalar],
    rows: &[Op],
) -> DialectRegistry {
    let placed = |op: &Op| matches!(op.info().rule, Rule::Axis | Rule::Index | Rule::Length);
    let rows: Vec<Op> = rows.iter().copied().filter(|op| !placed(op)).collect();
    let mut made: Vec<Arc<OpDef>> = Vec::new();
    for i in 0..2 + random.below(3) {
        let nowhere = Buffer::new(0);
        let memory = Buffers {
            words: nowhere,
            floats: nowhere,
            uniform: nowhere,
            data: nowhere,
            out: nowhere,
            sums: nowhere,
            tile: nowhere,
            shared_sums: nowhere,
            private: nowhere,
        };
        let mut g = Generator {
            grid: false,
            b: Builder::new(&format!("random.f{i}"), [1, 1, 1]),
            random: Random::new(random.next()),
            options,
            scalars: scalars.to_vec(),
            rows: rows.clone(),
            memory,
            // Named only where memory is.
            invocation: Value::new(0),
            threads: 1,
            pool: Vec::new(),
            callable: made.clone(),
            pure: true,
        };
        made.push(Arc::new(OpDef::composite(g.function())));
    }
    let ops = made.iter().map(|def| OpDef::clone(def)).collect();
    let dialect = DialectDef {
        name: "random".into(),
        version: Version::new(1, 0, 0),
        origin: "a random program".into(),
        ops,
        migrations: Vec::new(),
    };
    RegistryBuilder::new()
        .dialect(dialect)
        .build()
        .unwrap_or_else(|e| panic!("a random operation is wrong: {e}"))
}

impl Generator<'_> {
    fn function(&mut self) -> Function {
        let attributes: Vec<AttributeDef> = (0..self.random.below(3))
            .map(|i| {
                let ty = self.scalar();
                let default = (self.random.below(2) == 0).then(|| self.random.constant(ty));
                AttributeDef { name: format!("a{i}"), ty, default }
            })
            .collect();
        let mut types: Vec<Type> = attributes.iter().map(|a| a.ty.into()).collect();
        for _ in 0..1 + self.random.below(3) {
            types.push(self.any_type(ANY).expect("bool is always allowed"));
        }
        self.pool = self.b.parameters(&types);
        let statements = 2 + self.random.below(6);
        self.block(statements, 2, false);
        let results: Vec<Value> = (0..1 + self.random.below(3))
            .map(|_| {
                let ty = self.any_type(ANY).expect("bool is always allowed");
                self.of(ty)
            })
            .collect();
        self.b.insert(Op::Yield, Attr::None, &results, &[], []);
        Function { attributes, names: Vec::new(), program: self.b.p.clone() }
    }

    /// A kind of statement that only computes.
    pub(super) fn pure_kind(&mut self) -> usize {
        PURE[self.random.below(PURE.len())]
    }

    /// A call of one of the operations at hand.
    pub(super) fn call(&mut self) {
        let def = self.callable[self.random.below(self.callable.len())].clone();
        let mut call = Call::new(def.id.as_str());
        for attribute in &def.attributes {
            if attribute.default.is_none() || self.random.below(2) == 0 {
                let bits = self.random.constant(attribute.ty);
                call = call.with(attribute.name.as_str(), attribute.ty, bits);
            }
        }
        let args: Vec<Value> = def.signature.operands.iter().map(|&ty| self.of(ty)).collect();
        let results = self.b.call(call, &args, &def.signature.results);
        self.pool.extend(results);
    }
}
