//! Tensors as arrays: where they come from, how they are cut, joined and rearranged.

pub(super) mod cast;
pub(super) mod choose;
pub(super) mod concat;
pub(super) mod constant;
pub(super) mod gather;
pub(super) mod gpu;
pub(super) mod identity;
pub(super) mod largest;
pub(super) mod order;
pub(super) mod permute;
pub(super) mod pick;
pub(super) mod rows;
pub(super) mod scatter;
pub(super) mod search;
pub(super) mod segments;
pub(super) mod slice;
pub(super) mod spaces;
pub(super) mod split;
pub(super) mod stitch;
mod strided;
pub(super) mod strided_assign;
pub(super) mod turned;
