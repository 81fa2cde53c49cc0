//! `Example` messages: dense features as tensors of a known shape, or padded to the longest; sparse ones as they are.

use crate::error::{Error, Result};
use crate::formats::proto::{Example, Feature, Message, feature::Kind};
use crate::ops::kernel::KernelContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

/// Values of one type, gathered over examples.
#[derive(Clone, Debug)]
enum Column {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Strings(Vec<Vec<u8>>),
}

impl Column {
    fn new(dtype: DType) -> Result<Column> {
        Ok(match dtype {
            DType::F32 => Column::Floats(Vec::new()),
            DType::I64 => Column::Ints(Vec::new()),
            DType::String => Column::Strings(Vec::new()),
            other => bail!(invalid, "features cannot be of type {}", other.short_name()),
        })
    }

    /// The values of a tensor.
    fn of(value: &Value) -> Result<Column> {
        Ok(match Column::new(value.dtype())? {
            Column::Floats(_) => Column::Floats(value.slice::<f32>()?.to_vec()),
            Column::Ints(_) => Column::Ints(value.slice::<i64>()?.to_vec()),
            Column::Strings(_) => Column::Strings(value.string_slice()?.to_vec()),
        })
    }

    fn len(&self) -> usize {
        match self {
            Column::Floats(x) => x.len(),
            Column::Ints(x) => x.len(),
            Column::Strings(x) => x.len(),
        }
    }

    /// The type as messages call it.
    fn label(&self) -> &'static str {
        match self {
            Column::Floats(_) => "float",
            Column::Ints(_) => "int64",
            Column::Strings(_) => "string",
        }
    }

    /// Adds all of another column of the same type.
    fn extend(&mut self, other: Column) {
        match (self, other) {
            (Column::Floats(to), Column::Floats(from)) => to.extend(from),
            (Column::Ints(to), Column::Ints(from)) => to.extend(from),
            (Column::Strings(to), Column::Strings(from)) => to.extend(from),
            _ => {}
        }
    }

    /// Adds the first value of `pad` until there are `len`.
    fn pad(&mut self, pad: &Column, len: usize) {
        match (self, pad) {
            (Column::Floats(to), Column::Floats(p)) => {
                to.resize(len, p.first().copied().unwrap_or(0.0))
            }
            (Column::Ints(to), Column::Ints(p)) => to.resize(len, p.first().copied().unwrap_or(0)),
            (Column::Strings(to), Column::Strings(p)) => {
                to.resize(len, p.first().cloned().unwrap_or_default())
            }
            _ => {}
        }
    }

    fn value(self, shape: Shape) -> Result<Value> {
        match self {
            Column::Floats(x) => Value::from_slice(shape, &x),
            Column::Ints(x) => Value::from_slice(shape, &x),
            Column::Strings(x) => Value::strings(shape, x),
        }
    }
}

/// The values of a feature, if it has any kind of values at all.
fn values_of(feature: Option<&Feature>) -> Option<Column> {
    Some(match feature?.kind.as_ref()? {
        Kind::FloatList(list) => Column::Floats(list.value.clone()),
        Kind::Int64List(list) => Column::Ints(list.value.clone()),
        Kind::BytesList(list) => Column::Strings(list.value.iter().map(|b| b.to_vec()).collect()),
    })
}

/// What is asked of each example, and what messages say before their text.
struct Wanted {
    sparse: Vec<(String, DType)>,
    dense: Vec<(String, DType, PartialShape, Column)>,
    /// Whether messages name the example and its number.
    is_batch: bool,
}

/// What one example gave.
struct Found {
    sparse: Vec<Column>,
    dense: Vec<Column>,
}

impl Wanted {
    fn prefix(&self, name: &str, key: &str, index: usize) -> String {
        match self.is_batch {
            true => format!("Name: {name}, Key: {key}, Index: {index}."),
            false => format!("Key: {key}."),
        }
    }

