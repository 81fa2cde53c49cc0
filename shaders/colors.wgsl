// Colours of pixels, three floats each. KIND 0: of red, green and blue their hue, saturation and value; 1: back again;
// 2: the hue turned by `amount`; 3: the saturation times `amount`.
//
// Bindings: 0 x, 1 y. Parameters: count pixels; amount.
//!default KIND 0
//!variant KIND 1
//!variant KIND 2
//!variant KIND 3
//!include lib/index.wgsl

struct Params { zero: u32, flag: u32, count: u32, amount: f32 }

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
var<immediate> p: Params;

fn to_hsv(c: vec3<f32>) -> vec3<f32> {
    let value = max(max(c.x, c.y), c.z);
    let range = value - min(min(c.x, c.y), c.z);
    let saturation = select(0.0, range / value, value > 0.0);
    if range <= 0.0 {
        return vec3<f32>(0.0, saturation, value);
    }
    let norm = 1.0 / (6.0 * range);
    var hue = norm * (c.x - c.y) + 4.0 / 6.0;
    if c.y == value {
        hue = norm * (c.z - c.x) + 2.0 / 6.0;
    }
    if c.x == value {
        hue = norm * (c.y - c.z);
    }
    return vec3<f32>(select(hue, hue + 1.0, hue < 0.0), saturation, value);
}

fn to_rgb(c: vec3<f32>) -> vec3<f32> {
    let sector = c.x * 6.0;
    let shares = vec3<f32>(abs(sector - 3.0) - 1.0, 2.0 - abs(sector - 2.0), 2.0 - abs(sector - 4.0));
    return ((1.0 - c.y) + c.y * clamp(shares, vec3<f32>(), vec3<f32>(1.0))) * c.z;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let i = linear_group(wid) * 256u + lid;
    if i < p.count {
        var c = vec3<f32>(x[3u * i], x[3u * i + 1u], x[3u * i + 2u]);
//!if KIND == 1
        c = to_rgb(c);
//!else
        c = to_hsv(c);
//!end
//!if KIND == 2
        let turned = c.x + p.amount;
        c = to_rgb(vec3<f32>(turned - floor(turned), c.yz));
//!end
//!if KIND == 3
        c = to_rgb(vec3<f32>(c.x, clamp(c.y * p.amount, 0.0, 1.0), c.z));
//!end
        y[3u * i] = c.x;
        y[3u * i + 1u] = c.y;
        y[3u * i + 2u] = c.z;
    }
}
