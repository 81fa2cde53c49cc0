//! Stacks of tensors: what the gradient of a loop keeps from the forward pass, one stack a value, made anew in each run.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::ensure;
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Value};

use super::Op;
use super::kernel::KernelContext;

pub(super) const OPS: &[Op] = &[
    Op::new("StackV2", "max_size: int32 -> handle: resource")
        .attr("elem_type: type")
        .attr("stack_name: string = ''")
        .stateful()
        .shape(handle_shape)
        .host(make),
    Op::new("StackPushV2", "handle: resource, elem: T -> output: T")
        .attr("T: type")
        .attr("swap_memory: bool = false")
        .stateful()
        .shape(push_shape)
        .host(push),
    Op::new("StackPopV2", "handle: resource -> elem: elem_type")
        .attr("elem_type: type")
        .stateful()
        .shape(pop_shape)
        .host(pop),
    Op::new("StackCloseV2", "handle: resource ->")
        .stateful()
        .shape(pop_shape)
        .host(close),
];

/// Handles of stacks and tensor arrays were once vectors of two strings, and kept that shape.
fn handle_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::vector(2));
    Ok(())
}

fn push_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.input(1);
    c.set(0, shape);
    Ok(())
}

fn pop_shape(_: &mut ShapeContext) -> Result<()> {
    Ok(())
}

struct Stack {
    name: String,
    dtype: DType,
    /// `None`: as many as there is memory for.
    capacity: Option<usize>,
    content: Mutex<Content>,
}

#[derive(Default)]
struct Content {
    values: Vec<Value>,
    is_closed: bool,
}

/// Numbers the stacks of the process, for messages.
static COUNT: AtomicU64 = AtomicU64::new(0);

fn make(c: &mut KernelContext) -> Result<()> {
    let size = c.scalar_input(0, "Stack size")?.int()?;
    let name = match c.attrs().str("stack_name")? {
        "" => &*c.node.name,
        name => name,
    };
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let stack = Stack {
        name: format!("{name}_{number}"),
        dtype: c.attrs().dtype("elem_type")?,
        capacity: usize::try_from(size).ok(),
        content: Mutex::default(),
    };
    c.set_output(
        0,
        Value::handle(DType::Resource, std::sync::Arc::new(stack)),
    );
    Ok(())
}

fn push(c: &mut KernelContext) -> Result<()> {
    let stack = c.resource_input::<Stack>(0, "stack")?;
    let value = c.take_input(1)?;
    ensure!(
        value.dtype() == stack.dtype,
        invalid,
        "Must have type {} but got {}",
        stack.dtype.short_name(),
        value.dtype().short_name()
    );
    let mut content = stack.content.lock();
    check_open(&stack, &content)?;
    ensure!(
        stack.capacity.is_none_or(|n| content.values.len() < n),
        invalid,
        "Stack[{}] overflowed its max_size ({})",
        stack.name,
        content.values.len()
    );
    content.values.push(value.clone());
    drop(content);
    c.set_output(0, value);
    Ok(())
}

fn pop(c: &mut KernelContext) -> Result<()> {
    let stack = c.resource_input::<Stack>(0, "stack")?;
    let mut content = stack.content.lock();
    check_open(&stack, &content)?;
    let value = content.values.pop();
    drop(content);
    let Some(value) = value else {
        crate::bail!(
            invalid,
            "Stack[{}] is empty when calling Pop().",
            stack.name
        );
    };
    let wanted = c.attrs().dtype("elem_type")?;
    ensure!(
        value.dtype() == wanted,
        internal,
        "Output 0 of type {} does not match declared output type {}",
        value.dtype().short_name(),
        wanted.short_name()
    );
    c.set_output(0, value);
    Ok(())
}

fn check_open(stack: &Stack, content: &Content) -> Result<()> {
    ensure!(
        !content.is_closed,
        invalid,
        "Stack[{}] has already been closed.",
        stack.name
    );
    Ok(())
}

fn close(c: &mut KernelContext) -> Result<()> {
    let stack = c.resource_input::<Stack>(0, "stack")?;
    let mut content = stack.content.lock();
    content.values.clear();
    content.is_closed = true;
    Ok(())
}
