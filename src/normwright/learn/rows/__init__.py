"""Rows to learn from: read, written, made of what people judged, split. All without torch."""
