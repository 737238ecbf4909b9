//! An optimizer's step: updates each parameter and its state from the derivative, in one pass.

use crate::kernels::real::Real;
use crate::kernels::simd::level::{self, Computation};
use crate::kernels::simd::vector::Arithmetic;

/// The update of one parameter, lane by lane, with STATE state values.
pub trait ElementRule<T: Real, const STATE: usize>: Copy {
    /// Returns the updated parameter, from the parameter `p` and its derivative `g`.
    fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; STATE]) -> V;
}

/// p ← rule(p, g, state), element by element.
///
/// # Panics
/// The slices differ in length.
pub fn update<T: Real, const STATE: usize>(
    rule: impl ElementRule<T, STATE>,
    params: &mut [T],
    gradient: &[T],
    state: [&mut [T]; STATE],
) {
    assert_eq!(params.len(), gradient.len(), "the length of a gradient");
    for state in &state {
        assert_eq!(params.len(), state.len(), "the length of the state");
    }
    let computation = ApplyRule {
        rule,
        params,
        gradient,
        state,
    };
    // SAFETY: `current` is a level that this machine has; the lengths were asserted equal.
    unsafe { level::run(level::current(), computation) }
}

struct ApplyRule<'a, T, R, const STATE: usize> {
    rule: R,
    params: &'a mut [T],
    gradient: &'a [T],
    state: [&'a mut [T]; STATE],
}

impl<T: Real, R: ElementRule<T, STATE>, const STATE: usize> Computation<T>
    for ApplyRule<'_, T, R, STATE>
{
    #[inline(always)]
    unsafe fn run<V: Arithmetic<Scalar = T>>(self) {
        let (length, last) = (self.params.len(), self.params.len() % V::LANES);
        let (params, gradient) = (self.params.as_mut_ptr(), self.gradient.as_ptr());
        let pointers = self.state.map(<[T]>::as_mut_ptr);
        for at in (0..length - last).step_by(V::LANES) {
            // SAFETY: a whole register is in bounds in each slice; the caller guarantees the instructions.
            unsafe {
                let (p, g) = (V::load(params.add(at)), V::load(gradient.add(at)));
                // A loop instead of `map`: the closure might be compiled without the target features.
                let mut state = [p; STATE];
                for (state, pointer) in state.iter_mut().zip(&pointers) {
                    *state = V::load(pointer.add(at));
                }
                self.rule.of(p, g, &mut state).store(params.add(at));
                for (state, pointer) in state.iter().zip(&pointers) {
                    state.store(pointer.add(at));
                }
            }
        }
        if last > 0 {
            let at = length - last;
            // SAFETY: `last` elements are left in each slice; the caller guarantees the instructions.
            unsafe {
                let p = V::load_first(params.add(at), last);
                let g = V::load_first(gradient.add(at), last);
                let mut state = [p; STATE];
                for (state, pointer) in state.iter_mut().zip(&pointers) {
                    *state = V::load_first(pointer.add(at), last);
                }
                let p = self.rule.of(p, g, &mut state);
                p.store_first(params.add(at), last);
                for (state, pointer) in state.iter().zip(&pointers) {
                    state.store_first(pointer.add(at), last);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::level::forced::at;
    use crate::kernels::testing::fused_levels;
    use crate::kernels::testing::guarded::Guarded;

    /// p − g k, and k + 1.
    #[derive(Clone, Copy)]
    struct Simple;

    impl<T: Real> ElementRule<T, 1> for Simple {
        fn of<V: Arithmetic<Scalar = T>>(self, p: V, g: V, state: &mut [V; 1]) -> V {
            let next = (-g).mul_add(state[0], p);
            state[0] = state[0] + p.splat(T::ONE);
            next
        }
    }

    /// Every length around a register's, right before a protected page.
    #[test]
    fn each_element_is_updated_and_no_other() {
        let mut buffers = [(); 3].map(|()| Guarded::<f32>::new(100));
        let [p, g, k] = &mut buffers;
        for level in fused_levels() {
            for length in 0..70_usize {
                let ((before, p), (_, g), (_, k)) =
                    (p.last(length), g.last(length), k.last(length));
                before.fill(7.0);
                for i in 0..length {
                    let x = f32::from(u8::try_from(i).expect("small"));
                    (p[i], g[i], k[i]) = (x, 0.5, 2.0 * x);
                }
                at(level, || update(Simple, p, g, [k]));
                for i in 0..length {
                    let x = f32::from(u8::try_from(i).expect("small"));
                    assert_eq!((p[i], k[i]), (0.0, 2.0 * x + 1.0), "{level:?} {length} {i}");
                }
                assert_eq!(before, vec![7.0; before.len()], "{level:?} {length}");
            }
        }
    }
}
