//! A launch while it runs: its blocks that are resident, their threads, and whose turn it is.

mod access;
mod atomic;
mod barrier;
mod collective;
mod lane;
mod matrix;
mod schedule;

use crate::bytes::ByteSet;
use crate::code::{Code, Constant, Instruction, NONE, Op, Place, Source, Space};
use crate::counters::Tally;
use crate::fault::{Fault, FaultKind, Other};
use crate::memory::Memory;
use crate::module::Entry;
use crate::races::Races;
use crate::run::{Launch, Options, Report};
use barrier::Barrier;
pub(crate) use lane::{Halt, halt};
use lane::{Lane, Position};
use schedule::Random;

/// What a thread waits for.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum State {
    Running,
    AtBarrier,
    /// With the members of this mask.
    AtCollective(u32),
    Exited,
}

struct Thread {
    pc: u32,
    state: State,
    carry: bool,
    position: Position,
    /// Where calls return to.
    returns: Vec<(u32, u32)>,
    local: Vec<u8>,
    local_written: ByteSet,
}

/// A resident block. Its threads are those from `slot * threads of a block` on.
struct Block {
    /// Which of the grid's blocks; `None` where the slot is free.
    id: Option<[u32; 3]>,
    index: u64,
    shared: Vec<u8>,
    shared_written: ByteSet,
    exited: u32,
    barriers: Vec<Barrier>,
}

/// A launch while it runs.
pub(crate) struct Machine<'a> {
    code: &'a Code,
    launch: &'a Launch<'a>,
    options: &'a Options<'a>,
    memory: &'a mut Memory,
    constants: Vec<u64>,
    /// Threads of a block.
    block_threads: usize,
    threads: Vec<Thread>,
    blocks: Vec<Block>,
    registers: Vec<u64>,
    set: Vec<u64>,
    steps: u64,
    random: Random,
    races: Option<Races>,
    tally: Option<Tally>,
    /// Global memory that was written, and that was read by `.nc`, by allocation; only where the kernel has `.nc`.
    coherence: Option<Vec<[ByteSet; 2]>>,
}

/// The most bytes of registers and threads' own memory of all resident threads.
const RESIDENT_BYTES: u64 = 4 << 30;
/// Of blocks that run at once where they need not wait for each other: so many, or as many as have so many threads.
const RESIDENT_BLOCKS: u64 = 4;
const RESIDENT_THREADS: u64 = 1024;

