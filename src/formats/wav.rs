//! WAV files of 16-bit samples: audio summaries, `tf.audio`.

use crate::error::Result;
use crate::{bail, ensure};

/// Bytes before the samples in the files that are written here.
const HEADER: usize = 44;

/// Sound: frames in order, channels side by side, samples in -1..1.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    pub sample_rate: u32,
    pub channels: usize,
    pub samples: Vec<f32>,
}

/// `samples` as a file. InvalidArgument for sizes that the format does not have.
pub fn encode(samples: &[f32], channels: usize, sample_rate: u32) -> Result<Vec<u8>> {
    let data = samples
        .len()
        .checked_mul(2)
        .filter(|n| *n + HEADER <= u32::MAX as usize);
    let (Some(data), Ok(channels)) = (data, u16::try_from(channels)) else {
        bail!(invalid, "Provided data is too large to write as a WAV file");
    };
    ensure!(
        channels > 0 && sample_rate > 0,
        invalid,
        "sample_rate and num_channels must be positive"
    );
    let frame = 2 * u32::from(channels);
    let Some(bytes_per_second) = sample_rate.checked_mul(frame) else {
        bail!(invalid, "sample_rate is too large: {sample_rate}");
    };
    let mut out = Vec::with_capacity(HEADER + data);
    out.extend(b"RIFF");
    out.extend(((HEADER - 8 + data) as u32).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16u32.to_le_bytes());
    out.extend(1u16.to_le_bytes()); // plain samples
    out.extend(channels.to_le_bytes());
    out.extend(sample_rate.to_le_bytes());
    out.extend(bytes_per_second.to_le_bytes());
    out.extend((frame as u16).to_le_bytes());
    out.extend(16u16.to_le_bytes());
    out.extend(b"data");
    out.extend((data as u32).to_le_bytes());
    for sample in samples {
        let scaled = (sample * 32768.0).round().clamp(-32768.0, 32767.0);
        out.extend((scaled as i16).to_le_bytes());
    }
    Ok(out)
}

/// The sound of a file of 16-bit samples.
pub fn decode(file: &[u8]) -> Result<Sound> {
    ensure!(
        file.get(..4) == Some(b"RIFF"),
        invalid,
        "Header mismatch: Expected RIFF but found {}",
        start(file)
    );
    ensure!(
        file.get(8..12) == Some(b"WAVE"),
        invalid,
        "Header mismatch: Expected WAVE but found {}",
        start(file.get(8..).unwrap_or_default())
    );
    let mut rest = file.get(12..).unwrap_or_default();
    let mut format = None;
    while let Some((name, size, body)) = chunk(rest) {
        match name {
            b"fmt " => format = Some(read_format(body)?),
            b"data" => {
                let Some((channels, sample_rate)) = format else {
                    bail!(
                        invalid,
                        "Bad audio format for WAV: the data comes before its format"
                    );
                };
                let Some(data) = body.get(..size) else {
                    bail!(invalid, "Data too short when trying to read string");
                };
                let samples = data
                    .chunks_exact(2)
                    .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32768.0)
                    .collect();
                return Ok(Sound {
                    sample_rate,
                    channels,
                    samples,
                });
            }
            _ => {}
        }
        rest = body.get(size + size % 2..).unwrap_or_default();
    }
    bail!(invalid, "No data found in WAV file")
}

/// A chunk's name, its length, and what follows its header.
fn chunk(bytes: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    let (name, rest) = bytes.split_at_checked(4)?;
    let (size, body) = rest.split_first_chunk::<4>()?;
    Some((name, u32::from_le_bytes(*size) as usize, body))
}

/// Channels and sample rate.
fn read_format(body: &[u8]) -> Result<(usize, u32)> {
    let Some(
        &[
            tag,
            tag_high,
            channels,
            channels_high,
            a,
            b,
            c,
            d,
            _,
            _,
            _,
            _,
            _,
            _,
            bits,
            bits_high,
        ],
    ) = body.first_chunk::<16>()
    else {
        bail!(
            invalid,
            "Bad format chunk size for WAV: Expected 16, 18, or 40, but got {}",
            body.len()
        );
    };
    let (tag, bits) = (
        u16::from_le_bytes([tag, tag_high]),
        u16::from_le_bytes([bits, bits_high]),
    );
    ensure!(
        matches!(tag, 1 | 0xfffe),
        invalid,
        "Bad audio format for WAV: Expected 1 (PCM), but got {tag}"
    );
    ensure!(
        bits == 16,
        invalid,
        "Can only read 16-bit WAV files, but received {bits}"
    );
    let channels = u16::from_le_bytes([channels, channels_high]);
    ensure!(channels > 0, invalid, "Bad number of channels for WAV: 0");
    Ok((usize::from(channels), u32::from_le_bytes([a, b, c, d])))
}

fn start(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(4)
        .flat_map(|b| b.escape_ascii())
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_come_back_within_their_step() {
        let samples = [0.0, 0.5, -1.0, 2.0];
        let file = encode(&samples, 2, 8000).unwrap();
        assert_eq!(file.len(), HEADER + 8);
        let sound = decode(&file).unwrap();
        assert_eq!((sound.channels, sound.sample_rate), (2, 8000));
        assert_eq!(sound.samples, [0.0, 0.5, -1.0, 32767.0 / 32768.0]);
    }

    #[test]
    fn broken_files_are_errors() {
        let file = encode(&[0.0; 4], 1, 8000).unwrap();
        for n in 0..file.len() {
            assert!(decode(&file[..n]).is_err(), "{n}");
        }
        assert!(encode(&[0.0], 0, 8000).is_err());
        assert!(encode(&[0.0], 1, 0).is_err());
    }
}
