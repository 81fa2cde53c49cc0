//! Shapes of convolutions, with TensorFlow's words where sizes contradict each other.

use crate::ensure;
use crate::error::Result;
use crate::graph::{Attrs, ShapeContext, with_rank};
use crate::ops::layout::Layout;
use crate::ops::shape::{self, Padding};

/// Checks that an attribute has a value for each axis.
fn one_for_each_axis<'a>(
    attrs: &'a Attrs,
    name: &str,
    rank: usize,
    what: &str,
) -> Result<&'a [i64]> {
    let all = attrs.ints(name)?;
    ensure!(
        all.len() == rank,
        invalid,
        "{what} attribute to contain {rank} values, but got: {}",
        all.len()
    );
    Ok(all)
}

/// How each spatial axis is padded.
pub(super) fn paddings(attrs: &Attrs, layout: Layout, spatial: usize) -> Result<Vec<Padding>> {
    let explicit = match attrs.get("explicit_paddings") {
        Some(_) => attrs.ints("explicit_paddings")?,
        None => &[],
    };
    let padding = attrs.str("padding")?;
    if padding != "EXPLICIT" {
        ensure!(
            explicit.is_empty(),
            invalid,
            "explicit_paddings attribute must be empty if the padding attribute is not EXPLICIT"
        );
        let same = padding == "SAME";
        return Ok(vec![
            if same { Padding::Same } else { Padding::Valid };
            spatial
        ]);
    }
    let rank = spatial + 2;
    ensure!(
        explicit.len() == 2 * rank,
        invalid,
        "explicit_paddings attribute must contain {} values, but got: {}",
        2 * rank,
        explicit.len()
    );
    if let Some(negative) = explicit.iter().find(|p| **p < 0) {
        crate::bail!(
            invalid,
            "All elements of explicit_paddings must be nonnegative, but got {negative}"
        );
    }
    let of_axis = |axis: usize| Padding::Explicit(explicit[2 * axis], explicit[2 * axis + 1]);
    for axis in [0, layout.channel_axis(rank)] {
        ensure!(
            of_axis(axis) == Padding::Explicit(0, 0),
            invalid,
            "Nonzero explicit padding in the batch or depth dimensions is not supported"
        );
    }
    Ok((0..spatial)
        .map(|i| of_axis(layout.spatial_axis(i)))
        .collect())
}

/// The output of `spatial` windows over the image.
pub(super) fn forward(c: &mut ShapeContext, spatial: usize) -> Result<()> {
    let rank = spatial + 2;
    let attrs = c.attrs();
    let layout = Layout::of(attrs)?;
    let image = c.input_of_rank(0, rank)?;
    let filter = c.input_of_rank(1, rank)?;
    let op = c.node().op();
    let dilations = one_for_each_axis(
        attrs,
        "dilations",
        rank,
        &format!("{op} requires the dilation"),
    )?;
    let format = attrs.str("data_format")?;
    let strides = one_for_each_axis(
        attrs,
        "strides",
        rank,
        &format!("{op} on data format {format} requires the stride"),
    )?;
    let channels = image.dim(layout.channel_axis(rank));
    let (taken, made) = (filter.dim(spatial), filter.dim(spatial + 1));
    check_groups(channels, taken, made)?;
    let paddings = paddings(attrs, layout, spatial)?;
    let mut sizes = Vec::with_capacity(spatial);
    for (i, padding) in paddings.into_iter().enumerate() {
        let axis = layout.spatial_axis(i);
        let (input, taps) = (image.dim(axis), filter.dim(i));
        sizes.push(shape::window(
            input,
            taps,
            strides[axis],
            dilations[axis],
            padding,
        )?);
    }
    c.set(0, layout.shape(image.dim(0), &sizes, made));
    Ok(())
}

/// A filter may take a part of the channels, when the rest goes to other groups of its outputs.
fn check_groups(channels: i64, taken: i64, made: i64) -> Result<()> {
    if channels < 0 || taken < 0 || channels == taken {
        return Ok(());
    }
    ensure!(
        taken > 0 && channels % taken == 0,
        invalid,
        "Depth of input ({channels}) is not a multiple of input depth of filter ({taken})"
    );
    let groups = channels / taken;
    ensure!(
        made < 0 || groups == 0 || made % groups == 0,
        invalid,
        "Depth of output ({made}) is not a multiple of the number of groups ({groups})"
    );
    Ok(())
}

pub(super) fn depthwise(c: &mut ShapeContext) -> Result<()> {
    let attrs = c.attrs();
    let layout = Layout::of(attrs)?;
    let image = c.input_of_rank(0, 4)?;
    let filter = c.input_of_rank(1, 4)?;
    let strides = one_for_each_axis(attrs, "strides", 4, "DepthwiseConv2D requires the stride")?;
    let dilations = one_for_each_axis(
        attrs,
        "dilations",
        4,
        "DepthwiseConv2D requires the dilation",
    )?;
    let channels = shape::merge_dim(image.dim(layout.channel_axis(4)), filter.dim(2))?;
    let made = shape::mul_dim(channels, filter.dim(3))?;
    let mut sizes = Vec::with_capacity(2);
    for (i, padding) in paddings(attrs, layout, 2)?.into_iter().enumerate() {
        let axis = layout.spatial_axis(i);
        let (input, taps) = (image.dim(axis), filter.dim(i));
        sizes.push(shape::window(
            input,
            taps,
            strides[axis],
            dilations[axis],
            padding,
        )?);
    }
    c.set(0, layout.shape(image.dim(0), &sizes, made));
    Ok(())
}

