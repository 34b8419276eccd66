"""The tables as the present code reads and writes them. Constraints live in the migrations."""

from __future__ import annotations

import sqlalchemy as sa


def _table(name: str, columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns.split()))


RECORDS = _table("records", "digest kind json stage")
RESULTS = _table(
    "results",
    "key stage inputs parameters code seed made objects exports seconds created",
)
RUNS = _table("runs", "seq started ended")
RUN_STEPS = _table("run_steps", "run place stage key skipped seconds")
PLANS = _table("plans", "run stages")
EXPORTS = _table("exports", "path digest")
LEDGER = _table("ledger", "seq previous kind payload at digest")
SIGNATURES = _table("signatures", "payload keyid kind statement sig")
PROCESSES = _table("processes", "id kind")
IMPORTS = _table("imports", "digest process kind process_record roots")
_KEYED = "import place kind leaf key"
ROWS = {
    "participants": _table("participants", f"{_KEYED} id json"),
    "statements": _table("statements", f"{_KEYED} id json"),
    "votes": _table("votes", f"{_KEYED} participant statement value at"),
    "comparisons": _table("comparisons", f"{_KEYED} participant scene norm authority choice at"),
    "ballots": _table("ballots", f"{_KEYED} participant number tiers"),
}
"""The tables of keyed rows, each with a Merkle root an import, in the order they are written."""
