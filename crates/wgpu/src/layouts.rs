//! Objects that bind memory: layouts by what a program's interface is to a device, and groups by the memory in them.

use crate::memory::Block;
use crate::opened::{Opened, lock};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::sync::{Arc, Mutex, Weak};
use vyre_driver::{BackendLayoutFingerprint, BindingPlan};
use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingResource, BindingType, BufferBinding, BufferBindingType, BufferSize,
    PipelineLayout, PipelineLayoutDescriptor, ShaderStages,
};

/// Groups that are kept at most for each layout.
const KEPT_GROUPS: usize = 256;

/// The layouts of a device that programs use.
#[derive(Default)]
pub struct Layouts(Mutex<FxHashMap<LayoutKey, Weak<Layout>>>);

/// How memory is bound: everything is in group 0, numbered in the order of the binding plan.
pub struct Layout {
    group: BindGroupLayout,
    groups: Mutex<FxHashMap<GroupKey, BindGroup>>,
    /// By the number of words of immediate data.
    pipelines: Mutex<FxHashMap<u32, PipelineLayout>>,
}

/// The interface, and which of its buffers are bound as uniform ones: the exporter reads large ones as storage.
type LayoutKey = (BackendLayoutFingerprint, SmallVec<[bool; 16]>);

/// Id and bound bytes of each block.
type GroupKey = SmallVec<[u64; 8]>;

impl Layouts {
    /// The layout for a program of that interface; each of its buffers is uniform or not, and so is one more if there is
    /// something to be bound behind them.
    pub fn layout(&self, opened: &Opened, plan: &BindingPlan, uniform: &[bool]) -> Arc<Layout> {
        let key = (plan.layout_fingerprint(), SmallVec::from_slice(uniform));
        let mut layouts = lock(&self.0);
        if let Some(known) = layouts.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        layouts.retain(|_, layout| layout.strong_count() > 0);
        let read_only = plan.layout_slots().map(|slot| slot.read_only).chain([false]);
        let slots = read_only.zip(uniform);
        let entries: Vec<BindGroupLayoutEntry> = (0..)
            .zip(slots)
            .map(|(binding, (read_only, uniform))| BindGroupLayoutEntry {
                binding,
                visibility: ShaderStages::COMPUTE,
                ty: BindingType::Buffer {
                    ty: match uniform {
                        true => BufferBindingType::Uniform,
                        false => BufferBindingType::Storage { read_only },
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let descriptor = BindGroupLayoutDescriptor { label: None, entries: &entries };
        let layout = Arc::new(Layout {
            group: opened.device.create_bind_group_layout(&descriptor),
            groups: Mutex::default(),
            pipelines: Mutex::default(),
        });
        layouts.insert(key, Arc::downgrade(&layout));
        layout
    }

    /// Gives up what binds blocks that are given up.
    pub fn forget(&self, gone: &[Block]) {
        if gone.is_empty() {
            return;
        }
        let binds = |key: &GroupKey| gone.iter().any(|b| key.iter().step_by(2).any(|id| *id == b.id));
        for layout in lock(&self.0).values().filter_map(Weak::upgrade) {
            lock(&layout.groups).retain(|key, _| !binds(key));
        }
    }
}

impl Layout {
    /// What binds those blocks, each with so many bytes.
    pub fn group(&self, opened: &Opened, blocks: &[(&Block, u64)]) -> BindGroup {
        let key: GroupKey = blocks.iter().flat_map(|(block, bytes)| [block.id, *bytes]).collect();
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
        let descriptor = BindGroupDescriptor { label: None, layout: &self.group, entries: &entries };
        let group = opened.device.create_bind_group(&descriptor);
        groups.insert(key, group.clone());
        group
    }

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
