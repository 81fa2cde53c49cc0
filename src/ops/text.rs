//! Text: regular expressions, base64, hashing into buckets, joining along axes, splitting, templates, distances.

use rustc_hash::FxHashMap;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::bytes::{Captures, Regex};
use siphasher::sip::SipHasher24;

use crate::ensure;
use crate::error::{Error, Result};
use crate::graph::ShapeContext;
use crate::value::{DType, PartialShape, Shape, Value};

use super::kernel::KernelContext;
use super::string::{elements_as_text, split_shape};
use super::{Op, shape};

#[rustfmt::skip]
pub(super) const OPS: &[Op] = &[
    Op::new("ReduceJoin", "inputs: string, reduction_indices: int32 -> output: string").attr("keep_dims: bool = false").attr("separator: string = ''").no_grad().shape(shape::reduction).host(reduce_join),
    Op::new("RegexReplace", "input: string, pattern: string, rewrite: string -> output: string").attr("replace_global: bool = true").no_grad().shape(shape::unchanged).host(regex_replace),
    Op::new("StaticRegexReplace", "input: string -> output: string").attr("pattern: string").attr("rewrite: string").attr("replace_global: bool = true").shape(shape::unchanged).host(static_regex_replace),
    Op::new("RegexFullMatch", "input: string, pattern: string -> output: bool").shape(shape::unchanged).host(|c| { let pattern = text(c.scalar_input(1, "Pattern")?)?; full_match(c, &pattern) }),
    Op::new("StaticRegexFullMatch", "input: string -> output: bool").attr("pattern: string").shape(shape::unchanged).host(|c| { let pattern = c.attrs().str("pattern")?.to_string(); full_match(c, &pattern) }),
    Op::new("EncodeBase64", "input: string -> output: string").attr("pad: bool = false").no_grad().shape(shape::unchanged).host(encode_base64),
    Op::new("DecodeBase64", "input: string -> output: string").no_grad().shape(shape::unchanged).host(decode_base64),
    Op::new("StringToHashBucket", "string_tensor: string -> output: int64").attr("num_buckets: int >= 1").no_grad().shape(shape::unchanged).host(|c| buckets(c, murmur)),
    Op::new("StringToHashBucketFast", "input: string -> output: int64").attr("num_buckets: int >= 1").no_grad().shape(shape::unchanged).host(|c| buckets(c, farmhash::fingerprint64)),
    Op::new("StringToHashBucketStrong", "input: string -> output: int64").attr("num_buckets: int >= 1").attr("key: list(int)").no_grad().shape(shape::unchanged).host(strong_buckets),
    Op::new("StringSplitV2", "input: string, sep: string -> indices: int64, values: string, shape: int64").attr("maxsplit: int = -1").shape(split_shape).host(split),
    Op::new("StringFormat", "inputs: T -> output: string").attr("T: list(type) >= 0").attr("template: string = '%s'").attr("placeholder: string = '%s'").attr("summarize: int = 3").shape(shape::scalar).host(format),
    Op::new("EditDistance", "hypothesis_indices: int64, hypothesis_values: T, hypothesis_shape: int64, truth_indices: int64, truth_values: T, truth_shape: int64 -> output: float32").attr("normalize: bool = true").attr("T: type").no_grad().shape(distance_shape).host(edit_distance),
];

fn text(value: &Value) -> Result<String> {
    Ok(String::from_utf8_lossy(value.item_string()?).into_owned())
}

