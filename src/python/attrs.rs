//! Attributes as Python says them, and back.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PySequence, PyString, PyTuple};

use crate::formats::graph_def::{decode_attr, decode_tensor, repeated};
use crate::formats::proto::{self, AttrValue, NameAttrList, TensorProto};
use crate::graph::{Attr, AttrDef, AttrKind, Attrs, List, OpDef, TypeNumber};
use crate::value::{DType, PartialShape, Shape};

use super::arrays::{array_to_value, value_to_array};
use super::errors::to_python;

/// The attributes in `dict`, read as `def` says. Names that begin with an underscore are read by what they hold.
pub fn read_attrs(def: &'static OpDef, dict: &Bound<PyDict>) -> PyResult<Attrs> {
    let mut attrs = Attrs::default();
    let mut tensors: Vec<(&'static str, Bound<PyAny>)> = Vec::new();
    for (key, value) in dict.iter() {
        let key = key.cast::<PyString>()?;
        let name = key.to_cow()?;
        match def.attr(&name) {
            Some(attr) if attr.kind == AttrKind::Tensor && !attr.is_list => {
                tensors.push((attr.name.as_str(), value));
            }
            Some(attr) => attrs.set(attr.name.as_str(), read_attr(attr, &value)?),
            None if name.starts_with('_') => attrs.set(name.into_owned(), read_untyped(&value)?),
            None => {
                return Err(PyValueError::new_err(format!(
                    "op {} has no attribute '{name}'",
                    def.name
                )));
            }
        }
    }
    for (name, value) in tensors {
        let dtype = attrs.dtype("dtype").ok();
        attrs.set(name, read_tensor(&value, dtype)?);
    }
    Ok(attrs)
}

fn wrong(attr: &AttrDef, expected: &str, value: &Bound<PyAny>) -> PyErr {
    let shown = value
        .repr()
        .map(|r| r.to_string())
        .unwrap_or_else(|_| "?".into());
    PyTypeError::new_err(format!(
        "Expected {expected} for argument '{}' not {shown}.",
        attr.name
    ))
}

fn read_attr(attr: &AttrDef, value: &Bound<PyAny>) -> PyResult<Attr> {
    if !attr.is_list {
        return read_one(attr, value);
    }
    let items = value
        .cast::<PySequence>()
        .map_err(|_| wrong(attr, "list", value))?;
    let n = items.len()?;
    fn all<T>(
        items: &Bound<PySequence>,
        n: usize,
        read: impl Fn(&Bound<PyAny>) -> PyResult<T>,
    ) -> PyResult<Vec<T>> {
        (0..n).map(|i| read(&items.get_item(i)?)).collect()
    }
    Ok(Attr::List(match attr.kind {
        AttrKind::Bytes => List::Bytes(all(items, n, |x| read_bytes(attr, x))?),
        AttrKind::Int => List::Ints(all(items, n, |x| {
            x.extract().map_err(|_| wrong(attr, "int", x))
        })?),
        AttrKind::Float => List::Floats(all(items, n, |x| {
            x.extract().map_err(|_| wrong(attr, "float", x))
        })?),
        AttrKind::Bool => List::Bools(all(items, n, |x| {
            x.extract().map_err(|_| wrong(attr, "bool", x))
        })?),
        AttrKind::Type => List::Types(all(items, n, |x| Ok(TypeNumber(x.extract()?)))?),
        AttrKind::Shape => List::Shapes(all(items, n, read_shape)?),
        AttrKind::Tensor => {
            let one = |x: &Bound<PyAny>| array_to_value(x, dtype_of(x)?).map_err(to_python);
            List::Tensors(all(items, n, one)?)
        }
        AttrKind::Func => List::Funcs(all(items, n, read_function)?),
    }))
}

fn read_one(attr: &AttrDef, value: &Bound<PyAny>) -> PyResult<Attr> {
    Ok(match attr.kind {
        AttrKind::Bytes => Attr::Bytes(read_bytes(attr, value)?),
        AttrKind::Int => Attr::Int(value.extract().map_err(|_| wrong(attr, "int", value))?),
        AttrKind::Float => {
            let x: f64 = value.extract().map_err(|_| wrong(attr, "float", value))?;
            Attr::Float(x as f32)
        }
        AttrKind::Bool => Attr::Bool(value.extract().map_err(|_| wrong(attr, "bool", value))?),
        AttrKind::Type => Attr::Type(TypeNumber(
            value
                .extract()
                .map_err(|_| wrong(attr, "DataType", value))?,
        )),
        AttrKind::Shape => Attr::Shape(read_shape(value)?),
        AttrKind::Tensor => read_tensor(value, None)?,
        AttrKind::Func => {
            let (name, bytes) = read_function(value)?;
            Attr::Func(name, bytes)
        }
    })
}

fn read_bytes(attr: &AttrDef, value: &Bound<PyAny>) -> PyResult<Vec<u8>> {
    bytes_of(value).ok_or_else(|| wrong(attr, "string", value))
}

fn bytes_of(value: &Bound<PyAny>) -> Option<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(bytes.as_bytes().to_vec());
    }
    let text = value.cast::<PyString>().ok()?;
    Some(text.to_cow().ok()?.as_bytes().to_vec())
}

