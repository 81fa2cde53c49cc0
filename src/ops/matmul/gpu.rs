//! Matrix products on GPUs: in tiles, or, of a vector, as sums by lanes. Long sums are cut into parts that a reduction
//! adds up.

use crate::backend::gpu::Shader;
use crate::backend::gpu::gemm::Cut;
use crate::error::Result;
use crate::ops::gpu::{GpuContext, Target, words};
use crate::ops::reduce::gpu::{Fold, Lanes, fold_into};
use crate::value::{DType, Shape, Value};

/// A batch of products [m, k] [k, n] as they lie in memory.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Product {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// a is [k, m] in memory.
    pub is_a_transposed: bool,
    /// b is [n, k] in memory.
    pub is_b_transposed: bool,
    /// Whether all products read the same a; the same b.
    pub is_a_shared: bool,
    pub is_b_shared: bool,
}

/// Layers of a dispatch along z.
const MAX_LAYERS: usize = 65_535;

/// Whether rows of this length are read four elements at a time, as a shader's constant.
pub(in crate::ops) fn is_vec(size: usize) -> u32 {
    u32::from(size.is_multiple_of(4))
}

impl Product {
    pub fn is_within_limits(&self) -> bool {
        let Product { batch, m, n, k, .. } = *self;
        [batch, m, n, k].iter().all(|d| *d > 0)
            && batch * Cut::of(m, n, k, batch).splits <= MAX_LAYERS
    }

    /// Launches the product into `to` [batch, m, n].
    pub fn launch(&self, c: &GpuContext, a: &Value, b: &Value, to: &mut Target) -> Result<()> {
        let Product { m, n, k, .. } = *self;
        let (a_step, b_step) = (
            if self.is_a_shared { 0 } else { m * k },
            if self.is_b_shared { 0 } else { k * n },
        );
        if m == 1 {
            return self.by_vector(c, [a, b], [a_step, b_step], n, !self.is_b_transposed, to);
        }
        if n == 1 {
            return self.by_vector(c, [b, a], [b_step, a_step], m, self.is_a_transposed, to);
        }
        let cut = Cut::of(m, n, k, self.batch);
        let (a_cols, b_cols) = (
            if self.is_a_transposed { m } else { k },
            if self.is_b_transposed { k } else { n },
        );
        let mut constants = vec![
            ("A_ALONG_K", u32::from(!self.is_a_transposed)),
            ("B_ALONG_K", u32::from(self.is_b_transposed)),
            ("A_VEC", is_vec(a_cols)),
            ("B_VEC", is_vec(b_cols)),
            ("C_VEC", is_vec(n)),
        ];
        constants.extend(cut.tile.constants());
        let params = words([m, n, k, cut.chunk, cut.splits, a_step, b_step])?;
        let layers = self.batch * cut.splits;
        let shader = Shader::file("matmul", &constants);
        let groups = cut.groups(m, n, layers);
        launch_in_parts(
            c,
            to,
            (shader, &params, groups),
            [a, b],
            [self.batch, cut.splits, m * n],
        )
    }

    fn by_vector(
        &self,
        c: &GpuContext,
        [vector, matrix]: [&Value; 2],
        [vector_step, matrix_step]: [usize; 2],
        outputs: usize,
        is_strided: bool,
        to: &mut Target,
    ) -> Result<()> {
        // What lies side by side goes by fours: outputs, or elements of the sums.
        let fours = is_vec(if is_strided { outputs } else { self.k });
        let width = if fours == 1 { 4 } else { 1 };
        let (across, along) = if is_strided { (width, 1) } else { (1, width) };
        let (own, k) = (outputs / across, self.k / along);
        let lanes = Lanes::of(k, if is_strided { own.max(2) } else { 1 });
        let chunks = lanes.chunks(k, self.batch * own);
        let count = self.batch * chunks * own;
        let chunk = k.div_ceil(chunks);
        let (vector_step, matrix_step) = (vector_step / along, matrix_step / width);
        let params = words([count, own, k, chunks, chunk, vector_step, matrix_step])?;
        let is_across = u32::from(across == 4);
        let [lane, strided] = lanes.constants();
        let constants = [
            ("FOURS", fours),
            ("TREE_VEC", is_across),
            ("C_VEC", is_across),
            lane,
            strided,
        ];
        let shader = Shader::file("matvec", &constants);
        launch_in_parts(
            c,
            to,
            (shader, &params, lanes.groups(count)),
            [vector, matrix],
            [self.batch, chunks, outputs],
        )
    }
}