/// Joins along the axes in the order in which they are given: each join works on what the former left.
fn reduce_join(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    let separator = c.attrs().bytes("separator")?;
    let rank = input.shape().rank();
    let mut dims = input.shape().dims().to_vec();
    let mut strings = input.string_slice()?.to_vec();
    let mut joined = vec![false; rank];
    for axis in c.ints_input(1)? {
        let axis = shape::axis_of(axis, rank)?;
        ensure!(
            !joined[axis],
            invalid,
            "Duplicate reduction dimension {axis}"
        );
        joined[axis] = true;
        let size = usize::try_from(dims[axis]).unwrap_or(0);
        let inner: usize = dims[axis + 1..].iter().map(|d| *d as usize).product();
        let outer: usize = dims[..axis].iter().map(|d| *d as usize).product();
        let mut made = Vec::with_capacity(outer * inner);
        for o in 0..outer {
            for i in 0..inner {
                let parts: Vec<&[u8]> = (0..size)
                    .map(|k| strings[(o * size + k) * inner + i].as_slice())
                    .collect();
                made.push(parts.join(separator));
            }
        }
        strings = made;
        dims[axis] = 1;
    }
    if !c.attrs().bool("keep_dims")? {
        let kept = dims
            .iter()
            .zip(&joined)
            .filter(|(_, is_joined)| !**is_joined);
        dims = kept.map(|(d, _)| *d).collect();
    }
    let made = Value::strings(Shape::new(&dims)?, strings)?;
    c.set_output(0, made);
    Ok(())
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let line = error.to_string().replace('\n', " ");
        Error::invalid(format!("Invalid pattern: {pattern}, error: {line}"))
    })
}

/// A rewrite string of RE2: `\0` to `\9` stand for groups, `\\` for a backslash.
fn expand(rewrite: &[u8], found: &Captures, into: &mut Vec<u8>) {
    let mut bytes = rewrite.iter();
    while let Some(b) = bytes.next() {
        match (b, bytes.as_slice().first()) {
            (b'\\', Some(digit)) if digit.is_ascii_digit() => {
                if let Some(group) = found.get(usize::from(digit - b'0')) {
                    into.extend_from_slice(group.as_bytes());
                }
                bytes.next();
            }
            (b'\\', Some(b'\\')) => {
                into.push(b'\\');
                bytes.next();
            }
            _ => into.push(*b),
        }
    }
}

fn replace(c: &mut KernelContext, pattern: &str, rewrite: &[u8]) -> Result<()> {
    let pattern = compile(pattern)?;
    let limit = usize::from(!c.attrs().bool("replace_global")?);
    let input = c.input(0)?;
    let changed = input.string_slice()?.iter().map(|s| {
        let by = |found: &Captures| {
            let mut made = Vec::new();
            expand(rewrite, found, &mut made);
            made
        };
        pattern.replacen(s, limit, by).into_owned()
    });
    let made = Value::strings(input.shape().clone(), changed.collect())?;
    c.set_output(0, made);
    Ok(())
}

fn regex_replace(c: &mut KernelContext) -> Result<()> {
    let pattern = text(c.scalar_input(1, "Pattern")?)?;
    let rewrite = c.scalar_input(2, "Rewrite")?.item_string()?.to_vec();
    replace(c, &pattern, &rewrite)
}

fn static_regex_replace(c: &mut KernelContext) -> Result<()> {
    let pattern = c.attrs().str("pattern")?.to_string();
    let rewrite = c.attrs().bytes("rewrite")?.to_vec();
    replace(c, &pattern, &rewrite)
}

fn full_match(c: &mut KernelContext, pattern: &str) -> Result<()> {
    compile(pattern)?;
    let whole = compile(&format!("^(?:{pattern})$"))?;
    let input = c.input(0)?;
    let mut made = c.allocate(0, input.shape().clone())?;
    for (to, s) in made
        .slice_mut::<u8>()?
        .iter_mut()
        .zip(input.string_slice()?)
    {
        *to = u8::from(whole.is_match(s));
    }
    c.set_output(0, made);
    Ok(())
}

/// The alphabet that is safe in URLs; padding may stand there or not when it is read.
fn base64(pad: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(pad)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&URL_SAFE, config)
}

fn encode_base64(c: &mut KernelContext) -> Result<()> {
    let engine = base64(c.attrs().bool("pad")?);
    let input = c.input(0)?;
    let coded = input.string_slice()?.iter();
    let coded = coded.map(|s| engine.encode(s).into_bytes()).collect();
    let made = Value::strings(input.shape().clone(), coded)?;
    c.set_output(0, made);
    Ok(())
}

