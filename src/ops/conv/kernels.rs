//! Convolutions on the CPU: checks sizes and hands them to `backend::cpu::conv`.

use crate::backend::cpu::conv::{self, Geometry};
use crate::backend::cpu::window::{Padding, Window};
use crate::error::{Error, Result};
use crate::graph::Attrs;
use crate::ops::kernel::KernelContext;
use crate::ops::layout::Layout;
use crate::ops::shape;
use crate::value::{Shape, Value};
use crate::{dispatch, ensure};

use super::shapes;

/// Which of the three operands of `out = conv(input, filter)` is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part {
    Forward,
    Input,
    Filter,
}

/// The known operands, with channels last; the wanted one by its sizes.
pub(super) struct Operands {
    pub layout: Layout,
    pub input: Operand,
    pub filter: Operand,
    pub out: Operand,
}

pub(super) enum Operand {
    Value(Value),
    Sizes(Shape),
    Wanted,
}

impl Operand {
    pub fn shape(&self) -> Result<&Shape> {
        match self {
            Operand::Value(v) => Ok(v.shape()),
            Operand::Sizes(shape) => Ok(shape),
            Operand::Wanted => Err(Error::internal(
                "the shape of a result that is not made yet",
            )),
        }
    }

    pub fn value(&self) -> Result<&Value> {
        match self {
            Operand::Value(v) => Ok(v),
            _ => Err(Error::internal(
                "an operand that is known by its sizes alone",
            )),
        }
    }
}

/// Sizes that an integer vector says, or the shape of a tensor in its place.
fn sizes_of(value: &Value) -> Result<Shape> {
    match value.dtype().is_integer() && value.shape().rank() == 1 {
        true => Shape::new(&value.ints()?),
        false => Ok(value.shape().clone()),
    }
}

impl Operands {
    pub fn of(c: &KernelContext, part: Part) -> Result<Operands> {
        let layout = Layout::of(c.attrs())?;
        let image =
            |i: usize| Ok::<_, Error>(Operand::Value(layout.to_channels_last(c.input(i)?)?));
        let sizes = |i: usize| -> Result<Operand> {
            let shape = sizes_of(c.input(i)?)?;
            Ok(Operand::Sizes(match part {
                Part::Input => Shape::new(&layout.sizes_channels_last(shape.dims()))?,
                _ => shape,
            }))
        };
        let filter = |i: usize| Ok::<_, Error>(Operand::Value(c.input(i)?.clone()));
        Ok(match part {
            Part::Forward => Operands {
                layout,
                input: image(0)?,
                filter: filter(1)?,
                out: Operand::Wanted,
            },
            Part::Input => Operands {
                layout,
                input: sizes(0)?,
                filter: filter(1)?,
                out: image(2)?,
            },
            Part::Filter => Operands {
                layout,
                input: image(0)?,
                filter: sizes(1)?,
                out: image(2)?,
            },
        })
    }

    /// Checks ranks and the windows; `out_channels` is what the filter's last two axes make.
    pub fn geometry(
        &self,
        attrs: &Attrs,
        spatial: usize,
        out_channels: impl Fn(&Shape) -> Result<usize>,
    ) -> Result<Geometry> {
        let rank = spatial + 2;
        let (input, filter) = (self.input.shape()?, self.filter.shape()?);
        ensure!(
            input.rank() == rank,
            invalid,
            "input must be {rank}-dimensional{input}"
        );
        ensure!(
            filter.rank() == rank,
            invalid,
            "filter must be {rank}-dimensional: {filter}"
        );
        let windows = windows(attrs, self.layout, input, filter, spatial)?;
        let geometry = Geometry {
            batch: input.dim(0),
            windows,
            in_channels: input.dim(rank - 1),
            out_channels: out_channels(filter)?,
        };
        if let Operand::Value(out) = &self.out {
            check_out(&geometry, out.shape(), spatial)?;
        }
        Ok(geometry)
    }
}

