//! The fields of a table: each is asked for once, and those that nobody asked for are reported.

use super::place::{Problems, Text, loc};
use crate::codes;
use std::ops::Range;
use toml::de::{DeTable, DeValue};
use vyre_ir::text::nearest;
use vyre_ir::{Loc, diagnostic::counted};

/// A table of the file.
pub(super) struct Fields<'t> {
    /// What it is, for messages: `an operation`.
    what: &'static str,
    table: &'t DeTable<'t>,
    /// Where it is.
    pub loc: Loc,
    asked: Vec<&'static str>,
}

/// What a field says, and where.
pub(super) type Field<'t> = (&'t DeValue<'t>, Range<usize>);

impl<'t> Fields<'t> {
    pub fn new(what: &'static str, table: &'t DeTable<'t>, range: Range<usize>) -> Fields<'t> {
        Fields { what, table, loc: loc(range), asked: Vec::new() }
    }

    /// A field, whatever it is.
    pub fn any(&mut self, name: &'static str) -> Option<Field<'t>> {
        self.asked.push(name);
        let value = self.table.get(name)?;
        Some((value.get_ref(), value.span()))
    }

    /// A string.
    pub fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<Text<'t>> {
        let field = self.any(name)?;
        string(name, &field, problems)
    }

    /// A string that must be there.
    pub fn needed(&mut self, name: &'static str, problems: &mut Problems) -> Option<Text<'t>> {
        if !self.table.contains_key(name) {
            self.asked.push(name);
            self.missing(name, problems);
            return None;
        }
        self.text(name, problems)
    }

    /// Says that a field is missing.
    pub fn missing(&self, name: &str, problems: &mut Problems) {
        problems.add(codes::O022, self.loc, format!("{} has no `{name}`", self.what));
    }

    /// The elements of a list; none when the field is not there.
    pub fn list(&mut self, name: &'static str, problems: &mut Problems) -> Vec<Field<'t>> {
        let Some((value, range)) = self.any(name) else { return Vec::new() };
        match value {
            DeValue::Array(list) => list.iter().map(|item| (item.get_ref(), item.span())).collect(),
            other => {
                wrong(name, "a list", other, range, problems);
                Vec::new()
            }
        }
    }

    /// The strings of a list.
    pub fn texts(&mut self, name: &'static str, problems: &mut Problems) -> Vec<Text<'t>> {
        let list = self.list(name, problems);
        list.iter().filter_map(|field| string(name, field, problems)).collect()
    }

    /// A table.
    pub fn table(
        &mut self,
        name: &'static str,
        what: &'static str,
        problems: &mut Problems,
    ) -> Option<Fields<'t>> {
        let field = self.any(name)?;
        table(name, what, &field, problems)
    }

    /// The tables of a list.
    pub fn tables(
        &mut self,
        name: &'static str,
        what: &'static str,
        problems: &mut Problems,
    ) -> Vec<Fields<'t>> {
        let list = self.list(name, problems);
        list.iter().filter_map(|field| table(name, what, field, problems)).collect()
    }

    /// All fields, for a table whose names are not fixed.
    pub fn all(&self) -> impl Iterator<Item = (&'t str, Field<'t>)> + use<'t> {
        let table: &'t DeTable<'t> = self.table;
        table.iter().map(|(name, value)| (&**name.get_ref(), (value.get_ref(), value.span())))
    }

    /// Reports the fields that nobody asked for.
    pub fn end(self, problems: &mut Problems) {
        for name in self.table.keys().filter(|name| !self.asked.contains(&&**name.get_ref())) {
            let message = format!("{} has no field `{}`", self.what, name.get_ref());
            let near = nearest(name.get_ref(), self.asked.iter().copied());
            let fix = near.unwrap_or_else(|| format!("Its fields are {}.", self.asked.join(", ")));
            problems.add(codes::O022, loc(name.span()), message).fix = Some(fix);
        }
    }
}

/// A string.
pub(super) fn string<'t>(name: &str, field: &Field<'t>, problems: &mut Problems) -> Option<Text<'t>> {
    match field {
        (DeValue::String(value), range) => Some(Text::new(&problems.source.text, range.clone(), value)),
        (other, range) => {
            wrong(name, "a string", other, range.clone(), problems);
            None
        }
    }
}

fn table<'t>(
    name: &str,
    what: &'static str,
    field: &Field<'t>,
    problems: &mut Problems,
) -> Option<Fields<'t>> {
    match field {
        (DeValue::Table(table), range) => Some(Fields::new(what, table, range.clone())),
        (other, range) => {
            wrong(name, "a table", other, range.clone(), problems);
            None
        }
    }
}

/// Says that a field is of another kind.
pub(super) fn wrong(name: &str, wants: &str, is: &DeValue<'_>, range: Range<usize>, problems: &mut Problems) {
    let is = match is {
        DeValue::String(_) => "a string".into(),
        DeValue::Integer(_) | DeValue::Float(_) => "a number".into(),
        DeValue::Boolean(_) => "true or false".into(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(list) => format!("a list of {}", counted(list.len() as u64, "element")),
        DeValue::Table(_) => "a table".into(),
    };
    problems.add(codes::O022, loc(range), format!("`{name}` is {wants}, not {is}"));
}
