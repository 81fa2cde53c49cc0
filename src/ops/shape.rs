//! Shape functions that many ops share, and the arithmetic of partly known dimensions. Messages are TensorFlow's
//! (`core/framework/shape_inference.cc`, `common_shape_fns.cc`).

use crate::ensure;
use crate::error::{Error, Result};
use crate::graph::ShapeContext;
use crate::value::PartialShape;

/// The output has the shape of the first input.
pub fn unchanged(c: &mut ShapeContext) -> Result<()> {
    if c.num_outputs() > 0 {
        c.set(0, c.input(0));
    }
    Ok(())
}

/// Every output is a scalar.
pub fn scalar(c: &mut ShapeContext) -> Result<()> {
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::scalar());
    }
    Ok(())
}

/// Nothing is known of the outputs.
pub fn unknown(_: &mut ShapeContext) -> Result<()> {
    Ok(())
}

/// A vector of unknown length.
pub fn vector(c: &mut ShapeContext) -> Result<()> {
    for i in 0..c.num_outputs() {
        c.set(i, PartialShape::vector(-1));
    }
    Ok(())
}

/// Two operands broadcast together.
pub fn broadcast(c: &mut ShapeContext) -> Result<()> {
    let shape = broadcast_shapes(&c.input(0), &c.input(1))?;
    c.set(0, shape);
    Ok(())
}

/// The output has the shape on which all inputs agree.
pub fn merged(c: &mut ShapeContext) -> Result<()> {
    let mut shape = PartialShape::unknown();
    for i in 0..c.num_inputs() {
        shape = merge(&shape, &c.input(i))?;
    }
    c.set(0, shape);
    Ok(())
}

/// Two inputs of one shape, as gradients of elementwise ops have them.
pub fn merged_pair(c: &mut ShapeContext) -> Result<()> {
    let shape = merge(&c.input(0), &c.input(1))?;
    c.set(0, shape);
    Ok(())
}

/// What both know together; TensorFlow's words when they contradict each other.
pub fn merge(a: &PartialShape, b: &PartialShape) -> Result<PartialShape> {
    a.merge(b)
}

/// A dimension that both say.
pub fn merge_dim(a: i64, b: i64) -> Result<i64> {
    ensure!(
        a < 0 || b < 0 || a == b,
        invalid,
        "Dimensions must be equal, but are {a} and {b}"
    );
    Ok(a.max(b))
}

/// A dimension that must have the value `wanted`.
pub fn dim_is(dim: i64, wanted: i64) -> Result<()> {
    ensure!(
        dim < 0 || dim == wanted,
        invalid,
        "Dimension must be {wanted} but is {dim}"
    );
    Ok(())
}

/// The product of dimensions; unknown when one of them is.
pub fn mul_dim(a: i64, b: i64) -> Result<i64> {
    if a == 0 || b == 0 {
        return Ok(0);
    }
    if a < 0 || b < 0 {
        return Ok(-1);
    }
    a.checked_mul(b).ok_or_else(|| {
        Error::invalid(format!(
            "Negative dimension size caused by overflow when multiplying {a} and {b}"
        ))
    })
}

/// The sum of dimensions; unknown when one of them is.
pub fn add_dim(a: i64, b: i64) -> Result<i64> {
    if a < 0 || b < 0 {
        return Ok(-1);
    }
    a.checked_add(b)
        .ok_or_else(|| Error::invalid(format!("Dimension size overflow from adding {a} and {b}")))
}

pub fn at_least(shape: &PartialShape, rank: usize) -> Result<()> {
    if let Some(r) = shape.rank() {
        ensure!(
            r >= rank,
            invalid,
            "Shape must be at least rank {rank} but is rank {r}"
        );
    }
    Ok(())
}

pub fn at_most(shape: &PartialShape, rank: usize) -> Result<()> {
    if let Some(r) = shape.rank() {
        ensure!(
            r <= rank,
            invalid,
            "Shape must be at most rank {rank} but is rank {r}"
        );
    }
    Ok(())
}

/// The axis that `axis` (perhaps counted from the end) means.
pub fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let r = rank as i64;
    ensure!(
        (-r..r).contains(&axis),
        invalid,
        "Expected dimension in the range [{}, {r}), but got {axis}",
        -r
    );
    Ok(if axis < 0 { axis + r } else { axis } as usize)
}