/// Depth, height and width; the depth is a point for images.
pub(super) fn windows(
    attrs: &Attrs,
    layout: Layout,
    input: &Shape,
    filter: &Shape,
    spatial: usize,
) -> Result<[Window; 3]> {
    let rank = spatial + 2;
    let (strides, dilations) = (attrs.ints("strides")?, attrs.ints("dilations")?);
    for (all, what) in [(strides, "strides"), (dilations, "dilations")] {
        ensure!(
            all.len() == rank,
            invalid,
            "Sliding window {what} field must specify {rank} dimensions"
        );
        ensure!(
            all[0] == 1 && all[layout.channel_axis(rank)] == 1,
            invalid,
            "Current implementation does not yet support {what} in the batch and depth dimensions."
        );
    }
    let mut windows = [Window::POINT; 3];
    for (i, padding) in shapes::paddings(attrs, layout, spatial)?
        .into_iter()
        .enumerate()
    {
        let axis = layout.spatial_axis(i);
        let positive = |n: i64| usize::try_from(n).unwrap_or(0);
        let padding = match padding {
            shape::Padding::Same => Padding::Same,
            shape::Padding::Valid => Padding::Valid,
            shape::Padding::Explicit(before, after) => {
                Padding::Explicit(positive(before), positive(after))
            }
        };
        let (stride, dilation) = (positive(strides[axis]), positive(dilations[axis]));
        windows[3 - spatial + i] =
            Window::new(input.dim(1 + i), filter.dim(i), stride, dilation, padding)?;
    }
    Ok(windows)
}

/// Whether a gradient has the shape of the output.
pub(super) fn check_out(g: &Geometry, out: &Shape, spatial: usize) -> Result<()> {
    ensure!(
        out.rank() == spatial + 2,
        invalid,
        "out_backprop must be {}-dimensional",
        spatial + 2
    );
    ensure!(
        out.dim(0) == g.batch,
        invalid,
        "input and out_backprop must have the same batch sizeinput batch: {}outbackprop batch: {} batch_dim: 0",
        g.batch,
        out.dim(0)
    );
    for (i, w) in g.windows[3 - spatial..].iter().enumerate() {
        ensure!(
            out.dim(1 + i) == w.output,
            invalid,
            "Size of out_backprop doesn't match computed: actual = {}, computed = {} spatial_dim: {} \
             input: {} filter: {} output: {} stride: {} dilation: {}",
            out.dim(1 + i),
            w.output,
            i + 1,
            w.input,
            w.size,
            out.dim(1 + i),
            w.stride,
            w.dilation
        );
    }
    ensure!(
        out.dim(spatial + 1) == g.out_channels,
        invalid,
        "filter and out_backprop must have the same out_depth"
    );
    Ok(())
}

/// The sizes of the output, channels last.
pub(super) fn out_shape(g: &Geometry, spatial: usize) -> Result<Shape> {
    let mut dims = vec![g.batch as i64];
    dims.extend(g.windows[3 - spatial..].iter().map(|w| w.output as i64));
    dims.push(g.out_channels as i64);
    Shape::new(&dims)
}

fn check_depth(operands: &Operands, spatial: usize, tells_both: bool) -> Result<()> {
    let (input, filter) = (operands.input.shape()?, operands.filter.shape()?);
    if input.rank() != spatial + 2 || filter.rank() != spatial + 2 {
        return Ok(());
    }
    let (depth, taken) = (input.dim(spatial + 1), filter.dim(spatial));
    ensure!(
        depth == taken || (taken > 0 && depth.is_multiple_of(taken)),
        invalid,
        "input depth must be evenly divisible by filter depth{}",
        match tells_both {
            true => format!(": {depth} vs {taken}"),
            false => String::new(),
        }
    );
    ensure!(
        depth == taken,
        unimplemented,
        "The Conv2D op currently does not support grouped convolutions on the CPU. A grouped convolution was \
         attempted to be run because the input depth of {depth} does not match the filter input depth of {taken}"
    );
    Ok(())
}

