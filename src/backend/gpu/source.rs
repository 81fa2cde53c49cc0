//! Shader text from a file in `shaders/` and its constants: the preprocessor. `tests/shaders/source.py` has the same rules.
//!
//! A directive is a line whose first characters are `//!` and one of these words; any other `//!` line is prose.
//!
//! ```text
//! //!default NAME 8         a constant's value when none is given
//! //!include lib/math.wgsl  the file's lines, the first time it is asked for
//! //!if NAME                lines kept when NAME is given and not 0; also `//!if NAME == 3`
//! //!else
//! //!for i in 0..TILE       lines repeated, `$i` replaced; bounds are numbers or constants
//! //!end                    closes `if` and `for`; both may nest
//! ```
//!
//! Each constant stands as `const NAME: u32 = 8u;` before everything else, so array sizes may use it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, Result};

use super::files::FILES;

/// The file whose place an ending takes.
const END: &str = "lib/end.wgsl";

/// The WGSL of shader `name` (a file in `shaders/` without its suffix) with these constants.
pub fn expand(name: &str, constants: &[(&str, u32)]) -> Result<String> {
    expand_by(&format!("{name}.wgsl"), constants, &file)
}

/// The same with a text in the place of `lib/end.wgsl`.
pub fn expand_ending(name: &str, constants: &[(&str, u32)], ending: &str) -> Result<String> {
    let read = |path: &str| if path == END { Ok(ending) } else { file(path) };
    expand_by(&format!("{name}.wgsl"), constants, &read)
}

/// The WGSL of a text that is no file of its own, as the generator of elementwise shaders writes it.
pub fn expand_text(text: &str, constants: &[(&str, u32)]) -> Result<String> {
    let read = |path: &str| {
        if path == "text" { Ok(text) } else { file(path) }
    };
    expand_by("text", constants, &read)
}

/// The text of a file of `shaders/`.
fn file(path: &str) -> Result<&'static str> {
    let at = FILES.binary_search_by(|(known, _)| known.cmp(&path));
    at.map(|at| FILES[at].1)
        .map_err(|_| Error::internal(format!("no shader file '{path}'")))
}

type Values = BTreeMap<String, u32>;

fn expand_by<'a>(
    path: &str,
    constants: &[(&str, u32)],
    read: &dyn Fn(&str) -> Result<&'a str>,
) -> Result<String> {
    let mut lines = Vec::new();
    include(path, read, &mut BTreeSet::new(), &mut lines)?;
    let mut values = Values::new();
    for line in &lines {
        if let Some(("default", rest)) = directive(line) {
            let (name, value) = rest.split_once(' ').ok_or_else(|| malformed(line))?;
            let value = value.trim().parse().map_err(|_| malformed(line))?;
            values.entry(name.to_string()).or_insert(value);
        }
    }
    for (name, value) in constants {
        values.insert(name.to_string(), *value);
    }
    let mut text = String::new();
    for (name, value) in &values {
        text.push_str(&format!("const {name}: u32 = {value}u;\n"));
    }
    let lines: Vec<Cow<str>> = lines.into_iter().map(Cow::Borrowed).collect();
    block(&lines, &values, &mut text)?;
    Ok(text)
}

const DIRECTIVES: [&str; 6] = ["default", "include", "if", "else", "for", "end"];

/// The directive's word and the rest of its line.
fn directive(line: &str) -> Option<(&str, &str)> {
    let text = line.trim().strip_prefix("//!")?;
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    DIRECTIVES.contains(&word).then_some((word, rest.trim()))
}

fn malformed(line: &str) -> Error {
    Error::internal(format!("a shader's line '{}' does not read", line.trim()))
}

/// Appends the lines of `path` with its includes in place, each file once.
fn include<'a>(
    path: &str,
    read: &dyn Fn(&str) -> Result<&'a str>,
    included: &mut BTreeSet<String>,
    lines: &mut Vec<&'a str>,
) -> Result<()> {
    included.insert(path.to_string());
    for line in read(path)?.lines() {
        match directive(line) {
            Some(("include", inner)) if included.contains(inner) => {}
            Some(("include", inner)) => include(inner, read, included, lines)?,
            _ => lines.push(line),
        }
    }
    Ok(())
}

