// Pairs (key, place) put in order of their keys, equal keys as they came: a digit of eight bits at a time, the lowest
// first. A workgroup takes `tiles` tiles of 256 pairs that follow each other. Nothing depends on which lane is faster.
//
// MODE 0 counts: 0 pairs, 1 counts [groups, 256], the pairs of each digit in each workgroup's tiles.
// MODE 1 moves: 0 pairs, 1 counts, 2 made; a workgroup's pairs go behind those of earlier workgroups.
// MODE 2 does all digits by one workgroup: 0 pairs, 1 other; what is made lies in `other` after an odd number of digits.
// Parameters: count of pairs; tiles; groups; shift of the digit (MODE 2: how many digits).
//!default MODE 1
//!variant MODE 0
//!variant MODE 2

struct Params { zero: u32, flag: u32, count: u32, tiles: u32, groups: u32, shift: u32 }

@group(0) @binding(0) var<storage, read_write> pairs: array<vec2<u32>>;
//!if MODE == 2
@group(0) @binding(1) var<storage, read_write> other: array<vec2<u32>>;
//!else
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;
//!end
//!if MODE == 1
@group(0) @binding(2) var<storage, read_write> made: array<vec2<u32>>;
//!end
var<immediate> p: Params;

// For each digit the lanes of a tile that have it, 32 to a word: word w of digit d is marks[256 w + d].
var<workgroup> marks: array<atomic<u32>, 2048>;
// Where the next pair of each digit goes.
var<workgroup> next: array<u32, 256>;

fn clear_marks(digit: u32) {
//!for w in 0..8
    atomicStore(&marks[256u * $wu + digit], 0u);
//!end
}

fn marked(digit: u32) -> u32 {
    var sum = 0u;
//!for w in 0..8
    sum += countOneBits(atomicLoad(&marks[256u * $wu + digit]));
//!end
    return sum;
}

// The lanes before this one that have the digit too.
fn marked_before(lane: u32, digit: u32) -> u32 {
    let word = lane >> 5u;
    var sum = countOneBits(atomicLoad(&marks[256u * word + digit]) & ((1u << (lane & 31u)) - 1u));
    for (var w = 0u; w < word; w++) {
        sum += countOneBits(atomicLoad(&marks[256u * w + digit]));
    }
    return sum;
}

// next[d] = start + the pairs of all lower digits, where this lane's digit has `all`.
fn set_starts(lane: u32, all: u32, start: u32) {
    next[lane] = all;
    for (var step = 1u; step < 256u; step *= 2u) {
        workgroupBarrier();
        var before = 0u;
        if lane >= step {
            before = next[lane - step];
        }
        workgroupBarrier();
        next[lane] += before;
    }
    next[lane] += start - all;
}

//!if MODE == 2
fn load(i: u32, turn: u32) -> vec2<u32> {
    if (turn & 1u) == 0u {
        return pairs[i];
    }
    return other[i];
}

fn store(i: u32, turn: u32, pair: vec2<u32>) {
    if (turn & 1u) == 0u {
        other[i] = pair;
    } else {
        pairs[i] = pair;
    }
}
//!else
fn load(i: u32, turn: u32) -> vec2<u32> {
    return pairs[i];
}

//!if MODE == 1
fn store(i: u32, turn: u32, pair: vec2<u32>) {
    made[i] = pair;
}
//!end
//!end

// How many pairs of the tiles have the digit that is this lane's.
fn count_tiles(lane: u32, first: u32, turn: u32, shift: u32) -> u32 {
    clear_marks(lane);
    workgroupBarrier();
    for (var t = 0u; t < p.tiles; t++) {
        let i = (first + t) * 256u + lane;
        if i < p.count {
            atomicAdd(&marks[(load(i, turn).x >> shift) & 255u], 1u);
        }
    }
    workgroupBarrier();
    let count = atomicLoad(&marks[lane]);
    workgroupBarrier();
    return count;
}

//!if MODE
fn move_tiles(lane: u32, first: u32, turn: u32, shift: u32) {
    for (var t = 0u; t < p.tiles; t++) {
        let i = (first + t) * 256u + lane;
        clear_marks(lane);
        workgroupBarrier();
        var pair = vec2<u32>();
        if i < p.count {
            pair = load(i, turn);
            atomicOr(&marks[256u * (lane >> 5u) + ((pair.x >> shift) & 255u)], 1u << (lane & 31u));
        }
        workgroupBarrier();
        let digit = (pair.x >> shift) & 255u;
        if i < p.count {
            store(next[digit] + marked_before(lane, digit), turn, pair);
        }
        workgroupBarrier();
        next[lane] += marked(lane);
    }
}
//!end

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = wid.x * p.tiles;
//!if MODE == 0
    counts[wid.x * 256u + lane] = count_tiles(lane, first, 0u, p.shift);
//!end
//!if MODE == 1
    var all = 0u;
    var before = 0u;
    for (var g = 0u; g < p.groups; g++) {
        let count = counts[g * 256u + lane];
        all += count;
        before += select(0u, count, g < wid.x);
    }
    set_starts(lane, all, before);
    move_tiles(lane, first, 0u, p.shift);
//!end
//!if MODE == 2
    for (var turn = 0u; turn < p.shift; turn++) {
        let all = count_tiles(lane, 0u, turn, 8u * turn);
        set_starts(lane, all, 0u);
        move_tiles(lane, 0u, turn, 8u * turn);
        storageBarrier();
        workgroupBarrier();
    }
//!end
}
