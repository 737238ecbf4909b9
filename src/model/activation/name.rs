//! The names of activations: `tanh`, `leaky_relu`, `leaky_relu(0.2)`, `leaky_relu(slope=0.2)`.

use std::fmt::{self, Display};

use crate::base::error::{Error, Result};
use crate::model::activation::{Activation, Parameter, hidden_softmax_error};

impl Activation {
    /// The activation that users call `name`; errors name the argument `argument`.
    ///
    /// # Errors
    /// No activation has this name (the message lists the valid ones), or its parameter is wrong.
    pub fn from_name(argument: impl Display, name: &str) -> Result<Self> {
        parse(argument, name, &Self::ALL)
    }

    /// The activation that users call `name`, for a hidden layer.
    ///
    /// # Errors
    /// Those of [`Self::from_name`], or it is softmax.
    pub fn hidden_from_name(argument: impl Display, name: &str) -> Result<Self> {
        if name == Self::Softmax.name() {
            return Err(hidden_softmax_error(argument));
        }
        let elementwise = Self::ALL.into_iter().filter(|&a| a != Self::Softmax);
        parse(argument, name, &elementwise.collect::<Vec<_>>())
    }
}

fn parse(argument: impl Display, text: &str, valid: &[Activation]) -> Result<Activation> {
    let (name, parentheses) = match text.split_once('(') {
        Some((name, inside)) => (name.trim_end(), Some(inside)),
        None => (text, None),
    };
    let is_meant = |activation: &&Activation| activation.name() == name;
    let Some(&activation) = valid.iter().find(is_meant) else {
        let names: Vec<&str> = valid.iter().map(|activation| activation.name()).collect();
        return Err(Error::unknown_name(argument, name, &names));
    };
    let Some(inside) = parentheses else {
        return Ok(activation);
    };
    let got = format_args!("'{text}'");
    let Some((key, _)) = activation.parameter() else {
        let expected = format_args!("'{name}', which has no parameter");
        return Err(Error::value(argument, expected, got));
    };
    let inside = inside.trim_end().strip_suffix(')').unwrap_or_default();
    let (given_key, number) = match inside.split_once('=') {
        Some((given, number)) => (given.trim(), number.trim()),
        None => (key, inside.trim()),
    };
    let Ok(value) = number.parse::<f64>() else {
        let expected = format_args!("a number in parentheses, as in '{name}({key}=0.2)'");
        return Err(Error::value(argument, expected, got));
    };
    if given_key != key {
        let expected = format_args!("'{name}({key}={number})'");
        return Err(Error::value(argument, expected, got));
    }
    activation.with_parameter(value).ok_or_else(|| {
        let expected =
            format_args!("a positive {key} in the range of float32 ('relu' is the one with 0)");
        Error::value(argument, expected, got)
    })
}

/// The name that [`Activation::from_name`] takes; with the parameter, unless it has its default.
impl Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self.parameter() {
            Some((_, value)) if !Self::ALL.contains(self) => write!(f, "({})", PythonFloat(value)),
            _ => Ok(()),
        }
    }
}

/// A positive number as Python's `repr` writes it.
struct PythonFloat(Parameter);

impl Display for PythonFloat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.value();
        if (1e-4..1e16).contains(&value) {
            return write!(f, "{value:?}");
        }
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        match exponent.strip_prefix('-') {
            Some(exponent) => write!(f, "{digits}e-{exponent:0>2}"),
            None => write!(f, "{digits}e+{exponent:0>2}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str) -> String {
        match Activation::from_name("output", name) {
            Ok(activation) => activation.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn canonical_names() {
        for activation in Activation::ALL {
            assert_eq!(parsed(activation.name()), activation.name());
        }
        for (given, canonical) in [
            ("leaky_relu(0.2)", "leaky_relu(0.2)"),
            ("leaky_relu(slope=.2)", "leaky_relu(0.2)"),
            ("leaky_relu ( slope = 2e-1 )", "leaky_relu(0.2)"),
            ("leaky_relu(0.01)", "leaky_relu"),
            ("elu(alpha=1)", "elu"),
            ("elu(3)", "elu(3.0)"),
            ("elu(1e-7)", "elu(1e-07)"),
            ("elu(0.00012)", "elu(0.00012)"),
            ("elu(1.25e-5)", "elu(1.25e-05)"),
            ("elu(1e16)", "elu(1e+16)"),
        ] {
            assert_eq!(parsed(given), canonical, "{given}");
            assert_eq!(parsed(canonical), canonical);
        }
    }

    #[test]
    fn errors_say_what_to_type() {
        for (name, expected) in [
            ("tanh(2)", "'tanh', which has no parameter"),
            ("leaky_relu(negative_slope=0.3)", "'leaky_relu(slope=0.3)'"),
            ("elu(slope=0.3)", "'elu(alpha=0.3)'"),
            ("elu()", "a number in parentheses, as in 'elu(alpha=0.2)'"),
            ("elu(2", "a number in parentheses, as in 'elu(alpha=0.2)'"),
            ("elu(2))", "a number in parentheses, as in 'elu(alpha=0.2)'"),
            (
                "leaky_relu(x=y)",
                "a number in parentheses, as in 'leaky_relu(slope=0.2)'",
            ),
        ] {
            let message = format!("output: expected {expected}, got '{name}'");
            assert_eq!(parsed(name), message);
        }
        for value in ["0", "-0.0", "-0.2", "nan", "inf", "1e-40", "1e39"] {
            let name = format!("leaky_relu({value})");
            let expected = "a positive slope in the range of float32 ('relu' is the one with 0)";
            assert_eq!(
                parsed(&name),
                format!("output: expected {expected}, got '{name}'")
            );
        }
    }
}
