// Sums over all positions of each channel of x, for batch normalization: with GRADIENT, sums [2, chunks, channels] of dy and
// of dy * (x - mean); else sums [chunks, channels] of (x - mean)^2. A reduction adds up the chunks.
//
// Bindings: 0 x, 1 mean [channels], (2 dy,) then sums.
// Parameters: positions; channels; inner, the elements between one channel and the next (1 when channels are last);
// chunks; chunk, the positions of each. LANES, STRIDED: lib/lanes.wgsl.
// TREE_VEC: channels are last; elements are four of them, and channels those of fours.
//!variant GRADIENT 1
//!variant GRADIENT 1 STRIDED 1 TREE_VEC 1
//!default GRADIENT 0
//!include lib/index.wgsl
//!include lib/trees.wgsl

struct Params {
    zero: u32, flag: u32, positions: u32, channels: u32, inner: u32, chunks: u32, chunk: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<Leaf>;
@group(0) @binding(1) var<storage, read_write> mean: array<Leaf>;
//!if GRADIENT
@group(0) @binding(2) var<storage, read_write> dy: array<Leaf>;
//!end
@group(0) @binding(2 + GRADIENT) var<storage, read_write> sums: array<Leaf>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let o = linear_group(wid) * OUTS + out_of(lid);
    let count = p.chunks * p.channels;
    let channel = o % p.channels;
    var first = Leaf();
    var second = Leaf();
    if o < count {
        let begin = o / p.channels * p.chunk;
        let end = min(begin + p.chunk, p.positions);
        let middle = mean[channel];
        for (var k = begin + lane_of(lid); k < end; k += LANES) {
            let i = (k / p.inner * p.channels + channel) * p.inner + k % p.inner;
            let away = x[i] - middle;
//!if GRADIENT
            first += dy[i];
            second += dy[i] * away;
//!else
            first += away * away;
//!end
        }
    }
    first = tree_sum(lid, first);
//!if GRADIENT
    second = tree_sum(lid, second);
//!end
    if o < count && lane_of(lid) == 0u {
        sums[o] = first;
//!if GRADIENT
        sums[count + o] = second;
//!end
    }
}
