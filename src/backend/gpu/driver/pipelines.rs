//! Pipelines by shader and bind groups by blocks: all that a dispatch needs is found, not made.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::super::launch::Shader;
use super::compile::{Compiler, Pipeline};

/// Bind groups are forgotten beyond this number: they keep buffers alive.
const MAX_BIND_GROUPS: usize = 8192;

type Blocks = SmallVec<[u64; 8]>;

#[derive(Default)]
pub struct Pipelines {
    known: FxHashMap<Shader, Arc<Pipeline>>,
    groups: FxHashMap<Blocks, wgpu::BindGroup>,
}

impl Pipelines {
    /// The pipeline of a shader: found, or begun.
    pub fn pipeline(
        &mut self,
        compiler: &Arc<Compiler>,
        shader: &Shader,
        bindings: usize,
    ) -> Arc<Pipeline> {
        if let Some(found) = self.known.get(shader) {
            return found.clone();
        }
        let begun = compiler.begin(shader, bindings);
        self.known.insert(shader.clone(), begun.clone());
        begun
    }

    /// The bind group of these buffers: found, or made.
    pub fn bind_group(
        &mut self,
        device: &wgpu::Device,
        compiler: &Compiler,
        buffers: &[(u64, &wgpu::Buffer)],
    ) -> wgpu::BindGroup {
        let key: Blocks = buffers.iter().map(|(id, _)| *id).collect();
        if let Some(found) = self.groups.get(&key) {
            return found.clone();
        }
        let (layout, _) = compiler.layout(buffers.len());
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
        if self.groups.len() >= MAX_BIND_GROUPS {
            self.groups.clear();
        }
        self.groups.insert(key, made.clone());
        made
    }

    /// Forgets the bind groups, so that buffers nobody else holds are freed.
    pub fn forget_groups(&mut self) {
        self.groups.clear();
    }
}
