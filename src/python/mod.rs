//! The extension module: the only folder that knows Python. It holds a list of exports, and no logic.

pub mod arrays;
pub mod errors;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
