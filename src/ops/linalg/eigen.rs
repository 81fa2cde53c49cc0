//! Eigenvalues of symmetric matrices and singular values, by Jacobi's rotations in float64.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::Op;
use crate::ops::kernel::KernelContext;
use crate::value::{DType, PartialShape, Shape, Value};

use super::decompose::{Batch, narrowed, square_shape};
use super::matrix::Matrix;
use super::{join, split_matrix};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("SelfAdjointEigV2", "input: T -> e: T, v: T")
        .attr("compute_v: bool = true")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(eigen_shape)
        .kernel(eigen),
    Op::new("Svd", "input: T -> s: T, u: T, v: T")
        .attr("compute_uv: bool = true")
        .attr("full_matrices: bool = false")
        .attr("T: {float64, float32, float16, complex64, complex128}")
        .shape(svd_shape)
        .kernel(svd),
];

/// Sweeps over all pairs; each makes what is left much smaller, so that a dozen are plenty.
const SWEEPS: usize = 60;

fn eigen_shape(c: &mut ShapeContext) -> Result<()> {
    square_shape(c)?;
    if let Some((batch, m, n)) = split_matrix(c, 0)? {
        c.set(0, join(&batch, &[m.max(n)]));
        c.set(1, join(&batch, &[m.max(n), m.max(n)]));
    }
    if !c.attrs().bool("compute_v")? {
        c.set(1, PartialShape::unknown());
    }
    Ok(())
}

fn svd_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some((batch, m, n)) = split_matrix(c, 0)? {
        let least = if m < 0 || n < 0 { -1 } else { m.min(n) };
        let kept = |all: i64, is_full: bool| if is_full { all } else { least };
        let is_full = c.attrs().bool("full_matrices")?;
        c.set(0, join(&batch, &[least]));
        c.set(1, join(&batch, &[m, kept(m, is_full)]));
        c.set(2, join(&batch, &[n, kept(n, is_full)]));
    }
    if !c.attrs().bool("compute_uv")? {
        c.set(1, PartialShape::unknown());
        c.set(2, PartialShape::unknown());
    }
    Ok(())
}

/// The rotation that makes the product of two columns zero: their squares `a` and `b`, their product `c`.
fn rotation(a: f64, b: f64, c: f64) -> (f64, f64) {
    let zeta = (b - a) / (2.0 * c);
    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let cos = 1.0 / t.hypot(1.0);
    (cos, cos * t)
}

fn rotate_columns(a: &mut Matrix, p: usize, q: usize, (cos, sin): (f64, f64)) {
    for i in 0..a.rows {
        let (x, y) = (a.at(i, p), a.at(i, q));
        *a.at_mut(i, p) = cos * x - sin * y;
        *a.at_mut(i, q) = sin * x + cos * y;
    }
}

/// Eigenvalues, ascending, and eigenvectors as columns, of the matrix whose lower triangle is given.
fn symmetric(a: &Matrix) -> (Vec<f64>, Matrix) {
    let n = a.rows;
    let mut left = a.clone();
    for i in 0..n {
        (i + 1..n).for_each(|j| *left.at_mut(i, j) = a.at(j, i));
    }
    let mut vectors = Matrix::eye(n);
    let total: f64 = left.all.iter().map(|x| x * x).sum();
    for _ in 0..SWEEPS {
        let pairs = (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q)));
        let beside: f64 = pairs.clone().map(|(p, q)| left.at(p, q).powi(2)).sum();
        if beside <= total * f64::EPSILON * f64::EPSILON || !beside.is_finite() {
            break;
        }
        for (p, q) in pairs.filter(|_| n > 1) {
            if left.at(p, q) == 0.0 {
                continue;
            }
            let turn = rotation(left.at(p, p), left.at(q, q), left.at(p, q));
            rotate_columns(&mut left, p, q, turn);
            left = left.transposed();
            rotate_columns(&mut left, p, q, turn);
            rotate_columns(&mut vectors, p, q, turn);
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| left.at(*i, *i).total_cmp(&left.at(*j, *j)));
    let values = order.iter().map(|i| left.at(*i, *i)).collect();
    (values, columns(&vectors, &order))
}

