//! Convolutions of volumes on GPUs: the planes that a window sees are put side by side as channels, and what is left is a
//! convolution of images. Channels first are left to the host, as is what is wrong.

use crate::backend::cpu::conv::Geometry;
use crate::backend::cpu::window::Window;
use crate::error::Result;
use crate::ops::array::gpu::{Border, View, copy_view, pad};
use crate::ops::array::rows::{Scale, is_countable, sums_of_rows};
use crate::ops::gpu::GpuContext;
use crate::ops::layout::Layout;
use crate::value::{Shape, Value};

use super::gpu::{geometry, of_gradient, of_patches};
use super::kernels::{Part, out_shape};

/// Sizes as those of a shape.
fn dims<const N: usize>(sizes: [usize; N]) -> [i64; N] {
    sizes.map(|n| n as i64)
}

/// Where the windows lie; `None` where the host is to do it.
fn of_volumes(c: &GpuContext, part: Part) -> Result<Option<(Geometry, [Shape; 2])>> {
    if Layout::of(c.attrs())?.is_channels_first() {
        return Ok(None);
    }
    let Some((geometry, shapes)) = geometry(c, part, 3, |filter| Some(filter.dim(4)))? else {
        return Ok(None);
    };
    // The planes side by side are the largest of all.
    let [d, y, x] = geometry.windows;
    let seen = [
        geometry.batch,
        d.output,
        y.input,
        x.input,
        d.size,
        geometry.in_channels,
    ];
    let seen = seen.iter().try_fold(1usize, |n, size| n.checked_mul(*size));
    let out = out_shape(&geometry, 3)?.num_elements();
    let is_small = seen.is_some_and(|seen| is_countable(&[seen, out]));
    Ok(is_small.then_some((geometry, shapes)))
}

/// The convolution of images that is left.
fn of_images(g: &Geometry) -> Geometry {
    let [d, y, x] = g.windows;
    Geometry {
        batch: g.batch * d.output,
        windows: [Window::POINT, y, x],
        in_channels: d.size * g.in_channels,
        out_channels: g.out_channels,
    }
}

/// A view that a shader can always make: as many axes as it has, no bytes.
fn moved(c: &GpuContext, x: &Value, view: &View, shape: Shape) -> Result<Value> {
    copy_view(c, x, view, shape)?
        .ok_or_else(|| crate::error::Error::internal("floats that no shader moves"))
}

/// The planes that each window along the depth sees, as channels: [batch * depth, rows, cols, size * channels].
fn side_by_side(c: &GpuContext, x: &Value, g: &Geometry) -> Result<Value> {
    let [d, y, w] = g.windows;
    let (pixels, channels) = (y.input * w.input, g.in_channels);
    let plane = pixels * channels;
    let reach = (d.output - 1) * d.stride + (d.size - 1) * d.dilation + 1;
    let after = reach.saturating_sub(d.before + d.input);
    let depth = d.before + d.input + after;
    let x = x.with_shape(Shape::new(&dims([g.batch, d.input, plane]))?)?;
    let pairs = [(0, 0), (d.before as i64, after as i64), (0, 0)];
    let whole = Shape::new(&dims([g.batch, depth, plane]))?;
    let padded = pad(c, &x, &pairs, Border::Filled([0; 2]), whole)?.unwrap_or(x);
    let view = View {
        start: 0,
        counts: dims([g.batch, d.output, pixels, d.size, channels]).to_vec(),
        steps: dims([
            depth * plane,
            d.stride * plane,
            channels,
            d.dilation * plane,
            1,
        ])
        .to_vec(),
    };
    let i = of_images(g);
    let shape = Shape::new(&dims([i.batch, y.input, w.input, i.in_channels]))?;
    moved(c, &padded, &view, shape)
}

/// Filters with the depth beside the channels; or, `is_back`, the other way round.
fn turned(c: &GpuContext, filter: &Value, g: &Geometry, is_back: bool) -> Result<Value> {
    let [d, y, x] = g.windows;
    let (taps, inner) = (y.size * x.size, g.in_channels * g.out_channels);
    let outer = if is_back {
        [taps, d.size]
    } else {
        [d.size, taps]
    };
    let view = View::permuted(&dims([outer[0], outer[1], inner]), &[1, 0, 2]);
    let shape = match is_back {
        true => dims([d.size, y.size, x.size, g.in_channels, g.out_channels]).to_vec(),
        false => dims([y.size, x.size, d.size * g.in_channels, g.out_channels]).to_vec(),
    };
    moved(c, filter, &view, Shape::new(&shape)?)
}

