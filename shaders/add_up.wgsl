// Adds up the parts of a sum and divides: out[0] = (x[0] + ... + x[n - 1]) / divisor, in a fixed order.
// Bindings: x, out. Parameters: n, divisor.
struct Params {
    zero: u32,
    flag: u32,
    n: u32,
    divisor: f32,
}
var<immediate> p: Params;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lid: u32) {
    var sum = 0.0;
    for (var i = lid; i < p.n; i += 256u) {
        sum += x[i];
    }
    partial[lid] = sum;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (lid < half) {
            partial[lid] += partial[lid + half];
        }
        workgroupBarrier();
    }
    if (lid == 0u) {
        out[0] = partial[0] / p.divisor;
    }
}
