//! `TensorProto` to values and back.
//!
//! A proto may say fewer elements than its shape has (the last one repeats), so equal values have several encodings.
//! [`encode`] writes the one that TensorFlow's Python layer writes for an array; whoever needs another keeps its bytes.

use half::{bf16, f16};

use crate::error::{Error, Result};
use crate::value::{DType, Element, PartialShape, Shape, Value};
use crate::{bail, ensure};

use super::proto::{TensorProto, TensorShapeProto, tensor_shape_proto::Dim};

/// The most bytes that a proto with repeated elements may unfold to: its size says nothing of what it asks for.
const MAX_UNFOLDED_BYTES: usize = 1 << 31;

/// A shape with unknown parts as a proto.
pub fn encode_shape(shape: &PartialShape) -> TensorShapeProto {
    let Some(dims) = shape.dims() else {
        return TensorShapeProto {
            dim: Vec::new(),
            unknown_rank: true,
        };
    };
    let dim = dims.iter().map(|size| Dim {
        size: *size,
        name: String::new(),
    });
    TensorShapeProto {
        dim: dim.collect(),
        unknown_rank: false,
    }
}

pub fn decode_shape(proto: &TensorShapeProto) -> Result<PartialShape> {
    if proto.unknown_rank {
        return Ok(PartialShape::unknown());
    }
    let dims: Vec<i64> = proto.dim.iter().map(|d| d.size).collect();
    PartialShape::new(&dims)
}

/// Types whose arrays TensorFlow's Python layer writes as raw bytes; the others go into their typed fields.
fn has_content(dtype: DType) -> bool {
    !matches!(
        dtype,
        DType::String | DType::Bool | DType::F16 | DType::BF16 | DType::C64 | DType::C128
    )
}

/// The value as TensorFlow's `make_tensor_proto` encodes an array: raw bytes, or the typed field for one element.
pub fn encode(value: &Value) -> Result<TensorProto> {
    let mut proto = TensorProto {
        dtype: value.dtype().number(),
        tensor_shape: Some(encode_shape(&PartialShape::from(value.shape()))),
        ..Default::default()
    };
    if has_content(value.dtype()) && value.num_elements() > 1 {
        proto.tensor_content = little_endian(value)?;
    } else {
        encode_elements(value, &mut proto)?;
    }
    Ok(proto)
}

/// `elements` (fewer than `shape` has; the last one repeats) as the proto of a tensor of that shape.
pub fn encode_repeated(elements: &Value, shape: &Shape) -> Result<TensorProto> {
    let mut proto = TensorProto {
        dtype: elements.dtype().number(),
        tensor_shape: Some(encode_shape(&PartialShape::from(shape))),
        ..Default::default()
    };
    encode_elements(elements, &mut proto)?;
    Ok(proto)
}

/// The elements alone, without type and shape, in the typed field: as V1 checkpoints hold them.
pub fn encode_values(value: &Value) -> Result<TensorProto> {
    let mut proto = TensorProto::default();
    encode_elements(value, &mut proto)?;
    Ok(proto)
}

/// The value whose elements, all of them, the typed field of `proto` holds; DataLoss when they are fewer or more.
pub fn decode_values(proto: &TensorProto, dtype: DType, shape: Shape) -> Result<Value> {
    let said = match dtype {
        DType::F32 => proto.float_val.len(),
        DType::F64 => proto.double_val.len(),
        DType::F16 | DType::BF16 => proto.half_val.len(),
        DType::Bool => proto.bool_val.len(),
        DType::I64 => proto.int64_val.len(),
        DType::U32 => proto.uint32_val.len(),
        DType::U64 => proto.uint64_val.len(),
        DType::C64 => proto.scomplex_val.len() / 2,
        DType::C128 => proto.dcomplex_val.len() / 2,
        DType::String => proto.string_val.len(),
        DType::Resource | DType::Variant => {
            bail!(data_loss, "{} values in a checkpoint", dtype.short_name())
        }
        _ => proto.int_val.len(),
    };
    ensure!(
        said == shape.num_elements(),
        data_loss,
        "{said} {} values for a tensor of shape {shape}",
        dtype.short_name()
    );
    match dtype {
        DType::String => Value::strings(shape, proto.string_val.clone()),
        _ => decode_elements(proto, dtype, shape),
    }
}

fn little_endian(value: &Value) -> Result<Vec<u8>> {
    ensure!(
        cfg!(target_endian = "little"),
        unimplemented,
        "tensor_content on big-endian machines"
    );
    Ok(value.bytes()?.to_vec())
}

