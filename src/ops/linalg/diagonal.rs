//! Diagonals and bands of matrices.

use crate::error::Result;
use crate::graph::{ShapeContext, with_rank};
use crate::ops::array::turned;
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::{join, split_matrix};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Diag", "diagonal: T -> output: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(diag_shape)
        .grad(|g| renamed(g, "DiagPart", ""))
        .kernel(diag)
        .gpu(diag_on_gpu),
    Op::new("DiagPart", "input: T -> diagonal: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(diag_part_shape)
        .grad(|g| renamed(g, "Diag", ""))
        .kernel(diag_part)
        .gpu(diag_part_on_gpu),
    Op::new("MatrixDiag", "diagonal: T -> output: T")
        .attr("T: type")
        .shape(matrix_diag_shape)
        .grad(|g| renamed(g, "MatrixDiagPart", "diag_part"))
        .kernel(matrix_diag)
        .gpu(matrix_diag_on_gpu),
    Op::new("MatrixDiagPart", "input: T -> diagonal: T")
        .attr("T: type")
        .shape(matrix_diag_part_shape)
        .grad(matrix_diag_part_grad)
        .kernel(matrix_diag_part)
        .gpu(matrix_diag_part_on_gpu),
    Op::new("MatrixSetDiag", "input: T, diagonal: T -> output: T")
        .attr("T: type")
        .shape(matrix_set_diag_shape)
        .grad(matrix_set_diag_grad)
        .kernel(matrix_set_diag)
        .gpu(matrix_set_diag_on_gpu),
    Op::new(
        "MatrixBandPart",
        "input: T, num_lower: Tindex, num_upper: Tindex -> band: T",
    )
    .attr("T: type")
    .attr("Tindex: {int32, int64} = DT_INT64")
    .shape(shape::unchanged)
    .grad(band_grad)
    .kernel(band)
    .gpu(band_on_gpu)
    .on_host(&[1, 2]),
];

fn diag_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    shape::at_least(&input, 1)?;
    if let Some(dims) = input.dims() {
        c.set(0, PartialShape::from_dims(dims.repeat(2)));
    }
    Ok(())
}

fn diag_part_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    let Some(dims) = input.dims() else {
        return Ok(());
    };
    let rank = dims.len();
    ensure!(
        rank > 0 && rank.is_multiple_of(2),
        invalid,
        "Input must have even and non-zero rank, input rank is {rank}"
    );
    let (first, second) = dims.split_at(rank / 2);
    let mut made = Vec::with_capacity(rank / 2);
    for (a, b) in first.iter().zip(second) {
        made.push(shape::merge_dim(*a, *b)?);
    }
    c.set(0, PartialShape::from_dims(made));
    Ok(())
}

fn matrix_diag_shape(c: &mut ShapeContext) -> Result<()> {
    let input = c.input(0);
    shape::at_least(&input, 1)?;
    if let Some(dims) = input.dims() {
        let mut dims = dims.to_vec();
        dims.extend(dims.last().copied());
        c.set(0, PartialShape::from_dims(dims));
    }
    Ok(())
}

/// The smaller of two sizes; unknown when one of them is, unless the other is zero.
fn min_dim(a: i64, b: i64) -> i64 {
    match (a, b) {
        (0, _) | (_, 0) => 0,
        (a, b) if a < 0 || b < 0 => -1,
        (a, b) => a.min(b),
    }
}

fn matrix_diag_part_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some((batch, rows, columns)) = split_matrix(c, 0)? {
        c.set(0, join(&batch, &[min_dim(rows, columns)]));
    }
    Ok(())
}

