#!/bin/sh
# The tests of the kernels, and hashes of forward, backprop and training, on AArch64 under qemu:
#
#   tools/test_arm.sh [ROOT]
#
# Needs Rust's target aarch64-unknown-linux-gnu, a C linker for it and qemu's user mode, from this machine
# or, as root, from a Debian system in the folder ROOT. CONTRIBUTING.md says how to make one.
set -eu

target=aarch64-unknown-linux-gnu
gcc=aarch64-linux-gnu-gcc
cd "$(dirname "$0")/.."

missing() {
  echo "test-arm: $1 is missing; install it, or set ROOT to a Debian system that has it (CONTRIBUTING.md)" >&2
  exit 1
}

if [ -n "${1-}" ]; then
  # The sources and the crates are copied, so that ROOT needs no network. Files keep their times, so only
  # what has changed is built again.
  [ -x "$1/usr/bin/apt-get" ] || { echo "test-arm: ROOT=$1 is no Debian system (CONTRIBUTING.md)" >&2; exit 1; }
  copy=$1/opt/bpfast
  mkdir -p "$copy/.cargo"
  rm -rf "$copy/src" "$copy/tests" "$copy/benches" "$copy/tools"
  cp -a Cargo.toml Cargo.lock README.md src tests benches tools "$copy"
  if ! cmp -s Cargo.lock "$copy/vendor/Cargo.lock"; then
    rm -rf "$copy/vendor"
    cargo vendor --quiet --locked "$copy/vendor"
    cp Cargo.lock "$copy/vendor"
  fi
  cat > "$copy/.cargo/config.toml" <<'END'
[source.crates-io]
replace-with = "vendored-sources"
[source.vendored-sources]
directory = "vendor"
END
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CARGO_NET_OFFLINE=true \
    chroot "$1" /bin/sh /opt/bpfast/tools/test_arm.sh
fi

command -v cargo > /dev/null || missing cargo
libdir=$(rustc --print target-libdir --target $target)
[ -n "$(ls "$libdir"/libstd-*.rlib 2> /dev/null)" ] || missing "Rust's target $target"
command -v $gcc > /dev/null || missing $gcc
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || missing qemu-aarch64
# The folder whose lib/ has the loader and the C library of the target.
loader=$(realpath "$($gcc -print-file-name=ld-linux-aarch64.so.1)")
[ -e "$loader" ] || missing "the C library of $gcc"

# Optimised as in the wheel but for link-time optimisation, since the instructions depend on it.
export CARGO_TARGET_DIR=target/arm CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=$gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$qemu -L ${loader%/lib/*}"

# The test of large blocks alone takes longer than all others under qemu; those of other blocks do run.
timeout 600 cargo test --locked --release --target $target --lib --test integration -- \
  kernels:: "every machine" --skip large_blocks || {
  [ $? -ne 124 ] || echo "test-arm: not done after ten minutes" >&2
  exit 1
}

# Sums that are not in vector registers show as scalar multiply-adds.
binary=$(ls -t target/arm/$target/release/deps/integration-* | grep -v '\.d$' | head -n 1)
${gcc%gcc}objdump -d --no-show-raw-insn "$binary" | awk '
  $2 == "fmla" { vector++; if ($NF ~ /\[[0-3]\]$/) by_element++ }
  $2 == "fmadd" { scalar++ }
  END {
    printf "multiply-adds in the code: %d vector (%d by element), %d scalar\n", vector, by_element, scalar
    if (by_element < 1000 || scalar > 100) { print "test-arm: kernels without vector registers"; exit 1 }
  }'
