"""The tiles that matrix products come in, as `src/backend/gpu/gemm.rs` picks them."""

TILES = {
    "large": {"TILE_M": 128, "TILE_N": 128, "TILE_K": 16, "RM": 2, "RN": 2, "THREADS": 256, "BLOCKS": 1},
    "middle": {"TILE_M": 64, "TILE_N": 64, "TILE_K": 16, "RM": 2, "RN": 2, "THREADS": 64, "BLOCKS": 2},
    "small": {"TILE_M": 32, "TILE_N": 32, "TILE_K": 32, "RM": 1, "RN": 1, "THREADS": 64, "BLOCKS": 2},
}


def tiles_of(m, n, constants):
    return -(-m // constants["TILE_M"]) * -(-n // constants["TILE_N"])


def chunk_of(k, splits, constants):
    """The k of each split: whole tiles."""
    tile = constants["TILE_K"]
    return -(-(-(-k // tile)) // splits) * tile
