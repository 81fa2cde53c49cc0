//! Biases and normalizations on GPUs. Moments are taken in two passes, each a fold in a fixed order.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, words};
use crate::ops::layout::Layout;
use crate::ops::reduce::gpu::{Fold, Lanes, fold_into, fold_into_target};
use crate::value::{DType, Shape, Value};

/// An image seen as [outer, channels, inner].
#[derive(Clone, Copy)]
struct Channels {
    outer: usize,
    channels: usize,
    inner: usize,
}

impl Channels {
    /// `None` for nothing, and for too few axes.
    fn of(shape: &Shape, layout: Layout) -> Option<Channels> {
        let rank = shape.rank();
        if rank < 2 + usize::from(layout.is_channels_first()) || shape.num_elements() == 0 {
            return None;
        }
        let axis = layout.channel_axis(rank);
        let product = |dims: &[i64]| dims.iter().map(|d| *d as usize).product();
        Some(Channels {
            outer: product(&shape.dims()[..axis]),
            channels: shape.dim(axis),
            inner: product(&shape.dims()[axis + 1..]),
        })
    }

    fn positions(self) -> usize {
        self.outer * self.inner
    }

    fn count(self) -> usize {
        self.positions() * self.channels
    }

    /// Sums (or means) of x by channel into `to`.
    fn fold(self, c: &GpuContext, x: &Value, fold: Fold, to: &Value) -> Result<()> {
        let Channels {
            outer,
            channels,
            inner,
        } = self;
        let all = self.positions();
        if inner == 1 {
            return fold_into(c, x, [1, outer, channels], fold, all, to);
        }
        if outer == 1 {
            return fold_into(c, x, [channels, inner, 1], fold, all, to);
        }
        let rows = c.allocate_as(x.dtype(), Shape::new(&[outer as i64, channels as i64])?)?;
        fold_into(c, x, [outer * channels, inner, 1], Fold::Sum, 1, &rows)?;
        fold_into(c, &rows, [1, outer, channels], fold, all, to)
    }

    /// What `shaders/channel_sums.wgsl` sums, in chunks: [sums, chunks, channels].
    fn sums(
        self,
        c: &GpuContext,
        x: &Value,
        mean: &Value,
        dy: Option<&Value>,
    ) -> Result<(Value, usize)> {
        let Channels {
            channels, inner, ..
        } = self;
        let positions = self.positions();
        let (is_vec, _) = self.by_fours();
        let width = if is_vec == 1 { 4 } else { 1 };
        let own = channels / width;
        let lanes = Lanes::of(positions, if inner == 1 { own.max(2) } else { 1 });
        let chunks = lanes.chunks(positions, own);
        let sums = 1 + i64::from(dy.is_some());
        let to = c.allocate_as(
            DType::F32,
            Shape::new(&[sums, chunks as i64, channels as i64])?,
        )?;
        let [first, last] = lanes.constants();
        let gradient = ("GRADIENT", u32::from(dy.is_some()));
        let constants = [gradient, ("TREE_VEC", is_vec), first, last];
        let mut bindings = vec![x, mean];
        bindings.extend(dy);
        bindings.push(&to);
        let chunk = positions.div_ceil(chunks);
        let params = words([positions, own, inner, chunks, chunk])?;
        let groups = lanes.groups(chunks * own);
        c.launch(
            &Shader::file("channel_sums", &constants),
            &bindings,
            &params,
            groups,
        )?;
        Ok((to, chunks))
    }

    /// What `shaders/channel_moments.wgsl` makes of those chunks.
    fn moments(
        self,
        c: &GpuContext,
        is_gradient: bool,
        bindings: &[&Value],
        chunks: usize,
        epsilon: u32,
    ) -> Result<()> {
        let mut lanes = Lanes::of(chunks, self.channels.max(2));
        // What is short is summed by few.
        lanes.lanes = lanes.lanes.min(chunks.next_power_of_two());
        let [lane, strided] = lanes.constants();
        let constants = [("GRADIENT", u32::from(is_gradient)), lane, strided];
        let mut params = words([self.channels, chunks, self.positions()])?.to_vec();
        params.push(epsilon);
        let shader = Shader::file("channel_moments", &constants);
        c.launch(&shader, bindings, &params, lanes.groups(self.channels))
    }

    /// Whether elementwise shaders take four elements an invocation, as a constant, and their workgroups.
    fn by_fours(self) -> (u32, [u32; 3]) {
        match self.inner == 1 && self.channels.is_multiple_of(4) {
            true => (1, groups_for(self.count() / 4)),
            false => (0, groups_for(self.count())),
        }
    }
}

