//! Instructions with inputs and what they must give: one kernel each, one thread for each input.

use super::{Given, launch_module, ptxas, refused, seeded, shape};
use vyre_ptx_vm::parse;

/// Instructions to be checked together.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

struct Row {
    text: String,
    result: u32,
    sources: Vec<u32>,
    cases: Vec<(Vec<u64>, u64)>,
}

impl Table {
    /// An instruction in which `$d` is the result and `$0`, `$1` are inputs, all of them registers of so many bits, 1
    /// for predicates; what it must give for each of some inputs.
    pub fn row(
        &mut self,
        text: &str,
        result: u32,
        sources: &[u32],
        inputs: &[Vec<u64>],
        expected: impl Fn(&[u64]) -> u64,
    ) {
        let cut = |value: u64, bits: u32| value & (u64::MAX >> (64 - bits));
        let cases = inputs
            .iter()
            .map(|input| {
                let input: Vec<u64> =
                    input.iter().zip(sources).map(|(value, bits)| cut(*value, *bits)).collect();
                let expected = cut(expected(&input), result);
                (input, expected)
            })
            .collect();
        self.rows.push(Row { text: text.to_string(), result, sources: sources.to_vec(), cases });
    }

    /// Checks all of them; they assemble too, where the assembler is at hand.
    ///
    /// # Panics
    /// Where one gives something else.
    pub fn check(&self, name: &str) {
        let mut text = ".version 8.0\n.target sm_90\n.address_size 64\n".to_string();
        for (at, row) in self.rows.iter().enumerate() {
            text.push_str(&row.kernel(at));
        }
        let module = parse(&text).unwrap_or_else(|e| {
            panic!("{e}: {}", text.lines().nth(e.line - 1).unwrap_or_default());
        });
        if let Some(ptxas) = ptxas() {
            assert_eq!(refused(&ptxas, &text, name), None);
        }
        let mut wrong = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let count = row.cases.len();
            let mut given: Vec<Given> = (0..row.sources.len())
                .map(|source| {
                    Given::Buffer(
                        row.cases.iter().flat_map(|(input, _)| input[source].to_le_bytes()).collect(),
                    )
                })
                .collect();
            given.push(Given::Unwritten(8 * count));
            given.push(Given::U32(count as u32));
            let mut one = module.clone();
            one.entries.swap(0, at);
            let blocks = count.div_ceil(256) as u32;
            let (buffers, _) = launch_module(&one, &shape(blocks, 256), &given, &seeded(0))
                .unwrap_or_else(|e| panic!("{}: {e}", row.text));
            let results = buffers[row.sources.len()].chunks_exact(8);
            let failures = row.cases.iter().zip(results).filter_map(|((input, expected), found)| {
                let found = u64::from_le_bytes(found.try_into().expect("eight bytes"));
                (found != *expected)
                    .then(|| format!("{}: {input:x?} gives {found:#x}, not {expected:#x}", row.text))
            });
            wrong.extend(failures.take(3));
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

impl Row {
    fn kernel(&self, at: usize) -> String {
        let params: Vec<String> =
            (0..self.sources.len()).map(|source| format!(".param .u64 in{source}, ")).collect();
        let mut text = format!(
            ".visible .entry k{at}({}.param .u64 out, .param .u32 count) {{\n.reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<9>; .reg .b64 %q<9>; .reg .pred %g; .reg .u64 %a<3>; .reg .u32 %i<5>; .reg .u64 %z;\n",
            params.concat()
        );
        text.push_str("mov.u32 %i0, %tid.x; mov.u32 %i1, %ctaid.x; shl.b32 %i1, %i1, 8; add.u32 %i0, %i0, %i1; ld.param.u32 %i2, [count]; setp.ge.u32 %g, %i0, %i2; @%g exit; mul.wide.u32 %a0, %i0, 8;\n");
        let mut line = self.text.clone();
        for (source, bits) in self.sources.iter().enumerate() {
            text.push_str(&format!("ld.param.u64 %a1, [in{source}]; add.u64 %a1, %a1, %a0; "));
            let register = format!("%{}{}", letter(*bits), source + 1);
            match bits {
                1 => text.push_str(&format!("ld.global.b32 %i3, [%a1]; setp.ne.u32 {register}, %i3, 0;\n")),
                bits => text.push_str(&format!("ld.global.b{bits} {register}, [%a1];\n")),
            }
            line = line.replace(&format!("${source}"), &register);
        }
        let result = format!("%{}0", letter(self.result));
        text.push_str(&line.replace("$d", &result));
        // What needs registers of its own stands in braces.
        text.push_str(if self.text.ends_with(" }") { "\n" } else { ";\n" });
        match self.result {
            1 => text.push_str(&format!("selp.u64 %z, 1, 0, {result};\n")),
            64 => text.push_str(&format!("mov.b64 %z, {result};\n")),
            bits => text.push_str(&format!("cvt.u64.u{bits} %z, {result};\n")),
        }
        text.push_str("ld.param.u64 %a2, [out]; add.u64 %a2, %a2, %a0; st.global.u64 [%a2], %z;\nret;\n}\n");
        text
    }
}

fn letter(bits: u32) -> char {
    match bits {
        1 => 'p',
        16 => 'h',
        32 => 'r',
        _ => 'q',
    }
}
