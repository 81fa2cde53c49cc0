//! What GPU kernels see: inputs on the device (or on the host, where the op's entry says so), attributes, and launches.

mod target;

use std::cell::Cell;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::backend::gpu::map::{self, End, Formula, Formulas};
use crate::backend::gpu::{Check, Gpu, Launch, Member, Shader, allocate};
use crate::ensure;
use crate::error::{Error, Result};
use crate::expr::{Expr, Program};
use crate::graph::{Attrs, Node, NodeId};
use crate::value::{DType, DeviceBuffer, Shape, Value, bytes_for};

use super::kernel::{SessionState, Slot, value_at, variable_at};
use super::resource::{Variable, WritingOnDevice};

pub use target::{Follower, Target};

/// Launches what computes a node's outputs. It must set each of them, or leave the node to the host.
pub type GpuKernel = fn(&mut GpuContext) -> Result<()>;

/// Element types that shaders know.
pub fn is_known_to_shaders(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::F32 | DType::I32 | DType::I64 | DType::Bool | DType::U8
    )
}

/// Whether input `i` is one of those that a kernel reads on the host.
pub fn is_on_host(host_inputs: u32, i: usize) -> bool {
    i < 32 && host_inputs >> i & 1 == 1
}

/// Whether a node whose inputs have these types may run on a GPU.
pub fn runs_on_gpu(node: &Node, inputs: &[DType]) -> bool {
    let Some(entry) = super::find(node.op()) else {
        return false;
    };
    let is_elementwise = matches!(entry.run, super::Run::Map(_) | super::Run::MapWith(_));
    if !is_elementwise && entry.gpu.is_none() {
        return false;
    }
    let mut inputs = inputs.iter().enumerate();
    inputs.all(|(i, d)| {
        is_on_host(entry.host_inputs, i) || *d == DType::Resource || is_known_to_shaders(*d)
    }) && node.outputs.iter().all(|o| is_known_to_shaders(o.dtype))
}

/// One node, about to run on a GPU.
pub struct GpuContext<'a> {
    pub id: NodeId,
    pub node: &'a Node,
    pub session: &'a dyn SessionState,
    pub gpu: &'a dyn Gpu,
    formulas: &'a Formulas,
    inputs: &'a mut [Slot],
    outputs: SmallVec<[Slot; 2]>,
    is_left: bool,
    /// What is to be made of output 0, and what was.
    follower: Option<Follower<'a>>,
    followed: Option<SmallVec<[Value; 2]>>,
    /// Something did not fit into one buffer.
    is_too_large: Cell<bool>,
}

impl<'a> GpuContext<'a> {
    /// `inputs` holds one slot for each data input, as for kernels of the CPU.
    pub fn new(
        id: NodeId,
        node: &'a Node,
        inputs: &'a mut [Slot],
        session: &'a dyn SessionState,
        gpu: &'a dyn Gpu,
        formulas: &'a Formulas,
    ) -> Self {
        GpuContext {
            id,
            node,
            session,
            gpu,
            formulas,
            outputs: (0..node.outputs.len()).map(|_| Slot::Empty).collect(),
            inputs,
            is_left: false,
            follower: None,
            followed: None,
            is_too_large: Cell::new(false),
        }
    }

    /// The outputs; `None` when the kernel left the node to the host.
    pub fn into_outputs(self) -> Option<SmallVec<[Slot; 2]>> {
        (!self.is_left).then_some(self.outputs)
    }

    /// The results of the formula that was to follow output 0, where the kernel computed it.
    pub fn take_followed(&mut self) -> Option<SmallVec<[Value; 2]>> {
        self.followed.take()
    }

    /// Says that the CPU's kernel is to compute this node: a form that no shader has. Nothing may have been launched.
    pub fn leave_to_host(&mut self) -> Result<()> {
        self.is_left = true;
        Ok(())
    }

    /// Whether the kernel failed because something does not fit into one buffer of the GPU: the host has room for it.
    pub fn is_too_large(&self) -> bool {
        self.is_too_large.get() && self.inputs.iter().all(|slot| !matches!(slot, Slot::Empty))
    }

    fn expect_to_fit(&self, dtype: DType, shape: &Shape) {
        if !has_room(self.gpu, dtype, shape) {
            self.is_too_large.set(true);
        }
    }