impl<'a> Machine<'a> {
    pub(crate) fn new(
        entry: &'a Entry,
        memory: &'a mut Memory,
        launch: &'a Launch<'a>,
        options: &'a Options<'a>,
    ) -> Result<Machine<'a>, Halt> {
        let code = &*entry.code;
        let threads = check(entry, launch)?;
        let blocks = launch.grid.iter().map(|size| u64::from(*size)).product::<u64>();
        let resident = if launch.cooperative {
            blocks
        } else {
            RESIDENT_BLOCKS.min((RESIDENT_THREADS / threads).max(1)).min(blocks)
        };
        let of_thread = code.types.len() as u64 * 9 + code.local_bytes + 256;
        let of_block = u64::from(launch.dynamic_shared) + code.dynamic_shared + 4096;
        let wanted = resident
            .checked_mul(threads)
            .and_then(|threads| threads.checked_mul(of_thread))
            .and_then(|bytes| resident.checked_mul(of_block)?.checked_add(bytes));
        if wanted.is_none_or(|bytes| bytes > RESIDENT_BYTES) {
            return halt(FaultKind::Launch, format!("{resident} blocks at once need too much memory"));
        }
        let constants = globals(code, memory)?;
        let (resident, block_threads) = (resident as usize, threads as usize);
        let all = resident * block_threads;
        let mut machine = Machine {
            code,
            launch,
            options,
            constants,
            block_threads,
            threads: Vec::with_capacity(all),
            blocks: Vec::new(),
            registers: vec![0; all * code.types.len()],
            set: vec![0; all * code.types.len().div_ceil(64)],
            steps: 0,
            random: Random::new(options.seed),
            races: options.races.then(|| Races::new(resident, block_threads, blocks)).transpose()?,
            tally: options.counters.then(Tally::default),
            coherence: code.non_coherent.then(Vec::new),
            memory,
        };
        let shared = (code.dynamic_shared + u64::from(launch.dynamic_shared)) as usize;
        for slot in 0..resident {
            machine.blocks.push(Block {
                id: None,
                index: 0,
                shared: vec![0; shared],
                shared_written: ByteSet::new(shared),
                exited: 0,
                barriers: (0..16).map(|_| Barrier::default()).collect(),
            });
            for linear in 0..threads as u32 {
                let [x, y, _] = launch.block;
                machine.threads.push(Thread {
                    pc: 0,
                    state: State::Exited,
                    carry: false,
                    position: Position {
                        tid: [linear % x, linear / x % y, linear / x / y],
                        ntid: launch.block,
                        ctaid: [0; 3],
                        nctaid: launch.grid,
                        linear,
                        slot: slot as u32,
                        dynamic_shared: launch.dynamic_shared,
                        static_shared: entry.static_shared,
                        steps: 0,
                    },
                    returns: Vec::new(),
                    local: vec![0; code.local_bytes as usize],
                    local_written: ByteSet::new(code.local_bytes as usize),
                });
            }
        }
        Ok(machine)
    }

    pub(crate) fn report(self) -> Report {
        let code = self.code;
        Report { steps: self.steps, accesses: self.tally.map_or(Vec::new(), |tally| tally.finish(code)) }
    }

    /// Puts a block of the grid into a free slot.
    fn begin(&mut self, slot: usize, index: u64) {
        let [x, y, _] = self.launch.grid.map(u64::from);
        let id = [(index % x) as u32, (index / x % y) as u32, (index / x / y) as u32];
        let block = &mut self.blocks[slot];
        block.id = Some(id);
        block.index = index;
        block.exited = 0;
        block.shared.fill(0);
        block.shared_written.clear();
        let keep_unset = self.options.uninitialized;
        if !keep_unset {
            block.shared_written.fill();
        }
        let first = slot * self.block_threads;
        for thread in &mut self.threads[first..first + self.block_threads] {
            thread.pc = 0;
            thread.state = State::Running;
            thread.position.ctaid = id;
            thread.returns.clear();
            thread.local_written.clear();
            if !keep_unset {
                thread.local.fill(0);
                thread.local_written.fill();
            }
        }
        let words = self.code.types.len().div_ceil(64);
        let set = &mut self.set[first * words..(first + self.block_threads) * words];
        set.fill(if keep_unset { 0 } else { u64::MAX });
        if !keep_unset {
            let count = self.code.types.len();
            self.registers[first * count..(first + self.block_threads) * count].fill(0);
        }
        if let Some(races) = &mut self.races {
            races.begin(slot, index);
        }
    }

    fn lane(&mut self, thread: usize) -> Lane<'_> {
        let (count, words) = (self.code.types.len(), self.code.types.len().div_ceil(64));
        let state = &mut self.threads[thread];
        Lane {
            code: self.code,
            constants: &self.constants,
            registers: &mut self.registers[thread * count..(thread + 1) * count],
            set: &mut self.set[thread * words..(thread + 1) * words],
            position: &state.position,
            carry: &mut state.carry,
        }
    }

    fn read(&mut self, thread: usize, source: Source) -> Result<u64, Halt> {
        self.lane(thread).read(source)
    }

    fn write(&mut self, thread: usize, register: u32, value: u64) {
        self.lane(thread).write(register, value);
    }

    fn slot(&self, thread: usize) -> usize {
        thread / self.block_threads
    }

    /// Runs a thread until its turn is over, it waits or it ends.
    fn turn(&mut self, thread: usize, quantum: u32) -> Result<(), Halt> {
        let mut left = quantum;
        while left > 0 && self.threads[thread].state == State::Running {
            let before = left;
            let mut pc = self.threads[thread].pc;
            self.threads[thread].position.steps = self.steps;
            let outcome = self.lane(thread).run(&mut pc, &mut left);
            self.threads[thread].pc = pc;
            self.steps += u64::from(before - left);
            outcome?;
            if left > 0 {
                left -= 1;
                self.steps += 1;
                let code = self.code;
                let instruction = &code.instructions[pc as usize];
                if self.lane(thread).guarded(instruction)? {
                    if self.special(thread, instruction)? {
                        left = 0;
                    }
                } else {
                    self.threads[thread].pc += 1;
                }
            }
        }
        Ok(())
    }

    /// Runs one instruction that needs more than registers; whether another thread should have its turn.
    fn special(&mut self, thread: usize, instruction: &'a Instruction) -> Result<bool, Halt> {
        let next = self.threads[thread].pc + 1;
        let mut gives_way = false;
        match &instruction.op {
            Op::Load(access) => self.load(thread, instruction, *access)?,
            Op::Store(access) => self.store(thread, instruction, *access)?,
            Op::Atomic { op, kind, access, .. } => {
                self.atomic(thread, instruction, *op, *kind, *access)?;
            }
            Op::Fence(scope, order) => {
                if let Some(races) = &mut self.races {
                    races.fence(thread, *scope, *order);
                }
            }
            Op::Convert { space, to_generic } => {
                let address = self.read(thread, instruction.sources[0])?;
                let value = access::convert(address, *space, *to_generic);
                self.write(thread, instruction.destination, value);
            }
            Op::IsSpace(space) => {
                let address = self.read(thread, instruction.sources[0])?;
                let (found, at) = access::specific(Space::Generic, address);
                let found = match found {
                    Space::Global
                        if self.memory.find(at).is_some_and(|index| self.memory.at(index).constant) =>
                    {
                        Space::Const
                    }
                    found => found,
                };
                self.write(thread, instruction.destination, u64::from(found == *space));
            }
            Op::BranchIndex(targets) => {
                let index = self.read(thread, instruction.sources[0])?;
                let Some(target) = targets.get(index as usize) else {
                    let count = targets.len();
                    return halt(FaultKind::Bounds, format!("brx.idx takes target {index} of {count}"));
                };
                self.threads[thread].pc = *target;
                return Ok(false);
            }
            Op::Call(call) => {
                for (from, to) in call.arguments.iter().zip(&call.formal_arguments) {
                    self.hand_over(thread, *from, *to)?;
                }
                let pc = self.threads[thread].pc;
                self.threads[thread].returns.push((next, pc));
                self.threads[thread].pc = call.target;
                return Ok(false);
            }
            Op::Return => {
                let Some((to, from)) = self.threads[thread].returns.pop() else {
                    self.exit(thread)?;
                    return Ok(true);
                };
                let code = self.code;
                if let Op::Call(call) = &code.instructions[from as usize].op {
                    for (to, from) in call.results.iter().zip(&call.formal_results) {
                        self.hand_over(thread, *from, *to)?;
                    }
                }
                self.threads[thread].pc = to;
                return Ok(false);
            }
            Op::Exit => {
                self.exit(thread)?;
                return Ok(true);
            }
            Op::Trap => return halt(FaultKind::Trap, "trap"),
            Op::Yield => gives_way = true,
            Op::Barrier { kind, aligned, negated } => {
                return self.barrier(thread, instruction, *kind, *aligned, *negated);
            }
            Op::Collective { .. } => {
                let mask = self.read(thread, instruction.sources[3])? as u32;
                return self.collective(thread, mask);
            }
            op => return halt(FaultKind::Unsupported, format!("{op:?}")),
        }
        self.threads[thread].pc = next;
        Ok(gives_way)
    }

    /// Copies an argument to a call, or a result out of it.
    fn hand_over(&mut self, thread: usize, from: Place, to: Place) -> Result<(), Halt> {
        match (from, to) {
            (Place::Memory(from, bytes), Place::Memory(to, _)) => {
                let (from, to, bytes) = (access::own(from), access::own(to), bytes as usize);
                let state = &mut self.threads[thread];
                state.local.copy_within(from..from + bytes, to);
                for byte in 0..bytes {
                    if state.local_written.contains(from + byte, 1) {
                        state.local_written.insert(to + byte, 1);
                    }
                }
            }
            (Place::Register(register), Place::Register(to)) => {
                let value = self.read(thread, Source::register(register))?;
                self.write(thread, to, value);
            }
            (Place::Value(source), Place::Register(to)) => {
                let value = self.read(thread, source)? & self.code.types[to as usize].mask();
                self.write(thread, to, value);
            }
            _ => {}
        }
        Ok(())
    }

    /// The place of a thread, with what went wrong there.
    fn fault(&self, thread: usize, problem: (FaultKind, String)) -> Fault {
        let state = &self.threads[thread];
        let instruction = self.code.instructions.get(state.pc as usize);
        let source = |instruction: &Instruction| {
            (instruction.place != NONE).then(|| self.code.places[instruction.place as usize].clone())
        };
        let raced_with = self.races.as_ref().and_then(|races| races.raced_with);
        let other = raced_with.map(|line| {
            let there = self.code.instructions.iter().find(|instruction| instruction.line == line);
            Box::new(Other { line: line as usize, source: there.and_then(source) })
        });
        Fault {
            kind: problem.0,
            message: problem.1,
            line: instruction.map_or(0, |instruction| instruction.line as usize),
            source: instruction.and_then(source),
            other,
            place: Some((state.position.ctaid, state.position.tid)),
        }
    }
}

