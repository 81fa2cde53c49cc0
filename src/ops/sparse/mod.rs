//! Sparse tensors: places [count, rank], values [count] and a shape [rank], in row-major order where it matters.

use crate::ensure;
use crate::error::Result;
use crate::graph::{ShapeContext, with_rank};
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{PartialShape, Shape, Value};

mod arithmetic;
mod gpu;
mod gradients;
mod layout;
mod map;
mod reduce;

pub(super) const OPS: &[Op] = &[
    Op::new("SparseReorder", "input_indices: int64, input_values: T, input_shape: int64 -> output_indices: int64, output_values: T").attr("T: type").shape(reorder_shape).grad(gradients::reorder).kernel(layout::reorder),
    Op::new("SparseReshape", "input_indices: int64, input_shape: int64, new_shape: int64 -> output_indices: int64, output_shape: int64").shape(reshape_shape).kernel(layout::reshape),
    Op::new("SparseConcat", "indices: N * int64, values: N * T, shapes: N * int64 -> output_indices: int64, output_values: T, output_shape: int64").attr("concat_dim: int").attr("N: int >= 2").attr("T: type").no_grad().shape(concat_shape).kernel(layout::concat),
    Op::new("SparseSplit", "split_dim: int64, indices: int64, values: T, shape: int64 -> output_indices: num_split * int64, output_values: num_split * T, output_shape: num_split * int64").attr("num_split: int >= 1").attr("T: type").shape(split_shape).kernel(layout::split),
    Op::new("SparseSlice", "indices: int64, values: T, shape: int64, start: int64, size: int64 -> output_indices: int64, output_values: T, output_shape: int64").attr("T: type").shape(slice_shape).grad(gradients::slice).kernel(layout::slice),
    Op::new("SparseSliceGrad", "backprop_val_grad: T, input_indices: int64, input_start: int64, output_indices: int64 -> val_grad: T").attr("T: numbertype").shape(|c| { let like = c.input(1); c.set(0, PartialShape::vector(like.dim(0))); Ok(()) }).kernel(layout::slice_grad),
    Op::new("SparseFillEmptyRows", "indices: int64, values: T, dense_shape: int64, default_value: T -> output_indices: int64, output_values: T, empty_row_indicator: bool, reverse_index_map: int64").attr("T: type").shape(fill_shape).grad(gradients::fill_empty_rows).kernel(layout::fill_empty_rows),
    Op::new("SparseFillEmptyRowsGrad", "reverse_index_map: int64, grad_values: T -> d_values: T, d_default_value: T").attr("T: type").shape(|c| { let like = c.input_of_rank(0, 1)?; c.set(0, like); c.set(1, PartialShape::scalar()); Ok(()) }).kernel(layout::fill_empty_rows_grad),
    Op::new("SparseAdd", "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64, thresh: Treal -> sum_indices: int64, sum_values: T, sum_shape: int64").attr("T: numbertype").attr("Treal: realnumbertype").shape(add_shape).grad(gradients::add).kernel(arithmetic::add),
    Op::new("SparseAddGrad", "backprop_val_grad: T, a_indices: int64, b_indices: int64, sum_indices: int64 -> a_val_grad: T, b_val_grad: T").attr("T: numbertype").no_grad().shape(add_grad_shape).kernel(arithmetic::add_grad),
    Op::new("SparseTensorDenseAdd", "a_indices: Tindices, a_values: T, a_shape: Tindices, b: T -> output: T").attr("T: numbertype").attr("Tindices: {int32, int64}").shape(|c| { let b = c.input(3); c.set(0, b); Ok(()) }).grad(gradients::dense_add).kernel(arithmetic::dense_add),
    Op::new("SparseTensorDenseMatMul", "a_indices: Tindices, a_values: T, a_shape: int64, b: T -> product: T").attr("T: type").attr("Tindices: {int32, int64} = DT_INT64").attr("adjoint_a: bool = false").attr("adjoint_b: bool = false").shape(mat_mul_shape).grad(gradients::dense_mat_mul).kernel(arithmetic::dense_mat_mul).gpu(gpu::dense_mat_mul).on_host(&[0, 2]),
    Op::new("SparseDenseCwiseAdd", "sp_indices: int64, sp_values: T, sp_shape: int64, dense: T -> output: T").attr("T: numbertype").shape(cwise_shape).grad(gradients::none_yet).kernel(|c| arithmetic::cwise(c, arithmetic::Cwise::Add)),
    Op::new("SparseDenseCwiseMul", "sp_indices: int64, sp_values: T, sp_shape: int64, dense: T -> output: T").attr("T: numbertype").shape(cwise_shape).grad(|g| gradients::cwise(g, true)).kernel(|c| arithmetic::cwise(c, arithmetic::Cwise::Mul)),
    Op::new("SparseDenseCwiseDiv", "sp_indices: int64, sp_values: T, sp_shape: int64, dense: T -> output: T").attr("T: numbertype").shape(cwise_shape).grad(|g| gradients::cwise(g, false)).kernel(|c| arithmetic::cwise(c, arithmetic::Cwise::Div)),
    Op::new("SparseSparseMaximum", "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64 -> output_indices: int64, output_values: T").attr("T: realnumbertype").shape(extreme_shape).grad(gradients::none_yet).kernel(|c| arithmetic::extreme(c, true)),
    Op::new("SparseSparseMinimum", "a_indices: int64, a_values: T, a_shape: int64, b_indices: int64, b_values: T, b_shape: int64 -> output_indices: int64, output_values: T").attr("T: numbertype").shape(extreme_shape).grad(gradients::none_yet).kernel(|c| arithmetic::extreme(c, false)),
    Op::new("SparseSoftmax", "sp_indices: int64, sp_values: T, sp_shape: int64 -> output: T").attr("T: {float32, float64}").shape(|c| { let values = c.input_of_rank(1, 1)?; c.set(0, values); Ok(()) }).grad(gradients::softmax).kernel(reduce::softmax),
    Op::new("SparseReduceSum", "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32 -> output: T").attr("keep_dims: bool = false").attr("T: numbertype").shape(reduce_shape).grad(gradients::reduce_sum).kernel(|c| reduce::reduce(c, reduce::Kind::Sum, false)),
    Op::new("SparseReduceMax", "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32 -> output: T").attr("keep_dims: bool = false").attr("T: realnumbertype").shape(reduce_shape).kernel(|c| reduce::reduce(c, reduce::Kind::Max, false)),
    Op::new("SparseReduceSumSparse", "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32 -> output_indices: int64, output_values: T, output_shape: int64").attr("keep_dims: bool = false").attr("T: numbertype").shape(shape::unknown).kernel(|c| reduce::reduce(c, reduce::Kind::Sum, true)),
    Op::new("SparseReduceMaxSparse", "input_indices: int64, input_values: T, input_shape: int64, reduction_axes: int32 -> output_indices: int64, output_values: T, output_shape: int64").attr("keep_dims: bool = false").attr("T: realnumbertype").shape(shape::unknown).kernel(|c| reduce::reduce(c, reduce::Kind::Max, true)),
    Op::new("AddSparseToTensorsMap", "sparse_indices: int64, sparse_values: T, sparse_shape: int64 -> sparse_handle: int64").attr("T: type").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(map::handle_shape).host(map::add),
    Op::new("AddManySparseToTensorsMap", "sparse_indices: int64, sparse_values: T, sparse_shape: int64 -> sparse_handles: int64").attr("T: type").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(map::handles_shape).host(map::add_many),
    Op::new("TakeManySparseFromTensorsMap", "sparse_handles: int64 -> sparse_indices: int64, sparse_values: dtype, sparse_shape: int64").attr("dtype: type").attr("container: string = ''").attr("shared_name: string = ''").stateful().shape(map::taken_shape).host(map::take_many),
];

