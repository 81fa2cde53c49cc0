//! Checkpoints as ops: `SaveV2` and its kin write and read bundles; `Save`, `SaveSlices`, `Restore` and `RestoreSlice`
//! the older files of tensor slices. What reads takes either format.

use std::path::PathBuf;

use parking_lot::Mutex;

use crate::backend::cpu::threads;
use crate::ensure;
use crate::error::Result;
use crate::formats::bundle::{BundleWriter, ShapeAndSlice, Slice, merge};
use crate::formats::checkpoint::Checkpoint;
use crate::formats::io::directory_of;
use crate::formats::slices::SliceWriter;
use crate::graph::{ShapeContext, with_rank};
use crate::value::{DType, PartialShape, Value};

use super::io::{path_input, path_of};
use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("SaveV2", "prefix: string, tensor_names: string, shape_and_slices: string, tensors: dtypes ->").attr("dtypes: list(type) >= 1").stateful().shape(save_shape).host(save),
    Op::new("RestoreV2", "prefix: string, tensor_names: string, shape_and_slices: string -> tensors: dtypes").attr("dtypes: list(type) >= 1").stateful().shape(restore_shape).host(restore),
    Op::new("MergeV2Checkpoints", "checkpoint_prefixes: string, destination_prefix: string ->").attr("delete_old_dirs: bool = true").stateful().shape(shape::unknown).host(merge_checkpoints),
    Op::new("Save", "filename: string, tensor_names: string, data: T ->").attr("T: list(type) >= 1").stateful().shape(save_v1_shape).host(save_v1),
    Op::new("SaveSlices", "filename: string, tensor_names: string, shapes_and_slices: string, data: T ->").attr("T: list(type) >= 1").stateful().shape(save_v1_shape).host(save_slices),
    Op::new("Restore", "file_pattern: string, tensor_name: string -> tensor: dt").attr("dt: type").attr("preferred_shard: int = -1").stateful().shape(restore_v1_shape).host(restore_v1),
    Op::new("RestoreSlice", "file_pattern: string, tensor_name: string, shape_and_slice: string -> tensor: dt").attr("dt: type").attr("preferred_shard: int = -1").stateful().shape(restore_v1_shape).host(restore_v1),
];

fn save_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(0), 0)?;
    with_rank(&c.input(1), 1)?;
    with_rank(&c.input(2), 1)?;
    Ok(())
}

/// The shapes are not in the graph, but for those of parts.
fn restore_shape(c: &mut ShapeContext) -> Result<()> {
    save_shape(c)?;
    let specs = c.constant(2);
    let Some(specs) = specs.as_ref().and_then(|v| v.string_slice().ok()) else {
        return Ok(());
    };
    for (i, spec) in specs.iter().enumerate().take(c.num_outputs()) {
        let text = String::from_utf8_lossy(spec);
        if !text.is_empty() {
            let shape = ShapeAndSlice::parse(&text)?.part_shape()?;
            c.set(i, PartialShape::from(&shape));
        }
    }
    Ok(())
}

fn save_v1_shape(c: &mut ShapeContext) -> Result<()> {
    with_rank(&c.input(0), 0)?;
    with_rank(&c.input(1), 1)?;
    Ok(())
}

fn restore_v1_shape(c: &mut ShapeContext) -> Result<()> {
    for i in 0..c.num_inputs() {
        with_rank(&c.input(i), 0)?;
    }
    let spec = if c.num_inputs() > 2 {
        c.constant(2)
    } else {
        None
    };
    let text = match spec.as_ref().and_then(|v| v.item_string().ok()) {
        Some(text) if !text.is_empty() => String::from_utf8_lossy(text).into_owned(),
        _ => return Ok(()),
    };
    let shape = ShapeAndSlice::parse(&text)?.part_shape()?;
    c.set(0, PartialShape::from(&shape));
    Ok(())
}

// ---- V2 ----