/// Refuses launches that the kernel does not take; gives the threads of a block.
fn check(entry: &Entry, launch: &Launch<'_>) -> Result<u64, Halt> {
    let refused = |message: String| halt(FaultKind::Launch, message);
    if launch.params.len() != entry.param_bytes {
        let (given, wanted) = (launch.params.len(), entry.param_bytes);
        return refused(format!("{given} bytes of parameters, but the kernel takes {wanted}"));
    }
    if let Some(required) = entry.required_threads.filter(|required| *required != launch.block) {
        return refused(format!(
            "blocks of {:?} threads, but the kernel requires {required:?}",
            launch.block
        ));
    }
    let threads: u64 = launch.block.iter().map(|size| u64::from(*size)).fold(1, u64::saturating_mul);
    if threads == 0 || threads > 1024 || launch.block[2] > 64 {
        return refused(format!("blocks of {:?} threads", launch.block));
    }
    if let Some(most) = entry.max_threads.filter(|most| threads > u64::from(*most)) {
        return refused(format!("blocks of {threads} threads, but the kernel takes {most}"));
    }
    let [x, y, z] = launch.grid;
    if x == 0 || y == 0 || z == 0 || x > i32::MAX as u32 || y > 65_535 || z > 65_535 {
        return refused(format!("a grid of {:?} blocks", launch.grid));
    }
    let shared = u64::from(launch.dynamic_shared) + u64::from(entry.static_shared);
    if shared > crate::parse::SHARED_BYTES {
        return refused(format!("{shared} bytes of shared memory"));
    }
    Ok(threads)
}

