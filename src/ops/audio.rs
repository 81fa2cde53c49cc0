//! Sound files as ops.

use crate::error::Result;
use crate::formats::wav;
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("DecodeWav", "contents: string -> audio: float32, sample_rate: int32").attr("desired_channels: int = -1").attr("desired_samples: int = -1").shape(sound).host(decode_wav),
    Op::new("EncodeWav", "audio: float32, sample_rate: int32 -> contents: string").shape(encoded_sound).host(encode_wav),
];

fn sound(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 0)?;
    let size = |name| c.attrs().int(name).unwrap_or(-1).max(-1);
    let dims = [size("desired_samples"), size("desired_channels")];
    c.set(0, PartialShape::from_dims(dims));
    c.set(1, PartialShape::from_dims([]));
    Ok(())
}

fn encoded_sound(c: &mut ShapeContext) -> Result<()> {
    c.input_of_rank(0, 2)?;
    c.input_of_rank(1, 0)?;
    shape::scalar(c)
}

fn decode_wav(c: &mut KernelContext) -> Result<()> {
    let found = wav::decode(c.scalar_input(0, "contents")?.item_string()?)?;
    let wanted = |name, own: usize| -> Result<usize> {
        Ok(usize::try_from(c.attrs().int(name)?).unwrap_or(own))
    };
    let frames = wanted("desired_samples", found.samples.len() / found.channels)?;
    let channels = wanted("desired_channels", found.channels)?;
    let shape = Shape::new(&[frames as i64, channels as i64])?;
    let mut value = Value::zeros(DType::F32, shape)?;
    let out = value.slice_mut::<f32>()?;
    // Channels that are missing repeat the last one; frames that are missing are silent.
    for (to, from) in out
        .chunks_exact_mut(channels.max(1))
        .zip(found.samples.chunks_exact(found.channels))
    {
        for (i, sample) in to.iter_mut().enumerate() {
            *sample = from[i.min(from.len() - 1)];
        }
    }
    c.set_output(0, value);
    c.set_output(1, Value::scalar(found.sample_rate as i32)?);
    Ok(())
}

fn encode_wav(c: &mut KernelContext) -> Result<()> {
    let audio = c.input(0)?;
    let &[_, channels] = audio.shape().dims() else {
        bail!(
            invalid,
            "audio must be 2-dimensional but got shape {}",
            audio.shape()
        );
    };
    let rate = c.scalar_input(1, "sample_rate")?.item::<i32>()?;
    ensure!(
        rate > 0,
        invalid,
        "sample_rate must be positive, got {rate}"
    );
    let file = wav::encode(audio.slice::<f32>()?, channels as usize, rate as u32)?;
    c.set_output(0, Value::scalar_string(file));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::run;

    #[test]
    fn sound_comes_back_from_its_file() {
        let audio = Value::from_slice(Shape::new(&[2, 1]).unwrap(), &[0.5f32, -1.0]).unwrap();
        let rate = Value::scalar(8000i32).unwrap();
        let file = run("EncodeWav", &[audio, rate], &[]).unwrap();
        let back = run("DecodeWav", &file, &[]).unwrap();
        assert_eq!(back[0].slice::<f32>().unwrap(), [0.5, -1.0]);
        assert_eq!(back[1].item::<i32>().unwrap(), 8000);
        assert!(run("DecodeWav", &[Value::scalar_string("text")], &[]).is_err());
    }
}
