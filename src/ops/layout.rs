//! Where images keep their channels: last (`NHWC`, `NDHWC`) or right after the batch (`NCHW`, `NCDHW`). Kernels work
//! with channels last; images of the other layout are turned before and after.

use crate::error::Result;
use crate::graph::Attrs;
use crate::value::{PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Layout {
    is_channels_first: bool,
}

impl Layout {
    pub const CHANNELS_LAST: Layout = Layout {
        is_channels_first: false,
    };

    /// What the attribute `data_format` says.
    pub fn of(attrs: &Attrs) -> Result<Layout> {
        if attrs.get("data_format").is_none() {
            return Ok(Layout::CHANNELS_LAST);
        }
        Ok(Layout {
            is_channels_first: match attrs.str("data_format")? {
                "NHWC" | "NDHWC" => false,
                "NCHW" | "NCDHW" => true,
                other => bail!(unimplemented, "images of data format {other}"),
            },
        })
    }

    pub fn is_channels_first(self) -> bool {
        self.is_channels_first
    }

    /// The axis of the channels among `rank` axes.
    pub fn channel_axis(self, rank: usize) -> usize {
        match self.is_channels_first {
            true => 1,
            false => rank - 1,
        }
    }

    /// The axis of spatial dimension `i`.
    pub fn spatial_axis(self, i: usize) -> usize {
        i + 1 + usize::from(self.is_channels_first)
    }

    /// A shape in this layout.
    pub fn shape(self, batch: i64, spatial: &[i64], channels: i64) -> PartialShape {
        PartialShape::from_dims(self.dims(batch, spatial, channels))
    }

    /// Sizes in the order of this layout.
    pub fn dims(self, batch: i64, spatial: &[i64], channels: i64) -> Vec<i64> {
        let mut dims = vec![batch];
        dims.extend_from_slice(spatial);
        dims.insert(self.channel_axis(spatial.len() + 2), channels);
        dims
    }

    /// The image with its channels last.
    pub fn to_channels_last(self, image: &Value) -> Result<Value> {
        let dims = image.shape().dims().to_vec();
        if !self.is_channels_first || dims.len() < 3 {
            return Ok(image.clone());
        }
        let mut turned = dims.clone();
        turned.remove(1);
        turned.push(dims[1]);
        turn(image, dims[1] as usize, Shape::new(&turned)?)
    }

    /// An image whose channels are last, in this layout.
    pub fn into_own_order(self, image: Value) -> Result<Value> {
        let dims = image.shape().dims().to_vec();
        let rank = dims.len();
        if !self.is_channels_first || rank < 3 {
            return Ok(image);
        }
        let mut turned = dims.clone();
        turned.pop();
        turned.insert(1, dims[rank - 1]);
        let pixels: i64 = dims[1..rank - 1].iter().product();
        turn(&image, pixels as usize, Shape::new(&turned)?)
    }

    /// Sizes of one image in this layout, channels last.
    pub fn sizes_channels_last(self, dims: &[i64]) -> Vec<i64> {
        let mut dims = dims.to_vec();
        if self.is_channels_first && dims.len() > 2 {
            let channels = dims.remove(1);
            dims.push(channels);
        }
        dims
    }
}

/// Every matrix `[rows, …]` of the batch transposed.
fn turn(value: &Value, rows: usize, shape: Shape) -> Result<Value> {
    let batch = shape.dim(0);
    let mut out = Value::uninit(value.dtype(), shape)?;
    let each = value.num_elements().checked_div(batch).unwrap_or(0);
    let columns = each.checked_div(rows).unwrap_or(0);
    if columns == 0 {
        return Ok(out);
    }
    ensure!(each == rows * columns, internal, "an image of broken size");
    dispatch!(plain, value.dtype(), T => {
        let from = value.slice::<T>()?.chunks_exact(each);
        for (from, to) in from.zip(out.slice_mut::<T>()?.chunks_exact_mut(each)) {
            for (j, to) in to.chunks_exact_mut(rows).enumerate() {
                for (i, to) in to.iter_mut().enumerate() {
                    *to = from[i * columns + j];
                }
            }
        }
    });
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_there_and_back_changes_nothing() {
        let first = Layout {
            is_channels_first: true,
        };
        let all: Vec<i32> = (0..24).collect();
        let image = Value::from_slice(Shape::new(&[2, 3, 2, 2]).unwrap(), &all).unwrap();
        let turned = first.to_channels_last(&image).unwrap();
        assert_eq!(turned.shape().dims(), [2, 2, 2, 3]);
        assert_eq!(turned.slice::<i32>().unwrap()[..6], [0, 4, 8, 1, 5, 9]);
        assert_eq!(first.into_own_order(turned).unwrap(), image);
        assert_eq!(first.dims(5, &[6, 7], 8), [5, 8, 6, 7]);
    }
}
