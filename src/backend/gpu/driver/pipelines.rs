//! Pipelines by shader, and the layouts and bind groups that they share: all that a dispatch needs is found, not made.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::error::{Error, Result};

use super::super::launch::{Shader, Source};
use super::super::source;
use super::cache::Cache;

/// Bytes of parameters that every shader may have.
pub const PARAMETER_BYTES: u32 = 128;
/// Bind groups are forgotten beyond this number: they keep buffers alive.
const MAX_BIND_GROUPS: usize = 8192;

/// A shader, ready to run.
pub struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
}

type Blocks = SmallVec<[u64; 8]>;

#[derive(Default)]
pub struct Pipelines {
    /// By number of bindings.
    layouts: Mutex<Vec<Option<(wgpu::BindGroupLayout, wgpu::PipelineLayout)>>>,
    ready: Mutex<FxHashMap<Shader, Arc<Pipeline>>>,
    groups: Mutex<FxHashMap<Blocks, wgpu::BindGroup>>,
    /// Shaders are compiled with bounds checks.
    is_checked: bool,
    cache: Option<Cache>,
}

impl Pipelines {
    pub fn new(is_checked: bool, cache: Option<Cache>) -> Pipelines {
        Pipelines {
            is_checked,
            cache,
            ..Default::default()
        }
    }

    fn layout(
        &self,
        device: &wgpu::Device,
        bindings: usize,
    ) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
        let mut layouts = self.layouts.lock();
        if layouts.len() <= bindings {
            layouts.resize(bindings + 1, None);
        }
        let made = layouts[bindings].get_or_insert_with(|| {
            let entries: Vec<wgpu::BindGroupLayoutEntry> =
                (0..bindings as u32).map(entry).collect();
            let group = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &entries,
            });
            let pipeline = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&group)],
                immediate_size: PARAMETER_BYTES,
            });
            (group, pipeline)
        });
        made.clone()
    }

    /// The pipeline of a shader: found, or compiled.
    pub fn pipeline(
        &self,
        device: &wgpu::Device,
        shader: &Shader,
        bindings: usize,
    ) -> Result<Arc<Pipeline>> {
        if let Some(found) = self.ready.lock().get(shader) {
            return Ok(found.clone());
        }
        let made = Arc::new(self.compile(device, shader, bindings)?);
        self.ready.lock().insert(shader.clone(), made.clone());
        Ok(made)
    }

    fn compile(&self, device: &wgpu::Device, shader: &Shader, bindings: usize) -> Result<Pipeline> {
        let text = match (&shader.source, &shader.ending) {
            (Source::File(name), None) => source::expand(name, &shader.constants)?,
            (Source::File(name), Some(ending)) => {
                source::expand_ending(name, &shader.constants, ending.as_str())?
            }
            (Source::Text(text), _) => text.as_str().to_string(),
        };
        let label = match &shader.source {
            Source::File(name) => name,
            Source::Text(_) => "formula",
        };
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(label),
            source: wgpu::ShaderSource::Wgsl(text.as_str().into()),
        };
        let module = if self.is_checked {
            device.create_shader_module(descriptor)
        } else {
            // SAFETY: the shaders are our own; each tests its index against the sizes that the host gave it, which are
            // those of the buffers bound.
            unsafe {
                device.create_shader_module_trusted(
                    descriptor,
                    wgpu::ShaderRuntimeChecks::unchecked(),
                )
            }
        };
        let (_, layout) = self.layout(device, bindings);
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
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
                Ok(Pipeline { pipeline })
            }
            Some(error) => Err(Error::internal(format!(
                "shader {label} {:?} is not accepted: {error}",
                shader.constants
            ))),
        }
    }

    /// The bind group of these buffers: found, or made.
    pub fn bind_group(
        &self,
        device: &wgpu::Device,
        buffers: &[(u64, &wgpu::Buffer)],
    ) -> wgpu::BindGroup {
        let key: Blocks = buffers.iter().map(|(id, _)| *id).collect();
        let mut groups = self.groups.lock();
        if let Some(found) = groups.get(&key) {
            return found.clone();
        }
        let (layout, _) = self.layout(device, buffers.len());
        let entries: SmallVec<[wgpu::BindGroupEntry; 8]> = buffers
            .iter()
            .enumerate()
            .map(|(i, (_, buffer))| wgpu::BindGroupEntry {
                binding: i as u32,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let made = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &layout,
            entries: &entries,
        });
        if groups.len() >= MAX_BIND_GROUPS {
            groups.clear();
        }
        groups.insert(key, made.clone());
        made
    }

    /// Keeps on disk what was compiled since it was last kept.
    pub fn settle(&self) {
        if let Some(cache) = &self.cache {
            cache.settle();
        }
    }

    /// Forgets the bind groups, so that buffers nobody else holds are freed.
    pub fn forget_groups(&self) {
        self.groups.lock().clear();
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
