//! Convolutions of single channels on the CPU.

use crate::backend::cpu::conv;
use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::value::Shape;
use crate::{dispatch, ensure};

use super::kernels::{Operands, Part, out_shape};

/// What the filter makes of all channels.
fn out_channels(filter: &Shape) -> Result<usize> {
    Ok(Shape::new(&filter.dims()[2..])?.num_elements())
}

pub(super) fn run(c: &mut KernelContext, part: Part) -> Result<()> {
    let operands = Operands::of(c, part)?;
    let g = operands.geometry(c.attrs(), 2, out_channels)?;
    let filter = operands.filter.shape()?;
    ensure!(
        filter.dim(2) == g.in_channels,
        invalid,
        "input and filter must have the same depth: {} vs {}",
        g.in_channels,
        filter.dim(2)
    );
    let shape = match part {
        Part::Forward => out_shape(&g, 2)?,
        Part::Input => operands.input.shape()?.clone(),
        Part::Filter => filter.clone(),
    };
    let mut made = c.allocate(0, shape)?;
    dispatch!(floats, made.dtype(), T => {
        let to = made.slice_mut::<T>()?;
        let (input, filter, out) = (&operands.input, &operands.filter, &operands.out);
        match part {
            Part::Forward => conv::depthwise_forward(&g, input.value()?.slice::<T>()?, filter.value()?.slice::<T>()?, to),
            Part::Input => conv::depthwise_backward_input(&g, filter.value()?.slice::<T>()?, out.value()?.slice::<T>()?, to),
            Part::Filter => conv::depthwise_backward_filter(&g, input.value()?.slice::<T>()?, out.value()?.slice::<T>()?, to),
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
    use crate::ops::testing::{assert_close, attrs, floats, run};

    #[test]
    fn each_channel_has_filters_of_its_own() {
        let given = attrs(&[
            ("strides", vec![1, 1, 1, 1].into()),
            ("padding", "VALID".into()),
        ]);
        let x = floats(&[1, 1, 2, 2], &[1.0, 10.0, 2.0, 20.0]);
        let w = floats(&[1, 2, 2, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let y = run("DepthwiseConv2dNative", &[x, w], &given).unwrap();
        assert_eq!(y[0].shape().dims(), [1, 1, 1, 4]);
        assert_close(&y[0], &[11.0, 14.0, 170.0, 200.0]);
    }
}
