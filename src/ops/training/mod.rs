//! Updates of variables by optimizers, one pass over all of an optimizer's state. The rules stand in `rules`.

mod gpu;
mod rules;

use std::sync::Arc;

use crate::backend::cpu::{simd, threads};
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::Value;
use crate::{bail, dispatch, ensure};

use super::kernel::KernelContext;
use super::resource::{Variable, Writing};
use super::softmax::Float;
use super::state::gradient_descent;
use super::{Op, shape};
use rules::*;

pub(super) const OPS: &[Op] = &[
    Op::new("ApplyGradientDescent", "var: Ref(T), alpha: T, delta: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<1>).host(dense::<Descent, 1>).gpu(gradient_descent).on_host(&[1]),
    Op::new("ResourceApplyGradientDescent", "var: resource, alpha: T, delta: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<1>).host(dense::<Descent, 1>).gpu(gradient_descent).on_host(&[1]),
    Op::new("ApplyMomentum", "var: Ref(T), accum: Ref(T), lr: T, grad: T, momentum: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").attr("use_nesterov: bool = false").shape(update_shape::<2>).host(dense::<Momentum, 2>).gpu(gpu::step).on_host(&[2, 4]),
    Op::new("ResourceApplyMomentum", "var: resource, accum: resource, lr: T, grad: T, momentum: T ->").attr("T: numbertype").attr("use_locking: bool = false").attr("use_nesterov: bool = false").stateful().shape(update_shape::<2>).host(dense::<Momentum, 2>).gpu(gpu::step).on_host(&[2, 4]),
    Op::new("SparseApplyMomentum", "var: Ref(T), accum: Ref(T), lr: T, grad: T, indices: Tindices, momentum: T -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("use_nesterov: bool = false").shape(update_shape::<2>).host(sparse::<Momentum, 2>).gpu(gpu::step).on_host(&[2, 4, 5]),
    Op::new("ResourceSparseApplyMomentum", "var: resource, accum: resource, lr: T, grad: T, indices: Tindices, momentum: T ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("use_nesterov: bool = false").stateful().shape(update_shape::<2>).host(sparse::<Momentum, 2>).gpu(gpu::step).on_host(&[2, 4, 5]),
    Op::new("ApplyAdagrad", "var: Ref(T), accum: Ref(T), lr: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").attr("update_slots: bool = true").shape(update_shape::<2>).host(dense::<Adagrad, 2>).gpu(gpu::step).on_host(&[2]),
    Op::new("ResourceApplyAdagrad", "var: resource, accum: resource, lr: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").attr("update_slots: bool = true").stateful().shape(update_shape::<2>).host(dense::<Adagrad, 2>).gpu(gpu::step).on_host(&[2]),
    Op::new("SparseApplyAdagrad", "var: Ref(T), accum: Ref(T), lr: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("update_slots: bool = true").shape(update_shape::<2>).host(sparse::<Adagrad, 2>).gpu(gpu::step).on_host(&[2, 4]),
    Op::new("ResourceSparseApplyAdagrad", "var: resource, accum: resource, lr: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("update_slots: bool = true").stateful().shape(update_shape::<2>).host(sparse::<Adagrad, 2>).gpu(gpu::step).on_host(&[2, 4]),
    Op::new("ApplyAdagradV2", "var: Ref(T), accum: Ref(T), lr: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").attr("update_slots: bool = true").shape(update_shape::<2>).host(dense::<AdagradV2, 2>).gpu(gpu::step).on_host(&[2, 3]),
    Op::new("ResourceApplyAdagradV2", "var: resource, accum: resource, lr: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").attr("update_slots: bool = true").stateful().shape(update_shape::<2>).host(dense::<AdagradV2, 2>).gpu(gpu::step).on_host(&[2, 3]),
    Op::new("SparseApplyAdagradV2", "var: Ref(T), accum: Ref(T), lr: T, epsilon: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("update_slots: bool = true").shape(update_shape::<2>).host(sparse::<AdagradV2, 2>).gpu(gpu::step).on_host(&[2, 3, 5]),
    Op::new("ResourceSparseApplyAdagradV2", "var: resource, accum: resource, lr: T, epsilon: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("update_slots: bool = true").stateful().shape(update_shape::<2>).host(sparse::<AdagradV2, 2>).gpu(gpu::step).on_host(&[2, 3, 5]),
    Op::new("ApplyAdadelta", "var: Ref(T), accum: Ref(T), accum_update: Ref(T), lr: T, rho: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<Adadelta, 3>).gpu(gpu::step).on_host(&[3, 4, 5]),
    Op::new("ResourceApplyAdadelta", "var: resource, accum: resource, accum_update: resource, lr: T, rho: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<Adadelta, 3>).gpu(gpu::step).on_host(&[3, 4, 5]),
    Op::new("SparseApplyAdadelta", "var: Ref(T), accum: Ref(T), accum_update: Ref(T), lr: T, rho: T, epsilon: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<3>).host(sparse::<Adadelta, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 7]),
    Op::new("ResourceSparseApplyAdadelta", "var: resource, accum: resource, accum_update: resource, lr: T, rho: T, epsilon: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(sparse::<Adadelta, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 7]),
    Op::new("ApplyAdam", "var: Ref(T), m: Ref(T), v: Ref(T), beta1_power: T, beta2_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").attr("use_nesterov: bool = false").shape(update_shape::<3>).host(dense::<Adam, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 7, 8]),
    Op::new("ResourceApplyAdam", "var: resource, m: resource, v: resource, beta1_power: T, beta2_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").attr("use_nesterov: bool = false").stateful().shape(update_shape::<3>).host(dense::<Adam, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 7, 8]),
    Op::new("ApplyAdaMax", "var: Ref(T), m: Ref(T), v: Ref(T), beta1_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<AdaMax, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 7]),
    Op::new("ResourceApplyAdaMax", "var: resource, m: resource, v: resource, beta1_power: T, lr: T, beta1: T, beta2: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<AdaMax, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 7]),
    Op::new("ApplyRMSProp", "var: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<RmsProp, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6]),
    Op::new("ResourceApplyRMSProp", "var: resource, ms: resource, mom: resource, lr: T, rho: T, momentum: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<RmsProp, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6]),
    Op::new("SparseApplyRMSProp", "var: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<3>).host(sparse::<RmsProp, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 8]),
    Op::new("ResourceSparseApplyRMSProp", "var: resource, ms: resource, mom: resource, lr: T, rho: T, momentum: T, epsilon: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(sparse::<RmsProp, 3>).gpu(gpu::step).on_host(&[3, 4, 5, 6, 8]),
    Op::new("ApplyCenteredRMSProp", "var: Ref(T), mg: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<4>).host(dense::<CenteredRmsProp, 4>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("ResourceApplyCenteredRMSProp", "var: resource, mg: resource, ms: resource, mom: resource, lr: T, rho: T, momentum: T, epsilon: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<4>).host(dense::<CenteredRmsProp, 4>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("SparseApplyCenteredRMSProp", "var: Ref(T), mg: Ref(T), ms: Ref(T), mom: Ref(T), lr: T, rho: T, momentum: T, epsilon: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<4>).host(sparse::<CenteredRmsProp, 4>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 9]),
    Op::new("ResourceSparseApplyCenteredRMSProp", "var: resource, mg: resource, ms: resource, mom: resource, lr: T, rho: T, momentum: T, epsilon: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<4>).host(sparse::<CenteredRmsProp, 4>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 9]),
    Op::new("ApplyFtrl", "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, lr: T, l1: T, l2: T, lr_power: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<Ftrl, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("ResourceApplyFtrl", "var: resource, accum: resource, linear: resource, grad: T, lr: T, l1: T, l2: T, lr_power: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<Ftrl, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("SparseApplyFtrl", "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, indices: Tindices, lr: T, l1: T, l2: T, lr_power: T -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<3>).host(sparse::<Ftrl, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("ResourceSparseApplyFtrl", "var: resource, accum: resource, linear: resource, grad: T, indices: Tindices, lr: T, l1: T, l2: T, lr_power: T ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(sparse::<Ftrl, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("ApplyFtrlV2", "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, lr: T, l1: T, l2: T, l2_shrinkage: T, lr_power: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<FtrlV2, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("ResourceApplyFtrlV2", "var: resource, accum: resource, linear: resource, grad: T, lr: T, l1: T, l2: T, l2_shrinkage: T, lr_power: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<FtrlV2, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("SparseApplyFtrlV2", "var: Ref(T), accum: Ref(T), linear: Ref(T), grad: T, indices: Tindices, lr: T, l1: T, l2: T, l2_shrinkage: T, lr_power: T -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<3>).host(sparse::<FtrlV2, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8, 9]),
    Op::new("ResourceSparseApplyFtrlV2", "var: resource, accum: resource, linear: resource, grad: T, indices: Tindices, lr: T, l1: T, l2: T, l2_shrinkage: T, lr_power: T ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(sparse::<FtrlV2, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8, 9]),
    Op::new("ApplyProximalGradientDescent", "var: Ref(T), alpha: T, l1: T, l2: T, delta: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<1>).host(dense::<ProximalDescent, 1>).gpu(gpu::step).on_host(&[1, 2, 3]),
    Op::new("ResourceApplyProximalGradientDescent", "var: resource, alpha: T, l1: T, l2: T, delta: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<1>).host(dense::<ProximalDescent, 1>).gpu(gpu::step).on_host(&[1, 2, 3]),
    Op::new("SparseApplyProximalGradientDescent", "var: Ref(T), alpha: T, l1: T, l2: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<1>).host(sparse::<ProximalDescent, 1>).gpu(gpu::step).on_host(&[1, 2, 3, 5]),
    Op::new("ResourceSparseApplyProximalGradientDescent", "var: resource, alpha: T, l1: T, l2: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<1>).host(sparse::<ProximalDescent, 1>).gpu(gpu::step).on_host(&[1, 2, 3, 5]),
    Op::new("ApplyProximalAdagrad", "var: Ref(T), accum: Ref(T), lr: T, l1: T, l2: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<2>).host(dense::<ProximalAdagrad, 2>).gpu(gpu::step).on_host(&[2, 3, 4]),
    Op::new("ResourceApplyProximalAdagrad", "var: resource, accum: resource, lr: T, l1: T, l2: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<2>).host(dense::<ProximalAdagrad, 2>).gpu(gpu::step).on_host(&[2, 3, 4]),
    Op::new("SparseApplyProximalAdagrad", "var: Ref(T), accum: Ref(T), lr: T, l1: T, l2: T, grad: T, indices: Tindices -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<2>).host(sparse::<ProximalAdagrad, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 6]),
    Op::new("ResourceSparseApplyProximalAdagrad", "var: resource, accum: resource, lr: T, l1: T, l2: T, grad: T, indices: Tindices ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<2>).host(sparse::<ProximalAdagrad, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 6]),
    Op::new("ApplyAdagradDA", "var: Ref(T), gradient_accumulator: Ref(T), gradient_squared_accumulator: Ref(T), grad: T, lr: T, l1: T, l2: T, global_step: int64 -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<3>).host(dense::<AdagradDa, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("ResourceApplyAdagradDA", "var: resource, gradient_accumulator: resource, gradient_squared_accumulator: resource, grad: T, lr: T, l1: T, l2: T, global_step: int64 ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(dense::<AdagradDa, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7]),
    Op::new("SparseApplyAdagradDA", "var: Ref(T), gradient_accumulator: Ref(T), gradient_squared_accumulator: Ref(T), grad: T, indices: Tindices, lr: T, l1: T, l2: T, global_step: int64 -> out: Ref(T)").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").shape(update_shape::<3>).host(sparse::<AdagradDa, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("ResourceSparseApplyAdagradDA", "var: resource, gradient_accumulator: resource, gradient_squared_accumulator: resource, grad: T, indices: Tindices, lr: T, l1: T, l2: T, global_step: int64 ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").stateful().shape(update_shape::<3>).host(sparse::<AdagradDa, 3>).gpu(gpu::step).on_host(&[4, 5, 6, 7, 8]),
    Op::new("ApplyAddSign", "var: Ref(T), m: Ref(T), lr: T, alpha: T, sign_decay: T, beta: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<2>).host(dense::<AddSign, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 5]),
    Op::new("ResourceApplyAddSign", "var: resource, m: resource, lr: T, alpha: T, sign_decay: T, beta: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<2>).host(dense::<AddSign, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 5]),
    Op::new("ApplyPowerSign", "var: Ref(T), m: Ref(T), lr: T, logbase: T, sign_decay: T, beta: T, grad: T -> out: Ref(T)").attr("T: numbertype").attr("use_locking: bool = false").shape(update_shape::<2>).host(dense::<PowerSign, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 5]),
    Op::new("ResourceApplyPowerSign", "var: resource, m: resource, lr: T, logbase: T, sign_decay: T, beta: T, grad: T ->").attr("T: numbertype").attr("use_locking: bool = false").stateful().shape(update_shape::<2>).host(dense::<PowerSign, 2>).gpu(gpu::step).on_host(&[2, 3, 4, 5]),
    Op::new("ResourceApplyKerasMomentum", "var: resource, accum: resource, lr: T, grad: T, momentum: T ->").attr("T: numbertype").attr("use_locking: bool = false").attr("use_nesterov: bool = false").stateful().shape(update_shape::<2>).host(dense::<KerasMomentum, 2>).gpu(gpu::step).on_host(&[2, 4]),
    Op::new("ResourceSparseApplyKerasMomentum", "var: resource, accum: resource, lr: T, grad: T, indices: Tindices, momentum: T ->").attr("T: numbertype").attr("Tindices: {int32, int64}").attr("use_locking: bool = false").attr("use_nesterov: bool = false").stateful().shape(update_shape::<2>).host(sparse::<KerasMomentum, 2>).gpu(gpu::step).on_host(&[2, 4, 5]),
];

/// The reference that the op gives on has the shape on which its variables agree.
fn update_shape<const N: usize>(c: &mut ShapeContext) -> Result<()> {
    let mut all = c.input(0);
    for i in 1..N {
        all = shape::merge(&all, &c.input(i))?;
    }
    if let Some(grad) = place(c.node().def, &["grad", "delta"])
        && place(c.node().def, &["indices"]).is_none()
        && c.num_outputs() > 0
    {
        all = shape::merge(&all, &c.input(grad))?;
    }
    if c.num_outputs() > 0 {
        c.set(0, all);
    }
    Ok(())
}

/// Which input has one of these names.
fn place(def: &crate::graph::OpDef, names: &[&str]) -> Option<usize> {
    def.inputs
        .iter()
        .position(|arg| names.contains(&arg.name.as_str()))
}

/// The hyperparameters in the order of the op's inputs; integers (a global step) as floats.
fn hyperparameters<W: num_traits::Float>(c: &KernelContext, variables: usize) -> Result<Vec<W>> {
    let def = c.node.def;
    let mut all = Vec::new();
    for (i, arg) in def.inputs.iter().enumerate().skip(variables) {
        if matches!(arg.name.as_str(), "grad" | "delta" | "indices") {
            continue;
        }
        let value = c.scalar_input(i, &arg.name)?;
        all.push(as_float(value)?);
    }
    Ok(all)
}

fn as_float<W: num_traits::Float>(value: &Value) -> Result<W> {
    use crate::value::DType;
    let wide = match value.dtype() {
        DType::F32 => W::from(value.item::<f32>()?),
        DType::F64 => W::from(value.item::<f64>()?),
        DType::F16 => W::from(value.item::<half::f16>()?.to_f32()),
        DType::BF16 => W::from(value.item::<half::bf16>()?.to_f32()),
        _ => W::from(value.int()?),
    };
    wide.ok_or_else(|| crate::error::Error::internal("a number that fits in no float"))
}

/// The variables of the op under their locks, which are taken in one order by everybody.
struct Locked<'a> {
    writing: Vec<Writing<'a>>,
    /// `writing[order[i]]` is variable `i`.
    order: Vec<usize>,
}

fn variables(c: &KernelContext, count: usize) -> Result<Vec<Arc<Variable>>> {
    let all = (0..count)
        .map(|i| c.initialized_variable(i))
        .collect::<Result<Vec<_>>>()?;
    for (i, a) in all.iter().enumerate() {
        if let Some(j) = all[..i].iter().position(|b| Arc::ptr_eq(a, b)) {
            bail!(
                invalid,
                "inputs {j} and {i} of '{}' are the same variable {}",
                c.node.name,
                a.name
            );
        }
    }
    Ok(all)
}

fn lock<'a>(c: &KernelContext, all: &'a [Arc<Variable>]) -> Result<Locked<'a>> {
    let in_place = c.node.def.inputs[0].is_ref;
    let mut by_address: Vec<usize> = (0..all.len()).collect();
    by_address.sort_by_key(|i| Arc::as_ptr(&all[*i]) as usize);
    let mut order = vec![0; all.len()];
    let mut writing = Vec::with_capacity(all.len());
    for i in by_address {
        order[i] = writing.len();
        writing.push(all[i].write(in_place)?);
    }
    let shape = writing[order[0]].value().shape().clone();
    for (i, at) in order.iter().enumerate() {
        let own = writing[*at].value().shape();
        ensure!(
            *own == shape,
            invalid,
            "var and {} do not have the same shape{shape} {own}",
            c.node.def.inputs[i].name
        );
    }
    Ok(Locked { writing, order })
}

fn flag(c: &KernelContext) -> Result<bool> {
    for name in ["use_nesterov", "update_slots"] {
        if let Ok(flag) = c.attrs().bool(name) {
            return Ok(flag);
        }
    }
    Ok(false)
}

fn dense<R: Rule, const N: usize>(c: &mut KernelContext) -> Result<()> {
    let all = variables(c, N)?;
    let grad_at = place(c.node.def, &["grad", "delta"]).unwrap_or(N);
    let mut locked = lock(c, &all)?;
    let grad = c.input(grad_at)?;
    let shape = locked.writing[0].value().shape();
    ensure!(
        grad.shape() == shape,
        invalid,
        "var and {} do not have the same shape{shape} {}",
        c.node.def.inputs[grad_at].name,
        grad.shape()
    );
    let flag = flag(c)?;
    dispatch!(floats, grad.dtype(), T => {
        let hyper: Vec<<T as Float>::Wide> = hyperparameters(c, N)?;
        let rule = R::new(&hyper, flag);
        let grad = grad.slice::<T>()?;
        let order = locked.order.clone();
        let mut slices: Vec<Option<&mut [T]>> = Vec::with_capacity(N);
        for writing in &mut locked.writing {
            slices.push(Some(writing.slice_mut::<T>()?));
        }
        let state: Vec<&mut [T]> = order.iter().filter_map(|at| slices[*at].take()).collect();
        let Ok(state): Result<[&mut [T]; N], _> = state.try_into() else {
            bail!(internal, "one slice a variable");
        };
        let is_worth_it = size_of_val(grad) * (N + 1) >= threads::WORTH_BYTES;
        threads::run_slices(state, is_worth_it, |start, state| {
            let grad = &grad[start..start + state[0].len()];
            simd::run(Steps::<R, T, N> { rule: &rule, state, grad });
        });
    });
    drop(locked);
    finish(c, all)
}

/// The same step for each element of a variable and its slots.
struct Steps<'a, R: Rule, T: Float, const N: usize> {
    rule: &'a R::With<T::Wide>,
    state: [&'a mut [T]; N],
    grad: &'a [T],
}

impl<R: Rule, T: Float, const N: usize> simd::Loop for Steps<'_, R, T, N> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.grad.len();
        // One length for all, known before the loop: no check remains inside it.
        let state = self.state.map(|s| &mut s[..n]);
        for i in 0..n {
            let mut now = [T::wide(0.0); N];
            for k in 0..N {
                now[k] = state[k][i].widen();
            }
            R::step(self.rule, &mut now, self.grad[i].widen());
            for k in 0..N {
                state[k][i] = T::narrow(now[k]);
            }
        }
    }
}

fn finish(c: &mut KernelContext, mut all: Vec<Arc<Variable>>) -> Result<()> {
    if c.num_outputs() > 0 {
        c.set_output_ref(0, all.swap_remove(0));
    }
    Ok(())
}

/// As `dense`, for the rows that `indices` names, one after the other.
fn sparse<R: Rule, const N: usize>(c: &mut KernelContext) -> Result<()> {
    let all = variables(c, N)?;
    let grad_at = place(c.node.def, &["grad", "delta"]).unwrap_or(N);
    let indices_at = place(c.node.def, &["indices"]).unwrap_or(N + 1);
    let mut locked = lock(c, &all)?;
    let (grad, indices) = (c.input(grad_at)?, c.input(indices_at)?);
    let shape = locked.writing[0].value().shape().clone();
    ensure!(
        shape.rank() >= 1,
        invalid,
        "var must be at least 1 dimensional"
    );
    ensure!(
        indices.shape().rank() == 1,
        invalid,
        "indices must be one-dimensional"
    );
    let rows = indices.ints()?;
    let mut wanted = vec![rows.len() as i64];
    wanted.extend_from_slice(&shape.dims()[1..]);
    ensure!(
        grad.shape().dims() == wanted,
        invalid,
        "grad must be the same size as indices in the first dimension and as var in the others: grad {}, indices {}, var {shape}",
        grad.shape(),
        indices.shape()
    );
    let limit = shape.dims()[0];
    if let Some(at) = rows.iter().position(|r| !(0..limit).contains(r)) {
        bail!(
            invalid,
            "Index {} at offset {at} in indices is out of range",
            rows[at]
        );
    }
    let block: usize = shape.dims()[1..].iter().map(|d| *d as usize).product();
    let flag = flag(c)?;
    dispatch!(floats, grad.dtype(), T => {
        let hyper: Vec<<T as Float>::Wide> = hyperparameters(c, N)?;
        let rule = R::new(&hyper, flag);
        let grad = grad.slice::<T>()?;
        let order = locked.order.clone();
        let mut slices: Vec<Option<&mut [T]>> = Vec::with_capacity(N);
        for writing in &mut locked.writing {
            slices.push(Some(writing.slice_mut::<T>()?));
        }
        let state: Vec<&mut [T]> = order.iter().filter_map(|at| slices[*at].take()).collect();
        let Ok(mut state): Result<[&mut [T]; N], _> = state.try_into() else {
            bail!(internal, "one slice a variable");
        };
        for (row, grad) in rows.iter().zip(grad.chunks_exact(block.max(1))) {
            let from = *row as usize * block;
            let own = state.each_mut().map(|s| &mut s[from..from + block]);
            simd::run(Steps::<R, T, N> { rule: &rule, state: own, grad });
        }
    });
    drop(locked);
    finish(c, all)
}
