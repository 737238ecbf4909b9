//! The groups of a batch as the leaves of a binary tree, whose branches are summed by whichever thread is
//! free. Neighbours are added, then neighbours of these sums, and so on: the order of additions depends
//! only on the number of groups, never on which thread adds or when.

use std::ops::Range;
use std::sync::Mutex;

use crate::base::cancel::CancelToken;
use crate::base::sum::pairwise::add;
use crate::kernels::real::Real;

/// The most branches; bounds the memory of their sums.
const MAX_BRANCHES: usize = 64;

/// Adjacent groups that one thread sums: all leaves of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The first group, a multiple of `size`.
    first: usize,
    /// The number of groups, a power of two; the batch may end earlier.
    size: usize,
}

impl Branch {
    /// The groups of the branch, out of `groups` in total.
    pub fn groups(self, groups: usize) -> Range<usize> {
        self.first..groups.min(self.first + self.size)
    }

    fn is_left(self) -> bool {
        self.first.is_multiple_of(2 * self.size)
    }
}

/// The branches of `groups` groups for `threads` threads: large ones first, whose sums stay in a thread's
/// cache, then smaller ones, so that all threads finish at about the same time.
pub fn branches(groups: usize, threads: usize) -> impl Iterator<Item = Branch> + Clone + Send {
    let mut min_size = 1;
    while cut(groups, threads, min_size).count() > MAX_BRANCHES {
        min_size *= 2;
    }
    cut(groups, threads, min_size)
}

/// The same with branches of at least `min_size` groups, a power of two.
fn cut(
    groups: usize,
    threads: usize,
    min_size: usize,
) -> impl Iterator<Item = Branch> + Clone + Send {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = groups - first;
        let size = match (left, threads) {
            (0, _) => return None,
            (_, 1) => groups.next_power_of_two(),
            _ => (1 << (left / (2 * threads)).max(1).ilog2()).max(min_size),
        };
        let branch = Branch { first, size };
        first = branch.groups(groups).end;
        Some(branch)
    })
}

/// The sums of branches, added as they are completed.
pub struct SumTree<'a, T> {
    groups: usize,
    sums: Mutex<BranchSums<'a, T>>,
}

struct BranchSums<'a, T> {
    /// The memory of the total, which the sum of the first branch uses.
    total: Option<&'a mut [T]>,
    /// Unused buffers; the most recently used one is last.
    free: [Option<&'a mut [T]>; MAX_BRANCHES],
    /// Sums of branches whose neighbours are not complete.
    waiting: [Option<(Branch, &'a mut [T])>; MAX_BRANCHES],
}

impl<'a, T: Real> SumTree<'a, T> {
    /// A tree of `groups` groups, whose total goes to `total`. `buffers`: one buffer for each branch but the
    /// first, each as long as `total`.
    ///
    /// # Panics
    /// There are more than 64 buffers.
    pub fn new(
        groups: usize,
        total: &'a mut [T],
        buffers: impl Iterator<Item = &'a mut [T]>,
    ) -> Self {
        let mut free = [const { None }; MAX_BRANCHES];
        for (index, buffer) in buffers.enumerate() {
            free[index] = Some(buffer);
        }
        let sums = BranchSums {
            total: Some(total),
            free,
            waiting: [const { None }; MAX_BRANCHES],
        };
        Self {
            groups,
            sums: Mutex::new(sums),
        }
    }

    /// The buffer for the sum of a branch; None if the call is cancelled.
    ///
    /// # Panics
    /// The branch already has a buffer.
    pub fn buffer_for(&self, branch: Branch, cancel: &CancelToken<'_>) -> Option<&'a mut [T]> {
        let mut sums = cancel.lock(&self.sums)?;
        let buffer = match branch.first {
            0 => sums.total.take(),
            _ => sums.free.iter_mut().rev().find_map(Option::take),
        };
        Some(buffer.expect("a buffer for each branch"))
    }

    /// Takes the sum of a branch, and adds it to its neighbour if that is complete; then continues with the
    /// parent.
    pub fn complete(&self, branch: Branch, sum: &'a mut [T], cancel: &CancelToken<'_>) {
        let (mut node, mut sum) = (branch, sum);
        loop {
            // A node without a right neighbour passes its sum to its parent.
            while node.is_left() && node.first + node.size >= self.groups {
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
            let is_neighbour = |waiting: &mut (Branch, _)| waiting.0 == neighbour;
            let mut waiting = sums.waiting.iter_mut();
            let Some((_, other)) = waiting.find_map(|slot| slot.take_if(is_neighbour)) else {
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
    fn every_group_is_in_one_branch_and_every_branch_is_a_node() {
        for groups in (1..300).chain([1000, 4096, 100_003]) {
            for threads in [1, 2, 3, 8, 100] {
                let mut end = 0;
                for branch in branches(groups, threads) {
                    let these = branch.groups(groups);
                    assert_eq!(these.start, end);
                    assert!(
                        these.start.is_multiple_of(branch.size) && branch.size.is_power_of_two()
                    );
                    end = these.end;
                }
                assert_eq!(end, groups);
                let count = branches(groups, threads).count();
                assert!(
                    count <= MAX_BRANCHES && count >= groups.min(threads).min(MAX_BRANCHES / 2),
                    "{groups} {threads}"
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
    fn the_order_of_a_sum_depends_only_on_the_number_of_groups() {
        let values = (0_u8..200).map(|k| 1.0 / (1.0 + 0.37 * f32::from(k)));
        let values: Vec<f32> = values.collect();
        for groups in 1..values.len() {
            let values = &values[..groups];
            for threads in [1, 2, 3, 8] {
                let mut all: Vec<Branch> = branches(groups, threads).collect();
                for order in 0..3 {
                    match order {
                        0 => {}
                        1 => all.reverse(),
                        _ => all.sort_by_key(|branch| branch.first * 7919 % 31),
                    }
                    let (mut total, mut buffers) = ([f32::NAN], vec![[f32::NAN]; all.len() - 1]);
                    let tree = SumTree::new(
                        groups,
                        &mut total,
                        buffers.iter_mut().map(<[f32; 1]>::as_mut_slice),
                    );
                    for &branch in &all {
                        let cancel = &CancelToken::none();
                        let buffer = tree.buffer_for(branch, cancel).expect("nobody stops");
                        buffer[0] = sum(&values[branch.groups(groups)]);
                        tree.complete(branch, buffer, cancel);
                    }
                    let same = total[0].to_bits() == sum(values).to_bits();
                    assert!(same, "{groups} groups, {threads} threads, order {order}");
                }
            }
        }
    }
}
