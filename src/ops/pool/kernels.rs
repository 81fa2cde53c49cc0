//! Pools on the CPU.

use crate::backend::cpu::pool::{self, Geometry};
use crate::backend::cpu::window::{Padding, Window};
use crate::error::{Error, Result};
use crate::ops::kernel::KernelContext;
use crate::ops::layout::Layout;
use crate::ops::softmax::Float;
use crate::value::{DType, Shape, Value};
use crate::{bail, dispatch, ensure};

/// A pool: where the windows lie, and what the output's shape is (channels last).
struct Pool {
    layout: Layout,
    geometry: Geometry,
    out: Shape,
}

/// Window sizes or strides: an attribute, or one of the last two inputs.
fn setting(c: &KernelContext, name: &str, from_end: usize) -> Result<Vec<i64>> {
    match c.attrs().get(name) {
        Some(_) => Ok(c.attrs().ints(name)?.to_vec()),
        None => c.ints_input(c.num_inputs() - from_end),
    }
}

impl Pool {
    /// For an image of `shape`, whose channels are last.
    fn new(c: &KernelContext, shape: &Shape, spatial: usize) -> Result<Pool> {
        let layout = Layout::of(c.attrs())?;
        let rank = spatial + 2;
        ensure!(
            shape.rank() == rank,
            invalid,
            "tensor_in must be {rank}-dimensional, but is {shape}"
        );
        let (sizes, strides) = (setting(c, "ksize", 2)?, setting(c, "strides", 1)?);
        for (all, what) in [(&sizes, "ksize"), (&strides, "strides")] {
            ensure!(
                all.len() == rank && all.iter().all(|n| *n > 0),
                invalid,
                "Sliding window {what} field must specify {rank} positive sizes, but got {all:?}"
            );
        }
        ensure!(
            sizes[0] == 1 && strides[0] == 1,
            unimplemented,
            "Pooling is not yet supported on the batch dimension."
        );
        let padding = match c.attrs().str("padding")? {
            "SAME" => Padding::Same,
            _ => Padding::Valid,
        };
        let window = |input: usize, axis: usize| {
            Window::new(
                input,
                sizes[axis] as usize,
                strides[axis] as usize,
                1,
                padding,
            )
        };
        let channel_axis = layout.channel_axis(rank);
        if sizes[channel_axis] > 1 || strides[channel_axis] > 1 {
            let is_plain = (0..spatial).all(|i| sizes[layout.spatial_axis(i)] == 1);
            return Pool::over_channels(
                layout,
                shape,
                window(shape.dim(rank - 1), channel_axis)?,
                is_plain,
            );
        }
        let mut windows = [Window::POINT; 3];
        let mut dims = shape.dims().to_vec();
        for i in 0..spatial {
            let w = window(shape.dim(1 + i), layout.spatial_axis(i))?;
            windows[3 - spatial + i] = w;
            dims[1 + i] = w.output as i64;
        }
        Ok(Pool {
            layout,
            geometry: Geometry {
                batch: shape.dim(0),
                windows,
                channels: shape.dim(rank - 1),
            },
            out: Shape::new(&dims)?,
        })
    }

    /// The channels are an axis of one-channel images of their own.
    fn over_channels(layout: Layout, shape: &Shape, w: Window, is_plain: bool) -> Result<Pool> {
        ensure!(
            is_plain,
            unimplemented,
            "MaxPooling supports exactly one of pooling across depth or pooling across width/height."
        );
        ensure!(
            w.size == w.stride && w.input.is_multiple_of(w.size),
            unimplemented,
            "Depthwise max pooling requires the depth window to equal the depth stride and to divide the depth."
        );
        let mut dims = shape.dims().to_vec();
        let last = dims.len() - 1;
        dims[last] = w.output as i64;
        Ok(Pool {
            layout,
            geometry: Geometry {
                batch: dims[..last].iter().map(|d| *d as usize).product(),
                windows: [Window::POINT, Window::POINT, w],
                channels: 1,
            },
            out: Shape::new(&dims)?,
        })
    }

    fn finish(&self, c: &mut KernelContext, i: usize, made: Value) -> Result<()> {
        let made = self.layout.into_own_order(made)?;
        c.set_output(i, made);
        Ok(())
    }
}

/// Input `i` with its channels last.
fn image(c: &KernelContext, i: usize) -> Result<Value> {
    Layout::of(c.attrs())?.to_channels_last(c.input(i)?)
}

