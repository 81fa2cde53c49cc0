//! Colours: hue, saturation and contrast.

use crate::backend::gpu::{Shader, groups_for};
use crate::error::Result;
use crate::expr::Expr;
use crate::graph::ShapeContext;
use crate::ops::gpu::GpuContext;
use crate::ops::kernel::KernelContext;
use crate::ops::reduce::gpu::{Fold, fold_into};
use crate::ops::softmax::Float;
use crate::ops::{Op, shape};
use crate::value::{DType, Shape};
use crate::{dispatch, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("RGBToHSV", "images: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64} = DT_FLOAT32")
        .shape(colours_shape)
        .kernel(|c| each_pixel(c, |rgb, _| to_hsv(rgb)))
        .gpu(|c| each_pixel_on_gpu(c, 0)),
    Op::new("HSVToRGB", "images: T -> output: T")
        .attr("T: {float16, bfloat16, float32, float64} = DT_FLOAT32")
        .shape(colours_shape)
        .no_grad()
        .kernel(|c| each_pixel(c, |hsv, _| to_rgb(hsv)))
        .gpu(|c| each_pixel_on_gpu(c, 1)),
    Op::new("AdjustHue", "images: T, delta: float32 -> output: T")
        .attr("T: {float16, float32} = DT_FLOAT32")
        .shape(image_shape)
        .kernel(|c| {
            each_pixel(c, |rgb, delta| {
                let [h, s, v] = to_hsv(rgb);
                let turned = h + delta;
                to_rgb([turned - turned.floor(), s, v])
            })
        })
        .gpu(|c| each_pixel_on_gpu(c, 2))
        .on_host(&[1]),
    Op::new("AdjustSaturation", "images: T, scale: float32 -> output: T")
        .attr("T: {float16, float32} = DT_FLOAT32")
        .shape(image_shape)
        .kernel(|c| {
            each_pixel(c, |rgb, scale| {
                let [h, s, v] = to_hsv(rgb);
                to_rgb([h, (s * scale).clamp(0.0, 1.0), v])
            })
        })
        .gpu(|c| each_pixel_on_gpu(c, 3))
        .on_host(&[1]),
    Op::new(
        "AdjustContrastv2",
        "images: T, contrast_factor: float32 -> output: T",
    )
    .attr("T: {float16, float32} = DT_FLOAT32")
    .shape(image_shape)
    .kernel(contrast)
    .gpu(contrast_on_gpu)
    .on_host(&[1]),
];

fn image_shape(c: &mut ShapeContext) -> Result<()> {
    shape::at_least(&c.input(0), 3)?;
    shape::unchanged(c)
}

/// The last axis holds three colours.
fn colours_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input(0);
    shape::at_least(&image, 1)?;
    let mut made = image.clone();
    if let Some(rank) = image.rank() {
        shape::dim_is(image.dim(rank - 1), 3)?;
        made.set_dim(rank - 1, 3);
    }
    c.set(0, made);
    Ok(())
}

/// Hue, saturation and value of a colour, each between 0 and 1.
fn to_hsv([r, g, b]: [f64; 3]) -> [f64; 3] {
    let value = r.max(g).max(b);
    let range = value - r.min(g).min(b);
    let saturation = if value > 0.0 { range / value } else { 0.0 };
    if range <= 0.0 {
        return [0.0, saturation, value];
    }
    let norm = 1.0 / (6.0 * range);
    let hue = if r == value {
        norm * (g - b)
    } else if g == value {
        norm * (b - r) + 2.0 / 6.0
    } else {
        norm * (r - g) + 4.0 / 6.0
    };
    [if hue < 0.0 { hue + 1.0 } else { hue }, saturation, value]
}

fn to_rgb([h, s, v]: [f64; 3]) -> [f64; 3] {
    let sector = h * 6.0;
    let shares = [
        (sector - 3.0).abs() - 1.0,
        2.0 - (sector - 2.0).abs(),
        2.0 - (sector - 4.0).abs(),
    ];
    shares.map(|x| ((1.0 - s) + s * x.clamp(0.0, 1.0)) * v)
}