/// NumPy's rule: sizes agree from the right, or one of them is 1.
pub fn broadcast_shapes(a: &PartialShape, b: &PartialShape) -> Result<PartialShape> {
    let (Some(a), Some(b)) = (a.dims(), b.dims()) else {
        return Ok(PartialShape::unknown());
    };
    let rank = a.len().max(b.len());
    let from_right = |dims: &[i64], i: usize| -> i64 {
        let missing = rank - dims.len();
        if i < missing { 1 } else { dims[i - missing] }
    };
    let mut dims = Vec::with_capacity(rank);
    for i in 0..rank {
        let (x, y) = (from_right(a, i), from_right(b, i));
        dims.push(match (x, y) {
            (-1, y) if y > 1 => y,
            (x, -1) if x > 1 => x,
            (1, y) => y,
            (x, 1) => x,
            (-1, _) | (_, -1) => -1,
            (x, y) => merge_dim(x, y)?,
        });
    }
    Ok(PartialShape::from_dims(dims))
}

/// Reduces the axes that input 1 says, keeping them as 1 with `keep_dims`.
pub fn reduction(c: &mut ShapeContext) -> Result<()> {
    let keep = c.attrs().bool("keep_dims")?;
    let input = c.input(0);
    let Some(rank) = input.rank() else {
        return reduction_of_unknown(c);
    };
    let axes_shape = c.input(1);
    at_most(&axes_shape, 1)?;
    let Some(axes) = c.constant_ints(1) else {
        if keep {
            c.set(0, PartialShape::unknown_of_rank(rank));
        }
        return Ok(());
    };
    let mut reduced = vec![false; rank];
    for axis in axes {
        let r = rank as i64;
        ensure!(
            (-r..r).contains(&axis),
            invalid,
            "Invalid reduction dimension {axis} for input with {rank} dimensions."
        );
        reduced[(if axis < 0 { axis + r } else { axis }) as usize] = true;
    }
    let mut dims = Vec::with_capacity(rank);
    for (i, is_reduced) in reduced.into_iter().enumerate() {
        match (is_reduced, keep) {
            (false, _) => dims.push(input.dim(i)),
            (true, true) => dims.push(1),
            (true, false) => {}
        }
    }
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

fn reduction_of_unknown(c: &mut ShapeContext) -> Result<()> {
    at_most(&c.input(1), 1)
}

/// The output of a window moving over `size` elements.
pub fn window(size: i64, filter: i64, stride: i64, dilation: i64, padding: Padding) -> Result<i64> {
    ensure!(stride > 0, invalid, "Stride must be > 0, but got {stride}");
    ensure!(
        dilation > 0,
        invalid,
        "Dilation rate must be >= 1, but got {dilation}"
    );
    if size < 0 || filter < 0 {
        return Ok(-1);
    }
    let effective = (filter - 1)
        .checked_mul(dilation)
        .and_then(|n| n.checked_add(1))
        .ok_or_else(|| Error::invalid("dilated filter is too large"))?;
    let padded = match padding {
        Padding::Same => return Ok(size / stride + i64::from(size % stride != 0)),
        Padding::Valid => Some(size),
        Padding::Explicit(before, after) => {
            size.checked_add(before).and_then(|n| n.checked_add(after))
        }
    };
    let padded = padded.ok_or_else(|| Error::invalid("padding is too large"))?;
    ensure!(
        padded >= effective,
        invalid,
        "Negative dimension size caused by subtracting {effective} from {padded}"
    );
    Ok((padded - effective) / stride + 1)
}

/// How a window is padded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    Valid,
    Same,
    Explicit(i64, i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(dims: &[i64]) -> PartialShape {
        PartialShape::new(dims).unwrap()
    }

    #[test]
    fn broadcasting_follows_numpy_where_sizes_are_known() {
        let both = |a: &[i64], b: &[i64]| broadcast_shapes(&shape(a), &shape(b));
        assert_eq!(both(&[2, 1], &[3]).unwrap(), shape(&[2, 3]));
        assert_eq!(both(&[-1, 1], &[4]).unwrap(), shape(&[-1, 4]));
        assert_eq!(both(&[-1], &[5]).unwrap(), shape(&[5]));
        assert_eq!(both(&[-1], &[1]).unwrap(), shape(&[-1]));
        assert_eq!(both(&[0], &[1]).unwrap(), shape(&[0]));
        let error = both(&[2, 3], &[4]).unwrap_err();
        assert_eq!(error.message, "Dimensions must be equal, but are 3 and 4");
    }

    #[test]
    fn windows_count_as_tensorflow_counts() {
        assert_eq!(window(28, 3, 2, 1, Padding::Same).unwrap(), 14);
        assert_eq!(window(28, 3, 2, 1, Padding::Valid).unwrap(), 13);
        assert_eq!(window(5, 3, 1, 2, Padding::Valid).unwrap(), 1);
        assert!(window(2, 3, 1, 1, Padding::Valid).is_err());
        assert_eq!(window(-1, 3, 1, 1, Padding::Valid).unwrap(), -1);
    }
}
