//! Summaries as ops: serialized `Summary` messages for TensorBoard.

use crate::error::{Error, Result};
use crate::formats::proto::{self, Message, Summary, TensorProto, summary};
use crate::formats::tensor_proto::{encode, encode_shape};
use crate::formats::{histogram, image_summary, wav};
use crate::value::{DType, PartialShape, Value};
use crate::{bail, ensure};

use super::kernel::KernelContext;
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("ScalarSummary", "tags: string, values: T -> summary: string").attr("T: realnumbertype").no_grad().shape(shape::scalar).host(scalars),
    Op::new("HistogramSummary", "tag: string, values: T -> summary: string").attr("T: realnumbertype = DT_FLOAT32").no_grad().shape(shape::scalar).host(histogram_summary),
    Op::new("ImageSummary", "tag: string, tensor: T -> summary: string").attr("max_images: int >= 1 = 3").attr("T: {uint8, float32, float16, float64} = DT_FLOAT32").attr("bad_color: tensor = uint8[255, 0, 0, 255]").no_grad().shape(shape::scalar).host(images),
    Op::new("AudioSummary", "tag: string, tensor: float32 -> summary: string").attr("sample_rate: float").attr("max_outputs: int >= 1 = 3").no_grad().shape(shape::scalar).host(audio),
    Op::new("AudioSummaryV2", "tag: string, tensor: float32, sample_rate: float32 -> summary: string").attr("max_outputs: int >= 1 = 3").no_grad().shape(shape::scalar).host(audio),
    Op::new("TensorSummaryV2", "tag: string, tensor: T, serialized_summary_metadata: string -> summary: string").attr("T: type").no_grad().shape(shape::scalar).host(tensor_summary),
    Op::new("MergeSummary", "inputs: N * string -> summary: string").attr("N: int >= 1").no_grad().shape(shape::scalar).host(merge),
];

