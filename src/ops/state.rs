//! Variables, by reference (`VariableV2`: read without a copy, updated in place) and by handle (`VarHandleOp`: what was
//! read stays as it was).

mod gpu;

use std::sync::Arc;

use crate::backend::cpu::{simd, threads};
use crate::error::Result;
use crate::graph::{Node, ShapeContext};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::array::identity::pass;
use super::array::rows;
use super::kernel::KernelContext;
use super::moves::strides;
use super::resource::Variable;
use super::{Op, shape};

pub(super) use gpu::gradient_descent;

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("VariableV2", "-> ref: Ref(dtype)")
        .attr("shape: shape")
        .attr("dtype: type")
        .attr("container: string = ''")
        .attr("shared_name: string = ''")
        .stateful()
        .shape(variable_shape)
        .host(variable),
    Op::new("Variable", "-> ref: Ref(dtype)")
        .attr("shape: shape")
        .attr("dtype: type")
        .attr("container: string = ''")
        .attr("shared_name: string = ''")
        .stateful()
        .shape(variable_v1_shape)
        .host(variable),
    Op::new(
        "IsVariableInitialized",
        "ref: Ref(dtype) -> is_initialized: bool",
    )
    .attr("dtype: type")
    .allows_uninitialized_input()
    .shape(shape::scalar)
    .host(is_initialized),
    Op::new("Assign", "ref: Ref(T), value: T -> output_ref: Ref(T)")
        .attr("T: type")
        .attr("validate_shape: bool = true")
        .attr("use_locking: bool = true")
        .allows_uninitialized_input()
        .no_grad()
        .shape(assign_shape)
        .host(assign)
        .gpu(gpu::assign),
    Op::new("AssignAdd", "ref: Ref(T), value: T -> output_ref: Ref(T)")
        .attr("T: numbertype")
        .attr("use_locking: bool = false")
        .no_grad()
        .shape(shape::merged_pair)
        .host(|c| assign_with(c, Update::Add))
        .gpu(gpu::assign_add),
    Op::new("AssignSub", "ref: Ref(T), value: T -> output_ref: Ref(T)")
        .attr("T: numbertype")
        .attr("use_locking: bool = false")
        .no_grad()
        .shape(shape::merged_pair)
        .host(|c| assign_with(c, Update::Sub))
        .gpu(gpu::assign_sub),
    Op::new("CountUpTo", "ref: Ref(T) -> output: T")
        .attr("limit: int")
        .attr("T: {int32, int64}")
        .shape(count_shape)
        .host(count_up_to),
    Op::new(
        "ScatterUpdate",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: type")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = true")
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Set)).gpu(|c| rows::scatter(c, Update::Set)).on_host(&[1]),
    Op::new(
        "ScatterAdd",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Add)).gpu(|c| rows::scatter(c, Update::Add)).on_host(&[1]),
    Op::new(
        "ScatterSub",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Sub)).gpu(|c| rows::scatter(c, Update::Sub)).on_host(&[1]),
    Op::new(
        "ScatterMul",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Mul)).gpu(|c| rows::scatter(c, Update::Mul)).on_host(&[1]),
    Op::new(
        "ScatterDiv",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Div)).gpu(|c| rows::scatter(c, Update::Div)).on_host(&[1]),
    Op::new(
        "ScatterMin",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: {float16, bfloat16, float32, float64, int32, int64}")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Min)).gpu(|c| rows::scatter(c, Update::Min)).on_host(&[1]),
    Op::new(
        "ScatterMax",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: {float16, bfloat16, float32, float64, int32, int64}")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .shape(scatter_shape)
    .host(|c| scatter(c, Update::Max)).gpu(|c| rows::scatter(c, Update::Max)).on_host(&[1]),
    Op::new(
        "ScatterNdUpdate",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: type")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = true")
    .no_grad()
    .shape(scatter_nd_shape)
    .host(|c| scatter_nd(c, Update::Set)).gpu(|c| rows::scatter_nd_variable(c, Update::Set)).on_host(&[1]),
    Op::new(
        "ScatterNdAdd",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_nd_shape)
    .host(|c| scatter_nd(c, Update::Add)).gpu(|c| rows::scatter_nd_variable(c, Update::Add)).on_host(&[1]),
    Op::new(
        "ScatterNdSub",
        "ref: Ref(T), indices: Tindices, updates: T -> output_ref: Ref(T)",
    )
    .attr("T: numbertype")
    .attr("Tindices: {int32, int64}")
    .attr("use_locking: bool = false")
    .no_grad()
    .shape(scatter_nd_shape)
    .host(|c| scatter_nd(c, Update::Sub)).gpu(|c| rows::scatter_nd_variable(c, Update::Sub)).on_host(&[1]),
    Op::new("VarHandleOp", "-> resource: resource")
        .attr("container: string = ''")
        .attr("shared_name: string = ''")
        .attr("dtype: type")
        .attr("shape: shape")
        .stateful()
        .shape(handle_shape)
        .host(handle),
    Op::new(
        "VarIsInitializedOp",
        "resource: resource -> is_initialized: bool",
    )
    .stateful()
    .no_grad()
    .shape(shape::scalar)
    .host(is_initialized),
    Op::new("ReadVariableOp", "resource: resource -> value: dtype")
        .attr("dtype: type")
        .stateful()
        .shape(read_shape)
        .grad(pass)
        .host(read)
        .gpu(gpu::read),
    Op::new("AssignVariableOp", "resource: resource, value: dtype ->")
        .attr("dtype: type")
        .stateful()
        .shape(shape::unknown)
        .host(assign_resource)
        .gpu(gpu::assign),
    Op::new("AssignAddVariableOp", "resource: resource, value: dtype ->")
        .attr("dtype: type")
        .stateful()
        .shape(shape::unknown)
        .host(|c| assign_with(c, Update::Add))
        .gpu(gpu::assign_add),
    Op::new("AssignSubVariableOp", "resource: resource, value: dtype ->")
        .attr("dtype: type")
        .stateful()
        .shape(shape::unknown)
        .host(|c| assign_with(c, Update::Sub))
        .gpu(gpu::assign_sub),
    Op::new("VariableShape", "input: resource -> output: out_type")
        .attr("out_type: {int32, int64} = DT_INT32")
        .stateful()
        .no_grad()
        .shape(shape_of_shape)
        .host(shape_of_variable),
    Op::new("DestroyResourceOp", "resource: resource ->")
        .attr("ignore_lookup_error: bool = true")
        .stateful()
        .shape(shape::unknown)
        .host(destroy),
    Op::new(
        "ResourceScatterUpdate",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: type")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Set)).gpu(|c| rows::scatter(c, Update::Set)).on_host(&[1]),
    Op::new(
        "ResourceScatterAdd",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Add)).gpu(|c| rows::scatter(c, Update::Add)).on_host(&[1]),
    Op::new(
        "ResourceScatterSub",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Sub)).gpu(|c| rows::scatter(c, Update::Sub)).on_host(&[1]),
    Op::new(
        "ResourceScatterMul",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Mul)).gpu(|c| rows::scatter(c, Update::Mul)).on_host(&[1]),
    Op::new(
        "ResourceScatterDiv",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Div)).gpu(|c| rows::scatter(c, Update::Div)).on_host(&[1]),
    Op::new(
        "ResourceScatterMin",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Min)).gpu(|c| rows::scatter(c, Update::Min)).on_host(&[1]),
    Op::new(
        "ResourceScatterMax",
        "resource: resource, indices: Tindices, updates: dtype ->",
    )
    .attr("dtype: numbertype")
    .attr("Tindices: {int32, int64}")
    .stateful()
    .shape(shape::unknown)
    .host(|c| scatter(c, Update::Max)).gpu(|c| rows::scatter(c, Update::Max)).on_host(&[1]),
];

