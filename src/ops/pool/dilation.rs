//! Grayscale dilation: the greatest sum of image and filter under a moving window.

use crate::backend::cpu::gemm::Number;
use crate::error::Result;
use crate::graph::{Attr, Attrs, NodeSpec, ShapeContext};
use crate::ops::Op;
use crate::ops::gradient::{GradientContext, Grads};
use crate::ops::kernel::KernelContext;
use crate::ops::shape::{self, Padding};
use crate::value::{PartialShape, Shape, Value};
use crate::{dispatch, ensure};

#[rustfmt::skip]
pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("Dilation2D", "input: T, filter: T -> output: T").attr("T: realnumbertype").attr("strides: list(int) >= 4").attr("rates: list(int) >= 4").attr("padding: {'SAME', 'VALID'}").shape(window_shape).grad(grad).kernel(|c| run(c, Wanted::Output)),
    Op::new("Dilation2DBackpropInput", "input: T, filter: T, out_backprop: T -> in_backprop: T").attr("T: realnumbertype").attr("strides: list(int) >= 4").attr("rates: list(int) >= 4").attr("padding: {'SAME', 'VALID'}").shape(|c| as_input(c, 0)).kernel(|c| run(c, Wanted::Image)),
    Op::new("Dilation2DBackpropFilter", "input: T, filter: T, out_backprop: T -> filter_backprop: T").attr("T: realnumbertype").attr("strides: list(int) >= 4").attr("rates: list(int) >= 4").attr("padding: {'SAME', 'VALID'}").shape(|c| as_input(c, 1)).kernel(|c| run(c, Wanted::Filter)),
];

#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Output,
    Image,
    Filter,
}

fn as_input(c: &mut ShapeContext, i: usize) -> Result<()> {
    let input = c.input(i);
    c.set(0, input);
    Ok(())
}

/// Steps and rates along the two axes of the image.
fn steps(attrs: &Attrs) -> Result<([i64; 2], [i64; 2], Padding)> {
    let (strides, rates) = (attrs.ints("strides")?, attrs.ints("rates")?);
    for (all, what) in [(strides, "stride"), (rates, "rates")] {
        ensure!(
            all.len() == 4,
            invalid,
            "Dilation2D requires the {what} attribute to contain 4 values, but got: {}",
            all.len()
        );
        ensure!(
            all[0] == 1 && all[3] == 1,
            invalid,
            "{what} is only supported across spatial dimensions."
        );
        ensure!(
            all.iter().all(|x| *x >= 1),
            invalid,
            "{what} must be positive, but got {all:?}"
        );
    }
    let padding = match attrs.str("padding")? {
        "SAME" => Padding::Same,
        _ => Padding::Valid,
    };
    Ok(([strides[1], strides[2]], [rates[1], rates[2]], padding))
}

