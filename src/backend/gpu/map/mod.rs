//! Elementwise programs on a GPU: the same formulas that the CPU runs, as shaders made when first needed.

mod ending;
mod render;
mod together;
mod words;

use std::sync::Arc;

use parking_lot::RwLock;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::expr::Program;
use crate::value::{DType, DeviceBuffer, Shape, Value, bytes_for};

use super::launch::{Check, Launch, Shader, Text, groups_for};
use super::{Gpu, allocate, source};

pub use ending::{Ending, Reach};
pub use render::{Fate, Mode};
pub use together::run_with_others;

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is a new value.
    Value,
    /// It is written over the input of this number, which has its type and shape.
    Over(usize),
    /// Only the sum of the elements is kept, or their mean; of `float32`.
    Sum { is_mean: bool },
}

/// Axes of a result that strided inputs may have once neighbours are joined.
const MAX_RANK: usize = 6;
/// Words of parameters.
const MAX_WORDS: usize = 30;
/// Workgroups that add up parts of a sum.
const SUM_GROUPS: usize = 256;

/// What the text of a shader depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// The caller's number of the program.
    program: usize,
    modes: SmallVec<[Mode; 6]>,
    fates: SmallVec<[Fate; 2]>,
    rank: usize,
}

/// Shaders of programs, kept by whoever runs them again and again.
#[derive(Default)]
pub struct Formulas {
    maps: RwLock<FxHashMap<Key, Option<Arc<Rendered>>>>,
    /// By the caller's number of the program, and how its operands are read.
    endings: RwLock<FxHashMap<(usize, SmallVec<[Reach; 6]>), Option<Text>>>,
    together: RwLock<FxHashMap<together::Key, Option<Shader>>>,
}

struct Rendered {
    shader: Shader,
    has_check: bool,
}

impl Formulas {
    fn find(&self, key: &Key, program: &Program) -> Option<Arc<Rendered>> {
        if let Some(known) = self.maps.read().get(key) {
            return known.clone();
        }
        let text = render::render(program, &key.modes, &key.fates, key.rank);
        let text = text.and_then(|text| source::expand_text(&text, &[]).ok());
        let made = text.map(|text| {
            Arc::new(Rendered {
                shader: Shader::text(Text::new(&text)),
                has_check: render::has_check(program),
            })
        });
        self.maps.write().insert(key.clone(), made.clone());
        made
    }
}

/// How each input is read.
struct Layout {
    modes: SmallVec<[Mode; 6]>,
    /// Sizes of the axes, then strides of each strided input.
    dims: SmallVec<[u32; 6]>,
    strides: Vec<SmallVec<[u32; 6]>>,
}

/// Whether an input may be sent along with the command.
pub fn is_parameter(value: &Value) -> bool {
    value.num_elements() == 1 && !value.is_on_device()
}

/// A program that is run again and again.
#[derive(Clone, Copy)]
pub struct Formula<'a> {
    pub program: &'a Program,
    /// Tells it from the others of its `Formulas`.
    pub number: usize,
    /// The node, for messages.
    pub node: &'a str,
}

/// An input [outer, parts, inner] that stands for its sum over the parts, of type `float32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    pub input: usize,
    pub parts: usize,
    pub inner: usize,
}

/// Runs a program over inputs that broadcast to `shape`; those that are no parameters lie on the device. `None` when
/// no shader can do it.
pub fn run(
    gpu: &dyn Gpu,
    formulas: &Formulas,
    formula: Formula,
    inputs: &[&Value],
    shape: &Shape,
    ends: &[End],
) -> Result<Option<SmallVec<[Value; 2]>>> {
    run_over(gpu, formulas, formula, inputs, None, shape, ends)
}

