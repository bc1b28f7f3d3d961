//! Takes a module apart: directives outside of functions.

mod body;
mod cursor;
mod link;
mod operand;

pub(crate) use body::Body;
pub(crate) use link::{LOCAL_BEGIN, PARAM_BEGIN, SHARED_BEGIN};
pub(crate) use operand::{Operand, special_bits};

use crate::code::{Constant, Instruction, Space, Variable};
use crate::lex::{self, Token};
use crate::module::{Module, ParseError};
use crate::types::Type;
use cursor::Cursor;
use rustc_hash::{FxHashMap, FxHashSet};

/// The most registers of a function.
const REGISTERS: usize = 1 << 20;
/// The most bytes of a variable that lies in a thread's own memory, or is given to a kernel.
const OWN_BYTES: u64 = 1 << 19;
/// The most shared memory that an architecture has.
pub(crate) const SHARED_BYTES: u64 = 232_448;
/// The most bytes of a variable of the module.
const MODULE_BYTES: u64 = 1 << 28;

/// What is known of a module while it is read.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) version: Option<(u32, u32)>,
    pub(crate) target: String,
    pub(crate) files: FxHashMap<u64, &'a str>,
    pub(crate) places: Vec<(u64, usize, usize)>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) names: FxHashMap<&'a str, u32>,
    pub(crate) functions: Vec<Function>,
    /// Names of the functions.
    defined: FxHashSet<String>,
}

/// A kernel or function, not yet linked.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) entry: bool,
    pub(crate) line: u32,
    pub(crate) registers: Vec<Type>,
    pub(crate) register_names: Vec<(String, u32, u32)>,
    pub(crate) instructions: Vec<Instruction>,
    pub(crate) constants: Vec<Constant>,
    /// Given and returned: variables, or registers.
    pub(crate) arguments: Vec<Formal>,
    pub(crate) results: Vec<Formal>,
    pub(crate) required_threads: Option<[u32; 3]>,
    pub(crate) max_threads: Option<[u32; 3]>,
}

/// A formal parameter.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub(crate) enum Formal {
    Register(u32, Type),
    Variable(u32),
}

pub(crate) fn module(text: &str) -> Result<Module, ParseError> {
    let mut cursor = Cursor::new(lex::tokens(text)?);
    let mut source = Source {
        text,
        version: None,
        target: String::new(),
        files: FxHashMap::default(),
        places: Vec::new(),
        variables: Vec::new(),
        names: FxHashMap::default(),
        functions: Vec::new(),
        defined: FxHashSet::default(),
    };
    while cursor.peek() != Token::End {
        source.directive(&mut cursor)?;
    }
    let Some(version) = source.version else {
        return Err(cursor.error("a module begins with .version"));
    };
    if source.target.is_empty() {
        return Err(cursor.error("a module says its .target"));
    }
    link::module(source, version)
}

impl<'a> Source<'a> {
    fn directive(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let mut external = false;
        loop {
            let word = cursor.word("a directive")?;
            match word {
                ".version" => {
                    let Token::Double(bits) = cursor.next() else {
                        return Err(cursor.error("a version is two numbers with a dot"));
                    };
                    let version = f64::from_bits(bits);
                    if !(1.0..100.0).contains(&version) {
                        return Err(cursor.error("no such version"));
                    }
                    let tenths = (version * 10.0).round() as u32;
                    self.version = Some((tenths / 10, tenths % 10));
                    return Ok(());
                }
                ".target" => {
                    self.target = cursor.word("a target")?.to_string();
                    while cursor.take(',') {
                        cursor.word("an option of the target")?;
                    }
                    return Ok(());
                }
                ".address_size" => {
                    return match cursor.next() {
                        Token::Integer(64) => Ok(()),
                        _ => Err(cursor.error("addresses have 64 bits")),
                    };
                }
                ".file" => return self.file(cursor),
                ".section" => return skip_section(cursor),
                ".pragma" => {
                    while cursor.next() != Token::Sign(';') {
                        if cursor.peek() == Token::End {
                            return Err(cursor.error("a `;` is missing"));
                        }
                    }
                    return Ok(());
                }
                ".visible" | ".weak" | ".common" => {}
                ".extern" => external = true,
                ".global" | ".const" | ".shared" => return self.variable(cursor, word, external),
                ".entry" | ".func" => {
                    if let Some(function) = Body::function(self, cursor, word == ".entry")? {
                        if !self.defined.insert(function.name.clone()) {
                            return Err(ParseError {
                                line: function.line as usize,
                                message: format!("`{}` is there twice", function.name),
                            });
                        }
                        self.functions.push(function);
                    }
                    return Ok(());
                }
                _ => return Err(cursor.error(&format!("`{word}` is no directive known here"))),
            }
        }
    }

    pub(crate) fn file(&mut self, cursor: &mut Cursor<'a>) -> Result<(), ParseError> {
        let (Token::Integer(number), Token::Text(name)) = (cursor.next(), cursor.next()) else {
            return Err(cursor.error("a .file has a number and a name"));
        };
        while cursor.take(',') {
            cursor.next();
        }
        self.files.insert(number, name);
        Ok(())
    }

