// y [batch, chunks, outputs] = a vector times a matrix: each output is a sum over k by the lanes of lib/lanes.wgsl. k may
// be cut into chunks, which a reduction adds up.
//
// Bindings: 0 vector [batch, k], 1 matrix, 2 y (or what lib/end.wgsl's place holds).
// Parameters: count = batch * chunks * outputs; outputs; k; chunks; chunk, the k of each; v_step, m_step: elements from
// a batch's vector and matrix to the next, 0 when all share one; those of lib/end.wgsl.
// STRIDED: the matrix is [k, outputs], else [outputs, k].
//!variant STRIDED 1 LANES 4
//!include lib/index.wgsl
//!include lib/trees.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, outputs: u32, k: u32, chunks: u32, chunk: u32, v_step: u32, m_step: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

@group(0) @binding(0) var<storage, read_write> vector: array<f32>;
@group(0) @binding(1) var<storage, read_write> matrix: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * OUTS + out_of(lid);
    var sum = 0.0;
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
            sum += vector[batch * p.v_step + k] * matrix[batch * p.m_step + at];
        }
    }
    sum = tree_sum(lid, sum);
    if i < p.count && lane_of(lid) == 0u {
        finish_one(i, i % p.outputs, sum);
    }
}