/// None, or dimensions with -1 or None where unknown.
pub fn read_shape(value: &Bound<PyAny>) -> PyResult<PartialShape> {
    if value.is_none() {
        return Ok(PartialShape::unknown());
    }
    let mut dims: Vec<i64> = Vec::new();
    for dim in value.try_iter()? {
        dims.push(dim?.extract::<Option<i64>>()?.unwrap_or(-1));
    }
    PartialShape::new(&dims).map_err(to_python)
}

/// The form of `_core`: None or a tuple.
pub fn shape_to_python<'py>(py: Python<'py>, shape: &PartialShape) -> PyResult<Bound<'py, PyAny>> {
    match shape.dims() {
        None => Ok(py.None().into_bound(py)),
        Some(dims) => Ok(PyTuple::new(py, dims)?.into_any()),
    }
}

fn read_function(value: &Bound<PyAny>) -> PyResult<(String, Vec<u8>)> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let list: NameAttrList =
            proto::decode(bytes.as_bytes(), "a NameAttrList").map_err(to_python)?;
        return Ok((list.name, bytes.as_bytes().to_vec()));
    }
    Ok((value.extract()?, Vec::new()))
}

/// The element type of an array.
fn dtype_of(array: &Bound<PyAny>) -> PyResult<DType> {
    let dtype = array.getattr("dtype")?;
    let kind: String = dtype.getattr("kind")?.extract()?;
    if matches!(kind.as_str(), "S" | "U" | "O") {
        return Ok(DType::String);
    }
    let name: String = match kind.as_str() {
        "V" => dtype.getattr("names")?.get_item(0)?.extract()?,
        _ => dtype.getattr("name")?.extract()?,
    };
    DType::from_name(&name)
        .ok_or_else(|| PyTypeError::new_err(format!("no tensor has elements of type {name}")))
}

/// An array; a pair (array, shape) whose last element repeats; or a serialized TensorProto.
fn read_tensor(value: &Bound<PyAny>, dtype: Option<DType>) -> PyResult<Attr> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let tensor: TensorProto =
            proto::decode(bytes.as_bytes(), "a TensorProto").map_err(to_python)?;
        return decode_tensor(&tensor).map_err(to_python);
    }
    let read = |array: &Bound<PyAny>| {
        let dtype = match dtype {
            Some(dtype) => dtype,
            None => dtype_of(array)?,
        };
        array_to_value(array, dtype).map_err(to_python)
    };
    if let Ok(pair) = value.cast::<PyTuple>() {
        let elements = read(&pair.get_item(0)?)?;
        let dims: Vec<i64> = pair.get_item(1)?.extract()?;
        let shape = Shape::new(&dims).map_err(to_python)?;
        return repeated(&elements, &shape).map_err(to_python);
    }
    Ok(Attr::Tensor(read(value)?))
}

