//! Convolutions of images on GPUs, as matrix products of what windows see. Images with channels first are turned before
//! and after. Other ranks are left to the host.

use crate::backend::cpu::conv::Geometry;
use crate::backend::cpu::window::Window;
use crate::backend::gpu::gemm::Cut;
use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::ops::gpu::{GpuContext, Target, words};
use crate::ops::layout::Layout;
use crate::ops::matmul::gpu::{Product, is_vec, launch_in_parts};
use crate::ops::reduce::gpu::Lanes;
use crate::value::{DType, Shape, Value};

use super::kernels::{Part, check_out, out_shape, windows};

/// What a signed parameter is as a word.
fn signed(x: i64) -> u32 {
    x as i32 as u32
}

/// The shape that an input says: its own, or where it is wanted, its elements.
fn shape_of(c: &GpuContext, i: usize, is_wanted: bool) -> Result<Shape> {
    match is_wanted {
        true => Shape::new(&c.ints_input(i)?),
        false => Ok(c.shape(i)?.clone()),
    }
}

/// Each of `batch` matrices [rows, cols] transposed, under another shape.
fn turned(
    c: &GpuContext,
    x: &Value,
    [batch, rows, cols]: [usize; 3],
    dims: &[i64],
) -> Result<Value> {
    let to = c.allocate_as(x.dtype(), Shape::new(dims)?)?;
    let groups = words([cols.div_ceil(32), rows.div_ceil(32), batch])?;
    let params = words([rows, cols])?;
    c.launch(&Shader::file("transpose", &[]), &[x, &to], &params, groups)?;
    Ok(to)
}

/// Image `i` with its channels last.
fn image(c: &mut GpuContext, i: usize) -> Result<Value> {
    let layout = Layout::of(c.attrs())?;
    let x = c.input(i)?;
    if !layout.is_channels_first() {
        return Ok(x);
    }
    let s = x.shape().clone();
    let sizes = [s.dim(0), s.dim(1), s.dim(2) * s.dim(3)];
    turned(c, &x, sizes, &layout.sizes_channels_last(s.dims()))
}

/// Sets the output to an image whose channels are last, in the node's own order.
fn set_image(c: &mut GpuContext, made: Value) -> Result<()> {
    let layout = Layout::of(c.attrs())?;
    let made = match made.shape().dims() {
        &[n, h, w, k] if layout.is_channels_first() => {
            let sizes = [n as usize, (h * w) as usize, k as usize];
            turned(c, &made, sizes, &[n, k, h, w])?
        }
        _ => made,
    };
    c.set_output(0, made);
    Ok(())
}

/// The same for what lies in a target.
fn set_target(c: &mut GpuContext, mut to: Target) -> Result<()> {
    if Layout::of(c.attrs())?.is_channels_first() {
        let made = to.output(c)?.clone();
        return set_image(c, made);
    }
    c.set_target(to)
}

/// Layers of a dispatch along z, rows of it along y.
const MAX_GROUPS: usize = 65_535;

/// Where the windows lie, when all is as it should be; what is wrong, the host says.
pub(super) fn geometry(
    c: &GpuContext,
    part: Part,
    spatial: usize,
    out_channels: fn(&Shape) -> Option<usize>,
) -> Result<Option<(Geometry, [Shape; 2])>> {
    let layout = Layout::of(c.attrs())?;
    let (Ok(input), Ok(filter)) = (
        shape_of(c, 0, part == Part::Input),
        shape_of(c, 1, part == Part::Filter),
    ) else {
        return Ok(None);
    };
    let is_f32 = c.node.outputs[0].dtype == DType::F32;
    if !is_f32 || input.rank() != spatial + 2 || filter.rank() != spatial + 2 {
        return Ok(None);
    }
    let input = Shape::new(&layout.sizes_channels_last(input.dims()))?;
    let (Ok(windows), Some(out_channels)) = (
        windows(c.attrs(), layout, &input, &filter, spatial),
        out_channels(&filter),
    ) else {
        return Ok(None);
    };
    let geometry = Geometry {
        batch: input.dim(0),
        windows,
        in_channels: input.dim(spatial + 1),
        out_channels,
    };
    let out = out_shape(&geometry, spatial)?;
    let of_gradient = match part {
        Part::Forward => out.clone(),
        _ => Shape::new(&layout.sizes_channels_last(c.shape(2)?.dims()))?,
    };
    let can_turn = !layout.is_channels_first()
        || [&input, &out]
            .iter()
            .all(|s| s.dim(0) <= MAX_GROUPS && s.dim(1) * s.dim(2) <= 32 * MAX_GROUPS);
    let is_whole = can_turn
        && input.dim(spatial + 1) == filter.dim(spatial)
        && check_out(&geometry, &of_gradient, spatial).is_ok()
        && [&input, &filter, &out].iter().all(|s| s.num_elements() > 0);
    Ok(is_whole.then_some((geometry, [input, filter])))
}

