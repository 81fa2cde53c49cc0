//! Signatures of ops: named inputs, outputs and attributes, in the notation of TensorFlow's own registrations
//! (`"x: N * T"`, `"T: {half, float} = DT_FLOAT"`, `"ref: Ref(T)"`).

use crate::ensure;
use crate::error::{Error, Result};
use crate::value::{DType, PartialShape, Value};

use super::attr::{Attr, List, TypeNumber};
use super::infer::ShapeFn;

/// How the type of an argument is said.
#[derive(Clone, Debug, PartialEq)]
pub enum ArgType {
    Fixed(DType),
    /// The value of a `type` attribute.
    Attr(String),
    /// One tensor for each entry of a `list(type)` attribute.
    List(String),
}

/// An input or output of an op.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: String,
    pub ty: ArgType,
    /// The `int` attribute that holds the length, when the argument is a list of tensors of one type.
    pub number_attr: Option<String>,
    pub is_ref: bool,
}

/// The kinds of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttrKind {
    Bytes,
    Int,
    Float,
    Bool,
    Type,
    Shape,
    Tensor,
    Func,
}

/// An attribute that an op takes.
#[derive(Clone, Debug, PartialEq)]
pub struct AttrDef {
    pub name: String,
    pub kind: AttrKind,
    pub is_list: bool,
    pub default: Option<Attr>,
    pub allowed_types: Vec<DType>,
    pub allowed_strings: Vec<String>,
    pub minimum: Option<i64>,
}

/// What a graph must know of an op.
#[derive(Clone, Debug)]
pub struct OpDef {
    pub name: String,
    pub inputs: Vec<Arg>,
    pub outputs: Vec<Arg>,
    pub attrs: Vec<AttrDef>,
    pub is_stateful: bool,
    pub allows_uninitialized_input: bool,
    /// Infers the shapes of the outputs. Without one they are unknown.
    pub shape: Option<ShapeFn>,
}

impl OpDef {
    /// `Op<name=Identity; signature=input:T -> output:T; attr=T:type>`, as TensorFlow describes ops in errors.
    pub fn summary(&self) -> String {
        let show = |args: &[Arg]| {
            let one = |arg: &Arg| {
                let ty = match &arg.ty {
                    ArgType::Fixed(dtype) => dtype.short_name().to_string(),
                    ArgType::Attr(attr) | ArgType::List(attr) => attr.clone(),
                };
                let ty = match &arg.number_attr {
                    Some(number) => format!("{number}*{ty}"),
                    None => ty,
                };
                match arg.is_ref {
                    true => format!("{}:Ref({ty})", arg.name),
                    false => format!("{}:{ty}", arg.name),
                }
            };
            args.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let mut text = format!(
            "Op<name={}; signature={} -> {}",
            self.name,
            show(&self.inputs),
            show(&self.outputs)
        );
        for attr in &self.attrs {
            let kind = match attr.kind {
                AttrKind::Bytes => "string",
                AttrKind::Int => "int",
                AttrKind::Float => "float",
                AttrKind::Bool => "bool",
                AttrKind::Type => "type",
                AttrKind::Shape => "shape",
                AttrKind::Tensor => "tensor",
                AttrKind::Func => "func",
            };
            let kind = match attr.is_list {
                true => format!("list({kind})"),
                false => kind.to_string(),
            };
            text += &format!("; attr={}:{kind}", attr.name);
        }
        text + ">"
    }

    /// Reads a signature such as `"a: T, b: T -> product: T"` with its attributes.
    pub fn parse(name: &str, signature: &str, attrs: &[&str]) -> Result<OpDef> {
        let (inputs, outputs) = signature.split_once("->").ok_or_else(|| {
            Error::internal(format!("{name}: no '->' in signature '{signature}'"))
        })?;
        let attrs = attrs
            .iter()
            .map(|text| parse_attr(text))
            .collect::<Result<Vec<_>>>()?;
        Ok(OpDef {
            name: name.into(),
            inputs: parse_args(inputs, &attrs)?,
            outputs: parse_args(outputs, &attrs)?,
            attrs,
            is_stateful: false,
            allows_uninitialized_input: false,
            shape: None,
        })
    }

    pub fn attr(&self, name: &str) -> Option<&AttrDef> {
        self.attrs.iter().find(|a| a.name == name)
    }
}

fn parse_args(text: &str, attrs: &[AttrDef]) -> Result<Vec<Arg>> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(|part| parse_arg(part, attrs)).collect()
}

