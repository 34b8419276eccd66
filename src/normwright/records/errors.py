"""The one tree of exceptions.

NormwrightError
├── InputError        what a person gave cannot be used; carries every fault found
│   └── RemoteError   an endpoint a person named does not answer as it should
│       └── BudgetError   asking on would spend more than was allowed
│   └── PlaceError    the disk under a project is full, forbidden, read-only, locked or broken
├── MissingExtra      an optional part is not installed; says which and how
├── PluginError       a plug-in is unknown or broken; named
├── PermitError       training is not permitted; carries every reason
├── StoreError        the database of a store does not answer, or does not let us in
└── IntegrityError    a stored object, row or ledger entry is not what its digest says
"""

from __future__ import annotations

from collections.abc import Sequence

from normwright.records.evidence import Fault


class NormwrightError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(NormwrightError):
    """Input that cannot be used. All faults are collected, then raised once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(describe(f) for f in self.faults))


class RemoteError(InputError):
    """A model behind an API does not answer as it should. What it did answer is kept."""


class BudgetError(RemoteError):
    """The next request could spend more than the budget allows, so it was not sent."""


class PlaceError(InputError):
    """The place a project lies in cannot be read or written as it has to be."""


class MissingExtra(NormwrightError):
    """An optional dependency is needed and not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'normwright[{extra}]'")


class PluginError(NormwrightError):
    """A plug-in that was asked for does not exist or does not load."""


class PermitError(NormwrightError):
    """Training is not permitted. All reasons are collected, then raised once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(describe(f) for f in self.faults))


class StoreError(NormwrightError):
    """The database of a store cannot be reached, refuses us, or was lost on the way.

    Nothing of the transaction it happened in is taken for done.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(describe(fault))


class IntegrityError(NormwrightError):
    """Something stored is not what its digest says."""


def describe(fault: Fault) -> str:
    """Return one fault as one line: where, expected, seen, what to do."""
    line = f"{fault.where}: expected {fault.expected}, saw {fault.seen}."
    return f"{line} {fault.do}".rstrip()