/// What an update does to each element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Update {
    Set,
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

fn variable_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.attrs().shape("shape")?.clone();
    c.set(0, shape);
    Ok(())
}

/// As long as the variable has dimensions, where the handle tells.
fn shape_of_shape(c: &mut ShapeContext) -> Result<()> {
    let known = c.input_handle(0).and_then(|h| h.first()?.1.rank());
    let rank = known.map_or(-1, |rank| rank as i64);
    c.set(0, PartialShape::from_dims([rank]));
    Ok(())
}

/// An empty shape meant "unknown" to the first version of the op.
fn variable_v1_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.attrs().shape("shape")?.clone();
    if shape.rank() != Some(0) {
        c.set(0, shape);
    }
    Ok(())
}

fn assign_shape(c: &mut ShapeContext) -> Result<()> {
    let value = c.input(1);
    let shape = match c.attrs().bool("validate_shape")? {
        true => shape::merge(&c.input(0), &value)?,
        false => value,
    };
    c.set(0, shape);
    Ok(())
}

fn count_shape(c: &mut ShapeContext) -> Result<()> {
    crate::graph::with_rank(&c.input(0), 0)?;
    c.set(0, PartialShape::scalar());
    Ok(())
}

fn scatter_shape(c: &mut ShapeContext) -> Result<()> {
    let (var, indices, updates) = (c.input(0), c.input(1), c.input(2));
    if let (Some(v), Some(i), Some(u)) = (var.dims(), indices.dims(), updates.dims())
        && !u.is_empty()
    {
        let mut wanted = i.to_vec();
        wanted.extend_from_slice(v.get(1..).unwrap_or_default());
        shape::merge(&updates, &PartialShape::from_dims(wanted))?;
    }
    c.set(0, var);
    Ok(())
}

