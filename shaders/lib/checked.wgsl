// Indices that must lie within a limit: one outside is noted in `checks`, and taken to be 0.
//!include lib/indices.wgsl

fn checked_index(place: u32, limit: u32) -> u32 {
    let index = wide_index(place);
    if is_within(index, limit) {
        return index.x;
    }
    checks[4u * p.flag + 1u] = place;
    checks[4u * p.flag + 2u] = index.x;
    checks[4u * p.flag + 3u] = index.y;
    checks[4u * p.flag] = 1u;
    return 0u;
}
