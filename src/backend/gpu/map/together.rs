//! Programs that only write over operands, as the updates of variables and of their averages: many in one dispatch.

use std::fmt::Write;

use smallvec::SmallVec;

use crate::error::Result;
use crate::expr::Program;
use crate::value::{DType, DeviceBuffer, Shape, Value};

use super::super::launch::{Member, Shader, Text};
use super::super::{Gpu, source};
use super::render::{self, LANES, Mode};
use super::{Formula, Formulas, is_parameter, words_of};

/// Programs by the caller's number, and which of their inputs are parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    program: usize,
    modes: SmallVec<[Mode; 6]>,
}

/// Runs a program whose outputs are written over the inputs `over`. False when it is not one for company: an input
/// broadcasts, or something else than `float32` lies in memory.
pub fn run_with_others(
    gpu: &dyn Gpu,
    formulas: &Formulas,
    formula: Formula,
    inputs: &[&Value],
    shape: &Shape,
    over: &[usize],
) -> Result<bool> {
    let n = shape.num_elements();
    let mut modes: SmallVec<[Mode; 6]> = SmallVec::new();
    let mut shared: SmallVec<[u32; 8]> = SmallVec::new();
    let mut bindings: SmallVec<[&DeviceBuffer; 6]> = SmallVec::new();
    for value in inputs {
        if is_parameter(value) {
            modes.push(Mode::Parameter);
            shared.extend(words_of(value)?);
            continue;
        }
        let buffer = value.device_buffer().filter(|b| b.memory().is_some());
        match buffer {
            Some(buffer) if value.num_elements() == n && value.dtype() == DType::F32 => {
                modes.push(Mode::Full);
                bindings.push(buffer);
            }
            _ => return Ok(false),
        }
    }
    let Ok(count) = u32::try_from(n) else {
        return Ok(false);
    };
    let key = Key {
        program: formula.number,
        modes,
    };
    let Some(shader) = formulas.find_together(&key, formula.program, over) else {
        return Ok(false);
    };
    if bindings.len() > gpu.limits().bindings || shared.len() >= super::MAX_WORDS {
        return Ok(false);
    }
    gpu.launch_with_others(Member {
        shader: &shader,
        bindings: &bindings,
        shared: &shared,
        count,
        lanes: 4,
    })?;
    Ok(true)
}

impl Formulas {
    fn find_together(&self, key: &Key, program: &Program, over: &[usize]) -> Option<Shader> {
        if let Some(known) = self.together.read().get(key) {
            return known.clone();
        }
        let text = render_together(program, &key.modes, over);
        let made = text.map(|text| Shader::text(Text::new(&text)));
        self.together.write().insert(key.clone(), made.clone());
        made
    }
}

/// The shader for the constant `MEMBERS`, when the program is one for it. Bindings of a member: its inputs that lie in
/// memory. Parameters: those of the program, then of each member its number of elements.
fn render_together(program: &Program, modes: &[Mode], over: &[usize]) -> Option<String> {
    let is_float = |arg| program.dtype_of(arg) == DType::F32;
    if render::has_check(program) || !program.outputs.iter().all(|arg| is_float(*arg)) {
        return None;
    }
    let body = render::body(program, "at")?;
    let mut text = render::includes(&body);
    text.push_str("//!default MEMBERS 1\nstruct Params { zero: u32, flag: u32,");
    for (i, mode) in modes.iter().enumerate() {
        if *mode == Mode::Parameter {
            text.push_str(&render::fields(i, program.inputs[i]));
        }
    }
    text.push_str("\n//!for m in 0..MEMBERS\nn$m: u32,\n//!end\n}\nvar<immediate> p: Params;\n");
    let full = || (0..modes.len()).filter(|i| modes[*i] == Mode::Full);
    let each = full().count();
    text.push_str("//!for m in 0..MEMBERS\n");
    for (place, i) in full().enumerate() {
        let _ = writeln!(
            text,
            "@group(0) @binding($m * {each} + {place}) var<storage, read_write> b$m_{i}: array<vec4<f32>>;"
        );
    }
    let _ = writeln!(
        text,
        "//!end\n{body}@compute @workgroup_size({LANES})\nfn main(@builtin(workgroup_id) wid: vec3<u32>, \
         @builtin(local_invocation_index) lid: u32) {{\n\
         // Among the groups of the member; beyond them it is the next one's, and far above all others' afterwards.\n\
         var group = wid.y * 65535u + wid.x;"
    );
    for (i, mode) in modes.iter().enumerate() {
        if *mode == Mode::Parameter {
            let _ = writeln!(
                text,
                "let c{i} = {};",
                render::parameter(i, program.inputs[i])?
            );
        }
    }
    let _ = writeln!(
        text,
        "//!for m in 0..MEMBERS\nlet quads$m = (p.n$m + 3u) / 4u;\nlet groups$m = (quads$m + {LANES}u - 1u) / {LANES}u;\n\
         if group < groups$m && group * {LANES}u + lid < quads$m {{\nlet i = group * {LANES}u + lid;"
    );
    for i in full() {
        let _ = writeln!(text, "let f{i} = b$m_{i}[i];");
    }
    for k in 0..4 {
        let operand = |i: usize| match modes[i] {
            Mode::Full => render::lane(i, DType::F32, k),
            _ => format!("c{i}"),
        };
        let operands: Vec<String> = (0..modes.len()).map(operand).collect();
        let _ = writeln!(text, "let r{k} = at({});", operands.join(", "));
    }
    for (output, input) in over.iter().enumerate() {
        let _ = writeln!(
            text,
            "b$m_{input}[i] = vec4<f32>(r0.r{output}, r1.r{output}, r2.r{output}, r3.r{output});"
        );
    }
    text.push_str("}\ngroup -= groups$m;\n//!end\n}\n");
    // What does not read is found here, not when the device compiles it.
    source::expand_text(&text, &[("MEMBERS", 2)]).ok()?;
    Some(text)
}
