//! Comparisons and logic, elementwise.

use crate::error::Result;
use crate::graph::ShapeContext;

use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("Equal", "x: T, y: T -> z: bool").attr("T: {bfloat16, float16, float32, float64, uint8, int8, int16, int32, int64, complex64, quint8, qint8, qint32, string, bool, complex128}").attr("incompatible_shape_error: bool = true").no_grad().shape(equal_shape).map(|x| x[0].eq(&x[1])),
    Op::new("NotEqual", "x: T, y: T -> z: bool").attr("T: {bfloat16, float16, float32, float64, uint8, int8, int16, int32, int64, complex64, quint8, qint8, qint32, string, bool, complex128}").attr("incompatible_shape_error: bool = true").no_grad().shape(equal_shape).map(|x| x[0].ne(&x[1])),
    Op::new("ApproximateEqual", "x: T, y: T -> z: bool").attr("T: numbertype").attr("tolerance: float = 9.999999747378752e-06").no_grad().shape(shape::merged_pair).map_with(|x, attrs| { let tolerance = x[0].like(f64::from(attrs.float("tolerance")?)); Ok((&x[0] - &x[1]).abs().lt(tolerance)) }),
    Op::new("Less", "x: T, y: T -> z: bool").attr("T: realnumbertype").no_grad().shape(shape::broadcast).map(|x| x[0].lt(&x[1])),
    Op::new("LessEqual", "x: T, y: T -> z: bool").attr("T: realnumbertype").no_grad().shape(shape::broadcast).map(|x| x[0].le(&x[1])),
    Op::new("Greater", "x: T, y: T -> z: bool").attr("T: realnumbertype").no_grad().shape(shape::broadcast).map(|x| x[0].gt(&x[1])),
    Op::new("GreaterEqual", "x: T, y: T -> z: bool").attr("T: realnumbertype").no_grad().shape(shape::broadcast).map(|x| x[0].ge(&x[1])),
    Op::new("LogicalAnd", "x: bool, y: bool -> z: bool").no_grad().shape(shape::broadcast).map(|x| x[0].and(&x[1])),
    Op::new("LogicalOr", "x: bool, y: bool -> z: bool").no_grad().shape(shape::broadcast).map(|x| x[0].or(&x[1])),
    Op::new("LogicalNot", "x: bool -> y: bool").no_grad().shape(shape::unchanged).map(|x| x[0].not()),
];

/// Broadcasting; with `incompatible_shape_error` unset, shapes that do not fit give one `false`.
fn equal_shape(c: &mut ShapeContext) -> Result<()> {
    match shape::broadcast_shapes(&c.input(0), &c.input(1)) {
        Ok(shape) => c.set(0, shape),
        Err(error) if c.attrs().bool("incompatible_shape_error").unwrap_or(true) => {
            return Err(error);
        }
        Err(_) => {}
    }
    Ok(())
}