pub(super) fn bias_add(c: &mut GpuContext) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let shape = c.shape(0)?.clone();
    let view = Channels::of(&shape, layout);
    let (Some(view), DType::F32) = (view, c.dtype(0)?) else {
        return c.leave_to_host();
    };
    if c.shape(1)?.dims() != [view.channels as i64] {
        return c.leave_to_host();
    }
    let (x, bias) = (c.input(0)?, c.input(1)?);
    let y = c.allocate(0, shape)?;
    let params = words([view.count(), view.channels, view.inner])?;
    let shader = Shader::file("bias_add", &[]);
    c.launch(&shader, &[&x, &bias, &y], &params, groups_for(view.count()))?;
    c.set_output(0, y);
    Ok(())
}

pub(super) fn bias_add_gradient(c: &mut GpuContext) -> Result<()> {
    let view = Channels::of(c.shape(0)?, Layout::of(c.attrs())?);
    let (Some(view), DType::F32 | DType::I32) = (view, c.dtype(0)?) else {
        return c.leave_to_host();
    };
    let x = c.input(0)?;
    let shape = Shape::new(&[view.channels as i64])?;
    if view.inner == 1 && x.dtype() == DType::F32 {
        let mut y = c.target(shape, 1);
        let sizes = [1, view.outer, view.channels];
        fold_into_target(c, &x, sizes, Fold::Sum, 1, &mut y)?;
        return c.set_target(y);
    }
    let y = c.allocate(0, shape)?;
    view.fold(c, &x, Fold::Sum, &y)?;
    c.set_output(0, y);
    Ok(())
}

/// The image's view, when it and all of the vectors at `vectors` are float32 and of sizes that fit.
fn fitting(c: &GpuContext, image: usize, vectors: &[usize]) -> Result<Option<Channels>> {
    let shape = c.shape(image)?;
    let Some(view) = Channels::of(shape, Layout::of(c.attrs())?) else {
        return Ok(None);
    };
    let mut fits = shape.rank() == 4 && c.dtype(image)? == DType::F32;
    for i in vectors {
        fits &= c.shape(*i)?.dims() == [view.channels as i64];
    }
    Ok(fits.then_some(view))
}

pub(super) fn batch_norm(c: &mut GpuContext) -> Result<()> {
    let is_training = c.attrs().bool("is_training")?;
    let epsilon = c.attrs().float("epsilon")?.to_bits();
    let vectors: &[usize] = if is_training { &[1, 2] } else { &[1, 2, 3, 4] };
    let Some(view) = fitting(c, 0, vectors)? else {
        return c.leave_to_host();
    };
    let shape = c.shape(0)?.clone();
    let (x, scale, offset) = (c.input(0)?, c.input(1)?, c.input(2)?);
    let [mean, variance, unbiased] = if is_training {
        let vector = || c.allocate_as(DType::F32, Shape::new(&[view.channels as i64])?);
        let made = [vector()?, vector()?, vector()?];
        view.fold(c, &x, Fold::Mean, &made[0])?;
        let (sums, chunks) = view.sums(c, &x, &made[0], None)?;
        // The running variance is the unbiased one; the gradient needs the other.
        let bindings = [&sums, &made[1], &made[2]];
        view.moments(c, false, &bindings, chunks, epsilon)?;
        made
    } else {
        let (mean, variance) = (c.input(3)?, c.input(4)?);
        [mean, variance.clone(), variance]
    };
    if view.inner > 1 {
        c.follow_by_none();
    }
    let mut y = c.target(shape, 5);
    let mut params = words([view.count(), view.channels, view.inner])?.to_vec();
    params.push(epsilon);
    let inputs = [&x, &scale, &offset, &mean, &variance];
    let (is_vec, groups) = view.by_fours();
    let shader = Shader::file("batch_norm", &[("C_VEC", is_vec)]);
    y.launch(c, shader, &inputs, &params, groups)?;
    c.set_target(y)?;
    c.set_output(1, mean.clone());
    c.set_output(2, unbiased);
    c.set_output(3, mean);
    c.set_output(4, variance);
    if c.num_outputs() > 5 {
        let none = c.upload(&Value::scalar(0.0f32)?)?;
        c.set_output(5, none);
    }
    Ok(())
}