fn matrix_set_diag_shape(c: &mut ShapeContext) -> Result<()> {
    let diagonal = c.input(1);
    shape::at_least(&diagonal, 1)?;
    let Some((batch, rows, columns)) = split_matrix(c, 0)? else {
        // The batch is known from the diagonal alone.
        if let Some(dims) = diagonal.dims() {
            let batch = PartialShape::from_dims(dims[..dims.len() - 1].to_vec());
            c.set(0, join(&batch, &[-1, -1]));
        }
        return Ok(());
    };
    let rank = batch.rank().unwrap_or(0) + 1;
    let diagonal = with_rank(&diagonal, rank)?;
    shape::merge_dim(min_dim(rows, columns), diagonal.dim(rank - 1))?;
    let dims = diagonal.dims().unwrap_or_default();
    let known = PartialShape::from_dims(dims[..rank - 1].to_vec());
    let batch = shape::merge(&batch, &known)?;
    c.set(0, join(&batch, &[rows, columns]));
    Ok(())
}

/// `op` on the gradient.
fn renamed(g: &mut GradientContext, op: &'static str, name: &str) -> Result<Grads> {
    let dy = g.dy(0)?;
    let made = g.graph.call(op, name, [dy], &[])?;
    Ok(vec![Some(made.into())])
}

fn matrix_diag_part_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, dy) = (g.input(0), g.dy(0)?);
    let is_square = g.shape(x).dims().is_some_and(|dims| match dims {
        [.., rows, columns] => *rows >= 0 && rows == columns,
        _ => false,
    });
    let made = match is_square {
        true => g.graph.call("MatrixDiag", "diag", [dy], &[])?,
        false => {
            let zeros = g.graph.zeros_like(x)?;
            g.graph
                .call("MatrixSetDiag", "set_diag", [zeros, dy], &[])?
        }
    };
    Ok(vec![Some(made.into())])
}

fn matrix_set_diag_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, diagonal, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let whole = shape::merge(g.shape(x), g.shape(dy))?;
    let Some((rows, columns, batch)) = whole.dims().and_then(|dims| match dims {
        [batch @ .., rows, columns] => Some((*rows, *columns, batch.to_vec())),
        _ => None,
    }) else {
        return Err(needs_shape());
    };
    let mut batch = PartialShape::from_dims(batch);
    if let Some([known @ .., _]) = g.shape(diagonal).dims() {
        batch = shape::merge(&batch, &PartialShape::from_dims(known.to_vec()))?;
    }
    let wanted = join(&batch, &[min_dim(rows, columns)]);
    let Some(wanted) = wanted.to_shape().filter(|_| rows >= 0 && columns >= 0) else {
        return Err(needs_shape());
    };
    let dtype = g.dtype(dy);
    let zeros = g.graph.zeros_shaped(&wanted, dtype)?;
    let of_input = g
        .graph
        .call("MatrixSetDiag", "set_diag", [dy, zeros], &[])?;
    let of_diagonal = g.graph.call("MatrixDiagPart", "diag_part", [dy], &[])?;
    Ok(vec![Some(of_input.into()), Some(of_diagonal.into())])
}

fn needs_shape() -> crate::error::Error {
    crate::error::Error::unimplemented("the gradient of MatrixSetDiag of matrices of unknown shape")
}

fn band_grad(g: &mut GradientContext) -> Result<Grads> {
    let (dy, lower, upper) = (g.dy(0)?, g.input(1), g.input(2));
    let made = g.op("MatrixBandPart", [dy, lower, upper])?;
    Ok(vec![Some(made.into()), None, None])
}

/// Copies element `i` of `from` to element `j` of `to`.
fn copy(from: &[u8], i: usize, to: &mut [u8], j: usize, size: usize) {
    to[j * size..(j + 1) * size].copy_from_slice(&from[i * size..(i + 1) * size]);
}

fn size_of(value: &Value) -> Result<usize> {
    match value.dtype().size() {
        Some(size) => Ok(size),
        None => bail!(
            unimplemented,
            "diagonals of {} tensors",
            value.dtype().short_name()
        ),
    }
}

