//! Formulas at the end of another shader: what takes the place of `shaders/lib/end.wgsl`, so that a result goes through
//! the formula before it is stored.

use std::fmt::Write;

use smallvec::SmallVec;

use crate::expr::{Arg, Program};
use crate::value::{DType, Shape, Value};

use super::render::{body, element, has_check, includes, lane};
use super::{Formula, Formulas, is_parameter};
use crate::backend::gpu::Text;

/// How an operand of an ending is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// It is what the shader computed.
    Result,
    /// At the place of the result.
    Full,
    /// A vector along the last axis.
    Row,
    /// One element in memory.
    Single,
    /// One element among the parameters.
    Parameter,
}

/// Words of parameters that every shader with an end has for it.
const MAX_WORDS: usize = 4;

/// What follows a shader's result: the text, and what it works with.
#[derive(Clone, Debug)]
pub struct Ending {
    pub text: Text,
    /// Bound behind the shader's own inputs; the outputs follow, as many as the program has.
    pub operands: SmallVec<[Value; 4]>,
    /// Whether an operand is a vector along the last axis.
    pub has_row: bool,
    /// The last parameters.
    pub words: SmallVec<[u32; MAX_WORDS]>,
}

impl Formulas {
    /// The program as an ending of results of this shape. `operands` has nothing in the place of the result. `None`
    /// when it cannot be one: all operands must be as large as the result, vectors along its last axis, or scalars.
    pub fn ending(
        &self,
        formula: Formula,
        operands: &[Option<&Value>],
        shape: &Shape,
    ) -> Option<Ending> {
        let program = formula.program;
        let reaches: Option<SmallVec<[Reach; 6]>> = operands
            .iter()
            .map(|operand| match operand {
                Some(value) => reach(value, shape),
                None => Some(Reach::Result),
            })
            .collect();
        let key = (formula.number, reaches?);
        let (_, reaches) = &key;
        let mut ending = Ending {
            text: self.ending_text(program, &key)?,
            operands: SmallVec::new(),
            has_row: reaches.contains(&Reach::Row),
            words: SmallVec::new(),
        };
        for (operand, reach) in operands.iter().zip(reaches) {
            let Some(value) = operand else { continue };
            if *reach != Reach::Parameter {
                ending.operands.push((*value).clone());
                continue;
            }
            let mut bytes = [0u8; 8];
            let from = value.bytes().ok()?;
            bytes.get_mut(..from.len())?.copy_from_slice(from);
            for word in bytes.chunks_exact(4).take(from.len().div_ceil(4)) {
                let word = [word[0], word[1], word[2], word[3]];
                ending.words.push(u32::from_le_bytes(word));
            }
        }
        Some(ending)
    }

    fn ending_text(&self, program: &Program, key: &(usize, SmallVec<[Reach; 6]>)) -> Option<Text> {
        if let Some(known) = self.endings.read().get(key) {
            return known.clone();
        }
        let made = render(program, &key.1).map(|text| Text::new(&text));
        self.endings.write().insert(key.clone(), made.clone());
        made
    }
}

fn reach(value: &Value, shape: &Shape) -> Option<Reach> {
    if is_parameter(value) {
        return Some(Reach::Parameter);
    }
    if !value.is_on_device() || value.num_elements() == 0 {
        return None;
    }
    if value.num_elements() == shape.num_elements() {
        return Some(Reach::Full);
    }
    let is_row = value.shape().dims().last() == shape.dims().last()
        && shape.dims().last().map(|n| *n as usize) == Some(value.num_elements());
    match value.num_elements() {
        1 => Some(Reach::Single),
        _ => is_row.then_some(Reach::Row),
    }
}

/// The text in the place of `lib/end.wgsl`; `None` for what an ending cannot do.
pub(super) fn render(program: &Program, reaches: &[Reach]) -> Option<String> {
    let is_float = |arg: &Arg| program.dtype_of(*arg) == DType::F32;
    if has_check(program) || !program.outputs.iter().all(is_float) {
        return None;
    }
    let body = body(program, "formula_of_result")?;
    let mut text = format!("{}//!default C_VEC 0\n//!default END 2\n", includes(&body));
    let known = scalars(program, reaches)?;
    bind(&mut text, program, reaches);
    text.push_str(&body);
    text.push_str("//!if C_VEC\n");
    by_fours(&mut text, program, reaches, &known);
    text.push_str("//!else\n");
    one_by_one(&mut text, program, reaches, &known);
    text.push_str("//!end\n");
    Some(text)
}

