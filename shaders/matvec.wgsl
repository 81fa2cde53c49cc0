// y [batch, chunks, outputs] = a vector times a matrix: each output is a sum over k by the lanes of lib/lanes.wgsl. k may
// be cut into chunks, which a reduction adds up.
//
// Bindings: 0 vector [batch, k], 1 matrix, 2 y (or what lib/end.wgsl's place holds).
// Parameters: count = batch * chunks * outputs; outputs; k; chunks; chunk, the k of each; v_step, m_step: elements from
// a batch's vector and matrix to the next, 0 when all share one; those of lib/end.wgsl.
// STRIDED: the matrix is [k, outputs], else [outputs, k]. FOURS: elements that lie side by side go by fours: with STRIDED
// outputs (count, outputs and m_step are those of fours; TREE_VEC and C_VEC are given too), else k (k, chunk and the steps).
//!variant STRIDED 1 LANES 4
//!variant STRIDED 1 LANES 4 FOURS 1 TREE_VEC 1 C_VEC 1
//!variant FOURS 1
//!default FOURS 0
//!include lib/index.wgsl
//!include lib/trees.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, outputs: u32, k: u32, chunks: u32, chunk: u32, v_step: u32, m_step: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if FOURS
alias Side = vec4<f32>;
//!else
alias Side = f32;
//!end
//!if STRIDED
@group(0) @binding(0) var<storage, read_write> vector: array<f32>;
//!else
@group(0) @binding(0) var<storage, read_write> vector: array<Side>;
//!end
@group(0) @binding(1) var<storage, read_write> matrix: array<Side>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * OUTS + out_of(lid);
    var sums = Side();
    if i < p.count {
        let rest = i / p.outputs;
        let batch = rest / p.chunks;
        let begin = rest % p.chunks * p.chunk;
        let end = min(begin + p.chunk, p.k);
        for (var k = begin + lane_of(lid); k < end; k += LANES) {
//!if STRIDED
            let at = k * p.outputs + i % p.outputs;
//!else
            let at = i % p.outputs * p.k + k;
//!end
            sums += vector[batch * p.v_step + k] * matrix[batch * p.m_step + at];
        }
    }
//!if STRIDED
    let sum = tree_sum(lid, sums);
//!else
//!if FOURS
    let sum = tree_sum(lid, (sums.x + sums.y) + (sums.z + sums.w));
//!else
    let sum = tree_sum(lid, sums);
//!end
//!end
    if i < p.count && lane_of(lid) == 0u {
//!if C_VEC
        finish(4u * i, i % p.outputs * 4u, p.outputs * 4u, sum);
//!else
        finish_one(i, i % p.outputs, sum);
//!end
    }
}
