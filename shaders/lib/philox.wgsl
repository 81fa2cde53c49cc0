// Philox 4x32-10 (Salmon et al., SC 2011), the same words as `src/backend/cpu/philox.rs`.

fn philox_high(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let u = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let v = (a & 0xffffu) * (b >> 16u) + (u & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (u >> 16u) + (v >> 16u);
}

// The four words of a counter under a key.
fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var x = counter;
    var k = key;
    for (var round = 0u; round < 10u; round++) {
        let a = philox_high(x.x, 0xd2511f53u);
        let b = philox_high(x.z, 0xcd9e8d57u);
        x = vec4<u32>(b ^ x.y ^ k.x, x.z * 0xcd9e8d57u, a ^ x.w ^ k.y, x.x * 0xd2511f53u);
        k += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return x;
}

// A counter moved on by `groups`, of two words.
fn philox_skip(counter: vec4<u32>, groups: vec2<u32>) -> vec4<u32> {
    var c = counter;
    c.x += groups.x;
    let carry = select(0u, 1u, c.x < groups.x);
    let y = c.y + groups.y;
    c.y = y + carry;
    if y < groups.y || c.y < y {
        c.z += 1u;
        if c.z == 0u {
            c.w += 1u;
        }
    }
    return c;
}

// A float in [0, 1), of the low 23 bits.
fn unit_float(word: u32) -> f32 {
    return bitcast<f32>(0x3f800000u | (word & 0x7fffffu)) - 1.0;
}
