//! Errors at the edge: ours become Python exceptions, Python's travel through Rust and come back unchanged.

use std::cell::RefCell;

use pyo3::exceptions::{
    PyKeyboardInterrupt, PyLookupError, PyMemoryError, PyNotImplementedError, PyOverflowError,
    PyRuntimeError, PyStopIteration, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTraceback;

use crate::error::{Code, Error};

thread_local! {
    /// The exception that an error of code `Pending` stands for. A run stays on the thread that called it.
    static PENDING: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// The exception of an error: `tf.errors` classes for canonical codes, Python's own where TensorFlow raises those.
pub fn to_python(error: Error) -> PyErr {
    match error.code {
        Code::Value => PyValueError::new_err(error.message),
        Code::Type => PyTypeError::new_err(error.message),
        Code::Runtime => PyRuntimeError::new_err(error.message),
        Code::Lookup => PyLookupError::new_err(error.message),
        Code::Overflow => PyOverflowError::new_err(error.message),
        Code::Pending => PENDING
            .with_borrow_mut(Option::take)
            .unwrap_or_else(|| PyKeyboardInterrupt::new_err(error.message)),
        _ => Python::attach(|py| make_error(py, &error)).unwrap_or_else(|failed| failed),
    }
}

/// Keeps `exception` until `to_python` meets the error returned here.
pub fn from_python(exception: PyErr) -> Error {
    let message = exception.to_string();
    PENDING.with_borrow_mut(|pending| *pending = Some(exception));
    Error::new(Code::Pending, message)
}

fn make_error(py: Python, error: &Error) -> PyResult<PyErr> {
    static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = MAKE.get_or_try_init(py, || {
        let errors = py.import("ferroflow._src.framework.errors")?;
        errors.getattr("make_error").map(Bound::unbind)
    })?;
    let arguments = (error.node.as_deref(), &error.message, error.code as i32);
    let made = make.bind(py).call1(arguments)?;
    Ok(PyErr::from_value(made))
}

/// What TensorFlow makes of an exception that a `py_func` raised: a canonical code and the exception with its traceback.
pub fn from_callback(py: Python, exception: &PyErr) -> Error {
    let code = if exception.is_instance_of::<PyTypeError>(py)
        || exception.is_instance_of::<PyValueError>(py)
    {
        Code::InvalidArgument
    } else if exception.is_instance_of::<PyStopIteration>(py) {
        Code::OutOfRange
    } else if exception.is_instance_of::<PyMemoryError>(py) {
        Code::ResourceExhausted
    } else if exception.is_instance_of::<PyNotImplementedError>(py) {
        Code::Unimplemented
    } else {
        Code::Unknown
    };
    let traceback = exception
        .traceback(py)
        .and_then(|t: Bound<PyTraceback>| t.format().ok());
    let mut message = exception.to_string();
    if let Some(text) = traceback {
        message.push('\n');
        message.push_str(&text);
    }
    Error::new(code, message)
}
