//! Boxes cut out of images and resized, with gradients; and patches laid side by side.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::Op;
use crate::ops::array::gpu::{Border, View, copy_view, pad};
use crate::ops::build::{In, ints};
use crate::ops::gpu::GpuContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::shape::{self, Padding};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{dispatch, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new(
        "CropAndResize",
        "image: T, boxes: float32, box_ind: int32, crop_size: int32 -> crops: float32",
    )
    .attr("T: {uint8, uint16, int8, int16, int32, int64, float16, float32, float64}")
    .attr("method: {'bilinear', 'nearest'} = 'bilinear'")
    .attr("extrapolation_value: float = 0.0")
    .shape(crop_shape)
    .grad(crop_grad)
    .kernel(crop)
    .gpu(super::boxes_gpu::crop)
    .on_host(&[1, 2, 3]),
    Op::new(
        "CropAndResizeGradImage",
        "grads: float32, boxes: float32, box_ind: int32, image_size: int32 -> output: T",
    )
    .attr("T: {float32, float16, float64}")
    .attr("method: {'bilinear', 'nearest'} = 'bilinear'")
    .shape(image_shape)
    .kernel(grad_image)
    .gpu(super::boxes_gpu::grad_image)
    .on_host(&[1, 2, 3]),
    Op::new(
        "CropAndResizeGradBoxes",
        "grads: float32, image: T, boxes: float32, box_ind: int32 -> output: float32",
    )
    .attr("T: {uint8, uint16, int8, int16, int32, int64, float16, float32, float64}")
    .attr("method: {'bilinear'} = 'bilinear'")
    .shape(|c| {
        let boxes = c.input(2);
        c.set(0, boxes);
        Ok(())
    })
    .kernel(grad_boxes),
    Op::new("ExtractImagePatches", "images: T -> patches: T")
        .attr("ksizes: list(int) >= 4")
        .attr("strides: list(int) >= 4")
        .attr("rates: list(int) >= 4")
        .attr("T: realnumbertype")
        .attr("padding: {'SAME', 'VALID'}")
        .shape(patches_shape)
        .kernel(patches)
        .gpu(patches_on_gpu),
];

fn crop_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    let boxes = c.input_of_rank(1, 2)?;
    let which = c.input_of_rank(2, 1)?;
    let count = shape::merge_dim(boxes.dim(0), which.dim(0))?;
    shape::dim_is(boxes.dim(1), 4)?;
    let (height, width) = match c.constant_ints(3) {
        Some(size) if size.len() == 2 => (size[0], size[1]),
        _ => (-1, -1),
    };
    c.set(
        0,
        PartialShape::from_dims([count, height, width, image.dim(3)]),
    );
    Ok(())
}

fn image_shape(c: &mut ShapeContext) -> Result<()> {
    let size = c.constant_shape(3)?;
    let size = crate::graph::with_rank(&size, 4)?;
    c.set(0, size);
    Ok(())
}

fn crop_grad(g: &mut GradientContext) -> Result<Grads> {
    let (image, boxes, which, dy) = (g.input(0), g.input(1), g.input(2), g.dy(0)?);
    let size = match g.shape(image).to_shape() {
        Some(known) => In::Plain("image_size", ints(known.dims())?),
        None => g.graph.shape_of(image)?.into(),
    };
    let dtype = g.dtype(image);
    let mut of_image = None;
    if matches!(dtype, DType::F16 | DType::F32 | DType::F64) {
        let mut attrs = vec![("T", dtype.into())];
        if let Some(method) = g.attr("method") {
            attrs.push(("method", method.clone()));
        }
        let inputs = [dy.into(), boxes.into(), which.into(), size];
        of_image = Some(
            g.graph
                .call("CropAndResizeGradImage", "", inputs, &attrs)?
                .into(),
        );
    }
    let of_boxes = g.op("CropAndResizeGradBoxes", [dy, image, boxes, which])?;
    Ok(vec![of_image, Some(of_boxes.into()), None, None])
}

