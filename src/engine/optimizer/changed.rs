//! What a step changes.

/// The most numbers that an optimizer keeps for a parameter: Adam's m and v.
pub const MOST_KEPT: usize = 2;

/// Some parameters, and what the optimizer keeps for each, side by side: they are cut together.
#[derive(Debug)]
pub struct Changed<'a, T> {
    /// The parameters.
    pub params: &'a mut [T],
    /// Each as long as they are; behind the first `count`, empty.
    kept: [&'a mut [T]; MOST_KEPT],
    count: usize,
}

impl<'a, T> Changed<'a, T> {
    /// `params`, and what is kept for them.
    ///
    /// # Panics
    /// More is kept than [`MOST_KEPT`], or something of another length.
    pub fn new(params: &'a mut [T], kept: impl IntoIterator<Item = &'a mut [T]>) -> Self {
        let mut changed = Self {
            params,
            kept: Default::default(),
            count: 0,
        };
        for kept in kept {
            assert_eq!(kept.len(), changed.params.len(), "what an optimizer keeps");
            changed.kept[changed.count] = kept;
            changed.count += 1;
        }
        changed
    }

    /// How many numbers are kept for each parameter.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The same, for a shorter time.
    pub fn reborrow(&mut self) -> Changed<'_, T> {
        Changed {
            params: self.params,
            kept: self.kept.each_mut().map(|kept| &mut **kept),
            count: self.count,
        }
    }

    /// The first `length`, which are no longer here then; None where there are not so many.
    pub fn cut(&mut self, length: usize) -> Option<Self> {
        let params = self.params.split_off_mut(..length)?;
        let mut kept: [&mut [T]; MOST_KEPT] = Default::default();
        for (kept, rest) in kept.iter_mut().zip(&mut self.kept).take(self.count) {
            *kept = rest.split_off_mut(..length)?;
        }
        Some(Self {
            params,
            kept,
            count: self.count,
        })
    }

    /// The parameters, then each of what is kept.
    pub fn parts(&self) -> impl Iterator<Item = &[T]> {
        let kept = self.kept[..self.count].iter();
        std::iter::once(&*self.params).chain(kept.map(|kept| &**kept))
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let kept = self.kept[..self.count].iter_mut();
        std::iter::once(&mut *self.params).chain(kept.map(|kept| &mut **kept))
    }

    /// The parameters, and the KEPT that are kept for each.
    ///
    /// # Panics
    /// Others are kept than KEPT.
    pub(super) fn split<const KEPT: usize>(self) -> (&'a mut [T], [&'a mut [T]; KEPT]) {
        assert_eq!(self.count, KEPT, "what an optimizer keeps");
        let mut kept = self.kept.into_iter();
        (
            self.params,
            std::array::from_fn(|_| kept.next().expect("counted")),
        )
    }
}