fn encode_elements(value: &Value, proto: &mut TensorProto) -> Result<()> {
    fn widen<T: Element + Into<i32>>(value: &Value) -> Result<Vec<i32>> {
        Ok(value.slice::<T>()?.iter().map(|x| (*x).into()).collect())
    }
    match value.dtype() {
        DType::F32 => proto.float_val = value.slice::<f32>()?.to_vec(),
        DType::F64 => proto.double_val = value.slice::<f64>()?.to_vec(),
        DType::F16 => {
            let bits = value.slice::<f16>()?.iter();
            proto.half_val = bits.map(|x| i32::from(x.to_bits())).collect();
        }
        DType::BF16 => {
            let bits = value.slice::<bf16>()?.iter();
            proto.half_val = bits.map(|x| i32::from(x.to_bits())).collect();
        }
        DType::I32 | DType::QI32 => proto.int_val = value.slice::<i32>()?.to_vec(),
        DType::I16 | DType::QI16 => proto.int_val = widen::<i16>(value)?,
        DType::I8 | DType::QI8 => proto.int_val = widen::<i8>(value)?,
        DType::U16 | DType::QU16 => proto.int_val = widen::<u16>(value)?,
        DType::U8 | DType::QU8 => proto.int_val = widen::<u8>(value)?,
        DType::Bool => proto.bool_val = value.slice::<u8>()?.iter().map(|x| *x != 0).collect(),
        DType::I64 => proto.int64_val = value.slice::<i64>()?.to_vec(),
        DType::U32 => proto.uint32_val = value.slice::<u32>()?.to_vec(),
        DType::U64 => proto.uint64_val = value.slice::<u64>()?.to_vec(),
        DType::C64 => proto.scomplex_val = bytemuck::cast_slice(value.bytes()?).to_vec(),
        DType::C128 => proto.dcomplex_val = bytemuck::cast_slice(value.bytes()?).to_vec(),
        DType::String => proto.string_val = value.string_slice()?.to_vec(),
        DType::Resource | DType::Variant => bail!(
            unimplemented,
            "a {} tensor has no proto",
            value.dtype().short_name()
        ),
    }
    Ok(())
}

/// The value of a proto; `None` for handles and variants, which no value can hold outside a session.
pub fn decode(proto: &TensorProto) -> Result<Option<Value>> {
    let dtype = DType::from_number(proto.dtype)?;
    if matches!(dtype, DType::Resource | DType::Variant) {
        return Ok(None);
    }
    let shape = match &proto.tensor_shape {
        Some(shape) => decode_shape(shape)?,
        None => PartialShape::scalar(),
    };
    let dims = shape
        .dims()
        .ok_or_else(|| Error::invalid("a tensor of unknown rank has no value"))?;
    let shape = Shape::new(dims)?;
    if dtype == DType::String {
        return decode_strings(proto, shape).map(Some);
    }
    let size = dtype
        .size()
        .expect("strings, resources and variants were handled above");
    if !proto.tensor_content.is_empty() {
        let wanted = shape.num_elements().checked_mul(size);
        ensure!(
            wanted == Some(proto.tensor_content.len()),
            invalid,
            "Cannot parse tensor from proto: {} bytes for shape {shape} of {}",
            proto.tensor_content.len(),
            dtype.short_name()
        );
        let mut value = Value::uninit(dtype, shape)?;
        value.bytes_mut()?.copy_from_slice(&proto.tensor_content);
        if dtype == DType::Bool {
            value
                .bytes_mut()?
                .iter_mut()
                .for_each(|b| *b = u8::from(*b != 0));
        }
        return Ok(Some(value));
    }
    ensure!(
        shape
            .num_elements()
            .checked_mul(size)
            .is_some_and(|n| n <= MAX_UNFOLDED_BYTES),
        exhausted,
        "Cannot parse tensor from proto: shape {shape} of {} is too large for repeated elements",
        dtype.short_name()
    );
    decode_elements(proto, dtype, shape).map(Some)
}

/// Fills `shape` with the elements said, the last of them repeated; zeros when there are none.
fn unfold<T: Element>(dtype: DType, shape: Shape, said: impl Iterator<Item = T>) -> Result<Value> {
    let mut value = Value::zeros(dtype, shape)?;
    let out = value.slice_mut::<T>()?;
    let mut filled = 0;
    for (to, from) in out.iter_mut().zip(said) {
        *to = from;
        filled += 1;
    }
    if filled > 0 && filled < out.len() {
        let last = out[filled - 1];
        out[filled..].fill(last);
    }
    Ok(value)
}

