//! Every shader reads and validates, with its default constants and with each variant that its header lists:
//! `//!variant TILE 8 STRIDED 1`. Needs no GPU.
#![allow(clippy::unwrap_used)]

use ferroflow::backend::gpu::{FILES, source};

/// What is wrong with the text, if anything.
fn fault(text: &str) -> Option<String> {
    let module = match naga::front::wgsl::parse_str(text) {
        Ok(module) => module,
        Err(error) => return Some(error.emit_to_string(text)),
    };
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::IMMEDIATES,
    );
    let result = validator.validate(&module);
    result.err().map(|error| error.emit_to_string(text))
}

/// The constants of each `//!variant` line.
fn variants(text: &str) -> Vec<Vec<(&str, u32)>> {
    let listed = text
        .lines()
        .filter_map(|line| line.strip_prefix("//!variant "));
    let mut all = vec![Vec::new()];
    for line in listed {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(words.len().is_multiple_of(2), "//!variant {line}");
        let pairs = words.chunks(2);
        all.push(pairs.map(|p| (p[0], p[1].parse().unwrap())).collect());
    }
    all
}

#[test]
fn shaders_read_and_validate() {
    let mut faults = Vec::new();
    for (path, text) in FILES {
        // Parts of shaders are read with the shaders; those that need nothing of them, alone too.
        if path.starts_with("lib/") && !text.contains("Needs: p.zero") {
            continue;
        }
        for constants in variants(text) {
            let expanded = match path.strip_prefix("lib/") {
                None => source::expand(path.strip_suffix(".wgsl").unwrap(), &constants),
                Some(_) => {
                    let main = "struct Params { zero: u32 }\nvar<immediate> p: Params;\n\
                                @compute @workgroup_size(1) fn main() {}";
                    source::expand_text(&format!("//!include {path}\n{main}"), &constants)
                }
            };
            let fault = match expanded {
                Ok(text) => fault(&text),
                Err(error) => Some(error.to_string()),
            };
            faults.extend(fault.map(|fault| format!("{path} {constants:?}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn shaders_are_short_and_say_what_they_compute() {
    for (path, text) in FILES {
        assert!(text.starts_with("//"), "{path} has no header");
        assert!(text.lines().count() <= 260, "{path} is too long");
    }
}
