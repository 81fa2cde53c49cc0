//! Boxes cut out of images on a GPU: each pixel of a crop is a sum of weighted pixels of its image, which the host finds
//! from the boxes. The gradient goes the same ways back. What is wrong is left to the CPU's kernels, which say so.

use crate::error::Result;
use crate::ops::array::rows::{Scale, is_countable, sums_of_rows};
use crate::ops::gpu::GpuContext;
use crate::value::{DType, Shape, Value};

use super::crop::{Line, Sizes, line, sizes};

/// Which pixel of a crop takes how much of which pixel of the images.
#[derive(Default)]
struct Ways {
    cells: Vec<i64>,
    pixels: Vec<i64>,
    parts: Vec<f32>,
    /// A pixel of a crop lies outside of its image.
    is_outside: bool,
}

fn ways(s: &Sizes, is_nearest: bool) -> Ways {
    let [_, height, width, _] = s.image;
    let mut ways = Ways::default();
    let mut cell = 0;
    for (corner, image) in s.corners.iter().zip(&s.which) {
        for i in 0..s.crop[0] {
            let y = line(corner[0], corner[2], i, s.crop[0], height);
            for j in 0..s.crop[1] {
                let x = line(corner[1], corner[3], j, s.crop[1], width);
                let mut add = |row: usize, column: usize, part: f32| {
                    ways.cells.push(cell);
                    ways.pixels
                        .push(((image * height + row) * width + column) as i64);
                    ways.parts.push(part);
                };
                match (&y, &x) {
                    (Some(y), Some(x)) if is_nearest => {
                        add(y.at.round() as usize, x.at.round() as usize, 1.0);
                    }
                    (Some(y), Some(x)) => corners(y, x, add),
                    _ => ways.is_outside = true,
                }
                cell += 1;
            }
        }
    }
    ways
}

fn corners(y: &Line, x: &Line, mut add: impl FnMut(usize, usize, f32)) {
    add(y.low, x.low, (1.0 - y.part) * (1.0 - x.part));
    add(y.low, x.high, (1.0 - y.part) * x.part);
    add(y.high, x.low, y.part * (1.0 - x.part));
    add(y.high, x.high, y.part * x.part);
}

pub(super) fn crop(c: &mut GpuContext) -> Result<()> {
    let image = c.shape(0)?.clone();
    let (boxes, which, size) = (c.host_input(1)?, c.ints_input(2)?, c.ints_input(3)?);
    let [height, width] = size[..] else {
        return c.leave_to_host();
    };
    if c.dtype(0)? != DType::F32 || height <= 0 || width <= 0 {
        return c.leave_to_host();
    }
    let Ok(s) = sizes(
        image.dims(),
        &boxes,
        which,
        [height as usize, width as usize],
    ) else {
        return c.leave_to_host();
    };
    let ways = ways(&s, c.attrs().str("method")? == "nearest");
    let depth = s.image[3];
    let shape = Shape::new(&[s.which.len() as i64, height, width, depth as i64])?;
    let is_filled = ways.is_outside && c.attrs().float("extrapolation_value")? != 0.0;
    let countable = is_countable(&[image.num_elements(), shape.num_elements()]);
    if is_filled || !countable || ways.parts.is_empty() || depth == 0 {
        return c.leave_to_host();
    }
    let pixels = c.input(0)?;
    let parts = c.upload(&Value::vector(&ways.parts)?)?;
    let by = (&ways.cells[..], &ways.pixels[..]);
    let made = sums_of_rows(c, &pixels, by, (shape, depth), Scale::Weighted(&parts))?;
    c.set_output(0, made);
    Ok(())
}

pub(super) fn grad_image(c: &mut GpuContext) -> Result<()> {
    let dy = c.shape(0)?.clone();
    let (boxes, which, size) = (c.host_input(1)?, c.ints_input(2)?, c.ints_input(3)?);
    if c.dtype(0)? != DType::F32 || c.node.outputs[0].dtype != DType::F32 || dy.rank() != 4 {
        return c.leave_to_host();
    }
    let crop = [dy.dim(1), dy.dim(2)];
    let (Ok(s), Ok(shape)) = (sizes(&size, &boxes, which, crop), Shape::new(&size)) else {
        return c.leave_to_host();
    };
    let depth = s.image[3];
    let ways = ways(&s, c.attrs().str("method")? == "nearest");
    let is_right = dy.dim(0) == s.which.len()
        && dy.dim(3) == depth
        && depth > 0
        && !ways.parts.is_empty()
        && is_countable(&[dy.num_elements(), shape.num_elements()]);
    if !is_right {
        return c.leave_to_host();
    }
    let dy = c.input(0)?;
    let parts = c.upload(&Value::vector(&ways.parts)?)?;
    let by = (&ways.pixels[..], &ways.cells[..]);
    let made = sums_of_rows(c, &dy, by, (shape, depth), Scale::Weighted(&parts))?;
    c.set_output(0, made);
    Ok(())
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use crate::ops::testing::{agrees_on_gpu, attrs, floats_of};
    use crate::value::{DType, Shape, Value};

    #[test]
    fn crops_and_their_gradients_are_the_cpus() {
        let shape = Shape::new(&[3, 4]).unwrap();
        let boxes = [
            0.0, 0.1, 1.0, 0.9, 0.5, 0.2, -0.25, 0.8, 0.2, 0.2, 0.3, 0.3f32,
        ];
        let boxes = Value::from_slice(shape, &boxes).unwrap();
        let which = Value::vector(&[1i32, 0, 1]).unwrap();
        let size = Value::vector(&[4i32, 3]).unwrap();
        let image_size = Value::vector(&[2i32, 7, 6, 5]).unwrap();
        for method in ["bilinear", "nearest"] {
            let given = attrs(&[("method", method.into())]);
            let inputs = [
                floats_of(&[2, 7, 6, 5]),
                boxes.clone(),
                which.clone(),
                size.clone(),
            ];
            agrees_on_gpu("CropAndResize", &inputs, &given, 1e-5);
            let dy = floats_of(&[3, 4, 3, 5]);
            let inputs = [dy, boxes.clone(), which.clone(), image_size.clone()];
            let given = [given, attrs(&[("T", DType::F32.into())])].concat();
            agrees_on_gpu("CropAndResizeGradImage", &inputs, &given, 1e-5);
        }
    }
}