/// The same where one input may be the sum of parts.
pub fn run_over(
    gpu: &dyn Gpu,
    formulas: &Formulas,
    formula: Formula,
    inputs: &[&Value],
    parts: Option<Parts>,
    shape: &Shape,
    ends: &[End],
) -> Result<Option<SmallVec<[Value; 2]>>> {
    let program = formula.program;
    let n = shape.num_elements();
    let Some(layout) = layout(inputs, parts, shape) else {
        return Ok(None);
    };
    let Ok(count) = u32::try_from(n) else {
        return Ok(None);
    };
    let fates = ends.iter().map(|end| match end {
        End::Sum { .. } => Fate::Summed,
        _ => Fate::Stored,
    });
    let key = Key {
        program: formula.number,
        modes: layout.modes.clone(),
        fates: fates.collect(),
        rank: layout.dims.len(),
    };
    let Some(rendered) = formulas.find(&key, program) else {
        return Ok(None);
    };
    let Some(params) = params(count, inputs, parts, &layout)? else {
        return Ok(None);
    };
    let in_memory = layout
        .modes
        .iter()
        .filter(|m| **m != Mode::Parameter)
        .count();
    if in_memory + ends.len() + usize::from(rendered.has_check) > gpu.limits().bindings {
        return Ok(None);
    }
    let has_sum = key.fates.contains(&Fate::Summed);
    let groups = match has_sum {
        true => [
            n.div_ceil(4 * render::LANES).clamp(1, SUM_GROUPS) as u32,
            1,
            1,
        ],
        false => groups_for(n.div_ceil(4)),
    };
    // What does not fit into one buffer is the host's.
    let has_room = |arg| {
        let bytes = bytes_for(program.dtype_of(arg), shape);
        bytes.is_ok_and(|bytes| bytes <= gpu.limits().buffer_bytes)
    };
    let is_there =
        |(value, mode): (&&Value, &Mode)| *mode == Mode::Parameter || value.is_on_device();
    if !program.outputs.iter().all(|arg| has_room(*arg))
        || !inputs.iter().zip(&layout.modes).all(is_there)
    {
        return Ok(None);
    }
    let mut results: SmallVec<[Value; 2]> = SmallVec::new();
    for (end, arg) in ends.iter().zip(&program.outputs) {
        results.push(match end {
            End::Over(input) => inputs[*input].clone().written(),
            End::Value => allocate(gpu, program.dtype_of(*arg), shape.clone())?,
            End::Sum { .. } => allocate(gpu, DType::F32, Shape::vector(groups[0] as usize))?,
        });
    }
    if n > 0 || has_sum {
        let mut bindings: SmallVec<[&DeviceBuffer; 8]> = SmallVec::new();
        let places = inputs.iter().zip(&layout.modes);
        let in_memory = places.filter(|(_, mode)| **mode != Mode::Parameter);
        for value in in_memory.map(|(value, _)| *value).chain(results.iter()) {
            let buffer = value.device_buffer();
            bindings
                .push(buffer.ok_or_else(|| Error::internal("an operand is not on the device"))?);
        }
        if bindings.iter().any(|b| b.memory().is_none()) {
            return Ok(None);
        }
        let name = formula.node.to_string();
        let check = rendered.has_check.then(|| -> Check {
            Box::new(move |_| Error::invalid("Integer division by zero").at(&*name))
        });
        gpu.launch(Launch {
            shader: &rendered.shader,
            bindings: &bindings,
            params: &params,
            groups,
            check,
        })?;
    }
    for (end, result) in ends.iter().zip(results.iter_mut()) {
        if let End::Sum { is_mean } = end {
            let divisor = if *is_mean { n as f32 } else { 1.0 };
            *result = add_up(gpu, result, divisor)?;
        }
    }
    Ok(Some(results))
}

/// The sum of the parts of a sum, divided.
fn add_up(gpu: &dyn Gpu, parts: &Value, divisor: f32) -> Result<Value> {
    let sum = allocate(gpu, DType::F32, Shape::scalar())?;
    let on_device = |value: &Value| value.device_buffer().cloned();
    let (Some(from), Some(to)) = (on_device(parts), on_device(&sum)) else {
        return Err(Error::internal("parts of a sum are not on the device"));
    };
    gpu.launch(Launch {
        shader: &Shader::file("add_up", &[]),
        bindings: &[&from, &to],
        params: &[parts.num_elements() as u32, divisor.to_bits()],
        groups: [1, 1, 1],
        check: None,
    })?;
    Ok(sum)
}

