//! Writing: one scan with the usual Huffman codes, as libjpeg writes it when nothing else is asked for.

use super::ZIGZAG;
use super::huffman::{BitWriter, Book};
use super::tables::{AC, DC, QUANTIZATION};
use super::transform::forward;
use crate::ensure;
use crate::error::Result;

/// How a file is written.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// 0 to 100.
    pub quality: i64,
    /// Whether colours are stored at half the size.
    pub chroma_downsampling: bool,
    /// 0: no unit, 1: dots an inch, 2: dots a centimetre.
    pub density_unit: u8,
    pub x_density: u16,
    pub y_density: u16,
    /// XMP metadata; empty for none.
    pub xmp: Vec<u8>,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        EncodeOptions {
            quality: 95,
            chroma_downsampling: true,
            density_unit: 1,
            x_density: 300,
            y_density: 300,
            xmp: Vec::new(),
        }
    }
}

/// The tables at a quality, in the order of files.
fn scaled_tables(quality: i64) -> [[u16; 64]; 2] {
    let quality = quality.clamp(1, 100);
    let scale = if quality < 50 {
        5000 / quality
    } else {
        200 - quality * 2
    };
    QUANTIZATION
        .map(|table| table.map(|x| ((i64::from(x) * scale + 50) / 100).clamp(1, 255) as u16))
}

struct Plane {
    samples: Vec<u8>,
    width: usize,
    height: usize,
}

impl Plane {
    /// A sample; beyond the edges the last one is repeated.
    fn at(&self, y: usize, x: usize) -> u8 {
        self.samples[y.min(self.height - 1) * self.width + x.min(self.width - 1)]
    }

    /// Means of two by two samples, of `wide` columns and `high` rows; halves are rounded down and up in turn.
    fn halved(&self, wide: usize, high: usize) -> Plane {
        let mut samples = Vec::with_capacity(wide * high);
        for y in 0..high {
            for x in 0..wide {
                let sum: u32 = [(0, 0), (0, 1), (1, 0), (1, 1)]
                    .iter()
                    .map(|(j, i)| u32::from(self.at(2 * y + j, 2 * x + i)))
                    .sum();
                samples.push(((sum + 1 + (x as u32 & 1)) >> 2) as u8);
            }
        }
        Plane {
            samples,
            width: wide,
            height: high,
        }
    }
}

fn fixed(x: f64) -> i32 {
    (x * 65536.0 + 0.5) as i32
}

/// Brightness and two colour differences of a pixel.
fn ycc_of_rgb(pixel: &[u8]) -> [u8; 3] {
    let [r, g, b] = [0, 1, 2].map(|i| i32::from(pixel[i]));
    let offset = (128 << 16) + (1 << 15) - 1;
    [
        (fixed(0.29900) * r + fixed(0.58700) * g + fixed(0.11400) * b + (1 << 15)) >> 16,
        (-fixed(0.16874) * r - fixed(0.33126) * g + fixed(0.5) * b + offset) >> 16,
        (fixed(0.5) * r - fixed(0.41869) * g - fixed(0.08131) * b + offset) >> 16,
    ]
    .map(|x| x as u8)
}

fn segment(out: &mut Vec<u8>, marker: u8, data: &[u8]) {
    out.extend([0xff, marker]);
    out.extend(((data.len() + 2) as u16).to_be_bytes());
    out.extend_from_slice(data);
}

/// The file of an image of 1 or 3 channels.
pub fn encode(
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
    options: &EncodeOptions,
) -> Result<Vec<u8>> {
    ensure!(
        (1..=65535).contains(&height) && (1..=65535).contains(&width),
        invalid,
        "JPEG: an image of {height} x {width} pixels cannot be encoded"
    );
    ensure!(
        matches!(channels, 1 | 3) && pixels.len() == height * width * channels,
        invalid,
        "JPEG: {} bytes for an image of {height} x {width} pixels with {channels} channels",
        pixels.len()
    );
    let is_halved = channels == 3 && options.chroma_downsampling;
    let tables = scaled_tables(options.quality);
    let mut out = vec![0xff, 0xd8];
    let mut jfif = b"JFIF\0\x01\x01".to_vec();
    jfif.push(options.density_unit);
    jfif.extend(options.x_density.to_be_bytes());
    jfif.extend(options.y_density.to_be_bytes());
    jfif.extend([0, 0]);
    segment(&mut out, 0xe0, &jfif);
    if !options.xmp.is_empty() {
        let mut xmp = b"http://ns.adobe.com/xap/1.0/\0".to_vec();
        xmp.extend_from_slice(&options.xmp);
        ensure!(
            xmp.len() < 65500,
            invalid,
            "JPEG: the XMP metadata is too long"
        );
        segment(&mut out, 0xe1, &xmp);
    }
    let kinds = if channels == 3 { 2 } else { 1 };
    for (i, table) in tables.iter().take(kinds).enumerate() {
        let mut data = vec![i as u8];
        data.extend(table.iter().map(|x| *x as u8));
        segment(&mut out, 0xdb, &data);
    }
    let mut frame = vec![8];
    frame.extend((height as u16).to_be_bytes());
    frame.extend((width as u16).to_be_bytes());
    frame.push(channels as u8);
    for i in 0..channels {
        let sampling = if i == 0 && is_halved { 0x22 } else { 0x11 };
        frame.extend([i as u8 + 1, sampling, u8::from(i > 0)]);
    }
    segment(&mut out, 0xc0, &frame);
    for kind in 0..kinds {
        for (class, (counts, values)) in [(0u8, DC[kind]), (1, AC[kind])] {
            let mut data = vec![class << 4 | kind as u8];
            data.extend(counts);
            data.extend_from_slice(values);
            segment(&mut out, 0xc4, &data);
        }
    }
    let mut scan = vec![channels as u8];
    for i in 0..channels {
        scan.extend([i as u8 + 1, if i == 0 { 0 } else { 0x11 }]);
    }
    scan.extend([0, 63, 0]);
    segment(&mut out, 0xda, &scan);
    out.extend(entropy(
        pixels, height, width, channels, is_halved, &tables,
    )?);
    out.extend([0xff, 0xd9]);
    Ok(out)
}

