//! Shapes: of values (every dimension known) and of tensors in a graph (dimensions or the rank may be unknown).

use std::fmt;

use smallvec::SmallVec;

use crate::ensure;
use crate::error::{Error, Result};

/// TensorFlow's limit on the number of dimensions.
pub const MAX_RANK: usize = 254;

type Dims = SmallVec<[i64; 5]>;

/// The shape of a value. Invariant: no dimension is negative and the number of elements fits in an `i64`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape {
    dims: Dims,
    elements: i64,
}

impl Shape {
    /// Checks that no dimension is negative, the rank is legal and the element count fits.
    pub fn new(dims: &[i64]) -> Result<Shape> {
        ensure!(
            dims.len() <= MAX_RANK,
            invalid,
            "Shape has {} dimensions; at most {MAX_RANK} are allowed",
            dims.len()
        );
        let mut elements = 1i64;
        for &d in dims {
            ensure!(d >= 0, invalid, "Dimension {d} must be >= 0");
            elements = checked_product(elements, d, dims)?;
        }
        // A zero somewhere must not hide an overflow of the others.
        let mut rest = 1i64;
        for &d in dims.iter().filter(|d| **d != 0) {
            rest = checked_product(rest, d, dims)?;
        }
        Ok(Shape {
            dims: dims.into(),
            elements,
        })
    }

    pub fn scalar() -> Shape {
        Shape {
            dims: Dims::new(),
            elements: 1,
        }
    }

    /// A vector of `n` elements.
    pub fn vector(n: usize) -> Shape {
        Shape {
            dims: [n as i64].as_slice().into(),
            elements: n as i64,
        }
    }

    pub fn dims(&self) -> &[i64] {
        &self.dims
    }

    pub fn rank(&self) -> usize {
        self.dims.len()
    }

    /// Size of dimension `axis`, as a count.
    pub fn dim(&self, axis: usize) -> usize {
        self.dims[axis] as usize
    }

    pub fn num_elements(&self) -> usize {
        self.elements as usize
    }

    pub fn is_scalar(&self) -> bool {
        self.dims.is_empty()
    }

    /// The axis that `axis` means, counted from the end when negative.
    pub fn axis(&self, axis: i64) -> Result<usize> {
        resolve_axis(axis, self.rank())
    }
}

fn checked_product(a: i64, b: i64, dims: &[i64]) -> Result<i64> {
    a.checked_mul(b).ok_or_else(|| {
        Error::invalid(format!(
            "Shape {} is too large (more than 2**63 - 1 entries)",
            show(dims)
        ))
    })
}

/// The axis in `0..rank` that `axis` in `-rank..rank` means.
pub fn resolve_axis(axis: i64, rank: usize) -> Result<usize> {
    let r = rank as i64;
    ensure!(
        (-r..r).contains(&axis),
        invalid,
        "Axis {axis} is not in the range [{}, {r})",
        -r
    );
    Ok(if axis < 0 { axis + r } else { axis } as usize)
}

fn show(dims: &[i64]) -> String {
    let parts: Vec<String> = dims
        .iter()
        .map(|d| if *d < 0 { "?".into() } else { d.to_string() })
        .collect();
    format!("[{}]", parts.join(","))
}

/// TensorFlow's form in messages of kernels: `[2,3]`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.dims))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show(&self.dims))
    }
}

/// The shape of a tensor as far as the graph knows it: `None` is an unknown rank, a dimension of -1 is unknown.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct PartialShape(Option<Dims>);

impl PartialShape {
    pub fn unknown() -> Self {
        PartialShape(None)
    }

    /// Dimensions, -1 where unknown. Anything below -1 is an error.
    pub fn new(dims: &[i64]) -> Result<Self> {
        ensure!(
            dims.len() <= MAX_RANK,
            invalid,
            "Shape has {} dimensions; at most {MAX_RANK} are allowed",
            dims.len()
        );
        if let Some(bad) = dims.iter().find(|d| **d < -1) {
            return Err(Error::invalid(format!(
                "Dimension size must be non-negative or -1 but is {bad}"
            )));
        }
        Ok(PartialShape(Some(dims.into())))
    }

    pub fn scalar() -> Self {
        PartialShape(Some(Dims::new()))
    }

