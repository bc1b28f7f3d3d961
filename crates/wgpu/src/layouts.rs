//! Objects that bind memory: layouts by what a program's interface is to a device, and groups by the memory in them.

use crate::memory::Block;
use crate::opened::{Opened, lock};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use vyre_driver::{BackendLayoutFingerprint, BindingPlan};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingResource, BindingType, BufferBinding, BufferBindingType, BufferSize,
    PipelineLayout, PipelineLayoutDescriptor, ShaderStages,
};

/// Groups that are kept at most.
const KEPT_GROUPS: usize = 256;

/// Layouts and groups of a device.
#[derive(Default)]
pub struct Layouts {
    layouts: Mutex<FxHashMap<LayoutKey, Weak<Layout>>>,
    groups: Mutex<FxHashMap<GroupKey, BindGroup>>,
}

/// How memory is bound: everything is in group 0, numbered in the order of the binding plan.
pub struct Layout {
    id: u64,
    group: BindGroupLayout,
    /// By the number of words of immediate data.
    pipelines: Mutex<FxHashMap<u32, PipelineLayout>>,
}

/// The interface, and which of its buffers are bound as uniform ones: the exporter reads large ones as storage.
type LayoutKey = (BackendLayoutFingerprint, SmallVec<[bool; 16]>);

/// The layout's id, then id and bound bytes of each block.
type GroupKey = SmallVec<[u64; 9]>;

impl Layouts {
    /// The layout for a program of that interface; each of its buffers is uniform or not.
    pub fn layout(&self, opened: &Opened, plan: &BindingPlan, uniform: &[bool]) -> Arc<Layout> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let key = (plan.layout_fingerprint(), SmallVec::from_slice(uniform));
        let mut layouts = lock(&self.layouts);
        if let Some(known) = layouts.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        layouts.retain(|_, layout| layout.strong_count() > 0);
        let slots = plan.layout_slots().zip(uniform);
        let entries: Vec<BindGroupLayoutEntry> = (0..)
            .zip(slots)
            .map(|(binding, (slot, uniform))| BindGroupLayoutEntry {
                binding,
                visibility: ShaderStages::COMPUTE,
                ty: BindingType::Buffer {
                    ty: match uniform {
                        true => BufferBindingType::Uniform,
                        false => BufferBindingType::Storage { read_only: slot.read_only },
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let descriptor = BindGroupLayoutDescriptor { label: None, entries: &entries };
        let layout = Arc::new(Layout {
            id: COUNT.fetch_add(1, Ordering::Relaxed),
            group: opened.device.create_bind_group_layout(&descriptor),
            pipelines: Mutex::default(),
        });
        layouts.insert(key, Arc::downgrade(&layout));
        layout
    }

    /// What binds those blocks, each with so many bytes.
    pub fn group(&self, opened: &Opened, layout: &Layout, blocks: &[(&Block, u64)]) -> BindGroup {
        let mut key = GroupKey::from_slice(&[layout.id]);
        key.extend(blocks.iter().flat_map(|(block, bytes)| [block.id, *bytes]));
        let mut groups = lock(&self.groups);
        if let Some(known) = groups.get(&key) {
            return known.clone();
        }
        if groups.len() >= KEPT_GROUPS {
            groups.clear();
        }
        let entries: SmallVec<[BindGroupEntry<'_>; 8]> = (0..)
            .zip(blocks)
            .map(|(binding, (block, bytes))| BindGroupEntry {
                binding,
                resource: BindingResource::Buffer(BufferBinding {
                    buffer: &block.buffer,
                    offset: 0,
                    size: BufferSize::new(*bytes),
                }),
            })
            .collect();
        let descriptor = BindGroupDescriptor { label: None, layout: &layout.group, entries: &entries };
        let group = opened.device.create_bind_group(&descriptor);
        groups.insert(key, group.clone());
        group
    }

    /// Gives up what binds blocks that are given up.
    pub fn forget(&self, gone: &[Block]) {
        if !gone.is_empty() {
            let binds =
                |key: &GroupKey| gone.iter().any(|b| key[1..].iter().step_by(2).any(|id| *id == b.id));
            lock(&self.groups).retain(|key, _| !binds(key));
        }
    }
}

impl Layout {
    /// The layout of pipelines that take so many words of immediate data.
    pub fn pipeline(&self, opened: &Opened, words: u32) -> PipelineLayout {
        let mut pipelines = lock(&self.pipelines);
        let make = || {
            opened.device.create_pipeline_layout(&PipelineLayoutDescriptor {
                label: None,
                bind_group_layouts: &[Some(&self.group)],
                immediate_size: 4 * words,
            })
        };
        pipelines.entry(words).or_insert_with(make).clone()
    }
}