    pub fn attrs(&self) -> &'a Attrs {
        &self.node.attrs
    }

    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    pub fn num_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Input `i`, wherever it lies.
    pub fn any_input(&self, i: usize) -> Result<&Value> {
        value_at(self.inputs, i, self.node)
    }

    /// Input `i` on the device.
    pub fn input(&mut self, i: usize) -> Result<Value> {
        let value = self.any_input(i)?;
        if value.is_on_device() {
            return Ok(value.clone());
        }
        let there = self.upload(value)?;
        if let Some(Slot::Value(value)) = self.inputs.get_mut(i) {
            *value = there.clone();
        }
        Ok(there)
    }

    /// Input `i` on the host. Where it was computed on the device, the run waits for it.
    pub fn host_input(&self, i: usize) -> Result<Value> {
        match self.inputs.get(i) {
            Some(Slot::Read(value, variable)) if value.is_on_device() => {
                // The variable may have been written since it was read: what is known of it on the host may be old.
                let _guard = variable.value.read();
                value.deep_copy()
            }
            _ => self.any_input(i)?.to_host(),
        }
    }

    /// The elements of integer vector (or scalar) input `i`, widened.
    pub fn ints_input(&self, i: usize) -> Result<Vec<i64>> {
        self.host_input(i)?.ints()
    }

    pub fn dtype(&self, i: usize) -> Result<DType> {
        Ok(self.any_input(i)?.dtype())
    }

    pub fn shape(&self, i: usize) -> Result<&Shape> {
        Ok(self.any_input(i)?.shape())
    }

    /// Input `i`, given up by its context: when it is `is_unique`, its memory may hold the result.
    pub fn take_input(&mut self, i: usize) -> Result<Value> {
        let value = self.input(i)?;
        if let Some(slot @ Slot::Value(_)) = self.inputs.get_mut(i) {
            *slot = Slot::Empty;
        }
        Ok(value)
    }

    /// Memory for a result of this type and shape.
    pub fn allocate_as(&self, dtype: DType, shape: Shape) -> Result<Value> {
        self.expect_to_fit(dtype, &shape);
        allocate(self.gpu, dtype, shape)
    }

    /// Memory for output `i`, to be launched into and then set.
    pub fn allocate(&self, i: usize, shape: Shape) -> Result<Value> {
        self.allocate_as(self.node.outputs[i].dtype, shape)
    }

    /// A host value in the memory of the device: tables that a kernel makes for its shader.
    pub fn upload(&self, value: &Value) -> Result<Value> {
        self.expect_to_fit(value.dtype(), value.shape());
        to_device(self.gpu, value)
    }

    /// Output `i`. What was read back of its memory before counts no more: a kernel may have written over an operand.
    pub fn set_output(&mut self, i: usize, value: Value) {
        self.outputs[i] = Slot::Value(value.written());
    }

    /// Output `i` is a reference to `variable`.
    pub fn set_output_ref(&mut self, i: usize, variable: Arc<Variable>) {
        self.outputs[i] = Slot::Ref(variable);
    }

    /// The variable that input `i` refers to: by reference, or by a resource handle.
    pub fn variable(&self, i: usize) -> Result<Arc<Variable>> {
        variable_at(self.inputs, i, self.node)
    }

    /// A variable's content on the device, locked for writing: behind a reference in place, behind a handle in memory
    /// that nobody else sees.
    pub fn update<'v>(
        &self,
        variable: &'v Variable,
        in_place: bool,
    ) -> Result<WritingOnDevice<'v>> {
        variable.write_on_device(
            in_place,
            |value| self.upload(value),
            |value| copy(self.gpu, value),
        )
    }

    /// One dispatch over values on the device, bound in this order.
    pub fn launch(
        &self,
        shader: &Shader,
        bindings: &[&Value],
        params: &[u32],
        groups: [u32; 3],
    ) -> Result<()> {
        launch(self.gpu, shader, bindings, params, groups, None)
    }

    /// A step over `count` elements, one an invocation, that may share a dispatch with others of its kind: see
    /// [`Member`].
    pub fn launch_with_others(
        &self,
        shader: &Shader,
        bindings: &[&Value],
        shared: &[u32],
        count: usize,
    ) -> Result<()> {
        let [count] = words([count])?;
        self.gpu.launch_with_others(Member {
            shader,
            bindings: &buffers_of(bindings)?,
            shared,
            count,
            lanes: 1,
        })
    }

    /// Computes a formula over values on the device (or scalars on the host), which broadcast to `shape`. With `over`
    /// the result is written over the operand of that number, which has its shape: a step that may share a dispatch with
    /// others of its kind.
    pub fn map(
        &self,
        formula: fn(&[Expr]) -> Expr,
        operands: &[&Value],
        shape: &Shape,
        over: Option<usize>,
    ) -> Result<Value> {
        let types: SmallVec<[DType; 4]> = operands.iter().map(|v| v.dtype()).collect();
        let program = Program::of(&formula(&Expr::inputs(types.len())), &types)?;
        let formula = Formula {
            program: &program,
            // Numbers of the plan's own programs are addresses, which are even.
            number: (self.id as usize) << 1 | 1,
            node: &self.node.name,
        };
        for output in &program.outputs {
            self.expect_to_fit(program.dtype_of(*output), shape);
        }
        if let Some(k) = over
            && map::run_with_others(self.gpu, self.formulas, formula, operands, shape, &[k])?
        {
            return Ok(operands[k].clone().written());
        }
        let end = over.map_or(End::Value, End::Over);
        let made = map::run(self.gpu, self.formulas, formula, operands, shape, &[end])?;
        made.and_then(|mut made| made.pop()).ok_or_else(|| {
            Error::unimplemented(format!(
                "no shader computes {} of {types:?}",
                self.node.op()
            ))
        })
    }

    /// A dispatch that may find something wrong; `check` makes the error of what it noted.
    pub fn launch_checked(
        &self,
        shader: &Shader,
        bindings: &[&Value],
        params: &[u32],
        groups: [u32; 3],
        check: impl FnOnce([u32; 3]) -> Error + Send + 'static,
    ) -> Result<()> {
        let name = self.node.name.to_string();
        let check: Check = Box::new(move |found| check(found).at(&*name));
        launch(self.gpu, shader, bindings, params, groups, Some(check))
    }
}