fn columns(a: &Matrix, which: &[usize]) -> Matrix {
    let mut made = Matrix::zeros(a.rows, which.len());
    for i in 0..a.rows {
        for (j, from) in which.iter().enumerate() {
            *made.at_mut(i, j) = a.at(i, *from);
        }
    }
    made
}

/// Singular values, descending, with left and right vectors as columns: one for each value, or all when `is_full`.
fn singular(a: &Matrix, is_full: bool) -> (Vec<f64>, Matrix, Matrix) {
    if a.rows < a.columns {
        let (values, v, u) = singular(&a.transposed(), is_full);
        return (values, u, v);
    }
    let n = a.columns;
    let (mut u, mut v) = (a.clone(), Matrix::eye(n));
    let product = |u: &Matrix, p: usize, q: usize| -> f64 {
        (0..u.rows).map(|i| u.at(i, p) * u.at(i, q)).sum()
    };
    for _ in 0..SWEEPS {
        let mut is_done = true;
        for p in 0..n {
            for q in p + 1..n {
                let (a, b, c) = (product(&u, p, p), product(&u, q, q), product(&u, p, q));
                if c.abs() <= f64::EPSILON * (a * b).sqrt() || !c.is_finite() {
                    continue;
                }
                is_done = false;
                let turn = rotation(a, b, c);
                rotate_columns(&mut u, p, q, turn);
                rotate_columns(&mut v, p, q, turn);
            }
        }
        if is_done {
            break;
        }
    }
    let norms: Vec<f64> = (0..n).map(|j| product(&u, j, j).sqrt()).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| norms[*j].total_cmp(&norms[*i]));
    let values: Vec<f64> = order.iter().map(|j| norms[*j]).collect();
    let (sorted, v) = (columns(&u, &order), columns(&v, &order));
    let wanted = if is_full { a.rows } else { n };
    let limit = values.first().copied().unwrap_or(0.0) * f64::EPSILON;
    let mut u = Matrix::zeros(a.rows, wanted);
    for j in (0..n).filter(|j| values[*j] > limit) {
        (0..a.rows).for_each(|i| *u.at_mut(i, j) = sorted.at(i, j) / values[j]);
    }
    let missing = (0..wanted).filter(|j| values.get(*j).is_none_or(|x| *x <= limit));
    missing.for_each(|j| complete(&mut u, j));
    (values, u, v)
}

/// Makes column `j` a unit vector at right angles to all others that are there.
fn complete(u: &mut Matrix, j: usize) {
    let mut best = (vec![0.0; u.rows], 0.0);
    for axis in 0..u.rows {
        let mut e: Vec<f64> = (0..u.rows)
            .map(|i| f64::from(u8::from(i == axis)))
            .collect();
        // Twice, for what rounding left over.
        for _ in 0..2 {
            for other in 0..u.columns {
                let dot: f64 = (0..u.rows).map(|i| e[i] * u.at(i, other)).sum();
                (0..u.rows).for_each(|i| e[i] -= dot * u.at(i, other));
            }
        }
        let norm = e.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm > best.1 {
            best = (e, norm);
        }
    }
    let (e, norm) = best;
    if norm > 0.0 {
        (0..u.rows).for_each(|i| *u.at_mut(i, j) = e[i] / norm);
    }
}

/// What stands for vectors that were not asked for, as in TensorFlow, whose shape function says otherwise.
fn nothing(dtype: DType) -> Result<Value> {
    Value::zeros(dtype, Shape::scalar())
}

fn eigen(c: &mut KernelContext) -> Result<()> {
    let dtype = c.input(0)?.dtype();
    let batch = Batch::square(c.input(0)?)?;
    let n = batch.rows;
    let (mut values, mut vectors) = (Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (e, v) = symmetric(&a);
        values.extend(e);
        vectors.extend(v.all);
    }
    c.set_output(0, narrowed(dtype, batch.shape(&[n])?, &values)?);
    let vectors = match c.attrs().bool("compute_v")? {
        true => narrowed(dtype, batch.shape(&[n, n])?, &vectors)?,
        false => nothing(dtype)?,
    };
    c.set_output(1, vectors);
    Ok(())
}

