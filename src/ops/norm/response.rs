//! Local response normalization (Krizhevsky et al., NIPS 2012) across channels.

use crate::ensure;
use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::softmax::Float;
use crate::ops::{Op, shape};
use crate::value::{DType, Value};

use super::gpu;

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("LRN", "input: T -> output: T")
        .attr("depth_radius: int = 5")
        .attr("bias: float = 1.0")
        .attr("alpha: float = 1.0")
        .attr("beta: float = 0.5")
        .attr("T: {float16, bfloat16, float32} = DT_FLOAT32")
        .shape(image_shape)
        .grad(lrn_grad)
        .kernel(lrn)
        .gpu(|c| gpu::response(c, false)),
    Op::new(
        "LRNGrad",
        "input_grads: T, input_image: T, output_image: T -> output: T",
    )
    .attr("depth_radius: int = 5")
    .attr("bias: float = 1.0")
    .attr("alpha: float = 1.0")
    .attr("beta: float = 0.5")
    .attr("T: {float16, bfloat16, float32} = DT_FLOAT32")
    .shape(grad_shape)
    .kernel(lrn_backward)
    .gpu(|c| gpu::response(c, true)),
];

fn image_shape(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    c.set(0, image);
    Ok(())
}

fn grad_shape(c: &mut ShapeContext) -> Result<()> {
    let mut image = c.input_of_rank(0, 4)?;
    for i in 1..3 {
        image = shape::merge(&image, &c.input(i))?;
    }
    c.set(0, image);
    Ok(())
}

fn lrn_grad(g: &mut GradientContext) -> Result<Grads> {
    let (x, y, dy) = (g.input(0), g.output(0), g.dy(0)?);
    let given = ["depth_radius", "bias", "alpha", "beta"];
    let attrs = given.map(|name| (name, g.attr(name).cloned()));
    let attrs: Vec<_> = attrs
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    let made = g.graph.call("LRNGrad", "", [dy, x, y], &attrs)?;
    Ok(vec![Some(made.into())])
}

struct Settings {
    radius: usize,
    bias: f32,
    alpha: f32,
    beta: f32,
}

impl Settings {
    fn of(c: &KernelContext) -> Result<Settings> {
        let attrs = c.attrs();
        let radius = attrs.int("depth_radius")?;
        ensure!(
            (0..=i64::from(i32::MAX)).contains(&radius),
            invalid,
            "depth_radius = {radius} is not a 32-bit count"
        );
        Ok(Settings {
            radius: radius as usize,
            bias: attrs.float("bias")?,
            alpha: attrs.float("alpha")?,
            beta: attrs.float("beta")?,
        })
    }

    /// The channels around channel `k`.
    fn window(&self, k: usize, channels: usize) -> std::ops::Range<usize> {
        k.saturating_sub(self.radius)..(k + self.radius + 1).min(channels)
    }

    /// `bias + alpha * (the sum of squares around channel k)`.
    fn norm(&self, row: &[f32], k: usize) -> f32 {
        let squares = row[self.window(k, row.len())].iter().map(|x| x * x);
        self.bias + self.alpha * squares.sum::<f32>()
    }
}

fn widened(value: &Value) -> Result<Vec<f32>> {
    crate::dispatch!(floats, value.dtype(), T => {
        Ok(value.slice::<T>()?.iter().map(|x| num_traits::ToPrimitive::to_f32(&x.widen()).unwrap_or(f32::NAN)).collect())
    })
}

fn narrowed(dtype: DType, like: &Value, all: Vec<f32>) -> Result<Value> {
    let shape = like.shape().clone();
    match dtype {
        DType::F16 => {
            let all: Vec<_> = all.into_iter().map(half::f16::from_f32).collect();
            Value::from_slice(shape, &all)
        }
        DType::BF16 => {
            let all: Vec<_> = all.into_iter().map(half::bf16::from_f32).collect();
            Value::from_slice(shape, &all)
        }
        _ => Value::from_slice(shape, &all),
    }
}

fn lrn(c: &mut KernelContext) -> Result<()> {
    let settings = Settings::of(c)?;
    let x = c.input(0)?;
    ensure!(x.shape().rank() == 4, invalid, "in must be 4-dimensional");
    let channels = x.shape().dim(3).max(1);
    let all = widened(x)?;
    let mut y = Vec::with_capacity(all.len());
    for row in all.chunks_exact(channels) {
        for (k, x) in row.iter().enumerate() {
            y.push(x * settings.norm(row, k).powf(-settings.beta));
        }
    }
    let y = narrowed(x.dtype(), x, y)?;
    c.set_output(0, y);
    Ok(())
}

fn lrn_backward(c: &mut KernelContext) -> Result<()> {
    let settings = Settings::of(c)?;
    let (dy, x, y) = (c.input(0)?, c.input(1)?, c.input(2)?);
    ensure!(
        x.shape().rank() == 4 && dy.shape() == x.shape() && y.shape() == x.shape(),
        invalid,
        "input_grads, input_image, and out_image should have the same shape"
    );
    let channels = x.shape().dim(3).max(1);
    let (d, a, b) = (widened(dy)?, widened(x)?, widened(y)?);
    let mut dx = vec![0.0f32; a.len()];
    let rows = d.chunks_exact(channels).zip(a.chunks_exact(channels));
    let rows = rows.zip(b.chunks_exact(channels));
    for (((d, a), b), to) in rows.zip(dx.chunks_exact_mut(channels)) {
        for j in 0..channels {
            let norm = settings.norm(a, j);
            let factor = -2.0 * settings.alpha * settings.beta * b[j] / norm * d[j];
            for k in settings.window(j, channels) {
                to[k] += a[k] * factor;
            }
            to[j] += norm.powf(-settings.beta) * d[j];
        }
    }
    let dx = narrowed(x.dtype(), x, dx)?;
    c.set_output(0, dx);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{assert_close, attrs, floats, run};

    #[test]
    fn responses_are_divided_by_their_neighbours() {
        let x = floats(&[1, 1, 1, 3], &[1.0, 2.0, 3.0]);
        let given = attrs(&[("depth_radius", 1i64.into()), ("alpha", 0.5f32.into())]);
        let y = run("LRN", std::slice::from_ref(&x), &given).unwrap();
        let norm = [3.5f32, 8.0, 7.5];
        let wanted: Vec<f32> = norm
            .iter()
            .zip([1.0, 2.0, 3.0])
            .map(|(n, x)| x / n.sqrt())
            .collect();
        assert_close(&y[0], &wanted);
        let ones = floats(&[1, 1, 1, 3], &[1.0; 3]);
        let d = run("LRNGrad", &[ones.clone(), x.clone(), y[0].clone()], &given).unwrap();
        // Against a difference quotient.
        let (h, mut slopes) = (1e-2f32, Vec::new());
        for k in 0..3 {
            let sum = |step: f32| -> f32 {
                let mut all = [1.0, 2.0, 3.0];
                all[k] += step;
                let y = run("LRN", &[floats(&[1, 1, 1, 3], &all)], &given).unwrap();
                y[0].slice::<f32>().unwrap().iter().sum()
            };
            slopes.push((sum(h) - sum(-h)) / (2.0 * h));
        }
        for (x, y) in d[0].slice::<f32>().unwrap().iter().zip(slopes) {
            assert!((x - y).abs() < 1e-3, "{x} {y}");
        }
    }
}
