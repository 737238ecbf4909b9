//! The derivatives of a = σ(z) along a direction, and the way back.
//!
//! With ż and z̈ the first and second derivative of z along the direction: ȧ = σ' ż, ä = σ'' ż² + σ' z̈.
//! `derivatives` holds σ', σ'' and σ''' of each element.

use crate::kernels::elementwise::zip::{ZipFunction, zip};
use crate::kernels::real::Real;
use crate::kernels::simd::vector::Arithmetic;

/// ȧ = σ' ż.
pub fn first<T: Real>(derivatives: [&[T]; 3], z: &[T], a: &mut [T]) {
    zip([derivatives[0], z], [a], First);
}

/// ȧ = σ' ż and ä = σ'' ż² + σ' z̈; `z` is (ż, z̈) and `a` (ȧ, ä).
pub fn second<T: Real>(derivatives: [&[T]; 3], z: [&[T]; 2], a: [&mut [T]; 2]) {
    zip([derivatives[0], derivatives[1], z[0], z[1]], a, Second);
}

/// δ ← σ' δ: from ∂C/∂a to the part of ∂C/∂z that a itself contributes.
pub fn value_back<T: Real>(derivatives: [&[T]; 3], delta: &mut [T]) {
    zip([derivatives[0]], [delta], ValueBack);
}

/// From ∂C/∂ȧ to ∂C/∂ż = σ' ∂C/∂ȧ. `delta` is (δ, δ̇); σ'' ż ∂C/∂ȧ is added to δ.
pub fn first_back<T: Real>(derivatives: [&[T]; 3], z: &[T], delta: [&mut [T]; 2]) {
    zip([derivatives[0], derivatives[1], z], delta, FirstBack);
}

/// From ∂C/∂ȧ and ∂C/∂ä to ∂C/∂ż = σ' ∂C/∂ȧ + 2σ'' ż ∂C/∂ä and ∂C/∂z̈ = σ' ∂C/∂ä. `z` is (ż, z̈) and `delta` (δ,
/// δ̇, δ̈); σ'' ż ∂C/∂ȧ + (σ''' ż² + σ'' z̈) ∂C/∂ä is added to δ.
pub fn second_back<T: Real>(derivatives: [&[T]; 3], z: [&[T]; 2], delta: [&mut [T]; 3]) {
    let [first, second, third] = derivatives;
    zip([first, second, third, z[0], z[1]], delta, SecondBack);
}

#[derive(Clone, Copy)]
struct First;
#[derive(Clone, Copy)]
struct Second;
#[derive(Clone, Copy)]
struct ValueBack;
#[derive(Clone, Copy)]
struct FirstBack;
#[derive(Clone, Copy)]
struct SecondBack;

impl<T: Real> ZipFunction<T, 2, 1> for First {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, [s1, z1]: [V; 2], _old: [V; 1]) -> [V; 1] {
        [s1 * z1]
    }
}

impl<T: Real> ZipFunction<T, 4, 2> for Second {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, [s1, s2, z1, z2]: [V; 4], _old: [V; 2]) -> [V; 2] {
        [s1 * z1, (s2 * z1).mul_add(z1, s1 * z2)]
    }
}

impl<T: Real> ZipFunction<T, 1, 1> for ValueBack {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, [s1]: [V; 1], [d0]: [V; 1]) -> [V; 1] {
        [s1 * d0]
    }
}

impl<T: Real> ZipFunction<T, 3, 2> for FirstBack {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(self, [s1, s2, z1]: [V; 3], [d0, d1]: [V; 2]) -> [V; 2] {
        [(s2 * z1).mul_add(d1, d0), s1 * d1]
    }
}

impl<T: Real> ZipFunction<T, 5, 3> for SecondBack {
    #[inline(always)]
    fn of<V: Arithmetic<Scalar = T>>(
        self,
        [s1, s2, s3, z1, z2]: [V; 5],
        [d0, d1, d2]: [V; 3],
    ) -> [V; 3] {
        let slope = s2 * z1;
        let curve = (s3 * z1).mul_add(z1, s2 * z2);
        let twice = slope * d2;
        [
            curve.mul_add(d2, slope.mul_add(d1, d0)),
            s1.mul_add(d1, twice + twice),
            s1 * d2,
        ]
    }
}
