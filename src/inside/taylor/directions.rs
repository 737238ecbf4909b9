//! The directions of derivatives by x, and their order.

use crate::base::alloc::try_collect;
use crate::base::error::{Error, Result};
use crate::data::Inputs;
use crate::engine::batch::pass::Factors;
use crate::engine::workspace::BufferConfig;
use crate::kernels::real::Real;
use crate::model::activation::Activation;
use crate::model::architecture::Architecture;

/// k directions: each the same for all examples, or one for each example.
#[derive(Debug, Clone, Copy)]
pub struct Directions<'a, T> {
    /// (k, n_1) or (k, n, n_1), row-major.
    numbers: &'a [T],
    count: usize,
    /// The elements of a direction.
    length: usize,
    /// n_1.
    width: usize,
}

impl<'a, T: Real> Directions<'a, T> {
    /// `numbers` of `shape` (k, n_1) or (k, n, n_1), contiguous and row-major.
    ///
    /// # Errors
    /// Another shape, no direction, or a number that is not finite.
    pub fn new(width: usize, n: usize, shape: &[usize], numbers: &'a [T]) -> Result<Self> {
        let (count, length) = match *shape {
            [count, columns] if columns == width => {
                check_shared(width, n, count)?;
                (count, width)
            }
            [count, rows, columns] if (rows, columns) == (n, width) => (count, n * width),
            [count, _] => return Err(Error::shape("directions", &[count, width], shape)),
            _ => {
                let count = shape.first().copied().unwrap_or(1);
                return Err(Error::shape("directions", &[count, n, width], shape));
            }
        };
        if count == 0 {
            let expected = "one direction or more";
            return Err(Error::value("directions", expected, "none"));
        }
        if let Some(place) = numbers.iter().position(|v| !v.to_f64().is_finite()) {
            let got = numbers[place].to_f64().to_string().to_lowercase(); // as Python writes nan
            let (direction, at) = (place / length, place % length);
            let argument = if shape.len() == 2 {
                format!("directions[{direction}, {at}]")
            } else {
                format!("directions[{direction}, {}, {}]", at / width, at % width)
            };
            return Err(Error::value(argument, "a finite number", got));
        }
        Ok(Self {
            numbers,
            count,
            length,
            width,
        })
    }

    /// Direction `index` for each of `n` examples of the same width as `inputs`.
    fn inputs(&self, inputs: &Inputs<'_, T>, index: usize) -> Inputs<'a, T> {
        let numbers = &self.numbers[index * self.length..][..self.length];
        let n = inputs.len();
        if self.length == self.width && n > 1 {
            inputs.with_repeated(n, numbers)
        } else {
            inputs.with_dense(n, numbers)
        }
    }
}

/// The first derivatives along each direction, then, for order 2, the second.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a, T> {
    directions: Directions<'a, T>,
    /// 1 or 2.
    pub(super) order: usize,
}

impl<'a, T: Real> Series<'a, T> {
    /// The derivatives up to `order` along `directions`.
    ///
    /// # Errors
    /// The order is not 1 or 2, or an activation of the network is not smooth.
    pub fn new(
        architecture: &Architecture,
        directions: Directions<'a, T>,
        order: usize,
    ) -> Result<Self> {
        check_order(order)?;
        check_smooth(architecture)?;
        Ok(Self { directions, order })
    }

    /// k.
    pub fn directions(&self) -> usize {
        self.directions.count
    }

    /// How many derivatives there are.
    pub fn len(&self) -> usize {
        self.directions.count * self.order
    }

    /// Always false: no direction is an error.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The derivative of x at `index`; None where it is 0.
    pub(super) fn of_x(&self, inputs: &Inputs<'_, T>, index: usize) -> Option<Inputs<'a, T>> {
        (index < self.directions.count).then(|| self.directions.inputs(inputs, index))
    }

    /// The buffers for it.
    pub(super) fn config(&self) -> BufferConfig {
        BufferConfig {
            derivatives: self.len(),
            ..BufferConfig::BACKPROP
        }
    }

    /// The products whose sum is the gradient: those of the values, then those of each derivative.
    pub(super) fn products(&self) -> Result<Vec<Factors>> {
        let values = Factors::GRADIENT.iter().copied();
        let derivatives = (0..self.len()).map(Factors::of_derivative);
        try_collect("workspace", values.chain(derivatives))
    }
}

/// # Errors
/// The directions of all examples are as many as the examples, and more than a Hessian by x needs: they are
/// probably meant as one direction of each example.
fn check_shared(width: usize, n: usize, count: usize) -> Result<()> {
    if count != n || n <= width.saturating_mul(width + 1) / 2 {
        return Ok(());
    }
    Err(Error::value(
        "directions",
        format_args!("shape (1, {n}, {width}) for one direction of each example, directions[None]"),
        format_args!("({n}, {width}), which is {n} directions of all examples"),
    ))
}

/// # Errors
/// The order is not 1 or 2.
pub fn check_order(order: usize) -> Result<()> {
    if matches!(order, 1 | 2) {
        return Ok(());
    }
    Err(Error::value("order", "1 or 2", order))
}

/// # Errors
/// An activation is not smooth, or is softmax.
pub fn check_smooth(architecture: &Architecture) -> Result<()> {
    let layers = architecture.layers();
    let Some(index) = (layers.iter()).position(|layer| !layer.activation.is_smooth()) else {
        return Ok(());
    };
    let smooth = Activation::ALL.into_iter().filter(|a| a.is_smooth());
    let names = try_collect("hidden", smooth.map(Activation::name))?.join("', '");
    let expected = format!("a smooth activation for derivatives by x, one of '{names}'");
    let got = format!("'{}'", layers[index].activation);
    Err(if index + 1 == layers.len() {
        Error::value("output", expected, got)
    } else {
        Error::value(format_args!("hidden[{index}]"), expected, got)
    })
}