fn read_untyped(value: &Bound<PyAny>) -> PyResult<Attr> {
    if let Some(bytes) = bytes_of(value) {
        return Ok(Attr::Bytes(bytes));
    }
    if value.is_instance_of::<PyBool>() {
        return Ok(Attr::Bool(value.extract()?));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Attr::Int(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Attr::Float(value.extract::<f64>()? as f32));
    }
    let mut all = Vec::new();
    for item in value.try_iter()? {
        let item = item?;
        let bytes = bytes_of(&item)
            .ok_or_else(|| PyTypeError::new_err("a private list attribute holds strings"))?;
        all.push(bytes);
    }
    Ok(Attr::List(List::Bytes(all)))
}

/// A serialized AttrValue as an attribute.
pub fn parse_attr(bytes: &[u8]) -> PyResult<Attr> {
    let value: AttrValue = proto::decode(bytes, "an AttrValue").map_err(to_python)?;
    decode_attr(&value).map_err(to_python)
}

pub fn attr_to_python<'py>(py: Python<'py>, attr: &Attr) -> PyResult<Bound<'py, PyAny>> {
    Ok(match attr {
        Attr::Bytes(x) => PyBytes::new(py, x).into_any(),
        Attr::Int(x) => x.into_pyobject(py)?.into_any(),
        Attr::Float(x) => x.into_pyobject(py)?.into_any(),
        Attr::Bool(x) => PyBool::new(py, *x).to_owned().into_any(),
        Attr::Type(x) => x.0.into_pyobject(py)?.into_any(),
        Attr::Shape(x) => shape_to_python(py, x)?,
        Attr::Tensor(x) | Attr::Encoded(x, _) => value_to_array(py, x)?,
        Attr::Opaque(x) => PyBytes::new(py, x).into_any(),
        Attr::Func(name, _) | Attr::Placeholder(name) => PyString::new(py, name).into_any(),
        Attr::List(list) => list_to_python(py, list)?.into_any(),
    })
}

fn list_to_python<'py>(py: Python<'py>, list: &List) -> PyResult<Bound<'py, PyList>> {
    match list {
        List::Bytes(x) => PyList::new(py, x.iter().map(|b| PyBytes::new(py, b))),
        List::Ints(x) => PyList::new(py, x),
        List::Floats(x) => PyList::new(py, x),
        List::Bools(x) => PyList::new(py, x),
        List::Types(x) => PyList::new(py, x.iter().map(|t| t.0)),
        List::Shapes(x) => {
            let shapes = x.iter().map(|s| shape_to_python(py, s));
            PyList::new(py, shapes.collect::<PyResult<Vec<_>>>()?)
        }
        List::Tensors(x) => {
            let arrays = x.iter().map(|v| value_to_array(py, v));
            PyList::new(py, arrays.collect::<PyResult<Vec<_>>>()?)
        }
        List::Funcs(x) => PyList::new(py, x.iter().map(|(name, _)| name)),
    }
}

/// What kind of attribute it is, in the words of op definitions.
pub fn kind_of(attr: &Attr) -> &'static str {
    match attr {
        Attr::Bytes(_) => "string",
        Attr::Int(_) => "int",
        Attr::Float(_) => "float",
        Attr::Bool(_) => "bool",
        Attr::Type(_) => "type",
        Attr::Shape(_) => "shape",
        Attr::Tensor(_) | Attr::Encoded(..) | Attr::Opaque(_) => "tensor",
        Attr::Func(..) => "func",
        Attr::Placeholder(_) => "placeholder",
        Attr::List(List::Bytes(_)) => "list(string)",
        Attr::List(List::Ints(_)) => "list(int)",
        Attr::List(List::Floats(_)) => "list(float)",
        Attr::List(List::Bools(_)) => "list(bool)",
        Attr::List(List::Types(_)) => "list(type)",
        Attr::List(List::Shapes(_)) => "list(shape)",
        Attr::List(List::Tensors(_)) => "list(tensor)",
        Attr::List(List::Funcs(_)) => "list(func)",
    }
}