/// Where along an axis the rows (or columns) of a crop lie; None outside of the image.
pub(super) struct Line {
    pub low: usize,
    pub high: usize,
    pub part: f32,
    pub at: f32,
}

pub(super) fn line(from: f32, to: f32, i: usize, count: usize, size: usize) -> Option<Line> {
    let last = (size as i64 - 1) as f32;
    let at = if count > 1 {
        from * last + i as f32 * ((to - from) * last / (count - 1) as f32)
    } else {
        0.5 * (from + to) * last
    };
    (at >= 0.0 && at <= last).then(|| Line {
        low: at.floor() as usize,
        high: at.ceil() as usize,
        part: at - at.floor(),
        at,
    })
}

/// The checked sizes of images, boxes and crops.
pub(super) struct Sizes {
    pub image: [usize; 4],
    pub crop: [usize; 2],
    pub corners: Vec<[f32; 4]>,
    pub which: Vec<usize>,
}

pub(super) fn sizes(
    image: &[i64],
    boxes: &Value,
    which: Vec<i64>,
    crop: [usize; 2],
) -> Result<Sizes> {
    ensure!(
        image.len() == 4,
        invalid,
        "input image must be 4-D{image:?}"
    );
    let image = [0, 1, 2, 3].map(|i| image[i] as usize);
    ensure!(
        image[1] > 0 && image[2] > 0,
        invalid,
        "image dimensions must be positive"
    );
    ensure!(
        boxes.shape().rank() == 2 && (boxes.shape().dim(1) == 4 || boxes.num_elements() == 0),
        invalid,
        "boxes must be 2-D{}",
        boxes.shape()
    );
    ensure!(
        which.len() == boxes.shape().dim(0),
        invalid,
        "box_ind has incompatible shape"
    );
    ensure!(
        which.iter().all(|b| (0..image[0] as i64).contains(b)),
        out_of_range,
        "box_index has values outside [0, batch_size)"
    );
    let corners = boxes
        .slice::<f32>()?
        .chunks_exact(4)
        .map(|x| [x[0], x[1], x[2], x[3]])
        .collect();
    Ok(Sizes {
        image,
        crop,
        corners,
        which: which.into_iter().map(|b| b as usize).collect(),
    })
}

/// The numbers of an image as float32.
fn as_floats(value: &Value) -> Result<Vec<f32>> {
    Ok(match value.dtype() {
        DType::F32 => value.slice::<f32>()?.to_vec(),
        DType::F64 => value.slice::<f64>()?.iter().map(|x| *x as f32).collect(),
        DType::F16 => value
            .slice::<half::f16>()?
            .iter()
            .map(|x| x.to_f32())
            .collect(),
        DType::U8 => value.slice::<u8>()?.iter().map(|x| f32::from(*x)).collect(),
        DType::U16 => value
            .slice::<u16>()?
            .iter()
            .map(|x| f32::from(*x))
            .collect(),
        _ => value.ints()?.into_iter().map(|x| x as f32).collect(),
    })
}

