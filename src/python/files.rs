//! Files for Python: checkpoints to look into.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Error;
use crate::formats::checkpoint::Checkpoint;

use super::arrays::value_to_array;
use super::attrs::shape_to_python;
use super::errors::to_python;

/// Reads tensors of a checkpoint, V2 or V1, by name.
#[pyclass(frozen, module = "ferroflow._core")]
pub struct CheckpointReader {
    checkpoint: Checkpoint,
}

#[pymethods]
impl CheckpointReader {
    #[new]
    fn new(prefix: PathBuf) -> PyResult<CheckpointReader> {
        let checkpoint = Checkpoint::open(&prefix).map_err(to_python)?;
        Ok(CheckpointReader { checkpoint })
    }

    fn has_tensor(&self, name: &str) -> bool {
        self.checkpoint.has(name.as_bytes())
    }

    /// Name to (dtype, shape).
    fn tensors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = self.checkpoint.tensors().map_err(to_python)?;
        let dict = PyDict::new(py);
        for (name, dtype, shape) in all {
            let name = String::from_utf8_lossy(&name).into_owned();
            dict.set_item(name, (dtype.number(), shape_to_python(py, &shape)?))?;
        }
        Ok(dict)
    }

    fn get_tensor<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        if !self.checkpoint.has(name.as_bytes()) {
            return Err(to_python(Error::not_found(format!(
                "Key {name} not found in checkpoint"
            ))));
        }
        let value = self.checkpoint.read(name.as_bytes()).map_err(to_python)?;
        value_to_array(py, &value)
    }
}
