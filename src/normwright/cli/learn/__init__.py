"""`normwright learn`: from rows to weights, and proofs that they got there."""

from normwright.cli.learn import (
    lab,
    languages,
    plan,
    pretrain,
    train,
    unlearn,
)
from normwright.cli.learn.group import app

__all__ = [
    "app",
    "lab",
    "languages",
    "plan",
    "pretrain",
    "train",
    "unlearn",
]