fn window_shape(c: &mut ShapeContext) -> Result<()> {
    let (image, filter) = (c.input_of_rank(0, 4)?, c.input_of_rank(1, 3)?);
    let (strides, rates, padding) = steps(c.attrs())?;
    let depth = shape::merge_dim(image.dim(3), filter.dim(2))?;
    let mut dims = vec![image.dim(0)];
    for axis in 0..2 {
        let (size, filter) = (image.dim(axis + 1), filter.dim(axis));
        dims.push(shape::window(
            size,
            filter,
            strides[axis],
            rates[axis],
            padding,
        )?);
    }
    dims.push(depth);
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn grad(g: &mut GradientContext) -> Result<Grads> {
    let (image, filter, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let mut made = Vec::new();
    for op in ["Dilation2DBackpropInput", "Dilation2DBackpropFilter"] {
        let mut spec = NodeSpec::new(op).input(image).input(filter).input(dy);
        for name in ["strides", "rates", "padding"] {
            let value: Option<Attr> = g.attr(name).cloned();
            if let Some(value) = value {
                spec.attrs.set(name, value);
            }
        }
        made.push(Some(g.make(spec)?.into()));
    }
    Ok(made)
}

/// Where the windows lie.
struct Windows {
    /// Batch, height, width and depth of the image.
    image: [i64; 4],
    filter: [i64; 2],
    out: [i64; 2],
    strides: [i64; 2],
    rates: [i64; 2],
    before: [i64; 2],
}

impl Windows {
    fn of(c: &KernelContext) -> Result<Windows> {
        let (image, filter) = (c.input(0)?.shape(), c.input(1)?.shape());
        ensure!(
            image.rank() == 4,
            invalid,
            "input must be 4-dimensional: {image}"
        );
        ensure!(
            filter.rank() == 3,
            invalid,
            "filter must be 3-dimensional: {filter}"
        );
        let (i, f) = (image.dims(), filter.dims());
        ensure!(
            i[3] == f[2],
            invalid,
            "input and filter must have the same depth: {} vs {}",
            i[3],
            f[2]
        );
        let (strides, rates, padding) = steps(c.attrs())?;
        let (mut out, mut before) = ([0; 2], [0; 2]);
        for axis in 0..2 {
            let size = i[axis + 1];
            out[axis] = shape::window(size, f[axis], strides[axis], rates[axis], padding)?;
            if matches!(padding, Padding::Same) {
                let reach = (f[axis] - 1) * rates[axis] + 1;
                before[axis] = ((out[axis] - 1) * strides[axis] + reach - size).max(0) / 2;
            }
        }
        Ok(Windows {
            image: [i[0], i[1], i[2], i[3]],
            filter: [f[0], f[1]],
            out,
            strides,
            rates,
            before,
        })
    }

    fn out_shape(&self) -> Result<Shape> {
        Shape::new(&[self.image[0], self.out[0], self.out[1], self.image[3]])
    }

    /// For each output in order the first pair of image and filter with the greatest sum, by their places.
    fn each<T: Number + PartialOrd>(
        &self,
        image: &[T],
        filter: &[T],
        mut found: impl FnMut(usize, usize, usize, T),
    ) {
        let [batch, height, width, depth] = self.image;
        let mut at = 0;
        for b in 0..batch {
            for i in 0..self.out[0] {
                for j in 0..self.out[1] {
                    for d in 0..depth {
                        let mut best: Option<(T, usize, usize)> = None;
                        for k in 0..self.filter[0] {
                            let y = i * self.strides[0] + k * self.rates[0] - self.before[0];
                            if !(0..height).contains(&y) {
                                continue;
                            }
                            for l in 0..self.filter[1] {
                                let x = j * self.strides[1] + l * self.rates[1] - self.before[1];
                                if !(0..width).contains(&x) {
                                    continue;
                                }
                                let from = (((b * height + y) * width + x) * depth + d) as usize;
                                let by = ((k * self.filter[1] + l) * depth + d) as usize;
                                let sum = T::plus(image[from], filter[by]);
                                if best.is_none_or(|(most, ..)| sum > most) {
                                    best = Some((sum, from, by));
                                }
                            }
                        }
                        if let Some((sum, from, by)) = best {
                            found(at, from, by, sum);
                        }
                        at += 1;
                    }
                }
            }
        }
    }
}

fn run(c: &mut KernelContext, wanted: Wanted) -> Result<()> {
    let windows = Windows::of(c)?;
    let (image, filter) = (c.input(0)?, c.input(1)?);
    let out = windows.out_shape()?;
    let made_shape = match wanted {
        Wanted::Output => out.clone(),
        Wanted::Image => image.shape().clone(),
        Wanted::Filter => filter.shape().clone(),
    };
    let dy = match wanted {
        Wanted::Output => None,
        _ => Some(c.input(2)?),
    };
    ensure!(
        dy.is_none_or(|dy| dy.shape() == &out),
        invalid,
        "out_backprop has incompatible size."
    );
    let mut made = Value::zeros(image.dtype(), made_shape)?;
    dispatch!(real, image.dtype(), T => {
        let to = made.slice_mut::<T>()?;
        let (pixels, weights) = (image.slice::<T>()?, filter.slice::<T>()?);
        match dy {
            None => windows.each(pixels, weights, |at, _, _, sum| to[at] = sum),
            Some(dy) => {
                let dy = dy.slice::<T>()?;
                windows.each(pixels, weights, |at, from, by, _| {
                    let place = if wanted == Wanted::Image { from } else { by };
                    to[place] = T::plus(to[place], dy[at]);
                });
            }
        }
    });
    c.set_output(0, made);
    Ok(())
}
