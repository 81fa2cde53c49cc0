//! Drops what is there only for the case that shapes differ, where in no run they do: the gradient of a broadcast sums
//! along the axes that were repeated and reshapes; where nothing was repeated, the gradient is handed on as it is. Then
//! elementwise steps meet that the sums kept apart.

mod sizes;

use smallvec::{SmallVec, smallvec};

use crate::error::{Error, Result};
use crate::graph::Graph;
use crate::ops::Run;
use crate::value::{DType, Value};

use super::draft::{Draft, Item, ItemId, Source, Work, is_flow};
use sizes::{Shapes, is_number};

pub fn drop_needless(draft: &mut Draft, graph: &Graph) -> Result<()> {
    let mut shapes = Shapes::default();
    draft.rewrite(|draft, id| {
        shapes.visit(draft, graph, id);
        Ok::<_, Error>(instead(draft, &shapes, id))
    })
}

/// What stands for an item that changes nothing, or whose value is known.
fn instead(draft: &mut Draft, shapes: &Shapes, id: ItemId) -> Option<SmallVec<[Source; 2]>> {
    let item = draft.item(id);
    match item.op() {
        "Reshape" => reshaped(draft, shapes, item).map(|source| smallvec![source]),
        "Shape" if item.life == 0 && item.frame == 0 => {
            let sizes = shapes.value(Source::Item(id, 0))?;
            if !sizes.iter().all(|size| is_number(*size)) {
                return None;
            }
            let value = match item.node.outputs[0].dtype {
                DType::I32 => {
                    let narrow = sizes.iter().map(|s| i32::try_from(*s).ok());
                    Value::vector(&narrow.collect::<Option<Vec<i32>>>()?).ok()?
                }
                _ => Value::vector(sizes).ok()?,
            };
            Some(smallvec![draft.constant(value)])
        }
        _ => None,
    }
}

/// The tensor that a Reshape gives as it is: its input, or what was summed along axes of one element before.
fn reshaped(draft: &Draft, shapes: &Shapes, item: &Item) -> Option<Source> {
    let wanted = shapes.value(*item.inputs.get(1)?)?;
    let input = *item.inputs.first()?;
    let fits = |source: Source| shapes.shape(source) == Some(wanted);
    if fits(input) && is_there(draft, input, item) {
        return Some(input);
    }
    let Source::Item(sum, 0) = input else {
        return None;
    };
    let sum = draft.item(sum);
    if sum.op() != "Sum" || sum.life != item.life || !is_of_broadcast(draft, sum) {
        return None;
    }
    let summed = *sum.inputs.first()?;
    // A sum lies in memory of its own: so must what stands for it.
    (fits(summed) && is_there(draft, summed, item) && is_made(draft, summed)).then_some(summed)
}

/// Whether the axes are those along which a shape was repeated: they are in range.
fn is_of_broadcast(draft: &Draft, sum: &Item) -> bool {
    match sum.inputs.get(1) {
        Some(Source::Item(axes, _)) => draft.item(*axes).op() == "BroadcastGradientArgs",
        Some(Source::Constant(_)) => true,
        _ => false,
    }
}

/// Whether a source may stand for the item's output: it is alive when the item is.
fn is_there(draft: &Draft, source: Source, item: &Item) -> bool {
    match source {
        Source::Item(from, output) => {
            let from = draft.item(from);
            let is_ref = from.node.outputs[output as usize].is_ref;
            from.life == item.life && from.frame == item.frame && !is_ref
        }
        Source::Feed(_) | Source::Constant(_) => item.life == 0 && item.frame == 0,
    }
}

/// Whether a kernel or a formula made it: it does not lie in the memory of a variable.
fn is_made(draft: &Draft, source: Source) -> bool {
    let Some(from) = source.item() else {
        return true;
    };
    let from = draft.item(from);
    let Work::Op(run) = from.work;
    matches!(run, Run::Kernel(_) | Run::Map(_) | Run::MapWith(_)) && !is_flow(from.op())
}

#[cfg(test)]
mod tests;
