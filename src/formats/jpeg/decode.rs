//! Reading: markers, coefficients in one or many scans, samples.

use super::ZIGZAG;
use super::huffman::{Bits, Book};
use super::transform::{fast_factors, inverse, inverse_fast};
use super::upsample::{Plane, convert};
use crate::error::{Error, Result};
use crate::{bail, ensure};

/// What the samples mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Space {
    Grey,
    Rgb,
    Ycc,
    Cmyk,
    Ycck,
}

/// How a file is read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// 1 or 3; 0 for as many as the file has.
    pub channels: usize,
    /// Whether colours are made larger smoothly.
    pub smooth: bool,
    /// Whether the transform is the quick one.
    pub fast: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            channels: 0,
            smooth: true,
            fast: true,
        }
    }
}

/// What the frame header says.
#[derive(Clone, Debug)]
pub struct Header {
    pub height: usize,
    pub width: usize,
    pub components: usize,
}

#[derive(Clone, Debug, Default)]
struct Component {
    id: u8,
    h: usize,
    v: usize,
    quantization: usize,
    /// Blocks of all rows, to whole units.
    blocks_wide: usize,
    blocks_high: usize,
    /// Blocks that hold samples of the image: what scans of this component alone have.
    own_wide: usize,
    own_high: usize,
    coefficients: Vec<[i16; 64]>,
}

#[derive(Default)]
struct Reader<'a> {
    bytes: &'a [u8],
    quantization: [Option<[u16; 64]>; 4],
    dc: [Option<Book>; 4],
    ac: [Option<Book>; 4],
    components: Vec<Component>,
    height: usize,
    width: usize,
    is_progressive: bool,
    restart_interval: usize,
    adobe_transform: Option<u8>,
    has_jfif: bool,
    header_only: bool,
    scans: usize,
}

/// One scan: which components, with which tables, and which coefficients and bits.
struct Scan {
    parts: Vec<(usize, usize, usize)>,
    from: usize,
    to: usize,
    high: u32,
    low: u32,
}

/// No image has more pixels than this; what a broken header asks for beyond is refused before memory is taken.
const MOST_PIXELS: usize = 1 << 28;

/// The sizes of the image in a file.
pub fn read_header(bytes: &[u8]) -> Result<Header> {
    let mut reader = Reader {
        bytes,
        header_only: true,
        ..Reader::default()
    };
    reader.read()?;
    Ok(Header {
        height: reader.height,
        width: reader.width,
        components: reader.components.len(),
    })
}

