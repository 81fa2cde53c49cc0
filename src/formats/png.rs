//! PNG encoding: image summaries, `tf.image.encode_png`.

use png::{BitDepth, ColorType, Encoder};

use crate::ensure;
use crate::error::{Error, Result};

/// The pixels of an image: rows from the top, channels side by side, 16-bit samples in native byte order.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    pub bytes: &'a [u8],
    pub height: usize,
    pub width: usize,
    /// 1: grey, 2: grey and alpha, 3: RGB, 4: RGBA.
    pub channels: usize,
    /// Bytes of one sample: 1 or 2.
    pub sample_bytes: usize,
}

/// The image as a PNG file. InvalidArgument for an empty image and for sizes that the format does not have.
pub fn encode(pixels: Pixels) -> Result<Vec<u8>> {
    let (color, depth) = (color(pixels.channels)?, depth(pixels.sample_bytes)?);
    let (Ok(width), Ok(height)) = (u32::try_from(pixels.width), u32::try_from(pixels.height))
    else {
        return Err(too_large(&pixels));
    };
    ensure!(
        width > 0 && height > 0,
        invalid,
        "PNG: an image of {height} x {width} pixels cannot be encoded"
    );
    ensure!(
        width <= i32::MAX as u32 && height <= i32::MAX as u32,
        invalid,
        "{}",
        too_large(&pixels).message
    );
    let want = [pixels.width, pixels.channels, pixels.sample_bytes]
        .iter()
        .try_fold(pixels.height, |n, size| n.checked_mul(*size));
    ensure!(
        want == Some(pixels.bytes.len()),
        invalid,
        "PNG: {} bytes for an image of {height} x {width} pixels with {} channels",
        pixels.bytes.len(),
        pixels.channels
    );
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().map_err(failed)?;
    match depth {
        BitDepth::Sixteen => writer.write_image_data(&big_endian(pixels.bytes)),
        _ => writer.write_image_data(pixels.bytes),
    }
    .map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

fn color(channels: usize) -> Result<ColorType> {
    Ok(match channels {
        1 => ColorType::Grayscale,
        2 => ColorType::GrayscaleAlpha,
        3 => ColorType::Rgb,
        4 => ColorType::Rgba,
        _ => {
            return Err(Error::invalid(format!(
                "image must have 1, 2, 3, or 4 channels, not {channels}"
            )));
        }
    })
}

fn depth(sample_bytes: usize) -> Result<BitDepth> {
    match sample_bytes {
        1 => Ok(BitDepth::Eight),
        2 => Ok(BitDepth::Sixteen),
        _ => Err(Error::invalid(format!(
            "PNG: samples of {sample_bytes} bytes"
        ))),
    }
}

fn big_endian(samples: &[u8]) -> Vec<u8> {
    let (pairs, _) = samples.as_chunks::<2>();
    pairs
        .iter()
        .flat_map(|pair| u16::from_ne_bytes(*pair).to_be_bytes())
        .collect()
}

fn too_large(pixels: &Pixels) -> Error {
    Error::invalid(format!(
        "PNG: an image of {} x {} pixels is too large",
        pixels.height, pixels.width
    ))
}

fn failed(error: png::EncodingError) -> Error {
    Error::internal(format!("PNG encoding failed: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Code;

    /// The samples of a PNG file, big-endian where they have 16 bits.
    fn decode(bytes: &[u8]) -> (u32, u32, ColorType, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.height, info.width, info.color_type, pixels)
    }

    proptest! {
        #[test]
        fn a_decoder_gives_the_pixels_back(
            height in 1usize..20, width in 1usize..20, channels in 1usize..5, sample_bytes in 1usize..3, seed: u8,
        ) {
            let count = height * width * channels * sample_bytes;
            let bytes: Vec<u8> = (0..count).map(|i| (i * i) as u8 ^ seed).collect();
            let file = encode(Pixels { bytes: &bytes, height, width, channels, sample_bytes }).unwrap();
            let want = if sample_bytes == 2 { big_endian(&bytes) } else { bytes };
            prop_assert_eq!(
                decode(&file),
                (height as u32, width as u32, color(channels).unwrap(), want)
            );
        }
    }

    #[test]
    fn sizes_that_make_no_image_are_errors() {
        let cases = [
            (0, 3, 1, 1, 0),
            (3, 0, 1, 1, 0),
            (1, 1, 5, 1, 5),
            (1, 1, 0, 1, 0),
            (2, 2, 1, 1, 3),
            (2, 2, 1, 3, 12),
            (1 << 31, 1 << 32, 1, 1, 4),
        ];
        for (height, width, channels, sample_bytes, len) in cases {
            let bytes = &vec![0; len];
            let pixels = Pixels {
                bytes,
                height,
                width,
                channels,
                sample_bytes,
            };
            assert_eq!(
                encode(pixels).unwrap_err().code,
                Code::InvalidArgument,
                "{height} x {width}"
            );
        }
    }
}
