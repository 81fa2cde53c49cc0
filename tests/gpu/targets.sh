#!/bin/sh
# Checks that the crate compiles for Windows (DirectX 12) and for macOS (Metal), whose code a Linux machine cannot run. It
# takes their standard libraries through rustup; where those cannot be had, it says so.
set -eu
cd "$(dirname "$0")/../.."
unchecked=""
for target in x86_64-pc-windows-msvc aarch64-apple-darwin; do
    libraries="$(rustc --print sysroot)/lib/rustlib/$target/lib"
    if [ ! -d "$libraries" ] && ! { command -v rustup && timeout 300 rustup target add "$target"; } >/dev/null 2>&1; then
        unchecked="$unchecked $target"
        continue
    fi
    # What a Python of that system would say of itself: none is here to be asked.
    mkdir -p target
    printf 'implementation=CPython\nversion=3.11\nshared=true\nabi3=true\nsuppress_build_script_link_lines=true\n' \
        > "target/python-$target.txt"
    RUSTFLAGS="-D warnings" PYO3_CONFIG_FILE="$PWD/target/python-$target.txt" \
        cargo check --quiet --features python,gpu --target "$target"
    echo "$target: compiles"
done
if [ -n "$unchecked" ]; then
    echo "*** NOT CHECKED, for want of their standard libraries:$unchecked (rustup target add) ***" >&2
fi
