//! Pools of volumes on GPUs: planes are pooled, then what is left along the depth, with the shaders of images. The maximum
//! that comes first in a window comes first in its plane, so gradients go back the same way.

use crate::backend::cpu::window::Window;
use crate::error::Result;
use crate::ops::gpu::GpuContext;
use crate::ops::layout::Layout;
use crate::value::{Shape, Value};

use super::gpu::{Pool, windows_of};

struct Volume {
    planes: Pool,
    depth: Pool,
    shape: Shape,
    out: Shape,
}

/// A shape of four axes.
fn images(sizes: [usize; 4]) -> Result<Shape> {
    Shape::new(&sizes.map(|n| n as i64))
}

impl Volume {
    /// `None`: left to the host, which says what is wrong.
    fn of(c: &GpuContext, shape: &Shape) -> Result<Option<Volume>> {
        let Some((windows, out)) = windows_of(c, shape, 3)? else {
            return Ok(None);
        };
        let [depth, rows, cols] = [windows[0], windows[1], windows[2]];
        // Channels that come first are more volumes.
        let (volumes, channels) = match Layout::of(c.attrs())?.is_channels_first() {
            true => (shape.dim(0) * shape.dim(1), 1),
            false => (shape.dim(0), shape.dim(4)),
        };
        let planes = volumes * depth.input;
        let pixels = rows.output * cols.output * channels;
        Ok(Some(Volume {
            planes: Pool {
                shape: images([planes, rows.input, cols.input, channels])?,
                channels,
                rows,
                cols,
                out: images([planes, rows.output, cols.output, channels])?,
            },
            depth: Pool {
                shape: images([volumes, depth.input, 1, pixels])?,
                channels: pixels,
                rows: depth,
                cols: Window::POINT,
                out: images([volumes, depth.output, 1, pixels])?,
            },
            shape: shape.clone(),
            out,
        }))
    }
}

pub(super) fn pool(c: &mut GpuContext, is_average: bool) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(v) = Volume::of(c, &shape)? else {
        return c.leave_to_host();
    };
    let x = c.input(0)?;
    let of_planes = v.planes.forward(c, &x, is_average)?;
    let y = v.depth.forward(c, &of_planes, is_average)?;
    c.set_output(0, y.with_shape(v.out)?);
    Ok(())
}

/// The gradient of the volume, out of that of the planes.
fn give(c: &mut GpuContext, v: Volume, dx: &Value) -> Result<()> {
    c.set_output(0, dx.with_shape(v.shape)?);
    Ok(())
}

pub(super) fn max_gradient(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let Some(v) = Volume::of(c, &shape)? else {
        return c.leave_to_host();
    };
    let is_long = v.planes.is_long() || v.depth.is_long();
    if c.shape(1)? != &v.out || c.shape(2)? != &v.out || is_long {
        return c.leave_to_host();
    }
    let [x, y, dy] = [c.input(0)?, c.input(1)?, c.input(2)?];
    let of_planes = v.planes.forward(c, &x, false)?;
    let d_planes = v.depth.backward(c, &[&of_planes, &y, &dy])?;
    let dx = v.planes.backward(c, &[&x, &of_planes, &d_planes])?;
    give(c, v, &dx)
}

pub(super) fn average_gradient(c: &mut GpuContext) -> Result<()> {
    let Ok(shape) = Shape::new(&c.ints_input(0)?) else {
        return c.leave_to_host();
    };
    let Some(v) = Volume::of(c, &shape)? else {
        return c.leave_to_host();
    };
    if c.shape(1)? != &v.out {
        return c.leave_to_host();
    }
    let dy = c.input(1)?;
    let d_planes = v.depth.backward(c, &[&dy])?;
    let dx = v.planes.backward(c, &[&d_planes])?;
    give(c, v, &dx)
}
