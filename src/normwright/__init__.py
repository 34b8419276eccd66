"""Normwright: what people say an AI should and should not do, carried with receipts to release.

Importing this package opens no file, starts nothing and loads no deep-learning library.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
