//! Conditionals, loops, and ops that are there for their effects. The executor itself runs Switch, Merge and the frames.

pub mod gradients;
mod sums;

use std::io::Write;

use crate::ensure;
use crate::error::{Error, Result};
use crate::graph::{ShapeContext, with_rank};
use crate::value::{PartialShape, Value};

use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("NoOp", "->").host(|_| Ok(())),
    Op::new("ControlTrigger", "->").host(|_| Ok(())),
    Op::new(
        "Switch",
        "data: T, pred: bool -> output_false: T, output_true: T",
    )
    .attr("T: type")
    .shape(switch_shape)
    .grad(gradients::switch_grad)
    .control_flow(),
    Op::new(
        "RefSwitch",
        "data: Ref(T), pred: bool -> output_false: Ref(T), output_true: Ref(T)",
    )
    .attr("T: type")
    .allows_uninitialized_input()
    .shape(switch_shape)
    .grad(gradients::switch_grad)
    .control_flow(),
    Op::new("Merge", "inputs: N * T -> output: T, value_index: int32")
        .attr("T: type")
        .attr("N: int >= 1")
        .shape(merge_shape)
        .grad(gradients::merge_grad)
        .control_flow(),
    Op::new(
        "RefMerge",
        "inputs: Ref(N * T) -> output: Ref(T), value_index: int32",
    )
    .attr("T: type")
    .attr("N: int >= 1")
    .shape(merge_shape)
    .grad(gradients::merge_grad)
    .control_flow(),
    Op::new("Enter", "data: T -> output: T")
        .attr("T: type")
        .attr("frame_name: string")
        .attr("is_constant: bool = false")
        .attr("parallel_iterations: int = 10")
        .shape(enter_shape)
        .grad(gradients::enter_grad)
        .control_flow(),
    Op::new("RefEnter", "data: Ref(T) -> output: Ref(T)")
        .attr("T: type")
        .attr("frame_name: string")
        .attr("is_constant: bool = false")
        .attr("parallel_iterations: int = 10")
        .shape(enter_shape)
        .grad(gradients::enter_grad)
        .control_flow(),
    Op::new("Exit", "data: T -> output: T")
        .attr("T: type")
        .shape(forwarded_shape)
        .grad(gradients::exit_grad)
        .control_flow(),
    Op::new("RefExit", "data: Ref(T) -> output: Ref(T)")
        .attr("T: type")
        .shape(forwarded_shape)
        .grad(gradients::exit_grad)
        .control_flow(),
    Op::new("NextIteration", "data: T -> output: T")
        .attr("T: type")
        .shape(forwarded_shape)
        .grad(gradients::next_iteration_grad)
        .control_flow(),
    Op::new("RefNextIteration", "data: Ref(T) -> output: Ref(T)")
        .attr("T: type")
        .shape(forwarded_shape)
        .grad(gradients::next_iteration_grad)
        .control_flow(),
    Op::new("LoopCond", "input: bool -> output: bool")
        .shape(loop_cond_shape)
        .grad(gradients::no_gradient)
        .control_flow(),
    Op::new("Assert", "condition: bool, data: T ->")
        .attr("T: list(type) >= 1")
        .attr("summarize: int = 3")
        .stateful()
        .no_grad()
        .host(assert),
    Op::new("Print", "input: T, data: U -> output: T")
        .attr("T: type")
        .attr("U: list(type) >= 0")
        .attr("message: string = ''")
        .attr("first_n: int = -1")
        .attr("summarize: int = 3")
        .stateful()
        .shape(shape::unchanged)
        .grad(print_grad)
        .host(print),
    Op::new("Abort", "->")
        .attr("error_msg: string = ''")
        .attr("exit_without_error: bool = false")
        .host(abort),
];

fn switch_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(1), 0)?;
    let (shape, handle) = (c.input(0), c.input_handle(0));
    for i in 0..2 {
        c.set(i, shape.clone());
        c.set_handle(i, handle.clone());
    }
    Ok(())
}

/// What all inputs have in common: a dimension on which they differ is unknown.
fn merge_shape(c: &mut ShapeContext) -> Result<()> {
    let mut common = c.input(0);
    for i in 1..c.num_inputs() {
        let other = c.input(i);
        common = match (common.dims(), other.dims()) {
            (Some(a), Some(b)) if a.len() == b.len() => {
                let both = a.iter().zip(b).map(|(a, b)| if a == b { *a } else { -1 });
                PartialShape::from_dims(both.collect::<Vec<_>>())
            }
            _ => PartialShape::unknown(),
        };
    }
    c.set(0, common);
    c.set(1, PartialShape::scalar());
    let handle = c.input_handle(0);
    c.set_handle(0, handle);
    Ok(())
}

