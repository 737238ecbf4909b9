//! Parameters together with the optimizer's state.

/// The most state values per parameter: Adam's m and v.
pub const MAX_STATES: usize = 2;

/// Some parameters and the optimizer's state for them, which are split together.
#[derive(Debug)]
pub struct ParamsAndState<'a, T> {
    /// The parameters.
    pub params: &'a mut [T],
    /// Each as long as `params`; unused ones are empty.
    state: [&'a mut [T]; MAX_STATES],
    count: usize,
}

impl<'a, T> ParamsAndState<'a, T> {
    /// `params` and their state.
    ///
    /// # Panics
    /// There are more than [`MAX_STATES`] state slices, or one has another length than `params`.
    pub fn new(params: &'a mut [T], state: impl IntoIterator<Item = &'a mut [T]>) -> Self {
        let mut params_and_state = Self {
            params,
            state: Default::default(),
            count: 0,
        };
        for state in state {
            assert_eq!(
                state.len(),
                params_and_state.params.len(),
                "the state slices of the optimizer"
            );
            params_and_state.state[params_and_state.count] = state;
            params_and_state.count += 1;
        }
        params_and_state
    }

    /// The number of state values per parameter.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The same, reborrowed.
    pub fn reborrow(&mut self) -> ParamsAndState<'_, T> {
        ParamsAndState {
            params: self.params,
            state: self.state.each_mut().map(|state| &mut **state),
            count: self.count,
        }
    }

    /// Splits off and returns the first `length` parameters; None if there are fewer.
    pub fn split_front(&mut self, length: usize) -> Option<Self> {
        let params = self.params.split_off_mut(..length)?;
        let mut state: [&mut [T]; MAX_STATES] = Default::default();
        for (state, rest) in state.iter_mut().zip(&mut self.state).take(self.count) {
            *state = rest.split_off_mut(..length)?;
        }
        Some(Self {
            params,
            state,
            count: self.count,
        })
    }

    /// The parameters, then each state slice.
    pub fn slices(&self) -> impl Iterator<Item = &[T]> {
        let state = self.state[..self.count].iter();
        std::iter::once(&*self.params).chain(state.map(|state| &**state))
    }

    /// The same, mutable.
    pub fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let state = self.state[..self.count].iter_mut();
        std::iter::once(&mut *self.params).chain(state.map(|state| &mut **state))
    }

    /// The parameters and their STATE state slices.
    ///
    /// # Panics
    /// The number of state slices is not STATE.
    pub(super) fn into_slices<const STATE: usize>(self) -> (&'a mut [T], [&'a mut [T]; STATE]) {
        assert_eq!(self.count, STATE, "the state slices of the optimizer");
        let mut state = self.state.into_iter();
        (
            self.params,
            std::array::from_fn(|_| state.next().expect("counted")),
        )
    }
}
