//! Checkpoints and files as ops.

use std::path::{Path, PathBuf};

use crate::ensure;
use crate::error::Result;
use crate::formats::bundle::{Bundle, BundleWriter, ShapeAndSlice, merge};
use crate::formats::io::{directory_of, error, read_file};
use crate::graph::{ShapeContext, with_rank};
use crate::value::{PartialShape, Shape, Value};

use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("SaveV2", "prefix: string, tensor_names: string, shape_and_slices: string, tensors: dtypes ->").attr("dtypes: list(type) >= 1").stateful().shape(save_shape).host(save),
    Op::new("RestoreV2", "prefix: string, tensor_names: string, shape_and_slices: string -> tensors: dtypes").attr("dtypes: list(type) >= 1").stateful().shape(restore_shape).host(restore),
    Op::new("MergeV2Checkpoints", "checkpoint_prefixes: string, destination_prefix: string ->").attr("delete_old_dirs: bool = true").stateful().shape(shape::unknown).host(merge_checkpoints),
    Op::new("ShardedFilename", "basename: string, shard: int32, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filename),
    Op::new("ShardedFilespec", "basename: string, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filespec),
    Op::new("ReadFile", "filename: string -> contents: string").shape(shape::scalar).host(read),
    Op::new("WriteFile", "filename: string, contents: string ->").stateful().shape(shape::unknown).host(write),
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

/// Bytes of a path as the system takes them.
fn path_of(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

fn path_input(c: &KernelContext, i: usize, what: &str) -> Result<PathBuf> {
    Ok(path_of(c.scalar_input(i, what)?.item_string()?))
}

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
    let specs = specs
        .string_slice()?
        .iter()
        .map(|s| String::from_utf8_lossy(s).into_owned());
    Ok(names.zip(specs).collect())
}

fn save(c: &mut KernelContext) -> Result<()> {
    let prefix = path_input(c, 0, "prefix")?;
    let rows = names_and_slices(c, c.num_inputs() - 3)?;
    let mut writer = BundleWriter::create(&prefix)?;
    for (i, (name, spec)) in rows.iter().enumerate() {
        let value = c.input(i + 3)?;
        if spec.is_empty() {
            writer.add(name, value)?;
            continue;
        }
        let part = ShapeAndSlice::parse(spec)?;
        ensure!(
            part.part_shape()? == *value.shape(),
            invalid,
            "Slice in shape_and_slice specification does not match the shape of the tensor to save: {spec}, tensor: {}",
            value.shape()
        );
        writer.add_slice(name, &part, value)?;
    }
    writer.finish()
}

fn restore(c: &mut KernelContext) -> Result<()> {
    let prefix = path_input(c, 0, "prefix")?;
    let rows = names_and_slices(c, c.num_outputs())?;
    let bundle = Bundle::open(&prefix)?;
    for (i, (name, spec)) in rows.iter().enumerate() {
        let (dtype, whole) = bundle.describe(name)?;
        let wanted = c.node.outputs[i].dtype;
        ensure!(
            dtype == wanted,
            invalid,
            "tensor_name = {}; expected dtype {} does not equal original dtype {}",
            String::from_utf8_lossy(name),
            wanted.short_name(),
            dtype.short_name()
        );
        let value = if spec.is_empty() {
            bundle.read(name)?
        } else {
            let part = ShapeAndSlice::parse(spec)?;
            ensure!(
                part.shape == whole,
                invalid,
                "tensor_name = {}; shape in shape_and_slice spec {} does not match the shape stored in checkpoint: {whole}",
                String::from_utf8_lossy(name),
                part.shape
            );
            bundle.read_slice(name, &part.slice)?
        };
        c.set_output(i, value);
    }
    Ok(())
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

fn sharded_filename(c: &mut KernelContext) -> Result<()> {
    let mut name = c.scalar_input(0, "basename")?.item_string()?.to_vec();
    let shard = c.scalar_input(1, "shard")?.int()?;
    let shards = c.scalar_input(2, "num_shards")?.int()?;
    name.extend(format!("-{shard:05}-of-{shards:05}").into_bytes());
    c.set_output(0, Value::scalar_string(name));
    Ok(())
}

fn sharded_filespec(c: &mut KernelContext) -> Result<()> {
    let mut name = c.scalar_input(0, "basename")?.item_string()?.to_vec();
    let shards = c.scalar_input(1, "num_shards")?.int()?;
    name.extend(format!("-?????-of-{shards:05}").into_bytes());
    c.set_output(0, Value::scalar_string(name));
    Ok(())
}

fn read(c: &mut KernelContext) -> Result<()> {
    let path = path_input(c, 0, "filename")?;
    let contents = read_file(&path)?;
    c.set_output(0, Value::strings(Shape::scalar(), vec![contents])?);
    Ok(())
}

fn write(c: &mut KernelContext) -> Result<()> {
    let path = path_input(c, 0, "filename")?;
    make_directories(directory_of(&path))?;
    let contents = c.scalar_input(1, "contents")?.item_string()?;
    std::fs::write(&path, contents).map_err(|e| error(&path, &e))
}

fn make_directories(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| error(path, &e))
}