/// Parameters of `shaders/lib/patches.wgsl` from `height` on, for windows over the input.
fn patches([y, x]: &[Window; 2], channels: usize) -> Result<Vec<u32>> {
    let mut params = words([y.input, x.input, channels, y.output, x.output, x.size])?.to_vec();
    params.extend(words([y.stride, x.stride])?);
    params.extend([signed(-(y.before as i64)), signed(-(x.before as i64))]);
    params.extend(words([y.dilation, x.dilation])?);
    Ok(params)
}

pub(super) fn conv2d(c: &mut GpuContext, part: Part) -> Result<()> {
    let Some((g, [input, filter])) = geometry(c, part, 2, |filter| Some(filter.dim(3)))? else {
        return c.leave_to_host();
    };
    match part {
        Part::Forward => forward(c, &g),
        Part::Input => by_input(c, &g, input),
        Part::Filter => by_filter(c, &g, filter),
    }
}

/// Whether windows see one pixel each, in order: then the image is the matrix.
fn is_pointwise(windows: &[Window]) -> bool {
    windows
        .iter()
        .all(|w| w.size == 1 && w.stride == 1 && w.before == 0 && w.output == w.input)
}

fn forward(c: &mut GpuContext, g: &Geometry) -> Result<()> {
    let [_, y, x] = g.windows;
    let (m, n) = (g.batch * y.output * x.output, g.out_channels);
    let k = y.size * x.size * g.in_channels;
    let (image, filter) = (image(c, 0)?, c.input(1)?);
    let mut to = target(c, out_shape(g, 2)?)?;
    let product = plain(m, n, k);
    if is_pointwise(&[y, x]) && product.is_within_limits() {
        product.launch(c, &image, &filter, &mut to)?;
    } else {
        of_patches(
            c,
            [&image, &filter],
            &mut to,
            [m, n, k],
            true,
            &[y, x],
            g.in_channels,
        )?;
    }
    set_target(c, to)
}

/// Where an image with its channels last is stored. One that is to be turned is no result yet: nothing follows it.
fn target<'a>(c: &mut GpuContext<'a>, shape: Shape) -> Result<Target<'a>> {
    if Layout::of(c.attrs())?.is_channels_first() {
        c.follow_by_none();
    }
    Ok(c.target(shape, 2))
}

/// A product of two matrices as they lie in memory.
fn plain(m: usize, n: usize, k: usize) -> Product {
    Product {
        batch: 1,
        m,
        n,
        k,
        is_a_transposed: false,
        is_b_transposed: false,
        is_a_shared: true,
        is_b_shared: true,
    }
}

/// The product of the patches of an image, or of their transpose, with a matrix.
pub(super) fn of_patches(
    c: &GpuContext,
    [image, b]: [&Value; 2],
    to: &mut Target,
    [m, n, k]: [usize; 3],
    is_forward: bool,
    windows: &[Window; 2],
    channels: usize,
) -> Result<()> {
    let cut = Cut::of(m, n, k, 1);
    let mut constants = vec![
        ("A_ALONG_K", u32::from(is_forward)),
        ("X_VEC", is_vec(channels)),
        ("B_VEC", is_vec(n)),
        ("C_VEC", is_vec(n)),
    ];
    constants.extend(cut.tile.constants());
    let mut params = words([m, n, k, cut.chunk, cut.splits])?.to_vec();
    params.extend(patches(windows, channels)?);
    let shader = Shader::file("conv2d", &constants);
    let groups = cut.groups(m, n, cut.splits);
    launch_in_parts(
        c,
        to,
        (shader, &params, groups),
        [image, b],
        [1, cut.splits, m * n],
    )
}

