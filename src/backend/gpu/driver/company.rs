//! Small steps of one kind, as the updates of many variables by one optimizer, share a dispatch: a step waits for others
//! to join it.
//!
//! Work waits only for as long as nobody can tell: what touches a block of a waiting member, or hands the recording
//! over, comes behind the dispatch. Blocks that are given back meanwhile stay out of the pool until then, or the next
//! gradient would lie in the memory of the last and every step would be alone.

use smallvec::SmallVec;

use crate::error::Result;

use super::super::launch::{Member, Shader, WORKGROUP, groups_of};
use super::device::{Driver, OWN_WORDS};
use super::memory::Block;
use super::stream::{Stream, WORDS};

/// Members with more elements go at once, with those that wait already: moving so many bytes takes longer than a
/// dispatch, and their gradients would be kept for nothing.
const LARGE: usize = 1 << 18;
/// Bindings of one dispatch, where the device allows them: some drivers become slow with more.
const MAX_BINDINGS: usize = 16;
/// Kinds that wait at the same time: two optimizers and the averages of both.
const MAX_KINDS: usize = 4;

/// The members of one kind that wait.
struct Company {
    shader: Shader,
    /// Parameters that all have alike.
    shared: SmallVec<[u32; 8]>,
    /// Bindings of each.
    bindings: usize,
    lanes: u32,
    blocks: SmallVec<[(u64, wgpu::Buffer); MAX_BINDINGS]>,
    counts: SmallVec<[u32; MAX_BINDINGS]>,
}

/// Those of all kinds, the longest waiting first.
#[derive(Default)]
pub struct Companies(Vec<Company>);

/// One dispatch of several members.
pub struct Together {
    pub shader: Shader,
    pub blocks: SmallVec<[(u64, wgpu::Buffer); MAX_BINDINGS]>,
    pub params: SmallVec<[u32; WORDS]>,
    pub groups: [u32; 3],
}

impl Companies {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The dispatch of those that have waited longest.
    pub fn take_first(&mut self) -> Option<Together> {
        (!self.0.is_empty()).then(|| self.0.remove(0).together())
    }

    /// A dispatch that has to come before whatever touches these blocks.
    pub fn take_with(&mut self, is_touched: impl Fn(u64) -> bool) -> Option<Together> {
        let touches = |company: &Company| company.blocks.iter().any(|(id, _)| is_touched(*id));
        let at = self.0.iter().position(touches)?;
        Some(self.0.remove(at).together())
    }

    /// Adds a member, whose blocks no other has. With the dispatch of those that need not wait any longer.
    pub fn join(&mut self, member: &Member, blocks: &[&Block], limit: usize) -> Option<Together> {
        let at = self.0.iter().position(|company| company.is_of(member));
        let at = at.unwrap_or_else(|| {
            self.0.push(Company::of(member));
            self.0.len() - 1
        });
        let company = &mut self.0[at];
        let buffers = blocks.iter().map(|b| (b.id, b.buffer.clone()));
        company.blocks.extend(buffers);
        company.counts.push(member.count);
        let has_room = company.blocks.len() + blocks.len() <= limit.min(MAX_BINDINGS)
            && company.shared.len() + company.counts.len() + OWN_WORDS < WORDS;
        if !has_room || member.count as usize > LARGE {
            Some(self.0.remove(at).together())
        } else if self.0.len() > MAX_KINDS {
            self.take_first()
        } else {
            None
        }
    }
}

impl Company {
    fn of(member: &Member) -> Company {
        Company {
            shader: member.shader.clone(),
            shared: member.shared.into(),
            bindings: member.bindings.len(),
            lanes: member.lanes.max(1),
            blocks: SmallVec::new(),
            counts: SmallVec::new(),
        }
    }

    fn is_of(&self, member: &Member) -> bool {
        self.shader == *member.shader
            && self.shared.as_slice() == member.shared
            && self.bindings == member.bindings.len()
            && self.lanes == member.lanes
    }

    fn together(self) -> Together {
        let mut shader = self.shader;
        shader.constants.push(("MEMBERS", self.counts.len() as u32));
        let elements = WORKGROUP * self.lanes as usize;
        let groups = self.counts.iter().map(|n| (*n as usize).div_ceil(elements));
        Together {
            shader,
            groups: groups_of(groups.sum()),
            blocks: self.blocks,
            params: self.shared.into_iter().chain(self.counts).collect(),
        }
    }
}

impl Driver {
    /// Adds a member to those of its kind, behind all that touches its blocks.
    pub(super) fn launch_in_company(&self, member: &Member) -> Result<()> {
        let mut stream = self.stream.lock();
        let epoch = stream.epoch();
        let mut blocks: SmallVec<[&Block; 8]> = SmallVec::new();
        for buffer in member.bindings {
            let memory = self.memory(buffer)?;
            memory.touch(epoch);
            blocks.push(memory.block());
        }
        self.launch_those_with(&mut stream, |id| blocks.iter().any(|own| own.id == id));
        self.pool.lock().hold(blocks.iter().map(|block| block.id));
        let limit = self.limits.bindings;
        if let Some(together) = stream.companies.join(member, &blocks, limit) {
            self.record_together(&mut stream, together);
        }
        Ok(())
    }

    /// Puts all that wait for company behind what is recorded.
    pub(super) fn launch_companies(&self, stream: &mut Stream) {
        while let Some(together) = stream.companies.take_first() {
            self.record_together(stream, together);
        }
    }

