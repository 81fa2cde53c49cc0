//! Computes equal things once: nodes of one op, with equal attributes, inputs and control inputs. Never nodes with
//! state, random ones or such that carry references.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::error::{Error, Result};
use crate::graph::{Attrs, Node};

use super::draft::{Draft, Item, ItemId, LifeId, Source, is_flow};

#[derive(PartialEq, Eq, Hash)]
struct Key {
    op: &'static str,
    inputs: SmallVec<[Source; 3]>,
    controls: SmallVec<[ItemId; 2]>,
    life: LifeId,
    frame: u32,
}

pub fn dedupe(draft: &mut Draft) -> Result<()> {
    let mut seen: FxHashMap<Key, SmallVec<[ItemId; 1]>> = FxHashMap::default();
    draft.rewrite(|draft, id| {
        let item = draft.item(id);
        if !may_share(draft, item) {
            return Ok::<_, Error>(None);
        }
        let key = Key {
            op: item.op(),
            inputs: item.inputs.clone(),
            controls: item.controls.clone(),
            life: item.life,
            frame: item.frame,
        };
        let equals = seen.entry(key).or_default();
        let is_twin = |other: &&ItemId| same_attrs(&item.node, &draft.item(**other).node);
        if let Some(twin) = equals.iter().find(is_twin) {
            let outputs = 0..item.node.outputs.len() as u16;
            return Ok(Some(
                outputs.map(|output| Source::Item(*twin, output)).collect(),
            ));
        }
        equals.push(id);
        Ok(None)
    })
}

fn may_share(draft: &Draft, item: &Item) -> bool {
    let reads_reference = |source: &Source| match source {
        Source::Item(from, output) => draft.item(*from).node.outputs[*output as usize].is_ref,
        _ => false,
    };
    let node = &item.node;
    !node.def.is_stateful
        && !is_flow(item.op())
        && !item.op().starts_with("PyFunc")
        && !item.inputs.is_empty()
        && !node.outputs.is_empty()
        && !node.outputs.iter().any(|o| o.is_ref)
        && !item.inputs.iter().any(reads_reference)
}

/// Equal but for what TensorFlow notes for itself: colocation, shapes and other attributes with an underscore.
fn same_attrs(a: &Arc<Node>, b: &Arc<Node>) -> bool {
    let matter = |attrs: &Attrs| {
        attrs
            .iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .count()
    };
    let of_a = a.attrs.iter().filter(|(name, _)| !name.starts_with('_'));
    matter(&a.attrs) == matter(&b.attrs)
        && of_a
            .into_iter()
            .all(|(name, value)| b.attrs.get(name) == Some(value))
}