/// Makes the module's variables where they are not there yet; gives all constants their values.
fn globals(code: &Code, memory: &mut Memory) -> Result<Vec<u64>, Halt> {
    let mut values = Vec::with_capacity(code.constants.len());
    for constant in &code.constants {
        values.push(match *constant {
            Constant::Value(value) => value,
            Constant::Address(variable, more) => {
                let at = code.variables.binary_search_by_key(&variable, |placed| placed.number);
                let Ok(at) = at else {
                    return halt(FaultKind::Launch, "a variable that the kernel does not name");
                };
                let declared = &code.variables[at].variable;
                let known = memory.globals.get(&(code.module, variable)).copied();
                let begin = match known {
                    Some(begin) => begin,
                    None => {
                        let begin = memory.allocate(declared.bytes);
                        if begin == 0 {
                            return halt(FaultKind::Launch, "no addresses are left for variables");
                        }
                        // Variables without values are zero.
                        let mut initial = declared.initial.clone();
                        initial.resize(declared.bytes as usize, 0);
                        let _ = memory.write(begin, &initial);
                        if let Some(index) = memory.find(begin) {
                            memory.at(index).constant = declared.space == Space::Const;
                        }
                        memory.globals.insert((code.module, variable), begin);
                        begin
                    }
                };
                begin.wrapping_add(more as u64)
            }
        });
    }
    Ok(values)
}
