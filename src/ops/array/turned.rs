//! Sequences turned around, borders folded back, diagonals and bands, on a GPU.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::{Error, Result};
use crate::ops::gpu::{GpuContext, copy, words};
use crate::ops::moves::{product, strides};
use crate::value::{DType, Shape, Value, resolve_axis};

use super::gpu::{View, filled, groups, set_view, spread, width_of};

/// Most elements that shaders here count.
const MANY: usize = 1 << 30;

/// The first elements along an axis the other way round, as many as input 1 says for each place of the batch.
pub(super) fn reverse_sequence(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let rank = shape.rank();
    let seq = resolve_axis(c.attrs().int("seq_dim")?, rank)?;
    let batch = resolve_axis(c.attrs().int("batch_dim")?, rank)?;
    let index_width = match c.dtype(1)? {
        DType::I32 => 4,
        DType::I64 => 8,
        _ => return c.leave_to_host(),
    };
    let is_right = seq != batch
        && c.shape(1)?.dims() == [shape.dims()[batch]]
        && (1..MANY).contains(&shape.num_elements());
    let (Some(width), true) = (width_of(c.dtype(0)?), is_right) else {
        return c.leave_to_host();
    };
    let (x, lengths) = (c.input(0)?, c.input(1)?);
    let made = c.allocate(0, shape.clone())?;
    let steps = strides(shape.dims());
    let count = shape.num_elements();
    let params = words([
        count,
        shape.dim(seq),
        steps[seq],
        shape.dim(batch),
        steps[batch],
    ])?;
    let constants = [("WIDTH", width), ("INDEX_WIDTH", index_width)];
    c.launch_checked(
        &Shader::file("reverse_sequence", &constants),
        &[&x, &lengths, &made],
        &params,
        groups(count, width),
        move |[place, _, high]| {
            Error::invalid(match high >> 31 {
                1 => format!("seq_lens({place}) < 0"),
                _ => format!("seq_lens({place}) > input.dims({seq})"),
            })
        },
    )?;
    c.set_output(0, made);
    Ok(())
}

/// The gradient of a mirrored border of these widths, which has the shape `inner`: one axis after the other.
pub(super) fn fold_mirrored(
    c: &mut GpuContext,
    pairs: &[(i64, i64)],
    inner: &Shape,
    is_symmetric: bool,
) -> Result<()> {
    let count = c.shape(0)?.num_elements();
    if c.dtype(0)? != DType::F32 || !(1..MANY).contains(&count) {
        return c.leave_to_host();
    }
    let mut x = c.input(0)?;
    for (axis, (before, after)) in pairs.iter().enumerate() {
        if (*before, *after) == (0, 0) {
            continue;
        }
        let mut dims = x.shape().dims().to_vec();
        let (padded, size) = (dims[axis] as usize, inner.dim(axis));
        dims[axis] = size as i64;
        let made = c.allocate_as(DType::F32, Shape::new(&dims)?)?;
        let behind = product(&dims[axis + 1..]);
        let edge = usize::from(is_symmetric);
        let count = made.num_elements();
        let params = words([count, padded, size, behind, *before as usize, edge])?;
        let shader = Shader::file("mirror_fold", &[]);
        c.launch(&shader, &[&x, &made], &params, groups_for(count))?;
        x = made;
    }
    c.set_output(0, x);
    Ok(())
}

/// The diagonals of matrices [.., rows, columns], as the output of this shape.
pub(in crate::ops) fn set_diagonal(
    c: &mut GpuContext,
    [rows, columns]: [usize; 2],
    shape: Shape,
) -> Result<()> {
    let view = diagonal(c.shape(0)?.num_elements(), [rows, columns]);
    set_view(c, 0, &view, shape)
}

/// The diagonals of so many elements of matrices.
fn diagonal(elements: usize, [rows, columns]: [usize; 2]) -> View {
    let matrix = (rows * columns).max(1);
    View {
        start: 0,
        counts: vec![(elements / matrix) as i64, rows.min(columns) as i64],
        steps: vec![matrix as i64, columns as i64 + 1],
    }
}