fn by_filter(c: &mut GpuContext, g: &Geometry, shape: Shape) -> Result<()> {
    let [_, y, x] = g.windows;
    let (m, n) = (y.size * x.size * g.in_channels, g.out_channels);
    let k = g.batch * y.output * x.output;
    let (image, dy) = (image(c, 0)?, image(c, 2)?);
    let mut to = c.target(shape, 2);
    let product = Product {
        is_a_transposed: true,
        ..plain(m, n, k)
    };
    if is_pointwise(&[y, x]) && product.is_within_limits() {
        product.launch(c, &image, &dy, &mut to)?;
    } else {
        of_patches(
            c,
            [&image, &dy],
            &mut to,
            [m, n, k],
            false,
            &[y, x],
            g.in_channels,
        )?;
    }
    c.set_target(to)
}

fn by_input(c: &mut GpuContext, g: &Geometry, shape: Shape) -> Result<()> {
    let [_, y, x] = g.windows;
    if phases([&y, &x]) > MAX_GROUPS {
        return c.leave_to_host();
    }
    let (filter, dy) = (c.input(1)?, image(c, 2)?);
    let mut to = target(c, shape)?;
    of_gradient(c, g, [&dy, &filter], &mut to)?;
    set_target(c, to)
}

fn phases([y, x]: [&Window; 2]) -> usize {
    y.stride.min(y.input) * x.stride.min(x.input)
}

/// The gradient of images. Places that differ by whole strides see the same elements of the filter: each such phase is a
/// product of its own, all in one dispatch.
pub(super) fn of_gradient(
    c: &GpuContext,
    g: &Geometry,
    [dy, filter]: [&Value; 2],
    to: &mut Target,
) -> Result<()> {
    let [_, y, x] = g.windows;
    let (n, channels) = (g.in_channels, g.out_channels);
    let phases = phases([&y, &x]);
    let places = |w: &Window| w.input.div_ceil(w.stride);
    let taps = |w: &Window| w.size.div_ceil(w.stride);
    let m = g.batch * places(&y) * places(&x);
    let cut = Cut::of(m, n, taps(&y) * taps(&x) * channels, phases);
    let mut constants = vec![("X_VEC", is_vec(channels)), ("C_VEC", is_vec(n))];
    constants.extend(cut.tile.constants());
    let mut params = words([g.batch, n, y.output, x.output, channels])?.to_vec();
    params.extend(words([y.size, x.size, y.input, x.input])?);
    params.extend(words([y.stride, x.stride, y.dilation, x.dilation])?);
    params.extend(words([y.before, x.before])?);
    let shader = Shader::file("conv2d_input", &constants);
    let groups = cut.groups(m, n, phases);
    to.launch(c, shader, &[dy, filter], &params, groups)
}

