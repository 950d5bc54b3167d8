"""Pure home-care rules: no I/O, no clock, no cache."""