    /// The same for those that work on a block of these.
    pub(super) fn launch_those_with(&self, stream: &mut Stream, is_touched: impl Fn(u64) -> bool) {
        while let Some(together) = stream.companies.take_with(&is_touched) {
            self.record_together(stream, together);
        }
    }

    fn record_together(&self, stream: &mut Stream, together: Together) {
        let blocks = together.blocks.iter();
        let buffers: SmallVec<[_; 16]> = blocks.map(|(id, buffer)| (*id, buffer)).collect();
        let mut words = [0u32; WORDS];
        words[OWN_WORDS..OWN_WORDS + together.params.len()].copy_from_slice(&together.params);
        self.record(stream, &together.shader, &buffers, words, together.groups);
        let is_one = |id| together.blocks.iter().any(|(own, _)| *own == id);
        self.pool.lock().release(is_one);
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::gpu::{Gpu, Member, Shader, for_tests};
    use crate::value::DeviceBuffer;

    fn upload(gpu: &dyn Gpu, x: &[f32]) -> DeviceBuffer {
        gpu.upload(bytemuck::cast_slice(x)).unwrap()
    }

    fn download(gpu: &dyn Gpu, x: &DeviceBuffer) -> Vec<f32> {
        let bytes = gpu.download(&[x]).unwrap().remove(0);
        bytemuck::cast_slice(bytes.as_bytes()).to_vec()
    }

    /// `x -= rate * gradient`
    fn descend(gpu: &dyn Gpu, x: &DeviceBuffer, gradient: &DeviceBuffer, rate: f32) {
        gpu.launch_with_others(Member {
            shader: &Shader::file("optimizer", &[("RULE", 0), ("STATES", 1)]),
            bindings: &[x, gradient],
            shared: &[rate.to_bits(), 0, 0, 0, 0, 0, 1],
            count: (x.len_bytes() / 4) as u32,
            lanes: 1,
        })
        .unwrap();
    }

    /// Values after descents by gradients of ones, and the dispatches that these took.
    fn after(sizes: &[usize], rates: &[f32]) -> Option<(Vec<Vec<f32>>, u64)> {
        let gpu = for_tests()?;
        let all: Vec<_> = sizes
            .iter()
            .map(|n| upload(&*gpu, &vec![8.0; *n]))
            .collect();
        let before = gpu.counts().dispatches;
        for (x, rate) in all.iter().zip(rates.iter().cycle()) {
            let ones = upload(&*gpu, &vec![1.0; x.len_bytes() / 4]);
            descend(&*gpu, x, &ones, *rate);
        }
        let values = all.iter().map(|x| download(&*gpu, x)).collect();
        Some((values, gpu.counts().dispatches - before))
    }

    // The tests of one process share the device: others may launch meanwhile, so counts are those of tests/gpu.

    #[test]
    fn each_member_gets_its_own_step_whatever_its_size() {
        let sizes = [1, 255, 256, 257, 5, 1000, 3, 70_000, 2, 300_000];
        if let Some((values, dispatches)) = after(&sizes, &[2.0]) {
            assert!(dispatches >= 2);
            for (values, n) in values.iter().zip(sizes) {
                assert_eq!(values, &vec![6.0; n]);
            }
        }
    }

    #[test]
    fn steps_of_other_numbers_are_not_of_the_company() {
        if let Some((values, _)) = after(&[3, 4, 5, 6], &[1.0, 2.0]) {
            let firsts: Vec<f32> = values.iter().map(|x| x[0]).collect();
            assert_eq!(firsts, [7.0, 6.0, 7.0, 6.0]);
        }
    }

    #[test]
    fn a_step_that_reads_what_another_writes_comes_after_it() {
        let Some(gpu) = for_tests() else { return };
        let (a, b) = (upload(&*gpu, &[8.0; 5]), upload(&*gpu, &[1.0; 5]));
        descend(&*gpu, &a, &b, 1.0);
        descend(&*gpu, &b, &a, 1.0);
        descend(&*gpu, &b, &b, 0.5);
        descend(&*gpu, &a, &b, 1.0);
        let copy = gpu.copy(&a).unwrap();
        descend(&*gpu, &a, &copy, 1.0);
        assert_eq!(download(&*gpu, &b), [-3.0; 5]);
        assert_eq!(download(&*gpu, &copy), [10.0; 5]);
        assert_eq!(download(&*gpu, &a), [0.0; 5]);
    }

    #[test]
    fn memory_of_a_step_that_waits_is_not_used_again() {
        let Some(gpu) = for_tests() else { return };
        let x = upload(&*gpu, &[8.0; 50]);
        let ones = upload(&*gpu, &[1.0; 50]);
        descend(&*gpu, &x, &ones, 1.0);
        drop(ones);
        // Neither bytes of the host nor a copy may come to lie there.
        let others: Vec<_> = (0..4).map(|i| upload(&*gpu, &[i as f32; 50])).collect();
        let copies: Vec<_> = others.iter().map(|x| gpu.copy(x).unwrap()).collect();
        assert_eq!(download(&*gpu, &x), [7.0; 50]);
        for (i, copy) in copies.iter().enumerate() {
            assert_eq!(download(&*gpu, copy), [i as f32; 50]);
        }
    }
}
