// Running sums (or, with PRODUCT, products) along an axis: one workgroup a line, 256 places at a time. Types: float32, or
// with WHOLE int32.
//
// Bindings: 0 given, 1 made. Workgroups: lines.
// Parameters: lines; length of a line; inner, the step along it; reverse: from the end; exclusive: without the own element.
//!default PRODUCT 0
//!default WHOLE 0
//!variant PRODUCT 1
//!variant WHOLE 1
//!variant WHOLE 1 PRODUCT 1
//!include lib/index.wgsl

//!if WHOLE
alias Number = i32;
//!else
alias Number = f32;
//!end

struct Params { zero: u32, flag: u32, lines: u32, length: u32, inner: u32, reverse: u32, exclusive: u32 }

@group(0) @binding(0) var<storage, read_write> given: array<Number>;
@group(0) @binding(1) var<storage, read_write> made: array<Number>;
var<immediate> p: Params;

var<workgroup> part: array<Number, 256>;

fn join(a: Number, b: Number) -> Number {
//!if PRODUCT
    return a * b;
//!else
    return a + b;
//!end
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
    let line = linear_group(wid);
    let start = line / p.inner * p.inner * p.length + line % p.inner;
    let none = Number(PRODUCT);
    var before = none;
    for (var done = 0u; done < p.length; done += 256u) {
        let k = done + lid;
        let is_there = line < p.lines && k < p.length;
        let at = start + select(k, p.length - 1u - k, p.reverse == 1u) * p.inner;
        var own = none;
        if is_there {
            own = given[at];
        }
        part[lid] = own;
        workgroupBarrier();
        for (var step = 1u; step < 256u; step *= 2u) {
            var other = none;
            if lid >= step {
                other = part[lid - step];
            }
            workgroupBarrier();
            part[lid] = join(other, part[lid]);
            workgroupBarrier();
        }
        var sum = part[lid];
        if p.exclusive == 1u {
            sum = none;
            if lid > 0u {
                sum = part[lid - 1u];
            }
        }
        if is_there {
            made[at] = join(before, sum);
        }
        before = join(before, part[255]);
        workgroupBarrier();
    }
}