fn crop(c: &mut KernelContext) -> Result<()> {
    let (image, boxes) = (c.input(0)?, c.input(1)?);
    let size = c.ints_input(3)?;
    ensure!(
        size.len() == 2 && size.iter().all(|x| *x > 0),
        invalid,
        "crop dimensions must be positive"
    );
    let s = sizes(
        image.shape().dims(),
        boxes,
        c.ints_input(2)?,
        [size[0] as usize, size[1] as usize],
    )?;
    let outside = c.attrs().float("extrapolation_value")?;
    let is_nearest = c.attrs().str("method")? == "nearest";
    let [_, height, width, depth] = s.image;
    let from = as_floats(image)?;
    let dims = [s.which.len(), s.crop[0], s.crop[1], depth].map(|d| d as i64);
    let mut out = Value::zeros(DType::F32, Shape::new(&dims)?)?;
    let to = out.slice_mut::<f32>()?;
    let mut cells = to.chunks_exact_mut(depth.max(1));
    for (corner, b) in s.corners.iter().zip(&s.which) {
        for i in 0..s.crop[0] {
            let y = line(corner[0], corner[2], i, s.crop[0], height);
            for j in 0..s.crop[1] {
                let Some(cell) = cells.next() else { break };
                let x = line(corner[1], corner[3], j, s.crop[1], width);
                let (Some(y), Some(x)) = (&y, x) else {
                    cell.fill(outside);
                    continue;
                };
                let pixel =
                    |row: usize, column: usize| ((b * height + row) * width + column) * depth;
                if is_nearest {
                    let at = pixel(y.at.round() as usize, x.at.round() as usize);
                    cell.copy_from_slice(&from[at..at + depth]);
                    continue;
                }
                for (d, to) in cell.iter_mut().enumerate() {
                    let at = |row, column| from[pixel(row, column) + d];
                    let top = at(y.low, x.low) + (at(y.low, x.high) - at(y.low, x.low)) * x.part;
                    let bottom =
                        at(y.high, x.low) + (at(y.high, x.high) - at(y.high, x.low)) * x.part;
                    *to = top + (bottom - top) * y.part;
                }
            }
        }
    }
    c.set_output(0, out);
    Ok(())
}

/// Calls `each` with the places and the gradient of each cell that lies in the image.
fn walk(
    s: &Sizes,
    dy: &[f32],
    mut each: impl FnMut(usize, usize, usize, usize, &Line, &Line, &[f32]),
) {
    let [_, height, width, depth] = s.image;
    let mut cells = dy.chunks_exact(depth.max(1));
    for (k, corner) in s.corners.iter().enumerate() {
        for i in 0..s.crop[0] {
            let y = line(corner[0], corner[2], i, s.crop[0], height);
            for j in 0..s.crop[1] {
                let Some(cell) = cells.next() else { return };
                let x = line(corner[1], corner[3], j, s.crop[1], width);
                if let (Some(y), Some(x)) = (&y, &x) {
                    each(k, s.which[k], i, j, y, x, cell);
                }
            }
        }
    }
}

fn crop_of(dy: &Value) -> Result<[usize; 2]> {
    ensure!(
        dy.shape().rank() == 4,
        invalid,
        "grads image must be 4-D{}",
        dy.shape()
    );
    Ok([dy.shape().dim(1), dy.shape().dim(2)])
}

fn grad_image(c: &mut KernelContext) -> Result<()> {
    let dy = c.input(0)?;
    let size = c.ints_input(3)?;
    let s = sizes(&size, c.input(1)?, c.ints_input(2)?, crop_of(dy)?)?;
    let is_nearest = c.attrs().str("method")? == "nearest";
    let [batch, height, width, depth] = s.image;
    ensure!(
        dy.shape().dim(0) == s.which.len() && dy.shape().dim(3) == depth,
        invalid,
        "image_size and grads are incompatible"
    );
    let mut sums = vec![0f32; batch * height * width * depth];
    walk(&s, dy.slice::<f32>()?, |_, b, _, _, y, x, cell| {
        let mut add = |row: usize, column: usize, part: f32| {
            let at = ((b * height + row) * width + column) * depth;
            for (to, g) in sums[at..at + depth].iter_mut().zip(cell) {
                *to += part * g;
            }
        };
        if is_nearest {
            add(y.at.round() as usize, x.at.round() as usize, 1.0);
            return;
        }
        add(y.low, x.low, (1.0 - y.part) * (1.0 - x.part));
        add(y.low, x.high, (1.0 - y.part) * x.part);
        add(y.high, x.low, y.part * (1.0 - x.part));
        add(y.high, x.high, y.part * x.part);
    });
    let shape = Shape::new(&size)?;
    let made = match c.attrs().dtype("T")? {
        DType::F64 => Value::from_slice(
            shape,
            &sums.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(),
        )?,
        DType::F16 => Value::from_slice(
            shape,
            &sums
                .iter()
                .map(|x| half::f16::from_f32(*x))
                .collect::<Vec<_>>(),
        )?,
        _ => Value::from_slice(shape, &sums)?,
    };
    c.set_output(0, made);
    Ok(())
}

