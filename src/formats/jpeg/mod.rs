//! JPEG files (ITU T.81), read and written with the arithmetic of libjpeg: the same transforms, the same upsampling, the
//! same conversion of colours, so that pixels are the same bit for bit.

mod decode;
mod encode;
mod huffman;
mod tables;
mod transform;
mod upsample;

pub use decode::{Header, Options, Space, decode, read_header};
pub use encode::{EncodeOptions, encode};

/// The order in which the coefficients of a block are written: place in the file to place in the block.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn gradient(height: usize, width: usize) -> Vec<u8> {
        (0..height * width)
            .flat_map(|i| {
                [
                    (i % width * 7) as u8,
                    (i / width * 5) as u8,
                    (i % width * 3 + i / width * 4) as u8,
                ]
            })
            .collect()
    }

    #[test]
    fn what_is_encoded_is_decoded_nearly_the_same() {
        // The fast inverse transform, which is the default, loses most at the finest quantization.
        for (downsampled, limit) in [(false, 30), (true, 60)] {
            let pixels = gradient(19, 21);
            let options = EncodeOptions {
                quality: 100,
                chroma_downsampling: downsampled,
                ..EncodeOptions::default()
            };
            let file = encode(&pixels, 19, 21, 3, &options).unwrap();
            let (height, width, channels, found) = decode(&file, &Options::default()).unwrap();
            assert_eq!((height, width, channels), (19, 21, 3));
            let worst = found.iter().zip(&pixels).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst < Some(limit), "{worst:?}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_never_a_panic() {
        let file = encode(&gradient(9, 9), 9, 9, 3, &EncodeOptions::default()).unwrap();
        for end in 0..file.len() {
            let _ = decode(&file[..end], &Options::default());
        }
        assert!(decode(&file[..file.len() / 2], &Options::default()).is_err());
    }

    #[test]
    fn a_file_with_any_byte_changed_never_panics() {
        let file = encode(&gradient(9, 9), 9, 9, 3, &EncodeOptions::default()).unwrap();
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut broken = file.clone();
                broken[at] = value;
                if broken.len() < 4000 {
                    let _ = read_header(&broken).map(|h| {
                        if h.height * h.width < 1 << 16 {
                            let _ = decode(&broken, &Options::default());
                        }
                    });
                }
            }
        }
    }
}