/// Matrices with input `from` on their diagonals: those of input 0, or zeros where `from` is 0.
pub(in crate::ops) fn with_diagonal(
    c: &mut GpuContext,
    from: usize,
    [rows, columns]: [usize; 2],
    shape: Shape,
) -> Result<()> {
    let dtype = c.dtype(0)?;
    let count = shape.num_elements();
    if !matches!(width_of(dtype), Some(4 | 8)) || !(1..MANY).contains(&count) {
        return c.leave_to_host();
    }
    let on_diagonal = c.input(from)?;
    let made: Value = match from {
        0 => filled(c, dtype, shape, [0; 2])?,
        _ => {
            let input = c.input(0)?;
            copy(c.gpu, &input)?
        }
    };
    spread(c, &on_diagonal, &made, &diagonal(count, [rows, columns]))?;
    c.set_output(0, made);
    Ok(())
}

/// Matrices with only the diagonals from `lower` below the main one to `upper` above it.
pub(in crate::ops) fn band(c: &mut GpuContext, [lower, upper]: [usize; 2]) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let count = shape.num_elements();
    let (Some(width), true) = (width_of(c.dtype(0)?), (1..MANY).contains(&count)) else {
        return c.leave_to_host();
    };
    let x = c.input(0)?;
    let made = c.allocate(0, shape.clone())?;
    let (rows, columns) = (shape.dim(shape.rank() - 2), shape.dim(shape.rank() - 1));
    let params = words([count, rows, columns, lower, upper])?;
    let shader = Shader::file("band", &[("WIDTH", width)]);
    c.launch(&shader, &[&x, &made], &params, groups(count, width))?;
    c.set_output(0, made);
    Ok(())
}

/// Input 0, which the run refuses when it holds NaN or an infinite number.
pub(super) fn check_numerics(c: &mut GpuContext) -> Result<()> {
    let count = c.shape(0)?.num_elements();
    if c.dtype(0)? != DType::F32 || !(1..1 << 31).contains(&count) {
        return c.leave_to_host();
    }
    let x = c.input(0)?;
    let message = String::from_utf8_lossy(c.attrs().bytes("message")?).into_owned();
    c.launch_checked(
        &Shader::file("check_numerics", &[]),
        &[&x],
        &[count as u32],
        groups_for(count),
        move |[inf, nan, _]| super::identity::not_finite(&message, inf > 0, nan > 0),
    )?;
    c.set_output(0, x);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::{Shape, Value};

    #[test]
    fn sequences_and_borders_are_the_cpus() {
        let lengths = Value::vector(&[3i64, 0, 7, 1]).unwrap();
        let given = attrs(&[("seq_dim", 0i64.into()), ("batch_dim", 1i64.into())]);
        agrees_on_gpu(
            "ReverseSequence",
            &[floats_of(&[7, 4, 5]), lengths],
            &given,
            0.0,
        );
        let pads = Shape::new(&[3, 2]).unwrap();
        for (mode, pads) in [
            (
                "REFLECT",
                Value::from_slice(pads.clone(), &[1i32, 2, 0, 0, 3, 4]),
            ),
            ("SYMMETRIC", Value::from_slice(pads, &[3i32, 2, 0, 1, 5, 5])),
        ] {
            let given = attrs(&[("mode", mode.into())]);
            let inputs = [floats_of(&[8, 4, 15]), pads.unwrap()];
            agrees_on_gpu("MirrorPadGrad", &inputs, &given, 1e-5);
        }
    }

    #[test]
    fn diagonals_and_bands_are_the_cpus() {
        let (x, d) = (floats_of(&[2, 3, 5]), floats_of(&[2, 3]));
        agrees_on_gpu("MatrixDiagPart", &[x.clone()], &[], 0.0);
        agrees_on_gpu("MatrixDiag", &[d.clone()], &[], 0.0);
        agrees_on_gpu("Diag", &[d.clone()], &[], 0.0);
        agrees_on_gpu("DiagPart", &[floats_of(&[2, 3, 2, 3])], &[], 0.0);
        agrees_on_gpu("MatrixSetDiag", &[x.clone(), d], &[], 0.0);
        for (lower, upper) in [(-1i64, 0i64), (0, 0), (1, -1), (2, 1)] {
            let inputs = [
                x.clone(),
                Value::scalar(lower).unwrap(),
                Value::scalar(upper).unwrap(),
            ];
            agrees_on_gpu("MatrixBandPart", &inputs, &[], 0.0);
        }
    }
}
