//! Strings: numbers as text and back, joining, paths.

use crate::error::Result;
use crate::value::{DType, Value};
use crate::{bail, dispatch};

/// `%g` of C: six significant digits, an exponent where it is shorter.
pub(super) fn general(x: f64) -> String {
    if x.is_nan() {
        return if x.is_sign_negative() { "-nan" } else { "nan" }.into();
    }
    if x.is_infinite() {
        return if x < 0.0 { "-inf" } else { "inf" }.into();
    }
    if x == 0.0 {
        return if x.is_sign_negative() { "-0" } else { "0" }.into();
    }
    let scientific = format!("{x:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| {
        if !text.contains('.') {
            return text.to_string();
        }
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    };
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(digits), exponent.abs());
    }
    trimmed(&format!("{x:.*}", (5 - exponent).max(0) as usize))
}

/// The first `count` elements as TensorFlow's `SummarizeValue` shows them.
pub(super) fn elements_as_text(value: &Value, count: usize) -> Result<Vec<String>> {
    if value.dtype() == DType::String {
        let strings = value.string_slice()?.iter().take(count);
        return Ok(strings
            .map(|s| String::from_utf8_lossy(s).into_owned())
            .collect());
    }
    if value.dtype() == DType::Bool {
        let bytes = value.slice::<u8>()?.iter().take(count);
        return Ok(bytes
            .map(|b| if *b != 0 { "1" } else { "0" }.to_string())
            .collect());
    }
    if value.dtype().is_floating() {
        let mut texts = Vec::new();
        dispatch!(floats, value.dtype(), T => {
            for x in value.slice::<T>()?.iter().take(count) {
                texts.push(general(f64::from(*x)));
            }
        });
        return Ok(texts);
    }
    if !value.dtype().is_integer() {
        bail!(unimplemented, "{} as text", value.dtype().short_name());
    }
    let mut texts = Vec::new();
    dispatch!(real, value.dtype(), T => {
        for x in value.slice::<T>()?.iter().take(count) {
            texts.push(x.to_string());
        }
    });
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn general_format_is_that_of_c() {
        let cases = [
            (1.0, "1"),
            (0.1, "0.1"),
            (123456.0, "123456"),
            (1234567.0, "1.23457e+06"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5, "-2.5"),
            (1.0 / 3.0, "0.333333"),
        ];
        for (x, text) in cases {
            assert_eq!(general(x), text);
        }
    }
}
