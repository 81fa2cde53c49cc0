//! What an op is: one entry holds its signature, shapes, gradient and how it runs.

use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::graph::{Attrs, OpDef, ShapeFn};

use super::gpu::GpuKernel;
use super::gradient::GradientFn;
use super::kernel::Kernel;

/// How `tf.gradients` passes an op.
#[derive(Clone, Copy)]
pub enum Gradient {
    /// No gradient is registered: reaching the op is a LookupError.
    Missing,
    /// The walk stops here.
    Stop,
    Function(GradientFn),
}

/// How an op runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Known (graphs that hold it can be built, read and written), but there is no kernel yet.
    None,
    /// Elementwise: one formula for the CPU's fused loops and for WGSL. Operands broadcast.
    Map(fn(&[Expr]) -> Expr),
    /// Elementwise, with a formula that depends on attributes.
    MapWith(fn(&[Expr], &Attrs) -> Result<Expr>),
    /// No data moves: the output shares the memory of an input.
    View(Kernel),
    /// Loops of its own on the CPU; on a GPU the entry's `gpu`.
    Kernel(Kernel),
    /// Strings, files, queues, variables, shapes: always on the host.
    Host(Kernel),
    /// Handled by the executor itself: Switch, Merge, Enter, Exit, NextIteration, LoopCond.
    ControlFlow,
}

const MAX_ATTRS: usize = 16;

/// An entry of the registry; entries stand in const tables, one table a family.
#[derive(Clone, Copy)]
pub struct Op {
    pub name: &'static str,
    signature: &'static str,
    attrs: [&'static str; MAX_ATTRS],
    attr_count: usize,
    shape: Option<ShapeFn>,
    pub gradient: Gradient,
    pub run: Run,
    /// How it runs on a GPU; ops with formulas need none.
    pub gpu: Option<GpuKernel>,
    /// Inputs that its GPU kernel reads on the host, one bit each: shapes, axes, sizes.
    pub host_inputs: u32,
    /// Whether its GPU kernel lets a formula follow output 0 (`GpuContext::target`).
    pub ends: bool,
    pub is_stateful: bool,
    pub allows_uninitialized_input: bool,
}

impl Op {
    /// An op by TensorFlow's name and signature: `Op::new("Softsign", "features: T -> activations: T")`.
    pub const fn new(name: &'static str, signature: &'static str) -> Op {
        Op {
            name,
            signature,
            attrs: [""; MAX_ATTRS],
            attr_count: 0,
            shape: None,
            gradient: Gradient::Missing,
            run: Run::None,
            gpu: None,
            host_inputs: 0,
            ends: false,
            is_stateful: false,
            allows_uninitialized_input: false,
        }
    }

    /// An attribute in TensorFlow's notation: `"T: {half, float} = DT_FLOAT"`.
    pub const fn attr(mut self, text: &'static str) -> Op {
        self.attrs[self.attr_count] = text;
        self.attr_count += 1;
        self
    }

    pub const fn shape(mut self, infer: ShapeFn) -> Op {
        self.shape = Some(infer);
        self
    }

    pub const fn grad(mut self, gradient: GradientFn) -> Op {
        self.gradient = Gradient::Function(gradient);
        self
    }

    /// `tf.gradients` stops here and takes the gradient to be none (`NotDifferentiable`).
    pub const fn no_grad(mut self) -> Op {
        self.gradient = Gradient::Stop;
        self
    }

    pub const fn map(mut self, formula: fn(&[Expr]) -> Expr) -> Op {
        self.run = Run::Map(formula);
        self
    }

    pub const fn map_with(mut self, formula: fn(&[Expr], &Attrs) -> Result<Expr>) -> Op {
        self.run = Run::MapWith(formula);
        self
    }

    pub const fn view(mut self, kernel: Kernel) -> Op {
        self.run = Run::View(kernel);
        self
    }

    pub const fn kernel(mut self, kernel: Kernel) -> Op {
        self.run = Run::Kernel(kernel);
        self
    }

    /// The op's kernel on a GPU, beside the one of the CPU.
    pub const fn gpu(mut self, kernel: GpuKernel) -> Op {
        self.gpu = Some(kernel);
        self
    }

    /// The GPU kernel stores output 0 through a target, so that a formula may follow.
    pub const fn ends(mut self) -> Op {
        self.ends = true;
        self
    }

    /// Inputs that the GPU kernel wants on the host.
    pub const fn on_host(mut self, inputs: &[u32]) -> Op {
        let mut i = 0;
        while i < inputs.len() {
            self.host_inputs |= 1 << inputs[i];
            i += 1;
        }
        self
    }

    pub const fn host(mut self, kernel: Kernel) -> Op {
        self.run = Run::Host(kernel);
        self
    }

    pub const fn control_flow(mut self) -> Op {
        self.run = Run::ControlFlow;
        self
    }

    pub const fn stateful(mut self) -> Op {
        self.is_stateful = true;
        self
    }

    pub const fn allows_uninitialized_input(mut self) -> Op {
        self.allows_uninitialized_input = true;
        self
    }

    /// The parsed definition.
    pub(super) fn parse(&self) -> Result<OpDef> {
        let mut def = OpDef::parse(self.name, self.signature, &self.attrs[..self.attr_count])
            .map_err(|e| {
                Error::internal(format!("registration of {}: {}", self.name, e.message))
            })?;
        def.shape = self.shape;
        def.is_stateful = self.is_stateful;
        def.allows_uninitialized_input = self.allows_uninitialized_input;
        Ok(def)
    }
}
