// One step of an optimizer in place, as `src/ops/training/rules.rs` has it, for each element of a variable and its slots.
// RULE numbers the rules in that file's order; STATES counts the variable and its slots; FLAG: use_nesterov, update_slots.
// SPARSE: the gradient has a row for each of `rows`, which are different rows of the variable.
//
// MEMBERS: so many variables are updated at once; with SPARSE, one. Workgroups go to them in their order.
//
// Bindings: of each member the variable and its slots, then its gradient; then with SPARSE the rows.
// Parameters: h0..h5, the rule's numbers; block, elements of a row; of each member the elements of its gradient.
//!default RULE 16
//!default STATES 3
//!default FLAG 0
//!default SPARSE 0
//!default MEMBERS 1
//!variant RULE 0 STATES 1
//!variant RULE 1 STATES 2 FLAG 1 SPARSE 1
//!variant RULE 2 STATES 2 FLAG 1
//!variant RULE 3 STATES 2 FLAG 1
//!variant RULE 4 STATES 2 FLAG 1
//!variant RULE 5 STATES 3
//!variant RULE 6 STATES 3
//!variant RULE 7 STATES 3
//!variant RULE 8 STATES 4
//!variant RULE 9 STATES 3
//!variant RULE 10 STATES 3
//!variant RULE 11 STATES 1
//!variant RULE 12 STATES 2
//!variant RULE 13 STATES 3
//!variant RULE 14 STATES 2
//!variant RULE 15 STATES 2
//!variant RULE 16 STATES 3 FLAG 1 SPARSE 1
//!variant RULE 16 STATES 3 MEMBERS 4
//!variant RULE 0 STATES 1 MEMBERS 8
//!include lib/index.wgsl
//!include lib/rules.wgsl

struct Params {
    zero: u32, flag: u32, h0: f32, h1: f32, h2: f32, h3: f32, h4: f32, h5: f32, block: u32,
//!for m in 0..MEMBERS
    count$m: u32,
//!end
}

//!for m in 0..MEMBERS
//!for i in 0..STATES
@group(0) @binding($m * (STATES + 1u) + $i) var<storage, read_write> state$m_$i: array<f32>;
//!end
@group(0) @binding($m * (STATES + 1u) + STATES) var<storage, read_write> gradient$m: array<f32>;
//!end
//!if SPARSE
@group(0) @binding(STATES + 1u) var<storage, read_write> rows: array<u32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    // Among the groups of the member; beyond them it is the next one's, and far above all others' afterwards.
    var group = linear_group(wid);
//!for m in 0..MEMBERS
    let i$m = group * 256u + lid;
    let groups$m = (p.count$m + 255u) / 256u;
    if group < groups$m && i$m < p.count$m {
//!if SPARSE
        let at = rows[i$m / p.block] * p.block + i$m % p.block;
//!else
        let at = i$m;
//!end
        var s = vec4<f32>();
//!for i in 0..STATES
        s[$i] = state$m_$i[at];
//!end
        s = step(s, gradient$m[i$m]);
//!for i in 0..STATES
        state$m_$i[at] = s[$i];
//!end
    }
    group -= groups$m;
//!end
}
