//! Shaders made into pipelines, on threads beside the one that records: a launch names its shader, and nobody waits
//! for it before the recording is handed over.
//!
//! The threads live for as long as there is something to compile. Who waits compiles too, so nothing depends on them.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};

use super::super::launch::{Shader, Source};
use super::super::source;
use super::cache::Cache;

/// Bytes of parameters that every shader may have.
pub const PARAMETER_BYTES: u32 = 128;
/// More threads than this gain little: a plan has some dozens of shaders, of which most take half a millisecond.
const MAX_THREADS: usize = 4;

/// A shader, ready to run or about to be.
#[derive(Default)]
pub struct Pipeline(OnceLock<Result<wgpu::ComputePipeline>>);

struct Job {
    shader: Shader,
    bindings: usize,
    pipeline: Arc<Pipeline>,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    threads: usize,
}

pub struct Compiler {
    device: wgpu::Device,
    /// By number of bindings.
    layouts: Mutex<Vec<Option<(wgpu::BindGroupLayout, wgpu::PipelineLayout)>>>,
    /// Shaders are compiled with bounds checks.
    is_checked: bool,
    cache: Option<Cache>,
    jobs: Mutex<Jobs>,
    /// Told when a pipeline is ready.
    made: Condvar,
}

impl Compiler {
    pub fn new(device: wgpu::Device, is_checked: bool, cache: Option<Cache>) -> Arc<Compiler> {
        Arc::new(Compiler {
            device,
            layouts: Mutex::default(),
            is_checked,
            cache,
            jobs: Mutex::default(),
            made: Condvar::new(),
        })
    }

    /// The layouts that all shaders with so many bindings share.
    pub fn layout(&self, bindings: usize) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
        let mut layouts = self.layouts.lock();
        if layouts.len() <= bindings {
            layouts.resize(bindings + 1, None);
        }
        let made = layouts[bindings].get_or_insert_with(|| {
            let entries: Vec<wgpu::BindGroupLayoutEntry> =
                (0..bindings as u32).map(entry).collect();
            let group = self
                .device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: None,
                    entries: &entries,
                });
            let pipeline = self
                .device
                .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: None,
                    bind_group_layouts: &[Some(&group)],
                    immediate_size: PARAMETER_BYTES,
                });
            (group, pipeline)
        });
        made.clone()
    }

    /// Begins to compile a shader.
    pub fn begin(self: &Arc<Self>, shader: &Shader, bindings: usize) -> Arc<Pipeline> {
        let pipeline = Arc::new(Pipeline::default());
        let mut jobs = self.jobs.lock();
        jobs.waiting.push_back(Job {
            shader: shader.clone(),
            bindings,
            pipeline: pipeline.clone(),
        });
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        if jobs.threads < cores.min(MAX_THREADS) {
            let this = self.clone();
            let thread = std::thread::Builder::new().name("shaders".to_string());
            let started = thread.spawn(move || this.work());
            jobs.threads += usize::from(started.is_ok());
        }
        pipeline
    }

    fn work(&self) {
        let mut jobs = self.jobs.lock();
        while let Some(job) = jobs.waiting.pop_front() {
            drop(jobs);
            self.finish(job);
            jobs = self.jobs.lock();
        }
        jobs.threads -= 1;
    }

    fn finish(&self, job: Job) {
        let made = self.compile(&job.shader, job.bindings);
        let _ = job.pipeline.0.set(made);
        // Whoever looked before it was set holds this lock until it waits.
        drop(self.jobs.lock());
        self.made.notify_all();
    }

    /// The pipeline, once it is compiled.
    pub fn wait<'p>(&self, pipeline: &'p Pipeline) -> Result<&'p wgpu::ComputePipeline> {
        loop {
            if let Some(made) = pipeline.0.get() {
                return made.as_ref().map_err(Error::clone);
            }
            let mut jobs = self.jobs.lock();
            if let Some(job) = jobs.waiting.pop_front() {
                drop(jobs);
                self.finish(job);
            } else if pipeline.0.get().is_none() {
                self.made.wait(&mut jobs);
            }
        }
    }

    fn compile(&self, shader: &Shader, bindings: usize) -> Result<wgpu::ComputePipeline> {
        let text = match (&shader.source, &shader.ending) {
            (Source::File(name), None) => source::expand(name, &shader.constants)?,
            (Source::File(name), Some(ending)) => {
                source::expand_ending(name, &shader.constants, ending.as_str())?
            }
            (Source::Text(text), _) => source::expand_text(text.as_str(), &shader.constants)?,
        };
        let label = match &shader.source {
            Source::File(name) => name,
            Source::Text(_) => "formula",
        };
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(text.as_str().into()),
        };
        let module = if self.is_checked {
            self.device.create_shader_module(descriptor)
        } else {
            // SAFETY: the shaders are our own; each tests its index against the sizes that the host gave it, which are
            // those of the buffers bound.
            unsafe {
                self.device.create_shader_module_trusted(
                    descriptor,
                    wgpu::ShaderRuntimeChecks::unchecked(),
                )
            }
        };
        let (_, layout) = self.layout(bindings);
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(label),
                layout: Some(&layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    zero_initialize_workgroup_memory: false,
                    ..Default::default()
                },
                cache: self.cache.as_ref().map(Cache::pipelines),
            });
        match pollster::block_on(scope.pop()) {
            None => {
                if let Some(cache) = &self.cache {
                    cache.note();
                }
                Ok(pipeline)
            }
            Some(error) => Err(Error::internal(format!(
                "shader {label} {:?} is not accepted: {error}",
                shader.constants
            ))),
        }
    }

    /// Keeps on disk what was compiled since it was last kept.
    pub fn settle(&self) {
        if let Some(cache) = &self.cache {
            cache.settle();
        }
    }
}

/// Every buffer may be read and written: one block may then be bound twice, as when a result takes the place of an
/// operand.
fn entry(binding: u32) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: false },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}
