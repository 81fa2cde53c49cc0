//! Pools of images on GPUs. Images with channels first are seen as more images of one channel. Pools over channels and
//! other types are left to the host.

use crate::backend::cpu::window::{Padding, Window};
use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::array::rows;
use crate::ops::gpu::{GpuContext, Target, words};
use crate::ops::layout::Layout;
use crate::value::{DType, Shape, Value};

/// Most places that one invocation looks at: drivers in software end loops that go on for long.
const MOST: usize = 1 << 15;

/// Windows over the height and the width of images of `shape`, which the shader sees with so many channels at the end.
pub(super) struct Pool {
    pub shape: Shape,
    pub channels: usize,
    pub rows: Window,
    pub cols: Window,
    pub out: Shape,
}

/// Sizes and strides of windows of so many axes: attributes, or the last two inputs.
fn settings(c: &GpuContext, rank: usize) -> Result<Option<[Vec<i64>; 2]>> {
    let last = c.num_inputs();
    let [sizes, strides] = match c.attrs().get("ksize") {
        Some(_) => ["ksize", "strides"].map(|name| c.attrs().ints(name).map(<[i64]>::to_vec)),
        None => [last - 2, last - 1].map(|i| c.ints_input(i)),
    };
    let (sizes, strides) = (sizes?, strides?);
    let channel_axis = Layout::of(c.attrs())?.channel_axis(rank);
    let is_plain = |all: &[i64]| {
        let is_positive = all.iter().all(|n| *n > 0);
        all.len() == rank && all[0] == 1 && all[channel_axis] == 1 && is_positive
    };
    Ok((is_plain(&sizes) && is_plain(&strides)).then_some([sizes, strides]))
}

/// The windows along the spatial axes, and the shape of the result. `None`: left to the host, which says what is wrong.
pub(super) fn windows_of(
    c: &GpuContext,
    shape: &Shape,
    spatial: usize,
) -> Result<Option<(Vec<Window>, Shape)>> {
    let rank = spatial + 2;
    if c.node.outputs[0].dtype != DType::F32 || shape.rank() != rank || shape.num_elements() == 0 {
        return Ok(None);
    }
    let Some([sizes, strides]) = settings(c, rank)? else {
        return Ok(None);
    };
    let padding = match c.attrs().str("padding")? {
        "SAME" => Padding::Same,
        _ => Padding::Valid,
    };
    let layout = Layout::of(c.attrs())?;
    let mut dims = shape.dims().to_vec();
    let mut windows = Vec::with_capacity(spatial);
    for i in 0..spatial {
        let axis = layout.spatial_axis(i);
        let (size, stride) = (sizes[axis] as usize, strides[axis] as usize);
        let Ok(window) = Window::new(shape.dim(axis), size, stride, 1, padding) else {
            return Ok(None);
        };
        dims[axis] = window.output as i64;
        windows.push(window);
    }
    let out = Shape::new(&dims)?;
    let places = windows.iter().fold(1usize, |n, w| n.saturating_mul(w.size));
    Ok((out.num_elements() > 0 && places <= MOST).then_some((windows, out)))
}

impl Pool {
    fn of(c: &GpuContext, shape: &Shape) -> Result<Option<Pool>> {
        let Some((windows, out)) = windows_of(c, shape, 2)? else {
            return Ok(None);
        };
        let is_first = Layout::of(c.attrs())?.is_channels_first();
        Ok(Some(Pool {
            shape: shape.clone(),
            channels: if is_first { 1 } else { shape.dim(3) },
            rows: windows[0],
            cols: windows[1],
            out,
        }))
    }

    /// Whether it takes too many steps to find what a place was the maximum of: it looks at all of each window that
    /// covers it.
    pub(super) fn is_long(&self) -> bool {
        let around = |w: &Window| w.size * w.size.div_ceil(w.stride);
        around(&self.rows) * around(&self.cols) > MOST
    }

    /// How many channels the elements of a shader hold.
    fn width(&self) -> usize {
        match self.channels.is_multiple_of(4) {
            true => 4,
            false => 1,
        }
    }

    /// The parameters of `shaders/pool.wgsl` for `count` elements of `width` channels each.
    fn params(&self, count: usize, width: usize) -> Result<Vec<u32>> {
        let (y, x) = (&self.rows, &self.cols);
        let channels = self.channels / width;
        let mut params = words([count / width, y.input, x.input, channels])?.to_vec();
        params.extend(words([y.output, x.output, y.size, x.size])?);
        params.extend(words([y.stride, x.stride, y.before, x.before])?);
        Ok(params)
    }

    /// Maxima or averages of `x`, of the shape `out`.
    pub(super) fn forward(&self, c: &GpuContext, x: &Value, is_average: bool) -> Result<Value> {
        let y = c.allocate_as(DType::F32, self.out.clone())?;
        let (count, width) = (y.num_elements(), self.width());
        let constants = [
            ("AVERAGE", u32::from(is_average)),
            ("PLACES", 0),
            ("VEC", u32::from(width == 4)),
        ];
        let shader = Shader::file("pool", &constants);
        let params = self.params(count, width)?;
        c.launch(&shader, &[x, &y], &params, groups_for(count / width))?;
        Ok(y)
    }

    /// The gradient of the image: of maxima with x, y and dy, of averages with dy.
    pub(super) fn backward(&self, c: &GpuContext, operands: &[&Value]) -> Result<Value> {
        let mut dx = Target::plain(self.shape.clone());
        self.backward_to(c, operands, &mut dx)?;
        Ok(dx.output(c)?.clone())
    }