/// An input that is sent along, as words.
fn words_of(value: &Value) -> Result<SmallVec<[u32; 2]>> {
    let words = value.bytes()?.chunks(4).map(|part| {
        let mut bytes = [0u8; 4];
        bytes[..part.len()].copy_from_slice(part);
        u32::from_le_bytes(bytes)
    });
    Ok(words.collect())
}

fn params(
    n: u32,
    inputs: &[&Value],
    parts: Option<Parts>,
    layout: &Layout,
) -> Result<Option<SmallVec<[u32; 30]>>> {
    let mut words: SmallVec<[u32; 30]> = SmallVec::from_slice(&[n]);
    words.extend(layout.dims.iter().copied());
    for (i, mode) in layout.modes.iter().enumerate() {
        match mode {
            Mode::Parameter => words.extend(words_of(inputs[i])?),
            Mode::Strided => words.extend(layout.strides[i].iter().copied()),
            Mode::Parts { .. } => {
                let sizes = parts.map_or([1, 1], |p| [p.parts as u32, p.inner as u32]);
                words.extend(sizes);
            }
            _ => {}
        }
    }
    Ok((words.len() <= MAX_WORDS).then_some(words))
}

/// Modes and strides; neighbouring axes that every strided input walks alike become one.
fn layout(inputs: &[&Value], parts: Option<Parts>, shape: &Shape) -> Option<Layout> {
    let mut modes: SmallVec<[Mode; 6]> = SmallVec::new();
    let mut strides: Vec<SmallVec<[i64; 6]>> = Vec::with_capacity(inputs.len());
    for (i, value) in inputs.iter().enumerate() {
        let mode = match value {
            _ if parts.is_some_and(|p| p.input == i) => Mode::Parts {
                by_fours: parts.is_some_and(|p| p.inner.is_multiple_of(4)),
            },
            value if is_parameter(value) => Mode::Parameter,
            value if value.num_elements() == 1 && shape.num_elements() != 1 => Mode::Single,
            value if value.num_elements() == shape.num_elements() => Mode::Full,
            _ => Mode::Strided,
        };
        modes.push(mode);
        strides.push(match mode {
            Mode::Strided => strides_in(value.shape(), shape)?,
            _ => SmallVec::new(),
        });
    }
    let mut joined: SmallVec<[i64; 6]> = SmallVec::new();
    let mut kept: Vec<SmallVec<[i64; 6]>> = vec![SmallVec::new(); inputs.len()];
    if modes.contains(&Mode::Strided) {
        for (axis, dim) in shape.dims().iter().enumerate() {
            if *dim == 1 {
                continue;
            }
            let is_strided = |i: &usize| modes[*i] == Mode::Strided;
            let can_join = !joined.is_empty()
                && (0..inputs.len()).filter(is_strided).all(|i| {
                    let before = kept[i][kept[i].len() - 1];
                    before == strides[i][axis] * dim
                });
            for i in (0..inputs.len()).filter(is_strided) {
                if can_join {
                    kept[i].pop();
                }
                kept[i].push(strides[i][axis]);
            }
            match (can_join, joined.last_mut()) {
                (true, Some(last)) => *last *= dim,
                _ => joined.push(*dim),
            }
        }
    }
    if joined.len() > MAX_RANK {
        return None;
    }
    let words = |all: &SmallVec<[i64; 6]>| -> Option<SmallVec<[u32; 6]>> {
        all.iter().map(|x| u32::try_from(*x).ok()).collect()
    };
    Some(Layout {
        modes,
        dims: words(&joined)?,
        strides: kept.iter().map(words).collect::<Option<_>>()?,
    })
}

/// How far one step along each axis of the result moves in an operand of shape `own`: 0 where it is repeated.
fn strides_in(own: &Shape, shape: &Shape) -> Option<SmallVec<[i64; 6]>> {
    let lead = shape.rank().checked_sub(own.rank())?;
    let mut strides: SmallVec<[i64; 6]> = SmallVec::from_elem(0, shape.rank());
    let mut step = 1i64;
    for (axis, dim) in own.dims().iter().enumerate().rev() {
        if *dim != 1 {
            strides[lead + axis] = step;
        }
        step = step.checked_mul(*dim)?;
    }
    Some(strides)
}

#[cfg(all(test, feature = "gpu"))]
mod tests;