fn enter_shape(c: &mut ShapeContext) -> Result<()> {
    let handle = c.input_handle(0);
    c.set_handle(0, handle);
    // Other iterations may bring other shapes, unless it is one value for all of them.
    if c.attrs().bool("is_constant")? {
        let shape = c.input(0);
        c.set(0, shape);
    }
    Ok(())
}

fn forwarded_shape(c: &mut ShapeContext) -> Result<()> {
    let (shape, handle) = (c.input(0), c.input_handle(0));
    c.set(0, shape);
    c.set_handle(0, handle);
    Ok(())
}

fn loop_cond_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(0), 0)?;
    c.set(0, PartialShape::scalar());
    Ok(())
}

/// The first `limit` elements as TensorFlow prints them: `[1 2 3...]`.
pub(super) fn summarize(value: &Value, limit: i64) -> Result<String> {
    let total = value.num_elements();
    let shown = if limit < 0 {
        total
    } else {
        total.min(limit as usize)
    };
    let items = super::string::elements_as_text(value, shown)?;
    let more = if shown < total { "..." } else { "" };
    if value.shape().is_scalar() {
        return Ok(items.join(" "));
    }
    Ok(nested(value.shape().dims(), &items, more))
}

/// Elements in brackets, one pair an axis.
fn nested(dims: &[i64], items: &[String], more: &str) -> String {
    let mut text = String::new();
    let rank = dims.len();
    let mut sizes = vec![1usize; rank + 1];
    for axis in (0..rank).rev() {
        sizes[axis] = sizes[axis + 1] * dims[axis] as usize;
    }
    text.push('[');
    if !items.is_empty() {
        text.push_str(&"[".repeat(rank - 1));
    }
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            let ends = (1..rank).filter(|axis| i % sizes[*axis] == 0).count();
            match ends {
                0 => text.push(' '),
                n => {
                    text.push_str(&"]".repeat(n));
                    text.push_str(&"[".repeat(n));
                }
            }
        }
        text.push_str(item);
    }
    // Within a row that is cut short, and behind the rows that are shown.
    if rank > 1 && !items.is_empty() {
        if !items.len().is_multiple_of(sizes[rank - 1]) {
            text.push_str(more);
        }
        text.push_str(&"]".repeat(rank - 1));
    }
    text.push_str(more);
    text.push(']');
    text
}

/// The text of a tensor in one pair of brackets, which it has already unless it is a scalar.
fn in_brackets(text: &str) -> String {
    let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
    format!("[{}]", inner.unwrap_or(text))
}

fn assert(c: &mut KernelContext) -> Result<()> {
    let condition = c.input(0)?;
    ensure!(
        condition.shape().is_scalar(),
        invalid,
        "In[0] should be a scalar: {}",
        condition.shape()
    );
    if condition.item_bool()? {
        return Ok(());
    }
    let limit = c.attrs().int("summarize")?;
    let mut message = String::from("assertion failed: ");
    for i in 1..c.num_inputs() {
        message.push_str(&in_brackets(&summarize(c.input(i)?, limit)?));
        if i + 1 < c.num_inputs() {
            message.push(' ');
        }
    }
    Err(Error::invalid(message))
}

fn print_grad(g: &mut GradientContext) -> Result<Grads> {
    let mut grads = vec![None; g.num_inputs()];
    grads[0] = g.out_grad(0);
    Ok(grads)
}

fn print(c: &mut KernelContext) -> Result<()> {
    let limit = c.attrs().int("summarize")?;
    let first = c.attrs().int("first_n")?;
    let count = c.state(|| Ok(std::sync::atomic::AtomicI64::new(0)))?;
    let seen = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    if first < 0 || seen < first {
        let mut line = String::from_utf8_lossy(c.attrs().bytes("message")?).into_owned();
        for i in 1..c.num_inputs() {
            let text = summarize(c.input(i)?, limit)?;
            line.push_str(&in_brackets(&text));
        }
        line.push('\n');
        // A closed stderr is no reason to stop a training run.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    let value = c.take_input(0)?;
    c.set_output(0, value);
    Ok(())
}

fn abort(c: &mut KernelContext) -> Result<()> {
    if c.attrs().bool("exit_without_error")? {
        return Ok(());
    }
    let message = String::from_utf8_lossy(c.attrs().bytes("error_msg")?).into_owned();
    Err(Error::new(
        crate::error::Code::Aborted,
        format!("Abort: {message}"),
    ))
}