    fn backward_to(&self, c: &GpuContext, operands: &[&Value], dx: &mut Target) -> Result<()> {
        let (count, width) = (self.shape.num_elements(), self.width());
        let constants = [
            ("AVERAGE", u32::from(operands.len() == 1)),
            ("END", operands.len() as u32),
            ("C_VEC", u32::from(width == 4)),
        ];
        let shader = Shader::file("pool_gradient", &constants);
        let params = self.params(count, width)?;
        dx.launch(c, shader, operands, &params, groups_for(count / width))
    }

    /// The same as output 0.
    fn give(&self, c: &mut GpuContext, operands: &[&Value]) -> Result<()> {
        if Layout::of(c.attrs())?.is_channels_first() {
            c.follow_by_none();
        }
        let mut dx = c.target(self.shape.clone(), operands.len());
        self.backward_to(c, operands, &mut dx)?;
        c.set_target(dx)
    }
}

pub(super) fn pool(c: &mut GpuContext, is_average: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    let x = c.input(0)?;
    let y = p.forward(c, &x, is_average)?;
    c.set_output(0, y);
    Ok(())
}

pub(super) fn max_gradient(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    if c.shape(1)? != &p.out || c.shape(2)? != &p.out || p.is_long() {
        return c.leave_to_host();
    }
    let [x, y, dy] = [c.input(0)?, c.input(1)?, c.input(2)?];
    p.give(c, &[&x, &y, &dy])
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
    let dy = c.input(1)?;
    p.give(c, &[&dy])
}

/// Maxima, and where they are found first.
pub(super) fn max_with_argmax(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    if shape.num_elements() >= 1 << 31 {
        return c.leave_to_host();
    }
    let x = c.input(0)?;
    let (y, places) = (c.allocate(0, p.out.clone())?, c.allocate(1, p.out.clone())?);
    let count = y.num_elements();
    let width = if places.dtype() == DType::I64 { 2 } else { 1 };
    let mut params = p.params(count, 1)?;
    params.push(u32::from(c.attrs().bool("include_batch_in_index")?));
    let shader = Shader::file("pool", &[("AVERAGE", 0), ("PLACES", width)]);
    c.launch(&shader, &[&x, &y, &places], &params, groups_for(count))?;
    c.set_output(0, y);
    c.set_output(1, places);
    Ok(())
}

/// Gradients added up at the places that input 2 names.
pub(super) fn gradient_with_argmax(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(p) = Pool::of(c, &shape)? else {
        return c.leave_to_host();
    };
    if c.shape(1)? != &p.out || c.shape(2)? != &p.out {
        return c.leave_to_host();
    }
    let is_batched = c.attrs().bool("include_batch_in_index")?;
    let images = if is_batched { 1 } else { shape.dim(0) };
    rows::add_at_places(c, images, shape)
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
    fn windows_may_be_operands() {
        let sizes = [[1, 3, 2, 1], [1, 2, 2, 1]].map(|all| Value::vector::<i32>(&all).unwrap());
        let given = attrs(&[("padding", "SAME".into())]);
        let x = floats_of(&[2, 9, 8, 5]);
        let inputs = [&[x.clone()], &sizes[..]].concat();
        let y = run("MaxPoolV2", &inputs, &given).unwrap();
        agrees_on_gpu("MaxPoolV2", &inputs, &given, 0.0);
        let dy = floats_of(y[0].shape().dims());
        let inputs = [&[x, y[0].clone(), dy], &sizes[..]].concat();
        agrees_on_gpu("MaxPoolGradV2", &inputs, &given, 1e-5);
    }

    #[test]
    fn places_of_maxima_are_the_cpus() {
        for is_batched in [false, true] {
            let given = attrs(&[
                ("ksize", vec![1, 3, 2, 1].into()),
                ("strides", vec![1, 2, 2, 1].into()),
                ("padding", "SAME".into()),
                ("include_batch_in_index", is_batched.into()),
            ]);
            let x = floats_of(&[2, 9, 8, 5]);
            agrees_on_gpu("MaxPoolWithArgmax", std::slice::from_ref(&x), &given, 0.0);
            let y = run("MaxPoolWithArgmax", std::slice::from_ref(&x), &given).unwrap();
            let dy = floats_of(y[0].shape().dims());
            let inputs = [x, dy, y[1].clone()];
            agrees_on_gpu("MaxPoolGradWithArgmax", &inputs, &given, 1e-5);
        }
    }

    #[test]
    fn pools_of_volumes_agree_with_the_cpus() {
        for (format, dims) in [("NDHWC", [2, 5, 6, 7, 3]), ("NCDHW", [2, 3, 5, 6, 7])] {
            let all = |n: [i64; 3]| match format {
                "NDHWC" => vec![1, n[0], n[1], n[2], 1],
                _ => vec![1, 1, n[0], n[1], n[2]],
            };
            for padding in ["SAME", "VALID"] {
                let given = attrs(&[
                    ("ksize", all([3, 2, 3]).into()),
                    ("strides", all([2, 1, 2]).into()),
                    ("padding", padding.into()),
                    ("data_format", format.into()),
                ]);
                let x = floats_of(&dims);
                let shape = Value::vector(&dims.map(|d| d as i32)).unwrap();
                let y = run("MaxPool3D", std::slice::from_ref(&x), &given).unwrap();
                let dy = floats_of(y[0].shape().dims());
                agrees_on_gpu("MaxPool3D", std::slice::from_ref(&x), &given, 0.0);
                agrees_on_gpu("AvgPool3D", std::slice::from_ref(&x), &given, 1e-5);
                agrees_on_gpu(
                    "MaxPool3DGrad",
                    &[x, y[0].clone(), dy.clone()],
                    &given,
                    1e-5,
                );
                agrees_on_gpu("AvgPool3DGrad", &[shape, dy], &given, 1e-5);
            }
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