fn grad_boxes(c: &mut KernelContext) -> Result<()> {
    let (dy, image) = (c.input(0)?, c.input(1)?);
    let s = sizes(
        image.shape().dims(),
        c.input(2)?,
        c.ints_input(3)?,
        crop_of(dy)?,
    )?;
    let [_, height, width, depth] = s.image;
    ensure!(
        dy.shape().dim(0) == s.which.len() && dy.shape().dim(3) == depth,
        invalid,
        "image and grads are incompatible"
    );
    let from = as_floats(image)?;
    let mut out = vec![[0f32; 4]; s.which.len()];
    let scales = [height, width].map(|n| (n as i64 - 1) as f32);
    walk(&s, dy.slice::<f32>()?, |k, b, i, j, y, x, cell| {
        for (d, g) in cell.iter().enumerate() {
            let at =
                |row: usize, column: usize| from[((b * height + row) * width + column) * depth + d];
            let (tl, tr) = (at(y.low, x.low), at(y.low, x.high));
            let (bl, br) = (at(y.high, x.low), at(y.high, x.high));
            let dy = ((1.0 - x.part) * (bl - tl) + x.part * (br - tr)) * g;
            let dx = ((1.0 - y.part) * (tr - tl) + y.part * (br - bl)) * g;
            for (axis, slope, at, count) in [(0, dy, i, s.crop[0]), (1, dx, j, s.crop[1])] {
                if count > 1 {
                    let ratio = at as f32 * scales[axis] / (count - 1) as f32;
                    out[k][axis] += slope * (scales[axis] - ratio);
                    out[k][axis + 2] += slope * ratio;
                } else {
                    out[k][axis] += slope * 0.5 * scales[axis];
                    out[k][axis + 2] += slope * 0.5 * scales[axis];
                }
            }
        }
    });
    let shape = Shape::new(&[out.len() as i64, 4])?;
    let made = Value::from_slice(shape, out.as_flattened())?;
    c.set_output(0, made);
    Ok(())
}

/// Windows along one axis: size, stride and dilation.
#[derive(Clone, Copy)]
struct Windows {
    size: i64,
    stride: i64,
    rate: i64,
}

fn windows(attrs: &crate::graph::Attrs) -> Result<([Windows; 2], Padding)> {
    let (sizes, strides, rates) = (
        attrs.ints("ksizes")?,
        attrs.ints("strides")?,
        attrs.ints("rates")?,
    );
    for (all, what) in [(sizes, "ksizes"), (strides, "strides"), (rates, "rates")] {
        ensure!(
            all.len() == 4,
            invalid,
            "ExtractImagePatches requires the {what} attribute to contain 4 values, but got: {}",
            all.len()
        );
        ensure!(
            all[0] == 1 && all[3] == 1,
            unimplemented,
            "Only support {what} across space."
        );
        ensure!(
            all.iter().all(|x| *x >= 1),
            out_of_range,
            "{what} is out of range"
        );
    }
    let padding = if attrs.str("padding")? == "SAME" {
        Padding::Same
    } else {
        Padding::Valid
    };
    let axis = |i: usize| Windows {
        size: sizes[i],
        stride: strides[i],
        rate: rates[i],
    };
    Ok(([axis(1), axis(2)], padding))
}

fn patches_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    let (axes, padding) = windows(c.attrs())?;
    let mut dims = vec![image.dim(0)];
    for (i, w) in axes.iter().enumerate() {
        dims.push(shape::window(
            image.dim(i + 1),
            w.size,
            w.stride,
            w.rate,
            padding,
        )?);
    }
    dims.push(shape::mul_dim(image.dim(3), axes[0].size * axes[1].size)?);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// A border of zeros, then a view that steps from window to window and from cell to cell.
