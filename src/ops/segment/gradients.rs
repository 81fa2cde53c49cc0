//! Gradients of reductions over unsorted segments. Rows of a negative segment are dropped, and get no gradient.

use crate::error::Result;
use crate::graph::Endpoint;
use crate::ops::build::{In, number};
use crate::ops::gradient::{GradientContext, Grads};
use crate::value::{DType, Value};

use super::gather;

/// What was taken from the segments, nothing where a row belongs to none.
struct Taken {
    values: Endpoint,
    /// The segments, with zero for the negative ones.
    ids: Endpoint,
    /// Which elements belong to a segment.
    is_there: Endpoint,
}

/// `max(ids, 0)`.
fn clipped(g: &mut GradientContext, ids: Endpoint) -> Result<Endpoint> {
    let zeros = g.graph.zeros_like(ids)?;
    g.op("Maximum", [ids, zeros])
}

/// Takes for each row that of its segment in `rows`.
fn take(g: &mut GradientContext, rows: Endpoint, ids: Endpoint, at: Endpoint) -> Result<Taken> {
    let gathered = gather(g, rows, at)?;
    let zero = g.graph.plain("y", ids, 0.0)?;
    let mut is_there = g.graph.call("GreaterEqual", "", [ids.into(), zero], &[])?;
    let rank = |g: &GradientContext, e: Endpoint| g.shape(e).rank().unwrap_or(0);
    for _ in rank(g, is_there)..rank(g, gathered) {
        is_there = g.graph.expand_dims(is_there, -1)?;
    }
    let all = g.graph.in_scope("ones_like", |graph| {
        let shape = graph.shape_of(gathered)?;
        let yes = graph.constant_node("Const", Value::scalar_bool(true)?)?;
        let name = graph.scope_as_name();
        graph.call("Fill", &name, [shape, yes], &[])
    })?;
    let is_there = g.graph.call("LogicalAnd", "and", [is_there, all], &[])?;
    let values = where_there(g, gathered, is_there)?;
    Ok(Taken {
        values,
        ids: at,
        is_there,
    })
}

fn where_there(g: &mut GradientContext, all: Endpoint, is_there: Endpoint) -> Result<Endpoint> {
    let zeros = g.graph.zeros_like(all)?;
    g.graph.where_(is_there, all, zeros)
}

/// The gradient goes in equal parts to the elements that are their segment's extreme.
pub(super) fn extreme(g: &mut GradientContext) -> Result<Grads> {
    let (x, ids, rows, y, dy) = (g.input(0), g.input(1), g.input(2), g.output(0), g.dy(0)?);
    let at = clipped(g, ids)?;
    let taken = take(g, y, ids, at)?;
    let is_chosen = g.op("Equal", [x, taken.values])?;
    let is_chosen = g.op("LogicalAnd", [is_chosen, taken.is_there])?;
    let dtype = g.dtype(dy);
    let ones = g.graph.cast_to(is_chosen, dtype)?;
    let count = g.op("UnsortedSegmentSum", [ones, ids, rows])?;
    let parts = g.graph.truediv(dy, count)?;
    let parts = gather(g, parts, taken.ids)?;
    let parts = where_there(g, parts, taken.is_there)?;
    let zeros = g.graph.zeros_like(parts)?;
    let made = g.graph.where_(is_chosen, parts, zeros)?;
    Ok(vec![Some(made.into()), None, None])
}

/// The product of the others: by division, or where there is one zero by leaving it out.
pub(super) fn product(g: &mut GradientContext) -> Result<Grads> {
    let (x, ids, rows, y, dy) = (g.input(0), g.input(1), g.input(2), g.output(0), g.dy(0)?);
    let zero = g.graph.plain("y", x, 0.0)?;
    let is_zero = g.graph.call("Equal", "", [x.into(), zero], &[])?;
    let ones = g.graph.cast_to(is_zero, DType::I32)?;
    let count = g.op("UnsortedSegmentSum", [ones, ids, rows])?;
    let one = In::Plain("y", number(DType::I32, 1.0)?);
    let is_lost = g.graph.call("Greater", "", [count.into(), one], &[])?;
    let none = g.graph.zeros_like(dy)?;
    let dy = g.graph.where_(is_lost, none, dy)?;
    let ones = g.graph.ones_like(x)?;
    let others = g.graph.where_(is_zero, ones, x)?;
    let others = g.op("UnsortedSegmentProd", [others, ids, rows])?;
    let at = clipped(g, ids)?;
    let products = gather(g, y, at)?;
    let others = gather(g, others, at)?;
    let divided = g.graph.truediv(products, x)?;
    let partial = g.graph.where_(is_zero, others, divided)?;
    let taken = take(g, dy, ids, at)?;
    let made = g.graph.mul(taken.values, partial)?;
    Ok(vec![Some(made.into()), None, None])
}
