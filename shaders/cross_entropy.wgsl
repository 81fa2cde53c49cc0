// Softmax cross entropy of each row of logits [rows, cols] with its labels, and the gradient by the logits.
//
// Bindings: 0 logits, 1 labels, 2 loss [rows], 3 backprop [rows, cols]; NOTED: 4 checks.
// Parameters: rows; cols; steps between rows and between columns of the logits and of the labels (0: broadcast).
// SPARSE: labels [rows] are indices (i32, or i64 with LONG); one outside [0, cols) makes its row NaN.
// NOTED: and is noted in the checks (its place, its two words).
//!variant SPARSE 1
//!variant SPARSE 1 LONG 1 NOTED 1
//!default NOTED 0
//!default SPARSE 0
//!default LONG 0
//!include lib/index.wgsl
//!include lib/math.wgsl
//!include lib/trees.wgsl

struct Params {
    zero: u32, flag: u32, rows: u32, cols: u32,
    logit_row: u32, logit_col: u32, label_row: u32, label_col: u32,
}

@group(0) @binding(0) var<storage, read_write> logits: array<f32>;
//!if SPARSE
@group(0) @binding(1) var<storage, read_write> labels: array<u32>;
//!else
@group(0) @binding(1) var<storage, read_write> labels: array<f32>;
//!end
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> backprop: array<f32>;
//!if NOTED
@group(0) @binding(4) var<storage, read_write> checks: array<u32>;
//!end
var<immediate> p: Params;

fn logit(row: u32, col: u32) -> f32 {
    return logits[row * p.logit_row + col * p.logit_col];
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let row = linear_group(wid) * OUTS + out_of(lid);
    let lane = lane_of(lid);
    let cols = select(0u, p.cols, row < p.rows);
    var high = -infinity(p.zero);
    for (var c = lane; c < cols; c += LANES) {
        high = larger(high, logit(row, c));
    }
    high = tree_max(lid, high);
    var sum = 0.0;
    for (var c = lane; c < cols; c += LANES) {
        sum += math_exp(logit(row, c) - high);
    }
    sum = tree_sum(lid, sum);
    let log_sum = math_log(sum);
//!if SPARSE
    var wanted = 0u;
    if row < p.rows {
    //!if LONG
        wanted = select(labels[2u * row], p.cols, labels[2u * row + 1u] != 0u);
    //!else
        wanted = labels[row];
    //!end
        if wanted < cols && lane == 0u {
            loss[row] = log_sum - (logit(row, wanted) - high);
        }
        if wanted >= cols && lane == 0u {
            loss[row] = not_a_number(p.zero);
    //!if NOTED
            checks[4u * p.flag + 1u] = row;
        //!if LONG
            checks[4u * p.flag + 2u] = labels[2u * row];
            checks[4u * p.flag + 3u] = labels[2u * row + 1u];
        //!else
            checks[4u * p.flag + 2u] = wanted;
            checks[4u * p.flag + 3u] = 0u - (wanted >> 31u);
        //!end
            checks[4u * p.flag] = 1u;
    //!end
        }
    }
//!else
    var total = 0.0;
    for (var c = lane; c < cols; c += LANES) {
        total += labels[row * p.label_row + c * p.label_col] * (log_sum - (logit(row, c) - high));
    }
    total = tree_sum(lid, total);
    if lane == 0u && row < p.rows {
        loss[row] = total;
    }
//!end
    for (var c = lane; c < cols; c += LANES) {
        let probability = math_exp(logit(row, c) - high) / sum;
//!if SPARSE
        let slope = probability - select(0.0, 1.0, c == wanted);
        backprop[row * p.cols + c] = select(slope, not_a_number(p.zero), wanted >= cols);
//!else
        backprop[row * p.cols + c] = probability - labels[row * p.label_row + c * p.label_col];
//!end
    }
}