fn decode_base64(c: &mut KernelContext) -> Result<()> {
    let engine = base64(false);
    let input = c.input(0)?;
    let plain = input.string_slice()?.iter().map(|s| engine.decode(s));
    let plain = plain
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|_| Error::invalid("Invalid character found in base64."))?;
    let made = Value::strings(input.shape().clone(), plain)?;
    c.set_output(0, made);
    Ok(())
}

fn buckets(c: &mut KernelContext, hash: impl Fn(&[u8]) -> u64) -> Result<()> {
    let count = c.attrs().int("num_buckets")?;
    ensure!(
        count >= 1,
        invalid,
        "num_buckets must be positive, got {count}"
    );
    let input = c.input(0)?;
    let strings = input.string_slice()?.iter();
    let places: Vec<i64> = strings.map(|s| (hash(s) % count as u64) as i64).collect();
    let made = Value::from_slice(input.shape().clone(), &places)?;
    c.set_output(0, made);
    Ok(())
}

fn strong_buckets(c: &mut KernelContext) -> Result<()> {
    let key = c.attrs().ints("key")?;
    let [first, second] = key else {
        return Err(Error::invalid(format!(
            "Key must have 2 elements, got {}",
            key.len()
        )));
    };
    let hasher = SipHasher24::new_with_keys(*first as u64, *second as u64);
    buckets(c, |s| hasher.hash(s))
}

/// MurmurHash64A (Austin Appleby, 2008) with the seed that TensorFlow took.
fn murmur(data: &[u8]) -> u64 {
    const M: u64 = 0xc6a4_a793_5bd1_e995;
    const SEED: u64 = 0x00DE_CAFC_AFFE;
    let mut hash = SEED ^ (data.len() as u64).wrapping_mul(M);
    let mut words = data.chunks_exact(8);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0u64, |k, b| k << 8 | u64::from(*b));
        k = k.wrapping_mul(M);
        k ^= k >> 47;
        hash = (hash ^ k.wrapping_mul(M)).wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0u64, |k, b| k << 8 | u64::from(*b));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 47
}

