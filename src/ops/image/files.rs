//! Encoded images: JPEG, PNG, GIF and BMP files as tensors of pixels, and back.

use crate::error::{Error, Result};
use crate::formats::jpeg::{EncodeOptions, Options};
use crate::formats::png::Pixels;
use crate::formats::{bitmap, gif, jpeg, png};
use crate::graph::ShapeContext;
use crate::ops::kernel::KernelContext;
use crate::ops::{Op, shape};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

pub(in crate::ops) const OPS: &[Op] = &[
    Op::new("DecodeJpeg", "contents: string -> image: uint8")
        .attr("channels: int = 0")
        .attr("ratio: int = 1")
        .attr("fancy_upscaling: bool = true")
        .attr("try_recover_truncated: bool = false")
        .attr("acceptable_fraction: float = 1.0")
        .attr("dct_method: string = ''")
        .shape(image_shape)
        .host(decode_jpeg),
    Op::new(
        "DecodeAndCropJpeg",
        "contents: string, crop_window: int32 -> image: uint8",
    )
    .attr("channels: int = 0")
    .attr("ratio: int = 1")
    .attr("fancy_upscaling: bool = true")
    .attr("try_recover_truncated: bool = false")
    .attr("acceptable_fraction: float = 1.0")
    .attr("dct_method: string = ''")
    .shape(cropped_shape)
    .host(decode_and_crop),
    Op::new("DecodePng", "contents: string -> image: dtype")
        .attr("channels: int = 0")
        .attr("dtype: {uint8, uint16} = DT_UINT8")
        .shape(image_shape)
        .host(decode_png),
    Op::new("DecodeBmp", "contents: string -> image: uint8")
        .attr("channels: int = 0")
        .shape(image_shape)
        .host(decode_bmp),
    Op::new("DecodeGif", "contents: string -> image: uint8")
        .shape(frames_shape)
        .host(decode_gif),
    Op::new("EncodeJpeg", "image: uint8 -> contents: string")
        .attr("format: {'', 'grayscale', 'rgb'} = ''")
        .attr("quality: int = 95")
        .attr("progressive: bool = false")
        .attr("optimize_size: bool = false")
        .attr("chroma_downsampling: bool = true")
        .attr("density_unit: {'in', 'cm'} = 'in'")
        .attr("x_density: int = 300")
        .attr("y_density: int = 300")
        .attr("xmp_metadata: string = ''")
        .shape(shape::scalar)
        .host(encode_jpeg),
    Op::new(
        "EncodeJpegVariableQuality",
        "images: uint8, quality: int32 -> contents: string",
    )
    .shape(shape::scalar)
    .host(encode_jpeg_of_quality),
    Op::new("EncodePng", "image: T -> contents: string")
        .attr("compression: int = -1")
        .attr("T: {uint8, uint16} = DT_UINT8")
        .shape(shape::scalar)
        .host(encode_png),
    Op::new(
        "ExtractJpegShape",
        "contents: string -> image_shape: output_type",
    )
    .attr("output_type: {int32, int64} = DT_INT32")
    .shape(|c| {
        c.input_of_rank(0, 0)?;
        c.set(0, PartialShape::vector(3));
        Ok(())
    })
    .host(jpeg_shape),
];

fn channels_of(c: &ShapeContext) -> Result<i64> {
    match c.attrs().int("channels")? {
        0 => Ok(-1),
        n if n > 0 => Ok(n),
        n => bail!(invalid, "channels must be non-negative, got {n}"),
    }
}

fn image_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 0)?;
    let channels = channels_of(c)?;
    c.set(0, PartialShape::from_dims([-1, -1, channels]));
    Ok(())
}

fn cropped_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 0)?;
    let channels = channels_of(c)?;
    let (height, width) = match c.constant_ints(1) {
        Some(window) if window.len() == 4 => (window[2], window[3]),
        _ => (-1, -1),
    };
    c.set(0, PartialShape::from_dims([height, width, channels]));
    Ok(())
}

