//! PNG files: image summaries, `tf.image.encode_png` and `tf.image.decode_png`.

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

/// The image in a PNG file: (height, width, channels, samples), 8-bit or 16-bit in native order as `wide` says.
/// `wanted` channels, 0 for those of the file.
pub fn decode(bytes: &[u8], wanted: usize, wide: bool) -> Result<(usize, usize, usize, Vec<u8>)> {
    let broken =
        |_: png::DecodingError| Error::invalid(format!("Invalid PNG data, size {}", bytes.len()));
    let headless = |_: png::DecodingError| {
        Error::invalid(format!("Invalid PNG header, data size {}", bytes.len()))
    };
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(headless)?;
    let size = reader.output_buffer_size().filter(|n| *n <= MOST_BYTES);
    let size = size.ok_or_else(|| Error::invalid("Invalid PNG data, the image is too large"))?;
    let mut raw = vec![0; size];
    let info = reader.next_frame(&mut raw).map_err(broken)?;
    raw.truncate(info.buffer_size());
    let (height, width) = (info.height as usize, info.width as usize);
    let own = info.color_type.samples();
    let samples: Vec<u16> = match info.bit_depth {
        BitDepth::Sixteen => raw
            .chunks_exact(2)
            .map(|two| u16::from(two[0]) << 8 | u16::from(two[1]))
            .collect(),
        // Eight bits become sixteen so that white stays white.
        _ => raw.iter().map(|x| u16::from(*x) * 257).collect(),
    };
    let channels = if wanted == 0 { own } else { wanted };
    let mut out = Vec::with_capacity(height * width * channels * if wide { 2 } else { 1 });
    for pixel in samples.chunks_exact(own) {
        let made = with_channels(pixel, channels);
        for x in &made[..channels] {
            match wide {
                true => out.extend(x.to_ne_bytes()),
                false => out.push((x >> 8) as u8),
            }
        }
    }
    Ok((height, width, channels, out))
}

/// No image has more bytes than this.
const MOST_BYTES: usize = 1 << 30;

/// A pixel with other channels: alpha is dropped or full, colours become grey with 0.299, 0.587 and 0.114.
fn with_channels(pixel: &[u16], channels: usize) -> [u16; 4] {
    let has_colour = pixel.len() >= 3;
    let alpha = match pixel.len() {
        2 => pixel[1],
        4 => pixel[3],
        _ => u16::MAX,
    };
    if channels >= 3 {
        let [r, g, b] = if has_colour {
            [pixel[0], pixel[1], pixel[2]]
        } else {
            [pixel[0]; 3]
        };
        return [r, g, b, alpha];
    }
    let grey = match has_colour {
        false => pixel[0],
        // Colours become grey in eight bits, whatever the file and the program have.
        true => {
            let [r, g, b] = [0, 1, 2].map(|i| u32::from(pixel[i] >> 8));
            let mixed = (9797 * r + 19234 * g + 3737 * b) >> 15;
            mixed as u16 * 257
        }
    };
    [grey, alpha, 0, 0]
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
