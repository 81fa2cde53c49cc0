// The gradient of pool.wgsl, gathered: each place of the image looks at the windows that cover it. A maximum's gradient
// goes to the first place of the window that holds it.
//
// Bindings: maximum: 0 x, 1 y, 2 dy, 3 dx; average: 0 dy, 1 dx. y and dy [batch, rows, cols, channels]. (Or, for dx, what
// lib/end.wgsl's place holds.)
// Parameters: count of dx's elements; the rest as in pool.wgsl; those of lib/end.wgsl.
// AVERAGE: of the average, else of the maximum; END is then 1. C_VEC: elements are four neighbours, and count and
// channels those of fours.
//!variant AVERAGE 1 END 1
//!variant C_VEC 1
//!variant AVERAGE 1 END 1 C_VEC 1
//!default AVERAGE 0
//!default END 3
//!include lib/index.wgsl
//!include lib/windows.wgsl
//!include lib/end.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, height: u32, width: u32, channels: u32, rows: u32, cols: u32,
    window_y: u32, window_x: u32, stride_y: u32, stride_x: u32, pad_y: u32, pad_x: u32,
    end0: u32, end1: u32, end2: u32, end3: u32,
}

//!if C_VEC
alias T = vec4<f32>;
alias Place = vec4<u32>;
//!else
alias T = f32;
alias Place = u32;
//!end
//!if AVERAGE
@group(0) @binding(0) var<storage, read_write> dy: array<T>;
//!else
@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<storage, read_write> dy: array<T>;
//!end
var<immediate> p: Params;

fn place_of(y: u32, x: u32) -> u32 {
    return y * p.width + x;
}

fn is_below(value: T, most: T) -> bool {
//!if C_VEC
    return any(value < most);
//!else
    return value < most;
//!end
}

// What window (row, col) of an image gives to the place (at_y, at_x).
fn share(image: u32, row: u32, col: u32, at_y: u32, at_x: u32, channel: u32) -> T {
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
    let first = place_of(u32(top + i32(ys.begin)), u32(left + i32(xs.begin)));
    let begin = image * p.height * p.width;
    var best = Place(first);
    var value = x[(begin + first) * p.channels + channel];
    for (var a = ys.begin; a < ys.end && is_below(value, most); a++) {
        for (var b = xs.begin; b < xs.end && is_below(value, most); b++) {
            let place = place_of(u32(top + i32(a)), u32(left + i32(b)));
            let next = x[(begin + place) * p.channels + channel];
            best = select(best, Place(place), next > value);
            value = select(value, next, next > value);
        }
    }
    return select(T(), dy[from_window], best == Place(place_of(at_y, at_x)));
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
    var sum = T();
    for (var row = rows.begin; row < rows.end; row++) {
        for (var col = cols.begin; col < cols.end; col++) {
            sum += share(pixel / p.width / p.height, row, col, at_y, at_x, i % p.channels);
        }
    }
//!if C_VEC
    finish(4u * i, i % p.channels * 4u, p.channels * 4u, sum);
//!else
    finish_one(i, i % p.channels, sum);
//!end
}