fn parse_arg(text: &str, attrs: &[AttrDef]) -> Result<Arg> {
    let (name, ty) = text
        .split_once(':')
        .ok_or_else(|| Error::internal(format!("argument '{text}' has no type")))?;
    let mut ty = ty.trim();
    let mut is_ref = false;
    if let Some(inner) = ty.strip_prefix("Ref(").and_then(|t| t.strip_suffix(')')) {
        ty = inner.trim();
        is_ref = true;
    }
    let mut number_attr = None;
    if let Some((number, rest)) = ty.split_once('*') {
        number_attr = Some(number.trim().to_string());
        ty = rest.trim();
    }
    let ty = match attrs.iter().find(|a| a.name == ty) {
        Some(a) if a.is_list => ArgType::List(ty.into()),
        Some(_) => ArgType::Attr(ty.into()),
        None => ArgType::Fixed(parse_dtype(ty)?),
    };
    Ok(Arg {
        name: name.trim().into(),
        ty,
        number_attr,
        is_ref,
    })
}

fn parse_dtype(text: &str) -> Result<DType> {
    let short = text.strip_prefix("DT_").map(str::to_ascii_lowercase);
    DType::from_name(short.as_deref().unwrap_or(text))
        .ok_or_else(|| Error::internal(format!("'{text}' is neither a type nor an attribute")))
}

const NUMBERS: [DType; 17] = {
    use DType::*;
    [
        F32, F64, I32, U8, I16, I8, C64, I64, QI8, QU8, QI32, BF16, U16, C128, F16, U32, U64,
    ]
};
const REALS: [DType; 12] = {
    use DType::*;
    [F32, F64, I32, U8, I16, I8, I64, BF16, U16, F16, U32, U64]
};

fn parse_attr(text: &str) -> Result<AttrDef> {
    let broken = || Error::internal(format!("cannot read attribute '{text}'"));
    let (name, rest) = text.split_once(':').ok_or_else(broken)?;
    let (mut ty, default) = split_default(rest.trim());
    let mut minimum = None;
    if let Some((before, number)) = ty.split_once(">=") {
        minimum = Some(number.trim().parse().map_err(|_| broken())?);
        ty = before.trim();
    }
    let inner = ty.strip_prefix("list(").and_then(|t| t.strip_suffix(')'));
    let is_list = inner.is_some();
    let inner = inner.unwrap_or(ty).trim();
    let mut def = AttrDef {
        name: name.trim().into(),
        kind: AttrKind::Type,
        is_list,
        default: None,
        allowed_types: Vec::new(),
        allowed_strings: Vec::new(),
        minimum,
    };
    if let Some(set) = inner.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        for item in set
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            match unquote(item) {
                Some(string) => {
                    def.kind = AttrKind::Bytes;
                    def.allowed_strings.push(string);
                }
                None => def.allowed_types.push(parse_dtype(item)?),
            }
        }
    } else {
        def.kind = match inner {
            "string" => AttrKind::Bytes,
            "int" => AttrKind::Int,
            "float" => AttrKind::Float,
            "bool" => AttrKind::Bool,
            "type" => AttrKind::Type,
            "shape" => AttrKind::Shape,
            "tensor" => AttrKind::Tensor,
            "func" => AttrKind::Func,
            "numbertype" => {
                def.allowed_types = NUMBERS.to_vec();
                AttrKind::Type
            }
            "realnumbertype" => {
                def.allowed_types = REALS.to_vec();
                AttrKind::Type
            }
            _ => return Err(broken()),
        };
    }
    def.default = default
        .map(|d| parse_default(d, def.kind, is_list))
        .transpose()?;
    Ok(def)
}

/// Splits at the `=` of a default value (not at that of `>=`).
fn split_default(text: &str) -> (&str, Option<&str>) {
    let bytes = text.as_bytes();
    let at = (0..bytes.len()).find(|&i| bytes[i] == b'=' && (i == 0 || bytes[i - 1] != b'>'));
    match at {
        Some(i) => (text[..i].trim(), Some(text[i + 1..].trim())),
        None => (text.trim(), None),
    }
}

fn unquote(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|c| *c == '\'' || *c == '"')?;
    text.strip_prefix(quote)?
        .strip_suffix(quote)
        .map(|inner| inner.replace("\\t", "\t").replace("\\n", "\n"))
}