/// The pieces as Python's `str.split` gives them: without a separator, words between white space.
fn pieces<'a>(s: &'a [u8], separator: &[u8], limit: usize) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut rest = s;
    if separator.is_empty() {
        loop {
            rest = rest.trim_ascii_start();
            if rest.is_empty() {
                return found;
            }
            let end = rest.iter().position(u8::is_ascii_whitespace);
            let end = match end {
                Some(end) if found.len() < limit => end,
                _ => rest.len(),
            };
            found.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    while found.len() < limit {
        let Some(at) = rest.windows(separator.len()).position(|w| w == separator) else {
            break;
        };
        found.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    found.push(rest);
    found
}

fn split(c: &mut KernelContext) -> Result<()> {
    let input = c.input(0)?;
    ensure!(
        input.shape().rank() == 1,
        invalid,
        "input must be a vector, got shape: {}",
        input.shape()
    );
    let separator = c.scalar_input(1, "sep")?.item_string()?.to_vec();
    let limit = usize::try_from(c.attrs().int("maxsplit")?).unwrap_or(usize::MAX);
    let (mut places, mut values, mut widest) = (Vec::new(), Vec::new(), 0);
    for (row, s) in input.string_slice()?.iter().enumerate() {
        let found = pieces(s, &separator, limit);
        widest = widest.max(found.len() as i64);
        for (column, piece) in found.into_iter().enumerate() {
            places.extend([row as i64, column as i64]);
            values.push(piece.to_vec());
        }
    }
    let rows = input.num_elements() as i64;
    let places = Value::from_slice(Shape::new(&[values.len() as i64, 2])?, &places)?;
    c.set_output(0, places);
    c.set_output(1, Value::strings(Shape::vector(values.len()), values)?);
    c.set_output(2, Value::vector(&[rows, widest])?);
    Ok(())
}

/// Puts each input in the place of a placeholder, as nested rows of its first and last elements.
fn format(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let (template, placeholder) = (attrs.str("template")?, attrs.str("placeholder")?);
    let ends = usize::try_from(attrs.int("summarize")?).ok();
    let parts: Vec<&str> = template.split(placeholder).collect();
    ensure!(
        parts.len() == c.num_inputs() + 1,
        invalid,
        "num placeholders in template and num inputs must match: {} vs. {}",
        parts.len() - 1,
        c.num_inputs()
    );
    let mut made = parts[0].to_string();
    for (i, part) in parts[1..].iter().enumerate() {
        made.push_str(&nested(c.input(i)?, ends)?);
        made.push_str(part);
    }
    let made = Value::strings(Shape::scalar(), vec![made.into_bytes()])?;
    c.set_output(0, made);
    Ok(())
}

/// The elements in brackets, `ends` at either end of each axis (all for None), rows on lines of their own.
fn nested(value: &Value, ends: Option<usize>) -> Result<String> {
    let mut elements = elements_as_text(value, usize::MAX)?;
    if value.dtype() == DType::String {
        for (text, bytes) in elements.iter_mut().zip(value.string_slice()?) {
            *text = format!("\"{}\"", escaped(bytes));
        }
    }
    let sizes: Vec<usize> = value.shape().dims().iter().map(|d| *d as usize).collect();
    if elements.is_empty() && sizes.len() > 1 && sizes[0] > 0 {
        // Rows without elements: TensorFlow takes them for left out.
        return Ok(format!("[{} ...]", "\n".repeat(sizes.len() - 1)));
    }
    Ok(axis_as_text(&elements, &sizes, 0, ends))
}

/// Bytes as C would write them: what cannot be printed in octal.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'"' | b'\'' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text
}

/// Depth is the tensor's rank, of which there are few.
fn axis_as_text(elements: &[String], sizes: &[usize], axis: usize, ends: Option<usize>) -> String {
    let Some(size) = sizes.get(axis).copied() else {
        return elements.first().cloned().unwrap_or_default();
    };
    let below = sizes.len() - axis - 1;
    let separator = match below {
        0 => " ".to_string(),
        _ => "\n".repeat(below) + &" ".repeat(axis + 1),
    };
    let width = elements.len() / size.max(1);
    let part = |i: usize| {
        let row = &elements[i * width..(i + 1) * width];
        axis_as_text(row, sizes, axis + 1, ends)
    };
    let parts: Vec<String> = match ends {
        Some(n) if size > 2 * n => {
            let dots = std::iter::once("...".to_string());
            (0..n)
                .map(part)
                .chain(dots)
                .chain((size - n..size).map(part))
                .collect()
        }
        _ => (0..size).map(part).collect(),
    };
    format!("[{}]", parts.join(&separator))
}

fn distance_shape(c: &mut ShapeContext) -> Result<()> {
    let (hypothesis, truth) = (c.constant_ints(2), c.constant_ints(5));
    let (Some(hypothesis), Some(truth)) = (hypothesis, truth) else {
        return Ok(());
    };
    ensure!(
        hypothesis.len() == truth.len(),
        invalid,
        "Num elements of hypothesis_shape does not match truth_shape: {} vs. {}",
        hypothesis.len(),
        truth.len()
    );
    let groups = hypothesis.iter().zip(&truth).map(|(h, t)| *h.max(t));
    let mut dims: Vec<i64> = groups.collect();
    dims.pop();
    c.set(0, PartialShape::from_dims(dims));
    Ok(())
}

/// The sequences of a sparse tensor by the leading coordinates of their elements.
type Sequences = FxHashMap<Vec<i64>, Vec<Vec<u8>>>;

fn sequences(indices: &Value, values: &Value, rank: usize) -> Result<Sequences> {
    ensure!(
        indices.shape().rank() == 2
            && indices.shape().dim(1) == rank
            && indices.shape().dim(0) == values.num_elements(),
        invalid,
        "indices must be a matrix of {} rows and {rank} columns, but got shape {}",
        values.num_elements(),
        indices.shape()
    );
    let keys: Vec<Vec<u8>> = match values.dtype() {
        DType::String => values.string_slice()?.to_vec(),
        dtype => {
            let size = dtype.size().unwrap_or(1);
            values.bytes()?.chunks(size).map(<[u8]>::to_vec).collect()
        }
    };
    let mut all = Sequences::default();
    for (place, key) in indices.ints()?.chunks(rank).zip(keys) {
        all.entry(place[..rank - 1].to_vec()).or_default().push(key);
    }
    Ok(all)
}

/// Levenshtein's distance in two rows of the table (Wagner and Fischer, JACM 1974).
fn levenshtein(a: &[Vec<u8>], b: &[Vec<u8>]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn edit_distance(c: &mut KernelContext) -> Result<()> {
    let normalize = c.attrs().bool("normalize")?;
    let (hypothesis_shape, truth_shape) = (c.ints_input(2)?, c.ints_input(5)?);
    let rank = truth_shape.len();
    ensure!(
        rank >= 1 && hypothesis_shape.len() == rank,
        invalid,
        "truth_shape and hypothesis_shape must have the same length of at least 1, but have {rank} and {}",
        hypothesis_shape.len()
    );
    let hypothesis = sequences(c.input(0)?, c.input(1)?, rank)?;
    let truth = sequences(c.input(3)?, c.input(4)?, rank)?;
    let groups = hypothesis_shape.iter().zip(&truth_shape);
    let dims: Vec<i64> = groups.take(rank - 1).map(|(h, t)| *h.max(t)).collect();
    let shape = Shape::new(&dims)?;
    let steps = super::moves::strides(&dims);
    let mut made = Value::zeros(DType::F32, shape)?;
    let out = made.slice_mut::<f32>()?;
    let none = Vec::new();
    for place in hypothesis.keys().chain(truth.keys()) {
        let inside = place.iter().zip(&dims).all(|(p, d)| (0..*d).contains(p));
        ensure!(
            inside,
            invalid,
            "indices {place:?} lie outside of the shape {dims:?}"
        );
        let at: usize = place.iter().zip(&steps).map(|(p, s)| *p as usize * s).sum();
        let (h, t) = (
            hypothesis.get(place).unwrap_or(&none),
            truth.get(place).unwrap_or(&none),
        );
        let distance = levenshtein(h, t) as f32;
        out[at] = match (normalize, t.len()) {
            (false, _) => distance,
            (true, 0) if h.is_empty() => 0.0,
            (true, 0) => f32::INFINITY,
            (true, length) => distance / length as f32,
        };
    }
    c.set_output(0, made);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_of_python() {
        let split = |s: &'static str, by: &str, limit| pieces(s.as_bytes(), by.as_bytes(), limit);
        assert_eq!(split(" a b  c ", "", usize::MAX), [b"a", b"b", b"c"]);
        assert_eq!(split(" a b c ", "", 1), [&b"a"[..], b"b c "]);
        assert_eq!(
            split("a,b,,c", ",", usize::MAX),
            [&b"a"[..], b"b", b"", b"c"]
        );
        assert_eq!(split("a,b,,c", ",", 1), [&b"a"[..], b"b,,c"]);
        assert!(split("", "", usize::MAX).is_empty());
        assert_eq!(split("", ",", usize::MAX), [b""]);
    }

    #[test]
    fn distances_count_edits() {
        let of = |s: &str| s.bytes().map(|b| vec![b]).collect::<Vec<_>>();
        assert_eq!(levenshtein(&of("kitten"), &of("sitting")), 3);
        assert_eq!(levenshtein(&of(""), &of("abc")), 3);
    }
}
