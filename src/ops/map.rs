//! Elementwise ops by their formulas: a node's program, and running it.

use smallvec::SmallVec;

use crate::backend::cpu::map::{self, Compiled};
use crate::error::{Error, Result};
use crate::expr::{Builder, Expr, Program};
use crate::graph::Node;
use crate::value::{DType, Value};
use crate::{bail, ensure};

use super::Run;

/// How an elementwise node runs.
pub enum Map {
    Program(Compiled),
    /// Strings, which no program computes: joined or compared.
    Strings(fn(&[u8], &[u8]) -> StringResult),
}

/// What comes of two strings.
pub enum StringResult {
    Text(Vec<u8>),
    Truth(bool),
}

/// The program of a node with operands of these types; `None` when its op is not elementwise.
pub fn compile(node: &Node, run: &Run, dtypes: &[DType]) -> Result<Option<Map>> {
    if dtypes.contains(&DType::String) && matches!(run, Run::Map(_) | Run::MapWith(_)) {
        return Ok(Some(Map::Strings(match node.op() {
            "Add" => |a, b| StringResult::Text([a, b].concat()),
            "Equal" => |a, b| StringResult::Truth(a == b),
            "NotEqual" => |a, b| StringResult::Truth(a != b),
            op => bail!(unimplemented, "no kernel for {op} of strings"),
        })));
    }
    if is_sum(node) {
        return Ok(Some(Map::Program(Compiled::new(sum_program(dtypes)?))));
    }
    let operands = Expr::inputs(dtypes.len());
    let formula = match run {
        Run::Map(formula) => formula(&operands),
        Run::MapWith(formula) => formula(&operands, &node.attrs)?,
        _ => return Ok(None),
    };
    let program = Program::of(&formula, dtypes)?;
    Ok(Some(Map::Program(Compiled::new(program))))
}

/// Whether a node adds up terms of one shape: it does not broadcast.
pub fn is_sum(node: &Node) -> bool {
    matches!(node.op(), "AddN" | "AccumulateNV2")
}

/// The terms of a sum have one shape.
pub fn check_terms<'v>(node: &Node, terms: impl IntoIterator<Item = &'v Value>) -> Result<()> {
    let mut terms = terms.into_iter().map(Value::shape);
    let Some(first) = terms.next() else {
        return Ok(());
    };
    for (i, shape) in terms.enumerate() {
        ensure!(
            shape == first,
            invalid,
            "Inputs to operation {} of type {} must have the same size and shape.  Input 0: {first} != input {}: {shape}",
            node.name,
            node.op(),
            i + 1
        );
    }
    Ok(())
}

/// A sum of many terms as a formula would be as deep as they are many; a program is flat.
fn sum_program(dtypes: &[DType]) -> Result<Program> {
    let pair = Expr::inputs(2);
    let pair = &pair[0] + &pair[1];
    let mut builder = Builder::default();
    let terms: Vec<_> = dtypes
        .iter()
        .map(|t| builder.input(*t))
        .collect::<Result<_>>()?;
    let Some((first, others)) = terms.split_first() else {
        bail!(invalid, "a sum of no terms");
    };
    let mut sum = *first;
    for term in others {
        sum = builder.add(&pair, &[sum, *term])?;
    }
    Ok(builder.finish(vec![sum]))
}

impl Map {
    pub fn run(&self, inputs: &[&Value]) -> Result<SmallVec<[Value; 1]>> {
        match self {
            Map::Program(program) => map::run(program, inputs),
            Map::Strings(f) => Ok(SmallVec::from_iter([run_strings(*f, inputs)?])),
        }
    }
}

fn run_strings(f: fn(&[u8], &[u8]) -> StringResult, inputs: &[&Value]) -> Result<Value> {
    ensure!(
        inputs.len() == 2,
        internal,
        "{} operands for two strings",
        inputs.len()
    );
    let shape = map::broadcast(inputs.iter().map(|v| v.shape()))?;
    let places: Vec<Vec<i64>> = inputs
        .iter()
        .map(|v| places(v, &shape))
        .collect::<Result<_>>()?;
    let (a, b) = (inputs[0].string_slice()?, inputs[1].string_slice()?);
    let mut texts = Vec::new();
    let mut truths = Vec::new();
    for i in 0..shape.num_elements() {
        match f(&a[places[0][i] as usize], &b[places[1][i] as usize]) {
            StringResult::Text(text) => texts.push(text),
            StringResult::Truth(truth) => truths.push(truth),
        }
    }
    if truths.is_empty() && shape.num_elements() > 0 {
        Value::strings(shape, texts)
    } else {
        Value::from_bools(shape, &truths)
    }
}

/// For each element of the result the place of its operand.
fn places(value: &Value, shape: &crate::value::Shape) -> Result<Vec<i64>> {
    let all: Vec<i64> = (0..value.num_elements() as i64).collect();
    let all = Value::from_slice(value.shape().clone(), &all)?;
    Ok(map::expand(&all, shape)?.slice::<i64>()?.to_vec())
}

/// Runs an elementwise node once.
pub fn run_once(node: &Node, run: &Run, inputs: &[Value]) -> Result<Vec<Value>> {
    let dtypes: SmallVec<[DType; 4]> = inputs.iter().map(Value::dtype).collect();
    let map = compile(node, run, &dtypes)?
        .ok_or_else(|| Error::internal(format!("{} is not elementwise", node.op())))?;
    if is_sum(node) {
        check_terms(node, inputs)?;
    }
    let inputs: SmallVec<[&Value; 4]> = inputs.iter().collect();
    Ok(map.run(&inputs)?.into_vec())
}
