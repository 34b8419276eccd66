"""Training recipes: each file one method, readable from top to bottom."""