fn parse_default(text: &str, kind: AttrKind, is_list: bool) -> Result<Attr> {
    let broken = |_| Error::internal(format!("cannot read default '{text}'"));
    if is_list {
        let inner = text
            .strip_prefix('[')
            .and_then(|t| t.strip_suffix(']'))
            .unwrap_or(text);
        let items: Vec<&str> = inner
            .split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .collect();
        return Ok(Attr::List(match kind {
            AttrKind::Int => List::Ints(
                items
                    .iter()
                    .map(|t| t.parse())
                    .collect::<Result<_, _>>()
                    .map_err(|_| broken(()))?,
            ),
            AttrKind::Float => List::Floats(
                items
                    .iter()
                    .map(|t| t.parse())
                    .collect::<Result<_, _>>()
                    .map_err(|_| broken(()))?,
            ),
            AttrKind::Bool => List::Bools(items.iter().map(|t| *t == "true").collect()),
            AttrKind::Bytes => List::Bytes(
                items
                    .iter()
                    .map(|t| unquote(t).unwrap_or_default().into_bytes())
                    .collect(),
            ),
            AttrKind::Type => List::Types(
                items
                    .iter()
                    .map(|t| parse_dtype(t).map(TypeNumber::of))
                    .collect::<Result<_>>()?,
            ),
            AttrKind::Shape => List::Shapes(Vec::new()),
            AttrKind::Tensor => List::Tensors(Vec::new()),
            AttrKind::Func => List::Funcs(Vec::new()),
        }));
    }
    Ok(match kind {
        AttrKind::Int => Attr::Int(text.parse().map_err(|_| broken(()))?),
        AttrKind::Float => Attr::Float(text.parse().map_err(|_| broken(()))?),
        AttrKind::Bool => Attr::Bool(text == "true"),
        AttrKind::Bytes => Attr::Bytes(unquote(text).ok_or_else(|| broken(()))?.into_bytes()),
        AttrKind::Type => Attr::Type(TypeNumber::of(parse_dtype(text)?)),
        AttrKind::Shape => Attr::Shape(parse_shape(text)?),
        AttrKind::Func => Attr::Func(unquote(text).unwrap_or_default(), Vec::new()),
        AttrKind::Tensor => parse_bytes(text)?,
    })
}

/// `uint8[255, 0, 0]`: the one kind of tensor that is a default somewhere.
fn parse_bytes(text: &str) -> Result<Attr> {
    let broken = || Error::internal(format!("cannot read default '{text}'"));
    let inner = text
        .strip_prefix("uint8[")
        .and_then(|t| t.strip_suffix(']'));
    let items = inner
        .ok_or_else(broken)?
        .split(',')
        .map(|t| t.trim().parse::<u8>());
    let items: Vec<u8> = items.collect::<Result<_, _>>().map_err(|_| broken())?;
    Ok(Attr::Encoded(
        Value::vector(&items)?,
        encode_bytes(&items).into(),
    ))
}

/// The `TensorProto` of a few bytes, each an `int_val`, as the definition of TensorFlow's op has it.
fn encode_bytes(items: &[u8]) -> Vec<u8> {
    let mut ints = Vec::new();
    for item in items {
        ints.push(*item);
        if *item >= 0x80 {
            ints.push(1);
        }
    }
    let (uint8, count) = (4, items.len() as u8);
    let mut proto = vec![0x08, uint8, 0x12, 4, 0x12, 2, 0x08, count];
    proto.extend([0x3a, ints.len() as u8]);
    proto.extend(ints);
    proto
}

/// `?` or `{ unknown_rank: true }` for an unknown rank, else `[2,?]`.
fn parse_shape(text: &str) -> Result<PartialShape> {
    if text == "?" || text.contains("unknown_rank") {
        return Ok(PartialShape::unknown());
    }
    let inner = text.trim_matches(['[', ']', '{', '}'].as_slice());
    let dims = inner
        .split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(|t| t.parse().unwrap_or(-1));
    let dims: Vec<i64> = dims.collect();
    ensure!(dims.len() < 16, internal, "cannot read shape '{text}'");
    PartialShape::new(&dims)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_as_tensorflow_writes_them() {
        let def = OpDef::parse(
            "ConcatV2",
            "values: N * T, axis: Tidx -> output: T",
            &["N: int >= 2", "T: type", "Tidx: {int32, int64} = DT_INT32"],
        )
        .unwrap();
        assert_eq!(def.inputs[0].number_attr.as_deref(), Some("N"));
        assert_eq!(def.inputs[1].ty, ArgType::Attr("Tidx".into()));
        assert_eq!(def.attrs[0].minimum, Some(2));
        assert_eq!(def.attrs[2].default, Some(Attr::from(DType::I32)));
        let def = OpDef::parse(
            "Assign",
            "ref: Ref(T), value: T -> output_ref: Ref(T)",
            &["T: type", "validate_shape: bool = true"],
        )
        .unwrap();
        assert!(def.inputs[0].is_ref && !def.inputs[1].is_ref && def.outputs[0].is_ref);
        let def = OpDef::parse(
            "X",
            "a: Tin -> ",
            &[
                "Tin: list(type) >= 0",
                "padding: {'SAME', 'VALID'}",
                "s: list(int) = [1, 2]",
            ],
        )
        .unwrap();
        assert_eq!(def.inputs[0].ty, ArgType::List("Tin".into()));
        assert_eq!(def.attrs[1].allowed_strings, ["SAME", "VALID"]);
        assert_eq!(def.attrs[2].default, Some(Attr::from(vec![1, 2])));
    }
}
