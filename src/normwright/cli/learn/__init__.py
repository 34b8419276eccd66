"""`normwright learn`: from rows to weights, and proofs that they got there."""

from normwright.cli.learn import (
    convert,
    cost,
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
    "cost",
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
