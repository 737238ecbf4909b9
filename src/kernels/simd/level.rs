//! The SIMD level, detected once or named by `BPFAST_SIMD`, and the register type of each level.

use std::ops::Add;
use std::sync::OnceLock;

use crate::base::error::{Error, Result};
#[cfg(target_arch = "aarch64")]
use crate::kernels::simd::aarch64::{F32x4, F64x2};
use crate::kernels::simd::portable::Lanes;
use crate::kernels::simd::vector::Arithmetic;
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::x86::F32x8;
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::x86::F32x16;
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::x86::F64x4;
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::x86::F64x8;

/// The environment variable that names the level to use.
const VARIABLE: &str = "BPFAST_SIMD";

/// An instruction set. All levels but the baseline have fused multiply-add and give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// What every machine of the architecture has; no fused multiply-add.
    Baseline,
    /// AArch64's 128-bit registers.
    Neon,
    /// AVX2 with FMA, 256 bits.
    Avx2,
    /// AVX-512, 512 bits.
    Avx512,
}

impl Level {
    /// All levels, the widest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Baseline];

    /// The name that users type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this machine has the level.
    pub fn is_available(self) -> bool {
        match self {
            Self::Baseline => true,
            Self::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && Self::Avx2.is_available()
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// Whether multiply-add rounds once, as the elementary functions require.
    pub const fn is_fused(self) -> bool {
        !matches!(self, Self::Baseline)
    }

    fn widest() -> Self {
        let available = |level: &Self| level.is_available();
        Self::ALL
            .into_iter()
            .find(available)
            .unwrap_or(Self::Baseline)
    }

    /// The level that the environment names, or the widest available one.
    fn from_environment(named: Option<&str>) -> Result<Self> {
        let Some(name) = named.map(str::trim).filter(|name| !name.is_empty()) else {
            return Ok(Self::widest());
        };
        let named = |level: &Self| level.name() == name.to_lowercase();
        let level = Self::ALL
            .into_iter()
            .find(named)
            .ok_or_else(|| Error::unknown_name(VARIABLE, name, &Self::ALL.map(Self::name)))?;
        if level.is_available() {
            return Ok(level);
        }
        let expected = format!(
            "a level that this machine has, such as '{}'",
            Self::widest().name()
        );
        Err(Error::value(VARIABLE, expected, format_args!("'{name}'")))
    }
}

/// The level in use: the machine's widest, or the one that `BPFAST_SIMD` names. Read once.
///
/// # Errors
/// `BPFAST_SIMD` names an unknown level, or one that this machine lacks.
pub fn level() -> Result<Level> {
    in_use().clone()
}

fn in_use() -> &'static Result<Level> {
    static LEVEL: OnceLock<Result<Level>> = OnceLock::new();
    LEVEL.get_or_init(|| Level::from_environment(std::env::var(VARIABLE).ok().as_deref()))
}

/// The level at which the kernels run. A wrong name in the environment has made calls fail before this.
pub(in crate::kernels) fn current() -> Level {
    #[cfg(test)]
    if let Some(level) = forced::LEVEL.get() {
        return level;
    }
    in_use().as_ref().map_or(Level::Baseline, |&level| level)
}

/// Whether this machine executes a 512-bit multiplication as two halves, so that a 256-bit one takes half
/// the time. True for AMD's Zen 4, where it was measured; unknown for others.
pub(in crate::kernels) fn multiplies_in_halves() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        static HALVES: OnceLock<bool> = OnceLock::new();
        *HALVES.get_or_init(|| {
            #[allow(unused_unsafe)] // newer compilers declare it safe
            // SAFETY: every x86-64 has the instruction.
            let (vendor, version) = unsafe { (__cpuid(0), __cpuid(1).eax) };
            let name = [vendor.ebx, vendor.edx, vendor.ecx].map(u32::to_le_bytes);
            let family = ((version >> 8) & 0xf) + ((version >> 20) & 0xff);
            // Zen 3 is of the same family, but has no AVX-512.
            let is_family = name.as_flattened() == b"AuthenticAMD" && family == 0x19;
            is_family && Level::Avx512.is_available()
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// A scalar type with its register type at each level.
pub trait Registers:
    Copy + Default + From<u8> + Add<Output = Self> + Send + Sync + 'static
{
    /// At [`Level::Baseline`].
    type Baseline: Arithmetic<Scalar = Self>;
    /// At [`Level::Neon`]; on other machines arrays of the same shape, for the tests.
    type Neon: Arithmetic<Scalar = Self>;
    /// At [`Level::Avx2`].
    #[cfg(target_arch = "x86_64")]
    type Avx2: Arithmetic<Scalar = Self>;
    /// At [`Level::Avx512`].
    #[cfg(target_arch = "x86_64")]
    type Avx512: Arithmetic<Scalar = Self>;
}

impl Registers for f32 {
    type Baseline = Lanes<f32, 4, false>;
    #[cfg(target_arch = "aarch64")]
    type Neon = F32x4;
    #[cfg(not(target_arch = "aarch64"))]
    type Neon = Lanes<f32, 4, true>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = F32x8;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = F32x16;
}

impl Registers for f64 {
    type Baseline = Lanes<f64, 2, false>;
    #[cfg(target_arch = "aarch64")]
    type Neon = F64x2;
    #[cfg(not(target_arch = "aarch64"))]
    type Neon = Lanes<f64, 2, true>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = F64x4;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = F64x8;
}

/// A computation written once for every register type. `run` is inlined where the instructions are enabled.
pub(in crate::kernels) trait Computation<T> {
    /// Runs the computation.
    ///
    /// # Safety
    /// The machine has the instructions of `V`, and the computation's own requirements hold.
    unsafe fn run<V: Arithmetic<Scalar = T>>(self);
}

/// Runs `computation` at `level`.
///
/// # Safety
/// The machine has `level`, and the computation's own requirements hold.
pub(in crate::kernels) unsafe fn run<T: Registers>(level: Level, computation: impl Computation<T>) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
        unsafe fn avx512<T: Registers>(computation: impl Computation<T>) {
            // SAFETY: `target_feature` enables the instructions; the caller guarantees the computation's
            // requirements.
            unsafe { computation.run::<T::Avx512>() }
        }
        #[target_feature(enable = "avx2,fma")]
        unsafe fn avx2<T: Registers>(computation: impl Computation<T>) {
            // SAFETY: `target_feature` enables the instructions; the caller guarantees the computation's
            // requirements.
            unsafe { computation.run::<T::Avx2>() }
        }
        match level {
            // SAFETY: the caller guarantees the level.
            Level::Avx512 => return unsafe { avx512(computation) },
            // SAFETY: the caller guarantees the level.
            Level::Avx2 => return unsafe { avx2(computation) },
            Level::Neon | Level::Baseline => {}
        }
    }
    #[cfg(any(target_arch = "aarch64", test))]
    if level == Level::Neon {
        // SAFETY: every AArch64 has NEON, and arrays need no special instructions; the caller guarantees
        // the computation's requirements.
        return unsafe { computation.run::<T::Neon>() };
    }
    // SAFETY: as above.
    unsafe { computation.run::<T::Baseline>() }
}

/// The level that a test has set for its thread.
#[cfg(test)]
pub(in crate::kernels) mod forced {
    use std::cell::Cell;

    use super::Level;

    thread_local! {
        pub(super) static LEVEL: Cell<Option<Level>> = const { Cell::new(None) };
    }

    /// Runs `work` at `level` on this thread, overriding the level in use.
    pub(in crate::kernels) fn at<R>(level: Level, work: impl FnOnce() -> R) -> R {
        LEVEL.set(Some(level));
        let result = work();
        LEVEL.set(None);
        result
    }
}