/// The three inputs of a sparse tensor, checked against each other.
pub(super) struct Sparse<'a> {
    pub places: Vec<i64>,
    pub rank: usize,
    pub values: &'a Value,
    pub dims: Vec<i64>,
}

impl<'a> Sparse<'a> {
    /// Inputs `first`, `first + 1` and `first + 2`: places within the shape.
    pub fn at(c: &'a KernelContext, first: usize) -> Result<Sparse<'a>> {
        Sparse::of(c.input(first)?, c.input(first + 1)?, c.input(first + 2)?)
    }

    pub fn of(places: &Value, values: &'a Value, dims: &Value) -> Result<Sparse<'a>> {
        let sparse = Sparse::unchecked(places, values, dims.ints()?)?;
        for (i, place) in sparse.rows().enumerate() {
            ensure!(
                place
                    .iter()
                    .zip(&sparse.dims)
                    .all(|(x, d)| (0..*d).contains(x)),
                invalid,
                "indices[{i}] = {place:?} is out of bounds: need 0 <= index < {:?}",
                sparse.dims
            );
        }
        Ok(sparse)
    }

    /// Places may lie outside of the shape.
    pub fn unchecked(places: &Value, values: &'a Value, dims: Vec<i64>) -> Result<Sparse<'a>> {
        let shape = places.shape();
        ensure!(
            shape.rank() == 2,
            invalid,
            "Input indices should be a matrix but received shape {shape}"
        );
        ensure!(
            values.shape().rank() == 1,
            invalid,
            "Input values should be a vector but received shape {}",
            values.shape()
        );
        ensure!(
            shape.dim(0) == values.num_elements(),
            invalid,
            "Number of values must match first dimension of indices. Got {} values, indices shape: {shape}",
            values.num_elements()
        );
        ensure!(
            shape.dim(1) == dims.len(),
            invalid,
            "Number of dimensions must match second dimension of indices. Got {} dimensions, indices shape: {shape}",
            dims.len()
        );
        ensure!(
            dims.iter().all(|d| *d >= 0),
            invalid,
            "sizes of a sparse shape must not be negative, but it is {dims:?}"
        );
        Ok(Sparse {
            places: places.ints()?,
            rank: dims.len(),
            values,
            dims,
        })
    }

    pub fn len(&self) -> usize {
        self.values.num_elements()
    }

    pub fn row(&self, i: usize) -> &[i64] {
        &self.places[i * self.rank..(i + 1) * self.rank]
    }

    pub fn rows(&self) -> impl Iterator<Item = &[i64]> {
        (0..self.len()).map(|i| self.row(i))
    }

    /// The entries in row-major order of their places; equal places keep their order.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        if !order.windows(2).all(|w| self.row(w[0]) <= self.row(w[1])) {
            order.sort_by(|a, b| self.row(*a).cmp(self.row(*b)));
        }
        order
    }
}

/// Places [count, rank] as a value.
pub(super) fn places_value(places: &[i64], rank: usize) -> Result<Value> {
    let count = places.len().checked_div(rank).unwrap_or(0);
    Value::from_slice(Shape::new(&[count as i64, rank as i64])?, places)
}

fn matrix(rows: i64, columns: i64) -> PartialShape {
    PartialShape::from_dims([rows, columns])
}

fn reorder_shape(c: &mut ShapeContext) -> Result<()> {
    let (places, values) = (c.input_of_rank(0, 2)?, c.input_of_rank(1, 1)?);
    c.input_of_rank(2, 1)?;
    c.set(0, places);
    c.set(1, values);
    Ok(())
}

fn reshape_shape(c: &mut ShapeContext) -> Result<()> {
    let places = c.input_of_rank(0, 2)?;
    c.input_of_rank(1, 1)?;
    let wanted = c.input_of_rank(2, 1)?;
    c.set(0, matrix(places.dim(0), wanted.dim(0)));
    c.set(1, wanted);
    Ok(())
}

fn concat_shape(c: &mut ShapeContext) -> Result<()> {
    let n = c.num_inputs() / 3;
    let (mut rows, mut columns) = (0, -1);
    let mut all = PartialShape::vector(-1);
    for i in 0..n {
        let places = c.input_of_rank(i, 2)?;
        let values = c.input_of_rank(n + i, 1)?;
        rows = shape::add_dim(rows, shape::merge_dim(places.dim(0), values.dim(0))?)?;
        columns = shape::merge_dim(columns, places.dim(1))?;
        all = shape::merge(&all, &c.input_of_rank(2 * n + i, 1)?)?;
    }
    let columns = shape::merge_dim(columns, all.dim(0))?;
    c.set(0, matrix(rows, columns));
    c.set(1, PartialShape::vector(rows));
    c.set(2, all);
    Ok(())
}

fn split_shape(c: &mut ShapeContext) -> Result<()> {
    let n = c.num_outputs() / 3;
    let dims = c.input_of_rank(3, 1)?;
    for i in 0..n {
        c.set(i, matrix(-1, dims.dim(0)));
        c.set(n + i, PartialShape::vector(-1));
        c.set(2 * n + i, dims.clone());
    }
    Ok(())
}

fn slice_shape(c: &mut ShapeContext) -> Result<()> {
    let dims = c.input_of_rank(2, 1)?;
    c.set(0, matrix(-1, dims.dim(0)));
    c.set(1, PartialShape::vector(-1));
    c.set(2, dims);
    Ok(())
}

fn fill_shape(c: &mut ShapeContext) -> Result<()> {
    let places = c.input_of_rank(0, 2)?;
    let values = c.input_of_rank(1, 1)?;
    let dims = c.input_of_rank(2, 1)?;
    c.input_of_rank(3, 0)?;
    let count = shape::merge_dim(places.dim(0), values.dim(0))?;
    let rank = shape::merge_dim(places.dim(1), dims.dim(0))?;
    let rows = c.constant_shape(2)?;
    let rows = if rows.rank().unwrap_or(0) > 0 {
        rows.dim(0)
    } else {
        -1
    };
    c.set(0, matrix(-1, rank));
    c.set(1, PartialShape::vector(-1));
    c.set(2, PartialShape::vector(rows));
    c.set(3, PartialShape::vector(count));
    Ok(())
}

fn add_shape(c: &mut ShapeContext) -> Result<()> {
    let dims = c.input_of_rank(2, 1)?;
    c.set(0, matrix(-1, dims.dim(0)));
    c.set(1, PartialShape::vector(-1));
    c.set(2, dims);
    Ok(())
}

fn add_grad_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 0..2 {
        let places = c.input_of_rank(1 + i, 2)?;
        c.set(i, PartialShape::vector(places.dim(0)));
    }
    Ok(())
}