/// Maps every pixel; the second argument is input 1, where there is one.
fn each_pixel(c: &mut KernelContext, map: fn([f64; 3], f64) -> [f64; 3]) -> Result<()> {
    let amount = match c.num_inputs() {
        1 => 0.0,
        _ => f64::from(c.scalar_input(1, "the amount of change")?.item::<f32>()?),
    };
    let image = c.input(0)?;
    ensure!(
        image.shape().dims().last() == Some(&3),
        invalid,
        "images must have 3 channels in their last dimension, but have shape {}",
        image.shape()
    );
    let mut out = c.allocate(0, image.shape().clone())?;
    dispatch!(floats, image.dtype(), T => {
        let pixels = image.slice::<T>()?.chunks_exact(3);
        for (from, to) in pixels.zip(out.slice_mut::<T>()?.chunks_exact_mut(3)) {
            let made = map([0, 1, 2].map(|k| f64::from(from[k].widen())), amount);
            for (to, x) in to.iter_mut().zip(made) {
                *to = T::narrow(x as <T as Float>::Wide);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

/// The map of this number in `shaders/colors.wgsl`.
fn each_pixel_on_gpu(c: &mut GpuContext, kind: u32) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let amount = match c.num_inputs() {
        1 => 0.0,
        _ => c.host_input(1)?.item::<f32>()?,
    };
    let is_right = shape.dims().last() == Some(&3) && (1..1 << 31).contains(&shape.num_elements());
    if c.dtype(0)? != DType::F32 || !is_right {
        return c.leave_to_host();
    }
    let x = c.input(0)?;
    let y = c.allocate(0, shape)?;
    let pixels = y.num_elements() / 3;
    let shader = Shader::file("colors", &[("KIND", kind)]);
    let params = [pixels as u32, amount.to_bits()];
    c.launch(&shader, &[&x, &y], &params, groups_for(pixels))?;
    c.set_output(0, y);
    Ok(())
}

fn contrast_on_gpu(c: &mut GpuContext) -> Result<()> {
    let shape = c.shape(0)?.clone();
    let factor = c.host_input(1)?;
    let is_right = shape.rank() >= 3 && factor.num_elements() == 1 && shape.num_elements() > 0;
    if c.dtype(0)? != DType::F32 || !is_right {
        return c.leave_to_host();
    }
    let rank = shape.rank();
    let (pixels, channels) = (
        shape.dim(rank - 3) * shape.dim(rank - 2),
        shape.dim(rank - 1),
    );
    let images = shape.num_elements() / pixels / channels;
    let mut dims = shape.dims().to_vec();
    dims[rank - 3..rank - 1].fill(1);
    let x = c.input(0)?;
    let means = c.allocate_as(DType::F32, Shape::new(&dims)?)?;
    fold_into(
        c,
        &x,
        [images, pixels, channels],
        Fold::Mean,
        pixels,
        &means,
    )?;
    let moved = |x: &[Expr]| (&x[0] - &x[1]) * &x[2] + &x[1];
    let made = c.map(moved, &[&x, &means, &factor], &shape, None)?;
    c.set_output(0, made);
    Ok(())
}

/// Moves each channel of each image away from its mean.
fn contrast(c: &mut KernelContext) -> Result<()> {
    let factor = f64::from(c.scalar_input(1, "contrast_factor")?.item::<f32>()?);
    let image = c.input(0)?;
    let shape: &Shape = image.shape();
    let rank = shape.rank();
    ensure!(
        rank >= 3,
        invalid,
        "input must be at least 3-D, got shape{shape}"
    );
    let channels = shape.dim(rank - 1);
    let each = shape.dims()[rank - 3..]
        .iter()
        .map(|d| *d as usize)
        .product::<usize>();
    let mut out = c.allocate(0, shape.clone())?;
    if image.num_elements() == 0 {
        c.set_output(0, out);
        return Ok(());
    }
    dispatch!(floats, image.dtype(), T => {
        let images = image.slice::<T>()?.chunks_exact(each);
        for (from, to) in images.zip(out.slice_mut::<T>()?.chunks_exact_mut(each)) {
            let mut means = vec![0.0f64; channels];
            for (i, x) in from.iter().enumerate() {
                means[i % channels] += f64::from(x.widen());
            }
            means.iter_mut().for_each(|m| *m /= (each / channels) as f64);
            for (i, (to, x)) in to.iter_mut().zip(from).enumerate() {
                let mean = means[i % channels];
                let moved = (f64::from(x.widen()) - mean) * factor + mean;
                *to = T::narrow(moved as <T as Float>::Wide);
            }
        }
    });
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_close, floats, run};
    use crate::value::Value;

    /// The numbers are TensorFlow's.
    #[test]
    fn colours_turn_as_tensorflows_do() {
        let rgb = || floats(&[1, 3, 3], &[0.2, 0.5, 0.9, 1.0, 0.0, 0.0, 0.3, 0.3, 0.3]);
        let hsv = run("RGBToHSV", &[rgb()], &[]).unwrap().remove(0);
        assert_close(
            &hsv,
            &[0.5952381, 0.7777778, 0.9, 0.0, 1.0, 1.0, 0.0, 0.0, 0.3],
        );
        let back = run("HSVToRGB", &[hsv], &[]).unwrap().remove(0);
        assert_close(&back, rgb().slice::<f32>().unwrap());
        let amount = |x: f32| Value::scalar(x).unwrap();
        let y = run("AdjustHue", &[rgb(), amount(0.3)], &[]).unwrap();
        assert_close(&y[0], &[0.9, 0.2, 0.64, 0.2, 1.0, 0.0, 0.3, 0.3, 0.3]);
        let y = run("AdjustSaturation", &[rgb(), amount(0.3)], &[]).unwrap();
        assert_close(&y[0], &[0.69, 0.78, 0.9, 1.0, 0.7, 0.7, 0.3, 0.3, 0.3]);
        let y = run("AdjustContrastv2", &[rgb(), amount(0.3)], &[]).unwrap();
        let head = floats(&[5], &y[0].slice::<f32>().unwrap()[..5]);
        assert_close(&head, &[0.41, 0.33666667, 0.55, 0.65, 0.18666667]);
        assert!(run("RGBToHSV", &[floats(&[2], &[1.0, 2.0])], &[]).is_err());
    }
}
