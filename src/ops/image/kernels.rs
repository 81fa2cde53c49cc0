//! Resizing on the CPU.

use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::ops::softmax::Float;
use crate::value::{DType, Shape, Value};
use crate::{dispatch, ensure};

use super::scale::{Axis, Method, Taps};

/// Sizes of an image and of the resized one.
struct Resize {
    batch: usize,
    rows: Axis,
    columns: Axis,
    channels: usize,
}

impl Resize {
    fn new(c: &KernelContext, image: &Shape, height: i64, width: i64) -> Result<Resize> {
        ensure!(
            image.rank() == 4,
            invalid,
            "input must be 4-dimensional{image}"
        );
        let limit = 1..=i64::from(i32::MAX);
        ensure!(
            limit.contains(&height) && limit.contains(&width),
            invalid,
            "output dimensions must be positive"
        );
        ensure!(
            image.dim(1) > 0 && image.dim(2) > 0,
            invalid,
            "input image must be of non-zero size"
        );
        let attrs = c.attrs();
        Ok(Resize {
            batch: image.dim(0),
            rows: Axis::new(image.dim(1), height as usize, attrs)?,
            columns: Axis::new(image.dim(2), width as usize, attrs)?,
            channels: image.dim(3),
        })
    }

    fn out_shape(&self) -> Result<Shape> {
        let dims = [
            self.batch,
            self.rows.output,
            self.columns.output,
            self.channels,
        ];
        Shape::new(&dims.map(|d| d as i64))
    }

