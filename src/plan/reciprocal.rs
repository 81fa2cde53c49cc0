//! Divides by constants as TensorFlow's optimizer of graphs does: `x / c` becomes `x * (1 / c)`, whose last bit may
//! differ. It leaves graphs of less than four nodes alone.

use std::num::FpCategory;
use std::sync::Arc;

use half::{bf16, f16};

use crate::error::Result;
use crate::graph::Graph;
use crate::ops;
use crate::value::{DType, Value};

use super::Lookup;
use super::draft::{Draft, ItemId, Source, Work};

/// Larger constants stay as they are: they would make plans heavy (TensorFlow's limit).
const MAX_BYTES: usize = 10 << 20;

pub fn divide_by_constants(graph: &Graph, draft: &mut Draft, lookup: Lookup) -> Result<()> {
    let (Some(multiply), Some(run)) = (ops::find("Mul"), lookup("Mul")) else {
        return Ok(());
    };
    if graph.len() < 4 {
        return Ok(());
    }
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        let Some(inverse) = inverse_divisor(draft, id)? else {
            continue;
        };
        let inverse = draft.constant(inverse);
        let item = &mut draft.items[id as usize];
        let mut node = (*item.node).clone();
        node.def = &multiply.def;
        item.node = Arc::new(node);
        item.work = Work::Op(run);
        item.inputs[1] = inverse;
    }
    Ok(())
}

/// What a division by a constant may multiply with instead.
fn inverse_divisor(draft: &Draft, id: ItemId) -> Result<Option<Value>> {
    let item = draft.item(id);
    match (item.op(), item.inputs.as_slice()) {
        ("RealDiv" | "Div", [Source::Item(..) | Source::Feed(_), Source::Constant(c)]) => {
            inverse(&draft.constants[*c as usize])
        }
        _ => Ok(None),
    }
}

/// One divided by each element. Subnormal ones are left to the division: TensorFlow takes them for zero.
fn inverse(divisor: &Value) -> Result<Option<Value>> {
    if divisor.buffer().is_none_or(|b| b.len_bytes() > MAX_BYTES) {
        return Ok(None);
    }
    let shape = divisor.shape().clone();
    macro_rules! inverse_of {
        ($t:ty, $one:expr) => {{
            let all: Vec<$t> = divisor.slice::<$t>()?.iter().map(|x| $one / *x).collect();
            let is_fit = all.iter().all(|x| x.classify() != FpCategory::Subnormal);
            if is_fit {
                Some(Value::from_slice(shape, &all)?)
            } else {
                None
            }
        }};
    }
    Ok(match divisor.dtype() {
        DType::F32 => inverse_of!(f32, 1.0),
        DType::F64 => inverse_of!(f64, 1.0),
        DType::F16 => inverse_of!(f16, f16::ONE),
        DType::BF16 => inverse_of!(bf16, bf16::ONE),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_are_of_each_element() {
        let all = Value::vector(&[4.0f32, 0.0, -0.5]).unwrap();
        let made = inverse(&all).unwrap().unwrap();
        assert_eq!(made.slice::<f32>().unwrap(), [0.25, f32::INFINITY, -2.0]);
        assert!(inverse(&Value::scalar(3e38f32).unwrap()).unwrap().is_none());
        assert!(inverse(&Value::scalar(2i32).unwrap()).unwrap().is_none());
    }
}
