//! Drops what is only waited for: a node without side effects whose outputs nobody reads, though others run after it.
//! The gradient of a placeholder, say, which `tf.gradients` ties to that of the weights. Who waited for it waits for its
//! inputs instead. TensorFlow's own optimizer does the same.

use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::ops::Run;

use super::draft::{Draft, Item, Source, Work, is_flow};

pub fn drop_unused(draft: &mut Draft) -> Result<()> {
    let mut uses = vec![0usize; draft.items.len()];
    let read = draft.order.iter().flat_map(|id| &draft.item(*id).inputs);
    for source in read.chain(&draft.fetches) {
        if let Source::Item(item, _) = source {
            uses[*item as usize] += 1;
        }
    }
    for target in &draft.targets {
        uses[*target as usize] += 1;
    }
    // Readers stand behind what they read: one walk from the end sees chains go as a whole.
    let mut is_unused = vec![false; draft.items.len()];
    for id in draft.order.clone().into_iter().rev() {
        let item = draft.item(id);
        if uses[id as usize] > 0 || !has_no_effect(draft, item) {
            continue;
        }
        is_unused[id as usize] = true;
        for from in item.inputs.iter().filter_map(|source| source.item()) {
            uses[from as usize] -= 1;
        }
        // It reads nothing any more, for what it read may go as well.
        let item = &mut draft.items[id as usize];
        let inputs = std::mem::take(&mut item.inputs);
        item.controls
            .extend(inputs.iter().filter_map(|source| source.item()));
        item.controls.sort_unstable();
        item.controls.dedup();
    }
    draft.rewrite(|_, id| Ok::<_, Error>(is_unused[id as usize].then(SmallVec::new)))
}

/// Whether nothing but its outputs says that the item ran. Items of branches and loops stay: their inputs do not say
/// whether they are alive.
fn has_no_effect(draft: &Draft, item: &Item) -> bool {
    let node = &item.node;
    let reads_reference = |source: &Source| match source {
        Source::Item(from, output) => draft.item(*from).node.outputs[*output as usize].is_ref,
        _ => false,
    };
    let Work::Op(run) = item.work;
    item.life == 0
        && item.frame == 0
        && matches!(
            run,
            Run::Kernel(_) | Run::View(_) | Run::Map(_) | Run::MapWith(_)
        )
        && !node.def.is_stateful
        && !is_flow(item.op())
        && !matches!(item.op(), "Assert" | "CheckNumerics" | "Print" | "PrintV2")
        && !item.op().starts_with("PyFunc")
        && !item.inputs.is_empty()
        && !node.outputs.is_empty()
        && !node.outputs.iter().any(|o| o.is_ref)
        && !item.inputs.iter().any(reads_reference)
}
