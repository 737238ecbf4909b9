//! The groups of a batch as the leaves of a binary tree, whose branches are summed by whichever thread is
//! free. Neighbours are added, then neighbours of these sums, and so on: the order of additions depends
//! only on the number of groups, never on which thread adds or when.

use std::ops::Range;
use std::sync::Mutex;

use crate::base::cancel::CancelToken;
use crate::base::sum::pairwise::add;
use crate::kernels::real::Real;

/// The most branches; bounds the memory of their sums.
const MOST: usize = 64;

/// Adjacent groups that one thread sums: all leaves of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The first group, a multiple of `size`.
    first: usize,
    /// The number of groups, a power of two; the batch may end earlier.
    size: usize,
}

impl Branch {
    /// The groups of the branch, out of `runs` in total.
    pub fn runs(self, runs: usize) -> Range<usize> {
        self.first..runs.min(self.first + self.size)
    }

    fn is_left(self) -> bool {
        self.first.is_multiple_of(2 * self.size)
    }
}

/// The branches of `runs` groups for `threads` threads: large ones first, whose sums stay in a thread's
/// cache, then smaller ones, so that all threads finish at about the same time.
pub fn branches(runs: usize, threads: usize) -> impl Iterator<Item = Branch> + Clone + Send {
    let mut least = 1;
    while cut(runs, threads, least).count() > MOST {
        least *= 2;
    }
    cut(runs, threads, least)
}

/// The same with branches of at least `least` groups, a power of two.
fn cut(runs: usize, threads: usize, least: usize) -> impl Iterator<Item = Branch> + Clone + Send {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = runs - first;
        let size = match (left, threads) {
            (0, _) => return None,
            (_, 1) => runs.next_power_of_two(),
            _ => (1 << (left / (2 * threads)).max(1).ilog2()).max(least),
        };
        let branch = Branch { first, size };
        first = branch.runs(runs).end;
        Some(branch)
    })
}

/// The sums of branches, added as they are completed.
pub struct Tree<'a, T> {
    runs: usize,
    sums: Mutex<Sums<'a, T>>,
}

struct Sums<'a, T> {
    /// The memory of the total, which the sum of the first branch uses.
    place: Option<&'a mut [T]>,
    /// Unused buffers; the most recently used one is last.
    free: [Option<&'a mut [T]>; MOST],
    /// Sums whose neighbours are not complete.
    waiting: [Option<(Branch, &'a mut [T])>; MOST],
}

impl<'a, T: Real> Tree<'a, T> {
    /// A tree of `runs` groups, whose total goes to `place`. `rooms`: one buffer for each branch but the
    /// first, each as long as `place`.
    ///
    /// # Panics
    /// There are more than 64 buffers.
    pub fn new(runs: usize, place: &'a mut [T], rooms: impl Iterator<Item = &'a mut [T]>) -> Self {
        let mut free = [const { None }; MOST];
        for (index, room) in rooms.enumerate() {
            free[index] = Some(room);
        }
        let sums = Sums {
            place: Some(place),
            free,
            waiting: [const { None }; MOST],
        };
        Self {
            runs,
            sums: Mutex::new(sums),
        }
    }

    /// The buffer for the sum of a branch; None if the call is cancelled.
    ///
    /// # Panics
    /// The branch already has a buffer.
    pub fn place_for(&self, branch: Branch, cancel: &CancelToken<'_>) -> Option<&'a mut [T]> {
        let mut sums = cancel.lock(&self.sums)?;
        let place = match branch.first {
            0 => sums.place.take(),
            _ => sums.free.iter_mut().rev().find_map(Option::take),
        };
        Some(place.expect("room for each branch"))
    }

    /// Takes the sum of a branch, and adds it to its neighbour if that is complete; then continues with the
    /// parent.
    pub fn join(&self, branch: Branch, sum: &'a mut [T], cancel: &CancelToken<'_>) {
        let (mut node, mut sum) = (branch, sum);
        loop {
            // A node without a right neighbour passes its sum to its parent.
            while node.is_left() && node.first + node.size >= self.runs {
                if node.first == 0 {
                    return;
                }
                node.size *= 2;
            }
            let neighbour = Branch {
                first: node.first ^ node.size,
                ..node
            };
            let Some(mut sums) = cancel.lock(&self.sums) else {
                return;
            };
            let is_there = |waiting: &mut (Branch, _)| waiting.0 == neighbour;
            let mut waiting = sums.waiting.iter_mut();
            let Some((_, other)) = waiting.find_map(|slot| slot.take_if(is_there)) else {
                put(&mut sums.waiting, (node, sum));
                return;
            };
            drop(sums);
            let (left, right) = if node.is_left() {
                (sum, other)
            } else {
                (other, sum)
            };
            add(left, right, cancel);
            let Some(mut sums) = cancel.lock(&self.sums) else {
                return;
            };
            put(&mut sums.free, right);
            sum = left;
            node = Branch {
                first: node.first.min(neighbour.first),
                size: 2 * node.size,
            };
        }
    }
}

fn put<P>(slots: &mut [Option<P>], new: P) {
    let slot = slots.iter_mut().find(|slot| slot.is_none());
    *slot.expect("fewer than there are branches") = Some(new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_is_in_one_branch_and_every_branch_is_a_node() {
        for runs in (1..300).chain([1000, 4096, 100_003]) {
            for threads in [1, 2, 3, 8, 100] {
                let mut end = 0;
                for branch in branches(runs, threads) {
                    let these = branch.runs(runs);
                    assert_eq!(these.start, end);
                    assert!(
                        these.start.is_multiple_of(branch.size) && branch.size.is_power_of_two()
                    );
                    end = these.end;
                }
                assert_eq!(end, runs);
                let count = branches(runs, threads).count();
                assert!(
                    count <= MOST && count >= runs.min(threads).min(MOST / 2),
                    "{runs} {threads}"
                );
            }
        }
    }

    /// The sum of neighbours, then of neighbours of these sums.
    fn sum(values: &[f32]) -> f32 {
        if let [value] = values {
            return *value;
        }
        let (left, right) = values.split_at(values.len().next_power_of_two() / 2);
        sum(left) + sum(right)
    }

    #[test]
    fn the_order_of_a_sum_follows_from_the_number_of_runs() {
        let values = (0_u8..200).map(|run| 1.0 / (1.0 + 0.37 * f32::from(run)));
        let values: Vec<f32> = values.collect();
        for runs in 1..values.len() {
            let values = &values[..runs];
            for threads in [1, 2, 3, 8] {
                let mut all: Vec<Branch> = branches(runs, threads).collect();
                for turn in 0..3 {
                    match turn {
                        0 => {}
                        1 => all.reverse(),
                        _ => all.sort_by_key(|branch| branch.first * 7919 % 31),
                    }
                    let (mut place, mut rooms) = ([f32::NAN], vec![[f32::NAN]; all.len() - 1]);
                    let tree = Tree::new(
                        runs,
                        &mut place,
                        rooms.iter_mut().map(<[f32; 1]>::as_mut_slice),
                    );
                    for &branch in &all {
                        let cancel = &CancelToken::none();
                        let place_of_sum = tree.place_for(branch, cancel).expect("nobody stops");
                        place_of_sum[0] = sum(&values[branch.runs(runs)]);
                        tree.join(branch, place_of_sum, cancel);
                    }
                    let same = place[0].to_bits() == sum(values).to_bits();
                    assert!(same, "{runs} runs, {threads} threads, turn {turn}");
                }
            }
        }
    }
}
