//! The largest elements of rows on a GPU: a few are looked for one after the other, many come out of a sort.

use crate::backend::gpu::{Shader, groups_for, groups_of};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, words};
use crate::ops::reduce::gpu::Lanes;
use crate::value::{DType, Shape, Value};

use super::order::sort;

/// Up to so many are looked for.
const FEW: usize = 32;

pub(super) fn top_k(c: &mut GpuContext) -> Result<()> {
    let (k, shape) = (c.host_input(1)?, c.shape(0)?.clone());
    let (Ok(k), Some((length, outer))) = (k.int(), shape.dims().split_last()) else {
        return c.leave_to_host();
    };
    let whole = match c.dtype(0)? {
        DType::F32 => 0,
        DType::I32 => 1,
        _ => return c.leave_to_host(),
    };
    // What is wrong, and what is empty, is the host's.
    if !(1..=*length).contains(&k) || !(1..1 << 30).contains(&shape.num_elements()) {
        return c.leave_to_host();
    }
    let (k, length) = (k as usize, *length as usize);
    let rows = shape.num_elements() / length;
    let out = Shape::new(&[outer, &[k as i64]].concat())?;
    let x = c.input(0)?;
    let (values, places) = (c.allocate(0, out.clone())?, c.allocate(1, out)?);
    if k <= FEW {
        let lanes = Lanes::of(length, 1);
        let [first, last] = lanes.constants();
        let shader = Shader::file("top_k", &[("WHOLE", whole), first, last]);
        let params = words([rows, length, k])?;
        c.launch(
            &shader,
            &[&x, &values, &places],
            &params,
            lanes.groups(rows),
        )?;
    } else {
        by_sorting(c, &x, [rows, length, k], whole, [&values, &places])?;
    }
    c.set_output(0, values);
    c.set_output(1, places);
    Ok(())
}

/// Pairs are sorted by size; a second sort, by rows, leaves them in that order within each.
fn by_sorting(
    c: &GpuContext,
    x: &Value,
    [rows, length, k]: [usize; 3],
    whole: u32,
    [values, places]: [&Value; 2],
) -> Result<()> {
    let count = rows * length;
    let shader = |part| Shader::file("top_k_pairs", &[("PART", part), ("WHOLE", whole)]);
    let params = words([count, length, k])?;
    let pairs = c.allocate_as(DType::I64, Shape::vector(count))?;
    c.launch(&shader(0), &[x, &pairs], &params, groups_for(count))?;
    let mut pairs = sort(c, pairs, u32::MAX as usize)?;
    if rows > 1 {
        c.launch(&shader(1), &[&pairs], &params, groups_for(count))?;
        pairs = sort(c, pairs, rows - 1)?;
    }
    let params = words([rows * k, length, k])?;
    let bindings = [x, &pairs, values, places];
    c.launch(&shader(2), &bindings, &params, groups_for(rows * k))
}

/// Whether the score of each row's target is among its k best.
pub(in crate::ops) fn in_top_k(c: &mut GpuContext) -> Result<()> {
    let k = match c.num_inputs() {
        3 => c.host_input(2)?.int()?,
        _ => c.attrs().int("k")?,
    };
    let (scores, targets) = (c.shape(0)?.clone(), c.shape(1)?.clone());
    let is_right = scores.rank() == 2
        && targets.rank() == 1
        && scores.dim(0) == targets.dim(0)
        && (1..1 << 30).contains(&scores.num_elements());
    let index_width = match c.dtype(1)? {
        DType::I32 => 4,
        DType::I64 => 8,
        _ => return c.leave_to_host(),
    };
    if !is_right {
        return c.leave_to_host();
    }
    let (x, indices) = (c.input(0)?, c.input(1)?);
    let made = c.allocate(0, targets)?;
    let (rows, length) = (scores.dim(0), scores.dim(1));
    let k = k.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
    let params = [rows as u32, length as u32, k as u32];
    let shader = Shader::file("in_top_k", &[("INDEX_WIDTH", index_width)]);
    let groups = groups_of(rows.div_ceil(32));
    c.launch(&shader, &[&x, &indices, &made], &params, groups)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::{Shape, Value};

    #[test]
    fn the_largest_are_the_cpus() {
        for (dims, k) in [
            (vec![7], 3),
            (vec![40, 10], 2),
            (vec![3, 5, 700], 5),
            (vec![3, 900], 60),
        ] {
            let k = Value::scalar(k).unwrap();
            agrees_on_gpu("TopKV2", &[floats_of(&dims), k.clone()], &[], 0.0);
            let shape = Shape::new(&dims).unwrap();
            let ints = (0..shape.num_elements() as i32).map(|i| i * 7919 % 13 - 6);
            let ints = Value::from_slice(shape, &ints.collect::<Vec<i32>>()).unwrap();
            agrees_on_gpu("TopKV2", &[ints, k], &[], 0.0);
        }
    }

    #[test]
    fn targets_among_the_best_are_the_cpus() {
        let targets: Vec<i32> = (0..37).map(|i| i * 5 % 11).collect();
        let inputs = [floats_of(&[37, 10]), Value::vector(&targets).unwrap()];
        for k in [0i64, 1, 3, 10] {
            agrees_on_gpu("InTopK", &inputs, &attrs(&[("k", k.into())]), 0.0);
        }
    }
}