/// The image in a file: (height, width, channels, pixels).
pub fn decode(bytes: &[u8], options: &Options) -> Result<(usize, usize, usize, Vec<u8>)> {
    let mut reader = Reader {
        bytes,
        ..Reader::default()
    };
    reader.read()?;
    ensure!(reader.scans > 0, invalid, "the file holds no image");
    reader.pixels(options)
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> Result<()> {
        ensure!(
            self.bytes.starts_with(&[0xff, 0xd8]),
            invalid,
            "the file does not begin as a JPEG file"
        );
        let mut at = 2;
        loop {
            while self.bytes.get(at).is_some_and(|b| *b != 0xff) {
                at += 1;
            }
            while self.bytes.get(at) == Some(&0xff) {
                at += 1;
            }
            let Some(marker) = self.bytes.get(at).copied() else {
                bail!(invalid, "the file ends without an end marker");
            };
            at += 1;
            if marker == 0xd9 {
                break;
            }
            if matches!(marker, 0x01 | 0xd0..=0xd7 | 0) {
                continue;
            }
            let (Some(high), Some(low)) = (self.bytes.get(at), self.bytes.get(at + 1)) else {
                bail!(invalid, "the file ends in a marker");
            };
            let length = usize::from(*high) << 8 | usize::from(*low);
            let Some(data) = self.bytes.get(at + 2..at + length.max(2)) else {
                bail!(invalid, "the file ends in a segment");
            };
            at += length.max(2);
            match marker {
                0xc0..=0xc2 => {
                    self.frame(data, marker == 0xc2)?;
                    if self.header_only {
                        return Ok(());
                    }
                }
                0xc4 => self.huffman(data)?,
                0xdb => self.quantization(data)?,
                0xdd => {
                    ensure!(data.len() >= 2, invalid, "a short restart interval");
                    self.restart_interval = usize::from(data[0]) << 8 | usize::from(data[1]);
                }
                0xe0 => self.has_jfif |= data.starts_with(b"JFIF\0"),
                0xee if data.starts_with(b"Adobe") && data.len() >= 12 => {
                    self.adobe_transform = Some(data[11]);
                }
                0xda => at = self.scan(data, at)?,
                0xc3 | 0xc5..=0xc7 | 0xc9..=0xcf => {
                    bail!(invalid, "frames of kind {marker:#x} are not read")
                }
                _ => {}
            }
        }
        ensure!(
            !self.components.is_empty(),
            invalid,
            "the file has no frame"
        );
        Ok(())
    }

    fn frame(&mut self, data: &[u8], is_progressive: bool) -> Result<()> {
        ensure!(
            self.components.is_empty() && data.len() >= 6 && data[0] == 8,
            invalid,
            "a frame header that is not valid"
        );
        self.is_progressive = is_progressive;
        self.height = usize::from(data[1]) << 8 | usize::from(data[2]);
        self.width = usize::from(data[3]) << 8 | usize::from(data[4]);
        let count = usize::from(data[5]);
        ensure!(
            self.height > 0
                && self.width > 0
                && self.height * self.width <= MOST_PIXELS
                && matches!(count, 1 | 3 | 4)
                && data.len() >= 6 + 3 * count,
            invalid,
            "a frame header that is not valid"
        );
        for part in data[6..6 + 3 * count].chunks_exact(3) {
            let (h, v) = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            ensure!(
                (1..=4).contains(&h) && (1..=4).contains(&v) && part[2] < 4,
                invalid,
                "a component that is not valid"
            );
            self.components.push(Component {
                id: part[0],
                h,
                v,
                quantization: usize::from(part[2]),
                ..Component::default()
            });
        }
        let (h, v) = self.sampling();
        let (units_wide, units_high) = (self.width.div_ceil(8 * h), self.height.div_ceil(8 * v));
        for c in &mut self.components {
            ensure!(
                h % c.h == 0 && v % c.v == 0,
                invalid,
                "fractional sampling is not read"
            );
            c.blocks_wide = units_wide * c.h;
            c.blocks_high = units_high * c.v;
            c.own_wide = (self.width * c.h).div_ceil(8 * h);
            c.own_high = (self.height * c.v).div_ceil(8 * v);
            if !self.header_only {
                c.coefficients = vec![[0; 64]; c.blocks_wide * c.blocks_high];
            }
        }
        Ok(())
    }

    /// The greatest sampling factors.
    fn sampling(&self) -> (usize, usize) {
        let h = self.components.iter().map(|c| c.h).max().unwrap_or(1);
        let v = self.components.iter().map(|c| c.v).max().unwrap_or(1);
        (h, v)
    }

    fn quantization(&mut self, mut data: &[u8]) -> Result<()> {
        while let Some((head, rest)) = data.split_first() {
            let (wide, id) = (head >> 4 != 0, usize::from(head & 15));
            let size = if wide { 128 } else { 64 };
            ensure!(
                id < 4 && rest.len() >= size,
                invalid,
                "a quantization table that is not valid"
            );
            let mut table = [0u16; 64];
            for (i, at) in ZIGZAG.iter().enumerate() {
                table[*at] = match wide {
                    true => u16::from(rest[2 * i]) << 8 | u16::from(rest[2 * i + 1]),
                    false => u16::from(rest[i]),
                };
            }
            self.quantization[id] = Some(table);
            data = &rest[size..];
        }
        Ok(())
    }

    fn huffman(&mut self, mut data: &[u8]) -> Result<()> {
        while data.len() >= 17 {
            let (class, id) = (data[0] >> 4, usize::from(data[0] & 15));
            let mut counts = [0u8; 16];
            counts.copy_from_slice(&data[1..17]);
            let total: usize = counts.iter().map(|n| usize::from(*n)).sum();
            ensure!(
                class < 2 && id < 4 && data.len() >= 17 + total,
                invalid,
                "a Huffman table that is not valid"
            );
            let book = Book::new(&counts, &data[17..17 + total])?;
            match class {
                0 => self.dc[id] = Some(book),
                _ => self.ac[id] = Some(book),
            }
            data = &data[17 + total..];
        }
        Ok(())
    }

    /// Reads a scan that begins at `at`; returns where the next marker is.
    fn scan(&mut self, data: &[u8], at: usize) -> Result<usize> {
        let count = usize::from(data.first().copied().unwrap_or(0));
        ensure!(
            count >= 1 && count <= self.components.len() && data.len() >= 4 + 2 * count,
            invalid,
            "a scan header that is not valid"
        );
        let mut parts = Vec::new();
        for part in data[1..1 + 2 * count].chunks_exact(2) {
            let found = self.components.iter().position(|c| c.id == part[0]);
            let component =
                found.ok_or_else(|| Error::invalid("a scan of an unknown component"))?;
            let (dc, ac) = (usize::from(part[1] >> 4), usize::from(part[1] & 15));
            ensure!(dc < 4 && ac < 4, invalid, "a scan header that is not valid");
            parts.push((component, dc, ac));
        }
        let tail = &data[1 + 2 * count..];
        let scan = Scan {
            parts,
            from: if self.is_progressive {
                usize::from(tail[0])
            } else {
                0
            },
            to: if self.is_progressive {
                usize::from(tail[1])
            } else {
                63
            },
            high: u32::from(tail[2] >> 4),
            low: u32::from(tail[2] & 15),
        };
        ensure!(
            scan.from <= scan.to && scan.to < 64 && scan.low < 14 && (scan.from == 0 || count == 1),
            invalid,
            "a scan header that is not valid"
        );
        self.scans += 1;
        let mut bits = Bits::new(self.bytes, at);
        let mut components = std::mem::take(&mut self.components);
        let read = self.entropy(&scan, &mut components, &mut bits);
        self.components = components;
        read?;
        Ok(bits.next_marker())
    }

    fn entropy(&self, scan: &Scan, components: &mut [Component], bits: &mut Bits) -> Result<()> {
        let (h, v) = {
            let h = components.iter().map(|c| c.h).max().unwrap_or(1);
            let v = components.iter().map(|c| c.v).max().unwrap_or(1);
            (h, v)
        };
        let is_alone = scan.parts.len() == 1;
        let (wide, high) = match is_alone {
            true => {
                let c = &components[scan.parts[0].0];
                (c.own_wide, c.own_high)
            }
            false => (self.width.div_ceil(8 * h), self.height.div_ceil(8 * v)),
        };
        let mut means = [0i32; 4];
        let mut skip = 0u32;
        for unit in 0..wide * high {
            if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                bits.restart()?;
                means = [0; 4];
                skip = 0;
            }
            let (y, x) = (unit / wide, unit % wide);
            for (k, (at, dc, ac)) in scan.parts.iter().enumerate() {
                let c = &mut components[*at];
                let (rows, columns) = if is_alone { (1, 1) } else { (c.v, c.h) };
                for i in 0..rows * columns {
                    let row = y * rows + i / columns;
                    let column = x * columns + i % columns;
                    let block = &mut c.coefficients[row * c.blocks_wide + column];
                    let (dc, ac) = (self.dc[*dc].as_ref(), self.ac[*ac].as_ref());
                    if self.is_progressive {
                        progressive_block(scan, bits, dc, ac, block, &mut means[k], &mut skip)?;
                    } else {
                        baseline_block(bits, dc, ac, block, &mut means[k])?;
                    }
                }
            }
        }
        Ok(())
    }

    fn space(&self) -> Space {
        match (self.components.len(), self.adobe_transform) {
            (1, _) => Space::Grey,
            (3, Some(0)) if !self.has_jfif => Space::Rgb,
            (3, None) if !self.has_jfif && self.components.iter().map(|c| c.id).eq(*b"RGB") => {
                Space::Rgb
            }
            (3, _) => Space::Ycc,
            (_, Some(2)) => Space::Ycck,
            _ => Space::Cmyk,
        }
    }

    fn plane(&self, c: &Component, fast: bool) -> Result<Plane> {
        let (h, v) = self.sampling();
        let Some(table) = &self.quantization[c.quantization] else {
            bail!(invalid, "a quantization table is missing");
        };
        let factors = match fast {
            true => fast_factors(table),
            false => table.map(i32::from),
        };
        let stride = c.blocks_wide * 8;
        let mut samples = vec![0u8; stride * c.blocks_high * 8];
        for (at, block) in c.coefficients.iter().enumerate() {
            let (row, column) = (at / c.blocks_wide, at % c.blocks_wide);
            let scaled = std::array::from_fn(|i| i32::from(block[i]).wrapping_mul(factors[i]));
            let pixels = if fast {
                inverse_fast(&scaled)
            } else {
                inverse(&scaled)
            };
            for (y, line) in pixels.chunks_exact(8).enumerate() {
                let from = (row * 8 + y) * stride + column * 8;
                samples[from..from + 8].copy_from_slice(line);
            }
        }
        Ok(Plane {
            samples,
            stride,
            width: (self.width * c.h).div_ceil(h),
            height: (self.height * c.v).div_ceil(v),
            across: h / c.h,
            down: v / c.v,
        })
    }

    fn pixels(&self, options: &Options) -> Result<(usize, usize, usize, Vec<u8>)> {
        let space = self.space();
        let channels = match options.channels {
            0 if self.components.len() == 1 => 1,
            0 => 3,
            n => n,
        };
        let planes = self
            .components
            .iter()
            .map(|c| self.plane(c, options.fast))
            .collect::<Result<Vec<_>>>()?;
        let mut rows = vec![Vec::new(); planes.len()];
        let mut out = Vec::with_capacity(self.height * self.width * channels);
        for y in 0..self.height {
            for (row, plane) in rows.iter_mut().zip(&planes) {
                plane.upsampled(y, self.width, options.smooth, row);
            }
            convert(
                &rows,
                self.width,
                space,
                channels,
                self.adobe_transform.is_some(),
                &mut out,
            );
        }
        Ok((self.height, self.width, channels, out))
    }
}

