// Depthwise convolution: channel c of x [batch, height, width, channels] with its `multiplier` filters of
// weights [window_y, window_x, channels, multiplier], into channels c * multiplier on of y [batch, rows, cols, outs].
// PART 0: y. PART 1: dx, the gradient by x: each place gathers from the windows that cover it. PART 2: the gradient by
// the weights, dw [chunks, window_y, window_x, outs], summed over positions by lanes; a reduction adds up the chunks.
//
// Bindings: PART 0: 0 x, 1 weights, 2 y. PART 1: 0 dy, 1 weights, 2 dx. PART 2: 0 x, 1 dy, 2 dw. (Or, for 2,
// what lib/end.wgsl's place holds.)
// Parameters: count of elements computed; sizes; the window, its stride, dilation and the padding before
// (lib/windows.wgsl); chunk, positions of a chunk; positions = batch * rows * cols; those of
// lib/end.wgsl.
// LANES: of an output of PART 2; outs = channels * multiplier.
//!variant PART 1
//!variant PART 2
//!default PART 0
//!default STRIDED 1
//!default LANES 4
//!include lib/index.wgsl
//!include lib/windows.wgsl
//!include lib/end.wgsl
//!include lib/trees.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, height: u32, width: u32, channels: u32, multiplier: u32, rows: u32, cols: u32,
    window_y: u32, window_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
    pad_y: u32, pad_x: u32, chunk: u32, positions: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

@group(0) @binding(0) var<storage, read_write> first: array<f32>;
@group(0) @binding(1) var<storage, read_write> second: array<f32>;
var<immediate> p: Params;

//!if PART == 0
fn value(i: u32) -> f32 {
    let outs = p.channels * p.multiplier;
    let pixel = i / outs;
    let top = i32(pixel / p.cols % p.rows * p.stride_y) - i32(p.pad_y);
    let left = i32(pixel % p.cols * p.stride_x) - i32(p.pad_x);
    let ys = inside(top, p.window_y, p.dilation_y, p.height);
    let xs = inside(left, p.window_x, p.dilation_x, p.width);
    var sum = 0.0;
    for (var a = ys.begin; a < ys.end; a++) {
        let row = pixel / p.cols / p.rows * p.height + u32(top + i32(a * p.dilation_y));
        for (var b = xs.begin; b < xs.end; b++) {
            let col = u32(left + i32(b * p.dilation_x));
            let x = first[(row * p.width + col) * p.channels + i % outs / p.multiplier];
            sum += x * second[(a * p.window_x + b) * outs + i % outs];
        }
    }
    return sum;
}
//!end
//!if PART == 1
fn value(i: u32) -> f32 {
    let outs = p.channels * p.multiplier;
    let pixel = i / p.channels;
    let channel = i % p.channels * p.multiplier;
    var sum = 0.0;
    for (var a = 0u; a < p.window_y; a++) {
        let down = pixel / p.width % p.height + p.pad_y - a * p.dilation_y;
        // What is above the first window is large as an unsigned number.
        if down % p.stride_y != 0u || down / p.stride_y >= p.rows || down > 0x7fffffffu {
            continue;
        }
        let row = pixel / p.width / p.height * p.rows + down / p.stride_y;
        for (var b = 0u; b < p.window_x; b++) {
            let right = pixel % p.width + p.pad_x - b * p.dilation_x;
            if right % p.stride_x != 0u || right / p.stride_x >= p.cols || right > 0x7fffffffu {
                continue;
            }
            let dy = (row * p.cols + right / p.stride_x) * outs + channel;
            let weight = (a * p.window_x + b) * outs + channel;
            for (var q = 0u; q < p.multiplier; q++) {
                sum += first[dy + q] * second[weight + q];
            }
        }
    }
    return sum;
}
//!end

//!if PART == 2
// x seen by tap `tap` of the window at `position`.
fn seen(position: u32, tap: u32, channel: u32) -> f32 {
    let row = position / p.cols;
    let y = row % p.rows * p.stride_y + tap / p.window_x * p.dilation_y - p.pad_y;
    let x = position % p.cols * p.stride_x + tap % p.window_x * p.dilation_x - p.pad_x;
    var value = 0.0;
    if y < p.height && x < p.width {
        value = first[((row / p.rows * p.height + y) * p.width + x) * p.channels + channel];
    }
    return value;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * OUTS + out_of(lid);
    let outs = p.channels * p.multiplier;
    let taps = p.window_y * p.window_x;
    var sum = 0.0;
    if i < p.count {
        let begin = i / outs / taps * p.chunk;
        let end = min(begin + p.chunk, p.positions);
        for (var k = begin + lane_of(lid); k < end; k += LANES) {
            sum += seen(k, i / outs % taps, i % outs / p.multiplier) * second[k * outs + i % outs];
        }
    }
    sum = tree_sum(lid, sum);
    if i < p.count && lane_of(lid) == 0u {
        finish_one(i, i % outs, sum);
    }
}
//!else
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
//!if PART == 0
        finish_one(i, i % (p.channels * p.multiplier), value(i));
//!else
        finish_one(i, i % p.channels, value(i));
//!end
    }
}
//!end