fn svd(c: &mut KernelContext) -> Result<()> {
    let dtype = c.input(0)?.dtype();
    let batch = Batch::of(c.input(0)?)?;
    let (m, n) = (batch.rows, batch.columns);
    let (is_full, is_wanted) = (
        c.attrs().bool("full_matrices")?,
        c.attrs().bool("compute_uv")?,
    );
    let kept = |all: usize| if is_full { all } else { m.min(n) };
    // Checked before anything of these sizes is made.
    let shapes = (batch.shape(&[m, kept(m)])?, batch.shape(&[n, kept(n)])?);
    let (mut values, mut us, mut vs) = (Vec::new(), Vec::new(), Vec::new());
    for a in batch.matrices() {
        let (s, u, v) = singular(&a, is_full && is_wanted);
        values.extend(s);
        us.extend(u.all);
        vs.extend(v.all);
    }
    c.set_output(0, narrowed(dtype, batch.shape(&[m.min(n)])?, &values)?);
    for (i, shape, all) in [(1, shapes.0, us), (2, shapes.1, vs)] {
        let made = match is_wanted {
            true => narrowed(dtype, shape, &all)?,
            false => nothing(dtype)?,
        };
        c.set_output(i, made);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(a: &Matrix, b: &Matrix) -> Matrix {
        let mut made = Matrix::zeros(a.rows, b.columns);
        for i in 0..a.rows {
            for j in 0..b.columns {
                *made.at_mut(i, j) = (0..a.columns).map(|k| a.at(i, k) * b.at(k, j)).sum();
            }
        }
        made
    }

    fn is_near(a: &Matrix, b: &Matrix) -> bool {
        a.all.iter().zip(&b.all).all(|(x, y)| (x - y).abs() < 1e-12)
    }

    fn some(rows: usize, columns: usize) -> Matrix {
        let all = (0..rows * columns)
            .map(|i| (i as f64 * 1.7).sin())
            .collect();
        Matrix { rows, columns, all }
    }

    #[test]
    fn eigenvectors_times_eigenvalues_are_the_matrix() {
        let a = some(5, 5);
        let a = times(&a, &a.transposed());
        let (e, v) = symmetric(&a);
        let mut scaled = v.clone();
        for i in 0..5 {
            (0..5).for_each(|j| *scaled.at_mut(i, j) *= e[j]);
        }
        assert!(is_near(&times(&scaled, &v.transposed()), &a));
        assert!(e.windows(2).all(|w| w[0] <= w[1]));
    }

    #[test]
    fn singular_vectors_are_orthonormal_and_make_the_matrix() {
        for (rows, columns) in [(4, 3), (3, 4), (3, 3), (1, 4)] {
            let a = some(rows, columns);
            for is_full in [false, true] {
                let (s, u, v) = singular(&a, is_full);
                let mut scaled = Matrix::zeros(u.columns, v.columns);
                s.iter()
                    .enumerate()
                    .for_each(|(i, s)| *scaled.at_mut(i, i) = *s);
                assert!(is_near(&times(&times(&u, &scaled), &v.transposed()), &a));
                assert!(is_near(
                    &times(&u.transposed(), &u),
                    &Matrix::eye(u.columns)
                ));
                assert!(is_near(
                    &times(&v.transposed(), &v),
                    &Matrix::eye(v.columns)
                ));
            }
        }
    }

    #[test]
    fn vectors_of_singular_matrices_are_completed() {
        let a = Matrix::zeros(3, 2);
        let (s, u, _) = singular(&a, true);
        assert_eq!(s, [0.0, 0.0]);
        assert!(is_near(&times(&u.transposed(), &u), &Matrix::eye(3)));
    }
}
