//! Factors, inverses and solutions of matrices. Real types only; the arithmetic is float64.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{DType, Shape, Value};
use crate::{bail, ensure};

use super::gradients;
use super::matrix::{self, Matrix};
use super::{join, split_matrix};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Qr", "input: T -> q: T, r: T")
        .attr("full_matrices: bool = false")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(qr_shape)
        .kernel(qr),
    Op::new("Cholesky", "input: T -> output: T")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(square_shape)
        .kernel(cholesky),
    Op::new("MatrixInverse", "input: T -> output: T")
        .attr("adjoint: bool = false")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(square_shape)
        .grad(gradients::inverse)
        .kernel(inverse),
    Op::new("MatrixDeterminant", "input: T -> output: T")
        .attr("T: {float16, float32, float64, complex64, complex128}")
        .shape(determinant_shape)
        .grad(gradients::determinant)
        .kernel(determinant),
    Op::new("MatrixSolve", "matrix: T, rhs: T -> output: T")
        .attr("adjoint: bool = false")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(solve_shape)
        .grad(gradients::solve)
        .kernel(solve),
    Op::new("MatrixTriangularSolve", "matrix: T, rhs: T -> output: T")
        .attr("lower: bool = true")
        .attr("adjoint: bool = false")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(solve_shape)
        .grad(gradients::triangular_solve)
        .kernel(triangular_solve),
];

fn qr_shape(c: &mut ShapeContext) -> Result<()> {
    let Some((batch, m, n)) = split_matrix(c, 0)? else {
        return Ok(());
    };
    let least = if m < 0 || n < 0 { -1 } else { m.min(n) };
    let (q, r) = match c.attrs().bool("full_matrices")? {
        true => ([m, m], [m, n]),
        false => ([m, least], [least, n]),
    };
    c.set(0, join(&batch, &q));
    c.set(1, join(&batch, &r));
    Ok(())
}

pub(super) fn square_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some((batch, m, n)) = split_matrix(c, 0)? {
        let n = shape::merge_dim(m, n)?;
        c.set(0, join(&batch, &[n, n]));
    }
    Ok(())
}

fn determinant_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some((batch, m, n)) = split_matrix(c, 0)? {
        shape::merge_dim(m, n)?;
        c.set(0, batch);
    }
    Ok(())
}

fn solve_shape(c: &mut ShapeContext) -> Result<()> {
    let (matrix, rhs) = (split_matrix(c, 0)?, split_matrix(c, 1)?);
    if let Some((_, m, n)) = matrix {
        shape::merge_dim(m, n)?;
    }
    if let (Some((batch_a, m, _)), Some((batch_b, rows, columns))) = (matrix, rhs) {
        let batch = shape::merge(&batch_a, &batch_b)?;
        let rows = shape::merge_dim(m, rows)?;
        c.set(0, join(&batch, &[rows, columns]));
    }
    Ok(())
}

/// The matrices of a batch.
pub(super) struct Batch {
    dims: Vec<i64>,
    pub rows: usize,
    pub columns: usize,
    all: Vec<f64>,
}

impl Batch {
    pub fn of(value: &Value) -> Result<Batch> {
        let shape = value.shape();
        let rank = shape.rank();
        ensure!(
            rank >= 2,
            invalid,
            "Input tensor 0 must have rank >= 2, got {rank}"
        );
        Ok(Batch {
            dims: shape.dims()[..rank - 2].to_vec(),
            rows: shape.dim(rank - 2),
            columns: shape.dim(rank - 1),
            all: widened(value)?,
        })
    }

    pub fn square(value: &Value) -> Result<Batch> {
        let batch = Batch::of(value)?;
        ensure!(
            batch.rows == batch.columns,
            invalid,
            "Input matrix must be square, but is {}x{}.",
            batch.rows,
            batch.columns
        );
        Ok(batch)
    }

    pub fn matrices(&self) -> impl Iterator<Item = Matrix> {
        let count: usize = self.dims.iter().map(|d| *d as usize).product();
        let each = self.rows * self.columns;
        (0..count).map(move |i| Matrix {
            rows: self.rows,
            columns: self.columns,
            all: self.all[i * each..(i + 1) * each].to_vec(),
        })
    }

    pub fn shape(&self, last: &[usize]) -> Result<Shape> {
        let mut dims = self.dims.clone();
        dims.extend(last.iter().map(|d| *d as i64));
        Shape::new(&dims)
    }
}

fn widened(value: &Value) -> Result<Vec<f64>> {
    Ok(match value.dtype() {
        DType::F64 => value.slice::<f64>()?.to_vec(),
        DType::F32 => value
            .slice::<f32>()?
            .iter()
            .map(|x| f64::from(*x))
            .collect(),
        DType::F16 => value
            .slice::<half::f16>()?
            .iter()
            .map(|x| x.to_f64())
            .collect(),
        other => bail!(
            unimplemented,
            "decompositions of {} matrices",
            other.short_name()
        ),
    })
}

