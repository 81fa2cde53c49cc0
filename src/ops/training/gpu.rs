//! Optimizers' steps on a GPU, in place over the variable and its slots. What is wrong is left to the CPU's kernels,
//! which say so.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::GpuContext;
use crate::ops::resource::{Variable, WritingOnDevice};
use crate::value::{DType, Shape, Value};

use super::place;

/// A rule's number in `shaders/lib/rules.wgsl`, and the variables that it keeps.
fn rule_of(op: &str) -> Option<(u32, usize)> {
    let name = op.strip_prefix("Resource").unwrap_or(op);
    let name = name.strip_prefix("Sparse").unwrap_or(name);
    Some(match name.strip_prefix("Apply")? {
        "GradientDescent" => (0, 1),
        "Momentum" => (1, 2),
        "KerasMomentum" => (2, 2),
        "Adagrad" => (3, 2),
        "AdagradV2" => (4, 2),
        "Adadelta" => (5, 3),
        "AdaMax" => (6, 3),
        "RMSProp" => (7, 3),
        "CenteredRMSProp" => (8, 4),
        "Ftrl" => (9, 3),
        "FtrlV2" => (10, 3),
        "ProximalGradientDescent" => (11, 1),
        "ProximalAdagrad" => (12, 2),
        "AdagradDA" => (13, 3),
        "AddSign" => (14, 2),
        "PowerSign" => (15, 2),
        "Adam" => (16, 3),
        _ => return None,
    })
}

const ADAM: u32 = 16;

/// The rule's numbers in the order of the op's inputs; `None` where one is no scalar.
fn numbers(c: &GpuContext, rule: u32, states: usize) -> Result<Option<Vec<f32>>> {
    let mut all = Vec::new();
    for (i, arg) in c.node.def.inputs.iter().enumerate().skip(states) {
        if matches!(arg.name.as_str(), "grad" | "delta" | "indices") {
            continue;
        }
        let value = c.host_input(i)?;
        if value.num_elements() != 1 {
            return Ok(None);
        }
        all.push(super::as_float::<f32>(&value)?);
    }
    if let (ADAM, [beta1_power, beta2_power, lr, rest @ ..]) = (rule, &all[..]) {
        let rate = lr * (1.0 - beta2_power).sqrt() / (1.0 - beta1_power);
        let mut with_rate = vec![rate];
        with_rate.extend_from_slice(rest);
        return Ok(Some(with_rate));
    }
    Ok(Some(all))
}

/// The variables when all of them are there, different, and of one shape.
fn variables(c: &GpuContext, states: usize) -> Result<Option<(Vec<Arc<Variable>>, Shape)>> {
    let all = (0..states)
        .map(|i| c.variable(i))
        .collect::<Result<Vec<_>>>()?;
    let mut shape = None;
    for (i, variable) in all.iter().enumerate() {
        let content = variable.value.read();
        let Some(value) = content.as_ref().filter(|v| v.dtype() == DType::F32) else {
            return Ok(None);
        };
        let same = shape.get_or_insert_with(|| value.shape().clone()) == value.shape();
        if !same || all[..i].iter().any(|other| Arc::ptr_eq(other, variable)) {
            return Ok(None);
        }
    }
    Ok(shape.map(|shape| (all, shape)))
}

/// The rows of the variable that a sparse gradient speaks of, on the device; `None` where one comes twice (its updates
/// follow each other) or lies outside.
fn rows(c: &GpuContext, at: usize, limit: usize) -> Result<Option<Value>> {
    let indices = c.host_input(at)?;
    let all = indices.ints()?;
    let mut seen = FxHashSet::default();
    let mut rows = Vec::with_capacity(all.len());
    for row in all {
        match i32::try_from(row) {
            Ok(row) if (0..limit as i64).contains(&row.into()) && seen.insert(row) => {
                rows.push(row)
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(c.upload(&Value::vector(&rows)?)?))
}

pub(super) fn step(c: &mut GpuContext) -> Result<()> {
    let is_sparse = place(c.node.def, &["indices"]);
    let Some((rule, states)) = rule_of(c.node.op()) else {
        return c.leave_to_host();
    };
    let grad_at = place(c.node.def, &["grad", "delta"]).unwrap_or(states);
    let (Some((all, shape)), Some(h)) = (variables(c, states)?, numbers(c, rule, states)?) else {
        return c.leave_to_host();
    };
    let own = c.shape(grad_at)?.clone();
    let (fits, block) = match is_sparse {
        None => (own == shape, 1),
        Some(at) => {
            let count = c.shape(at)?;
            let fits = count.rank() == 1
                && shape.rank() >= 1
                && own.rank() == shape.rank()
                && own.dim(0) == count.dim(0)
                && own.dims()[1..] == shape.dims()[1..];
            (
                fits,
                shape.num_elements() / shape.dims().first().map_or(1, |d| (*d).max(1) as usize),
            )
        }
    };
    if !fits || c.dtype(grad_at)? != DType::F32 || shape.num_elements() >= 1 << 31 {
        return c.leave_to_host();
    }
    let rows = match is_sparse {
        Some(at) if own.num_elements() > 0 => match rows(c, at, shape.dim(0))? {
            None => return c.leave_to_host(),
            rows => rows,
        },
        _ => None,
    };
    if own.num_elements() > 0 {
        let grad = c.input(grad_at)?;
        launch(c, (rule, &all), &grad, rows.as_ref(), (block, &h))?;
    }
    if c.num_outputs() > 0 {
        let first = all[0].clone();
        c.set_output_ref(0, first);
    }
    Ok(())
}

fn launch(
    c: &GpuContext,
    (rule, all): (u32, &[Arc<Variable>]),
    grad: &Value,
    rows: Option<&Value>,
    (block, numbers): (usize, &[f32]),
) -> Result<()> {
    let in_place = c.node.def.inputs[0].is_ref;
    // Locks are taken in the order of addresses: so does everybody who takes several.
    let mut by_address: SmallVec<[usize; 4]> = (0..all.len()).collect();
    by_address.sort_by_key(|i| Arc::as_ptr(&all[*i]) as usize);
    let mut locked: SmallVec<[(usize, WritingOnDevice); 4]> = SmallVec::new();
    for i in by_address {
        locked.push((i, c.update(&all[i], in_place)?));
    }
    locked.sort_by_key(|(i, _)| *i);
    let mut bindings: SmallVec<[&Value; 6]> = locked.iter().map(|(_, w)| w.value()).collect();
    bindings.push(grad);
    bindings.extend(rows);
    let flag = ["use_nesterov", "update_slots"]
        .iter()
        .any(|name| c.attrs().bool(name).unwrap_or(false));
    let constants = [
        ("RULE", rule),
        ("STATES", all.len() as u32),
        ("FLAG", flag.into()),
        ("SPARSE", rows.is_some().into()),
    ];
    let mut shared: SmallVec<[u32; 8]> = numbers.iter().map(|x| x.to_bits()).collect();
    shared.resize(6, 0);
    shared.push(block.max(1) as u32);
    let count = grad.num_elements();
    let shader = Shader::file("optimizer", &constants);
    if rows.is_none() {
        return c.launch_with_others(&shader, &bindings, &shared, count);
    }
    shared.push(count as u32);
    c.launch(&shader, &bindings, &shared, groups_for(count))
}

#[cfg(test)]
mod tests {
    use super::rule_of;

    #[test]
    fn every_optimizer_has_its_rule() {
        for op in super::super::OPS {
            assert!(rule_of(op.name).is_some(), "{}", op.name);
        }
    }
}
