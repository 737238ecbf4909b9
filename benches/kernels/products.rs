//! The three products of backpropagation at the shapes of the cases: bpfast's kernels beside the crates
//! `gemm` and `matrixmultiply`, on one core.
//!
//! `cargo bench --features bench --bench kernels` prints a table and writes
//! `target/bench/kernels-LEVEL.json`. At the SIMD level avx512 the feature is `bench-avx512`. Arguments after
//! `--`: `peak` prints, as a line of JSON, the floating-point operations per second of fused multiply-adds
//! alone, by number of threads; `latency` prints the seconds of the products and activations of a small
//! network for one example; `quick` runs one case, and names of cases run those.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bpfast::base::cancel::CancelToken;
use bpfast::kernels::gemm::{self, Accumulate, Context, Matrix, MatrixMut};
use bpfast::kernels::peak;
use bpfast::kernels::simd::level;
use bpfast::{Activation, Real};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

/// Name, rows of a chunk, `n_in`, `n_out`, whether float64: the largest dense layer of each case, at the
/// rows that a chunk of it has on two threads.
const SHAPES: [(&str, usize, usize, usize, bool); 11] = [
    ("nielsen30", 10, 784, 30, false),
    ("nielsen100", 16, 784, 100, false),
    ("rl64-1", 1, 64, 64, false),
    ("rl64-64", 32, 64, 64, false),
    ("tab256", 64, 256, 256, false),
    ("mlp512", 64, 784, 512, false),
    ("pinn", 128, 50, 50, true),
    ("wide", 512, 1024, 1024, false),
    ("wide-f8", 512, 1024, 1024, true),
    ("chains", 256, 32, 16, false),
    ("ctr", 256, 64, 32, false),
];

/// How long a sample lasts.
const SAMPLE: Duration = Duration::from_millis(3);
const ROUNDS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    if asked("peak") {
        println!(
            "{{\"float32\": {}, \"float64\": {}}}",
            peaks::<f32>(),
            peaks::<f64>()
        );
        return;
    }
    if asked("latency") {
        println!("{{\"seconds\": {:.4e}}}", latency());
        return;
    }
    let level = level().expect("BPFAST_SIMD names a level").name();
    check_features(level);
    let named = SHAPES.iter().any(|shape| asked(shape.0));
    let shapes = SHAPES
        .iter()
        .filter(|shape| asked(shape.0) || !named)
        .filter(|shape| shape.0 == "rl64-1" || !asked("quick"));
    println!("level: {level}");
    println!(
        "{:<11} {:<10} {:>18} {:>8} {:>8} {:>15}",
        "case", "product", "m x k x n", "bpfast", "gemm", "matrixmultiply"
    );
    let rows: Vec<String> = shapes
        .flat_map(|&(case, rows, n_in, n_out, double)| {
            if double {
                compare::<f64>(case, rows, n_in, n_out)
            } else {
                compare::<f32>(case, rows, n_in, n_out)
            }
        })
        .collect();
    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder).expect("target can be written");
    let json = format!("[\n{}\n]\n", rows.join(",\n"));
    std::fs::write(folder.join(format!("kernels-{level}.json")), json)
        .expect("target can be written");
}

/// Ends the program if the crates would run at another SIMD level than bpfast. They have no variable for it:
/// the features of the build decide whether they use AVX-512 where the CPU has it.
fn check_features(level: &str) {
    let is_wide = cfg!(feature = "bench-avx512");
    if is_wide != (level == "avx512") {
        let features = if is_wide { "bench" } else { "bench-avx512" };
        eprintln!("level {level}: gemm and matrixmultiply need --features {features}");
        std::process::exit(2);
    }
}

