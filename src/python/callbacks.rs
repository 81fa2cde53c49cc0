//! Functions of the program that a graph calls: `py_func`. They are known to kernels by a token.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::ops::kernel::Host;
use crate::value::Value;

use super::arrays::{infer_value, value_to_array};
use super::errors::from_callback;

static FUNCTIONS: Mutex<Option<FxHashMap<Vec<u8>, Py<PyAny>>>> = Mutex::new(None);
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Registers `function` and returns the token that names it in a graph.
#[pyfunction]
pub fn register_py_func(function: Py<PyAny>, _graph: &Bound<PyAny>) -> String {
    let token = format!("pyfunc_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let mut functions = FUNCTIONS.lock();
    functions
        .get_or_insert_default()
        .insert(token.clone().into_bytes(), function);
    token
}

/// The interpreter, as sessions see it.
pub struct Interpreter;

impl Host for Interpreter {
    fn call(&self, token: &[u8], inputs: &[Value]) -> Result<Vec<Value>> {
        Python::attach(|py| {
            let functions = FUNCTIONS.lock();
            let known = functions.as_ref().and_then(|all| all.get(token));
            let function = known.map(|f| f.clone_ref(py));
            drop(functions);
            let function = function.ok_or_else(|| {
                Error::invalid(format!(
                    "callback {} is not found",
                    String::from_utf8_lossy(token)
                ))
            })?;
            call(function.bind(py), inputs)
        })
    }
}

fn call(function: &Bound<PyAny>, inputs: &[Value]) -> Result<Vec<Value>> {
    let py = function.py();
    let raised = |exception: PyErr| from_callback(py, &exception);
    let arguments = inputs
        .iter()
        .map(|value| value_to_array(py, value))
        .collect::<PyResult<Vec<_>>>()
        .map_err(raised)?;
    let arguments = PyTuple::new(py, arguments).map_err(raised)?;
    let results = function.call1(arguments).map_err(raised)?;
    if results.is_none() {
        return Ok(Vec::new());
    }
    if let Ok(list) = results.cast::<PyList>() {
        return list.iter().map(|item| infer_value(&item)).collect();
    }
    if let Ok(tuple) = results.cast::<PyTuple>() {
        return tuple.iter().map(|item| infer_value(&item)).collect();
    }
    Ok(vec![infer_value(&results)?])
}
