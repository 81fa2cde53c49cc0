//! Decompositions of small dense matrices, row-major, in float64.

/// A matrix of its own.
#[derive(Clone, Debug)]
pub(super) struct Matrix {
    pub rows: usize,
    pub columns: usize,
    pub all: Vec<f64>,
}

impl Matrix {
    pub fn zeros(rows: usize, columns: usize) -> Matrix {
        Matrix {
            rows,
            columns,
            all: vec![0.0; rows * columns],
        }
    }

    pub fn eye(n: usize) -> Matrix {
        let mut made = Matrix::zeros(n, n);
        (0..n).for_each(|i| *made.at_mut(i, i) = 1.0);
        made
    }

    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.all[i * self.columns + j]
    }

    pub fn at_mut(&mut self, i: usize, j: usize) -> &mut f64 {
        &mut self.all[i * self.columns + j]
    }

    pub fn transposed(&self) -> Matrix {
        let mut made = Matrix::zeros(self.columns, self.rows);
        for i in 0..self.rows {
            for j in 0..self.columns {
                *made.at_mut(j, i) = self.at(i, j);
            }
        }
        made
    }

    fn swap_rows(&mut self, a: usize, b: usize) {
        for j in 0..self.columns {
            self.all.swap(a * self.columns + j, b * self.columns + j);
        }
    }
}

/// Householder reflections, with signs as Eigen chooses them: the diagonal of R has the sign opposite to the column's
/// first element, and a column with nothing below its diagonal is left alone. Returns Q (square) and R.
pub(super) fn qr(a: &Matrix) -> (Matrix, Matrix) {
    let (m, n) = (a.rows, a.columns);
    let (mut q, mut r) = (Matrix::eye(m), a.clone());
    for k in 0..m.min(n) {
        let tail: f64 = (k + 1..m).map(|i| r.at(i, k) * r.at(i, k)).sum();
        if tail <= f64::MIN_POSITIVE {
            continue;
        }
        let head = r.at(k, k);
        let norm = (head * head + tail).sqrt();
        let beta = if head >= 0.0 { -norm } else { norm };
        let mut v = vec![1.0; m - k];
        for i in k + 1..m {
            v[i - k] = r.at(i, k) / (head - beta);
        }
        let tau = (beta - head) / beta;
        reflect(&mut r, &v, tau, k);
        // The reflections in turn make the transpose of Q.
        reflect(&mut q, &v, tau, k);
        (k + 1..m).for_each(|i| *r.at_mut(i, k) = 0.0);
    }
    (q.transposed(), r)
}

/// `a = (1 - tau v vᵀ) a` on the rows from `k` on.
fn reflect(a: &mut Matrix, v: &[f64], tau: f64, k: usize) {
    for j in 0..a.columns {
        let dot: f64 = v.iter().enumerate().map(|(i, v)| v * a.at(k + i, j)).sum();
        for (i, v) in v.iter().enumerate() {
            *a.at_mut(k + i, j) -= tau * v * dot;
        }
    }
}

/// The lower factor of a symmetric positive definite matrix, of which the lower triangle is read; `None` when it is not.
pub(super) fn cholesky(a: &Matrix) -> Option<Matrix> {
    let n = a.rows;
    let mut l = Matrix::zeros(n, n);
    for j in 0..n {
        for i in j..n {
            let dot: f64 = (0..j).map(|k| l.at(i, k) * l.at(j, k)).sum();
            let rest = a.at(i, j) - dot;
            if i > j {
                *l.at_mut(i, j) = rest / l.at(j, j);
                continue;
            }
            if rest.is_nan() || rest <= 0.0 {
                return None;
            }
            *l.at_mut(j, j) = rest.sqrt();
        }
    }
    Some(l)
}

/// Gaussian elimination with row exchanges: turns `b` into the solution of `a x = b` and returns the determinant of `a`.
/// Where a pivot is zero the determinant is zero and `b` is of no use.
pub(super) fn eliminate(a: &Matrix, b: &mut Matrix) -> f64 {
    let n = a.rows;
    let mut a = a.clone();
    let mut determinant = 1.0;
    for k in 0..n {
        let by_size = |x: &usize, y: &usize| a.at(*x, k).abs().total_cmp(&a.at(*y, k).abs());
        let Some(pivot) = (k..n).max_by(by_size) else {
            break;
        };
        if a.at(pivot, k) == 0.0 {
            return 0.0;
        }
        if pivot != k {
            a.swap_rows(pivot, k);
            b.swap_rows(pivot, k);
            determinant = -determinant;
        }
        determinant *= a.at(k, k);
        for i in k + 1..n {
            let factor = a.at(i, k) / a.at(k, k);
            for j in k..n {
                *a.at_mut(i, j) -= factor * a.at(k, j);
            }
            for j in 0..b.columns {
                *b.at_mut(i, j) -= factor * b.at(k, j);
            }
        }
    }
    substitute(&a, b, false);
    determinant
}

/// Turns `b` into the solution of `a x = b`, where `a` is triangular: its other triangle is not read.
pub(super) fn substitute(a: &Matrix, b: &mut Matrix, is_lower: bool) {
    let n = a.rows;
    for step in 0..n {
        let (i, known) = match is_lower {
            true => (step, 0..step),
            false => (n - 1 - step, n - step..n),
        };
        for j in 0..b.columns {
            let dot: f64 = known.clone().map(|k| a.at(i, k) * b.at(k, j)).sum();
            *b.at_mut(i, j) = (b.at(i, j) - dot) / a.at(i, i);
        }
    }
}
