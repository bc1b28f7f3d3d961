//! The entry point's parameters: where an invocation is.

use super::lower::{Argument, Lower, Outcome};
use super::value::{Leaves, Rvalue};
use naga::{Binding, BuiltIn, Expression as E, Handle, TypeInner};
use vyre_ir::*;

/// The operation of a built-in value along an axis.
fn axis(built_in: BuiltIn) -> Option<Op> {
    Some(match built_in {
        BuiltIn::GlobalInvocationId => Op::GlobalId,
        BuiltIn::LocalInvocationId => Op::LocalId,
        BuiltIn::WorkGroupId => Op::WorkgroupId,
        BuiltIn::NumWorkGroups => Op::NumWorkgroups,
        _ => return None,
    })
}

/// The operation of a built-in value that is one number.
fn index(built_in: BuiltIn) -> Option<Op> {
    Some(match built_in {
        BuiltIn::LocalInvocationIndex => Op::LocalIndex,
        BuiltIn::SubgroupSize => Op::SubgroupSize,
        BuiltIn::SubgroupInvocationId => Op::SubgroupLane,
        BuiltIn::SubgroupId => Op::SubgroupId,
        BuiltIn::NumSubgroups => Op::NumSubgroups,
        _ => return None,
    })
}

impl Lower<'_> {
    /// Takes the entry point's parameters.
    pub fn builtins(&mut self, point: &naga::EntryPoint) -> Outcome<()> {
        for argument in &point.function.arguments {
            let known = |binding: &Option<Binding>| match binding {
                Some(Binding::BuiltIn(b))
                    if axis(*b).or(index(*b)).is_some() || *b == BuiltIn::WorkGroupSize =>
                {
                    Some(*b)
                }
                _ => None,
            };
            let taken = match &self.m.types[argument.ty].inner {
                TypeInner::Struct { members, .. } => {
                    members.iter().map(|m| known(&m.binding)).collect::<Option<_>>().map(Argument::BuiltIns)
                }
                _ => known(&argument.binding).map(Argument::BuiltIn),
            };
            let Some(taken) = taken else {
                let name = argument.name.as_deref().unwrap_or("without a name");
                return Err(self.unsupported(&format!("the entry point's parameter `{name}`")));
            };
            self.frame.arguments.push(taken);
        }
        Ok(())
    }

    /// A whole parameter.
    pub fn built_in_value(&mut self, argument: &Argument, e: Handle<E>) -> Outcome<Rvalue> {
        let list: &[BuiltIn] = match argument {
            Argument::BuiltIn(one) => std::slice::from_ref(one),
            Argument::BuiltIns(list) => list,
            _ => unreachable!("the parameter is a built-in value"),
        };
        let leaves: Leaves = list.iter().map(|&b| self.built_in(b)).collect();
        let ty = self.type_of(e);
        Ok(self.of_leaves(ty, leaves))
    }

    /// A member of a parameter that is a structure, or one coordinate of a position.
    pub fn built_in_part(&mut self, argument: u32, k: u32) -> Outcome<Option<Value>> {
        Ok(match &self.frame.arguments[argument as usize] {
            Argument::BuiltIns(list) => {
                let built_in = list[k as usize];
                Some(self.built_in(built_in))
            }
            &Argument::BuiltIn(built_in) if k < 3 => Some(self.coordinate(built_in, k as u8)),
            _ => None,
        })
    }

    fn coordinate(&mut self, built_in: BuiltIn, k: u8) -> Value {
        match axis(built_in) {
            Some(op) => self.code.axis(op, k),
            None => self.code.u32(self.code.b.p.workgroup_size[k as usize]),
        }
    }

    fn built_in(&mut self, built_in: BuiltIn) -> Value {
        if let Some(op) = index(built_in) {
            return self.code.index(op);
        }
        let all: Leaves = (0..3).map(|k| self.coordinate(built_in, k)).collect();
        self.code.compose(&all)
    }
}
