"""Labels of data: how confidential they are, and whether they come from a place that is trusted.

Labels form a lattice. What is made from two data is as confidential as the more confidential of
them and as trusted as the less trusted (Denning, "A lattice model of secure information flow",
1976; Biba, "Integrity considerations for secure computer systems", 1977).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

from normwright.records import Confidentiality, Integrity, Label

CONFIDENTIALITY: tuple[Confidentiality, ...] = get_args(Confidentiality)
"""From what anyone may know to what hardly anyone may."""
INTEGRITY: tuple[Integrity, ...] = get_args(Integrity)

LOWEST = Label(conf="public", integrity="trusted")
"""The label of nothing at all: joining it changes no other."""
HIGHEST = Label(conf="secret", integrity="untrusted")
"""The label of data about which nothing is known."""


def joined(labels: Iterable[Label]) -> Label:
    """Return the label of what is made from data with these labels; of none, `LOWEST`."""
    found = tuple(labels)
    conf = max((CONFIDENTIALITY.index(one.conf) for one in found), default=0)
    integrity = max((INTEGRITY.index(one.integrity) for one in found), default=0)
    return Label(conf=CONFIDENTIALITY[conf], integrity=INTEGRITY[integrity])


def flows_to(source: Label, target: Label) -> bool:
    """Whether data of one label may stand where data of another is expected."""
    return joined((source, target)) == target
