"""The safety case as a graph: built from a verdict alone, with its holes as nodes of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from normwright import __version__
from normwright.records import (
    CaseNode,
    CaseStanding,
    Criterion,
    CriterionResult,
    Defence,
    Digest,
    MadeBy,
    ModeVerdict,
    SafetyCase,
    Text,
    Verdict,
    VerdictWord,
)
from normwright.release.deciding import PERMIT, permit_criterion
from normwright.release.wording import Said, in_words, say, spoken, word

UNOWNED = Defence()
"""Nobody has said who answers for it."""


def argue(
    verdict: Verdict,
    *,
    criteria: Iterable[Criterion],
    name: Text,
    defeated_by: Mapping[str, Text] | None = None,
    defences: Mapping[str, Defence] | None = None,
    languages: tuple[str, ...],
) -> SafetyCase:
    """Return the argument of a verdict: a claim a mode, argued by group, each criterion a claim.

    A criterion without evidence is an undeveloped claim; one that failed is challenged by its own
    evidence and defeated; one that its evidence does not decide is challenged by what is missing.
    What could defeat the whole case challenges its top, each with its owner or without one.
    Structure after the Goal Structuring Notation standard (version 3, 2021) with its dialectic
    extension.

    Args:
        verdict: the decision the case is about.
        criteria: those it was made by, for their statements.
        name: what is released, in every language.
        defeated_by: what could defeat the case, by a short name, in every language.
        defences: who answers for each of these, by the same names.
        languages: the languages of the texts; only those that reasons can be given in are written.

    Raises:
        ValueError: if a defence names nothing that could defeat the case.
    """
    langs = spoken(languages)
    doubts = dict(defeated_by or {})
    if unknown := sorted(set(defences or {}) - set(doubts)):
        raise ValueError(f"no defeater is called {', '.join(unknown)}")
    statements = {c.id: c.statement for c in criteria}
    statements[PERMIT] = permit_criterion(langs).statement
    graph = _Graph(langs, statements)
    graph.add("C-charter", "context", _told(langs, "context_charter", charter=verdict.charter))
    graph.add("C-model", "context", _told(langs, "context_model", model=verdict.model))
    modes = [_mode(graph, mode) for mode in verdict.modes]
    controls = _controls(graph, verdict)
    top = CaseNode(
        id="G-release",
        kind="goal",
        text=_told(langs, "top", name=name),
        standing=_overall([graph.nodes[m] for m in modes]),
        supported_by=(*modes, *controls),
        in_context_of=("C-model", "C-charter"),
    )
    for doubt, text in doubts.items():
        graph.add(
            f"CG-{_plain(doubt)}",
            "counter",
            text,
            challenges=top.id,
            defence=(defences or {}).get(doubt, UNOWNED),
        )
    return SafetyCase(
        name=name,
        verdict=verdict.digest,
        decided_at=verdict.decided_at,
        nodes=(top, *graph.nodes.values()),
        derived_from=(verdict.digest, *verdict.evidence),
        made_by=MadeBy(stage="release", version=__version__),
    )


@dataclass
class _Graph:
    """Nodes by id, in the order in which they are argued."""

    langs: tuple[str, ...]
    statements: Mapping[str, Text]
    nodes: dict[str, CaseNode] = field(default_factory=dict)

    def add(self, id: str, kind: str, text: Text, **more: object) -> str:
        """Add a node under an id that no other has, and return the id."""
        free, count = id, 1
        while free in self.nodes:
            count += 1
            free = f"{id}-{count}"
        self.nodes[free] = CaseNode.model_validate({"id": free, "kind": kind, "text": text, **more})
        return free

    def solution(self, digest: Digest) -> str:
        """Return the solution that a record is; criteria that rest on one record share it."""
        id = f"Sn-{digest.removeprefix('sha256:')[:16]}"
        if id not in self.nodes:
            self.add(id, "solution", _told(self.langs, "solution", digest=digest), evidence=digest)
        return id


def _mode(graph: _Graph, mode: ModeVerdict) -> str:
    groups = dict.fromkeys(r.group for r in mode.results)
    strategies = [
        _group(graph, mode.mode, group, [r for r in mode.results if r.group == group])
        for group in groups
    ]
    standing = _SHOWN[mode.verdict]
    text = _told(
        graph.langs,
        "mode",
        mode=Said(f"case.argue_mode_{mode.mode}", {"mode": mode.mode}, "case.argue_mode_other"),
        verdict=mode.verdict,
    )
    id = graph.add(
        f"G-{_plain(mode.mode)}",
        "goal",
        text,
        standing=standing if strategies else "undeveloped",
        supported_by=tuple(strategies),
    )
    if mode.verdict == "INVALID":
        graph.add(f"CG-{_plain(mode.mode)}-gate", "counter", mode.reason, challenges=id)
    return id


def _group(graph: _Graph, mode: str, group: str, results: Sequence[CriterionResult]) -> str:
    claims = tuple(_claim(graph, mode, result) for result in results)
    return graph.add(
        f"S-{_plain(mode)}-{_plain(group)}",
        "strategy",
        _told(graph.langs, "group", group=group),
        standing=_overall([graph.nodes[c] for c in claims]),
        supported_by=claims,
    )


def _claim(graph: _Graph, mode: str, result: CriterionResult) -> str:
    standing = _STANDING[result.state]
    evidence = tuple(graph.solution(digest) for digest in dict.fromkeys(result.evidence))
    if not evidence and standing != "refuted":
        standing = "undeveloped"  # whatever was said of it, no record shows it
    statement = graph.statements.get(result.criterion) or in_words(
        (Said("control.statement", {"control": result.criterion.partition(":")[2]}),), graph.langs
    )
    id = graph.add(
        f"G-{_plain(mode)}-{_plain(result.criterion)}",
        "goal",
        statement,
        standing=standing,
        supported_by=evidence,
        criterion=result.criterion,
    )
    if standing == "refuted" or (standing == "open" and result.reason):
        graph.add(
            f"CG-{_plain(mode)}-{_plain(result.criterion)}",
            "counter",
            result.reason,
            challenges=id,
            defeats=standing == "refuted",
        )
    return id


def _controls(graph: _Graph, verdict: Verdict) -> tuple[str, ...]:
    if not verdict.controls:
        return ()
    claims, shown = [], graph.solution(verdict.digest)
    for control in verdict.controls:
        id = graph.add(
            f"G-control-{_plain(control.name)}",
            "goal",
            _told(
                graph.langs,
                "control",
                control=control.name,
                verdict=control.verdict,
                expected=Said(f"control.expected_{control.expected}"),
            ),
            standing="holds" if control.as_expected else "refuted",
            supported_by=(shown,),
        )
        claims.append(id)
        if not control.as_expected:
            graph.add(
                f"CG-control-{_plain(control.name)}",
                "counter",
                _told(graph.langs, "control_not"),
                challenges=id,
                defeats=True,
            )
    return (
        graph.add(
            "S-controls",
            "strategy",
            _told(graph.langs, "controls"),
            standing=_overall([graph.nodes[c] for c in claims]),
            supported_by=tuple(claims),
        ),
    )


_SHOWN: Mapping[VerdictWord, CaseStanding] = {
    "RELEASE": "holds",
    "HOLD": "open",
    "BLOCK": "refuted",
    "INVALID": "open",
}
"""A gate that cannot be trusted shows neither that the claim holds nor that it does not."""
_STANDING: Mapping[str, CaseStanding] = {
    "pass": "holds",
    "fail": "refuted",
    "inconclusive": "open",
    "missing": "undeveloped",
}


def _overall(nodes: Sequence[CaseNode]) -> CaseStanding:
    """How a claim stands that rests on others: as its weakest part."""
    found = {node.standing for node in nodes}
    if "refuted" in found:
        return "refuted"
    return "holds" if found == {"holds"} else "open"


def _told(langs: tuple[str, ...], key: str, **values: object) -> Text:
    return {lang: say(Said(f"case.argue_{key}", values), lang) for lang in langs}


def _plain(text: str) -> str:
    """A part of an id: what the notations take as one."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-") or "x"


def open_points(case: SafetyCase) -> Iterator[CaseNode]:
    """Yield what is open: undeveloped claims, and counter-arguments that nobody has settled."""
    for node in case.nodes:
        settled = node.defence is not None and node.defence.status != "open"
        if node.standing == "undeveloped" or (node.kind == "counter" and not settled):
            yield node


def node_text(case: SafetyCase, node: CaseNode, lang: str) -> str:
    """Return a node's text with what stands beside it in words: its standing, its owner."""
    text = node.text.get(lang, "")
    if node.kind == "goal" and node.standing is not None:
        return f"{text} [{word(f'case.argue_{node.standing}', lang)}]"
    if node.defence is not None:
        owner = node.defence.owner or word("case.argue_no_owner", lang)
        status = word(f"case.argue_{node.defence.status}", lang)
        note = node.defence.note.get(lang, "")
        return f"{text} [{status}; {owner}{': ' if note else ''}{note}]"
    return text
