//! Promises of the whole crate: recorded bits, and what happens when memory runs out.
//!
//! They share one program, because the crate is generic and each program compiles all that it uses of it. It
//! has its own `main`, because a test harness allocates too. `cargo test --test integration WORD` runs the tests
//! whose names contain WORD.

// The Python module has an allocator of its own, so that of these tests is not used.
#[cfg_attr(feature = "python", allow(dead_code, unused_imports))]
mod allocations;
mod bits;
mod bits_cases;
mod derivatives;

use std::env;

type Test = (&'static str, fn());

const BITS: [Test; 2] = [
    (
        "every machine computes the same bits",
        bits::every_machine_computes_the_same_bits,
    ),
    (
        "every machine computes the same bits of derivatives",
        derivatives::every_machine_computes_the_same_derivatives,
    ),
];

fn main() {
    // Options of the test harness, such as --nocapture, have no meaning here.
    let words = env::args().skip(1).filter(|word| !word.starts_with('-'));
    let words: Vec<String> = words.collect();
    let mut passed = 0;
    // The Python module has an allocator of its own, which does not fail.
    let allocations = allocations::TESTS.into_iter();
    let allocations = allocations.filter(|_| cfg!(not(feature = "python")));
    // Bits come last, because a test of allocations fails the start of the first threads.
    for (name, test) in allocations.chain(BITS) {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            test(); // panics if it fails, which ends the program with a code that cargo sees
            println!("test {name} ... ok");
            passed += 1;
        }
    }
    println!("test result: ok. {passed} passed");
}
