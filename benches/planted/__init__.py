"""Networks with a planted fault, for benches/planted/__main__.py and the tests of `explain`."""