    fn in_image(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// Calls `body` with the first element of each pixel of the input and of the output that is nearest to it.
    fn each_nearest(&self, mut body: impl FnMut(usize, usize)) {
        let columns: Vec<usize> = (0..self.columns.output)
            .map(|x| self.columns.nearest(x))
            .collect();
        let mut out = 0;
        for image in 0..self.batch {
            for y in 0..self.rows.output {
                let row = (image * self.rows.input + self.rows.nearest(y)) * self.columns.input;
                for x in &columns {
                    body((row + x) * self.channels, out);
                    out += self.channels;
                }
            }
        }
    }
}

/// The two sizes that input 1 says.
fn size_input(c: &KernelContext) -> Result<(i64, i64)> {
    let size = c.input(1)?;
    ensure!(
        size.shape().rank() == 1,
        invalid,
        "shape_t must be 1-dimensional{}",
        size.shape()
    );
    match size.ints()?[..] {
        [height, width] => Ok((height, width)),
        _ => crate::bail!(invalid, "shape_t must have two elements{}", size.shape()),
    }
}

pub(super) fn nearest(c: &mut KernelContext) -> Result<()> {
    let (height, width) = size_input(c)?;
    let image = c.input(0)?;
    let r = Resize::new(c, image.shape(), height, width)?;
    let mut out = c.allocate(0, r.out_shape()?)?;
    dispatch!(real, image.dtype(), T => {
        let (from, to) = (image.slice::<T>()?, out.slice_mut::<T>()?);
        let n = r.channels;
        r.each_nearest(|i, o| to[o..o + n].copy_from_slice(&from[i..i + n]));
    });
    c.set_output(0, out);
    Ok(())
}

pub(super) fn nearest_grad(c: &mut KernelContext) -> Result<()> {
    let (height, width) = size_input(c)?;
    let dy = c.input(0)?;
    let shape = dy.shape();
    ensure!(
        shape.rank() == 4,
        invalid,
        "input must be 4-dimensional{shape}"
    );
    let original = Shape::new(&[shape.dims()[0], height, width, shape.dims()[3]])?;
    let r = Resize::new(c, &original, shape.dims()[1], shape.dims()[2])?;
    let mut dx = c.allocate(0, original)?;
    dispatch!(real, dy.dtype(), T => {
        let (from, to) = (dy.slice::<T>()?, dx.slice_mut::<T>()?);
        to.fill(T::zero());
        let n = r.channels;
        r.each_nearest(|i, o| {
            for (to, d) in to[i..i + n].iter_mut().zip(&from[o..o + n]) {
                *to = T::plus(*to, *d);
            }
        });
    });
    c.set_output(0, dx);
    Ok(())
}

/// The elements as `float32`.
fn floats(value: &Value) -> Result<Vec<f32>> {
    macro_rules! widened {
        ($($dtype:ident: $t:ty, $widen:expr;)*) => {
            match value.dtype() {
                $(DType::$dtype => value.slice::<$t>()?.iter().map($widen).collect(),)*
                other => crate::bail!(unimplemented, "images of {}", other.short_name()),
            }
        };
    }
    Ok(widened! {
        F32: f32, |x| *x;
        F64: f64, |x| *x as f32;
        F16: half::f16, |x| x.to_f32();
        BF16: half::bf16, |x| x.to_f32();
        U8: u8, |x| f32::from(*x);
        I8: i8, |x| f32::from(*x);
        U16: u16, |x| f32::from(*x);
        I16: i16, |x| f32::from(*x);
        I32: i32, |x| *x as f32;
        I64: i64, |x| *x as f32;
    })
}

pub(super) fn bilinear(c: &mut KernelContext) -> Result<()> {
    let (height, width) = size_input(c)?;
    let image = c.input(0)?;
    let r = Resize::new(c, image.shape(), height, width)?;
    let from = floats(image)?;
    let mut out = c.allocate(0, r.out_shape()?)?;
    let (n, row_len) = (r.channels, r.columns.input * r.channels);
    let columns: Vec<_> = (0..r.columns.output)
        .map(|x| r.columns.between(x))
        .collect();
    let mut to = out.slice_mut::<f32>()?.chunks_exact_mut(n.max(1));
    for image in from.chunks_exact(r.in_image().max(1)) {
        for y in 0..r.rows.output {
            let vertical = r.rows.between(y);
            let top = &image[vertical.lower * row_len..][..row_len];
            let bottom = &image[vertical.upper * row_len..][..row_len];
            for x in &columns {
                let Some(to) = to.next() else { break };
                for (k, to) in to.iter_mut().enumerate() {
                    let (left, right) = (x.lower * n + k, x.upper * n + k);
                    let above = top[left] + (top[right] - top[left]) * x.part;
                    let below = bottom[left] + (bottom[right] - bottom[left]) * x.part;
                    *to = above + (below - above) * vertical.part;
                }
            }
        }
    }
    c.set_output(0, out);
    Ok(())
}

/// Rows first, then columns: each a weighted sum.
pub(super) fn weighted(c: &mut KernelContext, method: Method) -> Result<()> {
    let (height, width) = size_input(c)?;
    let image = c.input(0)?;
    let r = Resize::new(c, image.shape(), height, width)?;
    let from = floats(image)?;
    let mut out = c.allocate(0, r.out_shape()?)?;
    let (n, row_len) = (r.channels, r.columns.input * r.channels);
    let columns: Vec<Taps> = (0..r.columns.output)
        .map(|x| r.columns.taps(x, method))
        .collect();
    let mut to = out.slice_mut::<f32>()?.chunks_exact_mut(n.max(1));
    let mut line = vec![0.0f32; row_len];
    for image in from.chunks_exact(r.in_image().max(1)) {
        for y in 0..r.rows.output {
            line.fill(0.0);
            for (row, weight) in r.rows.taps(y, method) {
                let row = &image[row * row_len..][..row_len];
                line.iter_mut()
                    .zip(row)
                    .for_each(|(to, x)| *to += x * weight);
            }
            for taps in &columns {
                let Some(to) = to.next() else { break };
                for (k, to) in to.iter_mut().enumerate() {
                    *to = taps
                        .iter()
                        .map(|(at, weight)| line[at * n + k] * weight)
                        .sum();
                }
            }
        }
    }
    c.set_output(0, out);
    Ok(())
}

/// Gives each pixel of the gradient back to the pixels that it was made of.
pub(super) fn weighted_grad(c: &mut KernelContext, method: Method) -> Result<()> {
    let (dy, original) = (c.input(0)?, c.input(1)?);
    let (shape, target) = (dy.shape(), original.shape().clone());
    ensure!(
        shape.rank() == 4 && target.rank() == 4,
        invalid,
        "input_grad and original_image must be 4-dimensional, but are {shape} and {target}"
    );
    ensure!(
        shape.dim(0) == target.dim(0) && shape.dim(3) == target.dim(3),
        invalid,
        "batch and channels of input_grad {shape} and original_image {target} must agree"
    );
    let r = Resize::new(c, &target, shape.dims()[1], shape.dims()[2])?;
    let n = r.channels;
    let columns: Vec<Taps> = (0..r.columns.output)
        .map(|x| r.columns.taps(x, method))
        .collect();
    let mut sums = vec![0.0f32; target.num_elements()];
    let mut from = dy.slice::<f32>()?.chunks_exact(n.max(1));
    for image in sums.chunks_exact_mut(r.in_image().max(1)) {
        for y in 0..r.rows.output {
            let rows = r.rows.taps(y, method);
            for taps in &columns {
                let Some(d) = from.next() else { break };
                for (row, vertical) in &rows {
                    for (column, horizontal) in taps {
                        let at = (row * r.columns.input + column) * n;
                        let weight = vertical * horizontal;
                        let to = image[at..at + n].iter_mut();
                        to.zip(d).for_each(|(to, d)| *to += d * weight);
                    }
                }
            }
        }
    }
    let mut dx = c.allocate(0, target)?;
    dispatch!(floats, dx.dtype(), T => {
        for (to, sum) in dx.slice_mut::<T>()?.iter_mut().zip(&sums) {
            *to = T::narrow(T::wide(*sum));
        }
    });
    c.set_output(0, dx);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Attr;
    use crate::ops::testing::{assert_close, attrs, floats, run};

    fn image() -> Value {
        floats(&[1, 2, 3, 1], &[1.0, 2.5, 4.0, 3.0, 7.0, 1.0])
    }

    fn size(h: i32, w: i32) -> Value {
        Value::vector(&[h, w]).unwrap()
    }

    fn given(aligned: bool, half: bool) -> Vec<(&'static str, Attr)> {
        attrs(&[
            ("align_corners", aligned.into()),
            ("half_pixel_centers", half.into()),
        ])
    }

    const PLAIN: (bool, bool) = (false, false);
    const ALIGNED: (bool, bool) = (true, false);
    const HALF: (bool, bool) = (false, true);

    /// What TensorFlow 1.15 makes of the image above, three by five pixels.
    #[test]
    fn each_method_gives_tensorflows_pixels() {
        let cases: &[(&'static str, (bool, bool), [f32; 15])] = &[
            (
                "ResizeNearestNeighbor",
                PLAIN,
                [
                    1.0, 1.0, 2.5, 2.5, 4.0, 1.0, 1.0, 2.5, 2.5, 4.0, 3.0, 3.0, 7.0, 7.0, 1.0,
                ],
            ),
            (
                "ResizeNearestNeighbor",
                ALIGNED,
                [
                    1.0, 2.5, 2.5, 4.0, 4.0, 3.0, 7.0, 7.0, 1.0, 1.0, 3.0, 7.0, 7.0, 1.0, 1.0,
                ],
            ),
            (
                "ResizeNearestNeighbor",
                HALF,
                [
                    1.0, 1.0, 2.5, 4.0, 4.0, 3.0, 3.0, 7.0, 1.0, 1.0, 3.0, 3.0, 7.0, 1.0, 1.0,
                ],
            ),
            (
                "ResizeBilinear",
                PLAIN,
                [
                    1.0, 1.9, 2.8, 3.7, 4.0, 2.3333333, 4.2333336, 4.8, 2.7, 2.0, 3.0, 5.4, 5.8,
                    2.2, 1.0,
                ],
            ),
            (
                "ResizeBilinear",
                ALIGNED,
                [
                    1.0, 1.75, 2.5, 3.25, 4.0, 2.0, 3.375, 4.75, 3.625, 2.5, 3.0, 5.0, 7.0, 4.0,
                    1.0,
                ],
            ),
            (
                "ResizeBilinear",
                HALF,
                [
                    1.0, 1.6, 2.5, 3.4, 4.0, 2.0, 3.1, 4.75, 3.4, 2.5, 3.0, 4.6, 7.0, 3.4, 1.0,
                ],
            ),
            (
                "ResizeBicubic",
                PLAIN,
                [
                    1.0,
                    1.7554023,
                    2.90836,
                    3.7717714,
                    4.161947,
                    2.3710756,
                    4.729712,
                    5.251986,
                    2.6622646,
                    1.5502294,
                    3.2222221,
                    6.576126,
                    6.7068787,
                    1.9734973,
                    -0.07109216,
                ],
            ),
            (
                "ResizeBicubic",
                ALIGNED,
                [
                    1.0, 1.609375, 2.5, 3.390625, 4.0, 2.0, 3.5859375, 4.75, 3.8828125, 2.5, 3.0,
                    5.5625, 7.0, 4.375, 1.0,
                ],
            ),
            (
                "ResizeBicubic",
                HALF,
                [
                    0.7673746, 1.2477605, 2.2035, 3.5571857, 4.3482766, 1.7923046, 3.0666757, 4.75,
                    3.4134941, 2.3300672, 2.817234, 4.88559, 7.2964993, 3.26980186, 0.3118578,
                ],
            ),
        ];
        for (op, (aligned, half), wanted) in cases {
            let y = run(op, &[image(), size(3, 5)], &given(*aligned, *half)).unwrap();
            assert_eq!(y[0].shape().dims(), [1, 3, 5, 1]);
            assert_close(&y[0], wanted);
        }
        let y = run("ResizeArea", &[image(), size(3, 5)], &[]).unwrap();
        assert_close(
            &y[0],
            &[
                1.0, 1.5, 2.5, 3.5, 4.0, 2.0, 2.9166667, 4.75, 3.25, 2.5, 3.0, 4.3333335, 7.0, 3.0,
                1.0,
            ],
        );
    }

    #[test]
    fn gradients_are_tensorflows() {
        let ramp: Vec<f32> = (0..15).map(|i| i as f32).collect();
        let dy = || floats(&[1, 3, 5, 1], &ramp);
        let cases: &[((bool, bool), [f32; 6], [f32; 6], [f32; 6])] = &[
            (
                PLAIN,
                [12.0, 20.0, 13.0, 21.0, 25.0, 14.0],
                [2.8666667, 6.4, 12.4, 19.333334, 26.0, 38.0],
                [0.7344383, 4.08148, 9.523597, 18.663399, 30.077578, 41.91951],
            ),
            (
                ALIGNED,
                [0.0, 3.0, 7.0, 15.0, 36.0, 44.0],
                [4.5, 11.0, 12.0, 19.5, 31.0, 27.0],
                [3.84375, 12.03125, 11.625, 17.90625, 33.90625, 25.6875],
            ),
            (
                HALF,
                [1.0, 2.0, 7.0, 32.0, 19.0, 44.0],
                [4.9, 9.9, 12.7, 20.9, 27.9, 28.7],
                [
                    3.8635743, 7.9443459, 12.3976364, 22.871685, 26.517004, 31.405746,
                ],
            ),
        ];
        for ((aligned, half), nearest, bilinear, bicubic) in cases {
            let given = given(*aligned, *half);
            let made = |op, second| run(op, &[dy(), second], &given).unwrap().remove(0);
            assert_close(&made("ResizeNearestNeighborGrad", size(2, 3)), nearest);
            assert_close(&made("ResizeBilinearGrad", image()), bilinear);
            assert_close(&made("ResizeBicubicGrad", image()), bicubic);
        }
    }

    #[test]
    fn sizes_must_be_positive() {
        let says = |image: Value, size: Value, words: &str| {
            let error = run("ResizeNearestNeighbor", &[image, size], &[]).unwrap_err();
            assert_eq!(error.message, words);
        };
        says(image(), size(0, 2), "output dimensions must be positive");
        says(
            image(),
            Value::vector(&[1i32]).unwrap(),
            "shape_t must have two elements[1]",
        );
        let empty = floats(&[1, 0, 3, 1], &[]);
        says(empty, size(1, 2), "input image must be of non-zero size");
        says(
            floats(&[1], &[0.0]),
            size(1, 2),
            "input must be 4-dimensional[1]",
        );
    }
}