fn scatter_nd_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.input(0);
    c.set(0, shape);
    Ok(())
}

fn handle_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::scalar());
    let attrs = c.attrs();
    let handle = vec![(attrs.dtype("dtype")?, attrs.shape("shape")?.clone())];
    c.set_handle(0, Some(Arc::new(handle)));
    Ok(())
}

fn read_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some((dtype, shape)) = c.input_handle(0).and_then(|h| h.first().cloned()) {
        let wanted = c.attrs().dtype("dtype")?;
        ensure!(
            dtype == wanted,
            invalid,
            "Trying to read variable with wrong dtype. Expected {} got {}",
            dtype.short_name(),
            wanted.short_name()
        );
        c.set(0, shape);
    }
    Ok(())
}

/// The name under which a node's variable lives: what it says, else its own.
fn storage(c: &KernelContext) -> Result<(String, String)> {
    let text = |name: &str| -> Result<String> {
        Ok(String::from_utf8_lossy(c.attrs().bytes(name)?).into_owned())
    };
    let name = match text("shared_name")? {
        name if name.is_empty() => c.node.name.to_string(),
        name => name,
    };
    Ok((text("container")?, name))
}

fn find_variable(c: &KernelContext) -> Result<Arc<Variable>> {
    let (container, name) = storage(c)?;
    let (dtype, shape) = (c.attrs().dtype("dtype")?, c.attrs().shape("shape")?.clone());
    let made = || Ok(Variable::with_shape(name.clone(), dtype, shape));
    let found = c
        .session
        .resources()
        .get_or_create(&container, &name, made)?;
    ensure!(
        found.dtype == dtype,
        invalid,
        "Trying to access variable {name} of type {} as {}",
        found.dtype.short_name(),
        dtype.short_name()
    );
    Ok(found)
}

fn variable(c: &mut KernelContext) -> Result<()> {
    let variable = find_variable(c)?;
    c.set_output_ref(0, variable);
    Ok(())
}

fn handle(c: &mut KernelContext) -> Result<()> {
    let variable = find_variable(c)?;
    c.set_output(0, Value::handle(DType::Resource, variable));
    Ok(())
}

fn is_initialized(c: &mut KernelContext) -> Result<()> {
    let is_initialized = c.variable(0)?.is_initialized();
    c.set_output(0, Value::scalar_bool(is_initialized)?);
    Ok(())
}

pub(super) fn is_ref(node: &Node) -> bool {
    node.def.inputs.first().is_some_and(|arg| arg.is_ref)
}

