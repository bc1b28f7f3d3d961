//! The numbers that values have in text form: the order in which their definitions appear on the page.

use crate::entity::SideTable;
use crate::program::{Program, Region, Value};
use std::fmt;

/// The number of every value that is defined under a program's body.
pub struct Names {
    numbers: SideTable<Value, Option<u32>>,
}

impl Names {
    /// Numbers a program's values. Works on any program, valid or not.
    pub fn of(p: &Program) -> Names {
        let mut numbers = SideTable::new(None);
        let mut next = 0;
        let mut number = |values: &[Value]| {
            for &value in values.iter().filter(|&&v| p.values.get(v).is_some()) {
                numbers[value] = Some(next);
                next += 1;
            }
        };
        let Some(body) = p.regions.get(p.body) else { return Names { numbers } };
        number(&body.params);
        let mut seen: SideTable<Region, bool> = SideTable::new(false);
        seen[p.body] = true;
        // Open regions with the position of the next instruction in each.
        let mut open = vec![(p.body, 0)];
        // Regions of one instruction that are still to be entered, last first.
        let mut waiting: Vec<(usize, Region)> = Vec::new();
        while let Some((region, at)) = open.last_mut() {
            if let Some(&inst) = p.regions[*region].insts.get(*at) {
                *at += 1;
                let Some(data) = p.insts.get(inst) else { continue };
                number(&data.results);
                let depth = open.len();
                waiting.extend(data.regions.iter().rev().map(|&r| (depth, r)));
            } else {
                open.pop();
            }
            while let Some(&(depth, inner)) = waiting.last() {
                if depth != open.len() {
                    break;
                }
                waiting.pop();
                if p.regions.get(inner).is_some() && !std::mem::replace(&mut seen[inner], true) {
                    number(&p.regions[inner].params);
                    open.push((inner, 0));
                    break;
                }
            }
        }
        Names { numbers }
    }

    /// The value's number, if it is defined under the body.
    pub fn number(&self, value: Value) -> Option<u32> {
        self.numbers[value]
    }

    /// The value as text form spells it.
    pub fn name(&self, value: Value) -> Name {
        Name(self.numbers[value])
    }
}

/// A value's name; [`Names::name`].
pub struct Name(Option<u32>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "%{number}"),
            None => f.write_str("%undefined"),
        }
    }
}
