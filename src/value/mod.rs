//! What flows in a run: element types, shapes, buffers and values. Knows nothing of graphs.

mod buffer;
mod device;
mod dtype;
mod shape;
#[allow(clippy::module_inception)]
mod value;

pub use buffer::{Buffer, trim};
pub use device::{DeviceBuffer, DeviceMemory};
pub use dtype::{DType, Element, REF_OFFSET};
pub use shape::{MAX_RANK, PartialShape, Shape, resolve_axis};
pub use value::{Data, Resource, Value, bytes_for};