fn frames_shape(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 0)?;
    c.set(0, PartialShape::from_dims([-1, -1, -1, 3]));
    Ok(())
}

fn contents<'a>(c: &'a KernelContext) -> Result<&'a [u8]> {
    let input = c.input(0)?;
    ensure!(
        input.shape().is_scalar(),
        invalid,
        "contents must be scalar, got shape {}",
        input.shape()
    );
    input.item_string()
}

fn image(height: usize, width: usize, channels: usize, pixels: &[u8]) -> Result<Value> {
    Value::from_slice(
        Shape::new(&[height as i64, width as i64, channels as i64])?,
        pixels,
    )
}

/// What the first bytes say a file is.
enum Kind {
    Jpeg,
    Png,
    Gif,
    Other,
}

fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Kind::Jpeg,
        [0x89, b'P', b'N', b'G', ..] => Kind::Png,
        [b'G', b'I', b'F', b'8', ..] => Kind::Gif,
        _ => Kind::Other,
    }
}

fn read_jpeg(c: &KernelContext, channels: usize) -> Result<(usize, usize, usize, Vec<u8>)> {
    let bytes = contents(c)?;
    let (mut smooth, mut fast, mut ratio) = (true, true, 1);
    if c.attrs().get("ratio").is_some() {
        smooth = c.attrs().bool("fancy_upscaling")?;
        ratio = c.attrs().int("ratio")?;
        fast = match c.attrs().str("dct_method")? {
            "" | "INTEGER_FAST" => true,
            "INTEGER_ACCURATE" => false,
            _ => bail!(
                invalid,
                "dct_method must be one of {{'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}}"
            ),
        };
    }
    ensure!(
        matches!(ratio, 1 | 2 | 4 | 8),
        invalid,
        "ratio must be 1, 2, 4, or 8, got {ratio}"
    );
    ensure!(
        ratio == 1,
        unimplemented,
        "JPEG files are not yet read at a part of their size (ratio {ratio})"
    );
    jpeg::decode(
        bytes,
        &Options {
            channels,
            smooth,
            fast,
        },
    )
    .map_err(|_| {
        Error::invalid(format!(
            "Invalid JPEG data or crop window, data size {}",
            bytes.len()
        ))
    })
}

/// DecodeJpeg and DecodePng read each other's files, and GIF files of one frame.
fn decode_any(c: &KernelContext, wide: bool) -> Result<(usize, usize, usize, Vec<u8>)> {
    let channels = c.attrs().int("channels")?;
    ensure!(
        matches!(channels, 0 | 1 | 3 | 4),
        invalid,
        "channels must be 0, 1, 3 or 4, got {channels}"
    );
    let channels = channels as usize;
    let bytes = contents(c)?;
    match kind_of(bytes) {
        Kind::Jpeg => {
            ensure!(
                channels != 4,
                invalid,
                "channels must be 0, 1, 3 for JPEG, got 4"
            );
            let (height, width, channels, pixels) = read_jpeg(c, channels)?;
            let pixels = match wide {
                true => pixels
                    .iter()
                    .flat_map(|x| (u16::from(*x) << 8).to_ne_bytes())
                    .collect(),
                false => pixels,
            };
            Ok((height, width, channels, pixels))
        }
        Kind::Png => png::decode(bytes, channels, wide),
        Kind::Gif => {
            let (frames, height, width, pixels) = gif::decode(bytes)?;
            ensure!(
                frames == 1,
                invalid,
                "Got {frames} frames, but animated gifs can only be decoded by tf.image.decode_gif or tf.image.decode_image"
            );
            ensure!(
                matches!(channels, 0 | 3),
                invalid,
                "channels must be 0, 3 for GIF, got {channels}"
            );
            Ok((height, width, 3, pixels))
        }
        Kind::Other => Err(unknown(bytes)),
    }
}

