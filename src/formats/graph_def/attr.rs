//! `AttrValue` to attributes and back.

use std::sync::Arc;

use prost::Message;

use crate::bail;
use crate::error::{Error, Result};
use crate::formats::proto::attr_value::{ListValue, Value as Field};
use crate::formats::proto::{AttrValue, NameAttrList, TensorProto};
use crate::formats::tensor_proto;
use crate::graph::{Attr, List, TypeNumber};
use crate::value::{Shape, Value};

/// The attribute that a proto says. A tensor in an encoding of its own keeps its bytes, so that it is written as it was read.
pub fn decode_attr(proto: &AttrValue) -> Result<Attr> {
    let field = proto
        .value
        .as_ref()
        .ok_or_else(|| Error::invalid("AttrValue had value with no kind"))?;
    Ok(match field {
        Field::S(bytes) => Attr::Bytes(bytes.clone()),
        Field::I(x) => Attr::Int(*x),
        Field::F(x) => Attr::Float(*x),
        Field::B(x) => Attr::Bool(*x),
        Field::Type(x) => Attr::Type(TypeNumber(*x)),
        Field::Shape(shape) => Attr::Shape(tensor_proto::decode_shape(shape)?),
        Field::Tensor(tensor) => decode_tensor(tensor)?,
        Field::List(list) => Attr::List(decode_list(list)?),
        Field::Func(function) => Attr::Func(function.name.clone(), function.encode_to_vec()),
        Field::Placeholder(name) => Attr::Placeholder(name.clone()),
    })
}

/// A tensor attribute of a proto.
pub fn decode_tensor(proto: &TensorProto) -> Result<Attr> {
    Ok(match tensor_proto::decode(proto)? {
        None => Attr::Opaque(proto.encode_to_vec().into()),
        Some(value) if tensor_proto::encode(&value)? == *proto => Attr::Tensor(value),
        Some(value) => Attr::Encoded(value, Arc::from(proto.encode_to_vec())),
    })
}

/// A tensor attribute of `shape` whose elements are those of `elements`, the last of them repeated.
pub fn repeated(elements: &Value, shape: &Shape) -> Result<Attr> {
    decode_tensor(&tensor_proto::encode_repeated(elements, shape)?)
}

fn decode_list(list: &ListValue) -> Result<List> {
    Ok(if !list.s.is_empty() {
        List::Bytes(list.s.clone())
    } else if !list.i.is_empty() {
        List::Ints(list.i.clone())
    } else if !list.f.is_empty() {
        List::Floats(list.f.clone())
    } else if !list.b.is_empty() {
        List::Bools(list.b.clone())
    } else if !list.r#type.is_empty() {
        List::Types(list.r#type.iter().map(|n| TypeNumber(*n)).collect())
    } else if !list.shape.is_empty() {
        let shapes = list.shape.iter().map(tensor_proto::decode_shape);
        List::Shapes(shapes.collect::<Result<_>>()?)
    } else if !list.tensor.is_empty() {
        let mut tensors = Vec::with_capacity(list.tensor.len());
        for tensor in &list.tensor {
            match tensor_proto::decode(tensor)? {
                Some(value) => tensors.push(value),
                None => bail!(unimplemented, "a list of handles as an attribute"),
            }
        }
        List::Tensors(tensors)
    } else if !list.func.is_empty() {
        let functions = list
            .func
            .iter()
            .map(|f| (f.name.clone(), f.encode_to_vec()));
        List::Funcs(functions.collect())
    } else {
        List::Ints(Vec::new())
    })
}

pub fn encode_attr(attr: &Attr) -> Result<AttrValue> {
    let field = match attr {
        Attr::Bytes(bytes) => Field::S(bytes.clone()),
        Attr::Int(x) => Field::I(*x),
        Attr::Float(x) => Field::F(*x),
        Attr::Bool(x) => Field::B(*x),
        Attr::Type(x) => Field::Type(x.0),
        Attr::Shape(shape) => Field::Shape(tensor_proto::encode_shape(shape)),
        Attr::Tensor(value) => Field::Tensor(Box::new(tensor_proto::encode(value)?)),
        Attr::Encoded(_, bytes) | Attr::Opaque(bytes) => {
            Field::Tensor(Box::new(super::super::proto::decode(bytes, "a tensor")?))
        }
        Attr::List(list) => Field::List(Box::new(encode_list(list)?)),
        Attr::Func(name, bytes) => Field::Func(encode_function(name, bytes)?),
        Attr::Placeholder(name) => Field::Placeholder(name.clone()),
    };
    Ok(AttrValue { value: Some(field) })
}

fn encode_function(name: &str, bytes: &[u8]) -> Result<NameAttrList> {
    if bytes.is_empty() {
        return Ok(NameAttrList {
            name: name.into(),
            ..Default::default()
        });
    }
    super::super::proto::decode(bytes, "a function's name and attributes")
}

fn encode_list(list: &List) -> Result<ListValue> {
    let mut proto = ListValue::default();
    match list {
        List::Bytes(x) => proto.s = x.clone(),
        List::Ints(x) => proto.i = x.clone(),
        List::Floats(x) => proto.f = x.clone(),
        List::Bools(x) => proto.b = x.clone(),
        List::Types(x) => proto.r#type = x.iter().map(|t| t.0).collect(),
        List::Shapes(x) => proto.shape = x.iter().map(tensor_proto::encode_shape).collect(),
        List::Tensors(x) => {
            proto.tensor = x.iter().map(tensor_proto::encode).collect::<Result<_>>()?;
        }
        List::Funcs(x) => {
            proto.func = x
                .iter()
                .map(|(name, bytes)| encode_function(name, bytes))
                .collect::<Result<_>>()?;
        }
    }
    Ok(proto)
}