fn diag(c: &mut KernelContext) -> Result<()> {
    let x = c.input(0)?;
    let size = size_of(x)?;
    ensure!(
        x.shape().rank() > 0,
        invalid,
        "Input must be at least rank 1, got 0"
    );
    let mut out = Value::zeros(x.dtype(), Shape::new(&x.shape().dims().repeat(2))?)?;
    let n = x.num_elements();
    let (from, to) = (x.bytes()?, out.bytes_mut()?);
    (0..n).for_each(|i| copy(from, i, to, i * (n + 1), size));
    c.set_output(0, out);
    Ok(())
}

fn diag_part(c: &mut KernelContext) -> Result<()> {
    let x = c.input(0)?;
    let size = size_of(x)?;
    let dims = x.shape().dims();
    ensure!(
        !dims.is_empty() && dims.len().is_multiple_of(2),
        invalid,
        "The rank of the tensor should be even and positive, got shape {}",
        x.shape()
    );
    let half = dims.len() / 2;
    for i in 0..half {
        ensure!(
            dims[i] == dims[i + half],
            invalid,
            "Invalid shape {}: dimensions {i} and {} do not match.",
            x.shape(),
            i + half
        );
    }
    let mut out = Value::uninit(x.dtype(), Shape::new(&dims[..half])?)?;
    let n = out.num_elements();
    let (from, to) = (x.bytes()?, out.bytes_mut()?);
    (0..n).for_each(|i| copy(from, i * (n + 1), to, i, size));
    c.set_output(0, out);
    Ok(())
}

fn matrix_diag(c: &mut KernelContext) -> Result<()> {
    let x = c.input(0)?;
    let size = size_of(x)?;
    let shape = x.shape();
    ensure!(
        shape.rank() > 0,
        invalid,
        "diagonal must be at least 1-dim, received shape: {shape}"
    );
    let n = shape.dim(shape.rank() - 1);
    let mut dims = shape.dims().to_vec();
    dims.push(n as i64);
    let mut out = Value::zeros(x.dtype(), Shape::new(&dims)?)?;
    let (from, to) = (x.bytes()?, out.bytes_mut()?);
    for i in 0..x.num_elements() {
        let (matrix, k) = (i / n, i % n);
        copy(from, i, to, (matrix * n + k) * n + k, size);
    }
    c.set_output(0, out);
    Ok(())
}

/// Rows and columns of each matrix.
fn matrix_sizes(shape: &Shape) -> Result<(usize, usize)> {
    let rank = shape.rank();
    ensure!(
        rank >= 2,
        invalid,
        "input must be at least 2-dim, received shape: {shape}"
    );
    Ok((shape.dim(rank - 2), shape.dim(rank - 1)))
}

fn diagonal_shape(shape: &Shape) -> Result<Shape> {
    let (rows, columns) = matrix_sizes(shape)?;
    let mut dims = shape.dims()[..shape.rank() - 2].to_vec();
    dims.push(rows.min(columns) as i64);
    Shape::new(&dims)
}

fn matrix_diag_part(c: &mut KernelContext) -> Result<()> {
    let x = c.input(0)?;
    let size = size_of(x)?;
    let (rows, columns) = matrix_sizes(x.shape())?;
    let n = rows.min(columns);
    let mut out = Value::uninit(x.dtype(), diagonal_shape(x.shape())?)?;
    let count = out.num_elements();
    let (from, to) = (x.bytes()?, out.bytes_mut()?);
    for i in 0..count {
        let (matrix, k) = (i / n, i % n);
        copy(from, (matrix * rows + k) * columns + k, to, i, size);
    }
    c.set_output(0, out);
    Ok(())
}