/// Gives the reference on, for ops that have one as their output.
pub(super) fn forward_ref(c: &mut KernelContext, variable: Arc<Variable>) {
    if c.num_outputs() > 0 {
        c.set_output_ref(0, variable);
    }
}

fn assign(c: &mut KernelContext) -> Result<()> {
    let variable = c.variable(0)?;
    let value = c.take_input(1)?;
    if c.attrs().bool("validate_shape")? {
        let current = variable
            .value
            .read()
            .as_ref()
            .map(|v| PartialShape::from(v.shape()));
        let wanted = current.unwrap_or_else(|| variable.shape.clone());
        ensure!(
            wanted.admits(value.shape()),
            invalid,
            "Assign requires shapes of both tensors to match. lhs shape= {wanted} rhs shape= {}",
            value.shape()
        );
    }
    variable.assign(value, true)?;
    forward_ref(c, variable);
    Ok(())
}

fn assign_resource(c: &mut KernelContext) -> Result<()> {
    let variable = c.variable(0)?;
    let value = c.take_input(1)?;
    ensure!(
        variable.dtype == value.dtype(),
        invalid,
        "Trying to assign variable with wrong dtype. Expected {} got {}",
        variable.dtype.short_name(),
        value.dtype().short_name()
    );
    variable.assign(value, false)
}

fn read(c: &mut KernelContext) -> Result<()> {
    let variable = c.variable(0)?;
    let value = variable.value.read().clone();
    let Some(value) = value else {
        bail!(
            failed_precondition,
            "Error while reading resource variable {} from Container: localhost. This could mean that the variable was \
             uninitialized. Not found: Resource localhost/{}/N10tensorflow3VarE does not exist.",
            variable.name,
            variable.name
        );
    };
    c.set_output(0, value);
    Ok(())
}

fn shape_of_variable(c: &mut KernelContext) -> Result<()> {
    let value = c.initialized_variable(0)?.read()?;
    let dims = value.shape().dims();
    let made = super::build::integers(c.attrs().dtype("out_type")?, dims)?;
    c.set_output(0, made);
    Ok(())
}

fn destroy(c: &mut KernelContext) -> Result<()> {
    let ignore = c.attrs().bool("ignore_lookup_error")?;
    let variable = c.variable(0)?;
    let had = variable.value.write().take().is_some();
    ensure!(
        had || ignore,
        not_found,
        "Resource localhost/{} does not exist.",
        variable.name
    );
    Ok(())
}

/// `old` and `by` put together.
fn combine<T: Arithmetic>(update: Update, old: T, by: T) -> T {
    match update {
        Update::Set => by,
        Update::Add => T::add(old, by),
        Update::Sub => T::sub(old, by),
        Update::Mul => T::mul(old, by),
        Update::Div => T::div(old, by),
        Update::Min => T::min(old, by),
        Update::Max => T::max(old, by),
    }
}

/// The arithmetic of updates; integers wrap, and division by zero gives zero after the check that refuses it.
pub(super) trait Arithmetic: Copy + Send + Sync {
    fn add(a: Self, b: Self) -> Self;
    fn sub(a: Self, b: Self) -> Self;
    fn mul(a: Self, b: Self) -> Self;
    fn div(a: Self, b: Self) -> Self;
    fn min(a: Self, b: Self) -> Self;
    fn max(a: Self, b: Self) -> Self;
}

