//! Sets in the last dimension of dense and sparse tensors: what two have in common, what one lacks, how large they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::kernel::KernelContext;
use super::moves::product;
use super::sparse::{Sparse, places_value};
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("DenseToDenseSetOperation", "set1: T, set2: T -> result_indices: int64, result_values: T, result_shape: int64").attr("set_operation: string").attr("validate_indices: bool = true").attr("T: {int8, int16, int32, int64, uint8, uint16, string}").no_grad().shape(|c| { let (a, b) = (c.input(0), c.input(1)); combined_shape(c, known_rank(&a)?, known_rank(&b)?) }).host(|c| combine(c, false, false)),
    Op::new("DenseToSparseSetOperation", "set1: T, set2_indices: int64, set2_values: T, set2_shape: int64 -> result_indices: int64, result_values: T, result_shape: int64").attr("set_operation: string").attr("validate_indices: bool = true").attr("T: {int8, int16, int32, int64, uint8, uint16, string}").no_grad().shape(|c| { let (a, b) = (c.input(0), c.input(3)); let b = sparse_rank(&b); combined_shape(c, known_rank(&a)?, b) }).host(|c| combine(c, false, true)),
    Op::new("SparseToSparseSetOperation", "set1_indices: int64, set1_values: T, set1_shape: int64, set2_indices: int64, set2_values: T, set2_shape: int64 -> result_indices: int64, result_values: T, result_shape: int64").attr("set_operation: string").attr("validate_indices: bool = true").attr("T: {int8, int16, int32, int64, uint8, uint16, string}").no_grad().shape(|c| { let (a, b) = (c.input(2), c.input(5)); combined_shape(c, sparse_rank(&a), sparse_rank(&b)) }).host(|c| combine(c, true, true)),
    Op::new("SetSize", "set_indices: int64, set_values: T, set_shape: int64 -> size: int32").attr("validate_indices: bool = true").attr("T: {int8, int16, int32, int64, uint8, uint16, string}").no_grad().shape(shape::unknown).host(set_size),
];

fn known_rank(shape: &PartialShape) -> Result<i64> {
    let Some(rank) = shape.rank() else {
        return Ok(-1);
    };
    ensure!(
        rank >= 2,
        invalid,
        "Input 0, expected rank >= 2, got {rank}."
    );
    Ok(rank as i64)
}

fn sparse_rank(dims: &PartialShape) -> i64 {
    if dims.rank() == Some(1) {
        dims.dim(0)
    } else {
        -1
    }
}

fn combined_shape(c: &mut ShapeContext, a: i64, b: i64) -> Result<()> {
    ensure!(
        a < 0 || b < 0 || a == b,
        invalid,
        "Ranks do not match: input 0 {a}, input 1 {b}."
    );
    let rank = a.max(b);
    c.set(0, PartialShape::from_dims([-1, rank]));
    c.set(1, PartialShape::vector(-1));
    c.set(2, PartialShape::vector(rank));
    Ok(())
}

/// A tensor's sets by their place in the batch, and the sizes of the batch.
struct Sets<K> {
    dims: Vec<i64>,
    of_group: BTreeMap<Vec<i64>, BTreeSet<K>>,
}

/// The elements of a value that can be members of sets.
trait Member: Ord + Clone {
    fn all(value: &Value) -> Result<Vec<Self>>;
    fn value(all: Vec<Self>, dtype: DType) -> Result<Value>;
}

impl Member for Vec<u8> {
    fn all(value: &Value) -> Result<Vec<Self>> {
        Ok(value.string_slice()?.to_vec())
    }

    fn value(all: Vec<Self>, _: DType) -> Result<Value> {
        Value::strings(Shape::vector(all.len()), all)
    }
}

impl Member for i64 {
    fn all(value: &Value) -> Result<Vec<i64>> {
        value.ints()
    }

    fn value(all: Vec<i64>, dtype: DType) -> Result<Value> {
        macro_rules! narrowed {
            ($($d:ident = $t:ty),*) => {
                match dtype {
                    $(DType::$d => Value::vector(&all.iter().map(|x| *x as $t).collect::<Vec<_>>()),)*
                    other => bail!(unimplemented, "sets of {}", other.short_name()),
                }
            };
        }
        narrowed!(I8 = i8, I16 = i16, I32 = i32, I64 = i64, U8 = u8, U16 = u16)
    }
}

