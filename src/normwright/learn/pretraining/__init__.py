"""Pre-training: models from random weights, rows of text, objectives on text that is scored."""
