//! GIF files: all frames, each drawn over the one before, as red, green and blue.

use crate::error::{Error, Result};
use crate::{bail, ensure};

/// No animation has more pixels than this.
const MOST_PIXELS: usize = 1 << 28;

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let found = self.bytes.get(self.at..self.at + count);
        self.at += count;
        found.ok_or_else(|| Error::invalid("Invalid GIF data, the file ends early"))
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<usize> {
        let two = self.take(2)?;
        Ok(usize::from(two[0]) | usize::from(two[1]) << 8)
    }

    /// Blocks up to the empty one.
    fn blocks(&mut self) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let length = self.byte()?;
            if length == 0 {
                return Ok(all);
            }
            all.extend_from_slice(self.take(usize::from(length))?);
        }
    }

    /// A table of colours, if the flags say that one follows.
    fn colours(&mut self, flags: u8) -> Result<Option<&'a [u8]>> {
        match flags & 0x80 {
            0 => Ok(None),
            _ => self.take(3 << ((flags & 7) + 1)).map(Some),
        }
    }
}

/// The frames of a file: (frames, height, width, pixels), three channels.
pub fn decode(bytes: &[u8]) -> Result<(usize, usize, usize, Vec<u8>)> {
    let mut reader = Reader { bytes, at: 0 };
    let magic = reader.take(6)?;
    ensure!(
        magic.starts_with(b"GIF8"),
        invalid,
        "Invalid GIF data, the file does not begin as a GIF file"
    );
    let (width, height) = (reader.short()?, reader.short()?);
    let flags = reader.take(3)?[0];
    let global = reader.colours(flags)?;
    let size = height * width * 3;
    ensure!(size > 0, invalid, "Invalid GIF data, the image is empty");
    let (mut frames, mut out) = (0, Vec::new());
    loop {
        match reader.byte() {
            Ok(0x3b) => break,
            Ok(0x21) => {
                reader.byte()?;
                reader.blocks()?;
            }
            Ok(0x2c) => {
                ensure!(
                    out.len() + size <= MOST_PIXELS,
                    invalid,
                    "Invalid GIF data, it is too large"
                );
                let from = out.len();
                match frames {
                    0 => out.resize(size, 0),
                    _ => out.extend_from_within(from - size..),
                }
                draw(&mut reader, global, height, width, &mut out[from..])?;
                frames += 1;
            }
            Ok(_) => bail!(invalid, "Invalid GIF data, an unknown block"),
            // The end mark may be missing when there are frames.
            Err(error) if frames == 0 => return Err(error),
            Err(_) => break,
        }
    }
    ensure!(frames > 0, invalid, "Invalid GIF data, there is no frame");
    Ok((frames, height, width, out))
}

fn draw(
    reader: &mut Reader,
    global: Option<&[u8]>,
    height: usize,
    width: usize,
    canvas: &mut [u8],
) -> Result<()> {
    let (left, top) = (reader.short()?, reader.short()?);
    let (wide, high) = (reader.short()?, reader.short()?);
    let flags = reader.byte()?;
    let own = reader.colours(flags)?;
    let Some(colours) = own.or(global) else {
        bail!(invalid, "Invalid GIF data, missing color map");
    };
    let size = reader.byte()?;
    let pixels = unpack(&reader.blocks()?, size, wide * high)?;
    ensure!(
        pixels.len() == wide * high,
        invalid,
        "Invalid GIF data, a frame ends early"
    );
    let is_interlaced = flags & 0x40 != 0;
    let order: Vec<usize> = match is_interlaced {
        false => (0..high).collect(),
        true => [(0, 8), (4, 8), (2, 4), (1, 2)]
            .iter()
            .flat_map(|(from, step)| (*from..high).step_by(*step))
            .collect(),
    };
    for (line, y) in pixels.chunks_exact(wide.max(1)).zip(order) {
        for (x, index) in line.iter().enumerate() {
            let (row, column) = (top + y, left + x);
            if row < height && column < width {
                let Some(colour) =
                    colours.get(usize::from(*index) * 3..usize::from(*index) * 3 + 3)
                else {
                    bail!(
                        invalid,
                        "Invalid GIF data, found color index {index} outside of color map range"
                    );
                };
                let to = (row * width + column) * 3;
                canvas[to..to + 3].copy_from_slice(colour);
            }
        }
    }
    Ok(())
}