fn dense_sets<K: Member>(value: &Value) -> Result<Sets<K>> {
    let shape = value.shape();
    ensure!(
        shape.rank() >= 2,
        invalid,
        "Shape rank {} < 2",
        shape.rank()
    );
    let (dims, width) = (
        &shape.dims()[..shape.rank() - 1],
        shape.dim(shape.rank() - 1),
    );
    let all = K::all(value)?;
    let mut of_group = BTreeMap::new();
    let mut place = vec![0i64; dims.len()];
    for group in 0..product(dims) {
        of_group.insert(
            place.clone(),
            all[group * width..(group + 1) * width]
                .iter()
                .cloned()
                .collect(),
        );
        for axis in (0..dims.len()).rev() {
            place[axis] += 1;
            if place[axis] < dims[axis] {
                break;
            }
            place[axis] = 0;
        }
    }
    Ok(Sets {
        dims: dims.to_vec(),
        of_group,
    })
}

fn sparse_sets<K: Member>(c: &KernelContext, first: usize) -> Result<Sets<K>> {
    let sparse = Sparse::at(c, first)?;
    ensure!(sparse.rank >= 2, invalid, "Shape rank {} < 2", sparse.rank);
    if c.attrs().bool("validate_indices")? {
        for i in 1..sparse.len() {
            ensure!(
                sparse.row(i - 1) < sparse.row(i),
                invalid,
                "indices[{i}] = {:?} is {}",
                sparse.row(i),
                if sparse.row(i - 1) == sparse.row(i) {
                    "repeated"
                } else {
                    "out of order"
                }
            );
        }
    }
    let batch = sparse.rank - 1;
    let all = K::all(sparse.values)?;
    let mut of_group: BTreeMap<Vec<i64>, BTreeSet<K>> = BTreeMap::new();
    for (place, key) in sparse.rows().zip(all) {
        of_group
            .entry(place[..batch].to_vec())
            .or_default()
            .insert(key);
    }
    Ok(Sets {
        dims: sparse.dims[..batch].to_vec(),
        of_group,
    })
}

fn combine(c: &mut KernelContext, first_sparse: bool, second_sparse: bool) -> Result<()> {
    let dtype = c.attrs().dtype("T")?;
    match dtype {
        DType::String => combine_of::<Vec<u8>>(c, first_sparse, second_sparse),
        _ => combine_of::<i64>(c, first_sparse, second_sparse),
    }
}

fn combine_of<K: Member>(
    c: &mut KernelContext,
    first_sparse: bool,
    second_sparse: bool,
) -> Result<()> {
    let dtype = c.attrs().dtype("T")?;
    let operation = c.attrs().str("set_operation")?.to_string();
    let sets = |c: &KernelContext, i: usize, is_sparse: bool| match is_sparse {
        true => sparse_sets::<K>(c, i),
        false => dense_sets::<K>(c.input(i)?),
    };
    let a = sets(c, 0, first_sparse)?;
    let b = sets(c, if first_sparse { 3 } else { 1 }, second_sparse)?;
    ensure!(
        a.dims == b.dims,
        invalid,
        "Mismatched group shapes {:?} vs {:?}",
        a.dims,
        b.dims
    );
    let groups: BTreeSet<&Vec<i64>> = a.of_group.keys().chain(b.of_group.keys()).collect();
    let none = BTreeSet::new();
    let (mut places, mut values, mut width) = (Vec::new(), Vec::new(), 0);
    for group in groups {
        let x = a.of_group.get(group).unwrap_or(&none);
        let y = b.of_group.get(group).unwrap_or(&none);
        let found: Vec<&K> = match operation.as_str() {
            "a-b" => x.difference(y).collect(),
            "b-a" => y.difference(x).collect(),
            "intersection" => x.intersection(y).collect(),
            "union" => x.union(y).collect(),
            other => bail!(invalid, "Invalid set_operation {other}."),
        };
        width = width.max(found.len());
        for (i, key) in found.into_iter().enumerate() {
            places.extend_from_slice(group);
            places.push(i as i64);
            values.push(key.clone());
        }
    }
    let mut dims = a.dims;
    dims.push(width as i64);
    c.set_output(0, places_value(&places, dims.len())?);
    c.set_output(1, K::value(values, dtype)?);
    c.set_output(2, Value::vector(&dims)?);
    Ok(())
}

fn sizes<K: Member>(c: &KernelContext) -> Result<Value> {
    let sets = sparse_sets::<K>(c, 0)?;
    let steps = super::moves::strides(&sets.dims);
    let mut out = Value::zeros(DType::I32, Shape::new(&sets.dims)?)?;
    let to = out.slice_mut::<i32>()?;
    for (place, set) in &sets.of_group {
        let at: usize = place.iter().zip(&steps).map(|(x, s)| *x as usize * s).sum();
        to[at] = set.len() as i32;
    }
    Ok(out)
}

fn set_size(c: &mut KernelContext) -> Result<()> {
    let out = match c.attrs().dtype("T")? {
        DType::String => sizes::<Vec<u8>>(c)?,
        _ => sizes::<i64>(c)?,
    };
    c.set_output(0, out);
    Ok(())
}