/// Names and slice specifications, inputs 1 and 2; as many as there are tensors.
fn names_and_slices(c: &KernelContext, tensors: usize) -> Result<Vec<(Vec<u8>, String)>> {
    let (names, specs) = (c.input(1)?, c.input(2)?);
    for (value, what) in [(names, "tensor_names"), (specs, "shape_and_slices")] {
        ensure!(
            value.shape().rank() == 1,
            invalid,
            "Input {what} should be an 1-D tensor, got {} instead.",
            value.shape()
        );
        ensure!(
            value.num_elements() == tensors,
            invalid,
            "Got {} entries of {what} but {tensors} tensors",
            value.num_elements()
        );
    }
    let names = names.string_slice()?.iter().cloned();
    let specs = specs.string_slice()?.iter().map(|s| text(s));
    Ok(names.zip(specs).collect())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The part that a specification means; `value` must have its shape.
fn part_to_save(spec: &str, value: &Value) -> Result<ShapeAndSlice> {
    let part = ShapeAndSlice::parse(spec)?;
    ensure!(
        part.part_shape()? == *value.shape(),
        invalid,
        "Slice in shape_and_slice specification does not match the shape of the tensor to  save: {spec}, tensor: {}",
        value.shape()
    );
    Ok(part)
}

fn save(c: &mut KernelContext) -> Result<()> {
    let prefix = path_input(c, 0, "prefix")?;
    let rows = names_and_slices(c, c.num_inputs() - 3)?;
    let mut writer = BundleWriter::create(&prefix)?;
    for (i, (name, spec)) in rows.iter().enumerate() {
        let value = c.input(i + 3)?;
        if spec.is_empty() {
            writer.add(name, value)?;
        } else {
            writer.add_slice(name, &part_to_save(spec, value)?, value)?;
        }
    }
    writer.finish()
}

fn restore(c: &mut KernelContext) -> Result<()> {
    let prefix = path_input(c, 0, "prefix")?;
    let rows = names_and_slices(c, c.num_outputs())?;
    let checkpoint = Checkpoint::open(&prefix)?;
    let mut bytes = 0usize;
    for (i, (name, _)) in rows.iter().enumerate() {
        let (dtype, shape) = checkpoint.describe(name)?;
        let wanted = c.node.outputs[i].dtype;
        ensure!(
            dtype == wanted,
            invalid,
            "{}",
            other_type(&checkpoint, name, wanted, dtype)
        );
        let size = shape
            .num_elements()
            .saturating_mul(dtype.size().unwrap_or(1));
        bytes = bytes.saturating_add(size);
    }
    let values = Mutex::new(Vec::new());
    let read_one = |i: usize| {
        let (name, spec) = &rows[i];
        let value = read(&checkpoint, name, spec);
        values.lock().push((i, value));
    };
    if bytes < threads::WORTH_BYTES {
        (0..rows.len()).for_each(read_one);
    } else {
        threads::run(rows.len(), read_one);
    }
    let mut values = values.into_inner();
    // Of several errors that of the first tensor is told.
    values.sort_by_key(|(i, _)| *i);
    for (i, value) in values {
        c.set_output(i, value?);
    }
    Ok(())
}

/// A tensor, or the part of it that `spec` means.
fn read(checkpoint: &Checkpoint, name: &[u8], spec: &str) -> Result<Value> {
    if spec.is_empty() {
        return checkpoint.read(name);
    }
    let part = ShapeAndSlice::parse(spec)?;
    let (_, whole) = checkpoint.describe(name)?;
    let place = match checkpoint {
        Checkpoint::Bundle(_) => "stored in checkpoint",
        Checkpoint::Slices(_) => "in the save file",
    };
    ensure!(
        part.shape == whole,
        invalid,
        "tensor_name = {}; shape in shape_and_slice spec {} does not match the shape {place}: {whole}",
        text(name),
        part.shape
    );
    checkpoint.read_slice(name, &part.slice)
}

/// TensorFlow's words, of which each format has its own, for a tensor that is not of the type asked for.
fn other_type(checkpoint: &Checkpoint, name: &[u8], wanted: DType, found: DType) -> String {
    let (name, wanted, found) = (text(name), wanted.short_name(), found.short_name());
    match checkpoint {
        Checkpoint::Bundle(_) => format!(
            "tensor_name = {name}; expected dtype {wanted} does not equal original dtype {found}"
        ),
        Checkpoint::Slices(_) => format!(
            "Expected to restore a tensor of type {wanted}, got a tensor of type {found} instead: tensor_name = {name}"
        ),
    }
}

fn merge_checkpoints(c: &mut KernelContext) -> Result<()> {
    let prefixes: Vec<PathBuf> = c
        .input(0)?
        .string_slice()?
        .iter()
        .map(|p| path_of(p))
        .collect();
    let target = path_input(c, 1, "destination_prefix")?;
    merge(&prefixes, &target)?;
    if c.attrs().bool("delete_old_dirs")? {
        let kept = directory_of(&target);
        for directory in prefixes.iter().map(|p| directory_of(p)) {
            if directory != kept && !kept.starts_with(directory) {
                // Others may keep files there: only an empty one goes.
                let _ = std::fs::remove_dir(directory);
            }
        }
    }
    Ok(())
}

// ---- V1 ----

fn save_v1(c: &mut KernelContext) -> Result<()> {
    write_v1(c, 2)
}

fn save_slices(c: &mut KernelContext) -> Result<()> {
    write_v1(c, 3)
}

/// Writes the inputs from number `first` on, in the order of their names.
fn write_v1(c: &mut KernelContext, first: usize) -> Result<()> {
    let path = path_input(c, 0, "filename")?;
    let names = c.input(1)?.string_slice()?;
    let count = names.len();
    let specs: Vec<String> = match first {
        2 => vec![String::new(); count],
        _ => c
            .input(2)?
            .string_slice()?
            .iter()
            .map(|s| text(s))
            .collect(),
    };
    ensure!(
        specs.len() == count,
        invalid,
        "Expected {count} elements for the tensor shapes and slices but got {}",
        specs.len()
    );
    ensure!(
        c.num_inputs() == count + first,
        invalid,
        "Expected totally {} inputs as input #1 (which is a string tensor of saved names) contains {count} names, but \
         received {} inputs",
        count + first,
        c.num_inputs()
    );
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|i| &names[*i]);
    let mut writer = SliceWriter::create(&path)?;
    for i in order {
        let value = c.input(i + first)?;
        if specs[i].is_empty() {
            let all = Slice::full(value.shape().rank());
            writer.add(&names[i], value.shape(), &all, value)?;
        } else {
            let part = part_to_save(&specs[i], value)?;
            writer.add(&names[i], &part.shape, &part.slice, value)?;
        }
    }
    writer.finish(&path)
}

/// `Restore`, and `RestoreSlice` where there is a third input.
fn restore_v1(c: &mut KernelContext) -> Result<()> {
    let pattern = path_input(c, 0, "file_pattern")?;
    let name = c.scalar_input(1, "tensor_name")?.item_string()?.to_vec();
    let spec = match c.num_inputs() {
        2 => String::new(),
        _ => text(c.scalar_input(2, "shape_and_slice")?.item_string()?),
    };
    let checkpoint = Checkpoint::open(&pattern)?;
    let (dtype, _) = checkpoint.describe(&name)?;
    let wanted = c.node.outputs[0].dtype;
    ensure!(
        dtype == wanted,
        invalid,
        "{}",
        other_type(&checkpoint, &name, wanted, dtype)
    );
    let value = read(&checkpoint, &name, &spec)?;
    c.set_output(0, value);
    Ok(())
}