/// Depthwise convolution and its gradients.
pub(super) fn depthwise(c: &mut GpuContext, part: Part) -> Result<()> {
    let channels = |filter: &Shape| filter.dim(2).checked_mul(filter.dim(3));
    let Some((g, [input, filter])) = geometry(c, part, 2, channels)? else {
        return c.leave_to_host();
    };
    let [_, y, x] = g.windows;
    let positions = g.batch * y.output * x.output;
    let multiplier = filter.dim(3);
    let sizes = |count: usize, chunk: usize| -> Result<Vec<u32>> {
        let mut params = words([count, y.input, x.input, g.in_channels, multiplier])?.to_vec();
        params.extend(words([
            y.output, x.output, y.size, x.size, y.stride, x.stride,
        ])?);
        params.extend(words([
            y.dilation, x.dilation, y.before, x.before, chunk, positions,
        ])?);
        Ok(params)
    };
    let (index, shape) = match part {
        Part::Forward => (0, out_shape(&g, 2)?),
        Part::Input => (1, input),
        Part::Filter => (2, filter),
    };
    let count = shape.num_elements();
    let operands = match part {
        Part::Forward => [image(c, 0)?, c.input(1)?],
        Part::Input => [image(c, 2)?, c.input(1)?],
        Part::Filter => [image(c, 0)?, image(c, 2)?],
    };
    let mut to = target(c, shape)?;
    let [first, second] = &operands;
    let (shader, params, groups, parts);
    if part == Part::Filter {
        let lanes = Lanes::of(positions, count.max(2));
        let chunks = lanes.chunks(positions, count);
        let [lane, strided] = lanes.constants();
        shader = Shader::file("depthwise", &[("PART", index), lane, strided]);
        params = sizes(count * chunks, positions.div_ceil(chunks))?;
        groups = lanes.groups(count * chunks);
        parts = chunks;
    } else {
        shader = Shader::file("depthwise", &[("PART", index)]);
        params = sizes(count, positions)?;
        groups = groups_for(count);
        parts = 1;
    }
    launch_in_parts(
        c,
        &mut to,
        (shader, &params, groups),
        [first, second],
        [1, parts, count],
    )?;
    match part {
        Part::Filter => c.set_target(to),
        _ => set_target(c, to),
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{Given, agrees_on_gpu, attrs, floats_of};
    use crate::value::Value;

    fn given(stride: i64, dilation: i64, padding: &'static str) -> Given {
        attrs(&[
            ("strides", vec![1, stride, stride, 1].into()),
            ("dilations", vec![1, dilation, dilation, 1].into()),
            ("padding", padding.into()),
        ])
    }

    fn sizes(dims: &[i64]) -> Value {
        Value::vector(&dims.iter().map(|d| *d as i32).collect::<Vec<_>>()).unwrap()
    }

    fn places(size: i64, window: i64, stride: i64, padding: &str) -> i64 {
        match padding {
            "SAME" => (size + stride - 1) / stride,
            _ => (size - window) / stride + 1,
        }
    }

    #[test]
    fn convolutions_agree_with_the_cpus() {
        for (c, n) in [(1, 8), (3, 5), (8, 16)] {
            for (window, stride, padding) in [
                (3, 1, "SAME"),
                (5, 2, "VALID"),
                (1, 1, "VALID"),
                (3, 2, "SAME"),
                (2, 3, "SAME"),
            ] {
                let given = given(stride, 1, padding);
                let out = [
                    2,
                    places(11, window, stride, padding),
                    places(9, window, stride, padding),
                    n,
                ];
                let (x, w) = ([2, 11, 9, c], [window, window, c, n]);
                let (image, filter, dy) = (floats_of(&x), floats_of(&w), floats_of(&out));
                agrees_on_gpu("Conv2D", &[image.clone(), filter.clone()], &given, 1e-4);
                let op = "Conv2DBackpropInput";
                agrees_on_gpu(op, &[sizes(&x), filter, dy.clone()], &given, 1e-4);
                let op = "Conv2DBackpropFilter";
                agrees_on_gpu(op, &[image, sizes(&w), dy], &given, 1e-4);
            }
        }
    }

    #[test]
    fn dilated_convolutions_agree_with_the_cpus() {
        let given = given(1, 2, "SAME");
        agrees_on_gpu(
            "Conv2D",
            &[floats_of(&[1, 8, 7, 4]), floats_of(&[3, 3, 4, 4])],
            &given,
            1e-4,
        );
    }

    #[test]
    fn channels_first_are_turned() {
        let given = attrs(&[
            ("strides", vec![1, 1, 2, 1].into()),
            ("padding", "SAME".into()),
            ("data_format", "NCHW".into()),
        ]);
        let (x, w) = ([2, 3, 7, 40], [3, 3, 3, 5]);
        let (image, filter, dy) = (floats_of(&x), floats_of(&w), floats_of(&[2, 5, 4, 40]));
        agrees_on_gpu("Conv2D", &[image.clone(), filter.clone()], &given, 1e-4);
        agrees_on_gpu(
            "Conv2DBackpropInput",
            &[sizes(&x), filter, dy.clone()],
            &given,
            1e-4,
        );
        agrees_on_gpu(
            "Conv2DBackpropFilter",
            &[image, sizes(&w), dy],
            &given,
            1e-4,
        );
    }

    #[test]
    fn depthwise_convolutions_agree_with_the_cpus() {
        for (stride, padding, multiplier) in [(1, "SAME", 1), (2, "SAME", 2), (2, "VALID", 3)] {
            let given = given(stride, 1, padding);
            let (x, w) = ([2, 9, 10, 3], [3, 3, 3, multiplier]);
            let out = [
                2,
                places(9, 3, stride, padding),
                places(10, 3, stride, padding),
                3 * multiplier,
            ];
            let (image, filter, dy) = (floats_of(&x), floats_of(&w), floats_of(&out));
            agrees_on_gpu(
                "DepthwiseConv2dNative",
                &[image.clone(), filter.clone()],
                &given,
                1e-4,
            );
            let op = "DepthwiseConv2dNativeBackpropInput";
            agrees_on_gpu(op, &[sizes(&x), filter, dy.clone()], &given, 1e-4);
            let op = "DepthwiseConv2dNativeBackpropFilter";
            agrees_on_gpu(op, &[image, sizes(&w), dy], &given, 1e-4);
        }
    }
}