/// LZW with codes of growing width (Welch, 1984; GIF89a, appendix F). At most `most` pixels.
fn unpack(data: &[u8], size: u8, most: usize) -> Result<Vec<u8>> {
    ensure!(
        (1..=8).contains(&size),
        invalid,
        "Invalid GIF data, codes of {size} bits"
    );
    let (clear, end) = (1usize << size, (1usize << size) + 1);
    // Each entry is the entry before it and one more pixel.
    let mut prefix = vec![0usize; 4096];
    let mut last = vec![0u8; 4096];
    let mut length = vec![0usize; 4096];
    for i in 0..clear {
        last[i] = i as u8;
        length[i] = 1;
    }
    let (mut next, mut width, mut before) = (end + 1, u32::from(size) + 1, None::<usize>);
    let (mut window, mut filled) = (0u32, 0u32);
    let mut out = Vec::with_capacity(most);
    let mut bytes = data.iter();
    while out.len() < most {
        while filled < width {
            let Some(byte) = bytes.next() else {
                return Ok(out);
            };
            window |= u32::from(*byte) << filled;
            filled += 8;
        }
        let code = (window & ((1 << width) - 1)) as usize;
        window >>= width;
        filled -= width;
        if code == clear {
            (next, width, before) = (end + 1, u32::from(size) + 1, None);
            continue;
        }
        if code == end {
            break;
        }
        let write =
            |out: &mut Vec<u8>, code: usize, prefix: &[usize], last: &[u8], length: &[usize]| {
                let (from, count) = (out.len(), length[code]);
                out.resize(from + count, 0);
                let mut at = code;
                for i in (0..count).rev() {
                    out[from + i] = last[at];
                    at = prefix[at];
                }
                out[from]
            };
        let Some(previous) = before else {
            ensure!(
                code < clear,
                invalid,
                "Invalid GIF data, a code that means nothing"
            );
            write(&mut out, code, &prefix, &last, &length);
            before = Some(code);
            continue;
        };
        ensure!(
            code <= next && code < 4096,
            invalid,
            "Invalid GIF data, a code that means nothing"
        );
        let first = if code < next {
            write(&mut out, code, &prefix, &last, &length)
        } else {
            let first = write(&mut out, previous, &prefix, &last, &length);
            out.push(first);
            first
        };
        if next < 4096 {
            prefix[next] = previous;
            last[next] = first;
            length[next] = length[previous] + 1;
            next += 1;
            if next == 1 << width && width < 12 {
                width += 1;
            }
        }
        before = Some(code);
    }
    out.truncate(most);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three by two pixels in colours 0 and 1, from codes of three bits that are never packed.
    fn file() -> Vec<u8> {
        let mut file = b"GIF89a\x03\0\x02\0\x80\0\0".to_vec();
        file.extend([9, 8, 7, 1, 2, 3]);
        file.extend([0x2c, 0, 0, 0, 0, 3, 0, 2, 0, 0, 2]);
        let codes = [4u32, 0, 1, 4, 1, 0, 4, 0, 1, 5];
        let (mut window, mut filled, mut data) = (0u32, 0, Vec::new());
        for code in codes {
            window |= code << filled;
            filled += 3;
            while filled >= 8 {
                data.push(window as u8);
                window >>= 8;
                filled -= 8;
            }
        }
        data.push(window as u8);
        file.push(data.len() as u8);
        file.extend(data);
        file.extend([0, 0x3b]);
        file
    }

    #[test]
    fn pixels_have_the_colours_of_the_table() {
        let (frames, height, width, pixels) = decode(&file()).unwrap();
        assert_eq!((frames, height, width), (1, 2, 3));
        let (a, b) = ([9, 8, 7], [1, 2, 3]);
        assert_eq!(pixels, [a, b, b, a, a, b].concat());
    }

    #[test]
    fn a_file_cut_or_changed_anywhere_never_panics() {
        let whole = file();
        for end in 0..whole.len() {
            let _ = decode(&whole[..end]);
            for value in [0, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[end] = value;
                let _ = decode(&broken);
            }
        }
    }
}