fn set(c: &mut KernelContext, summary: &Summary) {
    c.set_output(0, Value::scalar_string(summary.encode_to_vec()));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn tag_input(c: &KernelContext) -> Result<String> {
    let tags = c.input(0)?;
    // A vector of one tag was a scalar once.
    ensure!(
        tags.num_elements() == 1 && tags.shape().rank() <= 1,
        invalid,
        "tags must be scalar"
    );
    Ok(text(tags.item_string()?))
}

/// A value for each tag; both of one shape.
fn scalars(c: &mut KernelContext) -> Result<()> {
    let (tags, values) = (c.input(0)?, c.input(1)?);
    let names = tags.string_slice()?;
    if tags.shape() != values.shape() {
        let single = match names {
            [tag] => format!(" (tag '{}')", text(tag)),
            _ => String::new(),
        };
        bail!(
            invalid,
            "tags and values not the same shape: {} != {}{single}",
            tags.shape(),
            values.shape()
        );
    }
    let numbers = as_floats(values)?;
    let value = |(tag, number): (&Vec<u8>, f32)| summary::Value {
        tag: text(tag),
        value: Some(summary::value::Value::SimpleValue(number)),
        ..Default::default()
    };
    let summary = Summary {
        value: names.iter().zip(numbers).map(value).collect(),
    };
    set(c, &summary);
    Ok(())
}

/// The elements as a summary holds them.
fn as_floats(values: &Value) -> Result<Vec<f32>> {
    macro_rules! each {
        ($t:ty, $to_f32:expr) => {
            values.slice::<$t>()?.iter().map($to_f32).collect()
        };
    }
    Ok(match values.dtype() {
        DType::F32 => values.slice::<f32>()?.to_vec(),
        DType::F64 => each!(f64, |x| *x as f32),
        DType::F16 => each!(half::f16, |x| f32::from(*x)),
        DType::BF16 => each!(half::bf16, |x| f32::from(*x)),
        DType::I8 => each!(i8, |x| f32::from(*x)),
        DType::I16 => each!(i16, |x| f32::from(*x)),
        DType::I32 => each!(i32, |x| *x as f32),
        DType::I64 => each!(i64, |x| *x as f32),
        DType::U8 => each!(u8, |x| f32::from(*x)),
        DType::U16 => each!(u16, |x| f32::from(*x)),
        DType::U32 => each!(u32, |x| *x as f32),
        DType::U64 => each!(u64, |x| *x as f32),
        other => bail!(unimplemented, "a summary of {} values", other.short_name()),
    })
}

fn histogram_summary(c: &mut KernelContext) -> Result<()> {
    let tag = tag_input(c)?;
    let proto = histogram::of_value(c.input(1)?, &c.node.name)?;
    let value = summary::Value {
        tag,
        value: Some(summary::value::Value::Histo(proto)),
        ..Default::default()
    };
    set(c, &Summary { value: vec![value] });
    Ok(())
}

fn images(c: &mut KernelContext) -> Result<()> {
    let tag = tag_input(c)?;
    let bad_color = c.attrs().tensor("bad_color")?.slice::<u8>()?;
    let max_images = c.attrs().int("max_images")?;
    let summary = image_summary::encode(&tag, c.input(1)?, max_images, bad_color)?;
    set(c, &summary);
    Ok(())
}

/// Clips `[batch, frames]` or `[batch, frames, channels]` as WAV files.
fn audio(c: &mut KernelContext) -> Result<()> {
    let tag = text(c.scalar_input(0, "Tag")?.item_string()?);
    let tensor = c.input(1)?;
    let (frames, channels) = match *tensor.shape().dims() {
        [_, frames] => (frames as usize, 1),
        [_, frames, channels] => (frames as usize, channels as usize),
        _ => bail!(
            invalid,
            "Tensor must be 3-D or 2-D, got: {}",
            tensor.shape()
        ),
    };
    let rate = match c.num_inputs() {
        3 => c.scalar_input(2, "sample_rate")?.item::<f32>()?,
        _ => c.attrs().float("sample_rate")?,
    };
    ensure!(rate > 0.0, invalid, "sample_rate must be > 0");
    let most = c.attrs().int("max_outputs")?;
    let clips = tensor
        .slice::<f32>()?
        .chunks_exact((frames * channels).max(1));
    let mut summary = Summary::default();
    for (i, clip) in clips.take(most as usize).enumerate() {
        let audio = summary::Audio {
            sample_rate: rate,
            num_channels: channels as i64,
            length_frames: frames as i64,
            encoded_audio_string: wav::encode(clip, channels, rate as u32)?,
            content_type: "audio/wav".to_owned(),
        };
        summary.value.push(summary::Value {
            // The tag depends on how many were asked for, not on how many there are.
            tag: match most {
                1 => format!("{tag}/audio"),
                _ => format!("{tag}/audio/{i}"),
            },
            value: Some(summary::value::Value::Audio(audio)),
            ..Default::default()
        });
    }
    set(c, &summary);
    Ok(())
}

/// Any tensor, with what a plugin of TensorBoard wants to know of it.
fn tensor_summary(c: &mut KernelContext) -> Result<()> {
    let tag = text(c.scalar_input(0, "tag")?.item_string()?);
    let metadata = c.scalar_input(2, "serialized_summary_metadata")?;
    let metadata = proto::decode(metadata.item_string()?, "a SummaryMetadata")?;
    let tensor = c.input(1)?;
    let tensor = match tensor.dtype() {
        DType::String => encode(tensor)?,
        dtype => TensorProto {
            dtype: dtype.number(),
            tensor_shape: Some(encode_shape(&PartialShape::from(tensor.shape()))),
            tensor_content: tensor.bytes()?.to_vec(),
            ..Default::default()
        },
    };
    let value = summary::Value {
        tag,
        metadata: Some(metadata),
        value: Some(summary::value::Value::Tensor(tensor)),
        ..Default::default()
    };
    set(c, &Summary { value: vec![value] });
    Ok(())
}

/// All summaries as one; a tag may come only once.
fn merge(c: &mut KernelContext) -> Result<()> {
    let mut merged = Summary::default();
    let mut tags = rustc_hash::FxHashSet::default();
    for i in 0..c.num_inputs() {
        for bytes in c.input(i)?.string_slice()? {
            let summary = Summary::decode(bytes.as_slice())
                .map_err(|_| Error::invalid("Could not parse one of the summary inputs"))?;
            for value in summary.value {
                ensure!(
                    value.tag.is_empty() || tags.insert(value.tag.clone()),
                    invalid,
                    "Duplicate tag {} found in summary inputs",
                    value.tag
                );
                merged.value.push(value);
            }
        }
    }
    set(c, &merged);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::run;
    use crate::value::Shape;

    fn summary_of(values: &[Value]) -> Summary {
        Summary::decode(values[0].item_string().unwrap()).unwrap()
    }

    fn tag(name: &str) -> Value {
        Value::scalar_string(name)
    }

    #[test]
    fn each_tag_has_its_number() {
        let tags = Value::strings(Shape::vector(2), vec![b"a".to_vec(), b"b".to_vec()]).unwrap();
        let values = Value::vector(&[1.5f64, -2.0]).unwrap();
        let summary = summary_of(&run("ScalarSummary", &[tags, values], &[]).unwrap());
        let got: Vec<(&str, _)> = summary
            .value
            .iter()
            .map(|v| (v.tag.as_str(), v.value.clone()))
            .collect();
        let number = |x| Some(summary::value::Value::SimpleValue(x));
        assert_eq!(got, [("a", number(1.5)), ("b", number(-2.0))]);
    }

    #[test]
    fn a_scalar_summary_of_a_vector_is_refused_with_its_tag() {
        let values = Value::vector(&[1.0f32, 2.0]).unwrap();
        let error = run("ScalarSummary", &[tag("loss"), values], &[]).unwrap_err();
        let want = "tags and values not the same shape: [] != [2] (tag 'loss')";
        assert!(error.message.contains(want), "{error}");
    }

    #[test]
    fn merging_keeps_the_order_and_refuses_a_tag_twice() {
        let one = |name: &str| {
            let value = Value::scalar(1.0f32).unwrap();
            run("ScalarSummary", &[tag(name), value], &[])
                .unwrap()
                .remove(0)
        };
        let summary = summary_of(&run("MergeSummary", &[one("b"), one("a")], &[]).unwrap());
        assert_eq!(
            summary
                .value
                .iter()
                .map(|v| v.tag.as_str())
                .collect::<Vec<_>>(),
            ["b", "a"]
        );
        let error = run("MergeSummary", &[one("b"), one("b")], &[]).unwrap_err();
        assert!(error.message.contains("Duplicate tag b"), "{error}");
        assert!(run("MergeSummary", &[tag("\u{7f}")], &[]).is_err());
    }

    #[test]
    fn histograms_and_images_have_their_tags() {
        let values = Value::vector(&[1.0f32, 2.0]).unwrap();
        let summary = summary_of(&run("HistogramSummary", &[tag("h"), values], &[]).unwrap());
        assert_eq!(summary.value[0].tag, "h");
        let pixels = Value::zeros(DType::F32, Shape::new(&[1, 2, 2, 3]).unwrap()).unwrap();
        let summary = summary_of(&run("ImageSummary", &[tag("i"), pixels], &[]).unwrap());
        assert_eq!(summary.value[0].tag, "i/image/0");
        let clips = Value::zeros(DType::F32, Shape::new(&[2, 5]).unwrap()).unwrap();
        let rate = Value::scalar(8000.0f32).unwrap();
        let summary = summary_of(&run("AudioSummaryV2", &[tag("a"), clips, rate], &[]).unwrap());
        assert_eq!(summary.value[1].tag, "a/audio/1");
    }
}