    /// A vector of `n` elements (-1: unknown).
    pub fn vector(n: i64) -> Self {
        PartialShape(Some([n.max(-1)].as_slice().into()))
    }

    pub fn unknown_of_rank(rank: usize) -> Self {
        PartialShape(Some(SmallVec::from_elem(-1, rank)))
    }

    pub fn from_dims(dims: impl IntoIterator<Item = i64>) -> Self {
        PartialShape(Some(dims.into_iter().map(|d| d.max(-1)).collect()))
    }

    pub fn rank(&self) -> Option<usize> {
        self.0.as_ref().map(|d| d.len())
    }

    pub fn dims(&self) -> Option<&[i64]> {
        self.0.as_deref()
    }

    /// Dimension `axis`; -1 when it, or the rank, is unknown.
    pub fn dim(&self, axis: usize) -> i64 {
        self.0
            .as_ref()
            .and_then(|d| d.get(axis).copied())
            .unwrap_or(-1)
    }

    pub fn set_dim(&mut self, axis: usize, size: i64) {
        if let Some(d) = self.0.as_mut().and_then(|d| d.get_mut(axis)) {
            *d = size;
        }
    }

    pub fn is_fully_defined(&self) -> bool {
        self.0.as_ref().is_some_and(|d| d.iter().all(|x| *x >= 0))
    }

    /// The whole shape when every dimension is known.
    pub fn to_shape(&self) -> Option<Shape> {
        self.is_fully_defined()
            .then(|| Shape::new(self.dims()?).ok())
            .flatten()
    }

    /// Number of elements when every dimension is known.
    pub fn num_elements(&self) -> Option<i64> {
        self.0
            .as_ref()?
            .iter()
            .try_fold(1i64, |n, d| if *d < 0 { None } else { n.checked_mul(*d) })
    }

    /// What both know together; an error when they contradict each other.
    pub fn merge(&self, other: &PartialShape) -> Result<PartialShape> {
        let (Some(a), Some(b)) = (&self.0, &other.0) else {
            return Ok(if self.0.is_some() {
                self.clone()
            } else {
                other.clone()
            });
        };
        ensure!(
            a.len() == b.len(),
            value,
            "Shapes must be equal rank, but are {} and {}",
            a.len(),
            b.len()
        );
        let mut dims = Dims::new();
        for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
            ensure!(
                x < 0 || y < 0 || x == y,
                value,
                "Dimension {i} in both shapes must be equal, but are {x} and {y}. Shapes are {self} and {other}."
            );
            dims.push(x.max(y));
        }
        Ok(PartialShape(Some(dims)))
    }

    pub fn is_compatible_with(&self, other: &PartialShape) -> bool {
        self.merge(other).is_ok()
    }

    /// Whether a value of `shape` may stand here.
    pub fn admits(&self, shape: &Shape) -> bool {
        self.0.as_ref().is_none_or(|d| {
            d.len() == shape.rank() && d.iter().zip(shape.dims()).all(|(a, b)| *a < 0 || a == b)
        })
    }
}

impl From<&Shape> for PartialShape {
    fn from(shape: &Shape) -> Self {
        PartialShape(Some(shape.dims.clone()))
    }
}

/// TensorFlow's form in messages of shape inference: `[?,3]`, or `?` when the rank is unknown.
impl fmt::Display for PartialShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("?"),
            Some(d) => f.write_str(&show(d)),
        }
    }
}

impl fmt::Debug for PartialShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_refuse_overflow_and_negative_sizes() {
        assert!(Shape::new(&[1 << 32, 1 << 32]).is_err());
        assert!(Shape::new(&[0, 1 << 40, 1 << 40]).is_err());
        assert!(Shape::new(&[2, -1]).is_err());
        assert_eq!(Shape::new(&[2, 0, 3]).unwrap().num_elements(), 0);
    }

    #[test]
    fn merging_keeps_what_either_side_knows() {
        let a = PartialShape::new(&[-1, 3]).unwrap();
        let b = PartialShape::new(&[2, -1]).unwrap();
        assert_eq!(a.merge(&b).unwrap(), PartialShape::new(&[2, 3]).unwrap());
        assert!(a.merge(&PartialShape::new(&[2, 4]).unwrap()).is_err());
        assert_eq!(PartialShape::unknown().merge(&a).unwrap(), a);
    }
}
