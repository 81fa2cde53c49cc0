//! Windows bitmaps without compression: 8-bit grey, 24-bit and 32-bit colours.

use crate::ensure;
use crate::error::Result;

/// The image in a file: (height, width, channels, pixels). `wanted` channels, 0 for those of the file.
pub fn decode(bytes: &[u8], wanted: usize) -> Result<(usize, usize, usize, Vec<u8>)> {
    ensure!(
        bytes.len() >= 32,
        invalid,
        "Incomplete bmp content, requires at least 32 bytes to find the header size, width, height, and bpp, got {} bytes",
        bytes.len()
    );
    let int = |at: usize| {
        i64::from(i32::from_le_bytes([
            bytes[at],
            bytes[at + 1],
            bytes[at + 2],
            bytes[at + 3],
        ]))
    };
    let (header, width, height) = (int(10), int(18), int(22));
    let bits = usize::from(bytes[28]) | usize::from(bytes[29]) << 8;
    ensure!(
        matches!(bits, 8 | 24 | 32),
        invalid,
        "Number of channels must be 1, 3 or 4, was {}",
        bits / 8
    );
    let channels = bits / 8;
    ensure!(
        wanted == 0 || wanted == channels,
        invalid,
        "channels attribute {wanted} does not match bits per pixel from file {channels}"
    );
    ensure!(width > 0, invalid, "Width must be positive");
    ensure!(height != 0, invalid, "Height must be nonzero");
    ensure!(header >= 0, invalid, "header size must be nonnegative");
    let (is_top_down, height) = (height < 0, height.unsigned_abs() as usize);
    let (width, header) = (width as usize, header as usize);
    let row = (width * channels).next_multiple_of(4);
    let end = row.checked_mul(height).and_then(|n| n.checked_add(header));
    ensure!(
        // The padding of the last row may be missing.
        end.is_some_and(|end| end - (row - width * channels) <= bytes.len()),
        invalid,
        "Incomplete bmp content, requires at least {} bytes, got {} bytes",
        end.unwrap_or(usize::MAX),
        bytes.len()
    );
    let mut out = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        let from = header + row * if is_top_down { y } else { height - 1 - y };
        for pixel in bytes[from..from + width * channels].chunks_exact(channels) {
            match pixel {
                [b, g, r] => out.extend([*r, *g, *b]),
                [b, g, r, a] => out.extend([*r, *g, *b, *a]),
                grey => out.extend_from_slice(grey),
            }
        }
    }
    Ok((height, width, channels, out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_from_the_bottom_and_colours_turn_around() {
        let mut file = vec![0u8; 54];
        file[10] = 54;
        file[18] = 1;
        file[22] = 2;
        file[28] = 24;
        file.extend([1, 2, 3, 0, 4, 5, 6, 0]);
        assert_eq!(decode(&file, 0).unwrap(), (2, 1, 3, vec![6, 5, 4, 3, 2, 1]));
        for end in 0..file.len() - 1 {
            assert!(decode(&file[..end], 0).is_err());
        }
    }
}
