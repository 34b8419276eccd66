"""Contests as statements that a consultation can put to the vote."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

COLUMNS = ("id", "layer", "authority", "norm", "endorses", "concern", "text_en", "text_pt")
"""Columns of `statements.csv`, the form of statements that people write."""


def statement_rows(
    contests: Sequence[Mapping[str, Any]],
    policy_of: Callable[[str], Mapping[str, Any] | None],
) -> list[dict[str, str]]:
    """Return a row for each contest that may be put before others and names a norm.

    It speaks about the first norm of its verdict and opposes it, at the layer and before the
    authority that issued it, for that is who can change it. Words in a language without a column
    are left out here; they stay in the list of contests.

    Args:
        contests: as they are stored, the oldest first.
        policy_of: returns what a policy said about its norms, by its digest.
    """
    rows = []
    for one in contests:
        norms = one.get("norms", ())
        column = f"text_{one['lang'].partition('-')[0]}"
        if not one.get("public") or not norms or column not in COLUMNS:
            continue
        told = ((policy_of(one["policy"]) or {}).get("norms") or {}).get(norms[0])
        if told is None:
            continue
        rows.append(
            {
                "id": one["id"].replace("_", "-"),
                "layer": told["layer"],
                "authority": told["authority"],
                "norm": told["id"],
                "endorses": "false",
                "concern": "contest",
                column: " ".join(one["text"].split()),
            }
        )
    return rows
