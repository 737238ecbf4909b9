//! Ranges of addresses, of which those that overlap another one are found among thousands.

use std::ops::Range;

use crate::base::alloc::{try_push, try_reserve};
use crate::base::error::Result;

/// A range longer than this, in bytes, is compared with every other one.
const LONG: usize = 1 << 14;
/// The most ranges that are not sorted: comparing with them takes as long as the rest of a call.
const MAX_RECENT: usize = 256;

/// Ranges with a key and a value each. They may overlap.
#[derive(Debug)]
pub struct Ranges<T> {
    /// Sorted by their starts. Those that are removed keep their places until the next merge.
    sorted: Vec<Item<T>>,
    removed: usize,
    /// The last ones, not sorted.
    recent: Vec<Item<T>>,
    long: Vec<Item<T>>,
}

#[derive(Debug, Clone, Copy)]
struct Item<T> {
    start: usize,
    end: usize,
    /// 0 if it is removed.
    key: u64,
    value: T,
}

impl<T> Item<T> {
    fn overlaps(&self, range: &Range<usize>) -> bool {
        self.key != 0 && self.start.max(range.start) < self.end.min(range.end)
    }
}

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Ranges<T> {
    /// No ranges.
    pub const fn new() -> Self {
        Self {
            sorted: Vec::new(),
            removed: 0,
            recent: Vec::new(),
            long: Vec::new(),
        }
    }
}

impl<T: Copy> Ranges<T> {
    /// The value of a range that overlaps `range` and satisfies `predicate`.
    #[inline]
    pub fn find(&self, range: &Range<usize>, predicate: impl Fn(u64, &T) -> bool) -> Option<&T> {
        let is_wanted = |item: &&Item<T>| item.overlaps(range) && predicate(item.key, &item.value);
        let mut found = self.recent.iter().find(is_wanted);
        if found.is_none() && !self.long.is_empty() {
            found = self.long.iter().find(is_wanted);
        }
        if found.is_none() && !self.sorted.is_empty() {
            // Those that begin earlier end before `range`.
            let reach = range.start.saturating_sub(LONG);
            let first = self.sorted.partition_point(|item| item.start < reach);
            let near = self.sorted[first..].iter();
            found = near
                .take_while(|item| item.start < range.end)
                .find(is_wanted);
        }
        found.map(|item| &item.value)
    }

    /// Adds a range. The key, which is not 0, is that of no other one.
    ///
    /// # Errors
    /// Memory runs out; errors call the ranges `what`.
    #[inline]
    pub fn add(&mut self, what: &str, range: &Range<usize>, key: u64, value: T) -> Result<()> {
        let (start, end) = (range.start, range.end);
        let item = Item {
            start,
            end,
            key,
            value,
        };
        if is_long(range) {
            return try_push(what, &mut self.long, item);
        }
        if self.recent.len() >= MAX_RECENT {
            self.merge(what)?;
        }
        try_push(what, &mut self.recent, item)
    }

    /// Sorts the recent ranges into the others.
    #[cold]
    fn merge(&mut self, what: &str) -> Result<()> {
        if self.removed * 2 > self.sorted.len() {
            self.sorted.retain(|item| item.key != 0);
            self.removed = 0;
        }
        try_reserve(what, &mut self.sorted, self.recent.len())?;
        self.recent.sort_unstable_by_key(|item| item.start);
        // From the end, so that nothing is overwritten that is still to be moved.
        let mut left = self.sorted.len();
        self.sorted.extend_from_slice(&self.recent);
        let mut place = self.sorted.len();
        while let Some(&last) = self.recent.last() {
            place -= 1;
            if left > 0 && self.sorted[left - 1].start > last.start {
                left -= 1;
                self.sorted[place] = self.sorted[left];
            } else {
                self.sorted[place] = last;
                self.recent.pop();
            }
        }
        Ok(())
    }

    /// Removes the range with this key, if there is one.
    #[inline]
    pub fn remove(&mut self, range: &Range<usize>, key: u64) {
        let list = if is_long(range) {
            &mut self.long
        } else if self.sorted.is_empty() {
            &mut self.recent
        } else {
            let first = (self.sorted).partition_point(|item| item.start < range.start);
            let mut same = self.sorted[first..].iter_mut();
            let mut same = same.by_ref().take_while(|item| item.start == range.start);
            if let Some(item) = same.find(|item| item.key == key) {
                item.key = 0;
                self.removed += 1;
                if self.removed == self.sorted.len() {
                    self.sorted.clear();
                    self.removed = 0;
                }
                return;
            }
            &mut self.recent
        };
        if let Some(index) = list.iter().rposition(|item| item.key == key) {
            list.swap_remove(index); // usually the last
        }
    }

    /// Keeps those whose value satisfies `predicate`.
    pub fn retain(&mut self, predicate: impl Fn(&T) -> bool) {
        for list in [&mut self.sorted, &mut self.recent, &mut self.long] {
            list.retain(|item| item.key != 0 && predicate(&item.value));
        }
        self.removed = 0;
    }
}

fn is_long(range: &Range<usize>) -> bool {
    range.end.saturating_sub(range.start) > LONG
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::philox;

    /// All calls beside a list that is searched from end to end.
    #[test]
    fn ranges_are_found_by_overlap() {
        let (mut ranges, mut list) = (Ranges::new(), Vec::<(Range<usize>, u64, usize)>::new());
        let mut count = 0;
        let mut random = |below: usize| {
            count += 1;
            philox(1, [count, 0, 0, 0])[0] as usize % below
        };
        for key in 1..6000_u64 {
            let start = random(1 << 20);
            let length = [0, 8, 300, LONG, LONG + 1, 1 << 17][random(6)];
            let range = start..start + length;
            let value = random(10);
            ranges.add("ranges", &range, key, value).expect("memory");
            list.push((range, key, value));
            // First more and more, then about as many.
            let removed = random(if key < 3000 { 2 } else { 3 });
            for _ in 0..removed.min(list.len()) {
                let (range, key, _) = list.swap_remove(random(list.len()));
                ranges.remove(&range, key);
            }
            let wanted = random(1 << 20)..random(1 << 20);
            let asked = random(10);
            let overlap =
                |other: &Range<usize>| other.start.max(wanted.start) < other.end.min(wanted.end);
            let expected = list
                .iter()
                .any(|(range, _, value)| overlap(range) && *value == asked);
            let found = ranges.find(&wanted, |_, &value| value == asked);
            assert_eq!(found.is_some(), expected, "{wanted:?}");
        }
        assert!(list.len() > MAX_RECENT);
        ranges.retain(|&value| value > 4);
        assert!(ranges.find(&(0..1 << 21), |_, &value| value < 5).is_none());
        for (range, key, _) in list {
            ranges.remove(&range, key);
        }
        assert!(ranges.find(&(0..1 << 21), |_, _| true).is_none());
        assert!(ranges.sorted.is_empty() && ranges.recent.is_empty() && ranges.long.is_empty());
    }
}