fn needed(book: Option<&Book>) -> Result<&Book> {
    book.ok_or_else(|| Error::invalid("a Huffman table is missing"))
}

fn baseline_block(
    bits: &mut Bits,
    dc: Option<&Book>,
    ac: Option<&Book>,
    block: &mut [i16; 64],
    mean: &mut i32,
) -> Result<()> {
    let (dc, ac) = (needed(dc)?, needed(ac)?);
    let size = bits.decode(dc)?;
    *mean = mean.wrapping_add(bits.signed(u32::from(size))?);
    block[0] = *mean as i16;
    let mut k = 1;
    while k < 64 {
        let code = bits.decode(ac)?;
        let (run, size) = (usize::from(code >> 4), u32::from(code & 15));
        if size == 0 {
            if run != 15 {
                break;
            }
            k += 16;
            continue;
        }
        k += run;
        let value = bits.signed(size)?;
        ensure!(k < 64, invalid, "more coefficients than a block has");
        block[ZIGZAG[k]] = value as i16;
        k += 1;
    }
    Ok(())
}

fn progressive_block(
    scan: &Scan,
    bits: &mut Bits,
    dc: Option<&Book>,
    ac: Option<&Book>,
    block: &mut [i16; 64],
    mean: &mut i32,
    skip: &mut u32,
) -> Result<()> {
    match (scan.from, scan.high) {
        (0, 0) => {
            let size = bits.decode(needed(dc)?)?;
            *mean = mean.wrapping_add(bits.signed(u32::from(size))?);
            block[0] = mean.wrapping_shl(scan.low) as i16;
            Ok(())
        }
        (0, _) => {
            if bits.take(1)? == 1 {
                block[0] |= 1 << scan.low;
            }
            Ok(())
        }
        (_, 0) => first_pass(scan, bits, needed(ac)?, block, skip),
        _ => refining_pass(scan, bits, needed(ac)?, block, skip),
    }
}

