//! Image summaries: batches of images as PNG files under tags, floats scaled to 8 bits as TensorFlow scales them
//! (`core/kernels/summary_image_op.cc`).

use half::f16;

use crate::error::Result;
use crate::formats::png::{self, Pixels};
use crate::formats::proto::{Summary, summary};
use crate::value::{DType, Value};
use crate::{bail, ensure};

/// Images whose greatest magnitude is below this are black: scaling them up would show noise.
const ZERO_THRESHOLD: f32 = 1e-6;

/// The summary of the first `max_images` images of `value`, `[batch, height, width, channels]` with 1, 3 or 4 channels.
///
/// Their tags are `TAG/image/0`, `TAG/image/1`, ..., or `TAG/image` when at most one is asked for. Pixels that are not
/// finite get `bad_color`, which has a byte for each channel at least.
pub fn encode(tag: &str, value: &Value, max_images: i64, bad_color: &[u8]) -> Result<Summary> {
    let &[batch, height, width, channels] = value.shape().dims() else {
        bail!(invalid, "{}", wrong_shape(value));
    };
    ensure!(
        matches!(channels, 1 | 3 | 4),
        invalid,
        "{}",
        wrong_shape(value)
    );
    ensure!(
        channels <= bad_color.len() as i64,
        invalid,
        "expected depth <= bad_color.size, got depth = {channels}, bad_color.size = {}",
        bad_color.len()
    );
    let sizes = (height as usize, width as usize, channels as usize);
    let mut summary = Summary::default();
    for i in 0..batch.min(max_images) {
        let pixels = image_bytes(value, i as usize, sizes, bad_color)?;
        let file = png::encode(Pixels {
            bytes: &pixels,
            height: sizes.0,
            width: sizes.1,
            channels: sizes.2,
            sample_bytes: 1,
        })?;
        // The tag depends on how many were asked for, not on how many there are.
        let tag = match max_images {
            1 => format!("{tag}/image"),
            _ => format!("{tag}/image/{i}"),
        };
        let image = summary::Image {
            height: height as i32,
            width: width as i32,
            colorspace: channels as i32,
            encoded_image_string: file,
        };
        summary.value.push(summary::Value {
            tag,
            value: Some(summary::value::Value::Image(image)),
            ..Default::default()
        });
    }
    Ok(summary)
}

fn wrong_shape(value: &Value) -> String {
    format!(
        "Tensor must be 4-D with last dim 1, 3, or 4, not {}",
        value.shape()
    )
}

/// The bytes of image `i`.
fn image_bytes(
    value: &Value,
    i: usize,
    (height, width, channels): (usize, usize, usize),
    bad_color: &[u8],
) -> Result<Vec<u8>> {
    let size = height * width * channels;
    let range = i * size..(i + 1) * size;
    let bad = &bad_color[..channels];
    Ok(match value.dtype() {
        DType::U8 => value.slice::<u8>()?[range].to_vec(),
        DType::F32 => normalize(&value.slice::<f32>()?[range], bad),
        DType::F16 => normalize(&value.slice::<f16>()?[range], bad),
        DType::F64 => normalize(&value.slice::<f64>()?[range], bad),
        other => bail!(invalid, "an image summary of {} values", other.short_name()),
    })
}

/// A type of pixels. The scaling is done in it: each product and sum is rounded to it.
trait Sample: Copy {
    fn to_f32(self) -> f32;
    fn is_finite(self) -> bool;
    fn from_f32(x: f32) -> Self;
    fn scale_and_shift(self, scale: Self, offset: Self) -> u8;
}

