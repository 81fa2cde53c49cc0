//! Strings: numbers as text and back, joining, paths.

use crate::error::{Error, Result};
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::kernel::KernelContext;
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("AsString", "input: T -> output: string").attr("T: {int8, int16, int32, int64, complex64, complex128, float32, float64, bool}").attr("precision: int = -1").attr("scientific: bool = false").attr("shortest: bool = false").attr("width: int = -1").attr("fill: string = ''").no_grad().shape(shape::unchanged).host(as_string),
    Op::new("StringJoin", "inputs: N * string -> output: string").attr("N: int >= 1").attr("separator: string = ''").no_grad().shape(join_shape).host(string_join),
    Op::new("StringToNumber", "string_tensor: string -> output: out_type").attr("out_type: {float32, float64, int32, int64} = DT_FLOAT32").no_grad().shape(shape::unchanged).host(string_to_number),
    Op::new("StringLength", "input: string -> output: int32").attr("unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'").shape(shape::unchanged).host(string_length),
    Op::new("StringUpper", "input: string -> output: string").attr("encoding: string = ''").shape(shape::unchanged).host(|c| each(c, |s| s.to_ascii_uppercase())),
    Op::new("StringLower", "input: string -> output: string").attr("encoding: string = ''").shape(shape::unchanged).host(|c| each(c, |s| s.to_ascii_lowercase())),
    Op::new("StringStrip", "input: string -> output: string").shape(shape::unchanged).host(|c| each(c, |s| s.trim_ascii().to_vec())),
    Op::new("Substr", "input: string, pos: T, len: T -> output: string").attr("T: {int32, int64}").attr("unit: {'BYTE', 'UTF8_CHAR'} = 'BYTE'").shape(shape::broadcast).host(substr),
    Op::new("StringSplit", "input: string, delimiter: string -> indices: int64, values: string, shape: int64").attr("skip_empty: bool = true").no_grad().shape(split_shape).host(string_split),
    Op::new("DecodeRaw", "bytes: string -> output: out_type").attr("out_type: {float16, float32, float64, int32, uint16, uint8, int16, int8, int64, complex64, complex128, bool}").attr("little_endian: bool = true").no_grad().shape(decode_raw_shape).host(decode_raw),
];

/// `%g` of C: six significant digits, an exponent where it is shorter.
pub(super) fn general(x: f64) -> String {
    significant(x, 6)
}