/// One dispatch into `to` [outer, inner], or into parts [outer, parts, inner] of it, which are then added up.
pub(in crate::ops) fn launch_in_parts(
    c: &GpuContext,
    to: &mut Target,
    (shader, params, groups): (Shader, &[u32], [u32; 3]),
    [a, b]: [&Value; 2],
    [outer, parts, inner]: [usize; 3],
) -> Result<()> {
    if parts == 1 {
        return to.launch(c, shader, &[a, b], params, groups);
    }
    let sizes = [outer, parts, inner].map(|size| size as i64);
    let all = c.allocate_as(DType::F32, Shape::new(&sizes)?)?;
    c.launch(&shader, &[a, b, &all], params, groups)?;
    if to.follow_parts(c, &all, [parts, inner])? {
        return Ok(());
    }
    let to = to.output(c)?;
    fold_into(c, &all, [outer, parts, inner], Fold::Sum, 1, to)
}

/// Rows and columns of the last two axes, turned when the matrix is to be transposed.
fn sides(shape: &Shape, is_transposed: bool) -> (usize, usize) {
    let rank = shape.rank();
    let (rows, cols) = (shape.dim(rank - 2), shape.dim(rank - 1));
    if is_transposed {
        (cols, rows)
    } else {
        (rows, cols)
    }
}

/// MatMul, and batches of products of which each reads matrices of its own or all read the same one.
pub(super) fn matmul(c: &mut GpuContext, flags: [&str; 2]) -> Result<()> {
    let (a, b) = (c.shape(0)?.clone(), c.shape(1)?.clone());
    let [ta, tb] = flags.map(|name| c.attrs().bool(name));
    let (ta, tb) = (ta?, tb?);
    let is_known = c.dtype(0)? == DType::F32 && a.rank() >= 2 && b.rank() >= 2;
    if !is_known || (flags[0] == "transpose_a" && a.rank().max(b.rank()) > 2) {
        return c.leave_to_host();
    }
    let ((m, k), (other, n)) = (sides(&a, ta), sides(&b, tb));
    let batches = |s: &Shape| s.dims()[..s.rank() - 2].to_vec();
    let (batch_a, batch_b) = (batches(&a), batches(&b));
    let count = |dims: &[i64]| dims.iter().map(|d| *d as usize).product::<usize>();
    let longer = if count(&batch_a) > count(&batch_b) || batch_a.len() > batch_b.len() {
        &batch_a
    } else {
        &batch_b
    };
    let (all, own_a, own_b) = (count(longer), count(&batch_a), count(&batch_b));
    let reads = |own: &[i64]| count(own) == 1 || own == longer.as_slice();
    let product = Product {
        batch: all,
        m,
        n,
        k,
        is_a_transposed: ta,
        is_b_transposed: tb,
        is_a_shared: own_a == 1,
        is_b_shared: own_b == 1,
    };
    let is_broadcast = longer.len() >= batch_a.len() && longer.len() >= batch_b.len();
    if k != other
        || !is_broadcast
        || !reads(&batch_a)
        || !reads(&batch_b)
        || !product.is_within_limits()
    {
        return c.leave_to_host();
    }
    let mut dims = longer.clone();
    dims.extend([m as i64, n as i64]);
    let (a, b) = (c.input(0)?, c.input(1)?);
    let mut to = c.target(Shape::new(&dims)?, 2);
    product.launch(c, &a, &b, &mut to)?;
    c.set_target(to)
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};

    #[test]
    fn products_agree_with_the_cpus() {
        let sizes = [
            [3, 4, 5],
            [64, 64, 64],
            [100, 10, 500],
            [1, 300, 70],
            [70, 1, 300],
            [130, 140, 20],
            [20, 12, 4000],
        ];
        for [m, n, k] in sizes {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let a = if ta { [k, m] } else { [m, k] };
                let b = if tb { [n, k] } else { [k, n] };
                let given = attrs(&[("transpose_a", ta.into()), ("transpose_b", tb.into())]);
                agrees_on_gpu("MatMul", &[floats_of(&a), floats_of(&b)], &given, 1e-4);
            }
        }
    }

    #[test]
    fn batches_agree_with_the_cpus() {
        let shapes: [(&[i64], &[i64]); 5] = [
            (&[3, 20, 8], &[3, 8, 9]),
            (&[2, 3, 20, 8], &[8, 9]),
            (&[20, 8], &[5, 8, 9]),
            (&[2, 3, 20, 8], &[1, 1, 8, 9]),
            (&[4, 1, 8], &[4, 8, 40]),
        ];
        for (a, b) in shapes {
            agrees_on_gpu("BatchMatMulV2", &[floats_of(a), floats_of(b)], &[], 1e-4);
        }
    }
}
