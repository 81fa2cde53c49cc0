//! Compiled pipelines on disk, where the interface can give them (Vulkan): a later process compiles nothing again.
//!
//! The file lies in the user's cache folder, by card, driver and version of ferroflow. What cannot be read or written
//! is done without: it only costs time.

use std::fs;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

/// The file is written after so many new pipelines.
const WRITE_AFTER: usize = 16;
/// Files larger than this are not kept.
const MAX_BYTES: usize = 64 << 20;

pub struct Cache {
    pipelines: wgpu::PipelineCache,
    file: PathBuf,
    /// Pipelines that the file lacks.
    new: Mutex<usize>,
}

impl Cache {
    /// The cache of a device; `None` where there is none.
    pub fn open(device: &wgpu::Device, info: &wgpu::AdapterInfo) -> Option<Cache> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(info)?;
        let driver = crc32c::crc32c(format!("{} {}", info.driver, info.driver_info).as_bytes());
        let version = env!("CARGO_PKG_VERSION");
        let file = folder()?.join(format!("{key}_{driver:08x}_{version}"));
        let data = fs::read(&file).ok().filter(|data| data.len() <= MAX_BYTES);
        // SAFETY: the file was written by this program, and its bytes begin with the driver's own checksum and number
        // of its version: with `fallback` what does not fit is taken as empty.
        let pipelines = unsafe {
            device.create_pipeline_cache(&wgpu::PipelineCacheDescriptor {
                label: None,
                data: data.as_deref(),
                fallback: true,
            })
        };
        Some(Cache {
            pipelines,
            file,
            new: Mutex::new(0),
        })
    }

    pub fn pipelines(&self) -> &wgpu::PipelineCache {
        &self.pipelines
    }

    /// Counts a pipeline that was compiled, and writes the file now and then.
    pub fn note(&self) {
        let mut new = self.new.lock();
        *new += 1;
        if *new >= WRITE_AFTER {
            *new = 0;
            drop(new);
            self.write();
        }
    }

    /// Writes what the driver has compiled; the file is whole at any time.
    pub fn write(&self) {
        let Some(data) = self.pipelines.get_data().filter(|d| d.len() <= MAX_BYTES) else {
            return;
        };
        let beside = self.file.with_extension(format!("{}", std::process::id()));
        let written = fs::create_dir_all(self.file.parent().unwrap_or(Path::new(".")))
            .and_then(|()| fs::write(&beside, data))
            .and_then(|()| fs::rename(&beside, &self.file));
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
    }

    /// Writes what was compiled since the file was written.
    pub fn settle(&self) {
        let new = std::mem::take(&mut *self.new.lock());
        if new > 0 {
            self.write();
        }
    }
}

/// The user's cache folder for pipelines.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
    if let Some(folder) = variable("FERROFLOW_CACHE") {
        return Some(PathBuf::from(folder));
    }
    let base = match variable("XDG_CACHE_HOME").or_else(|| variable("LOCALAPPDATA")) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(variable("HOME")?).join(".cache"),
    };
    Some(base.join("ferroflow"))
}