pub(super) fn narrowed(dtype: DType, shape: Shape, all: &[f64]) -> Result<Value> {
    match dtype {
        DType::F64 => Value::from_slice(shape, all),
        DType::F16 => {
            let all: Vec<_> = all.iter().map(|x| half::f16::from_f64(*x)).collect();
            Value::from_slice(shape, &all)
        }
        _ => {
            let all: Vec<f32> = all.iter().map(|x| *x as f32).collect();
            Value::from_slice(shape, &all)
        }
    }
}

fn qr(c: &mut KernelContext) -> Result<()> {
    let dtype = c.input(0)?.dtype();
    let batch = Batch::of(c.input(0)?)?;
    let (m, n) = (batch.rows, batch.columns);
    let kept = match c.attrs().bool("full_matrices")? {
        true => m,
        false => m.min(n),
    };
    // Checked before anything of these sizes is made.
    let (shape_q, shape_r) = (batch.shape(&[m, kept])?, batch.shape(&[kept, n])?);
    let (mut qs, mut rs) = (Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (q, r) = matrix::qr(&a);
        for i in 0..m {
            qs.extend((0..kept).map(|j| q.at(i, j)));
        }
        rs.extend_from_slice(&r.all[..kept * n]);
    }
    c.set_output(0, narrowed(dtype, shape_q, &qs)?);
    c.set_output(1, narrowed(dtype, shape_r, &rs)?);
    Ok(())
}

fn cholesky(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let batch = Batch::square(input)?;
    let mut made = Vec::with_capacity(batch.all.len());
    for a in batch.matrices() {
        match matrix::cholesky(&a) {
            Some(l) => made.extend(l.all),
            None => bail!(
                invalid,
                "Cholesky decomposition was not successful. The input might not be valid."
            ),
        }
    }
    let made = narrowed(input.dtype(), input.shape().clone(), &made)?;
    c.set_output(0, made);
    Ok(())
}

/// Whether the matrix is to be transposed first.
fn is_adjoint(c: &KernelContext) -> Result<bool> {
    c.attrs().bool("adjoint")
}

fn inverse(c: &mut KernelContext) -> Result<()> {
    let adjoint = is_adjoint(c)?;
    let input = c.input(0)?;
    let batch = Batch::square(input)?;
    let mut made = Vec::with_capacity(batch.all.len());
    for a in batch.matrices() {
        let a = if adjoint { a.transposed() } else { a };
        let mut inverse = Matrix::eye(a.rows);
        let determinant = matrix::eliminate(&a, &mut inverse);
        ensure!(determinant != 0.0, invalid, "Input is not invertible.");
        made.extend(inverse.all);
    }
    let made = narrowed(input.dtype(), input.shape().clone(), &made)?;
    c.set_output(0, made);
    Ok(())
}

fn determinant(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let batch = Batch::square(input)?;
    let none = |a: Matrix| matrix::eliminate(&a, &mut Matrix::zeros(a.rows, 0));
    let made: Vec<f64> = batch.matrices().map(none).collect();
    let made = narrowed(input.dtype(), batch.shape(&[])?, &made)?;
    c.set_output(0, made);
    Ok(())
}

/// Matrices and right-hand sides, one for each.
fn sides(c: &KernelContext) -> Result<(Batch, Batch)> {
    let (a, b) = (Batch::square(c.input(0)?)?, Batch::of(c.input(1)?)?);
    ensure!(
        a.dims == b.dims && a.rows == b.rows,
        invalid,
        "Input matrix and rhs are incompatible: {} vs. {}",
        c.input(0)?.shape(),
        c.input(1)?.shape()
    );
    Ok((a, b))
}

fn solve(c: &mut KernelContext) -> Result<()> {
    let adjoint = is_adjoint(c)?;
    let (a, b) = sides(c)?;
    let mut made = Vec::with_capacity(b.all.len());
    for (a, mut b) in a.matrices().zip(b.matrices()) {
        let a = if adjoint { a.transposed() } else { a };
        let determinant = matrix::eliminate(&a, &mut b);
        ensure!(
            determinant != 0.0,
            invalid,
            "Input matrix is not invertible."
        );
        made.extend(b.all);
    }
    let rhs = c.input(1)?;
    let made = narrowed(rhs.dtype(), rhs.shape().clone(), &made)?;
    c.set_output(0, made);
    Ok(())
}