/// The number of blocks from here on that hold nothing more.
fn end_of_band(bits: &mut Bits, run: usize) -> Result<u32> {
    Ok((1 << run) + bits.take(run as u32)? as u32)
}

fn first_pass(
    scan: &Scan,
    bits: &mut Bits,
    ac: &Book,
    block: &mut [i16; 64],
    skip: &mut u32,
) -> Result<()> {
    if *skip > 0 {
        *skip -= 1;
        return Ok(());
    }
    let mut k = scan.from;
    while k <= scan.to {
        let code = bits.decode(ac)?;
        let (run, size) = (usize::from(code >> 4), u32::from(code & 15));
        if size == 0 {
            if run < 15 {
                *skip = end_of_band(bits, run)? - 1;
                break;
            }
            k += 16;
            continue;
        }
        k += run;
        let value = bits.signed(size)?;
        ensure!(k < 64, invalid, "more coefficients than a block has");
        block[ZIGZAG[k]] = value.wrapping_shl(scan.low) as i16;
        k += 1;
    }
    Ok(())
}

/// One more bit of a coefficient that is not 0.
fn refine(bits: &mut Bits, value: &mut i16, bit: i16) -> Result<()> {
    if bits.take(1)? == 1 && *value & bit == 0 {
        *value = if *value >= 0 {
            value.wrapping_add(bit)
        } else {
            value.wrapping_sub(bit)
        };
    }
    Ok(())
}

fn refining_pass(
    scan: &Scan,
    bits: &mut Bits,
    ac: &Book,
    block: &mut [i16; 64],
    skip: &mut u32,
) -> Result<()> {
    let bit = 1i16 << scan.low;
    let mut k = scan.from;
    if *skip == 0 {
        while k <= scan.to {
            let code = bits.decode(ac)?;
            let (mut run, size) = (usize::from(code >> 4), code & 15);
            let mut new = 0;
            if size == 0 {
                if run < 15 {
                    *skip = end_of_band(bits, run)?;
                    break;
                }
            } else {
                new = if bits.take(1)? == 1 { bit } else { -bit };
            }
            while k <= scan.to {
                let value = &mut block[ZIGZAG[k]];
                if *value != 0 {
                    refine(bits, value, bit)?;
                } else {
                    if run == 0 {
                        if new != 0 {
                            *value = new;
                        }
                        k += 1;
                        break;
                    }
                    run -= 1;
                }
                k += 1;
            }
        }
    }
    if *skip > 0 {
        while k <= scan.to {
            let value = &mut block[ZIGZAG[k]];
            if *value != 0 {
                refine(bits, value, bit)?;
            }
            k += 1;
        }
        *skip -= 1;
    }
    Ok(())
}
