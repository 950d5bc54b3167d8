"""The walk-in desk: who has come without an appointment."""