/// Sizes as parameters of a shader.
pub fn words<const N: usize>(sizes: [usize; N]) -> Result<[u32; N]> {
    let mut words = [0; N];
    for (word, size) in words.iter_mut().zip(sizes) {
        *word = u32::try_from(size).map_err(|_| {
            Error::exhausted(format!(
                "a size of {size} is beyond what a GPU computes with"
            ))
        })?;
    }
    Ok(words)
}

/// One dispatch over values on the device. Nothing is launched for no workgroups.
pub fn launch(
    gpu: &dyn Gpu,
    shader: &Shader,
    bindings: &[&Value],
    params: &[u32],
    groups: [u32; 3],
    check: Option<Check>,
) -> Result<()> {
    if groups.contains(&0) {
        return Ok(());
    }
    gpu.launch(Launch {
        shader,
        bindings: &buffers_of(bindings)?,
        params,
        groups,
        check,
    })
}

fn buffers_of<'v>(bindings: &[&'v Value]) -> Result<SmallVec<[&'v DeviceBuffer; 8]>> {
    let mut buffers = SmallVec::new();
    for (i, value) in bindings.iter().enumerate() {
        let buffer = value.device_buffer();
        let buffer =
            buffer.ok_or_else(|| Error::internal(format!("binding {i} is not on the device")))?;
        ensure!(
            buffer.memory().is_some(),
            internal,
            "binding {i} of a shader has no bytes"
        );
        buffers.push(buffer);
    }
    Ok(buffers)
}

/// Whether one buffer of the GPU can hold a value.
pub fn has_room(gpu: &dyn Gpu, dtype: DType, shape: &Shape) -> bool {
    bytes_for(dtype, shape).is_ok_and(|bytes| bytes <= gpu.limits().buffer_bytes)
}

/// The value in the memory of the device.
pub fn to_device(gpu: &dyn Gpu, value: &Value) -> Result<Value> {
    if value.is_on_device() {
        return Ok(value.clone());
    }
    let bytes = value.bytes()?;
    let mut there = gpu.upload(bytes)?;
    if let Some(host) = value.buffer() {
        there = there.with_host(host.clone());
    }
    Value::on_device(value.dtype(), value.shape().clone(), there)
}

/// A copy on the device that shares nothing.
pub fn copy(gpu: &dyn Gpu, value: &Value) -> Result<Value> {
    match value.device_buffer() {
        Some(buffer) => Value::on_device(value.dtype(), value.shape().clone(), gpu.copy(buffer)?),
        None => to_device(gpu, value),
    }
}
