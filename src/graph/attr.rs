//! Attributes of nodes, as values of our own; the protocol buffer form lives in `formats::graph_def`.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::value::{DType, PartialShape, REF_OFFSET, Value};

/// A `DataType` in an attribute: an element type, perhaps a reference to it; 0 is "invalid" and only default values say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TypeNumber(pub i32);

impl TypeNumber {
    pub fn of(dtype: DType) -> Self {
        TypeNumber(dtype.number())
    }

    pub fn base(self) -> Result<DType> {
        DType::from_number(self.0)
    }

    pub fn is_ref(self) -> bool {
        self.0 > REF_OFFSET
    }
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attr {
    Bytes(Vec<u8>),
    Int(i64),
    Float(f32),
    Bool(bool),
    Type(TypeNumber),
    Shape(PartialShape),
    Tensor(Value),
    /// A function by name, with the serialized `NameAttrList` that said so.
    Func(String, Vec<u8>),
    List(List),
    /// An attribute of a function body that the caller fills in.
    Placeholder(String),
    /// A tensor that no kernel can hold (a variant or a resource): its serialized `TensorProto`, kept for export.
    Opaque(Arc<[u8]>),
    /// A tensor whose `TensorProto` is not the one that its value encodes to (elements that repeat): the proto is kept.
    Encoded(Value, Arc<[u8]>),
}

/// A list attribute. An empty list of a GraphDef has no kind: it is `Ints`.
#[derive(Clone, Debug, PartialEq)]
pub enum List {
    Bytes(Vec<Vec<u8>>),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Bools(Vec<bool>),
    Types(Vec<TypeNumber>),
    Shapes(Vec<PartialShape>),
    Tensors(Vec<Value>),
    Funcs(Vec<(String, Vec<u8>)>),
}

impl List {
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn len(&self) -> usize {
        match self {
            List::Bytes(x) => x.len(),
            List::Ints(x) => x.len(),
            List::Floats(x) => x.len(),
            List::Bools(x) => x.len(),
            List::Types(x) => x.len(),
            List::Shapes(x) => x.len(),
            List::Tensors(x) => x.len(),
            List::Funcs(x) => x.len(),
        }
    }
}

impl From<i64> for Attr {
    fn from(x: i64) -> Self {
        Attr::Int(x)
    }
}
impl From<bool> for Attr {
    fn from(x: bool) -> Self {
        Attr::Bool(x)
    }
}
impl From<f32> for Attr {
    fn from(x: f32) -> Self {
        Attr::Float(x)
    }
}
impl From<&str> for Attr {
    fn from(x: &str) -> Self {
        Attr::Bytes(x.into())
    }
}
impl From<DType> for Attr {
    fn from(x: DType) -> Self {
        Attr::Type(TypeNumber::of(x))
    }
}
impl From<Value> for Attr {
    fn from(x: Value) -> Self {
        Attr::Tensor(x)
    }
}
impl From<PartialShape> for Attr {
    fn from(x: PartialShape) -> Self {
        Attr::Shape(x)
    }
}
impl From<Vec<i64>> for Attr {
    fn from(x: Vec<i64>) -> Self {
        Attr::List(List::Ints(x))
    }
}

/// A node's attributes, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attrs(Vec<(Cow<'static, str>, Attr)>);

impl Attrs {
    pub fn get(&self, name: &str) -> Option<&Attr> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    pub fn set(&mut self, name: impl Into<Cow<'static, str>>, value: Attr) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
    }

    pub fn remove(&mut self, name: &str) -> Option<Attr> {
        let at = self.0.iter().position(|(n, _)| n == name)?;
        Some(self.0.remove(at).1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Attr)> {
        self.0.iter().map(|(n, a)| (n.as_ref(), a))
    }

    fn want<'a, T>(&'a self, name: &str, read: impl FnOnce(&'a Attr) -> Option<T>) -> Result<T> {
        let attr = self
            .get(name)
            .ok_or_else(|| Error::invalid(format!("No attr named '{name}' in NodeDef")))?;
        read(attr).ok_or_else(|| {
            Error::invalid(format!(
                "AttrValue of attr '{name}' has another type than expected: {attr:?}"
            ))
        })
    }

    pub fn int(&self, name: &str) -> Result<i64> {
        self.want(name, |a| if let Attr::Int(x) = a { Some(*x) } else { None })
    }

    pub fn float(&self, name: &str) -> Result<f32> {
        self.want(name, |a| {
            if let Attr::Float(x) = a {
                Some(*x)
            } else {
                None
            }
        })
    }

    pub fn bool(&self, name: &str) -> Result<bool> {
        self.want(name, |a| {
            if let Attr::Bool(x) = a {
                Some(*x)
            } else {
                None
            }
        })
    }

    pub fn dtype(&self, name: &str) -> Result<DType> {
        self.want(name, |a| {
            if let Attr::Type(x) = a {
                Some(*x)
            } else {
                None
            }
        })?
        .base()
    }

    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.want(name, |a| {
            if let Attr::Bytes(x) = a {
                Some(x.as_slice())
            } else {
                None
            }
        })
    }

    /// A string attribute that must be UTF-8, such as `padding`.
    pub fn str(&self, name: &str) -> Result<&str> {
        let bytes = self.bytes(name)?;
        std::str::from_utf8(bytes)
            .map_err(|_| Error::invalid(format!("attr '{name}' is not UTF-8")))
    }

    pub fn shape(&self, name: &str) -> Result<&PartialShape> {
        self.want(name, |a| {
            if let Attr::Shape(x) = a {
                Some(x)
            } else {
                None
            }
        })
    }

    pub fn tensor(&self, name: &str) -> Result<&Value> {
        self.want(name, |a| {
            if let Attr::Tensor(x) | Attr::Encoded(x, _) = a {
                Some(x)
            } else {
                None
            }
        })
    }

    pub fn ints(&self, name: &str) -> Result<&[i64]> {
        self.want(name, |a| {
            if let Attr::List(List::Ints(x)) = a {
                Some(x.as_slice())
            } else {
                None
            }
        })
    }

    /// A list of floats; an empty list of any kind will do.
    pub fn floats(&self, name: &str) -> Result<&[f32]> {
        self.want(name, |a| match a {
            Attr::List(List::Floats(x)) => Some(x.as_slice()),
            Attr::List(l) if l.is_empty() => Some(&[]),
            _ => None,
        })
    }

    /// A list of types; an empty list of any kind will do.
    pub fn types(&self, name: &str) -> Result<Vec<TypeNumber>> {
        self.want(name, |a| match a {
            Attr::List(List::Types(x)) => Some(x.clone()),
            Attr::List(l) if l.is_empty() => Some(Vec::new()),
            _ => None,
        })
    }

    pub fn shapes(&self, name: &str) -> Result<Vec<PartialShape>> {
        self.want(name, |a| match a {
            Attr::List(List::Shapes(x)) => Some(x.clone()),
            Attr::List(l) if l.is_empty() => Some(Vec::new()),
            _ => None,
        })
    }

    pub fn byte_strings(&self, name: &str) -> Result<Vec<Vec<u8>>> {
        self.want(name, |a| match a {
            Attr::List(List::Bytes(x)) => Some(x.clone()),
            Attr::List(l) if l.is_empty() => Some(Vec::new()),
            _ => None,
        })
    }
}
