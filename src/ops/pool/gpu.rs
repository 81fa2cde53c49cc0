//! Pools of images on GPUs. Images with channels first are seen as more images of one channel. Pools over channels and
//! other types are left to the host.

use crate::backend::cpu::window::{Padding, Window};
use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, words};
use crate::ops::layout::Layout;
use crate::value::{DType, Shape, Value};

/// Most places that one invocation looks at: drivers in software end loops that go on for long.
const MOST: usize = 1 << 15;

/// Windows over the height and the width of images of `shape`, which the shader sees with so many channels at the end.
struct Pool {
    shape: Shape,
    channels: usize,
    rows: Window,
    cols: Window,
    out: Shape,
}

impl Pool {
    /// `None`: left to the host, which says what is wrong.
    fn of(c: &GpuContext, shape: &Shape) -> Result<Option<Pool>> {
        let attrs = c.attrs();
        let (sizes, strides) = (attrs.ints("ksize")?, attrs.ints("strides")?);
        let layout = Layout::of(attrs)?;
        let channel_axis = layout.channel_axis(4);
        let is_plain = |all: &[i64]| {
            let is_positive = all.iter().all(|n| *n > 0);
            all.len() == 4 && all[0] == 1 && all[channel_axis] == 1 && is_positive
        };
        if c.node.outputs[0].dtype != DType::F32
            || shape.rank() != 4
            || shape.num_elements() == 0
            || !is_plain(sizes)
            || !is_plain(strides)
        {
            return Ok(None);
        }
        let padding = match attrs.str("padding")? {
            "SAME" => Padding::Same,
            _ => Padding::Valid,
        };
        let window = |axis: usize| {
            let (size, stride) = (sizes[axis] as usize, strides[axis] as usize);
            Window::new(shape.dim(axis), size, stride, 1, padding)
        };
        let [y, x] = [0, 1].map(|i| layout.spatial_axis(i));
        let (Ok(rows), Ok(cols)) = (window(y), window(x)) else {
            return Ok(None);
        };
        let mut dims = shape.dims().to_vec();
        (dims[y], dims[x]) = (rows.output as i64, cols.output as i64);
        let out = Shape::new(&dims)?;
        if rows.size.saturating_mul(cols.size) > MOST {
            return Ok(None);
        }
        let is_first = layout.is_channels_first();
        Ok((out.num_elements() > 0).then(|| Pool {
            shape: shape.clone(),
            channels: if is_first { 1 } else { shape.dim(3) },
            rows,
            cols,
            out,
        }))
    }

    /// The parameters of `shaders/pool.wgsl` for `count` elements.
    fn params(&self, count: usize) -> Result<Vec<u32>> {
        let (y, x) = (&self.rows, &self.cols);
        let mut params = words([count, y.input, x.input, self.channels])?.to_vec();
        params.extend(words([y.output, x.output, y.size, x.size])?);
        params.extend(words([y.stride, x.stride, y.before, x.before])?);
        Ok(params)
    }
}

pub(super) fn pool(c: &mut GpuContext, is_average: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    let x = c.input(0)?;
    let y = c.allocate(0, p.out.clone())?;
    let count = y.num_elements();
    let shader = Shader::file("pool", &[("AVERAGE", u32::from(is_average))]);
    c.launch(&shader, &[&x, &y], &p.params(count)?, groups_for(count))?;
    c.set_output(0, y);
    Ok(())
}

/// Launches a gradient with these operands into `shape`, the image's.
fn gradient(c: &mut GpuContext, p: &Pool, operands: &[Value], is_average: bool) -> Result<()> {
    let dx = c.allocate(0, p.shape.clone())?;
    let count = dx.num_elements();
    let shader = Shader::file("pool_gradient", &[("AVERAGE", u32::from(is_average))]);
    let mut bindings: Vec<&Value> = operands.iter().collect();
    bindings.push(&dx);
    c.launch(&shader, &bindings, &p.params(count)?, groups_for(count))?;
    c.set_output(0, dx);
    Ok(())
}

pub(super) fn max_gradient(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    // Each place looks at all of each window that covers it.
    let around = |w: &Window| w.size * w.size.div_ceil(w.stride);
    let is_long = around(&p.rows) * around(&p.cols) > MOST;
    if c.shape(1)? != &p.out || c.shape(2)? != &p.out || is_long {
        return c.leave_to_host();
    }
    let operands = [c.input(0)?, c.input(1)?, c.input(2)?];
    gradient(c, &p, &operands, false)
}

pub(super) fn average_gradient(c: &mut GpuContext) -> Result<()> {
    let Ok(shape) = Shape::new(&c.ints_input(0)?) else {
        return c.leave_to_host();
    };
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    if c.shape(1)? != &p.out {
        return c.leave_to_host();
    }
    let operands = [c.input(1)?];
    gradient(c, &p, &operands, true)
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of, run};
    use crate::value::Value;

    #[test]
    fn pools_and_their_gradients_agree_with_the_cpus() {
        for (size, stride, padding) in [(2, 2, "VALID"), (3, 2, "SAME"), (3, 1, "SAME")] {
            let given = attrs(&[
                ("ksize", vec![1, size, size, 1].into()),
                ("strides", vec![1, stride, stride, 1].into()),
                ("padding", padding.into()),
            ]);
            let x = floats_of(&[2, 9, 8, 5]);
            let shape = Value::vector(&[2i32, 9, 8, 5]).unwrap();
            let y = run("MaxPool", std::slice::from_ref(&x), &given).unwrap();
            let dy = floats_of(y[0].shape().dims());
            agrees_on_gpu("MaxPool", std::slice::from_ref(&x), &given, 0.0);
            agrees_on_gpu("AvgPool", std::slice::from_ref(&x), &given, 1e-5);
            agrees_on_gpu("MaxPoolGrad", &[x, y[0].clone(), dy.clone()], &given, 1e-5);
            agrees_on_gpu("AvgPoolGrad", &[shape, dy], &given, 1e-5);
        }
    }

    #[test]
    fn channels_first_are_images_of_their_own() {
        let given = attrs(&[
            ("ksize", vec![1, 1, 3, 2].into()),
            ("strides", vec![1, 1, 2, 1].into()),
            ("padding", "SAME".into()),
            ("data_format", "NCHW".into()),
        ]);
        let x = floats_of(&[2, 3, 9, 8]);
        let dy = floats_of(&[2, 3, 5, 8]);
        let y = run("MaxPool", std::slice::from_ref(&x), &given).unwrap();
        agrees_on_gpu("MaxPool", std::slice::from_ref(&x), &given, 0.0);
        agrees_on_gpu("AvgPool", std::slice::from_ref(&x), &given, 1e-5);
        agrees_on_gpu("MaxPoolGrad", &[x, y[0].clone(), dy], &given, 1e-5);
    }
}
