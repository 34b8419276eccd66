"""What only several turns together show: a text in two halves, and risk that builds up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from normwright.guard.sights import ANSWER, Sight, View
from normwright.plugins import Card, plugin
from normwright.records import Side, Speaker, Utterance

_HALF: Final = 160
"""Characters of each side of a seam that are read together."""
_SHORT: Final = 200
"""Texts up to this length are joined in a row: a text may be cut into many."""
_ROW: Final = 12
_ENDS: Final = frozenset(".!?…")


@plugin(
    Card(
        name="seams",
        kind="checks",
        summary="What stands in two texts of one speaker, cut in the middle.",
        claims=("joins texts of one speaker that follow one another", "an answer is joined to a "
                "prefill"),
        takes="exchange",
        status="tested",
    )
)  # fmt: skip
def seams(view: View) -> Iterator[Sight]:
    """Yield what the checks of passages see in texts put together and in neither of them alone."""
    alone = {where: {s.signal for s in seen.sights if s.chance >= 0.5}
             for where, _, seen in view.seen}  # fmt: skip
    for role, joined, where, near in _joined(view):
        side: Side = "output" if where == ANSWER else "input"
        known = set().union(*(alone.get(w, set()) for w in near))
        seen = view.look(joined, role, side)
        if seen.failed:
            # Told as a failure of this check, so that the exchange is denied.
            raise RuntimeError(f"not read: {', '.join(seen.failed)}")
        for sight in seen.sights:
            if sight.chance >= 0.5 and sight.signal not in known and sight.origin == "rule":
                yield replace(sight, where=where, spans=(), source=f"seams:{sight.source}")


def _joined(view: View) -> Iterator[tuple[Speaker, str, str, tuple[str, ...]]]:
    """Texts put together: (role, text, path of the last, paths)."""
    row: dict[Speaker, list[Utterance]] = {}
    said = list(view.exchange.utterances)
    if view.exchange.answer is not None and said and said[-1].role == "assistant":
        said.append(Utterance(role="assistant", text=view.exchange.answer, where=ANSWER))
    for one in said:
        before = row.setdefault(one.role, [])
        # A text that ends as a sentence does was not cut there.
        if before and before[-1].text[-1:] not in _ENDS:
            last = before[-1]
            cut = f"{last.text[-_HALF:]}{_glue(last, one)}{one.text[:_HALF]}"
            yield one.role, cut, one.where, (last.where, one.where)
        before.append(one)
    for role, texts in row.items():
        short = [t for t in texts if len(t.text) <= _SHORT][-_ROW:]
        if len(short) > 2:
            paths = tuple(t.where for t in short)
            yield role, " ".join(t.text for t in short), paths[-1], paths
            if all(len(t.text) <= 3 for t in short):
                yield role, "".join(t.text for t in short), paths[-1], paths


def _glue(first: Utterance, second: Utterance) -> str:
    """Nothing where a word may have been cut, else a space."""
    cut = first.text[-1:].isalnum() and second.text[:1].islower() and len(second.text) < _SHORT
    return "" if cut and len(first.text.split()) < 2 else " "


@plugin(
    Card(
        name="conversation",
        kind="checks",
        summary="Evidence over all turns, bounded and decaying, whoever spoke.",
        reference="Russinovich et al. 2024, Crescendo; Page 1954, continuous inspection schemes",
        claims=("bounded", "decays", "what ordinary texts reach adds nothing, however often"),
        takes="exchange",
        status="tested",
    )
)
def conversation(view: View) -> Iterator[Sight]:
    """Yield the risk of the conversation, where what was said last bears some of it."""
    if any(seen.evidence > 0 for where, _, seen in view.seen if where in view.recent):
        last = next((w for w, _, _ in reversed(view.seen) if w in view.recent), "")
        yield Sight("conversation.risk", view.risk, "classifier", "conversation", where=last)