    fn variable(&mut self, cursor: &mut Cursor<'a>, space: &str, external: bool) -> Result<(), ParseError> {
        let space = match space {
            ".global" => Space::Global,
            ".const" => Space::Const,
            _ => Space::Shared,
        };
        for (name, variable) in declared(cursor, space, external)? {
            if self.names.insert(name, self.variables.len() as u32).is_some() {
                return Err(cursor.error(&format!("`{name}` is there twice")));
            }
            self.variables.push(variable);
        }
        cursor.expect(';')
    }
}

fn skip_section(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    while cursor.next() != Token::Sign('}') {
        if cursor.peek() == Token::End {
            return Err(cursor.error("a `}` is missing"));
        }
    }
    Ok(())
}

/// Variables of a space: `.align 8 .b32 name[4][2] = {...}, ...`. The `;` is left.
pub(crate) fn declared<'a>(
    cursor: &mut Cursor<'a>,
    space: Space,
    external: bool,
) -> Result<Vec<(&'a str, Variable)>, ParseError> {
    let (kind, lanes, mut align) = typed(cursor)?;
    if kind == Type::Pred {
        return Err(cursor.error("memory holds no predicates"));
    }
    if align == 0 {
        align = kind.bytes() * lanes;
    }
    let element = u64::from(kind.bytes() * lanes);
    let mut out = Vec::new();
    loop {
        let name = cursor.name()?;
        let (mut bytes, mut dynamic) = (element, false);
        while cursor.take('[') {
            if cursor.take(']') {
                dynamic = true;
                continue;
            }
            let count = cursor.integer()?;
            cursor.expect(']')?;
            bytes = bytes
                .checked_mul(count)
                .filter(|bytes| *bytes <= MODULE_BYTES)
                .ok_or_else(|| cursor.error(&format!("`{name}` is too large")))?;
        }
        let mut initial = Vec::new();
        if cursor.take('=') {
            initialize(cursor, kind, &mut initial, 0)?;
            if dynamic {
                bytes = initial.len() as u64;
                dynamic = false;
            }
            if initial.len() as u64 > bytes || !matches!(space, Space::Global | Space::Const) {
                return Err(cursor.error(&format!("`{name}` cannot be initialized so")));
            }
        }
        if dynamic && !(external && space == Space::Shared) {
            return Err(cursor.error(&format!("`{name}` has no size")));
        }
        let limit = match space {
            Space::Shared => SHARED_BYTES,
            Space::Global | Space::Const => MODULE_BYTES,
            _ => OWN_BYTES,
        };
        if bytes > limit {
            return Err(cursor.error(&format!("`{name}` is too large: {bytes} bytes")));
        }
        if dynamic {
            bytes = 0;
        }
        let name_owned = name.to_string();
        out.push((
            name,
            Variable { name: name_owned, space, bytes, align, initial, dynamic, of_entry: false },
        ));
        if !cursor.take(',') {
            return Ok(out);
        }
    }
}

/// `.align`, vector and type; the alignment is 0 where nothing says it.
pub(crate) fn typed(cursor: &mut Cursor<'_>) -> Result<(Type, u32, u32), ParseError> {
    let (mut align, mut lanes) = (0, 1);
    loop {
        let word = cursor.word("a type")?;
        match word {
            ".align" => {
                let value = cursor.integer()?;
                if !value.is_power_of_two() || value > 1 << 16 {
                    return Err(cursor.error("an alignment is a power of two"));
                }
                align = value as u32;
            }
            ".v2" => lanes = 2,
            ".v4" => lanes = 4,
            ".ptr" | ".global" | ".const" | ".shared" | ".local" => {}
            _ => {
                let kind = word.strip_prefix('.').and_then(Type::named);
                return match kind {
                    Some(kind) => Ok((kind, lanes, align)),
                    None => Err(cursor.error(&format!("`{word}` is no type"))),
                };
            }
        }
    }
}

/// Values in braces, or one value.
fn initialize(cursor: &mut Cursor<'_>, kind: Type, out: &mut Vec<u8>, depth: u32) -> Result<(), ParseError> {
    if cursor.take('{') {
        if depth > 8 {
            return Err(cursor.error("too many braces"));
        }
        while !cursor.take('}') {
            initialize(cursor, kind, out, depth + 1)?;
            if !cursor.take(',') {
                cursor.expect('}')?;
                break;
            }
        }
        return Ok(());
    }
    let negative = cursor.take('-');
    let sign = |value: u64| if negative { value.wrapping_neg() } else { value };
    let value = match (cursor.next(), kind) {
        (Token::Integer(value), Type::F32) => {
            u64::from((if negative { -(value as f32) } else { value as f32 }).to_bits())
        }
        (Token::Integer(value), Type::F64) => {
            (if negative { -(value as f64) } else { value as f64 }).to_bits()
        }
        (Token::Integer(value), _) => sign(value),
        (Token::Single(bits), Type::F32 | Type::B32) => u64::from(bits ^ if negative { 1 << 31 } else { 0 }),
        (Token::Double(bits), Type::F64 | Type::B64) => bits ^ if negative { 1 << 63 } else { 0 },
        (Token::Double(bits), Type::F32) => {
            u64::from((f64::from_bits(bits) as f32).to_bits() ^ if negative { 1 << 31 } else { 0 })
        }
        _ => return Err(cursor.error("no value to initialize with")),
    };
    out.extend_from_slice(&value.to_le_bytes()[..kind.bytes() as usize]);
    Ok(())
}
