//! Files whose names match a shell pattern, as TensorFlow's `GetMatchingPaths` finds them: `*`, `?` and `[a-z]` match
//! within one component of a path.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::error::Result;

use super::io::error;

/// The paths that match `pattern`, sorted. A pattern without wildcards finds the path itself, if it is there.
///
/// # Errors
/// When a directory is there but cannot be read.
pub fn matching_files(pattern: &Path) -> Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let Component::Normal(name) = component else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        let name = name.as_encoded_bytes();
        if !name.iter().any(|byte| b"*?[\\".contains(byte)) {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        }
        let mut next = Vec::new();
        for directory in &found {
            next.extend(children(directory, name)?);
        }
        found = next;
    }
    found.retain(|path| path.exists());
    found.sort();
    Ok(found)
}

fn children(directory: &Path, pattern: &[u8]) -> Result<Vec<PathBuf>> {
    let listed = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let entries = match fs::read_dir(listed) {
        Err(_) if !listed.is_dir() => return Ok(Vec::new()),
        entries => entries.map_err(|e| error(listed, &e))?,
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    Ok(names
        .filter(|name| matches(name.as_encoded_bytes(), pattern))
        .map(|name| directory.join(name))
        .collect())
}

/// Whether `name` matches `pattern`: two walks with one place to come back to, so that no pattern takes long.
pub fn matches(name: &[u8], pattern: &[u8]) -> bool {
    let (mut n, mut p) = (0, 0);
    let mut star = None;
    loop {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((n, p));
            p += 1;
            continue;
        }
        if n == name.len() {
            return p == pattern.len();
        }
        if let Some(next) = one(name[n], pattern, p) {
            (n, p) = (n + 1, next);
            continue;
        }
        // The last star takes one byte more.
        let Some((from, at)) = star else {
            return false;
        };
        star = Some((from + 1, at));
        (n, p) = (from + 1, at + 1);
    }
}

/// Where the pattern goes on after its element at `p` has matched `byte`.
fn one(byte: u8, pattern: &[u8], p: usize) -> Option<usize> {
    match *pattern.get(p)? {
        b'?' => Some(p + 1),
        b'[' => {
            set(byte, pattern, p).or_else(|| (byte == b'[' && !closes(pattern, p)).then_some(p + 1))
        }
        b'\\' if p + 1 < pattern.len() => (pattern[p + 1] == byte).then_some(p + 2),
        literal => (literal == byte).then_some(p + 1),
    }
}

fn closes(pattern: &[u8], p: usize) -> bool {
    pattern.iter().skip(p + 2).any(|byte| *byte == b']')
}

fn set(byte: u8, pattern: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    let negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(negated);
    let first = at;
    let mut inside = false;
    loop {
        let low = *pattern.get(at)?;
        if low == b']' && at > first {
            return (inside != negated).then_some(at + 1);
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some(b'-'), Some(&high)) if high != b']' => {
                inside |= (low..=high).contains(&byte);
                at += 3;
            }
            _ => {
                inside |= low == byte;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::testing::Scratch;

    #[test]
    fn wildcards_match_as_in_a_shell() {
        let cases = [
            ("abc", "abc", true),
            ("abc", "a?c", true),
            ("abc", "*", true),
            ("abc", "a*c", true),
            ("abc", "a*b", false),
            ("abc", "[a-c]bc", true),
            ("abc", "[!a]bc", false),
            ("abc", "[xyz]bc", false),
            ("a*c", "a\\*c", true),
            ("abc", "a\\*c", false),
            ("", "*", true),
            ("m-00001-of-00002", "m-?????-of-00002", true),
            ("[x", "[x", true),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", "*a*a*a*a*a*a*a*a*a*b", false),
        ];
        for (name, pattern, want) in cases {
            assert_eq!(
                matches(name.as_bytes(), pattern.as_bytes()),
                want,
                "{name} {pattern}"
            );
        }
    }

    #[test]
    fn files_are_found_in_order_below_directories_that_match() {
        let scratch = Scratch::new("glob");
        for name in ["b1", "a2", "a1"] {
            std::fs::create_dir(scratch.path(name)).unwrap();
            std::fs::write(scratch.path(name).join("x.txt"), b"").unwrap();
        }
        let found = matching_files(&scratch.path("a*").join("*.txt")).unwrap();
        assert_eq!(
            found,
            [
                scratch.path("a1").join("x.txt"),
                scratch.path("a2").join("x.txt")
            ]
        );
        assert!(
            matching_files(&scratch.path("none").join("*"))
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            matching_files(&scratch.path("b1")).unwrap(),
            [scratch.path("b1")]
        );
    }
}