/// `%.{digits}g` of C.
fn significant(x: f64, digits: usize) -> String {
    if x.is_nan() {
        return if x.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if x.is_infinite() {
        return if x < 0.0 { "-inf" } else { "inf" }.into();
    }
    if x == 0.0 {
        return if x.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let scientific = format!("{x:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if !text.contains('.') {
            return text.to_string();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    let last = digits as i32 - 1;
    if !(-4..=last).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    trimmed(&format!("{x:.*}", (last - exponent).max(0) as usize))
}

/// A number as TensorFlow joins it to text: few digits where they lead back to the number, all digits otherwise.
pub(super) fn joined(x: f64, is_double: bool) -> String {
    let (few, all) = if is_double { (15, 17) } else { (6, 9) };
    let short = significant(x, few);
    let leads_back = match is_double {
        true => short.parse() == Ok(x),
        false => short.parse() == Ok(x as f32),
    };
    if leads_back || !x.is_finite() {
        return short;
    }
    significant(x, all)
}

/// The first `count` elements as TensorFlow's `SummarizeValue` shows them.
pub(super) fn elements_as_text(value: &Value, count: usize) -> Result<Vec<String>> {
    if value.dtype() == DType::String {
        let strings = value.string_slice()?.iter().take(count);
        return Ok(strings
            .map(|s| String::from_utf8_lossy(s).into_owned())
            .collect());
    }
    if value.dtype() == DType::Bool {
        let bytes = value.slice::<u8>()?.iter().take(count);
        return Ok(bytes
            .map(|b| if *b != 0 { "1" } else { "0" }.to_string())
            .collect());
    }
    if value.dtype().is_floating() {
        let mut texts = Vec::new();
        dispatch!(floats, value.dtype(), T => {
            for x in value.slice::<T>()?.iter().take(count) {
                texts.push(joined(f64::from(*x), value.dtype() == DType::F64));
            }
        });
        return Ok(texts);
    }
    if !value.dtype().is_integer() {
        bail!(unimplemented, "{} as text", value.dtype().short_name());
    }
    let mut texts = Vec::new();
    dispatch!(real, value.dtype(), T => {
        for x in value.slice::<T>()?.iter().take(count) {
            texts.push(x.to_string());
        }
    });
    Ok(texts)
}

/// How numbers are written: C's flags, width, precision and conversion.
struct Format {
    fill: String,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

impl Format {
    fn of(c: &KernelContext, dtype: DType) -> Result<Format> {
        let attrs = c.attrs();
        let (scientific, shortest) = (attrs.bool("scientific")?, attrs.bool("shortest")?);
        let is_float = dtype.is_floating() || dtype.is_complex();
        ensure!(
            !(scientific && shortest),
            invalid,
            "Cannot select both scientific and shortest notation"
        );
        ensure!(
            is_float || !(scientific || shortest),
            invalid,
            "scientific and shortest format not supported for datatype {}",
            dtype.enum_name()
        );
        let precision = usize::try_from(attrs.int("precision")?).ok();
        ensure!(
            is_float || precision.is_none(),
            invalid,
            "precision not supported for datatype {}",
            dtype.enum_name()
        );
        let fill = attrs.str("fill")?.to_string();
        ensure!(
            fill.len() <= 1,
            invalid,
            "Fill string must be one or fewer characters"
        );
        ensure!(
            fill.is_empty() || "+-0 #".contains(&fill),
            invalid,
            "Fill argument not supported: \"{fill}\""
        );
        let conversion = match (scientific, shortest) {
            (true, _) => 'e',
            (_, true) => 'g',
            _ => 'f',
        };
        Ok(Format {
            fill,
            width: usize::try_from(attrs.int("width")?).unwrap_or(0),
            precision,
            conversion,
        })
    }

    fn float(&self, x: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        let text = if !x.is_finite() {
            general(x)
        } else {
            match self.conversion {
                'e' => exponent(x, precision),
                'g' if self.precision.is_none() => general(x),
                _ => format!("{x:.precision$}"),
            }
        };
        self.pad(text)
    }

    fn pad(&self, mut text: String) -> String {
        if matches!(self.fill.as_str(), "+" | " ") && !text.starts_with('-') {
            text.insert_str(0, &self.fill);
        }
        let missing = self.width.saturating_sub(text.len());
        match self.fill.as_str() {
            "-" => text + &" ".repeat(missing),
            "0" => {
                let sign = usize::from(text.starts_with(['-', '+']));
                text.insert_str(sign, &"0".repeat(missing));
                text
            }
            _ => " ".repeat(missing) + &text,
        }
    }
}

/// `%e` of C.
fn exponent(x: f64, precision: usize) -> String {
    let text = format!("{x:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn as_string(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let dtype = input.dtype();
    let format = Format::of(c, dtype)?;
    let mut texts: Vec<Vec<u8>> = Vec::with_capacity(input.num_elements());
    if dtype == DType::Bool {
        let word = |b: &u8| if *b != 0 { "true" } else { "false" }.to_string();
        texts.extend(
            input
                .slice::<u8>()?
                .iter()
                .map(|b| format.pad(word(b)).into_bytes()),
        );
    } else if dtype.is_integer() {
        dispatch!(real, dtype, T => {
            texts.extend(input.slice::<T>()?.iter().map(|x| format.pad(x.to_string()).into_bytes()));
        });
    } else if dtype.is_complex() {
        let pairs: Vec<(f64, f64)> = match dtype {
            DType::C64 => input
                .slice::<num_complex::Complex<f32>>()?
                .iter()
                .map(|z| (z.re.into(), z.im.into()))
                .collect(),
            _ => input
                .slice::<num_complex::Complex<f64>>()?
                .iter()
                .map(|z| (z.re, z.im))
                .collect(),
        };
        let show =
            |(a, b): (f64, f64)| format!("({},{})", format.float(a), format.float(b)).into_bytes();
        texts.extend(pairs.into_iter().map(show));
    } else {
        dispatch!(floats, dtype, T => {
            texts.extend(input.slice::<T>()?.iter().map(|x| format.float(f64::from(*x)).into_bytes()));
        });
    }
    let made = Value::strings(input.shape().clone(), texts)?;
    c.set_output(0, made);
    Ok(())
}

/// The shape of the inputs that are no scalars, on which they must agree.
fn join_shape(c: &mut ShapeContext) -> Result<()> {
    let mut joined = PartialShape::scalar();
    for i in 0..c.num_inputs() {
        let one = c.input(i);
        match one.rank() {
            None => {
                c.set(0, PartialShape::unknown());
                return Ok(());
            }
            Some(0) => {}
            Some(_) if joined.rank() == Some(0) => joined = one,
            Some(_) => joined = shape::merge(&joined, &one)?,
        }
    }
    c.set(0, joined);
    Ok(())
}

fn string_join(c: &mut KernelContext) -> Result<()> {
    let separator = c.attrs().bytes("separator")?.to_vec();
    let inputs = (0..c.num_inputs())
        .map(|i| c.input(i))
        .collect::<Result<Vec<_>>>()?;
    let shape = inputs
        .iter()
        .map(|v| v.shape())
        .find(|s| !s.is_scalar())
        .cloned();
    let shape = shape.unwrap_or_else(Shape::scalar);
    for (i, input) in inputs.iter().enumerate() {
        ensure!(
            input.shape().is_scalar() || *input.shape() == shape,
            invalid,
            "Input shapes do not match: {shape} and {} of input {i}",
            input.shape()
        );
    }
    let mut joined = Vec::with_capacity(shape.num_elements());
    for at in 0..shape.num_elements() {
        let mut parts: Vec<&[u8]> = Vec::with_capacity(inputs.len());
        for input in &inputs {
            let at = if input.shape().is_scalar() { 0 } else { at };
            parts.push(&input.string_slice()?[at]);
        }
        joined.push(parts.join(separator.as_slice()));
    }
    let made = Value::strings(shape, joined)?;
    c.set_output(0, made);
    Ok(())
}

fn string_to_number(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let dtype = c.attrs().dtype("out_type")?;
    let shape = input.shape().clone();
    fn parse<T: std::str::FromStr>(bytes: &[u8]) -> Result<T> {
        let text = String::from_utf8_lossy(bytes);
        text.trim().parse().map_err(|_| {
            Error::invalid(format!(
                "StringToNumberOp could not correctly convert string: {text}"
            ))
        })
    }
    let strings = input.string_slice()?.iter();
    let made = match dtype {
        DType::F32 => Value::from_slice(
            shape,
            &strings
                .map(|s| parse::<f32>(s))
                .collect::<Result<Vec<_>>>()?,
        )?,
        DType::F64 => Value::from_slice(
            shape,
            &strings
                .map(|s| parse::<f64>(s))
                .collect::<Result<Vec<_>>>()?,
        )?,
        DType::I32 => Value::from_slice(
            shape,
            &strings
                .map(|s| parse::<i32>(s))
                .collect::<Result<Vec<_>>>()?,
        )?,
        _ => Value::from_slice(
            shape,
            &strings
                .map(|s| parse::<i64>(s))
                .collect::<Result<Vec<_>>>()?,
        )?,
    };
    c.set_output(0, made);
    Ok(())
}

fn each(c: &mut KernelContext, change: impl Fn(&[u8]) -> Vec<u8>) -> Result<()> {
    let input = c.input(0)?;
    let changed = input.string_slice()?.iter().map(|s| change(s)).collect();
    let made = Value::strings(input.shape().clone(), changed)?;
    c.set_output(0, made);
    Ok(())
}

fn string_length(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let by_characters = c.attrs().str("unit")? == "UTF8_CHAR";
    let length = |s: &Vec<u8>| match by_characters {
        // Every byte that does not continue a character begins one.
        true => s.iter().filter(|b| **b & 0xc0 != 0x80).count() as i32,
        false => s.len() as i32,
    };
    let lengths: Vec<i32> = input.string_slice()?.iter().map(length).collect();
    let made = Value::from_slice(input.shape().clone(), &lengths)?;
    c.set_output(0, made);
    Ok(())
}

fn substr(c: &mut KernelContext) -> Result<()> {
    let (input, positions, lengths) = (c.input(0)?, c.input(1)?, c.input(2)?);
    ensure!(
        positions.shape() == lengths.shape(),
        invalid,
        "pos and len must have the same shape, but have {} and {}",
        positions.shape(),
        lengths.shape()
    );
    ensure!(
        positions.shape().is_scalar() || positions.shape() == input.shape(),
        unimplemented,
        "Substr broadcasts a scalar position and length alone; got {} for {}",
        positions.shape(),
        input.shape()
    );
    let (from, len) = (positions.ints()?, lengths.ints()?);
    let mut parts = Vec::with_capacity(input.num_elements());
    for (i, s) in input.string_slice()?.iter().enumerate() {
        let i = if positions.shape().is_scalar() { 0 } else { i };
        let n = s.len() as i64;
        let start = if from[i] < 0 { from[i] + n } else { from[i] };
        ensure!(
            (0..=n).contains(&start) && len[i] >= 0,
            invalid,
            "pos {} out of range for string b'{}' at index {i}",
            from[i],
            String::from_utf8_lossy(s)
        );
        let end = start.saturating_add(len[i]).min(n);
        parts.push(s[start as usize..end as usize].to_vec());
    }
    let made = Value::strings(input.shape().clone(), parts)?;
    c.set_output(0, made);
    Ok(())
}

pub(super) fn split_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::from_dims([-1, 2]));
    c.set(1, PartialShape::vector(-1));
    c.set(2, PartialShape::vector(2));
    Ok(())
}

/// A sparse matrix of the pieces; each byte of the delimiter splits, and none splits into characters.
fn string_split(c: &mut KernelContext) -> Result<()> {
    let skip_empty = c.attrs().bool("skip_empty")?;
    let input = c.input(0)?;
    let delimiter = c.scalar_input(1, "delimiter")?.item_string()?.to_vec();
    let (mut places, mut pieces, mut widest) = (Vec::new(), Vec::new(), 0);
    for (row, s) in input.string_slice()?.iter().enumerate() {
        let parts: Vec<&[u8]> = match delimiter.is_empty() {
            true => s.chunks(1).collect(),
            false => s.split(|b| delimiter.contains(b)).collect(),
        };
        let kept = parts.into_iter().filter(|p| !(skip_empty && p.is_empty()));
        for (column, part) in kept.enumerate() {
            places.extend([row as i64, column as i64]);
            pieces.push(part.to_vec());
            widest = widest.max(column as i64 + 1);
        }
    }
    let count = pieces.len();
    let rows = input.num_elements() as i64;
    c.set_output(
        0,
        Value::from_slice(Shape::new(&[count as i64, 2])?, &places)?,
    );
    c.set_output(1, Value::strings(Shape::vector(count), pieces)?);
    c.set_output(2, Value::vector(&[rows, widest])?);
    Ok(())
}

fn decode_raw_shape(c: &mut ShapeContext) -> Result<()> {
    if let Some(dims) = c.input(0).dims() {
        let mut dims = dims.to_vec();
        dims.push(-1);
        c.set(0, PartialShape::from_dims(dims));
    }
    Ok(())
}

fn decode_raw(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let dtype = c.attrs().dtype("out_type")?;
    ensure!(
        c.attrs().bool("little_endian")? || dtype.size() == Some(1),
        unimplemented,
        "DecodeRaw of big-endian numbers"
    );
    let size = dtype.size().unwrap_or(1);
    let strings = input.string_slice()?;
    let length = strings.first().map_or(0, Vec::len);
    ensure!(
        strings.iter().all(|s| s.len() == length),
        invalid,
        "DecodeRaw requires input strings to all be the same size"
    );
    ensure!(
        length % size == 0,
        invalid,
        "Input to DecodeRaw has length {length} that is not a multiple of {size}, the size of {}",
        dtype.short_name()
    );
    let mut dims = input.shape().dims().to_vec();
    dims.push((length / size) as i64);
    let mut out = Value::uninit(dtype, Shape::new(&dims)?)?;
    for (to, from) in out
        .bytes_mut()?
        .chunks_exact_mut(length.max(1))
        .zip(strings)
    {
        to.copy_from_slice(from);
    }
    c.set_output(0, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_format_is_that_of_c() {
        let cases = [
            (1.0, "1"),
            (0.1, "0.1"),
            (123456.0, "123456"),
            (1234567.0, "1.23457e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5, "-2.5"),
            (1.0 / 3.0, "0.333333"),
        ];
        for (x, text) in cases {
            assert_eq!(general(x), text);
        }
    }

    #[test]
    fn numbers_joined_to_text_lead_back_to_themselves() {
        assert_eq!(joined(f64::from(0.843_380_8f32), false), "0.843380809");
        assert_eq!(joined(f64::from(0.1f32), false), "0.1");
        assert_eq!(joined(1.0 / 3.0, true), "0.33333333333333331");
        assert_eq!(joined(1e20, true), "1e+20");
        assert_eq!(joined(f64::NAN, false), "nan");
    }
}
