//! Drops the nodes that hand a value on as it is. Reading a reference variable is not one of them: it says when.

use smallvec::{SmallVec, smallvec};

use crate::error::{Error, Result};

use super::draft::{Draft, ItemId, Source};

/// Ops whose output is their first input.
fn hands_on(op: &str) -> bool {
    matches!(
        op,
        "Identity" | "StopGradient" | "PreventGradient" | "Snapshot" | "PlaceholderWithDefault"
    )
}

pub fn drop_identities(draft: &mut Draft) -> Result<()> {
    draft.rewrite(|draft, id| Ok::<_, Error>(input_of(draft, id)))
}

fn input_of(draft: &mut Draft, id: ItemId) -> Option<SmallVec<[Source; 2]>> {
    let item = draft.item(id);
    if !hands_on(item.op()) || item.inputs.len() != 1 {
        return None;
    }
    let source = item.inputs[0];
    match source {
        Source::Item(from, output) => {
            let from = draft.item(from);
            // Of another life: it says which side of a Switch runs, and others may wait for it.
            if from.life != item.life || from.node.outputs[output as usize].is_ref {
                return None;
            }
        }
        Source::Feed(_) | Source::Constant(_) if item.life != 0 || item.frame != 0 => return None,
        Source::Feed(_) | Source::Constant(_) => {}
    }
    Some(smallvec![source])
}
