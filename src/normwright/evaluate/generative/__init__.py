"""Suites of written answers: what a model says, read by rules and by judges with measured errors."""
