//! GPUs as Python sees them: what was found, and what each has done.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::backend::gpu;
use crate::error::Error;

use super::errors::to_python;

/// Every adapter of this machine as a dict; opens those that are used.
#[pyfunction]
pub fn gpu_adapters(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let found = py.detach(gpu::found);
    let all = PyList::empty(py);
    for adapter in found {
        let entry = PyDict::new(py);
        entry.set_item("name", &adapter.name)?;
        entry.set_item("kind", adapter.kind)?;
        entry.set_item("interface", &adapter.interface)?;
        entry.set_item("driver", &adapter.driver)?;
        entry.set_item("max_buffer_bytes", adapter.buffer_bytes)?;
        entry.set_item("workgroup_bytes", adapter.workgroup_bytes)?;
        entry.set_item("bindings", adapter.bindings)?;
        entry.set_item("number", adapter.number)?;
        entry.set_item("why_not", &adapter.why_not)?;
        all.append(entry)?;
    }
    Ok(all)
}

/// Whether this build can use GPUs at all.
#[pyfunction]
pub fn has_gpu_support() -> bool {
    gpu::is_built_in()
}

/// What GPU `number` has done since it was opened.
#[pyfunction]
pub fn gpu_counts(py: Python<'_>, number: usize) -> PyResult<Bound<'_, PyDict>> {
    let gpu = gpu::gpus()
        .get(number)
        .ok_or_else(|| to_python(Error::not_found(format!("There is no GPU {number}"))))?;
    let counts = gpu.counts();
    let entry = PyDict::new(py);
    entry.set_item("dispatches", counts.dispatches)?;
    entry.set_item("submissions", counts.submissions)?;
    entry.set_item("waits", counts.waits)?;
    entry.set_item("bytes_up", counts.bytes_up)?;
    entry.set_item("bytes_down", counts.bytes_down)?;
    entry.set_item("bytes_held", counts.bytes_held)?;
    Ok(entry)
}
