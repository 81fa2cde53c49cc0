//! Computes what depends on constants alone, once for all runs, by the kernels that a run would use.

use std::panic::{AssertUnwindSafe, catch_unwind};

use smallvec::{SmallVec, smallvec};

use crate::error::{Error, Result};
use crate::graph::Node;
use crate::ops::map::run_once;
use crate::ops::{Run, run_kernel};
use crate::value::{DType, Value};

use super::draft::{Draft, Item, ItemId, Source, Work};

/// Results larger than this are computed in every run: they would make plans heavy (TensorFlow's limit).
const MAX_BYTES: usize = 10 << 20;

/// Removes the items whose outputs are known.
pub fn fold(draft: &mut Draft) -> Result<()> {
    draft.rewrite(|draft, id| Ok::<_, Error>(fold_item(draft, id)))?;
    use_constants_where_alive(draft);
    Ok(())
}

fn fold_item(draft: &mut Draft, id: ItemId) -> Option<SmallVec<[Source; 2]>> {
    let item = draft.item(id);
    if item.life != 0 || item.frame != 0 {
        return None;
    }
    if item.op() == "Const" {
        let value = item.node.attrs.tensor("value").ok()?.clone();
        return Some(smallvec![draft.constant(value)]);
    }
    let values = evaluate(draft, item)?;
    Some(
        values
            .into_iter()
            .map(|value| draft.constant(value))
            .collect(),
    )
}

/// The outputs of an item, when its inputs are constants. A failure is left for the run to meet.
fn evaluate(draft: &Draft, item: &Item) -> Option<Vec<Value>> {
    if !may_fold(&item.node) {
        return None;
    }
    let mut inputs = Vec::with_capacity(item.inputs.len());
    for input in &item.inputs {
        let Source::Constant(c) = input else {
            return None;
        };
        inputs.push(draft.constants[*c as usize].clone());
    }
    if item.inputs.is_empty() {
        return None;
    }
    let Work::Op(run) = item.work;
    let compute = || match run {
        Run::Kernel(kernel) | Run::View(kernel) | Run::Host(kernel) => {
            run_kernel(kernel, item.id, &item.node, inputs).ok()
        }
        Run::Map(_) | Run::MapWith(_) => run_once(&item.node, &run, &inputs).ok(),
        Run::None | Run::ControlFlow => None,
    };
    let outputs = catch_unwind(AssertUnwindSafe(compute)).ok().flatten()?;
    let bytes: usize = outputs
        .iter()
        .filter_map(Value::buffer)
        .map(|b| b.len_bytes())
        .sum();
    (bytes <= MAX_BYTES).then_some(outputs)
}

/// Whether the node's outputs depend on nothing but its inputs.
pub fn may_fold(node: &Node) -> bool {
    let is_plain = |dtype: DType| !matches!(dtype, DType::Resource | DType::Variant);
    !node.def.is_stateful
        && !node.op().starts_with("PyFunc")
        && !node.op().starts_with("Placeholder")
        && !node.outputs.is_empty()
        && node.outputs.iter().all(|o| is_plain(o.dtype) && !o.is_ref)
}

/// A Const in a branch or a loop is there only when its branch runs. Where another input of its consumer says as much,
/// the constant can be read directly; the item stays for those that need to know.
fn use_constants_where_alive(draft: &mut Draft) {
    for at in 0..draft.order.len() {
        let id = draft.order[at];
        for i in 0..draft.item(id).inputs.len() {
            let Source::Item(from, 0) = draft.item(id).inputs[i] else {
                continue;
            };
            let constant = draft.item(from);
            if constant.op() != "Const" || !is_alive_anyway(draft, id, i, from) {
                continue;
            }
            let Ok(value) = constant.node.attrs.tensor("value").cloned() else {
                continue;
            };
            let controls = constant.controls.clone();
            let source = draft.constant(value);
            let item = &mut draft.items[id as usize];
            item.inputs[i] = source;
            item.controls.extend(controls);
            item.controls.sort_unstable();
            item.controls.dedup();
        }
    }
}

fn is_alive_anyway(draft: &Draft, id: ItemId, input: usize, constant: ItemId) -> bool {
    let item = draft.item(id);
    if super::draft::is_flow(item.op()) {
        return false;
    }
    item.inputs.iter().enumerate().any(|(i, source)| {
        i != input
            && source
                .item()
                .is_some_and(|from| draft.item(from).op() != "Const")
            && draft
                .lives
                .source_implies(draft, *source, draft.item(constant).life)
    })
}
