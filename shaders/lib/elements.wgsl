// Results whose elements are WIDTH bytes wide: 1 (packed four to a word), 4, 8 (int64) or 16 (four floats as one).
// The shader says what element i is: `element(i) -> Unit`, the byte in the low eight bits when WIDTH is 1. It declares
// `made: array<Unit>`.
//!default WIDTH 4

//!if WIDTH == 16
alias Unit = vec4<u32>;
//!else
//!if WIDTH == 8
alias Unit = vec2<u32>;
//!else
alias Unit = u32;
//!end
//!end

// Writes what invocation i has of `count` elements: the i-th, or the i-th four bytes.
fn write_elements(i: u32, count: u32) {
//!if WIDTH == 1
    if i < (count + 3u) / 4u {
        var word = element(4u * i);
        for (var k = 1u; k < 4u; k++) {
            if 4u * i + k < count {
                word |= element(4u * i + k) << (8u * k);
            }
        }
        made[i] = word;
    }
//!else
    if i < count {
        made[i] = element(i);
    }
//!end
}

// The byte at place `at` of a word that holds it.
fn byte_of(word: u32, at: u32) -> u32 {
    return (word >> (8u * (at & 3u))) & 0xffu;
}
