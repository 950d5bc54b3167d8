"""Engine benchmarks: each row is a value, its unit, the floor of the same run and the ratio."""
