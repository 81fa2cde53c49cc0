//! What a crash in the middle of a save under a name that was in use leaves, and how it is finished.
//!
//! Data file and index take their names one after the other. A process that dies in between leaves the new data beside
//! the old index, and the new index, whole and on disk, under its temporary name: whoever opens the checkpoint next
//! gives it its name. Index files in the making exist only while their writer holds the directory's lock, so one that
//! is seen under the lock was left behind.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::formats::io::{self, TEMP_SUFFIX, directory_of, sync_directory};

use super::{Bundle, index_path};

/// The indexes of `prefix` that have no name yet.
pub(super) fn unfinished_indexes(prefix: &Path) -> Vec<PathBuf> {
    let start = io::with_suffix(&index_path(prefix), TEMP_SUFFIX);
    let (Some(start), Ok(entries)) = (start.file_name(), fs::read_dir(directory_of(prefix))) else {
        return Vec::new();
    };
    let start = start.as_encoded_bytes();
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter(|name| name.as_encoded_bytes().starts_with(start))
        .map(|name| directory_of(prefix).join(name))
        .collect()
}

/// Gives an unfinished index its name when the data is its own and not that of the index which has the name. The
/// caller holds the directory's lock.
pub(super) fn roll_forward(prefix: &Path, unfinished: &[PathBuf]) -> Result<()> {
    let is_sound = |index: &Path| {
        Bundle::open_index(prefix, index).is_ok_and(|bundle| bundle.verify().is_ok())
    };
    if !is_sound(&index_path(prefix))
        && let Some(index) = unfinished.iter().find(|index| is_sound(index))
    {
        io::rename(index, &index_path(prefix))?;
        sync_directory(directory_of(prefix))?;
    }
    Ok(())
}

/// Removes indexes that no writer will finish any more. The caller holds the directory's lock.
pub(super) fn remove_unfinished(prefix: &Path) {
    for path in unfinished_indexes(prefix) {
        // Best effort: it does no harm, and goes with the next save.
        let _ = fs::remove_file(path);
    }
}