fn same_shape(value: &Value, wanted: &Shape, what: &str) -> Result<()> {
    ensure!(
        value.shape() == wanted,
        invalid,
        "Expected {what} shape to be {wanted}, but got {}",
        value.shape()
    );
    Ok(())
}

pub(super) fn max(c: &mut KernelContext, spatial: usize) -> Result<()> {
    let x = image(c, 0)?;
    let p = Pool::new(c, x.shape(), spatial)?;
    let mut y = Value::uninit(x.dtype(), p.out.clone())?;
    if x.dtype() == DType::QI8 {
        pool::max(&p.geometry, x.slice::<i8>()?, y.slice_mut::<i8>()?);
    } else if x.dtype() == DType::F32 {
        pool::float::max(&p.geometry, x.slice()?, y.slice_mut()?);
    } else {
        dispatch!(real, x.dtype(), T => {
            pool::max(&p.geometry, x.slice::<T>()?, y.slice_mut::<T>()?)
        });
    }
    p.finish(c, 0, y)
}

/// Adds each element of `dy` to the element of `to` that was the largest of its window.
macro_rules! add_at {
    ($places:expr, $dy:expr, $to:expr, $t:ty) => {
        for (at, d) in $places.iter().zip($dy.slice::<$t>()?) {
            $to[*at] = <$t as crate::backend::cpu::gemm::Number>::plus($to[*at], *d);
        }
    };
}

fn places_of_max(p: &Pool, x: &Value) -> Result<Vec<usize>> {
    dispatch!(real, x.dtype(), T => Ok(pool::argmax(&p.geometry, x.slice::<T>()?)))
}

pub(super) fn max_grad(c: &mut KernelContext, spatial: usize) -> Result<()> {
    let (x, y, dy) = (image(c, 0)?, image(c, 1)?, image(c, 2)?);
    let p = Pool::new(c, x.shape(), spatial)?;
    same_shape(&y, &p.out, "orig_output")?;
    same_shape(&dy, &p.out, "grad")?;
    if x.dtype() == DType::F32 && dy.dtype() == DType::F32 {
        let mut dx = Value::uninit(DType::F32, x.shape().clone())?;
        pool::float::max_grad(&p.geometry, x.slice()?, dy.slice()?, dx.slice_mut()?);
        return p.finish(c, 0, dx);
    }
    let places = places_of_max(&p, &x)?;
    let mut dx = Value::zeros(dy.dtype(), x.shape().clone())?;
    dispatch!(real, dy.dtype(), T => {
        let to = dx.slice_mut::<T>()?;
        add_at!(places, dy, to, T);
    });
    p.finish(c, 0, dx)
}

/// The elements at these places.
fn picked(from: &Value, places: &[usize], shape: &Shape) -> Result<Value> {
    let mut out = Value::uninit(from.dtype(), shape.clone())?;
    dispatch!(real, from.dtype(), T => {
        let all = from.slice::<T>()?;
        for (to, at) in out.slice_mut::<T>()?.iter_mut().zip(places) {
            *to = all[*at];
        }
    });
    Ok(out)
}

pub(super) fn max_grad_grad(c: &mut KernelContext, spatial: usize) -> Result<()> {
    let (x, y, d) = (image(c, 0)?, image(c, 1)?, image(c, 2)?);
    let p = Pool::new(c, x.shape(), spatial)?;
    same_shape(&y, &p.out, "orig_output")?;
    same_shape(&d, x.shape(), "grad")?;
    let out = picked(&d, &places_of_max(&p, &x)?, &p.out)?;
    p.finish(c, 0, out)
}

/// Elements of one image, by which indices are counted from the start of each image.
fn stride_of_batch(c: &KernelContext, shape: &Shape) -> Result<usize> {
    let with_batch = c.attrs().bool("include_batch_in_index")?;
    Ok(match with_batch {
        true => 0,
        false => shape.num_elements().checked_div(shape.dim(0)).unwrap_or(0),
    })
}

pub(super) fn max_with_argmax(c: &mut KernelContext) -> Result<()> {
    let x = image(c, 0)?;
    let p = Pool::new(c, x.shape(), 2)?;
    let places = places_of_max(&p, &x)?;
    let y = picked(&x, &places, &p.out)?;
    let per_image = stride_of_batch(c, x.shape())?;
    let wanted = places.iter().map(|at| match per_image {
        0 => *at as i64,
        n => (at % n) as i64,
    });
    let indices = match c.attrs().dtype("Targmax")? {
        DType::I32 => {
            let narrow = wanted.map(|at| {
                i32::try_from(at).map_err(|_| Error::invalid("indices do not fit in int32"))
            });
            Value::from_slice(p.out.clone(), &narrow.collect::<Result<Vec<_>>>()?)?
        }
        _ => Value::from_slice(p.out.clone(), &wanted.collect::<Vec<i64>>())?,
    };
    c.set_output(0, y);
    c.set_output(1, indices);
    Ok(())
}

