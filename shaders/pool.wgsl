// Maximum or average of windows over x [batch, height, width, channels]; an average counts what lies inside. Maxima pass
// NaN over and are at least the lowest finite float, as TensorFlow's are.
//
// Bindings: 0 x, 1 y [batch, rows, cols, channels], with PLACES 2 places.
// Parameters: count of y's elements; sizes; the window, its stride and the padding before (lib/windows.wgsl).
// AVERAGE: the average, else the maximum. PLACES: where the maximum is found first, in words of each place (1 or 2), as
// an index into its image, or with `batched` into all of x; the maximum is then the first that no later one exceeds.
// VEC: elements are four neighbours, and count and channels those of fours; not with PLACES.
//!variant AVERAGE 1
//!variant AVERAGE 1 VEC 1
//!variant VEC 1
//!variant PLACES 2
//!default AVERAGE 0
//!default PLACES 0
//!default VEC 0
//!include lib/index.wgsl
//!include lib/bits.wgsl
//!include lib/windows.wgsl

struct Params {
    zero: u32, flag: u32, count: u32, height: u32, width: u32, channels: u32, rows: u32, cols: u32,
    window_y: u32, window_x: u32, stride_y: u32, stride_x: u32, pad_y: u32, pad_x: u32, batched: u32,
}

//!if VEC
alias T = vec4<f32>;
//!else
alias T = f32;
//!end
@group(0) @binding(0) var<storage, read_write> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
//!if PLACES
@group(0) @binding(2) var<storage, read_write> places: array<u32>;
//!end
var<immediate> p: Params;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i >= p.count {
        return;
    }
    let pixel = i / p.channels;
    let image = pixel / p.cols / p.rows;
    let top = i32(pixel / p.cols % p.rows * p.stride_y) - i32(p.pad_y);
    let left = i32(pixel % p.cols * p.stride_x) - i32(p.pad_x);
    let ys = inside(top, p.window_y, 1u, p.height);
    let xs = inside(left, p.window_x, 1u, p.width);
//!if AVERAGE
    var value = T();
//!else
    var value = T(bitcast<f32>(0xff7fffffu));
    var is_first = true;
    var found = 0u;
//!end
    for (var a = ys.begin; a < ys.end; a++) {
        for (var b = xs.begin; b < xs.end; b++) {
            let row = image * p.height + u32(top + i32(a));
            let at = (row * p.width + u32(left + i32(b))) * p.channels + i % p.channels;
            let next = x[at];
//!if AVERAGE
            value += next;
//!else
//!if PLACES
            if is_first || next > value {
                value = next;
                found = at;
            }
            is_first = false;
//!else
            value = select(value, next, next > value);
//!end
//!end
        }
    }
//!if AVERAGE
    y[i] = value / f32((ys.end - ys.begin) * (xs.end - xs.begin));
//!else
    y[i] = value;
//!if PLACES
    let image_size = p.height * p.width * p.channels;
    places[i * PLACES] = select(found % image_size, found, p.batched == 1u);
//!if PLACES == 2
    places[i * PLACES + 1u] = 0u;
//!end
//!end
//!end
}