/// The bytes that a message shows of a file that nobody knows.
fn unknown(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return Error::invalid("Expected image (JPEG, PNG, or GIF), got empty file");
    }
    let shown: String = bytes
        .iter()
        .take(16)
        .map(|b| match b {
            b'\n' => "\\n".into(),
            b'\r' => "\\r".into(),
            b'\t' => "\\t".into(),
            b'"' | b'\'' | b'\\' => format!("\\{}", *b as char),
            0x20..=0x7e => (*b as char).to_string(),
            b => format!("\\{b:03o}"),
        })
        .collect();
    Error::invalid(format!(
        "Expected image (JPEG, PNG, or GIF), got unknown format starting with '{shown}'"
    ))
}

fn decode_jpeg(c: &mut KernelContext) -> Result<()> {
    let (height, width, channels, pixels) = decode_any(c, false)?;
    c.set_output(0, image(height, width, channels, &pixels)?);
    Ok(())
}

fn decode_png(c: &mut KernelContext) -> Result<()> {
    let wide = c.attrs().dtype("dtype")? == DType::U16;
    let (height, width, channels, pixels) = decode_any(c, wide)?;
    if !wide {
        c.set_output(0, image(height, width, channels, &pixels)?);
        return Ok(());
    }
    let mut out = c.allocate(
        0,
        Shape::new(&[height as i64, width as i64, channels as i64])?,
    )?;
    out.bytes_mut()?.copy_from_slice(&pixels);
    c.set_output(0, out);
    Ok(())
}

fn decode_and_crop(c: &mut KernelContext) -> Result<()> {
    let channels = c.attrs().int("channels")?;
    ensure!(
        matches!(channels, 0 | 1 | 3),
        invalid,
        "channels must be 0, 1, 3 for JPEG, got {channels}"
    );
    let window = c.ints_input(1)?;
    ensure!(
        window.len() == 4,
        invalid,
        "crop_window must have four elements [y, x, height, width], got {window:?}"
    );
    let size = contents(c)?.len();
    let (height, width, channels, pixels) = read_jpeg(c, channels as usize)?;
    let [y, x, high, wide] = [0, 1, 2, 3].map(|i| usize::try_from(window[i]).unwrap_or(usize::MAX));
    let fits =
        |from: usize, count: usize, all: usize| count > 0 && from <= all && count <= all - from;
    ensure!(
        fits(y, high, height) && fits(x, wide, width),
        invalid,
        "Invalid JPEG data or crop window, data size {size}"
    );
    let mut out = Vec::with_capacity(high * wide * channels);
    for row in y..y + high {
        let from = (row * width + x) * channels;
        out.extend_from_slice(&pixels[from..from + wide * channels]);
    }
    c.set_output(0, image(high, wide, channels, &out)?);
    Ok(())
}

fn decode_bmp(c: &mut KernelContext) -> Result<()> {
    let channels = usize::try_from(c.attrs().int("channels")?).unwrap_or(usize::MAX);
    let (height, width, channels, pixels) = bitmap::decode(contents(c)?, channels)?;
    c.set_output(0, image(height, width, channels, &pixels)?);
    Ok(())
}

fn decode_gif(c: &mut KernelContext) -> Result<()> {
    let bytes = contents(c)?;
    let (frames, height, width, pixels) = match kind_of(bytes) {
        Kind::Gif => gif::decode(bytes)?,
        Kind::Png => {
            let (height, width, _, pixels) = png::decode(bytes, 3, false)?;
            (1, height, width, pixels)
        }
        Kind::Jpeg => {
            let (height, width, _, pixels) = read_jpeg(c, 3)?;
            (1, height, width, pixels)
        }
        Kind::Other => return Err(unknown(bytes)),
    };
    let shape = Shape::new(&[frames as i64, height as i64, width as i64, 3])?;
    c.set_output(0, Value::from_slice(shape, &pixels)?);
    Ok(())
}

