//! Softmax and its cross entropies on GPUs: rows are shared by lanes of a workgroup.

use crate::backend::gpu::Shader;
use crate::error::{Error, Result};
use crate::ops::gpu::{GpuContext, words};
use crate::ops::reduce::gpu::{Fold, Lanes, fold_into};
use crate::value::{DType, Shape};

pub(in crate::ops) fn softmax(c: &mut GpuContext, is_log: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    if c.dtype(0)? != DType::F32 || shape.num_elements() == 0 {
        return c.leave_to_host();
    }
    let cols = shape.dims().last().map_or(1, |d| *d as usize);
    let rows = shape.num_elements() / cols;
    let x = c.input(0)?;
    let y = c.allocate(0, shape)?;
    let lanes = Lanes::of(cols, 1);
    let [first, last] = lanes.constants();
    let shader = Shader::file("softmax", &[("LOG", u32::from(is_log)), first, last]);
    c.launch(
        &shader,
        &[&x, &y],
        &words([rows, cols])?,
        lanes.groups(rows),
    )?;
    c.set_output(0, y);
    Ok(())
}

/// The dense cross entropy; operands of one row or one column are broadcast.
pub(in crate::ops) fn cross_entropy(c: &mut GpuContext) -> Result<()> {
    let (a, b) = (c.shape(0)?.clone(), c.shape(1)?.clone());
    let is_known = c.dtype(0)? == DType::F32 && a.rank() == 2 && b.rank() == 2;
    if !is_known || a.num_elements() == 0 || b.num_elements() == 0 {
        return c.leave_to_host();
    }
    let (rows, cols) = (a.dim(0).max(b.dim(0)), a.dim(1).max(b.dim(1)));
    let fits = |s: &Shape| {
        [(s.dim(0), rows), (s.dim(1), cols)]
            .iter()
            .all(|(own, all)| own == all || *own == 1)
    };
    if !fits(&a) || !fits(&b) {
        return c.leave_to_host();
    }
    let steps = |s: &Shape| {
        let is_repeated = |axis: usize| s.dim(axis) == 1;
        [
            if is_repeated(0) { 0 } else { s.dim(1) },
            usize::from(!is_repeated(1)),
        ]
    };
    let ([a_row, a_col], [b_row, b_col]) = (steps(&a), steps(&b));
    entropies(c, [rows, cols], [a_row, a_col, b_row, b_col], &[])
}

/// With a label for each row. A label outside the classes is the CPU's error, also when it was computed on the device.
pub(in crate::ops) fn sparse_cross_entropy(c: &mut GpuContext) -> Result<()> {
    let (a, b) = (c.shape(0)?.clone(), c.shape(1)?.clone());
    let is_known = c.dtype(0)? == DType::F32 && a.rank() == 2 && b.rank() == 1;
    if !is_known || a.dim(0) != b.dim(0) || a.num_elements() == 0 {
        return c.leave_to_host();
    }
    let sizes = [a.dim(0), a.dim(1)];
    let is_long = match c.dtype(1)? {
        DType::I64 => 1,
        DType::I32 => 0,
        _ => return c.leave_to_host(),
    };
    let labels = c.any_input(1)?;
    let known = match labels.device_buffer() {
        Some(buffer) => buffer.host_if_known().is_some(),
        None => true,
    };
    let classes = 0..sizes[1] as i64;
    // Labels that the host knows are looked at here: then nobody has to wait for what a shader finds.
    if known && !c.ints_input(1)?.iter().all(|label| classes.contains(label)) {
        return c.leave_to_host();
    }
    let constants = [
        ("SPARSE", 1),
        ("LONG", is_long),
        ("NOTED", u32::from(!known)),
    ];
    entropies(c, sizes, [sizes[1], 1, 1, 0], &constants)
}

/// Losses and their gradient; `steps` between rows and columns of the logits, then of the labels.
fn entropies(
    c: &mut GpuContext,
    [rows, cols]: [usize; 2],
    [a_row, a_col, b_row, b_col]: [usize; 4],
    constants: &[(&'static str, u32)],
) -> Result<()> {
    let (logits, labels) = (c.input(0)?, c.input(1)?);
    let loss = c.allocate(0, Shape::new(&[rows as i64])?)?;
    let slope = c.allocate(1, Shape::new(&[rows as i64, cols as i64])?)?;
    let lanes = Lanes::of(cols, 1);
    let constants = [constants, &lanes.constants()].concat();
    let shader = Shader::file("cross_entropy", &constants);
    let params = words([rows, cols, a_row, a_col, b_row, b_col])?;
    let bindings = [&logits, &labels, &loss, &slope];
    let groups = lanes.groups(rows);
    match constants.contains(&("NOTED", 1)) {
        false => c.launch(&shader, &bindings, &params, groups)?,
        true => c.launch_checked(&shader, &bindings, &params, groups, move |[_, low, high]| {
            let label = (u64::from(high) << 32 | u64::from(low)) as i64;
            Error::invalid(format!(
                "Received a label value of {label} which is outside the valid range of [0, {cols})."
            ))
        })?,
    }
    c.set_output(0, loss);
    c.set_output(1, slope);
    Ok(())
}

/// Half the sum of squares.
pub(in crate::ops) fn l2_loss(c: &mut GpuContext) -> Result<()> {
    let length = c.shape(0)?.num_elements();
    if c.dtype(0)? != DType::F32 || length == 0 {
        return c.leave_to_host();
    }
    let x = c.input(0)?;
    let y = c.allocate(0, Shape::scalar())?;
    fold_into(c, &x, [1, length, 1], Fold::MeanSquare, 2, &y)?;
    c.set_output(0, y);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, floats_of};
    use crate::value::Value;

    #[test]
    fn softmax_agrees_with_the_cpus() {
        for dims in [vec![5, 10], vec![3, 1], vec![2, 3, 300], vec![7]] {
            agrees_on_gpu("Softmax", &[floats_of(&dims)], &[], 1e-5);
            agrees_on_gpu("LogSoftmax", &[floats_of(&dims)], &[], 1e-5);
        }
        agrees_on_gpu("L2Loss", &[floats_of(&[70, 1000])], &[], 1e-5);
    }

    #[test]
    fn cross_entropies_agree_with_the_cpus() {
        let op = "SoftmaxCrossEntropyWithLogits";
        for labels in [[9, 40], [1, 40], [9, 1]] {
            agrees_on_gpu(op, &[floats_of(&[9, 40]), floats_of(&labels)], &[], 1e-5);
        }
        let op = "SparseSoftmaxCrossEntropyWithLogits";
        let labels = Value::vector(&[0i64, 4, 2]).unwrap();
        agrees_on_gpu(op, &[floats_of(&[3, 5]), labels], &[], 1e-5);
        let labels = Value::vector(&[0i32, 4, 2]).unwrap();
        agrees_on_gpu(op, &[floats_of(&[3, 5]), labels], &[], 1e-5);
    }
}
