//! Matrix products.

use crate::error::Result;
use crate::graph::{Attr, Endpoint, ShapeContext, with_rank};
use crate::value::{PartialShape, Shape};
use crate::{bail, dispatch, ensure};

use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::math::broadcast::{Broadcast, Reduction};
use super::{Op, shape};
use crate::backend::cpu::gemm;

pub(super) mod gpu;

pub(super) const OPS: &[Op] = &[
    Op::new("MatMul", "a: T, b: T -> product: T")
        .attr("transpose_a: bool = false")
        .attr("transpose_b: bool = false")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .shape(matmul_shape)
        .grad(matmul_grad)
        .kernel(matmul)
        .gpu(|c| gpu::matmul(c, ["transpose_a", "transpose_b"]))
        .ends(),
    Op::new("BatchMatMul", "x: T, y: T -> output: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .attr("adj_x: bool = false")
        .attr("adj_y: bool = false")
        .shape(|c| batch_shape(c, false))
        .grad(|g| batch_grad(g, false))
        .kernel(batch_matmul)
        .gpu(|c| gpu::matmul(c, ["adj_x", "adj_y"]))
        .ends(),
    Op::new("BatchMatMulV2", "x: T, y: T -> output: T")
        .attr("T: {bfloat16, float16, float32, float64, int32, int64, complex64, complex128}")
        .attr("adj_x: bool = false")
        .attr("adj_y: bool = false")
        .shape(|c| batch_shape(c, true))
        .grad(|g| batch_grad(g, true))
        .kernel(batch_matmul)
        .gpu(|c| gpu::matmul(c, ["adj_x", "adj_y"]))
        .ends(),
];

fn matmul_shape(c: &mut ShapeContext) -> Result<()> {
    let (a, b) = (c.input_of_rank(0, 2)?, c.input_of_rank(1, 2)?);
    let (ta, tb) = (
        c.attrs().bool("transpose_a")?,
        c.attrs().bool("transpose_b")?,
    );
    let (rows, inner) = if ta {
        (a.dim(1), a.dim(0))
    } else {
        (a.dim(0), a.dim(1))
    };
    let (other, columns) = if tb {
        (b.dim(1), b.dim(0))
    } else {
        (b.dim(0), b.dim(1))
    };
    shape::merge_dim(inner, other)?;
    c.set(0, PartialShape::from_dims([rows, columns]));
    Ok(())
}

fn batch_shape(c: &mut ShapeContext, broadcasts: bool) -> Result<()> {
    let (a, b) = (c.input(0), c.input(1));
    shape::at_least(&a, 2)?;
    shape::at_least(&b, 2)?;
    let (Some(x), Some(y)) = (a.dims(), b.dims()) else {
        return Ok(());
    };
    let (ta, tb) = (c.attrs().bool("adj_x")?, c.attrs().bool("adj_y")?);
    let split = |dims: &[i64], transposed: bool| {
        let n = dims.len();
        let (p, q) = (dims[n - 2], dims[n - 1]);
        (
            dims[..n - 2].to_vec(),
            if transposed { (q, p) } else { (p, q) },
        )
    };
    let (batch_x, (rows, inner)) = split(x, ta);
    let (batch_y, (other, columns)) = split(y, tb);
    let (batch_x, batch_y) = (
        PartialShape::from_dims(batch_x),
        PartialShape::from_dims(batch_y),
    );
    let batch = match broadcasts {
        true => shape::broadcast_shapes(&batch_x, &batch_y)?,
        false => shape::merge(&with_rank(&batch_x, batch_y.rank().unwrap_or(0))?, &batch_y)?,
    };
    shape::merge_dim(inner, other)?;
    let mut dims = batch.dims().unwrap_or_default().to_vec();
    dims.extend([rows, columns]);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// One product of a gradient: which operands, and which of them are transposed.
pub(super) type Product = (Endpoint, Endpoint, bool, bool);

/// The two products of the gradient of `op(a) · op(b)`.
fn products(a: Endpoint, b: Endpoint, dy: Endpoint, ta: bool, tb: bool) -> (Product, Product) {
    match (ta, tb) {
        (false, false) => ((dy, b, false, true), (a, dy, true, false)),
        (false, true) => ((dy, b, false, false), (dy, a, true, false)),
        (true, false) => ((b, dy, false, true), (a, dy, false, false)),
        (true, true) => ((b, dy, true, true), (dy, a, true, true)),
    }
}

fn matmul_grad(g: &mut GradientContext) -> Result<Grads> {
    let dy = g.dy(0)?;
    let (a, b) = (g.input_conj(0)?, g.input_conj(1)?);
    let attrs = &g.node().attrs;
    let (ta, tb) = (attrs.bool("transpose_a")?, attrs.bool("transpose_b")?);
    let (first, second) = products(a, b, dy, ta, tb);
    let mut make = |(x, y, ta, tb): Product| {
        let attrs = [
            ("transpose_a", Attr::Bool(ta)),
            ("transpose_b", Attr::Bool(tb)),
        ];
        g.graph.call("MatMul", "", [x, y], &attrs)
    };
    Ok(vec![Some(make(first)?.into()), Some(make(second)?.into())])
}

fn batch_grad(g: &mut GradientContext, broadcasts: bool) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let attrs = &g.node().attrs;
    let (ax, ay) = (attrs.bool("adj_x")?, attrs.bool("adj_y")?);
    let (first, second) = products(x, y, dy, ax, ay);
    let gx = adjoint_product(g, first)?;
    let gy = adjoint_product(g, second)?;
    let (sx, sy) = (g.shape(x).clone(), g.shape(y).clone());
    if !broadcasts || (sx.is_fully_defined() && sx == sy) {
        return Ok(vec![Some(gx.into()), Some(gy.into())]);
    }
    let shape_x = g.graph.shape_of(x)?;
    let shape_y = g.graph.shape_of(y)?;
    let batch_x = g.graph.slice_rows(shape_x, None, Some(-2))?;
    let batch_y = g.graph.slice_rows(shape_y, None, Some(-2))?;
    let sides = Broadcast::of_shapes_to(g, [batch_x, batch_y], [shape_x, shape_y])?;
    let gx = sides.x.reduce(g, gx)?;
    let gy = sides.y.reduce(g, gy)?;
    Ok(vec![Some(gx.into()), Some(gy.into())])
}

/// `tf.matmul(x, y, adjoint_a, adjoint_b)`.
pub(super) fn adjoint_product(
    g: &mut GradientContext,
    (x, y, ax, ay): Product,
) -> Result<Endpoint> {
    let is_batch = |g: &GradientContext, e: Endpoint| g.shape(e).rank().is_none_or(|r| r > 2);
    if is_batch(g, x) || is_batch(g, y) {
        let attrs = [("adj_x", Attr::Bool(ax)), ("adj_y", Attr::Bool(ay))];
        return g.graph.call("BatchMatMulV2", "MatMul", [x, y], &attrs);
    }
    g.graph.in_scope("MatMul", |graph| {
        let x = if ax { graph.conj(x)? } else { x };
        let y = if ay { graph.conj(y)? } else { y };
        let attrs = [
            ("transpose_a", Attr::Bool(ax)),
            ("transpose_b", Attr::Bool(ay)),
        ];
        let name = graph.scope_as_name();
        graph.call("MatMul", &name, [x, y], &attrs)
    })
}

fn matmul(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (c.input(0)?, c.input(1)?);
    let (ta, tb) = (
        c.attrs().bool("transpose_a")?,
        c.attrs().bool("transpose_b")?,
    );
    let (sa, sb) = (a.shape(), b.shape());
    ensure!(
        sa.rank() == 2,
        invalid,
        "In[0] is not a matrix. Instead it has shape {sa}"
    );
    ensure!(
        sb.rank() == 2,
        invalid,
        "In[1] is not a matrix. Instead it has shape {sb}"
    );
    let (m, k) = if ta {
        (sa.dim(1), sa.dim(0))
    } else {
        (sa.dim(0), sa.dim(1))
    };
    let (k2, n) = if tb {
        (sb.dim(1), sb.dim(0))
    } else {
        (sb.dim(0), sb.dim(1))
    };
    ensure!(
        k == k2,
        invalid,
        "Matrix size-incompatible: In[0]: {sa}, In[1]: {sb}"
    );
    let mut out = c.allocate(0, Shape::new(&[m as i64, n as i64])?)?;
    dispatch!(numbers, a.dtype(), T => {
        gemm::matmul(a.slice::<T>()?, b.slice::<T>()?, out.slice_mut::<T>()?, [m, k, n], ta, tb);
    });
    c.set_output(0, out);
    Ok(())
}

fn batch_matmul(c: &mut KernelContext) -> Result<()> {
    let (a, b) = (c.input(0)?, c.input(1)?);
    let (ta, tb) = (c.attrs().bool("adj_x")?, c.attrs().bool("adj_y")?);
    let (sa, sb) = (a.shape().clone(), b.shape().clone());
    let (ra, rb) = (sa.rank(), sb.rank());
    ensure!(
        ra >= 2 && rb >= 2,
        invalid,
        "In[{}] ndims must be >= 2: {}",
        usize::from(ra >= 2),
        if ra >= 2 { rb } else { ra }
    );
    let batches = [&sa, &sb].map(|s| PartialShape::from_dims(s.dims()[..s.rank() - 2].to_vec()));
    let both = shape::broadcast_shapes(&batches[0], &batches[1]);
    let Some(batch) = both.ok().and_then(|s| s.to_shape()) else {
        bail!(
            invalid,
            "In[0] and In[1] must have compatible batch dimensions: {sa} vs. {sb}"
        );
    };
    let (p, q) = (sa.dim(ra - 2), sa.dim(ra - 1));
    let (r, s) = (sb.dim(rb - 2), sb.dim(rb - 1));
    let (m, k) = if ta { (q, p) } else { (p, q) };
    let (k2, n) = if tb { (s, r) } else { (r, s) };
    ensure!(
        k == k2,
        invalid,
        "In[0] mismatch In[1] shape: {k} vs. {k2}: {sa} {sb} {} {}",
        i32::from(ta),
        i32::from(tb)
    );
    let mut dims = batch.dims().to_vec();
    dims.extend([m as i64, n as i64]);
    let mut out = c.allocate(0, Shape::new(&dims)?)?;
    let places = |s: &PartialShape| batch_places(s.dims().unwrap_or_default(), batch.dims());
    let (at, bt) = (places(&batches[0]), places(&batches[1]));
    // The adjoint of a complex matrix is its conjugate transpose.
    let a = super::linalg::conjugate_if(c.input(0)?, ta)?;
    let b = super::linalg::conjugate_if(c.input(1)?, tb)?;
    dispatch!(numbers, a.dtype(), T => {
        let (x, y, out) = (a.slice::<T>()?, b.slice::<T>()?, out.slice_mut::<T>()?);
        for (i, (at, bt)) in at.iter().zip(&bt).enumerate() {
            let x = &x[at * m * k..(at + 1) * m * k];
            let y = &y[bt * k * n..(bt + 1) * k * n];
            gemm::matmul(x, y, &mut out[i * m * n..(i + 1) * m * n], [m, k, n], ta, tb);
        }
    });
    c.set_output(0, out);
    Ok(())
}

/// For each matrix of the broadcast batch: which matrix of the operand it is.
fn batch_places(own: &[i64], batch: &[i64]) -> Vec<usize> {
    let missing = batch.len() - own.len();
    let count: usize = batch.iter().map(|d| *d as usize).product();
    let mut places = Vec::with_capacity(count);
    for i in 0..count {
        let (mut rest, mut place, mut stride) = (i, 0, 1);
        for axis in (0..batch.len()).rev() {
            let at = rest % batch[axis] as usize;
            rest /= batch[axis] as usize;
            if axis >= missing {
                let size = own[axis - missing] as usize;
                if size > 1 {
                    place += at * stride;
                }
                stride *= size;
            }
        }
        places.push(place);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_one_are_repeated() {
        assert_eq!(batch_places(&[2], &[3, 2]), [0, 1, 0, 1, 0, 1]);
        assert_eq!(batch_places(&[3, 1], &[3, 2]), [0, 0, 1, 1, 2, 2]);
        assert_eq!(batch_places(&[], &[]), [0]);
    }
}
