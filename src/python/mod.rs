//! The extension module: the only folder that knows Python. It holds a list of exports, and no logic.

pub mod arrays;
mod attrs;
pub mod callbacks;
mod contexts;
pub mod errors;
pub mod files;
pub mod gpu;
mod gradients;
pub mod graph;
pub mod records;
pub mod session;
mod signature;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<graph::PyGraph>()?;
    module.add_class::<session::PySession>()?;
    module.add_function(wrap_pyfunction!(callbacks::register_py_func, module)?)?;
    module.add_class::<gradients::Gradients>()?;
    module.add_class::<files::CheckpointReader>()?;
    module.add_class::<signature::OpSignature>()?;
    module.add_class::<signature::OpArg>()?;
    module.add_class::<signature::OpAttr>()?;
    module.add_class::<records::RecordReader>()?;
    module.add_class::<records::RecordWriter>()?;
    module.add_class::<records::EventWriter>()?;
    module.add_function(wrap_pyfunction!(gpu::gpu_adapters, module)?)?;
    module.add_function(wrap_pyfunction!(gpu::gpu_counts, module)?)?;
    module.add_function(wrap_pyfunction!(gpu::has_gpu_support, module)?)?;
    module.add_function(wrap_pyfunction!(records::masked_crc32c, module)?)?;
    module.add_function(wrap_pyfunction!(signature::op_signature, module)?)?;
    module.add_function(wrap_pyfunction!(signature::op_names, module)?)?;
    module.add_function(wrap_pyfunction!(graph::merge_device, module)?)?;
    module.add_function(wrap_pyfunction!(graph::canonical_device, module)?)
}
