// Indices of INDEX_WIDTH 4 or 8 bytes (or 1: uint8) in `indices: array<Index>`.
//!default INDEX_WIDTH 4

//!if INDEX_WIDTH == 8
alias Index = vec2<u32>;
//!else
alias Index = u32;
//!end

// The two words of the index at `place`.
fn wide_index(place: u32) -> vec2<u32> {
//!if INDEX_WIDTH == 8
    return indices[place];
//!else
//!if INDEX_WIDTH == 1
    return vec2<u32>((indices[place >> 2u] >> (8u * (place & 3u))) & 0xffu, 0u);
//!else
    let low = indices[place];
    return vec2<u32>(low, 0u - (low >> 31u));
//!end
//!end
}

// Whether an index lies in 0..limit.
fn is_within(index: vec2<u32>, limit: u32) -> bool {
    return index.y == 0u && index.x < limit;
}