fn decode_elements(proto: &TensorProto, dtype: DType, shape: Shape) -> Result<Value> {
    use num_complex::Complex;
    let ints = proto.int_val.iter();
    let halves = proto.half_val.iter().map(|bits| *bits as u16);
    match dtype {
        DType::F32 => unfold(dtype, shape, proto.float_val.iter().copied()),
        DType::F64 => unfold(dtype, shape, proto.double_val.iter().copied()),
        DType::F16 => unfold(dtype, shape, halves.map(f16::from_bits)),
        DType::BF16 => unfold(dtype, shape, halves.map(bf16::from_bits)),
        DType::I32 | DType::QI32 => unfold(dtype, shape, ints.copied()),
        DType::I16 | DType::QI16 => unfold(dtype, shape, ints.map(|x| *x as i16)),
        DType::I8 | DType::QI8 => unfold(dtype, shape, ints.map(|x| *x as i8)),
        DType::U16 | DType::QU16 => unfold(dtype, shape, ints.map(|x| *x as u16)),
        DType::U8 | DType::QU8 => unfold(dtype, shape, ints.map(|x| *x as u8)),
        DType::Bool => unfold(dtype, shape, proto.bool_val.iter().map(|x| u8::from(*x))),
        DType::I64 => unfold(dtype, shape, proto.int64_val.iter().copied()),
        DType::U32 => unfold(dtype, shape, proto.uint32_val.iter().copied()),
        DType::U64 => unfold(dtype, shape, proto.uint64_val.iter().copied()),
        DType::C64 => {
            let pairs = proto.scomplex_val.chunks_exact(2);
            unfold(dtype, shape, pairs.map(|p| Complex::new(p[0], p[1])))
        }
        DType::C128 => {
            let pairs = proto.dcomplex_val.chunks_exact(2);
            unfold(dtype, shape, pairs.map(|p| Complex::new(p[0], p[1])))
        }
        DType::String | DType::Resource | DType::Variant => {
            bail!(
                internal,
                "{} elements are not plain numbers",
                dtype.short_name()
            )
        }
    }
}

fn decode_strings(proto: &TensorProto, shape: Shape) -> Result<Value> {
    let n = shape.num_elements();
    ensure!(
        n <= MAX_UNFOLDED_BYTES / size_of::<Vec<u8>>(),
        exhausted,
        "Cannot parse tensor from proto: shape {shape} is too large for strings"
    );
    if !proto.tensor_content.is_empty() {
        return Value::strings(shape, split_strings(&proto.tensor_content, n)?);
    }
    let mut strings: Vec<Vec<u8>> = proto.string_val.iter().take(n).cloned().collect();
    let last = strings.last().cloned().unwrap_or_default();
    strings.resize(n, last);
    Value::strings(shape, strings)
}

/// `n` lengths as varints, then the bytes of the strings one after the other.
fn split_strings(mut bytes: &[u8], n: usize) -> Result<Vec<Vec<u8>>> {
    let broken = || Error::invalid("Cannot parse tensor from proto: broken list of strings");
    ensure!(
        n <= bytes.len(),
        invalid,
        "Cannot parse tensor from proto: {n} strings in {} bytes",
        bytes.len()
    );
    let mut lengths = Vec::with_capacity(n);
    for _ in 0..n {
        let length = prost::encoding::decode_varint(&mut bytes).map_err(|_| broken())?;
        lengths.push(usize::try_from(length).map_err(|_| broken())?);
    }
    let mut strings = Vec::with_capacity(n);
    for length in lengths {
        let (string, rest) = bytes.split_at_checked(length).ok_or_else(broken)?;
        strings.push(string.to_vec());
        bytes = rest;
    }
    Ok(strings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(value: Value) {
        let proto = encode(&value).unwrap();
        assert_eq!(decode(&proto).unwrap(), Some(value));
    }

    #[test]
    fn every_type_survives_the_round_trip() {
        for dtype in DType::ALL.into_iter().filter(|d| d.is_plain()) {
            for shape in [vec![], vec![0], vec![1, 1], vec![2, 3]] {
                let mut value = Value::zeros(dtype, Shape::new(&shape).unwrap()).unwrap();
                let bytes = value.bytes_mut().unwrap();
                bytes.iter_mut().step_by(2).for_each(|b| *b = 1);
                round_trip(value);
            }
        }
        round_trip(Value::strings(Shape::vector(2), vec![b"a".to_vec(), vec![]]).unwrap());
    }

    #[test]
    fn the_last_element_repeats() {
        let one = Value::vector(&[1.5f32, 2.5]).unwrap();
        let shape = Shape::new(&[2, 2]).unwrap();
        let value = decode(&encode_repeated(&one, &shape).unwrap())
            .unwrap()
            .unwrap();
        assert_eq!(value.slice::<f32>().unwrap(), [1.5, 2.5, 2.5, 2.5]);
    }

    #[test]
    fn sizes_that_do_not_add_up_are_errors() {
        let mut proto = encode(&Value::vector(&[1i32, 2, 3]).unwrap()).unwrap();
        proto.tensor_content.pop();
        assert!(decode(&proto).is_err());
        proto.tensor_content.clear();
        proto.tensor_shape = Some(encode_shape(&PartialShape::vector(1 << 40)));
        assert!(decode(&proto).is_err());
        proto.dtype = DType::String.number();
        assert!(decode(&proto).is_err());
        proto.dtype = 99;
        assert!(decode(&proto).is_err());
    }
}
