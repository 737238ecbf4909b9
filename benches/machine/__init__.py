"""The machine: its SIMD levels, its peak, its description."""
