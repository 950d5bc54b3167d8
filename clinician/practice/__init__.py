"""The practice municipality: synthetic people, one believable day, the same bytes for the same input."""
