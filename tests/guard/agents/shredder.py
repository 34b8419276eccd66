"""A tool that destroys a letter in two phases, and can be killed at every step.

python -m tests.guard.agents.shredder FOLDER STEP
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from normwright.guard.agents import FileJournal
from normwright.guard.agents.ledger import GrantLedger

STEPS = ("approved", "begun", "preparing", "prepared", "decided", "committing", "committed")
"""Where it can be killed, in order. `committing`: with one of the two pages gone."""


class Shredder:
    """Two pages that have to go together; prepared, they are only listed."""

    def __init__(self, folder: Path, *, die: str = "") -> None:
        self.letter, self.second = folder / "letter", folder / "letter.2"
        self.list = folder / "to-shred"
        self.die = die
        if not (folder / "seen").exists():
            for page in (self.letter, self.second, folder / "seen"):
                page.write_text("dear", encoding="utf-8")

    @property
    def whole(self) -> bool:
        """Whether nothing happened."""
        return self.letter.exists() and self.second.exists() and not self.list.exists()

    @property
    def gone(self) -> bool:
        """Whether all of it did."""
        return not (self.letter.exists() or self.second.exists() or self.list.exists())

    def prepare(self, arguments: dict[str, Any], *, id: str) -> str:
        """List what is to go."""
        self._die("begun")
        self.list.write_text(id, encoding="utf-8")
        self._die("preparing")
        return id

    def commit(self, token: str) -> str:
        """Let both pages go, and the list last."""
        self._die("decided")
        self.letter.unlink(missing_ok=True)
        self._die("committing")
        self.second.unlink(missing_ok=True)
        self.list.unlink(missing_ok=True)
        self._die("committed")
        return "gone"

    def abort(self, token: str) -> None:
        """Forget the list."""
        self.list.unlink(missing_ok=True)

    def _die(self, step: str) -> None:
        if step == self.die:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, step: str) -> None:
    """Approve and execute, and be killed on the way."""
    from tests.guard.agents.office import UNITS, call, grant, guard

    shredder = Shredder(folder, die=step)
    free = grant(budget={**UNITS, "irreversible": 2})
    desk = guard(free, journal=FileJournal(folder / "ledger.jsonl"))
    _, ticket = desk.approve(call("delete_file", path="/letter"))
    assert ticket is not None
    shredder._die("approved")
    move = GrantLedger.move

    def watched(self: GrantLedger, name: str, stage: Any, **rest: Any) -> Any:
        found = move(self, name, stage, **rest)
        if stage == "prepared":
            shredder._die("prepared")
        return found

    GrantLedger.move = watched  # type: ignore[assignment, method-assign]
    desk.execute(ticket, shredder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