pub(super) fn conv3d(c: &mut GpuContext, part: Part) -> Result<()> {
    let Some((g, [input, _])) = of_volumes(c, part)? else {
        return c.leave_to_host();
    };
    let i = of_images(&g);
    let [_, y, x] = g.windows;
    let (positions, patch) = (
        i.batch * y.output * x.output,
        y.size * x.size * i.in_channels,
    );
    let windows = [y, x];
    match part {
        Part::Forward => {
            let (image, filter) = (c.input(0)?, c.input(1)?);
            let (image, filter) = (side_by_side(c, &image, &g)?, turned(c, &filter, &g, false)?);
            let mut to = c.target(out_shape(&g, 3)?, 2);
            let sizes = [positions, i.out_channels, patch];
            of_patches(
                c,
                [&image, &filter],
                &mut to,
                sizes,
                true,
                &windows,
                i.in_channels,
            )?;
            c.set_target(to)
        }
        Part::Filter => {
            let (image, dy) = (c.input(0)?, c.input(2)?);
            let image = side_by_side(c, &image, &g)?;
            let shape = Shape::new(&dims([patch, i.out_channels]))?;
            let mut to = c.target(shape, 2);
            let sizes = [patch, i.out_channels, positions];
            of_patches(
                c,
                [&image, &dy],
                &mut to,
                sizes,
                false,
                &windows,
                i.in_channels,
            )?;
            let made = turned(c, &to.output(c)?.clone(), &g, true)?;
            c.set_output(0, made);
            Ok(())
        }
        Part::Input => {
            let (filter, dy) = (c.input(1)?, c.input(2)?);
            let filter = turned(c, &filter, &g, false)?;
            let shape = Shape::new(&dims([i.batch, y.input, x.input, i.in_channels]))?;
            let mut to = c.target(shape, 2);
            of_gradient(c, &i, [&dy, &filter], &mut to)?;
            let planes = to.output(c)?.clone();
            let made = added_up(c, &planes, &g, input)?;
            c.set_output(0, made);
            Ok(())
        }
    }
}

/// Planes side by side, each added to the plane of the volume that it was made of.
fn added_up(c: &GpuContext, planes: &Value, g: &Geometry, shape: Shape) -> Result<Value> {
    let [d, y, x] = g.windows;
    let pixels = y.input * x.input;
    let seen = dims([g.batch * d.output, pixels, d.size, g.in_channels]);
    let view = View::permuted(&seen, &[0, 2, 1, 3]);
    let planes = moved(c, planes, &view, planes.shape().clone())?;
    let (mut rows, mut picks) = (Vec::new(), Vec::new());
    for n in 0..g.batch {
        for out in 0..d.output {
            for tap in 0..d.size {
                let at = (out * d.stride + tap * d.dilation).checked_sub(d.before);
                if let Some(at) = at.filter(|at| *at < d.input) {
                    rows.push((n * d.input + at) as i64);
                    picks.push(((n * d.output + out) * d.size + tap) as i64);
                }
            }
        }
    }
    let block = pixels * g.in_channels;
    sums_of_rows(c, &planes, (&rows, &picks), (shape, block), Scale::Sum)
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of, run};
    use crate::value::Value;

    #[test]
    fn convolutions_of_volumes_are_the_cpus() {
        for (padding, stride, dilation) in [("SAME", 1, 1), ("SAME", 2, 1), ("VALID", 1, 2)] {
            let given = attrs(&[
                ("strides", vec![1, stride, stride, 1, 1].into()),
                ("padding", padding.into()),
                ("dilations", vec![1, dilation, 1, dilation, 1].into()),
            ]);
            let (x, w) = (floats_of(&[2, 7, 6, 5, 3]), floats_of(&[3, 2, 2, 3, 4]));
            let y = run("Conv3D", &[x.clone(), w.clone()], &given).unwrap();
            let dy = floats_of(y[0].shape().dims());
            agrees_on_gpu("Conv3D", &[x.clone(), w.clone()], &given, 1e-4);
            let sizes = Value::vector(&[2i32, 7, 6, 5, 3]).unwrap();
            agrees_on_gpu(
                "Conv3DBackpropInputV2",
                &[sizes, w, dy.clone()],
                &given,
                1e-4,
            );
            let sizes = Value::vector(&[3i32, 2, 2, 3, 4]).unwrap();
            agrees_on_gpu("Conv3DBackpropFilterV2", &[x, sizes, dy], &given, 1e-4);
        }
    }
}
