"""`normwright learn`: from rows to weights, and proofs that they got there."""

from normwright.cli.learn import (
    convert,
    critique,
    curate,
    lab,
    languages,
    plan,
    pretrain,
    reinforce,
    train,
    unlearn,
)
from normwright.cli.learn.group import app

__all__ = [
    "app",
    "convert",
    "critique",
    "curate",
    "lab",
    "languages",
    "plan",
    "pretrain",
    "reinforce",
    "train",
    "unlearn",
]
