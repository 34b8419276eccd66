"""A slate from a file of ballots: chosen by a rule, audited for minorities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from normwright.records import Slate

if TYPE_CHECKING:
    from normwright.flow.ballots import Cast


@dataclass(frozen=True)
class Slated:
    """A slate and the ballots it was chosen from."""

    cast: Cast
    slate: Slate


def slate_of(cast: Cast, *, size: int, method: str) -> Slated:
    """Return the slate that a rule chooses, with its audit.

    Raises:
        PluginError: if there is no such rule.
        Inapplicable: if the ballots do not hold what it needs, or there are too few alternatives.
    """
    from normwright.aggregate import slate

    return Slated(cast, slate(cast.election, size=size, method=method))