/// The sizes of an image to be encoded.
fn sizes(value: &Value) -> Result<(usize, usize, usize)> {
    let shape = value.shape();
    ensure!(
        shape.rank() == 3,
        invalid,
        "image must be 3-dimensional{shape}"
    );
    Ok((shape.dim(0), shape.dim(1), shape.dim(2)))
}

fn encode_jpeg(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let pixels = c.input(0)?;
    let (height, width, channels) = sizes(pixels)?;
    let format = attrs.str("format")?;
    let wanted = match format {
        "grayscale" => 1,
        "rgb" => 3,
        _ => channels,
    };
    ensure!(
        wanted == channels,
        invalid,
        "format '{format}' expects {wanted} channels but got {channels}"
    );
    ensure!(
        matches!(channels, 1 | 3),
        invalid,
        "image must have 1 or 3 channels, got [{height},{width},{channels}]"
    );
    ensure!(
        !attrs.bool("progressive")?,
        unimplemented,
        "progressive JPEG files are not yet written"
    );
    let quality = attrs.int("quality")?;
    ensure!(
        (0..=100).contains(&quality),
        invalid,
        "quality must be in [0,100], got {quality}"
    );
    let density = |name: &str| -> Result<u16> {
        u16::try_from(attrs.int(name)?)
            .map_err(|_| Error::invalid(format!("{name} must be in [0, 65535]")))
    };
    let options = EncodeOptions {
        quality,
        chroma_downsampling: attrs.bool("chroma_downsampling")?,
        density_unit: if attrs.str("density_unit")? == "cm" {
            2
        } else {
            1
        },
        x_density: density("x_density")?,
        y_density: density("y_density")?,
        xmp: attrs.bytes("xmp_metadata")?.to_vec(),
    };
    let file = jpeg::encode(pixels.slice::<u8>()?, height, width, channels, &options)?;
    c.set_output(0, Value::scalar_string(file));
    Ok(())
}

fn encode_jpeg_of_quality(c: &mut KernelContext) -> Result<()> {
    let quality = c.scalar_input(1, "quality")?.int()?;
    ensure!(
        (0..=100).contains(&quality),
        invalid,
        "quality must be in [0,100], got {quality}"
    );
    let pixels = c.input(0)?;
    let (height, width, channels) = sizes(pixels)?;
    let options = EncodeOptions {
        quality,
        ..EncodeOptions::default()
    };
    let file = jpeg::encode(pixels.slice::<u8>()?, height, width, channels, &options)?;
    c.set_output(0, Value::scalar_string(file));
    Ok(())
}

fn encode_png(c: &mut KernelContext) -> Result<()> {
    let compression = c.attrs().int("compression")?;
    ensure!(
        (-1..=9).contains(&compression),
        invalid,
        "compression should be in [-1,9], got {compression}"
    );
    let pixels = c.input(0)?;
    let (height, width, channels) = sizes(pixels)?;
    ensure!(
        (1..=4).contains(&channels),
        invalid,
        "image must have 1, 2, 3, or 4 channels, got {channels}"
    );
    let file = png::encode(Pixels {
        bytes: pixels.bytes()?,
        height,
        width,
        channels,
        sample_bytes: pixels.dtype().size().unwrap_or(1),
    })?;
    c.set_output(0, Value::scalar_string(file));
    Ok(())
}

fn jpeg_shape(c: &mut KernelContext) -> Result<()> {
    let bytes = contents(c)?;
    let header = jpeg::read_header(bytes)
        .map_err(|_| Error::invalid(format!("Invalid JPEG data, data size {}", bytes.len())))?;
    let all = [
        header.height as i64,
        header.width as i64,
        header.components as i64,
    ];
    let made = crate::ops::build::integers(c.attrs().dtype("output_type")?, &all)?;
    c.set_output(0, made);
    Ok(())
}