fn matrix_set_diag(c: &mut KernelContext) -> Result<()> {
    let diagonal = c.input(1)?.clone();
    let shape = c.input(0)?.shape().clone();
    let size = size_of(&diagonal)?;
    let (rows, columns) = matrix_sizes(&shape)?;
    ensure!(
        *diagonal.shape() == diagonal_shape(&shape)?,
        invalid,
        "diagonal must have shape {} for matrices of shape {shape}, but has {}",
        diagonal_shape(&shape)?,
        diagonal.shape()
    );
    let n = rows.min(columns);
    let mut out = c.take_input(0)?;
    if !out.is_unique() {
        out = out.deep_copy()?;
    }
    let (from, to) = (diagonal.bytes()?, out.bytes_mut()?);
    for i in 0..diagonal.num_elements() {
        let (matrix, k) = (i / n, i % n);
        copy(from, i, to, (matrix * rows + k) * columns + k, size);
    }
    c.set_output(0, out);
    Ok(())
}

/// A matrix or more of zeros with input 0 on the diagonal; its shape is input 0's with `more` behind it.
fn onto_diagonal(c: &mut GpuContext, n: usize, more: &[i64]) -> Result<()> {
    let shape = Shape::new(&[c.shape(0)?.dims(), more].concat())?;
    turned::with_diagonal(c, 0, [n, n], shape)
}

fn diag_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    match shape.rank() {
        0 => c.leave_to_host(),
        _ => onto_diagonal(c, shape.num_elements(), shape.dims()),
    }
}

fn matrix_diag_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    match shape.dims().last() {
        None => c.leave_to_host(),
        Some(n) => onto_diagonal(c, *n as usize, &[*n]),
    }
}

fn diag_part_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let (half, rest) = shape.dims().split_at(shape.rank() / 2);
    if half.is_empty() || half != rest {
        return c.leave_to_host();
    }
    let made = Shape::new(half)?;
    let n = made.num_elements();
    turned::set_diagonal(c, [n, n], made)
}

fn matrix_diag_part_on_gpu(c: &mut GpuContext) -> Result<()> {
    let (rows, columns) = matrix_sizes(c.shape(0)?)?;
    let shape = diagonal_shape(c.shape(0)?)?;
    turned::set_diagonal(c, [rows, columns], shape)
}

fn matrix_set_diag_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let (rows, columns) = matrix_sizes(&shape)?;
    if *c.shape(1)? != diagonal_shape(&shape)? {
        return c.leave_to_host();
    }
    turned::with_diagonal(c, 1, [rows, columns], shape)
}

fn band_on_gpu(c: &mut GpuContext) -> Result<()> {
    let (rows, columns) = matrix_sizes(c.shape(0)?)?;
    let (lower, upper) = (c.host_input(1)?.int()?, c.host_input(2)?.int()?);
    let kept = |bound: i64, size: usize| match usize::try_from(bound) {
        Ok(bound) => Some(bound).filter(|bound| *bound <= size),
        Err(_) => Some(rows.max(columns)),
    };
    match (kept(lower, rows), kept(upper, columns)) {
        (Some(lower), Some(upper)) => turned::band(c, [lower, upper]),
        _ => c.leave_to_host(),
    }
}