impl Sample for f32 {
    fn to_f32(self) -> f32 {
        self
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn from_f32(x: f32) -> f32 {
        x
    }
    fn scale_and_shift(self, scale: f32, offset: f32) -> u8 {
        (self * scale + offset) as u8
    }
}

impl Sample for f64 {
    fn to_f32(self) -> f32 {
        self as f32
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn from_f32(x: f32) -> f64 {
        x.into()
    }
    fn scale_and_shift(self, scale: f64, offset: f64) -> u8 {
        (self * scale + offset) as u8
    }
}

impl Sample for f16 {
    fn to_f32(self) -> f32 {
        self.into()
    }
    fn is_finite(self) -> bool {
        self.is_finite()
    }
    fn from_f32(x: f32) -> f16 {
        f16::from_f32(x)
    }
    fn scale_and_shift(self, scale: f16, offset: f16) -> u8 {
        f32::from(self * scale + offset) as u8
    }
}

/// One image in 8 bits. Without negative values the greatest becomes 255; with some, the greatest magnitude becomes
/// 127 steps around 128. Pixels with a channel that is not finite do not count, and become `bad`.
fn normalize<T: Sample>(samples: &[T], bad: &[u8]) -> Vec<u8> {
    let is_finite = |pixel: &[T]| pixel.iter().all(|x| x.is_finite());
    let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
    for pixel in samples.chunks_exact(bad.len()).filter(|p| is_finite(p)) {
        for x in pixel {
            min = min.min(x.to_f32());
            max = max.max(x.to_f32());
        }
    }
    let (steps, greatest, offset) = if min < 0.0 {
        (127.0, min.abs().max(max.abs()), 128.0)
    } else {
        (255.0, max, 0.0)
    };
    let scale = match greatest {
        x if x < ZERO_THRESHOLD => 0.0,
        x => steps / x,
    };
    let (scale, offset) = (T::from_f32(scale), T::from_f32(offset));
    let mut out = Vec::with_capacity(samples.len());
    for pixel in samples.chunks_exact(bad.len()) {
        if is_finite(pixel) {
            out.extend(pixel.iter().map(|x| x.scale_and_shift(scale, offset)));
        } else {
            out.extend_from_slice(bad);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::formats::proto;
    use crate::formats::testing::{fixture_summaries, floats};
    use crate::value::Shape;

    const RED: [u8; 4] = [255, 0, 0, 255];

    fn images(dims: &[i64]) -> Value {
        Value::zeros(DType::F32, Shape::new(dims).unwrap()).unwrap()
    }

    fn tags(dims: &[i64], max_images: i64) -> Vec<String> {
        let summary = encode("t", &images(dims), max_images, &RED).unwrap();
        summary.value.into_iter().map(|v| v.tag).collect()
    }

    #[test]
    fn tags_are_numbered_when_several_images_are_asked_for() {
        assert_eq!(tags(&[2, 3, 4, 1], 1), ["t/image"]);
        assert_eq!(tags(&[2, 3, 4, 3], 3), ["t/image/0", "t/image/1"]);
        assert_eq!(tags(&[0, 3, 4, 4], 3), [""; 0]);
    }

    #[test]
    fn floats_are_scaled_to_eight_bits() {
        assert_eq!(
            normalize(&[0.0f32, 0.5, 1.0, 2.0], &[255]),
            [0, 63, 127, 255]
        );
        assert_eq!(normalize(&[-1.0f64, 0.0, 0.5], &[255]), [1, 128, 191]);
        assert_eq!(normalize(&[0.0f32, 1e-7], &[255]), [0, 0]);
        assert_eq!(normalize(&[f16::from_f32(4.0)], &[255]), [255]);
    }

    #[test]
    fn pixels_that_are_not_finite_show_as_the_bad_color_and_do_not_count() {
        let x = [1.0f32, 2.0, 4.0, f32::NAN, 100.0, 100.0];
        assert_eq!(normalize(&x, &RED[..3]), [63, 127, 255, 255, 0, 0]);
        assert_eq!(normalize(&[f32::INFINITY], &[9]), [9]);
    }

    #[test]
    fn other_shapes_are_refused() {
        for dims in [&[2, 3, 4][..], &[1, 3, 4, 2], &[1, 0, 4, 1]] {
            let error = encode("t", &images(dims), 3, &RED).unwrap_err();
            assert_eq!(error.code, Code::InvalidArgument, "{dims:?}");
        }
        assert!(encode("t", &images(&[1, 2, 2, 4]), 3, &RED[..3]).is_err());
    }

    /// The height, width and pixels of a PNG file.
    fn pixels(file: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = ::png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.height, info.width, pixels)
    }

    fn images_of(summary: &Summary) -> Vec<(String, i32, (u32, u32, Vec<u8>))> {
        let image = |value: &summary::Value| match &value.value {
            Some(summary::value::Value::Image(image)) => (
                value.tag.clone(),
                image.colorspace,
                pixels(&image.encoded_image_string),
            ),
            other => panic!("{other:?}"),
        };
        summary.value.iter().map(image).collect()
    }

    #[test]
    fn images_are_those_of_tensorflow() {
        let records = fixture_summaries();
        let x: Vec<f32> = floats(&records[1], f32::from_le_bytes);
        let halves: Vec<f16> = x.iter().map(|x| f16::from_f32(*x)).collect();
        let doubles: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let bytes: Vec<u8> = (0..120).collect();
        let shape = Shape::new(&[2, 5, 4, 3]).unwrap();
        let values = [
            Value::from_slice(shape.clone(), &x),
            Value::from_slice(shape.clone(), &halves),
            Value::from_slice(shape.clone(), &doubles),
            Value::from_slice(shape, &bytes),
        ];
        let tags = ["i", "i_1", "i_2", "i_3"];
        for ((value, record), tag) in values.into_iter().zip(&records[3..]).zip(tags) {
            let value = value.unwrap();
            let ours = encode(tag, &value, 3, &RED).unwrap();
            let theirs: Summary = proto::decode(record, "a summary").unwrap();
            assert_eq!(images_of(&ours), images_of(&theirs), "{value:?}");
        }
    }
}