pub(super) fn run(c: &mut KernelContext, part: Part, spatial: usize) -> Result<()> {
    let operands = Operands::of(c, part)?;
    // TensorFlow says which of its kernels for gradients of images found something wrong.
    let kernel = match (part, spatial) {
        (Part::Input, 2) => "Conv2DCustomBackpropInput: ",
        (Part::Filter, 2) => "Conv2DCustomBackpropFilter: ",
        _ => "",
    };
    let labelled = |error: Error| Error {
        message: format!("{kernel}{}", error.message),
        ..error
    };
    check_depth(&operands, spatial, kernel.is_empty()).map_err(labelled)?;
    let out_channels = |filter: &Shape| Ok(filter.dim(spatial + 1));
    let g = operands.geometry(c.attrs(), spatial, out_channels);
    let g = g.map_err(labelled)?;
    let shape = match part {
        Part::Forward => out_shape(&g, spatial)?,
        Part::Input => operands.input.shape()?.clone(),
        Part::Filter => operands.filter.shape()?.clone(),
    };
    let mut made = c.allocate(0, shape)?;
    dispatch!(floats, made.dtype(), T => {
        let to = made.slice_mut::<T>()?;
        let (input, filter, out) = (&operands.input, &operands.filter, &operands.out);
        match part {
            Part::Forward => conv::forward(&g, input.value()?.slice::<T>()?, filter.value()?.slice::<T>()?, to),
            Part::Input => conv::backward_input(&g, filter.value()?.slice::<T>()?, out.value()?.slice::<T>()?, to),
            Part::Filter => conv::backward_filter(&g, input.value()?.slice::<T>()?, out.value()?.slice::<T>()?, to),
        }
    });
    let made = match part {
        Part::Filter => made,
        _ => operands.layout.into_own_order(made)?,
    };
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::graph::Attr;
    use crate::ops::testing::{assert_close, attrs, floats, run};
    use crate::value::Value;

    fn ramp(dims: &[i64]) -> Value {
        let n: i64 = dims.iter().product();
        let all: Vec<f32> = (0..n).map(|i| (i % 5) as f32 - 1.0).collect();
        floats(dims, &all)
    }

    fn given(more: &[(&'static str, Attr)]) -> Vec<(&'static str, Attr)> {
        let mut all = attrs(&[
            ("strides", vec![1, 1, 1, 1].into()),
            ("padding", "SAME".into()),
        ]);
        all.extend(more.iter().cloned());
        all
    }

    #[test]
    fn channels_first_gives_the_same_numbers() {
        let filter = ramp(&[3, 3, 2, 3]);
        let y = run(
            "Conv2D",
            &[ramp(&[1, 2, 2, 2]), filter.clone()],
            &given(&[]),
        )
        .unwrap();
        let turned = floats(&[1, 2, 2, 2], &[-1.0, 1.0, 3.0, 0.0, 0.0, 2.0, -1.0, 1.0]);
        let first = given(&[("data_format", "NCHW".into())]);
        let z = run("Conv2D", &[turned, filter], &first).unwrap();
        assert_eq!(z[0].shape().dims(), [1, 3, 2, 2]);
        let (y, z) = (y[0].slice::<f32>().unwrap(), z[0].slice::<f32>().unwrap());
        for i in 0..4 {
            for k in 0..3 {
                assert_eq!(y[i * 3 + k], z[k * 4 + i]);
            }
        }
    }

    #[test]
    fn the_gradients_have_the_sizes_asked_for() {
        let (x, w) = (ramp(&[1, 3, 3, 1]), ramp(&[2, 2, 1, 1]));
        let dy = floats(&[1, 3, 3, 1], &[1.0; 9]);
        let sizes = Value::vector(&[1i32, 3, 3, 1]).unwrap();
        let dx = run(
            "Conv2DBackpropInput",
            &[sizes, w.clone(), dy.clone()],
            &given(&[]),
        )
        .unwrap();
        // The filter is [-1 0; 1 2].
        assert_close(&dx[0], &[-1.0, -1.0, -1.0, 0.0, 2.0, 2.0, 0.0, 2.0, 2.0]);
        let sizes = Value::vector(&[2i32, 2, 1, 1]).unwrap();
        let dw = run("Conv2DBackpropFilter", &[x, sizes, dy], &given(&[])).unwrap();
        assert_close(&dw[0], &[7.0, 6.0, 7.0, 5.0]);
    }

    #[test]
    fn broken_sizes_are_errors() {
        let valid = attrs(&[
            ("strides", vec![1, 1, 1, 1].into()),
            ("padding", "VALID".into()),
        ]);
        let sizes = |all: &[i32]| Value::vector(all).unwrap();
        let says = |sizes: Value, w: &[i64], dy: &[i64], words: &str| {
            let error =
                run("Conv2DBackpropInput", &[sizes, ramp(w), ramp(dy)], &valid).unwrap_err();
            assert!(error.message.contains(words), "{error}");
        };
        let good = || sizes(&[2, 5, 5, 4]);
        says(
            good(),
            &[3, 3, 4, 6],
            &[2, 3, 4, 6],
            "Size of out_backprop doesn't match computed: actual = 4, computed = 3",
        );
        says(
            good(),
            &[3, 3, 4, 6],
            &[3, 3, 3, 6],
            "must have the same batch size",
        );
        says(
            good(),
            &[3, 3, 5, 6],
            &[2, 3, 3, 6],
            "must be evenly divisible by filter depth",
        );
        says(good(), &[3, 3, 4, 6], &[2, 3, 3, 7], "same out_depth");
        says(
            sizes(&[2, -5, 5, 4]),
            &[3, 3, 4, 6],
            &[2, 3, 3, 6],
            "must be >= 0",
        );
        says(
            sizes(&[2, 5, 5]),
            &[3, 3, 4, 6],
            &[2, 3, 3, 6],
            "must be 4-dimensional",
        );
    }
}