macro_rules! arithmetic {
    (floats $($t:ty)*) => {$(
        impl Arithmetic for $t {
            #[inline(always)]
            fn add(a: $t, b: $t) -> $t { a + b }
            #[inline(always)]
            fn sub(a: $t, b: $t) -> $t { a - b }
            #[inline(always)]
            fn mul(a: $t, b: $t) -> $t { a * b }
            #[inline(always)]
            fn div(a: $t, b: $t) -> $t { a / b }
            #[inline(always)]
            fn min(a: $t, b: $t) -> $t { if b < a { b } else { a } }
            #[inline(always)]
            fn max(a: $t, b: $t) -> $t { if b > a { b } else { a } }
        }
    )*};
    (integers $($t:ty)*) => {$(
        impl Arithmetic for $t {
            #[inline(always)]
            fn add(a: $t, b: $t) -> $t { a.wrapping_add(b) }
            #[inline(always)]
            fn sub(a: $t, b: $t) -> $t { a.wrapping_sub(b) }
            #[inline(always)]
            fn mul(a: $t, b: $t) -> $t { a.wrapping_mul(b) }
            #[inline(always)]
            fn div(a: $t, b: $t) -> $t { a.checked_div(b).unwrap_or(0) }
            #[inline(always)]
            fn min(a: $t, b: $t) -> $t { Ord::min(a, b) }
            #[inline(always)]
            fn max(a: $t, b: $t) -> $t { Ord::max(a, b) }
        }
    )*};
    (complex $($t:ty)*) => {$(
        impl Arithmetic for num_complex::Complex<$t> {
            #[inline(always)]
            fn add(a: Self, b: Self) -> Self { a + b }
            #[inline(always)]
            fn sub(a: Self, b: Self) -> Self { a - b }
            #[inline(always)]
            fn mul(a: Self, b: Self) -> Self { a * b }
            #[inline(always)]
            fn div(a: Self, b: Self) -> Self { a / b }
            #[inline(always)]
            fn min(a: Self, _: Self) -> Self { a }
            #[inline(always)]
            fn max(a: Self, _: Self) -> Self { a }
        }
    )*};
}

arithmetic!(floats f32 f64 half::f16 half::bf16);
arithmetic!(integers i8 i16 i32 i64 u8 u16 u32 u64);
arithmetic!(complex f32 f64);

/// The sum of two values of one type and shape.
pub(super) fn add(mut a: Value, b: &Value) -> Result<Value> {
    if !a.is_unique() {
        a = a.deep_copy()?;
    }
    dispatch!(numbers, b.dtype(), T => {
        let from = b.slice::<T>()?;
        simd::run(Combine { update: Update::Add, to: a.slice_mut::<T>()?, from });
    });
    Ok(a)
}

fn assign_with(c: &mut KernelContext, update: Update) -> Result<()> {
    let variable = c.initialized_variable(0)?;
    let by = c.input(1)?;
    let mut writing = variable.write(is_ref(c.node))?;
    let shape = writing.value().shape();
    ensure!(
        shape == by.shape() || !is_ref(c.node),
        invalid,
        "Parameters and update must be the same size"
    );
    ensure!(
        shape == by.shape(),
        invalid,
        "Cannot update variable with shape {shape} using a Tensor with shape {}, shapes must be equal.",
        by.shape()
    );
    dispatch!(numbers, by.dtype(), T => {
        let (from, to) = (by.slice::<T>()?, writing.slice_mut::<T>()?);
        let is_worth_it = 3 * size_of_val(from) >= threads::WORTH_BYTES;
        threads::run_slices([to], is_worth_it, |start, [to]| {
            let from = &from[start..start + to.len()];
            simd::run(Combine { update, to, from });
        });
    });
    drop(writing);
    forward_ref(c, variable);
    Ok(())
}

/// One update for each element.
struct Combine<'a, T> {
    update: Update,
    to: &'a mut [T],
    from: &'a [T],
}

impl<T: Arithmetic> simd::Loop for Combine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.to.iter_mut().zip(self.from);
        match self.update {
            Update::Add => pairs.for_each(|(to, x)| *to = T::add(*to, *x)),
            Update::Sub => pairs.for_each(|(to, x)| *to = T::sub(*to, *x)),
            update => pairs.for_each(|(to, x)| *to = combine(update, *to, *x)),
        }
    }
}

pub(super) fn count_up_to(c: &mut KernelContext) -> Result<()> {
    let variable = c.initialized_variable(0)?;
    let limit = c.attrs().int("limit")?;
    let mut writing = variable.write(is_ref(c.node))?;
    let before = writing.value().clone().deep_copy()?;
    let now = before.int()?;
    ensure!(now < limit, out_of_range, "Reached limit of {limit}");
    match before.dtype() {
        DType::I64 => writing.slice_mut::<i64>()?[0] = now + 1,
        _ => writing.slice_mut::<i32>()?[0] = (now + 1) as i32,
    }
    drop(writing);
    c.set_output(0, before);
    Ok(())
}

