//! Early stopping of a training.

/// Early stopping on a cost, as `bpfast.EarlyStopping` defines it.
#[derive(Debug)]
pub struct Stopping<'a, T> {
    /// The epochs without improvement after which the training stops.
    pub patience: u64,
    /// A cost is better if it is lower than the best one by more than this.
    pub min_delta: f64,
    /// The best cost so far.
    pub best: f64,
    /// Its epoch; 0 before the first.
    pub best_epoch: u64,
    /// Whether the cost of the validation is watched, and not that of the training.
    pub of_validation: bool,
    /// Where to keep the parameters of the best epoch; empty if nobody asks for them.
    pub best_params: &'a mut [T],
    /// Whether the training is over.
    pub is_over: bool,
}

impl<T: Copy> Stopping<'_, T> {
    /// Compares the cost of an epoch with the best one, and keeps its parameters if it is better.
    pub fn record(&mut self, epoch: u64, cost: f64, params: &[T]) {
        let gain = self.best - cost;
        if cost.is_finite() && (gain > self.min_delta || self.best_epoch == 0) {
            (self.best, self.best_epoch) = (cost, epoch);
            let kept = self.best_params.len();
            self.best_params.copy_from_slice(&params[..kept]);
        }
        self.is_over = epoch - self.best_epoch >= self.patience;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_after_patience_and_has_the_parameters_of_the_best_epoch() {
        let mut best_params = [0.0];
        let mut stopping = Stopping {
            patience: 2,
            min_delta: 0.1,
            best: f64::INFINITY,
            best_epoch: 0,
            of_validation: false,
            best_params: &mut best_params,
            is_over: false,
        };
        let mut over = Vec::new();
        for (epoch, cost) in (1..).zip([f64::NAN, 1.0, 0.5, 0.45, f64::NEG_INFINITY, 0.1]) {
            stopping.record(epoch, cost, &[cost]);
            over.push(stopping.is_over);
        }
        // Infinite costs are never better, nor is one that is better by less than `min_delta`.
        assert_eq!(over, [false, false, false, false, true, false]);
        assert_eq!((stopping.best, stopping.best_epoch), (0.1, 6));
        assert_eq!(best_params.map(f64::to_bits), [0.1_f64.to_bits()]);
    }
}
