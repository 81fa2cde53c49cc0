//! Shapes of pools.

use crate::ensure;
use crate::error::Result;
use crate::graph::{ShapeContext, with_rank};
use crate::ops::layout::Layout;
use crate::ops::shape::{self, Padding};
use crate::value::PartialShape;

fn padding(c: &ShapeContext) -> Result<Padding> {
    Ok(match c.attrs().str("padding")? {
        "SAME" => Padding::Same,
        _ => Padding::Valid,
    })
}

fn check_lengths(strides: &[i64], sizes: &[i64], rank: usize, op: &str) -> Result<()> {
    for (all, what) in [(strides, "stride"), (sizes, "ksize")] {
        ensure!(
            all.len() == rank,
            invalid,
            "{op} requires the {what} attribute to contain {rank} values, but got: {}",
            all.len()
        );
    }
    Ok(())
}

/// Windows over the spatial axes, and over the channels where `with_channels` says so.
fn pooled(
    c: &mut ShapeContext,
    op: &str,
    spatial: usize,
    (sizes, strides): (&[i64], &[i64]),
    with_channels: bool,
) -> Result<()> {
    let rank = spatial + 2;
    let layout = Layout::of(c.attrs())?;
    let image = c.input_of_rank(0, rank)?;
    check_lengths(strides, sizes, rank, op)?;
    let padding = padding(c)?;
    let mut made = image.clone();
    let mut axes: Vec<usize> = (0..spatial).map(|i| layout.spatial_axis(i)).collect();
    if with_channels {
        axes.push(layout.channel_axis(rank));
    }
    for axis in axes {
        let places = shape::window(image.dim(axis), sizes[axis], strides[axis], 1, padding)?;
        made.set_dim(axis, places);
    }
    c.set(0, made);
    Ok(())
}

pub(super) fn spatial(c: &mut ShapeContext, op: &str, spatial: usize) -> Result<()> {
    let attrs = c.attrs();
    let windows = (attrs.ints("ksize")?, attrs.ints("strides")?);
    pooled(c, op, spatial, windows, false)
}

pub(super) fn max_pool(c: &mut ShapeContext) -> Result<()> {
    let attrs = c.attrs();
    let windows = (attrs.ints("ksize")?, attrs.ints("strides")?);
    pooled(c, "MaxPool", 2, windows, true)
}

/// Windows and strides are inputs `first` and the one after.
pub(super) fn max_pool_v2(c: &mut ShapeContext, first: usize) -> Result<()> {
    let (Some(sizes), Some(strides)) = (c.constant_ints(first), c.constant_ints(first + 1)) else {
        with_rank(&c.input(0), 4)?;
        return Ok(());
    };
    pooled(c, "MaxPool", 2, (&sizes, &strides), true)
}

/// The second output is as the first.
pub(super) fn twice(c: &mut ShapeContext) -> Result<()> {
    let made = c.output(0);
    c.set(1, made);
    Ok(())
}

/// Checks that `grad` is shaped as the image, and another input as the result.
pub(super) fn agrees(c: &mut ShapeContext, grad: usize, result: Option<usize>) -> Result<()> {
    shape::merge(&c.input(0), &c.input(grad))?;
    if let Some(result) = result {
        let made = shape::merge(&c.output(0), &c.input(result))?;
        c.set(0, made);
    }
    Ok(())
}

/// The shape of the first input.
pub(super) fn as_input(c: &mut ShapeContext, rank: usize) -> Result<()> {
    let image: PartialShape = c.input_of_rank(0, rank)?;
    c.set(0, image);
    Ok(())
}

/// The shape that the first input says.
pub(super) fn of_sizes(c: &mut ShapeContext, rank: usize) -> Result<()> {
    let shape = with_rank(&c.constant_shape(0)?, rank)?;
    c.set(0, shape);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{Given, Input, attrs, of, shapes, sizes};
    use crate::value::DType;

    fn given(ksize: &[i64], strides: &[i64], padding: &'static str) -> Given {
        attrs(&[
            ("ksize", ksize.to_vec().into()),
            ("strides", strides.to_vec().into()),
            ("padding", padding.into()),
        ])
    }

    #[test]
    fn windows_count_along_each_axis() {
        let two = given(&[1, 2, 2, 1], &[1, 2, 2, 1], "SAME");
        assert_eq!(
            shapes("MaxPool", &[of(&[2, 5, -1, 4])], &two).unwrap(),
            ["[2,3,?,4]"]
        );
        let unknown = [Input::Unknown(DType::F32)];
        assert_eq!(shapes("AvgPool", &unknown, &two).unwrap(), ["[?,?,?,?]"]);
        let deep = given(&[1, 2, 2, 2], &[1, 2, 2, 2], "SAME");
        assert_eq!(
            shapes("MaxPool", &[of(&[2, 5, 5, 4])], &deep).unwrap(),
            ["[2,3,3,2]"]
        );
        assert_eq!(
            shapes("AvgPool", &[of(&[2, 5, 5, 4])], &deep).unwrap(),
            ["[2,3,3,4]"]
        );
        let argmax = shapes("MaxPoolWithArgmax", &[of(&[2, 5, 5, 4])], &two).unwrap();
        assert_eq!(argmax, ["[2,3,3,4]", "[2,3,3,4]"]);
        let large = given(&[1, 7, 2, 1], &[1, 2, 2, 1], "VALID");
        let error = shapes("MaxPool", &[of(&[2, 5, 5, 4])], &large).unwrap_err();
        let words = "Negative dimension size caused by subtracting 7 from 5";
        assert!(error.message.starts_with(words), "{error}");
    }

    #[test]
    fn gradients_are_shaped_as_the_image() {
        let two = given(&[1, 2, 2, 1], &[1, 2, 2, 1], "SAME");
        let made = shapes(
            "AvgPoolGrad",
            &[sizes(&[2, 5, 5, 4]), of(&[2, 3, 3, 4])],
            &two,
        );
        assert_eq!(made.unwrap(), ["[2,5,5,4]"]);
        let unknown = || Input::Unknown(DType::F32);
        let made = shapes(
            "MaxPoolGrad",
            &[of(&[2, 5, 5, 4]), unknown(), unknown()],
            &two,
        );
        assert_eq!(made.unwrap(), ["[2,5,5,4]"]);
        let images = [of(&[2, 5, 5, 4]), of(&[2, 3, 3, 4]), unknown()];
        assert_eq!(
            shapes("MaxPoolGradGrad", &images, &two).unwrap(),
            ["[2,3,3,4]"]
        );
    }
}
