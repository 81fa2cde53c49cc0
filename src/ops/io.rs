//! Files as ops.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::formats::io::{directory_of, error, read_file};
use crate::value::{Shape, Value};

use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub const OPS: &[Op] = &[
    Op::new("ShardedFilename", "basename: string, shard: int32, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filename),
    Op::new("ShardedFilespec", "basename: string, num_shards: int32 -> filename: string").shape(shape::scalar).host(sharded_filespec),
    Op::new("ReadFile", "filename: string -> contents: string").shape(shape::scalar).host(read),
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

fn write(c: &mut KernelContext) -> Result<()> {
    let path = path_input(c, 0, "filename")?;
    make_directories(directory_of(&path))?;
    let contents = c.scalar_input(1, "contents")?.item_string()?;
    std::fs::write(&path, contents).map_err(|e| error(&path, &e))
}

fn make_directories(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| error(path, &e))
}