fn band(c: &mut KernelContext) -> Result<()> {
    let (rows, columns) = matrix_sizes(c.input(0)?.shape())?;
    let lower = c.scalar_input(1, "num_lower")?.int()?;
    let upper = c.scalar_input(2, "num_upper")?.int()?;
    for (bound, size, what) in [(lower, rows, "num_lower"), (upper, columns, "num_upper")] {
        let of = if what == "num_lower" {
            "rows"
        } else {
            "columns"
        };
        ensure!(
            bound <= size as i64,
            invalid,
            "{what} must be negative or less or equal to number of {of} ({size}) got: {bound}"
        );
    }
    let size = size_of(c.input(0)?)?;
    let mut out = c.take_input(0)?;
    if !out.is_unique() {
        out = out.deep_copy()?;
    }
    let to = out.bytes_mut()?;
    if to.is_empty() {
        c.set_output(0, out);
        return Ok(());
    }
    for (i, row) in to.chunks_exact_mut(columns * size).enumerate() {
        let i = (i % rows) as i64;
        let from = if lower < 0 {
            0
        } else {
            (i - lower).max(0) as usize
        };
        let end = if upper < 0 {
            columns
        } else {
            (i + upper + 1).min(columns as i64) as usize
        };
        let from = from.min(columns);
        row[..from * size].fill(0);
        row[end.max(from) * size..].fill(0);
    }
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{Input, assert_close, floats, of, run, shapes};
    use crate::value::DType;

    #[test]
    fn shapes_of_diagonals_are_tensorflows() {
        let one = |op, dims: &[i64]| shapes(op, &[of(dims)], &[]).map(|all| all[0].clone());
        assert_eq!(one("Diag", &[2, 3]).unwrap(), "[2,3,2,3]");
        assert_eq!(one("DiagPart", &[2, -1, -1, 3]).unwrap(), "[2,3]");
        assert_eq!(one("MatrixDiag", &[2, 3]).unwrap(), "[2,3,3]");
        assert_eq!(one("MatrixDiagPart", &[2, 3, 4]).unwrap(), "[2,3]");
        let words = one("DiagPart", &[2, 3, 2]).unwrap_err().message;
        assert!(words.starts_with("Input must have even and non-zero rank, input rank is 3"));
        let set = |a: Input, b: &[i64]| shapes("MatrixSetDiag", &[a, of(b)], &[]);
        assert_eq!(set(of(&[-1, 3, -1]), &[2, 3]).unwrap(), ["[2,3,?]"]);
        assert_eq!(
            set(Input::Unknown(DType::F32), &[2, 3]).unwrap(),
            ["[2,?,?]"]
        );
        let words = set(of(&[2, 3, 4]), &[2, 4]).unwrap_err().message;
        assert!(
            words.starts_with("Dimensions must be equal, but are 3 and 4"),
            "{words}"
        );
        let words = set(of(&[2, 3, 4]), &[4]).unwrap_err().message;
        assert!(
            words.starts_with("Shape must be rank 2 but is rank 1"),
            "{words}"
        );
    }

    #[test]
    fn diagonals_go_in_and_come_out() {
        let x = floats(&[2, 2], &[1.0, 2.0, 3.0, 4.0]);
        let m = run("MatrixDiag", std::slice::from_ref(&x), &[])
            .unwrap()
            .remove(0);
        assert_close(&m, &[1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0, 4.0]);
        assert_eq!(
            run("MatrixDiagPart", std::slice::from_ref(&m), &[]).unwrap()[0],
            x
        );
        let ones = floats(&[2, 2, 2], &[1.0; 8]);
        let set = run("MatrixSetDiag", &[ones, x.clone()], &[]).unwrap();
        assert_close(&set[0], &[1.0, 1.0, 1.0, 2.0, 3.0, 1.0, 1.0, 4.0]);
        let d = run("Diag", std::slice::from_ref(&x), &[])
            .unwrap()
            .remove(0);
        assert_eq!(d.shape().dims(), [2, 2, 2, 2]);
        assert_eq!(run("DiagPart", &[d], &[]).unwrap()[0], x);
        assert!(run("MatrixSetDiag", &[m, floats(&[2], &[1.0, 2.0])], &[]).is_err());
    }

    #[test]
    fn bands_keep_the_diagonals_asked_for() {
        let ones = floats(&[3, 4], &[1.0; 12]);
        let n = |x: i64| Value::scalar(x).unwrap();
        let keep = |a, b| run("MatrixBandPart", &[ones.clone(), n(a), n(b)], &[]);
        let one = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        assert_close(&keep(1, 0).unwrap()[0], &one);
        let all = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0];
        assert_close(&keep(-1, 0).unwrap()[0], &all);
        let words = "num_lower must be negative or less or equal to number of rows (3) got: 5";
        assert_eq!(keep(5, 0).unwrap_err().message, words);
    }
}
