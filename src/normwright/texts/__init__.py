"""What can be told from a text without a language model. Pure: no I/O, no torch."""