fn mat_mul_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(2, 1)?;
    let a = with_rank(&c.constant_shape(2)?, 2)?;
    let b = c.input_of_rank(3, 2)?;
    let (adjoint_a, adjoint_b) = (c.attrs().bool("adjoint_a")?, c.attrs().bool("adjoint_b")?);
    let (rows, inner) = if adjoint_a {
        (a.dim(1), a.dim(0))
    } else {
        (a.dim(0), a.dim(1))
    };
    let (inner_b, columns) = if adjoint_b {
        (b.dim(1), b.dim(0))
    } else {
        (b.dim(0), b.dim(1))
    };
    shape::merge_dim(inner, inner_b)?;
    c.set(0, matrix(rows, columns));
    Ok(())
}

fn cwise_shape(c: &mut ShapeContext) -> Result<()> {
    let places = c.input_of_rank(0, 2)?;
    c.set(0, PartialShape::vector(places.dim(0)));
    Ok(())
}

fn extreme_shape(c: &mut ShapeContext) -> Result<()> {
    let places = c.input_of_rank(0, 2)?;
    c.set(0, matrix(-1, places.dim(1)));
    c.set(1, PartialShape::vector(-1));
    Ok(())
}

fn reduce_shape(c: &mut ShapeContext) -> Result<()> {
    let keep = c.attrs().bool("keep_dims")?;
    let known = c.constant_shape(2)?;
    let Some(rank) = known.rank() else {
        return Ok(());
    };
    let Some(axes) = c.constant_ints(3) else {
        if keep {
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let dims = known.dims().unwrap_or_default();
    let mut is_reduced = vec![axes.is_empty(); rank];
    for axis in axes {
        is_reduced[shape::axis_of(axis, rank)?] = true;
    }
    let mut out = Vec::new();
    for (d, reduced) in dims.iter().zip(is_reduced) {
        match (reduced, keep) {
            (true, true) => out.push(1),
            (true, false) => {}
            (false, _) => out.push(*d),
        }
    }
    c.set(0, PartialShape::from_dims(out));
    Ok(())
}
