//! Where a kernel stores its result: in its output, or, where the plan let a formula follow, in what the formula makes of
//! it, without a way through memory.

use smallvec::SmallVec;

use crate::backend::gpu::Shader;
use crate::backend::gpu::map::{self, End, Ending, Formula, Parts};
use crate::error::{Error, Result};
use crate::value::{DType, Shape, Value};

use super::{GpuContext, has_room};

/// Parts that one invocation adds up at most: more are dealt out among several.
const MAX_PARTS: usize = 32;

/// A formula over the result of a kernel and other operands.
pub struct Follower<'a> {
    pub formula: Formula<'a>,
    /// Nothing in the place of the kernel's result.
    pub operands: SmallVec<[Option<Value>; 6]>,
    /// Whether the formula may follow a result of this shape, and gives results of the same.
    pub fits: &'a dyn Fn(&Shape) -> bool,
}

/// What a kernel's last dispatch stores into.
pub struct Target<'a> {
    shape: Shape,
    end: Option<(Follower<'a>, Ending)>,
    /// The kernel's output, or those of the formula, as far as they were made.
    made: SmallVec<[Value; 2]>,
}

impl<'a> GpuContext<'a> {
    /// Lets a formula follow output 0, where the kernel and its shader can.
    pub fn followed_by(mut self, follower: Follower<'a>) -> Self {
        self.follower = Some(follower);
        self
    }

    /// Nothing follows: the kernel makes something else of its result first.
    pub fn follow_by_none(&mut self) {
        self.follower = None;
    }

    /// Where output 0, of type `float32` and this shape, is to be stored by a shader of so many inputs.
    pub fn target(&mut self, shape: Shape, inputs: usize) -> Target<'a> {
        self.target_of(shape, inputs, true)
    }

    /// The same for shaders that see no axes: no operand may be a vector along the last one.
    pub fn flat_target(&mut self, shape: Shape, inputs: usize) -> Target<'a> {
        self.target_of(shape, inputs, false)
    }

    fn target_of(&mut self, shape: Shape, inputs: usize, has_rows: bool) -> Target<'a> {
        let follower = self.follower.take();
        let end = follower.and_then(|f| {
            let is_held = has_room(self.gpu, DType::F32, &shape);
            if shape.num_elements() == 0 || !is_held || !(f.fits)(&shape) {
                return None;
            }
            let operands: SmallVec<[Option<&Value>; 6]> =
                f.operands.iter().map(Option::as_ref).collect();
            let ending = self.formulas.ending(f.formula, &operands, &shape)?;
            let outputs = f.formula.program.outputs.len();
            let is_bound = inputs + ending.operands.len() + outputs <= self.gpu.limits().bindings;
            drop(operands);
            (is_bound && (has_rows || !ending.has_row)).then_some((f, ending))
        });
        Target {
            shape,
            end,
            made: SmallVec::new(),
        }
    }

    /// Output 0, or what the formula made of it.
    pub fn set_target(&mut self, target: Target) -> Result<()> {
        match target.end {
            Some(_) => self.followed = Some(target.made),
            None => {
                let made = target.made.into_iter().next();
                let made = made.ok_or_else(|| Error::internal("a result was not launched into"))?;
                self.set_output(0, made);
            }
        }
        Ok(())
    }
}

impl Target<'_> {
    /// One that nothing follows.
    pub fn plain(shape: Shape) -> Self {
        Target {
            shape,
            end: None,
            made: SmallVec::new(),
        }
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// One dispatch of a shader that includes `lib/end.wgsl`, whose outputs are bound behind `inputs`. Several may store
    /// parts of one target.
    pub fn launch(
        &mut self,
        c: &GpuContext,
        shader: Shader,
        inputs: &[&Value],
        params: &[u32],
        groups: [u32; 3],
    ) -> Result<()> {
        let outputs = match &self.end {
            Some((follower, _)) => follower.formula.program.outputs.len(),
            None => 1,
        };
        self.make(c, outputs)?;
        let mut bindings: SmallVec<[&Value; 8]> = SmallVec::from_slice(inputs);
        let mut params: SmallVec<[u32; 30]> = SmallVec::from_slice(params);
        let mut shader = shader;
        if let Some((_, ending)) = &self.end {
            bindings.extend(&ending.operands);
            params.extend(ending.words.iter().copied());
            shader = shader.ending_in(ending.text.clone());
        }
        bindings.extend(&self.made);
        c.launch(&shader, &bindings, &params, groups)
    }

    fn make(&mut self, c: &GpuContext, outputs: usize) -> Result<()> {
        while self.made.len() < outputs {
            let output = c.allocate_as(DType::F32, self.shape.clone())?;
            self.made.push(output);
        }
        Ok(())
    }

    /// Adds up `all` [outer, parts, inner] on the way into the formula; `false` when there is none that does.
    pub fn follow_parts(
        &mut self,
        c: &GpuContext,
        all: &Value,
        [parts, inner]: [usize; 2],
    ) -> Result<bool> {
        let Some((follower, _)) = &self.end else {
            return Ok(false);
        };
        if parts > MAX_PARTS {
            return Ok(false);
        }
        let operands = follower.operands.iter();
        let operands: SmallVec<[&Value; 6]> = operands.map(|o| o.as_ref().unwrap_or(all)).collect();
        let place = follower.operands.iter().position(Option::is_none);
        let parts = place.map(|input| Parts {
            input,
            parts,
            inner,
        });
        let formula = follower.formula;
        let ends = vec![End::Value; formula.program.outputs.len()];
        let made = map::run_over(
            c.gpu,
            c.formulas,
            formula,
            &operands,
            parts,
            &self.shape,
            &ends,
        )?;
        let is_done = made.is_some();
        self.made = made.unwrap_or_default();
        Ok(is_done)
    }

    /// The output without its formula, which is then computed after the kernel.
    pub fn output(&mut self, c: &GpuContext) -> Result<&Value> {
        self.end = None;
        self.make(c, 1)?;
        Ok(&self.made[0])
    }
}