/// What each operand is that is the same for all elements.
fn scalars(program: &Program, reaches: &[Reach]) -> Option<Vec<String>> {
    let mut word = 0;
    let mut all = Vec::with_capacity(reaches.len());
    for (i, reach) in reaches.iter().enumerate() {
        let dtype = program.inputs[i];
        all.push(match reach {
            Reach::Single => element(&format!("e{i}"), dtype, "0u"),
            Reach::Parameter => {
                let at = word;
                word += if dtype == DType::I64 { 2 } else { 1 };
                match dtype {
                    DType::F32 => format!("bitcast<f32>(p.end{at})"),
                    DType::I32 => format!("bitcast<i32>(p.end{at})"),
                    DType::I64 => format!("vec2<u32>(p.end{at}, p.end{})", at + 1),
                    DType::Bool => format!("((p.end{at} & 255u) != 0u)"),
                    DType::U8 => format!("(p.end{at} & 255u)"),
                    _ => return None,
                }
            }
            _ => String::new(),
        });
    }
    (word <= MAX_WORDS).then_some(all)
}

fn bind(text: &mut String, program: &Program, reaches: &[Reach]) {
    let mut next = 0;
    let mut all = Vec::new();
    for (i, reach) in reaches.iter().enumerate() {
        let word = match program.inputs[i] {
            DType::F32 => "f32",
            DType::I32 => "i32",
            _ => "u32",
        };
        let fours = match program.inputs[i] {
            DType::Bool | DType::U8 => "u32".to_string(),
            _ => format!("vec4<{word}>"),
        };
        match reach {
            Reach::Full | Reach::Row => all.push((format!("e{i}"), fours, word)),
            Reach::Single => all.push((format!("e{i}"), word.to_string(), word)),
            Reach::Result | Reach::Parameter => {}
        }
    }
    for i in 0..program.outputs.len() {
        all.push((format!("o{i}"), "vec4<f32>".to_string(), "f32"));
    }
    for (name, fours, word) in all {
        let head = format!("@group(0) @binding(END + {next}) var<storage, read_write> {name}");
        let _ = writeln!(
            text,
            "//!if C_VEC\n{head}: array<{fours}>;\n//!else\n{head}: array<{word}>;\n//!end"
        );
        next += 1;
    }
}

fn one_by_one(text: &mut String, program: &Program, reaches: &[Reach], known: &[String]) {
    let operands = reaches.iter().enumerate().map(|(i, reach)| {
        let at = |place: &str| element(&format!("e{i}"), program.inputs[i], place);
        match reach {
            Reach::Result => "v".to_string(),
            Reach::Full => at("at"),
            Reach::Row => at("n"),
            _ => known[i].clone(),
        }
    });
    let operands: Vec<String> = operands.collect();
    let _ = writeln!(
        text,
        "fn finish_one(at: u32, n: u32, v: f32) {{\nlet r = formula_of_result({});",
        operands.join(", ")
    );
    for i in 0..program.outputs.len() {
        let _ = writeln!(text, "o{i}[at] = r.r{i};");
    }
    text.push_str("}\nfn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {\n");
    for k in 0..4 {
        let _ = writeln!(
            text,
            "if n + {k}u < cols {{ finish_one(at + {k}u, n + {k}u, v[{k}]); }}"
        );
    }
    text.push_str("}\n");
}

fn by_fours(text: &mut String, program: &Program, reaches: &[Reach], known: &[String]) {
    text.push_str("fn finish(at: u32, n: u32, cols: u32, v: vec4<f32>) {\n");
    for (i, reach) in reaches.iter().enumerate() {
        let place = match reach {
            Reach::Full => "at",
            Reach::Row => "n",
            _ => continue,
        };
        let _ = match program.inputs[i] {
            DType::I64 => writeln!(
                text,
                "let f{i} = e{i}[{place} / 2u]; let g{i} = e{i}[{place} / 2u + 1u];"
            ),
            _ => writeln!(text, "let f{i} = e{i}[{place} / 4u];"),
        };
    }
    for k in 0..4 {
        let operands = reaches.iter().enumerate().map(|(i, reach)| match reach {
            Reach::Result => format!("v[{k}]"),
            Reach::Full | Reach::Row => lane(i, program.inputs[i], k),
            _ => known[i].clone(),
        });
        let operands: Vec<String> = operands.collect();
        let _ = writeln!(
            text,
            "let r{k} = formula_of_result({});",
            operands.join(", ")
        );
    }
    for i in 0..program.outputs.len() {
        let _ = writeln!(
            text,
            "o{i}[at / 4u] = vec4<f32>(r0.r{i}, r1.r{i}, r2.r{i}, r3.r{i});"
        );
    }
    text.push_str("}\n");
}
