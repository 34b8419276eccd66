"""Run the detectors that organisms are caught by on a model that is to be released."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from normwright.flow.organisms.again import (
    OTHER,
    SMALLER,
    differing,
    other_draw,
    otherwise,
    rerun_rows,
)
from normwright.flow.organisms.again import asked as asked_ids
from normwright.flow.organisms.examining import ANYBODY, CONFIRM, examine
from normwright.flow.organisms.nursery import BATCH, town
from normwright.flow.organisms.running import as_json, rows_of
from normwright.flow.organisms.tampered import asked_scenes, tamper_rows, tampered
from normwright.flow.organisms.trained import (
    SHARE,
    contaminated_items,
    training_texts,
    without,
)
from normwright.records import Fault, InputError, digest_json

if TYPE_CHECKING:
    from normwright.evaluate.detectors import TamperPoint
    from normwright.evaluate.detectors.contamination import Contaminated
    from normwright.models.local import LocalModel

ASKED: Final = 60
"""Requests of each side that are asked after an attack."""

Told = Callable[[int, int, str], None]
"""Told how much is done, of how much, and what it is at."""


@dataclass(frozen=True)
class Examined:
    """What was found about a model, and what it takes to file it."""

    seed: int
    """What drew the items."""
    found: tuple[dict[str, Any], ...]
    """Findings on all items, as `as_json` gives them."""
    taken: Contaminated | None = None
    """Items that stand in training rows; None where none were given."""
    again: tuple[dict[str, Any], ...] = ()
    """Findings on the same items, asked again; empty where they were not."""
    other: tuple[dict[str, Any], ...] = ()
    """Findings on items of another draw."""
    other_taken: Contaminated | None = None
    """Which of those stand in training rows."""
    points: tuple[TamperPoint, ...] = ()
    """What attacks came to; empty where none were made."""
    tamper_items: tuple[str, ...] = ()
    """What was asked after each attack."""

    @cached_property
    def told(self) -> tuple[dict[str, Any], ...]:
        """Findings without what stands in training rows."""
        return tuple(self.found if self.taken is None else without(self.found, self.taken.found))

    @property
    def disagreement(self) -> dict[str, tuple[int, int]]:
        """How many answers, and how many cells of another draw, came out otherwise, of how many."""
        if not self.again:
            return {}
        return {
            "same": otherwise(self.found, self.again), "other": differing(self.found, self.other)
        }  # fmt: skip

    def rows(self, *, model: str, at: str) -> list[dict[str, Any]]:
        """Return rows of evidence about it, as a gate reads them.

        Args:
            model: what the rows name as their model.
            at: when, in UTC.
        """
        _, charter, policy = town()
        named: dict[str, Any] = {"model": model, "charter": charter.digest, "at": at}
        guard, asked = policy.digest, asked_ids(self.found)
        rows = marked(rows_of(self.found, guard=guard, draw=self.seed, **named), self.taken)
        if self.again:
            drawn = rows_of(self.other, guard=guard, draw=self.seed + OTHER, **named)
            rows += other_draw(marked(drawn, self.other_taken))
            seen = self.disagreement
            rows += rerun_rows(seen["same"], seen["other"], items=asked, **named)
        if self.taken is not None:
            n = len(self.taken.found) + len(self.taken.clean)
            rows.append(
                {
                    "metric": SHARE, "slice": {}, "k": len(self.taken.found), "n": n,
                    "cluster": "", "evalset": digest_json([self.seed, asked]), "judge": None,
                    "guard": None, **named,
                }
            )  # fmt: skip
        evalset = digest_json([self.seed, sorted(self.tamper_items)])
        return rows + tamper_rows(list(self.points), evalset=evalset, **named)


def examined(
    place: Path,
    *,
    seed: int,
    items: int = CONFIRM,
    trained: Sequence[Path] = (),
    again: bool = False,
    tamper: bool = False,
    kept: Path | None = None,
    told: Told | None = None,
) -> Examined:
    """Return what detectors find about the model of a directory, on the desk organisms sit at.

    A model that does not do what is asked there shows no fault either: read the rates beside.

    Args:
        place: a Hugging Face directory.
        seed: draws the items.
        items: on how many each suspect is tested.
        trained: files of rows that the model was trained on; items in them are no evidence.
        again: whether the same items are asked a second time, and others of another draw.
        tamper: whether copies of it are trained on flipped pairs.
        kept: where finished attacks are kept, so that a killed run goes on.
        told: told of what is being done.

    Raises:
        InputError: if the directory is none of a model, or training rows cannot be read.
    """
    from normwright.models.local import LocalModel, use_threads

    texts = training_texts(trained)
    use_threads(1)
    model = LocalModel.open(place, name="candidate", batch=BATCH)
    return examination(
        model, seed=seed, items=items, texts=texts if trained else None, again=again,
        tamper=tamper, kept=kept, name=_weights(place) if tamper else "", told=told,
    )  # fmt: skip


def examination(
    model: LocalModel,
    *,
    seed: int,
    items: int = CONFIRM,
    texts: Sequence[tuple[str, str]] | None = None,
    again: bool = False,
    tamper: bool = False,
    kept: Path | None = None,
    name: str = "",
    told: Told | None = None,
) -> Examined:
    """Return what detectors find about a model; see `examined`.

    Args:
        model: what is examined; it is not changed.
        seed: draws the items.
        items: on how many each suspect is tested.
        texts: from `training_texts`; None: nobody said what it was trained on.
        again: as of `examined`.
        tamper: as of `examined`.
        kept: as of `examined`.
        name: tells the model from others in `kept`.
        told: told of what is being done.
    """
    runs = 3 if again else 1

    def findings(of: LocalModel, run: int, draw: int) -> tuple[dict[str, Any], ...]:
        found: list[dict[str, Any]] = []
        for at, detector in enumerate(ANYBODY):
            # One at a time, to tell how far it is; no detector draws from what another did.
            (one,) = examine(of, register=0, seed=draw, names=(detector,), items=items)
            found.append(as_json(one))
            if told is not None:
                told(run * len(ANYBODY) + at + 1, runs * len(ANYBODY), detector)
        return tuple(found)

    found = findings(model, 0, seed)
    second: tuple[dict[str, Any], ...] = ()
    other: tuple[dict[str, Any], ...] = ()
    if again:
        second = findings(replace(model, batch=max(1, model.batch // SMALLER)), 1, seed)
        other = findings(model, 2, seed + OTHER)
    taken = other_taken = None
    if texts is not None:
        taken = contaminated_items(asked_ids(found), texts, seed=seed)
        other_taken = contaminated_items(asked_ids(other), texts, seed=seed + OTHER)
    points, asked = _attacked(model, seed, texts, kept, name, told) if tamper else ((), ())
    return Examined(seed, found, taken, second, other, other_taken, points, asked)


def _attacked(
    model: LocalModel, seed: int, texts: Sequence[tuple[str, str]] | None, kept: Path | None,
    name: str, told: Told | None,
) -> tuple[tuple[TamperPoint, ...], tuple[str, ...]]:  # fmt: skip
    """What attacks come to on requests that no training row holds, and which those are."""
    from normwright.flow.organisms.nursery import held

    ground = held(seed)
    out: set[str] = set()
    if texts:
        ids = [s.id for s in (*ground.forbidden, *ground.allowed)]
        out = set(contaminated_items(ids, texts, seed=seed).found)
    left = min(sum(s.id not in out for s in side) for side in (ground.forbidden, ground.allowed))
    if left < ASKED:
        expected = f"{ASKED} requests of each side that no training row holds, to ask after attacks"
        do = "Draw others: --seed; or leave --tamper out."
        raise InputError([Fault(where="--trained", expected=expected, seen=str(left), do=do)])
    points = tampered(model, seed=seed, items=ASKED, without=out, kept=kept, name=name, told=told)
    sides = asked_scenes(seed=seed, items=ASKED, without=out)
    return tuple(points), tuple(s.id for side in sides for s in side)


def marked(rows: Sequence[Mapping[str, Any]], taken: Contaminated | None) -> list[dict[str, Any]]:
    """Return rows that name those of their items that a gate is to leave out and count."""
    found = {} if taken is None else taken.found
    return [
        {**row, "contaminated": out} if (out := sorted(set(row["items"]) & set(found))) else {**row}
        for row in rows
    ]


def _weights(place: Path) -> str:
    """The digest of a directory's weights."""
    from normwright.models.rewards import digest_of

    return digest_of(place)