/// The operations per second with 1, 2, 4, … threads and all, as JSON.
fn peaks<T: Real>() -> String {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    let powers = (0..usize::BITS).map(|bit| 1 << bit);
    let mut counts: Vec<usize> = powers.take_while(|&count| count < all).collect();
    counts.push(all);
    let entries: Vec<String> = counts
        .into_iter()
        .map(|threads| format!("\"{threads}\": {:.4e}", peak_of::<T>(threads)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

/// The median of a few samples of `threads` threads at once.
fn peak_of<T: Real>(threads: usize) -> f64 {
    let sample = || {
        std::thread::scope(|scope| {
            let one = || {
                let start = Instant::now();
                let mut done = 0;
                while start.elapsed() < 5 * SAMPLE {
                    let (operations, number) =
                        peak::multiply_adds(20_000, T::HALF).expect("BPFAST_SIMD names a level");
                    black_box(number);
                    done += operations;
                }
                rate(done, start.elapsed())
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            let rates = threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            rates.sum::<f64>()
        })
    };
    median((0..7).map(|_| sample()).collect())
}

/// The layers of the case rl64-1, whose hidden layers have tanh.
const SMALL: [usize; 4] = [8, 64, 64, 4];

/// The seconds of the forward pass of one example through [`SMALL`], in float32: its products with their
/// biases and its activations, by the kernels alone.
fn latency() -> f64 {
    let layers: Vec<(Vec<f32>, Vec<f32>)> = SMALL
        .windows(2)
        .map(|sizes| (numbers(sizes[0] * sizes[1]), numbers(sizes[1])))
        .collect();
    let mut a: Vec<Vec<f32>> = SMALL.iter().map(|&size| numbers(size)).collect();
    let mut pack_buffer = vec![0.0; gemm::pack_buffer::<f32>((64, 64), 1)];
    let cancel = CancelToken::none();
    let context = &mut Context::new(&mut pack_buffer, &cancel);
    let mut forward = || {
        for (index, (w, b)) in layers.iter().enumerate() {
            let (below, above) = a.split_at_mut(index + 1);
            let (x, z) = (black_box(below[index].as_slice()), above[0].as_mut_slice());
            let w = Matrix::by_rows(w, x.len(), b.len());
            let product = MatrixMut::by_rows(z, 1, b.len());
            gemm::forward(Matrix::by_rows(x, 1, x.len()), w, b, product, context);
            if index + 1 < layers.len() {
                Activation::Tanh.apply(z, b.len(), &cancel);
            }
            black_box(z);
        }
    };
    let mut sample = || {
        let (start, mut calls) = (Instant::now(), 0);
        while start.elapsed() < SAMPLE {
            // The clock costs a tenth of a pass.
            for _ in 0..256 {
                forward();
            }
            calls += 256;
        }
        start.elapsed().as_secs_f64() / f64::from(calls)
    };
    median((0..ROUNDS).map(|_| sample()).collect())
}

#[allow(clippy::cast_precision_loss)] // counts below 2^53
fn rate(operations: usize, time: Duration) -> f64 {
    operations as f64 / time.as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn numbers<T: Real>(length: usize) -> Vec<T> {
    (0..length)
        .map(|index| T::from_f64(f64::from(u32::try_from(index % 17).expect("small")) / 8.0 - 1.0))
        .collect()
}

/// The products of one layer by each of the three, in interleaved rounds: a JSON object each.
fn compare<T: Real + 'static>(case: &str, rows: usize, n_in: usize, n_out: usize) -> Vec<String> {
    let (a, w, delta): (Vec<T>, Vec<T>, Vec<T>) = (
        numbers(rows * n_in),
        numbers(n_in * n_out),
        numbers(rows * n_out),
    );
    let bias = vec![T::ZERO; n_out];
    let mut pack_buffer = vec![T::ZERO; gemm::pack_buffer::<T>((n_in, n_out), rows)];
    let cancel = CancelToken::none();
    let context = &mut Context::new(&mut pack_buffer, &cancel);
    let mut out = vec![T::ZERO; (rows * n_out).max(rows * n_in).max(n_in * n_out)];

    let mut lines = Vec::new();
    for kind in ["forward", "errors", "gradients"] {
        let (m, k, n) = match kind {
            "forward" => (rows, n_in, n_out),
            "errors" => (rows, n_out, n_in),
            _ => (n_in, rows, n_out),
        };
        let (left, right): (ArrayView2<'_, T>, ArrayView2<'_, T>) = match kind {
            "forward" => (matrix(&a, n_in), matrix(&w, n_out)),
            "errors" => (matrix(&delta, n_out), matrix(&w, n_out).reversed_axes()),
            _ => (matrix(&a, n_in).reversed_axes(), matrix(&delta, n_out)),
        };
        let mut samples: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            let out = &mut out[..m * n];
            samples[0].push(per_second(m * k * n, || match kind {
                "forward" => {
                    let (a, w) = (Matrix::by_rows(&a, m, k), Matrix::by_rows(&w, k, n));
                    gemm::forward(a, w, &bias, MatrixMut::by_rows(out, m, n), context);
                }
                "errors" => {
                    let (delta, w) = (Matrix::by_rows(&delta, m, k), Matrix::by_rows(&w, n, k));
                    gemm::errors(delta, w, MatrixMut::by_rows(out, m, n), context);
                }
                _ => {
                    let (a, delta) = (Matrix::by_rows(&a, k, m), Matrix::by_rows(&delta, k, n));
                    gemm::gradients(a, delta, out, false, Accumulate::Overwrite, context);
                }
            }));
            samples[1].push(per_second(m * k * n, || by_gemm(&left, &right, out)));
            samples[2].push(per_second(m * k * n, || {
                let mut out = ArrayViewMut2::from_shape((m, n), &mut *out).expect("m n numbers");
                general_mat_mul(T::ONE, &left, &right, T::ZERO, &mut out);
            }));
        }
        let [own, gemm, matrixmultiply] = samples.map(|sample| median(sample) / 1e9);
        let shape = format!("{m} x {k} x {n}");
        println!("{case:<11} {kind:<10} {shape:>18} {own:8.1} {gemm:8.1} {matrixmultiply:15.1}");
        let mut line = String::new();
        write!(
            line,
            "  {{\"case\": \"{case}\", \"product\": \"{kind}\", \"m\": {m}, \"k\": {k}, \"n\": {n}, \
             \"dtype\": \"{}\", \"bpfast\": {own:.2}, \"gemm\": {gemm:.2}, \
             \"matrixmultiply\": {matrixmultiply:.2}}}",
            T::DTYPE
        )
        .expect("a string can be written to");
        lines.push(line);
    }
    lines
}

/// Floating-point operations per second of a product of `multiply_adds`.
fn per_second(multiply_adds: usize, mut product: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut done = 0;
    while start.elapsed() < SAMPLE {
        // The clock costs as much as a small product.
        for _ in 0..=(1 << 16) / multiply_adds {
            product();
            done += 2 * multiply_adds;
        }
    }
    rate(done, start.elapsed())
}

fn matrix<T>(numbers: &[T], columns: usize) -> ArrayView2<'_, T> {
    ArrayView2::from_shape((numbers.len() / columns, columns), numbers).expect("whole rows")
}

/// C ← A B by the crate `gemm`, on this thread.
#[allow(unsafe_code, clippy::cast_possible_wrap)]
fn by_gemm<T: Real + 'static>(a: &ArrayView2<'_, T>, b: &ArrayView2<'_, T>, c: &mut [T]) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert_eq!((b.nrows(), c.len()), (k, m * n));
    // SAFETY: the strides are those of the views, and C has m n numbers.
    unsafe {
        ::gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a.strides()[1],
            a.strides()[0],
            b.as_ptr(),
            b.strides()[1],
            b.strides()[0],
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            ::gemm::Parallelism::None,
        );
    }
}