/// The places that the indices mean, all within the image.
fn places_of_indices(c: &KernelContext, x: &Shape, out: &Shape) -> Result<Vec<usize>> {
    let indices = c.input(2)?;
    same_shape(indices, out, "argmax")?;
    let per_image = stride_of_batch(c, x)?;
    let per_output = out
        .num_elements()
        .checked_div(out.dim(0))
        .unwrap_or(0)
        .max(1);
    let n = x.num_elements();
    let all = indices.ints()?.into_iter().enumerate();
    all.map(|(i, at)| {
        let place = usize::try_from(at).ok();
        let place = place.and_then(|at| at.checked_add(i / per_output * per_image));
        match place.filter(|at| *at < n) {
            Some(at) => Ok(at),
            None => bail!(
                invalid,
                "Invalid argmax index {at} for an image of shape {x}"
            ),
        }
    })
    .collect()
}

pub(super) fn grad_with_argmax(c: &mut KernelContext) -> Result<()> {
    let (x, dy) = (c.input(0)?.shape().clone(), c.input(1)?.clone());
    let p = Pool::new(c, &x, 2)?;
    same_shape(&dy, &p.out, "grad")?;
    let places = places_of_indices(c, &x, &p.out)?;
    let mut dx = Value::zeros(dy.dtype(), x)?;
    dispatch!(real, dy.dtype(), T => {
        let to = dx.slice_mut::<T>()?;
        add_at!(places, dy, to, T);
    });
    c.set_output(0, dx);
    Ok(())
}

pub(super) fn grad_grad_with_argmax(c: &mut KernelContext) -> Result<()> {
    let (x, d) = (c.input(0)?.shape().clone(), c.input(1)?.clone());
    let p = Pool::new(c, &x, 2)?;
    same_shape(&d, &x, "grad")?;
    let places = places_of_indices(c, &x, &p.out)?;
    let out = picked(&d, &places, &p.out)?;
    c.set_output(0, out);
    Ok(())
}

fn no_channels(p: &Pool, shape: &Shape) -> Result<()> {
    ensure!(
        p.geometry.channels == shape.dim(shape.rank() - 1),
        unimplemented,
        "Non-spatial pooling is not yet supported."
    );
    Ok(())
}

fn count_of<T: Float>(n: usize) -> T::Wide {
    T::wide(n as f32)
}

pub(super) fn mean(c: &mut KernelContext, spatial: usize) -> Result<()> {
    let x = image(c, 0)?;
    let p = Pool::new(c, x.shape(), spatial)?;
    no_channels(&p, x.shape())?;
    let channels = p.geometry.channels;
    let mut y = Value::uninit(x.dtype(), p.out.clone())?;
    if x.dtype() == DType::F32 {
        pool::float::mean(&p.geometry, x.slice()?, y.slice_mut()?);
        return p.finish(c, 0, y);
    }
    dispatch!(floats, x.dtype(), T => {
        let (from, to) = (x.slice::<T>()?, y.slice_mut::<T>()?);
        let mut sums = vec![T::wide(0.0); channels];
        p.geometry.each_window(|pixel, places| {
            sums.fill(T::wide(0.0));
            for place in places {
                for (sum, x) in sums.iter_mut().zip(&from[place * channels..]) {
                    *sum += x.widen();
                }
            }
            let count = count_of::<T>(places.len());
            for (to, sum) in to[pixel * channels..].iter_mut().zip(&sums) {
                *to = T::narrow(*sum / count);
            }
        });
    });
    p.finish(c, 0, y)
}

