//! Batch normalization (Ioffe and Szegedy, ICML 2015) in one op, and its gradient.

use crate::backend::cpu::channels;
use crate::error::Result;
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::ops::build::{In, ints};
use crate::ops::gradient::{Grad, GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::layout::Layout;
use crate::ops::softmax::Float;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::gpu;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("FusedBatchNorm", "x: T, scale: T, offset: T, mean: T, variance: T -> y: T, batch_mean: T, batch_variance: T, reserve_space_1: T, reserve_space_2: T").attr("T: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(forward_shape).grad(|g| forward_grad(g, "FusedBatchNormGrad")).kernel(forward).gpu(gpu::batch_norm).ends(),
    Op::new("FusedBatchNormV2", "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U").attr("T: {float16, bfloat16, float32}").attr("U: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(forward_shape).grad(|g| forward_grad(g, "FusedBatchNormGradV2")).kernel(forward).gpu(gpu::batch_norm).ends(),
    Op::new("FusedBatchNormV3", "x: T, scale: U, offset: U, mean: U, variance: U -> y: T, batch_mean: U, batch_variance: U, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U").attr("T: {float16, bfloat16, float32}").attr("U: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(forward_shape).grad(|g| forward_grad(g, "FusedBatchNormGradV3")).kernel(forward).gpu(gpu::batch_norm).ends(),
    Op::new("FusedBatchNormGrad", "y_backprop: T, x: T, scale: T, reserve_space_1: T, reserve_space_2: T -> x_backprop: T, scale_backprop: T, offset_backprop: T, reserve_space_3: T, reserve_space_4: T").attr("T: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(backward_shape).kernel(backward).gpu(gpu::batch_norm_gradient),
    Op::new("FusedBatchNormGradV2", "y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U -> x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_3: U, reserve_space_4: U").attr("T: {float16, bfloat16, float32}").attr("U: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(backward_shape).kernel(backward).gpu(gpu::batch_norm_gradient),
    Op::new("FusedBatchNormGradV3", "y_backprop: T, x: T, scale: float32, reserve_space_1: U, reserve_space_2: U, reserve_space_3: U -> x_backprop: T, scale_backprop: U, offset_backprop: U, reserve_space_4: U, reserve_space_5: U").attr("T: {float16, bfloat16, float32}").attr("U: {float32}").attr("epsilon: float = 9.999999747378752e-05").attr("data_format: {'NHWC', 'NCHW'} = 'NHWC'").attr("is_training: bool = true").shape(backward_shape).kernel(backward).gpu(gpu::batch_norm_gradient),
];

/// The image's shape with the channels on which all vectors agree.
fn with_channels(
    c: &ShapeContext,
    image: PartialShape,
    vectors: &[usize],
) -> Result<(PartialShape, i64)> {
    let axis = Layout::of(c.attrs())?.channel_axis(4);
    let mut channels = image.dim(axis);
    for i in vectors {
        channels = shape::merge_dim(channels, c.input_of_rank(*i, 1)?.dim(0))?;
    }
    let mut image = image;
    image.set_dim(axis, channels);
    Ok((image, channels))
}

fn forward_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    // While training, mean and variance are not read and may be empty.
    let vectors: &[usize] = match c.attrs().bool("is_training")? {
        true => &[1, 2],
        false => &[1, 2, 3, 4],
    };
    let (image, channels) = with_channels(c, image, vectors)?;
    c.set(0, image);
    for i in 1..5 {
        c.set(i, PartialShape::vector(channels));
    }
    Ok(())
}

fn backward_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    let image = shape::merge(&image, &c.input_of_rank(1, 4)?)?;
    let is_training = c.attrs().bool("is_training")?;
    let (image, channels) = with_channels(c, image, &[2, 3, 4])?;
    c.set(0, image);
    c.set(1, PartialShape::vector(channels));
    c.set(2, PartialShape::vector(channels));
    for i in 3..5 {
        c.set(
            i,
            PartialShape::vector(if is_training { 0 } else { channels }),
        );
    }
    Ok(())
}

/// `tf.transpose(e, axes)`.
fn transpose(g: &mut GradientContext, e: Endpoint, axes: &[i64]) -> Result<Endpoint> {
    let perm = In::Plain("perm", ints(axes)?);
    g.graph
        .call("Transpose", "transpose", [e.into(), perm], &[])
}

fn forward_grad(g: &mut GradientContext, op: &'static str) -> Result<Grads> {
    let attrs = &g.node().attrs;
    let is_training = attrs.bool("is_training")?;
    let is_first = Layout::of(attrs)?.is_channels_first();
    let epsilon = Attr::Float(attrs.float("epsilon")?);
    let format = match is_training {
        true => Attr::from(attrs.str("data_format")?),
        false => Attr::from("NHWC"),
    };
    let (mut dy, mut x) = (g.dy(0)?, g.input(0));
    let (mean, variance) = match is_training {
        true => (g.output(3), g.output(4)),
        false => (g.input(3), g.input(4)),
    };
    if !is_training && is_first {
        x = transpose(g, x, &[0, 2, 3, 1])?;
        dy = transpose(g, dy, &[0, 2, 3, 1])?;
    }
    let mut inputs = vec![dy, x, g.input(1), mean, variance];
    if op == "FusedBatchNormGradV3" {
        inputs.push(g.output(5));
    }
    let attrs = [
        ("epsilon", epsilon),
        ("data_format", format),
        ("is_training", Attr::Bool(is_training)),
    ];
    let made = g.graph.call(op, "", inputs, &attrs)?;
    let output = |i| Some(Grad::Dense(Endpoint::new(made.node, i)));
    if is_training {
        return Ok((0..5).map(output).collect());
    }
    let mut dx = made;
    if is_first {
        dx = transpose(g, dx, &[0, 3, 1, 2])?;
    }
    Ok(vec![Some(dx.into()), output(1), output(2), None, None])
}

/// The image as `float32` with its channels last.
fn image(value: &Value, layout: Layout) -> Result<Value> {
    let value = layout.to_channels_last(value)?;
    if value.dtype() == DType::F32 {
        return Ok(value);
    }
    let wide: Vec<f32> = match value.dtype() {
        DType::F16 => value
            .slice::<half::f16>()?
            .iter()
            .map(|x| x.widen())
            .collect(),
        DType::BF16 => value
            .slice::<half::bf16>()?
            .iter()
            .map(|x| x.widen())
            .collect(),
        other => bail!(
            unimplemented,
            "batch normalization of {}",
            other.short_name()
        ),
    };
    Value::from_slice(value.shape().clone(), &wide)
}

/// The result in the type and layout that the node wants.
fn narrow(made: Value, dtype: DType, layout: Layout) -> Result<Value> {
    let shape = made.shape().clone();
    let made = match dtype {
        DType::F16 => {
            let all: Vec<_> = made
                .slice::<f32>()?
                .iter()
                .map(|x| half::f16::narrow(*x))
                .collect();
            Value::from_slice(shape, &all)?
        }
        DType::BF16 => {
            let all: Vec<_> = made
                .slice::<f32>()?
                .iter()
                .map(|x| half::bf16::narrow(*x))
                .collect();
            Value::from_slice(shape, &all)?
        }
        _ => made,
    };
    layout.into_own_order(made)
}

/// Input `i`, a vector with one element for each channel.
fn channel_vector<'a>(
    c: &'a KernelContext,
    i: usize,
    channels: usize,
    what: &str,
) -> Result<&'a [f32]> {
    let v = c.input(i)?;
    ensure!(
        v.shape().rank() == 1,
        invalid,
        "{what} must be 1-dimensional{}",
        v.shape()
    );
    ensure!(
        v.shape().dim(0) == channels,
        invalid,
        "{what} must have {channels} elements, one for each channel, but has {}",
        v.shape().dim(0)
    );
    v.slice::<f32>()
}

fn mean_of(sums: &[f64], count: usize) -> Vec<f32> {
    let n = (count as f64).max(1.0);
    sums.iter().map(|s| (s / n) as f32).collect()
}

fn forward(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let layout = Layout::of(attrs)?;
    let (epsilon, is_training) = (attrs.float("epsilon")?, attrs.bool("is_training")?);
    let shape = c.input(0)?.shape();
    ensure!(
        shape.rank() == 4,
        invalid,
        "input must be 4-dimensional{shape}"
    );
    let x = image(c.input(0)?, layout)?;
    let depth = x.shape().dim(3);
    let scale = channel_vector(c, 1, depth, "scale")?;
    let offset = channel_vector(c, 2, depth, "offset")?;
    let pixels = x.num_elements().checked_div(depth).unwrap_or(0);
    let all = x.slice::<f32>()?;
    let (mean, variance) = match is_training {
        true => {
            let narrow = |all: Vec<f64>| all.into_iter().map(|x| x as f32).collect::<Vec<_>>();
            let [mean, variance] = channels::moments(all, depth);
            (narrow(mean), narrow(variance))
        }
        false => (
            channel_vector(c, 3, depth, "estimated_mean")?.to_vec(),
            channel_vector(c, 4, depth, "estimated_variance")?.to_vec(),
        ),
    };
    let factor: Vec<f32> = variance
        .iter()
        .zip(scale)
        .map(|(v, s)| s / (v + epsilon).sqrt())
        .collect();
    let mut y = Value::uninit(DType::F32, x.shape().clone())?;
    channels::affine(all, [&mean, &factor, offset], y.slice_mut::<f32>()?);
    let y = narrow(y, c.input(0)?.dtype(), layout)?;
    // The running variance is the unbiased one; the gradient needs the other.
    let bessel = match is_training {
        true => pixels as f32 / (pixels as f32 - 1.0).max(1.0),
        false => 1.0,
    };
    let unbiased: Vec<f32> = variance.iter().map(|v| v * bessel).collect();
    c.set_output(0, y);
    c.set_output(1, Value::vector(&mean)?);
    c.set_output(2, Value::vector(&unbiased)?);
    c.set_output(3, Value::vector(&mean)?);
    c.set_output(4, Value::vector(&variance)?);
    if c.num_outputs() > 5 {
        c.set_output(5, Value::scalar(0.0f32)?);
    }
    Ok(())
}

fn backward(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let layout = Layout::of(attrs)?;
    let (epsilon, is_training) = (attrs.float("epsilon")?, attrs.bool("is_training")?);
    let (shape_dy, shape_x) = (c.input(0)?.shape(), c.input(1)?.shape());
    ensure!(
        shape_dy.rank() == 4 && shape_dy == shape_x,
        invalid,
        "x and y_backprop must be 4-dimensional and of one shape, but are {shape_x} and {shape_dy}"
    );
    let dtype = c.input(1)?.dtype();
    let dy = image(c.input(0)?, layout)?;
    let x = image(c.input(1)?, layout)?;
    let depth = x.shape().dim(3);
    let scale = channel_vector(c, 2, depth, "scale")?;
    let mean = channel_vector(c, 3, depth, "reserve_space_1")?;
    let variance = channel_vector(c, 4, depth, "reserve_space_2")?;
    let pixels = x.num_elements().checked_div(depth).unwrap_or(0);
    let (a, d) = (x.slice::<f32>()?, dy.slice::<f32>()?);
    let [sums, products] = channels::products(a, d, mean);
    let inverse: Vec<f32> = variance
        .iter()
        .map(|v| 1.0 / (v + epsilon).sqrt())
        .collect();
    let d_scale: Vec<f32> = products
        .iter()
        .zip(&inverse)
        .map(|(p, r)| (p * f64::from(*r)) as f32)
        .collect();
    let d_offset: Vec<f32> = sums.iter().map(|s| *s as f32).collect();
    let (mean_dy, mean_product) = match is_training {
        true => (mean_of(&sums, pixels), mean_of(&products, pixels)),
        false => (vec![0.0; depth], vec![0.0; depth]),
    };
    let slope: Vec<f32> = mean_product
        .iter()
        .zip(&inverse)
        .map(|(p, r)| p * r * r)
        .collect();
    let factor: Vec<f32> = scale.iter().zip(&inverse).map(|(s, r)| s * r).collect();
    let mut dx = Value::uninit(DType::F32, x.shape().clone())?;
    let by_channel = [mean, &mean_dy, &slope, &factor];
    channels::backward(a, d, by_channel, dx.slice_mut::<f32>()?);
    let dx = narrow(dx, dtype, layout)?;
    c.set_output(0, dx);
    c.set_output(1, Value::vector(&d_scale)?);
    c.set_output(2, Value::vector(&d_offset)?);
    for i in 3..5 {
        c.set_output(i, Value::zeros(DType::F32, Shape::scalar())?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, attrs, floats, of, run, shapes};

    /// The values are TensorFlow's for this image.
    fn image_of_72() -> Value {
        let all: Vec<f32> = (0..72).map(|i| (i % 7) as f32).collect();
        floats(&[2, 3, 3, 4], &all)
    }

    #[test]
    fn training_normalizes_with_the_moments_of_the_batch() {
        let scale = floats(&[4], &[0.5, 1.0, 1.5, 2.0]);
        let none = floats(&[0], &[]);
        let inputs = [image_of_72(), scale.clone(), scale, none.clone(), none];
        let y = run("FusedBatchNormV3", &inputs, &[]).unwrap();
        assert_close(&y[1], &[2.8888888, 3.1111112, 2.9444444, 2.777778]);
        assert_close(&y[2], &[4.339869, 4.3398695, 4.4084973, 4.06536]);
        assert_close(&y[4], &[4.098765, 4.0987654, 4.1635804, 3.8395064]);
        let head = floats(&[6], &y[0].slice::<f32>().unwrap()[..6]);
        let wanted = [
            -0.21345896,
            -0.04274774,
            0.80572915,
            2.2268162,
            0.7744073,
            1.9329848,
        ];
        assert_close(&head, &wanted);
    }

    #[test]
    fn the_gradient_with_given_moments_is_plain_scaling() {
        let scale = floats(&[4], &[0.5, 1.0, 1.5, 2.0]);
        let ones = floats(&[2, 3, 3, 4], &[1.0; 72]);
        let inputs = [ones, image_of_72(), scale.clone(), scale.clone(), scale];
        let y = run(
            "FusedBatchNormGrad",
            &inputs,
            &attrs(&[("is_training", false.into())]),
        )
        .unwrap();
        assert_close(&y[1], &[60.805103, 37.9981, 21.228203, 9.899248]);
        assert_close(&y[2], &[18.0; 4]);
        let head = floats(&[4], &y[0].slice::<f32>().unwrap()[..4]);
        assert_close(&head, &[0.7070361, 0.99995005, 1.224704, 1.4141783]);
    }

    #[test]
    fn the_gradient_while_training_has_no_mean() {
        let scale = floats(&[2], &[1.0, 2.0]);
        let x = floats(&[1, 2, 2, 2], &[1.0, 2.0, 5.0, 3.0, 2.0, 8.0, 4.0, 1.0]);
        let none = floats(&[0], &[]);
        let y = run(
            "FusedBatchNorm",
            &[x.clone(), scale.clone(), scale.clone(), none.clone(), none],
            &[],
        )
        .unwrap();
        let dy = floats(&[1, 2, 2, 2], &[1.0, 0.0, 0.0, 2.0, 1.0, 3.0, 0.0, 1.0]);
        let d = run(
            "FusedBatchNormGrad",
            &[dy, x, scale, y[3].clone(), y[4].clone()],
            &[],
        )
        .unwrap();
        let dx = d[0].slice::<f32>().unwrap();
        for k in 0..2 {
            let sum: f32 = dx.iter().skip(k).step_by(2).sum();
            assert!(sum.abs() < 1e-5);
        }
        assert_close(&d[2], &[2.0, 6.0]);
    }

    #[test]
    fn channels_must_agree() {
        let four = || of(&[4]);
        let error = shapes(
            "FusedBatchNorm",
            &[of(&[2, 3, 4, 5]), four(), four(), four(), four()],
            &[],
        )
        .unwrap_err();
        assert!(
            error
                .message
                .starts_with("Dimensions must be equal, but are 5 and 4"),
            "{error}"
        );
        let made = shapes(
            "FusedBatchNormV3",
            &[of(&[2, -1, 4, -1]), four(), four(), of(&[0]), of(&[0])],
            &[],
        )
        .unwrap();
        assert_eq!(made, ["[2,?,4,4]", "[4]", "[4]", "[4]", "[4]", "?"]);
    }
}
