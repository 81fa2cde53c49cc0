// Rows and columns of x [batch, height, width, channels] put together by weights: every resizing of images, and, with the
// tables transposed, its gradient. y[row, col] = the sum over i of row's taps and j of col's taps of
// weight[i] * weight[j] * x[place[i], place[j]]. Row r's taps are numbers start[r] to start[r + 1], column c's those from
// start[rows + c] to start[rows + c + 1].
//
// Bindings: 0 x, 1 start [rows + cols + 1], 2 place, 3 weight, 4 y [batch, rows, cols, channels].
// Parameters: count of y's elements, height, width, channels, rows, cols.
// COPY: each has one tap, of weight 1: elements of any 4 bytes are moved.
//!variant COPY 1
//!default COPY 0
//!include lib/index.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, height: u32, width: u32, channels: u32, rows: u32, cols: u32,
}

//!if COPY
alias T = u32;
//!else
alias T = f32;
//!end
@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> start: array<u32>;
@group(0) @binding(2) var<storage, read_write> place: array<u32>;
@group(0) @binding(3) var<storage, read_write> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let o = linear_group(wid) * 256u + lid;
    if o >= p.count {
        return;
    }
    let pixel = o / p.channels;
    let row = pixel / p.cols % p.rows;
    let col = p.rows + pixel % p.cols;
    let top = pixel / p.cols / p.rows * p.height;
    var sum = T(0);
    for (var i = start[row]; i < start[row + 1u]; i++) {
        let line = (top + place[i]) * p.width;
        for (var j = start[col]; j < start[col + 1u]; j++) {
            let value = x[(line + place[j]) * p.channels + o % p.channels];
//!if COPY
            sum = value;
//!else
            sum += weight[i] * weight[j] * value;
//!end
        }
    }
    y[o] = sum;
}