fn entropy(
    pixels: &[u8],
    height: usize,
    width: usize,
    channels: usize,
    is_halved: bool,
    tables: &[[u16; 64]; 2],
) -> Result<Vec<u8>> {
    let mut planes: Vec<Plane> = (0..channels)
        .map(|_| Plane {
            samples: Vec::with_capacity(height * width),
            width,
            height,
        })
        .collect();
    for pixel in pixels.chunks_exact(channels) {
        if channels == 1 {
            planes[0].samples.push(pixel[0]);
        } else {
            for (plane, x) in planes.iter_mut().zip(ycc_of_rgb(pixel)) {
                plane.samples.push(x);
            }
        }
    }
    let unit = if is_halved { 2 } else { 1 };
    let (units_wide, units_high) = (width.div_ceil(8 * unit), height.div_ceil(8 * unit));
    if is_halved {
        for plane in &mut planes[1..] {
            *plane = plane.halved(units_wide * 8, height.div_ceil(2));
        }
    }
    let books = [0, 1].map(|i| {
        let codes =
            |(counts, values): ([u8; 16], &[u8])| Book::new(&counts, values).map(|b| b.codes());
        Ok::<_, crate::error::Error>((codes(DC[i])?, codes(AC[i])?))
    });
    let [first, second] = books;
    let books = [first?, second?];
    let mut means = [0i32; 3];
    let mut writer = BitWriter::default();
    for at in 0..units_wide * units_high {
        let (y, x) = (at / units_wide, at % units_wide);
        for (k, plane) in planes.iter().enumerate() {
            let each = if k == 0 { unit } else { 1 };
            let kind = usize::from(k > 0);
            for i in 0..each * each {
                let (row, column) = (y * each + i / each, x * each + i % each);
                // Blocks beyond the image hold the mean of the block before them and nothing else.
                let is_outside = column * 8 >= plane.width.next_multiple_of(8)
                    || row * 8 >= plane.height.next_multiple_of(8);
                let levels = match is_outside {
                    true => {
                        let mut levels = [0; 64];
                        levels[0] = means[k];
                        levels
                    }
                    false => quantized(plane, row, column, &tables[kind]),
                };
                let (dc, ac) = &books[kind];
                write_block(&mut writer, &levels, &mut means[k], dc, ac);
            }
        }
    }
    Ok(writer.finish())
}

/// The quantized coefficients of a block, in the order of files.
fn quantized(plane: &Plane, row: usize, column: usize, table: &[u16; 64]) -> [i32; 64] {
    let samples =
        std::array::from_fn(|i| i32::from(plane.at(row * 8 + i / 8, column * 8 + i % 8)) - 128);
    let coefficients = forward(&samples);
    std::array::from_fn(|i| {
        let (value, step) = (coefficients[ZIGZAG[i]], i32::from(table[i]) << 3);
        let level = (value.abs() + step / 2) / step;
        if value < 0 { -level } else { level }
    })
}

/// How many bits a number needs.
fn size_of(x: i32) -> u32 {
    32 - x.unsigned_abs().leading_zeros()
}

/// The bits of a number: negative ones less 1.
fn bits_of(x: i32, size: u32) -> u32 {
    let x = if x < 0 { x - 1 } else { x };
    x as u32 & ((1 << size) - 1)
}

fn write_block(
    writer: &mut BitWriter,
    levels: &[i32; 64],
    mean: &mut i32,
    dc: &[(u32, u8); 256],
    ac: &[(u32, u8); 256],
) {
    let code = |writer: &mut BitWriter, book: &[(u32, u8); 256], value: usize| {
        let (bits, length) = book[value];
        writer.put(bits, u32::from(length));
    };
    let difference = levels[0] - *mean;
    *mean = levels[0];
    let size = size_of(difference);
    code(writer, dc, size as usize);
    writer.put(bits_of(difference, size), size);
    let mut run = 0;
    for level in &levels[1..] {
        if *level == 0 {
            run += 1;
            continue;
        }
        while run > 15 {
            code(writer, ac, 0xf0);
            run -= 16;
        }
        let size = size_of(*level);
        code(writer, ac, run << 4 | size as usize);
        writer.put(bits_of(*level, size), size);
        run = 0;
    }
    if run > 0 {
        code(writer, ac, 0);
    }
}