/// The shape that input `i` says.
pub(super) fn of_sizes(c: &mut ShapeContext, i: usize, rank: usize) -> Result<()> {
    let shape = with_rank(&c.constant_shape(i)?, rank)?;
    c.set(0, shape);
    Ok(())
}

/// The shape of input `i`, a volume.
pub(super) fn as_input(c: &mut ShapeContext, i: usize) -> Result<()> {
    let shape = c.input_of_rank(i, 5)?;
    c.set(0, shape);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::graph::Attr;
    use crate::ops::testing::{Given, Input, attrs, of, shapes, sizes};
    use crate::value::DType;

    fn given(padding: &'static str, more: &[(&'static str, Attr)]) -> Given {
        let mut all = attrs(&[
            ("strides", vec![1, 1, 1, 1].into()),
            ("padding", padding.into()),
        ]);
        all.retain(|(name, _)| more.iter().all(|(n, _)| n != name));
        all.extend(more.iter().cloned());
        all
    }

    fn conv2d(image: &[i64], filter: &[i64], given: Given) -> Result<String, String> {
        let made = shapes("Conv2D", &[of(image), of(filter)], &given);
        made.map(|all| all[0].clone()).map_err(|e| e.message)
    }

    #[test]
    fn what_is_unknown_stays_unknown() {
        let same = || given("SAME", &[]);
        assert_eq!(
            conv2d(&[2, 5, 5, 4], &[3, 3, 4, 7], same()).unwrap(),
            "[2,5,5,7]"
        );
        assert_eq!(
            conv2d(&[-1, -1, 5, -1], &[3, 3, 4, 7], same()).unwrap(),
            "[?,?,5,7]"
        );
        let valid = given("VALID", &[("strides", vec![1, 2, 2, 1].into())]);
        assert_eq!(
            conv2d(&[2, 5, 5, 4], &[3, 3, 4, 7], valid).unwrap(),
            "[2,2,2,7]"
        );
        let first = given("SAME", &[("data_format", "NCHW".into())]);
        assert_eq!(
            conv2d(&[2, 4, 5, 6], &[3, 3, 4, 7], first).unwrap(),
            "[2,7,5,6]"
        );
        let pads = vec![0, 0, 1, 2, 3, 4, 0, 0];
        let explicit = given("EXPLICIT", &[("explicit_paddings", pads.into())]);
        assert_eq!(
            conv2d(&[2, 5, 5, 4], &[3, 3, 4, 7], explicit).unwrap(),
            "[2,6,10,7]"
        );
    }

    #[test]
    fn contradictions_are_told_in_tensorflows_words() {
        let says = |image: &[i64], filter: &[i64], given: Given, words: &str| {
            let error = conv2d(image, filter, given).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        };
        let valid = |more: &[(&'static str, Attr)]| given("VALID", more);
        says(
            &[2, 5, 5, 3],
            &[3, 3, 4, 6],
            valid(&[]),
            "Depth of input (3) is not a multiple of input depth of filter (4)",
        );
        says(
            &[2, 5, 5, 8],
            &[3, 3, 4, 7],
            valid(&[]),
            "Depth of output (7) is not a multiple of the number of groups (2)",
        );
        says(
            &[2, 2, 2, 4],
            &[3, 3, 4, 7],
            valid(&[]),
            "Negative dimension size caused by subtracting 3 from 2",
        );
        says(
            &[2, 5, 5, 4],
            &[3, 3, 4, 7],
            valid(&[("strides", vec![1, 2, 1].into())]),
            "Conv2D on data format NHWC requires the stride attribute to contain 4 values, but got: 3",
        );
        says(
            &[2, 5, 5, 4],
            &[3, 3, 4, 7],
            valid(&[("dilations", vec![1, 0, 2, 1].into())]),
            "Dilation rate must be >= 1, but got 0",
        );
        says(
            &[2, 5, 5, 4],
            &[3, 3, 4, 7],
            valid(&[("explicit_paddings", vec![1].into())]),
            "explicit_paddings attribute must be empty",
        );
    }

    #[test]
    fn sizes_that_are_constant_are_the_shape() {
        let constant = [sizes(&[2, 5, 5, 4]), of(&[3, 3, 4, 7]), of(&[2, 5, 5, 7])];
        let same = given("SAME", &[]);
        assert_eq!(
            shapes("Conv2DBackpropInput", &constant, &same).unwrap(),
            ["[2,5,5,4]"]
        );
        let fed = [
            Input::Unknown(DType::I32),
            of(&[3, 3, 4, 7]),
            of(&[2, 5, 5, 7]),
        ];
        assert_eq!(
            shapes("Conv2DBackpropInput", &fed, &same).unwrap(),
            ["[?,?,?,?]"]
        );
    }
}
