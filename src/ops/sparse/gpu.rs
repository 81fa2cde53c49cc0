//! A sparse matrix times a dense one on a GPU: rows of the dense one, weighted and added up. The places are read on the
//! host. What is wrong is left to the CPU's kernel, which says so.

use crate::error::Result;
use crate::ops::array::rows::{Scale, is_countable, sums_of_rows};
use crate::ops::gpu::GpuContext;
use crate::value::{DType, Shape};

pub(super) fn dense_mat_mul(c: &mut GpuContext) -> Result<()> {
    let (places, dims) = (c.host_input(0)?, c.ints_input(2)?);
    let (values, b) = (c.shape(1)?.clone(), c.shape(3)?.clone());
    let is_right = c.dtype(1)? == DType::F32
        && !c.attrs().bool("adjoint_b")?
        && dims.len() == 2
        && b.rank() == 2
        && b.num_elements() > 0
        && places.shape().dims() == [values.num_elements() as i64, 2]
        && values.rank() == 1;
    if !is_right {
        return c.leave_to_host();
    }
    let turned = usize::from(c.attrs().bool("adjoint_a")?);
    let (rows, inner) = (dims[turned], dims[1 - turned]);
    let columns = b.dim(1);
    let is_in = |x: i64, limit: i64| (0..limit).contains(&x);
    let mut to = Vec::with_capacity(values.num_elements());
    let mut picks = Vec::with_capacity(values.num_elements());
    for place in places.ints()?.chunks_exact(2) {
        let (m, k) = (place[turned], place[1 - turned]);
        if !is_in(m, rows) || !is_in(k, inner) {
            return c.leave_to_host();
        }
        to.push(m);
        picks.push(k);
    }
    let Ok(shape) = Shape::new(&[rows, columns as i64]) else {
        return c.leave_to_host();
    };
    if inner != b.dims()[0] || !is_countable(&[shape.num_elements(), b.num_elements()]) {
        return c.leave_to_host();
    }
    let (weights, b) = (c.input(1)?, c.input(3)?);
    let scale = Scale::Weighted(&weights);
    let made = sums_of_rows(c, &b, (&to, &picks), (shape, columns), scale)?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::{Shape, Value};

    #[test]
    fn sparse_products_are_the_cpus() {
        let shape = Shape::new(&[5, 2]).unwrap();
        let places = Value::from_slice(shape, &[0i64, 1, 0, 3, 2, 0, 2, 3, 3, 2]).unwrap();
        let dims = Value::vector(&[4i64, 4]).unwrap();
        for turned in [false, true] {
            let given = attrs(&[("adjoint_a", turned.into())]);
            let inputs = [
                places.clone(),
                floats_of(&[5]),
                dims.clone(),
                floats_of(&[4, 7]),
            ];
            agrees_on_gpu("SparseTensorDenseMatMul", &inputs, &given, 1e-6);
        }
    }
}