/// Appends the lines with `if` and `for` carried out.
fn block(lines: &[Cow<str>], values: &Values, out: &mut String) -> Result<()> {
    let mut at = 0;
    while at < lines.len() {
        match directive(&lines[at]) {
            Some(("if", condition)) => {
                let (other, end) = closing(lines, at)?;
                let kept = if holds(condition, values)? {
                    at + 1..other
                } else {
                    (other + 1).min(end)..end
                };
                block(&lines[kept], values, out)?;
                at = end;
            }
            Some(("for", header)) => {
                let (_, end) = closing(lines, at)?;
                repeat(&lines[at + 1..end], header, values, out)?;
                at = end;
            }
            Some(("else" | "end", _)) => return Err(malformed(&lines[at])),
            Some(_) => {}
            None => {
                out.push_str(&lines[at]);
                out.push('\n');
            }
        }
        at += 1;
    }
    Ok(())
}

/// Where the block opened at `start` has its `else` (or its end) and its end.
fn closing(lines: &[Cow<str>], start: usize) -> Result<(usize, usize)> {
    let mut depth = 0;
    let mut other = None;
    for (at, line) in lines.iter().enumerate().skip(start) {
        match directive(line) {
            Some(("if" | "for", _)) => depth += 1,
            Some(("else", _)) if depth == 1 => other = Some(at),
            Some(("end", _)) => {
                depth -= 1;
                if depth == 0 {
                    return Ok((other.unwrap_or(at), at));
                }
            }
            _ => {}
        }
    }
    Err(malformed(&lines[start]))
}

/// Whether `NAME` is given and not 0, or `NAME == 3` is so.
fn holds(condition: &str, values: &Values) -> Result<bool> {
    let words: Vec<&str> = condition.split_whitespace().collect();
    match words[..] {
        [name] => Ok(values.get(name).is_some_and(|value| *value != 0)),
        [a, "==", b] => Ok(number(a, values)? == number(b, values)?),
        _ => Err(malformed(condition)),
    }
}

/// Appends the lines once for each value of the loop `i in 0..TILE`.
fn repeat(lines: &[Cow<str>], header: &str, values: &Values, out: &mut String) -> Result<()> {
    let words: Vec<&str> = header.split_whitespace().collect();
    let [name, "in", span] = words[..] else {
        return Err(malformed(header));
    };
    let (low, high) = span.split_once("..").ok_or_else(|| malformed(header))?;
    let name = format!("${name}");
    for i in number(low, values)?..number(high, values)? {
        let i = i.to_string();
        let lines: Vec<Cow<str>> = lines
            .iter()
            .map(|line| Cow::Owned(line.replace(&name, &i)))
            .collect();
        block(&lines, values, out)?;
    }
    Ok(())
}

/// A decimal number, or the value of a constant; 0 for a constant that is not given.
fn number(text: &str, values: &Values) -> Result<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text.parse().map_err(|_| malformed(text));
    }
    Ok(values.get(text).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str, constants: &[(&str, u32)]) -> Result<String> {
        expand_by("main", constants, &|path| {
            Ok(match path {
                "main" => text,
                "one" => "//!include two\none",
                _ => "two",
            })
        })
    }

    #[test]
    fn constants_stand_first_and_a_given_one_wins_over_its_default() {
        let text = "//!default TILE 8\n//!default N 2\nbody";
        let expected = "const N: u32 = 2u;\nconst TILE: u32 = 4u;\nbody\n";
        assert_eq!(of(text, &[("TILE", 4)]).unwrap(), expected);
    }

    #[test]
    fn a_file_is_included_once() {
        let text = "//!include one\n//!include two\nbody";
        assert_eq!(of(text, &[]).unwrap(), "two\none\nbody\n");
    }

    #[test]
    fn conditions_choose_lines_and_loops_repeat_them() {
        let text = "//!if A\na\n//!else\nb\n//!end\n//!if B == 3\nc\n//!end\n//! prose";
        assert_eq!(
            of(text, &[("B", 3)]).unwrap(),
            "const B: u32 = 3u;\nb\nc\n//! prose\n"
        );
        let text = "//!for i in 0..N\n//!for j in $i..2\n  //!if $i == 1\none\n//!end\n$i$j\n//!end\n//!end";
        let text = of(text, &[("N", 2)]).unwrap();
        assert_eq!(text, "const N: u32 = 2u;\n00\n01\none\n11\n");
    }

    #[test]
    fn what_does_not_read_is_an_error() {
        for text in [
            "//!if A\n",
            "//!end",
            "//!for i of 3\n//!end",
            "//!default A",
        ] {
            assert!(of(text, &[]).is_err(), "{text}");
        }
        assert!(expand("no such file", &[]).is_err());
    }
}
