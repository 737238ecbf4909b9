"""Networks with a planted fault, for benches/planted_faults.py and the tests of `explain`."""
