//! Op definitions as Python objects.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::graph::{Arg, ArgType, AttrDef, AttrKind, OpDef};
use crate::ops;

use super::attrs::attr_to_python;

/// An input or output of an op.
#[pyclass(frozen, get_all, module = "ferroflow._core")]
#[derive(Clone)]
pub struct OpArg {
    name: String,
    dtype: i32,
    type_attr: String,
    number_attr: String,
    type_list_attr: String,
    is_ref: bool,
}

impl From<&Arg> for OpArg {
    fn from(arg: &Arg) -> OpArg {
        let mut made = OpArg {
            name: arg.name.clone(),
            dtype: 0,
            type_attr: String::new(),
            number_attr: arg.number_attr.clone().unwrap_or_default(),
            type_list_attr: String::new(),
            is_ref: arg.is_ref,
        };
        match &arg.ty {
            ArgType::Fixed(dtype) => made.dtype = dtype.number(),
            ArgType::Attr(name) => made.type_attr = name.clone(),
            ArgType::List(name) => made.type_list_attr = name.clone(),
        }
        made
    }
}

/// An attribute of an op.
#[pyclass(frozen, get_all, module = "ferroflow._core")]
pub struct OpAttr {
    name: String,
    r#type: String,
    has_default: bool,
    default: Option<Py<PyAny>>,
    allowed: Option<Py<PyAny>>,
    minimum: Option<i64>,
}

impl OpAttr {
    fn new(py: Python, attr: &AttrDef) -> PyResult<OpAttr> {
        let default = match &attr.default {
            Some(value) => Some(attr_to_python(py, value)?.unbind()),
            None => None,
        };
        let allowed = if !attr.allowed_types.is_empty() {
            let numbers = attr.allowed_types.iter().map(|d| d.number());
            Some(PyList::new(py, numbers)?.into_any().unbind())
        } else if !attr.allowed_strings.is_empty() {
            let strings = attr.allowed_strings.iter();
            let strings = strings.map(|s| PyBytes::new(py, s.as_bytes()));
            Some(PyList::new(py, strings)?.into_any().unbind())
        } else {
            None
        };
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
        let r#type = if attr.is_list {
            format!("list({kind})")
        } else {
            kind.to_string()
        };
        Ok(OpAttr {
            name: attr.name.clone(),
            r#type,
            has_default: attr.default.is_some(),
            default,
            allowed,
            minimum: attr.minimum,
        })
    }
}

/// The definition of an op.
#[pyclass(frozen, get_all, module = "ferroflow._core")]
pub struct OpSignature {
    name: String,
    inputs: Py<PyList>,
    outputs: Py<PyList>,
    attrs: Py<PyList>,
    is_stateful: bool,
}

impl OpSignature {
    fn new(py: Python, def: &OpDef) -> PyResult<OpSignature> {
        let args = |list: &[Arg]| -> PyResult<Py<PyList>> {
            let made = list.iter().map(|arg| Py::new(py, OpArg::from(arg)));
            Ok(PyList::new(py, made.collect::<PyResult<Vec<_>>>()?)?.unbind())
        };
        let attrs = def
            .attrs
            .iter()
            .map(|attr| Py::new(py, OpAttr::new(py, attr)?));
        Ok(OpSignature {
            name: def.name.clone(),
            inputs: args(&def.inputs)?,
            outputs: args(&def.outputs)?,
            attrs: PyList::new(py, attrs.collect::<PyResult<Vec<_>>>()?)?.unbind(),
            is_stateful: def.is_stateful,
        })
    }
}

/// The definition of `op`; None when there is no such op.
#[pyfunction]
pub fn op_signature(py: Python, op: &str) -> PyResult<Option<OpSignature>> {
    ops::find(op)
        .map(|entry| OpSignature::new(py, &entry.def))
        .transpose()
}

/// The names of all ops, sorted.
#[pyfunction]
pub fn op_names() -> Vec<&'static str> {
    ops::all_names()
}