pub(super) fn batch_norm_gradient(c: &mut GpuContext) -> Result<()> {
    let is_training = c.attrs().bool("is_training")?;
    let epsilon = c.attrs().float("epsilon")?.to_bits();
    let Some(view) = fitting(c, 1, &[2, 3, 4])? else {
        return c.leave_to_host();
    };
    let shape = c.shape(1)?.clone();
    if c.shape(0)? != &shape {
        return c.leave_to_host();
    }
    let [dy, x, scale, mean, variance] = [
        c.input(0)?,
        c.input(1)?,
        c.input(2)?,
        c.input(3)?,
        c.input(4)?,
    ];
    let channels = view.channels as i64;
    let (parts, chunks) = view.sums(c, &x, &mean, Some(&dy))?;
    let sums = c.allocate_as(DType::F32, Shape::new(&[2, channels])?)?;
    let vector = || c.allocate_as(DType::F32, Shape::new(&[channels])?);
    let (d_scale, d_offset) = (vector()?, vector()?);
    let bindings = [&parts, &variance, &sums, &d_scale, &d_offset];
    view.moments(c, true, &bindings, chunks, epsilon)?;
    let dx = c.allocate(0, shape)?;
    let share = if is_training {
        1.0 / view.positions() as f32
    } else {
        0.0
    };
    let mut params = words([view.count(), view.channels, view.inner])?.to_vec();
    params.extend([epsilon, share.to_bits()]);
    let bindings = [&dy, &x, &scale, &mean, &variance, &sums, &dx];
    let (is_vec, groups) = view.by_fours();
    let shader = Shader::file("batch_norm_gradient", &[("C_VEC", is_vec)]);
    c.launch(&shader, &bindings, &params, groups)?;
    let none = c.upload(&Value::scalar(0.0f32)?)?;
    c.set_output(0, dx);
    c.set_output(1, d_scale);
    c.set_output(2, d_offset);
    c.set_output(3, none.clone());
    c.set_output(4, none);
    Ok(())
}

/// Local response normalization, or its gradient.
pub(super) fn response(c: &mut GpuContext, is_gradient: bool) -> Result<()> {
    let image = usize::from(is_gradient);
    let shape = c.shape(image)?.clone();
    let radius = u32::try_from(c.attrs().int("depth_radius")?);
    let is_known = c.dtype(image)? == DType::F32 && shape.rank() == 4 && shape.num_elements() > 0;
    let mut agree = true;
    for i in 0..c.num_inputs() {
        agree &= c.shape(i)? == &shape;
    }
    let (Ok(radius), true) = (radius, is_known && agree) else {
        return c.leave_to_host();
    };
    let operands = (0..c.num_inputs())
        .map(|i| c.input(i))
        .collect::<Result<Vec<_>>>()?;
    let (count, channels) = (shape.num_elements(), shape.dim(3));
    let to = c.allocate(0, shape)?;
    let mut params = words([count, channels])?.to_vec();
    params.push(radius);
    for name in ["bias", "alpha", "beta"] {
        params.push(c.attrs().float(name)?.to_bits());
    }
    let mut bindings: Vec<&Value> = operands.iter().collect();
    bindings.push(&to);
    let shader = Shader::file("lrn", &[("GRADIENT", u32::from(is_gradient))]);
    c.launch(&shader, &bindings, &params, groups_for(count))?;
    c.set_output(0, to);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};

    #[test]
    fn biases_agree_with_the_cpus() {
        agrees_on_gpu("BiasAdd", &[floats_of(&[5, 7]), floats_of(&[7])], &[], 0.0);
        let first = attrs(&[("data_format", "NCHW".into())]);
        agrees_on_gpu(
            "BiasAdd",
            &[floats_of(&[2, 3, 4, 5]), floats_of(&[3])],
            &first,
            0.0,
        );
        for dims in [[2, 30, 4, 5], [1, 3, 40, 5], [9, 70, 1, 1]] {
            agrees_on_gpu("BiasAddGrad", &[floats_of(&dims)], &[], 1e-5);
            agrees_on_gpu("BiasAddGrad", &[floats_of(&dims)], &first, 1e-5);
        }
    }

    #[test]
    fn batch_normalization_agrees_with_the_cpus() {
        for (format, dims) in [("NHWC", [3, 8, 9, 6]), ("NCHW", [3, 6, 8, 9])] {
            for training in [true, false] {
                let given = attrs(&[
                    ("is_training", training.into()),
                    ("data_format", format.into()),
                ]);
                let six = || floats_of(&[6]);
                let positive = crate::ops::testing::floats(&[6], &[0.5, 1.0, 2.0, 0.1, 3.0, 0.7]);
                let inputs = [floats_of(&dims), six(), six(), six(), positive.clone()];
                agrees_on_gpu("FusedBatchNormV3", &inputs, &given, 1e-4);
                let inputs = [floats_of(&dims), floats_of(&dims), six(), six(), positive];
                agrees_on_gpu("FusedBatchNormGrad", &inputs, &given, 1e-4);
            }
        }
    }

    #[test]
    fn responses_agree_with_the_cpus() {
        let given = attrs(&[
            ("depth_radius", 2i64.into()),
            ("alpha", 0.3f32.into()),
            ("beta", 0.75f32.into()),
        ]);
        let x = || floats_of(&[2, 3, 4, 9]);
        agrees_on_gpu("LRN", &[x()], &given, 1e-5);
        agrees_on_gpu("LRNGrad", &[x(), x(), x()], &given, 1e-4);
    }
}