    fn read(&self, bytes: &[u8], name: &str, index: usize) -> Result<Found> {
        let example = match Example::decode(bytes) {
            Ok(example) => example,
            // What is no `features` field at all counts as an example without features.
            Err(_) if bytes.first() != Some(&0x0a) => Example::default(),
            Err(_) => bail!(
                invalid,
                "Could not parse example input, value: '{}'",
                String::from_utf8_lossy(bytes)
            ),
        };
        let features = example.features.unwrap_or_default().feature;
        let checked = |key: &str, dtype: DType, is_dense: bool| -> Result<Option<Column>> {
            let Some(column) = values_of(features.get(key)) else {
                return Ok(None);
            };
            let wanted = Column::new(dtype)?.label();
            let actual = column.label();
            let difference = match is_dense || !self.is_batch {
                true => format!("Data type: {actual} but expected type: {wanted}"),
                false => format!("Expected type: {wanted}, Actual type: {actual}"),
            };
            ensure!(
                actual == wanted,
                invalid,
                "{}  Data types don't match. {difference}",
                self.prefix(name, key, index)
            );
            Ok(Some(column))
        };
        let mut found = Found {
            sparse: Vec::with_capacity(self.sparse.len()),
            dense: Vec::with_capacity(self.dense.len()),
        };
        for (key, dtype, shape, default) in &self.dense {
            let column = checked(key, *dtype, true)?;
            let varies = shape.rank().is_some_and(|r| r > 0) && shape.dim(0) < 0;
            found.dense.push(match column {
                Some(column) if varies => {
                    let stride = stride_of(shape);
                    ensure!(
                        stride > 0 && column.len() % stride == 0,
                        invalid,
                        "{}  Number of {} values is not a multiple of stride length. Saw {} values but output shape is: {shape}",
                        self.prefix(name, key, index),
                        column.label(),
                        column.len()
                    );
                    column
                }
                Some(column) => {
                    let size = shape.num_elements().unwrap_or(0) as usize;
                    ensure!(
                        column.len() == size || self.is_batch,
                        invalid,
                        "{}  Can't parse serialized Example.",
                        self.prefix(name, key, index)
                    );
                    ensure!(
                        column.len() == size,
                        invalid,
                        "{}  Number of {} values != expected.  Values size: {} but output shape: {shape}",
                        self.prefix(name, key, index),
                        column.label(),
                        column.len()
                    );
                    column
                }
                None if varies => Column::new(*dtype)?,
                None => {
                    ensure!(
                        default.len() > 0 || shape.num_elements() == Some(0),
                        invalid,
                        "{}Feature: {key} (data type: {}) is required but could not be found.",
                        if self.is_batch { format!("Name: {name}, ") } else { String::new() },
                        Column::new(*dtype)?.label()
                    );
                    default.clone()
                }
            });
        }
        for (key, dtype) in &self.sparse {
            found.sparse.push(match checked(key, *dtype, false)? {
                Some(column) => column,
                None => Column::new(*dtype)?,
            });
        }
        Ok(found)
    }
}

/// How many values one step along the first, unknown dimension has.
fn stride_of(shape: &PartialShape) -> usize {
    let rest = &shape.dims().unwrap_or_default()[1..];
    rest.iter().map(|d| (*d).max(0) as usize).product()
}

