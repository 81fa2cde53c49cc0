//! A window moving along one axis of an image: convolutions and pools are made of these.

use std::ops::Range;

use crate::ensure;
use crate::error::{Error, Result};

/// How the edges of an axis are filled up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// Not at all: the window stays inside.
    Valid,
    /// As much as makes the output as long as the input (over the stride).
    Same,
    /// This much before and after.
    Explicit(usize, usize),
}

/// Sizes of one axis. Place `o` of the output sees `size` places of the input, `dilation` apart, from
/// `o * stride - before` on; those outside the input are padding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub input: usize,
    pub output: usize,
    pub size: usize,
    pub stride: usize,
    pub dilation: usize,
    pub before: usize,
}

impl Window {
    /// One place that sees one place.
    pub const POINT: Window = Window {
        input: 1,
        output: 1,
        size: 1,
        stride: 1,
        dilation: 1,
        before: 0,
    };

    pub fn new(
        input: usize,
        size: usize,
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Result<Window> {
        ensure!(stride > 0, invalid, "Stride must be > 0, but got {stride}");
        ensure!(
            dilation > 0,
            invalid,
            "Dilation rate must be >= 1, but got {dilation}"
        );
        let too_large = || Error::invalid(format!("a window of {size} places is too large"));
        let span = match size {
            0 => Some(0),
            _ => (size - 1)
                .checked_mul(dilation)
                .and_then(|n| n.checked_add(1)),
        };
        let span = span.filter(|n| i64::try_from(*n).is_ok());
        let span = span.ok_or_else(too_large)?;
        let (output, before) = match padding {
            Padding::Same => {
                let output = input.div_ceil(stride);
                let reach = output.saturating_sub(1) * stride + span;
                (output, reach.saturating_sub(input) / 2)
            }
            Padding::Valid => (places(input, span, stride)?, 0),
            Padding::Explicit(before, after) => {
                let padded = input
                    .checked_add(before)
                    .and_then(|n| n.checked_add(after))
                    .filter(|n| i64::try_from(*n).is_ok());
                (places(padded.ok_or_else(too_large)?, span, stride)?, before)
            }
        };
        Ok(Window {
            input,
            output,
            size,
            stride,
            dilation,
            before,
        })
    }

    /// Where element `tap` of the window at place `o` lies in the input; `None` in the padding.
    pub fn at(&self, o: usize, tap: usize) -> Option<usize> {
        let at = (o * self.stride + tap * self.dilation).checked_sub(self.before)?;
        (at < self.input).then_some(at)
    }

    /// The part of the input that the window at place `o` sees; for windows without dilation.
    pub fn range(&self, o: usize) -> Range<usize> {
        let from = o * self.stride;
        let end = (from + self.size).saturating_sub(self.before);
        from.saturating_sub(self.before).min(self.input)..end.min(self.input)
    }
}

fn places(padded: usize, span: usize, stride: usize) -> Result<usize> {
    let (padded, step) = (padded as i64, stride as i64);
    let places = (padded - span as i64 + step) / step;
    usize::try_from(places).map_err(|_| {
        Error::invalid(format!(
            "Computed output size would be negative: {places} [input_size: {padded}, \
             effective_filter_size: {span}, stride: {stride}]"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_split_with_the_larger_half_behind() {
        let w = Window::new(5, 2, 2, 1, Padding::Same).unwrap();
        assert_eq!((w.output, w.before), (3, 0));
        assert_eq!((w.at(2, 0), w.at(2, 1)), (Some(4), None));
        assert_eq!(w.range(2), 4..5);
        let w = Window::new(5, 3, 1, 2, Padding::Same).unwrap();
        assert_eq!((w.output, w.before), (5, 2));
        assert_eq!((w.at(0, 0), w.at(0, 1)), (None, Some(0)));
    }

    #[test]
    fn a_window_that_does_not_fit_has_no_place() {
        assert_eq!(Window::new(2, 3, 1, 1, Padding::Valid).unwrap().output, 0);
        assert!(Window::new(1, 3, 1, 1, Padding::Valid).is_err());
        assert!(Window::new(1, 3, 0, 1, Padding::Valid).is_err());
        assert!(Window::new(1, usize::MAX, 1, 2, Padding::Same).is_err());
    }
}
