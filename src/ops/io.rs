//! Files as ops.

use std::path::{Path, PathBuf};

use crate::ensure;
use crate::error::Result;
use crate::formats::glob::matching_files;
use crate::formats::io::{directory_of, error, read_file};
use crate::graph::ShapeContext;
use crate::value::{PartialShape, Shape, Value};

use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("ShardedFilename", "basename: string, shard: int32, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filename),
    Op::new("ShardedFilespec", "basename: string, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filespec),
    Op::new("ReadFile", "filename: string -> contents: string").shape(shape::scalar).host(read),
    Op::new("MatchingFiles", "pattern: string -> filenames: string").shape(matching_shape).host(matching),
    Op::new("WriteFile", "filename: string, contents: string ->").stateful().shape(shape::unknown).host(write),
];

/// Bytes of a path as the system takes them.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
    }
    #[cfg(not(unix))]
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

pub(super) fn path_input(c: &KernelContext, i: usize, what: &str) -> Result<PathBuf> {
    Ok(path_of(c.scalar_input(i, what)?.item_string()?))
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

fn matching_shape(c: &mut ShapeContext) -> Result<()> {
    shape::at_most(&c.input(0), 1)?;
    c.set(0, PartialShape::vector(-1));
    Ok(())
}

/// The files that match any of the patterns, sorted.
fn matching(c: &mut KernelContext) -> Result<()> {
    let patterns = c.input(0)?;
    ensure!(
        patterns.shape().rank() <= 1,
        invalid,
        "Input patterns tensor must be scalar or vector, but had shape: {}",
        patterns.shape()
    );
    let mut names = Vec::new();
    for pattern in patterns.string_slice()? {
        let found = matching_files(&path_of(pattern))?;
        // TensorFlow looks for a pattern without a directory in ".", and says so.
        let fixed = pattern.split(|byte| b"*?[\\".contains(byte)).next();
        let here: &[u8] = match fixed.is_some_and(|fixed| fixed.contains(&b'/')) {
            true => b"",
            false => b"./",
        };
        let bytes = |path: &PathBuf| [here, path.as_os_str().as_encoded_bytes()].concat();
        names.extend(found.iter().map(bytes));
    }
    names.sort();
    let shape = Shape::new(&[names.len() as i64])?;
    c.set_output(0, Value::strings(shape, names)?);
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
