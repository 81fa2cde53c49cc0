// The gradient of pool.wgsl, gathered: each place of the image looks at the windows that cover it. A maximum's gradient
// goes to the first place of the window that holds it.
//
// Bindings: maximum: 0 x, 1 y, 2 dy, 3 dx; average: 0 dy, 1 dx. y and dy [batch, rows, cols, channels].
// Parameters: count of dx's elements; the rest as in pool.wgsl.
// AVERAGE: of the average, else of the maximum.
//!variant AVERAGE 1
//!default AVERAGE 0
//!include lib/index.wgsl
//!include lib/windows.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, height: u32, width: u32, channels: u32, rows: u32, cols: u32,
    window_y: u32, window_x: u32, stride_y: u32, stride_x: u32, pad_y: u32, pad_x: u32,
}

//!if AVERAGE
@group(0) @binding(0) var<storage, read_write> dy: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read_write> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
//!end
var<immediate> p: Params;

// What window (row, col) of an image gives to the place (at_y, at_x).
fn share(image: u32, row: u32, col: u32, at_y: u32, at_x: u32, channel: u32) -> f32 {
    let top = i32(row * p.stride_y) - i32(p.pad_y);
    let left = i32(col * p.stride_x) - i32(p.pad_x);
    let ys = inside(top, p.window_y, 1u, p.height);
    let xs = inside(left, p.window_x, 1u, p.width);
    let from_window = ((image * p.rows + row) * p.cols + col) * p.channels + channel;
//!if AVERAGE
    return dy[from_window] / f32((ys.end - ys.begin) * (xs.end - xs.begin));
//!else
    let most = y[from_window];
    // The first place counts whatever it holds; NaN is taken in no other.
    var best = vec2<u32>(u32(top + i32(ys.begin)), u32(left + i32(xs.begin)));
    var value = x[((image * p.height + best.x) * p.width + best.y) * p.channels + channel];
    for (var a = ys.begin; a < ys.end && value != most; a++) {
        for (var b = xs.begin; b < xs.end && value != most; b++) {
            let place = vec2<u32>(u32(top + i32(a)), u32(left + i32(b)));
            let next = x[((image * p.height + place.x) * p.width + place.y) * p.channels + channel];
            if next > value {
                value = next;
                best = place;
            }
        }
    }
    return select(0.0, dy[from_window], best.x == at_y && best.y == at_x);
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i >= p.count {
        return;
    }
    let pixel = i / p.channels;
    let at_y = pixel / p.width % p.height;
    let at_x = pixel % p.width;
    let rows = covering(at_y, p.pad_y, p.window_y, p.stride_y, p.rows);
    let cols = covering(at_x, p.pad_x, p.window_x, p.stride_x, p.cols);
    var sum = 0.0;
    for (var row = rows.begin; row < rows.end; row++) {
        for (var col = cols.begin; col < cols.end; col++) {
            sum += share(pixel / p.width / p.height, row, col, at_y, at_x, i % p.channels);
        }
    }
    dx[i] = sum;
}
