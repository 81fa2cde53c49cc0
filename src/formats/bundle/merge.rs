//! Several bundles as one: what the shards of a sharded save become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::ensure;
use crate::error::Result;
use crate::formats::io::{
    DirectoryLock, TempFile, directory_of, error, make_directory, rename, sync_directory,
};
use crate::formats::proto::BundleEntryProto;

use super::writer::encode_index;
use super::{Bundle, data_path, index_path};

/// Makes the bundles at `prefixes` one at `target`: data files are renamed, never rewritten; the old indexes go.
pub fn merge(prefixes: &[PathBuf], target: &Path) -> Result<()> {
    make_directory(directory_of(target))?;
    let mut merged: BTreeMap<Vec<u8>, BundleEntryProto> = BTreeMap::new();
    let mut files: Vec<PathBuf> = Vec::new();
    for prefix in prefixes {
        let bundle = Bundle::open(prefix)?;
        let first = files.len() as i32;
        for (key, entry) in bundle.entries() {
            add(&mut merged, key, entry, first)?;
        }
        let shards = bundle.shards() as usize;
        files.extend((0..shards).map(|shard| data_path(prefix, shard, shards)));
    }
    let index = encode_index(&merged, files.len() as i32)?;
    let _lock = DirectoryLock::exclusive(directory_of(target));
    let mut file = TempFile::create(&index_path(target))?;
    file.write(&index)?;
    file.sync()?;
    for (shard, from) in files.iter().enumerate() {
        rename(from, &data_path(target, shard, files.len()))?;
    }
    file.rename()?;
    sync_directory(directory_of(target))?;
    for prefix in prefixes {
        let path = index_path(prefix);
        std::fs::remove_file(&path).map_err(|e| error(&path, &e))?;
    }
    Ok(())
}

fn add(
    merged: &mut BTreeMap<Vec<u8>, BundleEntryProto>,
    key: &[u8],
    entry: &BundleEntryProto,
    first_shard: i32,
) -> Result<()> {
    let mut entry = entry.clone();
    if entry.slices.is_empty() {
        entry.shard_id += first_shard;
    }
    match merged.get_mut(key) {
        None => {
            merged.insert(key.to_vec(), entry);
        }
        // The same whole in several bundles: each has other parts of it.
        Some(known) => {
            let are_parts = !known.slices.is_empty() && !entry.slices.is_empty();
            ensure!(
                are_parts && known.dtype == entry.dtype && known.shape == entry.shape,
                invalid,
                "Tensor {} is in several of the merged checkpoints",
                String::from_utf8_lossy(key)
            );
            known.slices.append(&mut entry.slices);
        }
    }
    Ok(())
}
