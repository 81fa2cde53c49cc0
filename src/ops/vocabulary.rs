//! Matrices of a checkpoint whose rows or columns stand for the words of a list, in the order of another list.

use std::collections::HashMap;
use std::path::Path;

use crate::error::{Error, Result};
use crate::formats::checkpoint::Checkpoint;
use crate::formats::io::read_file;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::Op;
use super::io::path_input;
use super::kernel::KernelContext;

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("GenerateVocabRemapping", "new_vocab_file: string, old_vocab_file: string -> remapping: int64, num_present: int32").attr("new_vocab_offset: int >= 0").attr("num_new_vocab: int >= 0").attr("old_vocab_size: int >= -1 = -1").no_grad().shape(remapping_shape).host(remapping),
    Op::new("LoadAndRemapMatrix", "ckpt_path: string, old_tensor_name: string, row_remapping: int64, col_remapping: int64, initializing_values: float32 -> output_matrix: float32").attr("num_rows: int >= 0").attr("num_cols: int >= 1").attr("max_rows_in_memory: int = -1").stateful().no_grad().shape(matrix_shape).host(matrix),
];

fn remapping_shape(c: &mut ShapeContext) -> Result<()> {
    let words = c.attrs().int("num_new_vocab")?;
    c.set(0, PartialShape::from(&Shape::new(&[words])?));
    c.set(1, PartialShape::from(&Shape::scalar()));
    Ok(())
}

fn matrix_shape(c: &mut ShapeContext) -> Result<()> {
    let size = [c.attrs().int("num_rows")?, c.attrs().int("num_cols")?];
    c.set(0, PartialShape::from(&Shape::new(&size)?));
    Ok(())
}

/// The lines of a text file.
fn lines(path: &Path) -> Result<Vec<Vec<u8>>> {
    let bytes = read_file(path)?;
    let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let line = |line: &[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    Ok(text.split(|byte| *byte == b'\n').map(line).collect())
}

/// For each word of a part of the new list its place in the old one, or -1.
fn remapping(c: &mut KernelContext) -> Result<()> {
    let new = lines(&path_input(c, 0, "new_vocab_file")?)?;
    let old = lines(&path_input(c, 1, "old_vocab_file")?)?;
    let size = |attr| -> Result<Option<usize>> { Ok(usize::try_from(c.attrs().int(attr)?).ok()) };
    let first = size("new_vocab_offset")?.unwrap_or(0);
    let count = size("num_new_vocab")?.unwrap_or(0);
    let used = size("old_vocab_size")?.unwrap_or(old.len());
    let wanted = first.checked_add(count).and_then(|end| new.get(first..end));
    let Some(wanted) = wanted else {
        bail!(
            invalid,
            "lookup table size must be larger than last new vocab entry's line"
        );
    };
    let mut places = HashMap::new();
    for (place, word) in old.iter().take(used).enumerate() {
        if let Some(other) = places.insert(word, place as i64) {
            bail!(
                failed_precondition,
                "HashTable has different value for same key. Key {} has {other} and trying to add value {place}",
                String::from_utf8_lossy(word)
            );
        }
    }
    let found: Vec<i64> = wanted
        .iter()
        .map(|word| places.get(word).copied().unwrap_or(-1))
        .collect();
    let present = found.iter().filter(|place| **place >= 0).count() as i32;
    c.set_output(0, Value::from_slice(Shape::new(&[count as i64])?, &found)?);
    c.set_output(1, Value::from_slice(Shape::scalar(), &[present])?);
    Ok(())
}

fn matrix(c: &mut KernelContext) -> Result<()> {
    let path = path_input(c, 0, "ckpt_path")?;
    let name = c.scalar_input(1, "old_tensor_name")?.item_string()?;
    let (rows, columns) = (c.attrs().int("num_rows")?, c.attrs().int("num_cols")?);
    let row_map = c.ints_input(2)?;
    let mut column_map = c.ints_input(3)?;
    ensure!(
        row_map.len() as i64 == rows,
        invalid,
        "Size of row_remapping is {} instead of being equal to num_rows={rows}",
        row_map.len()
    );
    let remaps_columns = !column_map.is_empty();
    ensure!(
        !remaps_columns || column_map.len() as i64 == columns,
        invalid,
        "Provided col_remapping, but its size is {} instead of being equal to num_cols={columns}",
        column_map.len()
    );
    let old = old_matrix(&Checkpoint::open(&path)?, name)?;
    let (old_rows, old_columns) = (old.shape().dims()[0], old.shape().dims()[1]);
    if !remaps_columns {
        ensure!(
            old_columns == columns,
            invalid,
            "Provided num_cols={columns}, but the tensor has {old_columns} columns and no col_remapping is given"
        );
        column_map = (0..columns).collect();
    }
    check_map(&row_map, old_rows, "row")?;
    check_map(&column_map, old_columns, "column")?;
    let elements = old.slice::<f32>()?;
    let mut fresh = c.input(4)?.slice::<f32>()?.iter().copied();
    let given = fresh.len();
    let mut out = c.allocate(0, Shape::new(&[rows, columns])?)?;
    let mut cells = out.slice_mut::<f32>()?.iter_mut();
    for row in &row_map {
        for (column, cell) in column_map.iter().zip(&mut cells) {
            *cell = match (*row, *column) {
                (0.., 0..) => elements[(row * old_columns + column) as usize],
                _ => fresh.next().ok_or_else(|| {
                    Error::invalid(format!(
                        "initializing_values contained {given} elements, but more missing values remain."
                    ))
                })?,
            };
        }
    }
    ensure!(
        fresh.len() == 0,
        invalid,
        "initializing_values contained {given} elements, but only {} elements were used to fill in missing values.",
        given - fresh.len()
    );
    c.set_output(0, out);
    Ok(())
}

fn old_matrix(checkpoint: &Checkpoint, name: &[u8]) -> Result<Value> {
    let shown = String::from_utf8_lossy(name);
    let (dtype, shape) = checkpoint.describe(name)?;
    ensure!(
        dtype == DType::F32,
        invalid,
        "Tensor {shown} has invalid type {} instead of expected type float",
        dtype.short_name()
    );
    ensure!(
        shape.rank() == 2,
        invalid,
        "Tensor {shown} has shape {shape} of invalid rank {} instead of expected shape of rank 2",
        shape.rank()
    );
    checkpoint.read(name)
}

/// Places must lie in the old matrix, each at most once.
fn check_map(map: &[i64], size: i64, what: &str) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for &place in map.iter().filter(|place| **place >= 0) {
        ensure!(
            place < size,
            invalid,
            "The {what} remapping has {place}, but the old matrix has {size}"
        );
        ensure!(
            seen.insert(place),
            unimplemented,
            "The {what} remapping has {place} twice"
        );
    }
    Ok(())
}