fn patches_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    if shape.rank() != 4 || shape.num_elements() == 0 {
        return c.leave_to_host();
    }
    let (axes, padding) = windows(c.attrs())?;
    let mut padded = shape.dims().to_vec();
    let mut pairs = [(0, 0); 4];
    let mut counts = [0i64; 2];
    for (i, w) in axes.iter().enumerate() {
        let size = padded[i + 1];
        counts[i] = shape::window(size, w.size, w.stride, w.rate, padding)?;
        let missing = (counts[i] - 1) * w.stride + (w.size - 1) * w.rate + 1 - size;
        if matches!(padding, Padding::Same) && missing > 0 {
            pairs[i + 1] = (missing / 2, missing - missing / 2);
            padded[i + 1] += missing;
        }
    }
    let out = [
        padded[0],
        counts[0],
        counts[1],
        axes[0].size * axes[1].size * padded[3],
    ];
    let out = Shape::new(&out)?;
    let (image, whole) = (c.input(0)?, Shape::new(&padded)?);
    let filled = Border::Filled([0; 2]);
    let (Some(image), true) = (
        pad(c, &image, &pairs, filled, whole)?,
        out.num_elements() > 0,
    ) else {
        return c.leave_to_host();
    };
    let (row, pixel) = (padded[2] * padded[3], padded[3]);
    let ([y, x], [rows, cols]) = (&axes, counts);
    let view = View {
        start: 0,
        counts: vec![padded[0], rows, cols, y.size, x.size, pixel],
        steps: vec![
            padded[1] * row,
            y.stride * row,
            x.stride * pixel,
            y.rate * row,
            x.rate * pixel,
            1,
        ],
    };
    match copy_view(c, &image, &view, out)? {
        Some(made) => c.set_output(0, made),
        None => c.leave_to_host()?,
    }
    Ok(())
}

fn patches(c: &mut KernelContext) -> Result<()> {
    let image = c.input(0)?;
    ensure!(
        image.shape().rank() == 4,
        invalid,
        "input must be 4-dimensional{}",
        image.shape()
    );
    let (axes, padding) = windows(c.attrs())?;
    let dims = image.shape().dims().to_vec();
    let mut counts = [0i64; 2];
    let mut before = [0i64; 2];
    for (i, w) in axes.iter().enumerate() {
        counts[i] = shape::window(dims[i + 1], w.size, w.stride, w.rate, padding)?;
        let reach = (w.size - 1) * w.rate + 1;
        if matches!(padding, Padding::Same) {
            before[i] = ((counts[i] - 1) * w.stride + reach - dims[i + 1]).max(0) / 2;
        }
    }
    let depth = dims[3] as usize;
    let cells = axes[0].size * axes[1].size * dims[3];
    let mut out = Value::zeros(
        image.dtype(),
        Shape::new(&[dims[0], counts[0], counts[1], cells])?,
    )?;
    dispatch!(plain, image.dtype(), T => {
        let (from, to) = (image.slice::<T>()?, out.slice_mut::<T>()?);
        let mut at = 0;
        for b in 0..dims[0] {
            for i in 0..counts[0] {
                for j in 0..counts[1] {
                    for ki in 0..axes[0].size {
                        let y = i * axes[0].stride + ki * axes[0].rate - before[0];
                        for kj in 0..axes[1].size {
                            let x = j * axes[1].stride + kj * axes[1].rate - before[1];
                            if (0..dims[1]).contains(&y) && (0..dims[2]).contains(&x) {
                                let source = ((b * dims[1] + y) * dims[2] + x) as usize * depth;
                                to[at..at + depth].copy_from_slice(&from[source..source + depth]);
                            }
                            at += depth;
                        }
                    }
                }
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}
