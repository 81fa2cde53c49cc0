//! Serialized `Example` messages and lines of text as tensors.

use crate::ensure;
use crate::error::Result;
use crate::graph::{Attrs, ShapeContext};
use crate::value::PartialShape;

use super::{Op, shape};

mod csv;
mod example;

pub(super) const OPS: &[Op] = &[
    Op::new("ParseExample", "serialized: string, names: string, sparse_keys: Nsparse * string, dense_keys: Ndense * string, dense_defaults: Tdense -> sparse_indices: Nsparse * int64, sparse_values: sparse_types, sparse_shapes: Nsparse * int64, dense_values: Tdense").attr("Nsparse: int >= 0").attr("Ndense: int >= 0").attr("sparse_types: list({float32, int64, string}) >= 0").attr("Tdense: list({float32, int64, string}) >= 0").attr("dense_shapes: list(shape) >= 0").shape(batch_shape).host(example::parse_batch),
    Op::new("ParseSingleExample", "serialized: string, dense_defaults: Tdense -> sparse_indices: num_sparse * int64, sparse_values: sparse_types, sparse_shapes: num_sparse * int64, dense_values: Tdense").attr("num_sparse: int >= 0").attr("sparse_keys: list(string) >= 0").attr("dense_keys: list(string) >= 0").attr("sparse_types: list({float32, int64, string}) >= 0").attr("Tdense: list({float32, int64, string}) >= 0").attr("dense_shapes: list(shape) >= 0").shape(single_shape).host(example::parse_single),
    Op::new("DecodeCSV", "records: string, record_defaults: OUT_TYPE -> output: OUT_TYPE").attr("OUT_TYPE: list({float32, float64, int32, int64, string}) >= 1").attr("field_delim: string = ','").attr("use_quote_delim: bool = true").attr("na_value: string = ''").attr("select_cols: list(int) = []").shape(csv_shape).host(csv::decode),
];

fn csv_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 1..c.num_inputs() {
        let default = c.input(i);
        shape::at_most(&default, 1)?;
        if default.rank() == Some(1) {
            ensure!(
                default.dim(0) <= 1,
                invalid,
                "Shape of a default must be a length-0 or length-1 vector, or a scalar."
            );
        }
    }
    let records = c.input(0);
    for i in 0..c.num_outputs() {
        c.set(i, records.clone());
    }
    Ok(())
}

/// The shape of one example's values of each dense feature.
fn dense_shapes(attrs: &Attrs) -> Result<Vec<PartialShape>> {
    attrs.shapes("dense_shapes")
}

fn sparse_outputs(c: &mut ShapeContext, sparse: usize, rank: i64) {
    for i in 0..sparse {
        c.set(i, PartialShape::from_dims([-1, rank]));
        c.set(sparse + i, PartialShape::vector(-1));
        c.set(2 * sparse + i, PartialShape::vector(rank));
    }
}

fn batch_shape(c: &mut ShapeContext) -> Result<()> {
    let serialized = c.input_of_rank(0, 1)?;
    let sparse = usize::try_from(c.attrs().int("Nsparse")?).unwrap_or(0);
    sparse_outputs(c, sparse, 2);
    for (i, dense) in dense_shapes(c.attrs())?.into_iter().enumerate() {
        let mut dims = vec![serialized.dim(0)];
        dims.extend_from_slice(dense.dims().unwrap_or_default());
        c.set(3 * sparse + i, PartialShape::from_dims(dims));
    }
    Ok(())
}

fn single_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 0)?;
    let sparse = usize::try_from(c.attrs().int("num_sparse")?).unwrap_or(0);
    sparse_outputs(c, sparse, 1);
    for (i, dense) in dense_shapes(c.attrs())?.into_iter().enumerate() {
        c.set(3 * sparse + i, dense);
    }
    Ok(())
}