/// Rows `indices` of a variable, updated one after the other.
fn scatter(c: &mut KernelContext, update: Update) -> Result<()> {
    let variable = c.initialized_variable(0)?;
    let (indices, updates) = (c.input(1)?, c.input(2)?);
    let rows = indices.ints()?;
    let mut writing = variable.write(is_ref(c.node))?;
    let shape: Shape = writing.value().shape().clone();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "params must be at least 1-D, got shape {shape}"
    );
    let block: usize = shape.dims()[1..].iter().map(|d| *d as usize).product();
    let is_one = updates.shape().is_scalar();
    let mut wanted = indices.shape().dims().to_vec();
    wanted.extend_from_slice(&shape.dims()[1..]);
    ensure!(
        is_one || updates.shape().dims() == wanted,
        invalid,
        "Must have updates.shape = indices.shape + params.shape[1:] or updates.shape = [], got updates.shape {}, \
         indices.shape {}, params.shape {shape}",
        updates.shape(),
        indices.shape()
    );
    let limit = shape.dims()[0];
    if let Some(at) = rows.iter().position(|r| !(0..limit).contains(r)) {
        bail!(
            invalid,
            "indices[{at}] = {} is not in [0, {limit})",
            rows[at]
        );
    }
    dispatch!(numbers, updates.dtype(), T => {
        let from = updates.slice::<T>()?;
        let to = writing.slice_mut::<T>()?;
        if block == 1 && !is_one {
            for (row, x) in rows.iter().zip(from) {
                let to = &mut to[*row as usize];
                *to = combine(update, *to, *x);
            }
        }
        // Rows of one element are done.
        let wide = rows.iter().enumerate().filter(|_| block != 1 || is_one);
        for (i, row) in wide {
            let at = *row as usize * block;
            let to = &mut to[at..at + block];
            if is_one {
                to.iter_mut().for_each(|to| *to = combine(update, *to, from[0]));
            } else {
                simd::run(Combine { update, to, from: &from[i * block..(i + 1) * block] });
            }
        }
    });
    drop(writing);
    forward_ref(c, variable);
    Ok(())
}

pub(super) fn scatter_nd(c: &mut KernelContext, update: Update) -> Result<()> {
    let variable = c.initialized_variable(0)?;
    let (indices, updates) = (c.input(1)?, c.input(2)?);
    let mut writing = variable.write(is_ref(c.node))?;
    let shape = writing.value().shape().clone();
    ensure!(
        indices.shape().rank() >= 1,
        invalid,
        "indices must be at least a vector"
    );
    let depth = indices.shape().dim(indices.shape().rank() - 1);
    ensure!(
        depth <= shape.rank(),
        invalid,
        "index innermost dimension length must be <= params rank; saw: {depth} vs. {}",
        shape.rank()
    );
    let steps = strides(shape.dims());
    let block: usize = shape.dims()[depth..].iter().map(|d| *d as usize).product();
    let all = indices.ints()?;
    let count = all
        .len()
        .checked_div(depth)
        .unwrap_or_else(|| indices.num_elements());
    ensure!(
        updates.num_elements() == count * block,
        invalid,
        "updates of shape {} do not fit indices of shape {} into {shape}",
        updates.shape(),
        indices.shape()
    );
    dispatch!(numbers, updates.dtype(), T => {
        let from = updates.slice::<T>()?;
        let to = writing.slice_mut::<T>()?;
        for i in 0..count {
            let mut at = 0;
            for (k, x) in all[i * depth..(i + 1) * depth].iter().enumerate() {
                ensure!(
                    (0..shape.dims()[k]).contains(x),
                    invalid,
                    "indices[{i}] = {:?} does not index into shape {shape}",
                    &all[i * depth..(i + 1) * depth]
                );
                at += *x as usize * steps[k];
            }
            for (k, to) in to[at..at + block].iter_mut().enumerate() {
                *to = combine(update, *to, from[i * block + k]);
            }
        }
    });
    drop(writing);
    forward_ref(c, variable);
    Ok(())
}
