//! The optimizers' update rules, for a register. [`crate::engine::optimizer`] has the formulas.

use crate::kernels::elementwise::map::UnaryFunction;
use crate::kernels::elementwise::optimizer::apply::ElementRule;
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// Adds the regularization terms to the derivative, then applies the rule.
#[derive(Debug, Clone, Copy)]
pub struct Regularized<T, R> {
    pub rule: R,
    pub scale: T,
    pub l2: T,
    pub l1: T,
}

impl<T: Real, R: ElementRule<T, STATE>, const STATE: usize> ElementRule<T, STATE>
    for Regularized<T, R>
{
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; STATE]) -> V {
        let (zero, l1) = (p.splat(T::ZERO), p.splat(self.l1));
        let sign = V::select(zero.less(p), l1, V::select(p.less(zero), -l1, zero));
        let g = g.mul_add(p.splat(self.scale), sign);
        let g = p.mul_add(p.splat(self.l2), g);
        self.rule.of(p, g, state)
    }
}

/// p − η g.
#[derive(Debug, Clone, Copy)]
pub struct GradientDescent<T> {
    pub rate: T,
}

impl<T: Real> ElementRule<T, 0> for GradientDescent<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, _: &mut [V; 0]) -> V {
        g.mul_add(p.splat(-self.rate), p)
    }
}

/// v ← μ v + g, and p − η v or p − η (g + μ v).
#[derive(Debug, Clone, Copy)]
pub struct Momentum<T> {
    pub rate: T,
    /// μ.
    pub mu: T,
    pub nesterov: bool,
}

impl<T: Real> ElementRule<T, 1> for Momentum<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; 1]) -> V {
        let mu = p.splat(self.mu);
        let v = state[0].mul_add(mu, g);
        state[0] = v;
        let step = if self.nesterov { v.mul_add(mu, g) } else { v };
        step.mul_add(p.splat(-self.rate), p)
    }
}

/// m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², and p (1 − η λ) − η m̂ / (√v̂ + ε).
#[derive(Debug, Clone, Copy)]
pub struct Adam<T> {
    /// β₁ and 1 − β₁.
    pub beta1: (T, T),
    /// β₂ and 1 − β₂.
    pub beta2: (T, T),
    /// Whether β₁ < ½: then m is closer to g than to its old value.
    pub forgets: bool,
    pub epsilon: T,
    /// 1 − η λ.
    pub shrink: T,
    /// η / (1 − β₁^t).
    pub rate: T,
    /// 1 / √(1 − β₂^t).
    pub root: T,
}

impl<T: Real> ElementRule<T, 2> for Adam<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; 2]) -> V {
        // Interpolates from the closer end, so that a small g is not lost in a large m, nor a small m in g.
        let m = if self.forgets {
            (state[0] - g).mul_add(p.splat(self.beta1.0), g)
        } else {
            (g - state[0]).mul_add(p.splat(self.beta1.1), state[0])
        };
        let v = mean_square(state[1], g, self.beta2.0, self.beta2.1);
        *state = [m, v];
        let root = v.sqrt().mul_add(p.splat(self.root), p.splat(self.epsilon));
        let p = p * p.splat(self.shrink);
        (m / root).mul_add(p.splat(-self.rate), p)
    }
}

/// keep v + take g², with g² as two factors: take g² may be finite where g² overflows. The difference v −
/// g² is avoided, as it is NaN for two infinities.
#[inline(always)]
fn mean_square<T: Real, V: Arithmetic<Scalar = T>>(v: V, g: V, keep: T, take: T) -> V {
    (g * g.splat(take)).mul_add(g, v * v.splat(keep))
}

/// v ← keep v + take g², and p − η g / (√v + ε).
#[derive(Debug, Clone, Copy)]
pub struct SquaredGradient<T> {
    pub rate: T,
    pub epsilon: T,
    pub keep: T,
    pub take: T,
}

impl<T: Real> ElementRule<T, 1> for SquaredGradient<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; 1]) -> V {
        let v = mean_square(state[0], g, self.keep, self.take);
        state[0] = v;
        let root = v.sqrt() + p.splat(self.epsilon);
        (g / root).mul_add(p.splat(-self.rate), p)
    }
}

/// p · factor.
#[derive(Debug, Clone, Copy)]
pub struct Scale<T>(pub T);

impl<T: Real> UnaryFunction<T> for Scale<T> {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, p: V) -> V {
        p * p.splat(self.0)
    }
}
