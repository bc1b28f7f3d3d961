//! What is known of a program before any of it is written, found in one walk: what is used, which regions exchange
//! values in a subgroup, and what no device could do, so that the code after it has no errors to report.

use crate::{Options, codes};
use vyre_ir::{
    Attr, Buffer, Diagnostic, Effect, Inst, InstData, Memory, Op, Program, Region, Rule, SideTable, Value,
};

/// The most threads of a block, in all and along z. Source: CUDA C++ Programming Guide, compute capabilities.
const THREADS: u64 = 1024;
const THREADS_Z: u32 = 64;

/// Bytes of local memory that a thread can have. Source: the same.
const LOCAL_BYTES: u64 = 512 << 10;

/// Threads of a block that is several workgroups, at most. Blocks of so many fill a multiprocessor of every architecture;
/// a larger one keeps its place longer for its last thread.
pub const MERGED: u64 = 256;

/// The result of the walk.
pub(crate) struct Needs {
    /// Values that an instruction takes.
    pub used: SideTable<Value, bool>,
    /// Values of whose NaNs somebody sees the bits: arithmetic gives any NaN for any.
    pub seen: SideTable<Value, bool>,
    /// Regions in which invocations of a subgroup have to know of each other, also in regions inside.
    pub meets: SideTable<Region, bool>,
    /// Buffers that the program writes.
    pub written: SideTable<Buffer, bool>,
    /// Buffers that are accessed.
    pub accessed: SideTable<Buffer, bool>,
    /// Whether it waits for the grid.
    pub waits: bool,
    /// Whether the grid's first invocation tells the others something.
    pub tells: bool,
    /// How many workgroups can be one block.
    pub merges: u32,
}

/// Walks the program.
pub(crate) fn scan(p: &Program, options: &Options) -> Result<Needs, Diagnostic> {
    let [x, y, z] = p.workgroup_size;
    if p.workgroup_invocations() > THREADS || z > THREADS_Z {
        let message = format!("a workgroup has {x}x{y}x{z} invocations, a block at most {THREADS} threads");
        let message = format!("{message}, and {THREADS_Z} along z");
        return Err(Diagnostic::new(codes::P001, message)
            .in_source(p.source.as_ref())
            .fix("Use a smaller workgroup, and more of them."));
    }
    let private = p.buffers.values().filter(|decl| decl.memory == Memory::Private);
    let private: u64 = private.filter_map(|decl| decl.static_bytes()).fold(0, u64::saturating_add);
    if private > LOCAL_BYTES {
        let message =
            format!("an invocation has {private} bytes of private memory, a thread at most {LOCAL_BYTES}");
        return Err(Diagnostic::new(codes::P004, message)
            .in_source(p.source.as_ref())
            .fix("Use smaller arrays, or arrays in storage memory."));
    }
    let mut needs = Needs {
        used: SideTable::new(false),
        seen: SideTable::new(false),
        meets: SideTable::new(false),
        written: SideTable::new(false),
        accessed: SideTable::new(false),
        waits: false,
        tells: false,
        merges: merges(p, options),
    };
    needs.region(p, p.body)?;
    Ok(needs)
}

impl Needs {
    fn region(&mut self, p: &Program, region: Region) -> Result<(), Diagnostic> {
        let mut meets = false;
        for &inst in &p.regions[region].insts {
            let data = &p.insts[inst];
            refuse(p, inst)?;
            for &arg in &data.args {
                self.used[arg] = true;
                self.seen[arg] |= sees_bits(data);
            }
            if let Attr::Buffer(buffer) = data.attr {
                self.accessed[buffer] |= data.op != Op::Length;
                self.written[buffer] |= data.op.info().effect == Effect::Writes;
            }
            self.waits |= data.op.syncs_grid();
            self.tells |= data.op == Op::GridUniform;
            if sees_workgroup(data) {
                self.merges = 1;
            }
            meets |= data.op.info().effect == Effect::Converges || data.op == Op::SubgroupBarrier;
            for &inner in &data.regions {
                self.region(p, inner)?;
                meets |= self.meets[inner];
            }
        }
        self.meets[region] = meets;
        Ok(())
    }
}

/// How many workgroups can be one block, if no instruction sees its workgroup.
fn merges(p: &Program, options: &Options) -> u32 {
    let shares = p.buffers.values().any(|decl| decl.memory == Memory::Workgroup);
    match shares || options.gated || options.keep_workgroups {
        true => 1,
        false => (MERGED / p.workgroup_invocations().max(1)).max(1) as u32,
    }
}

/// Whether what an instruction does depends on which workgroup or subgroup an invocation is in, and where.
fn sees_workgroup(data: &InstData) -> bool {
    let info = data.op.info();
    match info.rule {
        Rule::Axis | Rule::Index => data.op != Op::GlobalId,
        // Code of a dialect may do anything.
        _ => data.op == Op::Call || matches!(info.effect, Effect::Converges | Effect::Syncs),
    }
}

/// Whether an instruction makes more of a float operand than its number.
fn sees_bits(data: &InstData) -> bool {
    match data.op.info().rule {
        Rule::Compare(_) | Rule::Convert => false,
        Rule::Same(..) => !matches!(
            data.op,
            Op::Add
                | Op::Sub
                | Op::Mul
                | Op::Div
                | Op::Rem
                | Op::Min
                | Op::Max
                | Op::Fma
                | Op::Sqrt
                | Op::Floor
                | Op::Ceil
                | Op::Trunc
                | Op::Round
        ),
        _ => true,
    }
}

/// What cannot be written.
fn refuse(p: &Program, inst: Inst) -> Result<(), Diagnostic> {
    let data = &p.insts[inst];
    let refused = |what: String, fix: &str| {
        Err(Diagnostic::new(codes::P005, what).at(data.loc, "").in_source(p.source.as_ref()).fix(fix))
    };
    if data.op.uses_queue() {
        return refused(
            format!("`{}` has no code in PTX", data.op.name()),
            "Hand the program to a work queue of the driver, which makes one of it that keeps the queue in buffers.",
        );
    }
    if data.op.info().expand.is_some() {
        return refused(
            format!("`{}` has no code in PTX", data.op.name()),
            "Run the optimizer for this target first: it expands the operation into basic ones.",
        );
    }
    let Some(call) = p.call(data) else { return Ok(()) };
    let scalar = |v: &Value| p.ty(*v).lanes == 1;
    if crate::emit::text_of(call).is_none() || !data.args.iter().chain(&data.results).all(scalar) {
        return refused(
            format!("the operation `{}` has no code in PTX", call.op),
            "Give it a body of other operations, or code in PTX for scalars.",
        );
    }
    Ok(())
}
