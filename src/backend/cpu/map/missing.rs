//! What is said where an instruction has no loop for a type.

use crate::error::Error;
use crate::value::DType;

pub(super) fn no_kernel(op: impl std::fmt::Debug, dtype: DType) -> Error {
    Error::unimplemented(format!(
        "no kernel for {op:?} of elements of type {}",
        dtype.short_name()
    ))
}
