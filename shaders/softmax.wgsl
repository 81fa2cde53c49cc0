// Softmax, or its logarithm, of each row of x [rows, cols].
//
// Bindings: 0 x, 1 y.
// Parameters: rows, cols.
// LOG: log-softmax. LANES: invocations a row, as in lib/lanes.wgsl.
//!variant LOG 1 LANES 32
//!default LOG 0
//!include lib/index.wgsl
//!include lib/math.wgsl
//!include lib/trees.wgsl

struct Params { zero: u32, flag: u32, rows: u32, cols: u32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = linear_group(wid) * OUTS + out_of(lid);
    let begin = row * p.cols;
    // Rows behind the last take part in the barriers and have no columns.
    let cols = select(0u, p.cols, row < p.rows);
    var high = -infinity(p.zero);
    for (var c = lane_of(lid); c < cols; c += LANES) {
        high = larger(high, x[begin + c]);
    }
    high = tree_max(lid, high);
    var sum = 0.0;
    for (var c = lane_of(lid); c < cols; c += LANES) {
        sum += math_exp(x[begin + c] - high);
    }
    sum = tree_sum(lid, sum);
//!if LOG
    let scale = math_log(sum);
//!else
    let scale = 1.0 / sum;
//!end
    for (var c = lane_of(lid); c < cols; c += LANES) {
//!if LOG
        y[begin + c] = x[begin + c] - high - scale;
//!else
        y[begin + c] = math_exp(x[begin + c] - high) * scale;
//!end
    }
}