fn dtypes(c: &KernelContext, attr: &str) -> Result<Vec<DType>> {
    c.attrs()
        .types(attr)?
        .into_iter()
        .map(|t| t.base())
        .collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn dense_wanted(
    c: &KernelContext,
    keys: Vec<String>,
    first_default: usize,
) -> Result<Vec<(String, DType, PartialShape, Column)>> {
    let (types, shapes) = (dtypes(c, "Tdense")?, c.attrs().shapes("dense_shapes")?);
    ensure!(
        keys.len() == types.len() && keys.len() == shapes.len(),
        invalid,
        "there are {} dense keys, {} types and {} shapes",
        keys.len(),
        types.len(),
        shapes.len()
    );
    let mut wanted = Vec::with_capacity(keys.len());
    for (i, ((key, dtype), shape)) in keys.into_iter().zip(types).zip(shapes).enumerate() {
        let default = c.input(first_default + i)?;
        ensure!(
            default.dtype() == dtype,
            invalid,
            "dense_defaults[{i}].dtype() == {} != Tdense[{i}] == {}",
            default.dtype().short_name(),
            dtype.short_name()
        );
        let dims = shape.dims().unwrap_or_default();
        ensure!(
            dims.iter().skip(1).all(|d| *d >= 0),
            invalid,
            "dense_shapes[{i}] {shape} has unknown sizes after the first"
        );
        if shape.is_fully_defined() && default.num_elements() > 0 {
            ensure!(
                shape.num_elements() == Some(default.num_elements() as i64),
                invalid,
                "def_value[{i}].shape() == {} is not compatible with dense_shapes_[{i}] == {shape}",
                default.shape()
            );
        }
        wanted.push((key, dtype, shape, Column::of(default)?));
    }
    Ok(wanted)
}

pub(super) fn parse_batch(c: &mut KernelContext) -> Result<()> {
    let count = |name: &str| -> Result<usize> {
        usize::try_from(c.attrs().int(name)?)
            .map_err(|_| Error::invalid(format!("{name} is negative")))
    };
    let (num_sparse, num_dense) = (count("Nsparse")?, count("Ndense")?);
    let serialized = c.input(0)?;
    ensure!(
        serialized.shape().rank() == 1,
        invalid,
        "Expected serialized to be a vector, got shape: {}",
        serialized.shape()
    );
    let serialized = serialized.string_slice()?;
    let names = c.input(1)?.string_slice()?;
    ensure!(
        names.is_empty() || names.len() == serialized.len(),
        invalid,
        "Expected len(names) == len(serialized), but got: {} vs. {}",
        names.len(),
        serialized.len()
    );
    let key = |i: usize| -> Result<String> { Ok(text(c.scalar_input(i, "key")?.item_string()?)) };
    let sparse_keys = (0..num_sparse)
        .map(|i| key(2 + i))
        .collect::<Result<Vec<_>>>()?;
    let dense_keys = (0..num_dense)
        .map(|i| key(2 + num_sparse + i))
        .collect::<Result<Vec<_>>>()?;
    let wanted = Wanted {
        sparse: sparse_keys
            .into_iter()
            .zip(dtypes(c, "sparse_types")?)
            .collect(),
        dense: dense_wanted(c, dense_keys, 2 + num_sparse + num_dense)?,
        is_batch: true,
    };
    let examples = serialized
        .iter()
        .enumerate()
        .map(|(i, bytes)| {
            let name = names.get(i).map_or("<unknown>".to_string(), |n| text(n));
            wanted.read(bytes, &name, i)
        })
        .collect::<Result<Vec<Found>>>()?;
    let batch = examples.len();
    let mut sparse: Vec<(Vec<i64>, i64, Column)> = Vec::new();
    for (_, dtype) in &wanted.sparse {
        sparse.push((Vec::new(), 0, Column::new(*dtype)?));
    }
    let mut dense: Vec<Vec<Column>> = vec![Vec::with_capacity(batch); num_dense];
    for (row, example) in examples.into_iter().enumerate() {
        for ((places, widest, all), column) in sparse.iter_mut().zip(example.sparse) {
            *widest = (*widest).max(column.len() as i64);
            (0..column.len()).for_each(|i| places.extend([row as i64, i as i64]));
            all.extend(column);
        }
        for (all, column) in dense.iter_mut().zip(example.dense) {
            all.push(column);
        }
    }
    let mut made = Vec::new();
    for (columns, (_, dtype, shape, default)) in dense.into_iter().zip(&wanted.dense) {
        made.push(stacked(columns, *dtype, shape, default)?);
    }
    for (i, (places, widest, column)) in sparse.into_iter().enumerate() {
        let count = column.len();
        let places = Value::from_slice(Shape::new(&[count as i64, 2])?, &places)?;
        c.set_output(i, places);
        c.set_output(num_sparse + i, column.value(Shape::vector(count))?);
        c.set_output(2 * num_sparse + i, Value::vector(&[batch as i64, widest])?);
    }
    for (i, value) in made.into_iter().enumerate() {
        c.set_output(3 * num_sparse + i, value);
    }
    Ok(())
}

/// The values of all examples below each other, padded to the longest where the first size is unknown.
fn stacked(
    columns: Vec<Column>,
    dtype: DType,
    shape: &PartialShape,
    pad: &Column,
) -> Result<Value> {
    let batch = columns.len() as i64;
    let mut dims = vec![batch];
    dims.extend_from_slice(shape.dims().unwrap_or_default());
    let longest = columns.iter().map(Column::len).max().unwrap_or(0);
    let varies = dims.get(1).is_some_and(|d| *d < 0);
    if varies {
        dims[1] = (longest / stride_of(shape).max(1)) as i64;
    }
    let mut all = Column::new(dtype)?;
    for mut column in columns {
        if varies {
            column.pad(pad, longest);
        }
        all.extend(column);
    }
    all.value(Shape::new(&dims)?)
}

pub(super) fn parse_single(c: &mut KernelContext) -> Result<()> {
    let keys = |name: &str| -> Result<Vec<String>> {
        Ok(c.attrs()
            .byte_strings(name)?
            .iter()
            .map(|b| text(b))
            .collect())
    };
    let sparse_keys = keys("sparse_keys")?;
    let num_sparse = sparse_keys.len();
    let wanted = Wanted {
        sparse: sparse_keys
            .into_iter()
            .zip(dtypes(c, "sparse_types")?)
            .collect(),
        dense: dense_wanted(c, keys("dense_keys")?, 1)?,
        is_batch: false,
    };
    let serialized = c.input(0)?;
    ensure!(
        serialized.shape().is_scalar(),
        invalid,
        "Expected serialized to be a scalar, got shape: {}",
        serialized.shape()
    );
    let found = wanted.read(serialized.item_string()?, "", 0)?;
    for (i, column) in found.sparse.into_iter().enumerate() {
        let count = column.len();
        let places: Vec<i64> = (0..count as i64).collect();
        c.set_output(
            i,
            Value::from_slice(Shape::new(&[count as i64, 1])?, &places)?,
        );
        c.set_output(num_sparse + i, column.value(Shape::vector(count))?);
        c.set_output(2 * num_sparse + i, Value::vector(&[count as i64])?);
    }
    for (i, (column, (_, _, shape, _))) in found.dense.into_iter().zip(&wanted.dense).enumerate() {
        let mut dims = shape.dims().unwrap_or_default().to_vec();
        if dims.first().is_some_and(|d| *d < 0) {
            dims[0] = (column.len() / stride_of(shape).max(1)) as i64;
        }
        c.set_output(3 * num_sparse + i, column.value(Shape::new(&dims)?)?);
    }
    Ok(())
}
