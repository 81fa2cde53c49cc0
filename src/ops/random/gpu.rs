//! Random numbers on a GPU: the streams are the CPU's, seed for seed.

use crate::backend::cpu::philox::Philox;
use crate::backend::gpu::{Shader, groups_for};
use crate::ensure;
use crate::error::Result;
use crate::ops::gpu::GpuContext;
use crate::value::{DType, Shape, Value};

use super::{GROUPS, Kind, mixed_of, reserve_of, shape_in};

/// What `shaders/random.wgsl` calls its kinds.
fn number_of(kind: Kind) -> u32 {
    match kind {
        Kind::Uniform => 0,
        Kind::Normal => 1,
        Kind::Truncated => 2,
    }
}

const INTEGERS: u32 = 3;

fn shape(c: &GpuContext) -> Result<Shape> {
    shape_in(&c.host_input(0)?)
}

fn fill(
    c: &mut GpuContext,
    shape: Shape,
    philox: Philox,
    kind: u32,
    range: [u32; 2],
) -> Result<()> {
    let fours = shape.num_elements().div_ceil(4);
    let mut params = vec![fours as u32];
    params.extend(philox.counter());
    params.extend(philox.key());
    params.extend(range);
    let shader = Shader::file("random", &[("KIND", kind)]);
    if kind == INTEGERS {
        let made = c.allocate(0, shape)?;
        c.launch(&shader, &[&made], &params, groups_for(fours))?;
        c.set_output(0, made);
        return Ok(());
    }
    let mut made = c.flat_target(shape, 0);
    made.launch(c, shader, &[], &params, groups_for(fours))?;
    c.set_target(made)
}

pub(super) fn stateful(c: &mut GpuContext, kind: Kind) -> Result<()> {
    let shape = shape(c)?;
    let groups = (shape.num_elements() as u64).wrapping_mul(GROUPS);
    let philox = reserve_of(c.session, c.id, c.node, groups)?;
    fill(c, shape, philox, number_of(kind), [0; 2])
}

pub(super) fn stateless(c: &mut GpuContext, kind: Kind) -> Result<()> {
    let shape = shape(c)?;
    let philox = mixed_of(&c.host_input(1)?)?;
    fill(c, shape, philox, number_of(kind), [0; 2])
}

fn integers(c: &mut GpuContext, shape: Shape, philox: Philox, at: usize) -> Result<()> {
    let (low, high) = (c.host_input(at)?, c.host_input(at + 1)?);
    let (low, high) = (int32(&low)?, int32(&high)?);
    ensure!(
        low < high || shape.num_elements() == 0,
        invalid,
        "Need minval < maxval, got {low} >= {high}"
    );
    let range = [low as u32, (high as u32).wrapping_sub(low as u32)];
    fill(c, shape, philox, INTEGERS, range)
}

fn int32(value: &Value) -> Result<i32> {
    ensure!(
        value.num_elements() == 1,
        invalid,
        "a bound must be a scalar, got shape {}",
        value.shape()
    );
    Ok(value.int()? as i32)
}

pub(super) fn uniform_int(c: &mut GpuContext) -> Result<()> {
    let shape = shape(c)?;
    if c.node.outputs[0].dtype != DType::I32 || shape.num_elements() == 0 {
        return c.leave_to_host();
    }
    let groups = (shape.num_elements() as u64).wrapping_mul(GROUPS);
    let philox = reserve_of(c.session, c.id, c.node, groups)?;
    integers(c, shape, philox, 1)
}

pub(super) fn stateless_int(c: &mut GpuContext) -> Result<()> {
    let shape = shape(c)?;
    if c.node.outputs[0].dtype != DType::I32 {
        return c.leave_to_host();
    }
    let philox = mixed_of(&c.host_input(1)?)?;
    integers(c, shape, philox, 2)
}