pub(super) fn mean_grad(c: &mut KernelContext, spatial: usize) -> Result<()> {
    let sizes = c.input(0)?;
    ensure!(
        sizes.shape().rank() == 1 && sizes.num_elements() == spatial + 2,
        invalid,
        "out_backprop must be {0}-dimensional and orig_input_shape must hold {0} sizes",
        spatial + 2
    );
    let layout = Layout::of(c.attrs())?;
    let shape = Shape::new(&layout.sizes_channels_last(&sizes.ints()?))?;
    let dy = image(c, 1)?;
    let p = Pool::new(c, &shape, spatial)?;
    no_channels(&p, &shape)?;
    same_shape(&dy, &p.out, "grad")?;
    let channels = p.geometry.channels;
    if dy.dtype() == DType::F32 {
        let mut dx = Value::uninit(DType::F32, shape)?;
        pool::float::mean_grad(&p.geometry, dy.slice()?, dx.slice_mut()?);
        return p.finish(c, 0, dx);
    }
    let mut dx = Value::zeros(dy.dtype(), shape)?;
    dispatch!(floats, dy.dtype(), T => {
        let (from, to) = (dy.slice::<T>()?, dx.slice_mut::<T>()?);
        p.geometry.each_window(|pixel, places| {
            let count = count_of::<T>(places.len());
            let from = &from[pixel * channels..(pixel + 1) * channels];
            for place in places {
                for (to, d) in to[place * channels..].iter_mut().zip(from) {
                    *to = T::narrow(to.widen() + d.widen() / count);
                }
            }
        });
    });
    p.finish(c, 0, dx)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Attr;
    use crate::ops::testing::{assert_close, attrs, floats, run};

    fn given(k: &[i64], padding: &'static str) -> Vec<(&'static str, Attr)> {
        attrs(&[
            ("ksize", k.to_vec().into()),
            ("strides", k.to_vec().into()),
            ("padding", padding.into()),
        ])
    }

    fn square() -> Value {
        floats(
            &[1, 3, 3, 1],
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        )
    }

    #[test]
    fn padding_counts_neither_for_the_largest_nor_for_the_mean() {
        let same = given(&[1, 2, 2, 1], "SAME");
        let y = run("MaxPool", &[square()], &same).unwrap();
        assert_close(&y[0], &[5.0, 6.0, 8.0, 9.0]);
        let y = run("AvgPool", &[square()], &same).unwrap();
        assert_close(&y[0], &[3.0, 4.5, 7.5, 9.0]);
        let sizes = Value::vector(&[1i32, 3, 3, 1]).unwrap();
        let d = run(
            "AvgPoolGrad",
            &[sizes, floats(&[1, 2, 2, 1], &[4.0, 2.0, 2.0, 1.0])],
            &same,
        );
        assert_close(
            &d.unwrap()[0],
            &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        );
    }

    #[test]
    fn the_gradient_goes_to_the_largest() {
        let same = given(&[1, 2, 2, 1], "SAME");
        let y = run("MaxPool", &[square()], &same).unwrap().remove(0);
        let dy = floats(&[1, 2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
        let dx = run("MaxPoolGrad", &[square(), y.clone(), dy.clone()], &same).unwrap();
        assert_close(&dx[0], &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
        let back = run("MaxPoolGradGrad", &[square(), y, square()], &same).unwrap();
        assert_close(&back[0], &[5.0, 6.0, 8.0, 9.0]);
        let both = run("MaxPoolWithArgmax", &[square()], &same).unwrap();
        assert_eq!(both[1].ints().unwrap(), [4, 5, 7, 8]);
        let dx = run(
            "MaxPoolGradWithArgmax",
            &[square(), dy.clone(), both[1].clone()],
            &same,
        )
        .unwrap();
        assert_close(&dx[0], &[0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 4.0]);
        let far = Value::from_slice(dy.shape().clone(), &[0i64, 1, 2, 9]).unwrap();
        assert!(run("MaxPoolGradWithArgmax", &[square(), dy, far], &same).is_err());
    }

    #[test]
    fn channels_can_be_pooled_by_themselves() {
        let x = floats(&[1, 1, 2, 4], &[1.0, 5.0, 3.0, 2.0, 0.0, -1.0, 7.0, 8.0]);
        let y = run(
            "MaxPool",
            std::slice::from_ref(&x),
            &given(&[1, 1, 1, 2], "VALID"),
        )
        .unwrap();
        assert_eq!(y[0].shape().dims(), [1, 1, 2, 2]);
        assert_close(&y[0], &[5.0, 3.0, 0.0, 8.0]);
        assert!(
            run(
                "AvgPool",
                std::slice::from_ref(&x),
                &given(&[1, 1, 1, 2], "VALID")
            )
            .is_err()
        );
        assert!(run("MaxPool", &[x], &given(&[1, 1, 2, 2], "VALID")).is_err());
    }

    #[test]
    fn volumes_are_pooled_along_three_axes() {
        let x = floats(&[1, 2, 2, 2, 1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let given = given(&[1, 2, 2, 2, 1], "VALID");
        assert_close(
            &run("MaxPool3D", std::slice::from_ref(&x), &given).unwrap()[0],
            &[8.0],
        );
        assert_close(&run("AvgPool3D", &[x], &given).unwrap()[0], &[4.5]);
    }
}
