//! Shapes of resized images.

use crate::error::Result;
use crate::graph::ShapeContext;
use crate::ops::shape;
use crate::value::PartialShape;

/// The image with the height and width that input 1 says.
pub(super) fn resized(c: &mut ShapeContext) -> Result<()> {
    let image = c.input_of_rank(0, 4)?;
    shape::dim_is(c.input_of_rank(1, 1)?.dim(0), 2)?;
    let (height, width) = match c.constant_ints(1).as_deref() {
        Some([height, width]) => (*height, *width),
        _ => (-1, -1),
    };
    let dims = [image.dim(0), height, width, image.dim(3)];
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// The shape of the image that was resized.
pub(super) fn original(c: &mut ShapeContext) -> Result<()> {
    c.set(0, c.input(1));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::ops::testing::{Input, of, shapes, sizes};
    use crate::value::DType;

    #[test]
    fn constant_sizes_are_known() {
        let resize = |size| shapes("ResizeBilinear", &[of(&[2, 5, 5, -1]), size], &[]);
        assert_eq!(resize(sizes(&[7, 8])).unwrap(), ["[2,7,8,?]"]);
        assert_eq!(resize(Input::Unknown(DType::I32)).unwrap(), ["[2,?,?,?]"]);
        let error = resize(sizes(&[1, 2, 3])).unwrap_err();
        assert!(
            error.message.starts_with("Dimension must be 2 but is 3"),
            "{error}"
        );
    }
}
