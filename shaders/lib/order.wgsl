// Numbers as words that are in the same order. WHOLE: int32, else float32, where both zeros are one and NaN is `of_nan`.
//!default WHOLE 0

fn ordered(bits: u32, of_nan: u32) -> u32 {
//!if WHOLE
    return bits ^ 0x80000000u;
//!else
    if (bits & 0x7fffffffu) > 0x7f800000u {
        return of_nan;
    }
    let key = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
    return select(key, 0x80000000u, (bits & 0x7fffffffu) == 0u);
//!end
}
