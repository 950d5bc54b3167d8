"""The client of the central record."""