fn triangular_solve(c: &mut KernelContext) -> Result<()> {
    let (adjoint, lower) = (is_adjoint(c)?, c.attrs().bool("lower")?);
    let (a, b) = sides(c)?;
    let mut made = Vec::with_capacity(b.all.len());
    for (a, mut b) in a.matrices().zip(b.matrices()) {
        ensure!(
            (0..a.rows).all(|i| a.at(i, i) != 0.0),
            invalid,
            "Input matrix is not invertible."
        );
        let a = if adjoint { a.transposed() } else { a };
        matrix::substitute(&a, &mut b, lower != adjoint);
        made.extend(b.all);
    }
    let rhs = c.input(1)?;
    let made = narrowed(rhs.dtype(), rhs.shape().clone(), &made)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_close, attrs, floats, of, run, shapes};

    #[test]
    fn shapes_of_factors_are_tensorflows() {
        let full = attrs(&[("full_matrices", true.into())]);
        assert_eq!(
            shapes("Qr", &[of(&[2, 5, 3])], &[]).unwrap(),
            ["[2,5,3]", "[2,3,3]"]
        );
        assert_eq!(
            shapes("Qr", &[of(&[2, 5, 3])], &full).unwrap(),
            ["[2,5,5]", "[2,5,3]"]
        );
        assert_eq!(
            shapes("Qr", &[of(&[2, -1, 3])], &[]).unwrap(),
            ["[2,?,?]", "[2,?,3]"]
        );
        assert_eq!(
            shapes("MatrixInverse", &[of(&[2, 3, -1])], &[]).unwrap(),
            ["[2,3,3]"]
        );
        assert_eq!(
            shapes("MatrixDeterminant", &[of(&[2, 3, 3])], &[]).unwrap(),
            ["[2]"]
        );
        let solve = |b: &[i64]| shapes("MatrixSolve", &[of(&[2, 3, 3]), of(b)], &[]);
        assert_eq!(solve(&[2, 3, 5]).unwrap(), ["[2,3,5]"]);
        let words = solve(&[2, 4, 5]).unwrap_err().message;
        assert!(
            words.starts_with("Dimensions must be equal, but are 3 and 4"),
            "{words}"
        );
    }

    /// The signs are those of TensorFlow on the CPU.
    #[test]
    fn qr_has_eigens_signs() {
        let a = floats(&[3, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.5]);
        let y = run("Qr", std::slice::from_ref(&a), &[]).unwrap();
        assert_close(
            &y[0],
            &[
                -0.16903079,
                0.977894,
                -0.5070925,
                0.02080715,
                -0.8451542,
                -0.20806319,
            ],
        );
        assert_close(&y[1], &[-5.91608, -7.8599339, 0.0, 0.6866055]);
        let y = run("Qr", &[a], &attrs(&[("full_matrices", true.into())])).unwrap();
        assert_close(
            &y[0],
            &[
                -0.16903079,
                0.977894,
                0.12309261,
                -0.5070925,
                0.02080715,
                -0.86164045,
                -0.8451542,
                -0.20806319,
                0.49236572,
            ],
        );
        let wide = floats(&[2, 3], &[1.0, 3.0, 5.0, 2.0, 4.0, 6.5]);
        let y = run("Qr", &[wide], &[]).unwrap();
        assert_close(&y[0], &[-0.44721353, -0.8944272, -0.8944272, 0.4472136]);
        assert_close(
            &y[1],
            &[
                -2.2360681, -4.9193494, -8.049845, 0.0, -0.8944273, -1.5652475,
            ],
        );
        let negative = floats(&[2, 2], &[-1.0, -2.0, -3.0, -4.0]);
        let y = run("Qr", &[negative], &[]).unwrap();
        assert_close(&y[1], &[3.1622777, 4.4271884, 0.0, 0.6324553]);
    }

    #[test]
    fn inverses_and_solutions_are_right() {
        let a = floats(&[2, 2], &[4.0, 2.0, 2.0, 3.0]);
        assert_close(
            &run("Cholesky", std::slice::from_ref(&a), &[]).unwrap()[0],
            &[2.0, 0.0, 1.0, std::f32::consts::SQRT_2],
        );
        assert_close(
            &run("MatrixInverse", std::slice::from_ref(&a), &[]).unwrap()[0],
            &[0.375, -0.25, -0.25, 0.5],
        );
        assert_close(&run("MatrixDeterminant", &[a], &[]).unwrap()[0], &[8.0]);
        let a = floats(&[2, 2], &[0.0, 2.0, 1.0, 3.0]);
        let b = floats(&[2, 1], &[4.0, 7.0]);
        assert_close(
            &run("MatrixSolve", &[a.clone(), b.clone()], &[]).unwrap()[0],
            &[1.0, 2.0],
        );
        let adjoint = attrs(&[("adjoint", true.into())]);
        assert_close(
            &run("MatrixSolve", &[a, b.clone()], &adjoint).unwrap()[0],
            &[-2.5, 4.0],
        );
        let lower = floats(&[2, 2], &[2.0, 9.0, 1.0, 4.0]);
        let y = run("MatrixTriangularSolve", &[lower.clone(), b.clone()], &[]).unwrap();
        assert_close(&y[0], &[2.0, 1.25]);
        let y = run("MatrixTriangularSolve", &[lower, b], &adjoint).unwrap();
        assert_close(&y[0], &[1.125, 1.75]);
    }

    #[test]
    fn matrices_without_an_inverse_are_errors() {
        let ones = floats(&[2, 2], &[1.0; 4]);
        let words = |op| {
            run(op, std::slice::from_ref(&ones), &[])
                .unwrap_err()
                .message
        };
        assert_eq!(words("MatrixInverse"), "Input is not invertible.");
        assert!(words("Cholesky").starts_with("Cholesky decomposition was not successful."));
        assert!(run("MatrixInverse", &[floats(&[1, 2], &[1.0; 2])], &[]).is_err());
    }
}
