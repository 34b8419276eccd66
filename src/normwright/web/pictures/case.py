"""A safety case as an outline: claims under the claim they support, holes and doubts in sight.

Shapes are those of the Goal Structuring Notation: a claim is a rectangle, a strategy leans,
evidence is a circle, context has round ends, an undeveloped claim carries a diamond.
Doubts stand under what they challenge, in broken lines.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import escape

from normwright.records import CaseNode, SafetyCase
from normwright.release import node_text, open_points
from normwright.web.pictures.sheet import HUES, sheet, words_at
from normwright.web.words import Words

_WIDTH, _STEP, _LINE, _GAP = 860.0, 30.0, 15.0, 10.0
_CHARACTER = 6.8
"""Mean width of a character, in pixels."""
_COLOURS = {"holds": HUES[2], "open": HUES[4], "undeveloped": HUES[7], "refuted": HUES[5]}


@dataclass(frozen=True)
class _Row:
    node: CaseNode
    depth: int
    lines: tuple[str, ...]
    shown: tuple[CaseNode, ...]
    """The evidence that stands beside it."""
    top: float

    @property
    def left(self) -> float:
        return self.depth * _STEP

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + 12

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def safety_case_picture(case: SafetyCase, w: Words) -> str:
    """Return the picture of a safety case in one language, as an SVG file."""
    rows = list(_rows(case, w.lang))
    parts = [part for row in rows for part in _drawn(row)]
    parts += _lines(rows)
    holes = sum(1 for _ in open_points(case))
    return sheet(
        parts,
        width=_WIDTH,
        height=rows[-1].top + rows[-1].height + 8,
        title=w("case.title", name=case.name.get(w.lang, "")),
        note=w("case.note", claims=sum(n.kind == "goal" for n in case.nodes), holes=holes),
        spoken=" ".join(f"{row.node.id}: {node_text(case, row.node, w.lang)}" for row in rows),
        lang=w.lang,
    )


def _rows(case: SafetyCase, lang: str) -> Iterator[_Row]:
    nodes = {node.id: node for node in case.nodes}
    against: dict[str, list[CaseNode]] = {}
    for node in case.nodes:
        if node.challenges:
            against.setdefault(node.challenges, []).append(node)
    top = 0.0

    def outline(node: CaseNode, depth: int) -> Iterator[tuple[CaseNode, int]]:
        yield node, depth
        for each in (*(nodes[i] for i in node.in_context_of), *against.get(node.id, ())):
            yield each, depth + 1
        for id in node.supported_by:
            if nodes[id].kind != "solution":
                yield from outline(nodes[id], depth + 1)

    for node, depth in outline(case.nodes[0], 0):
        shown = tuple(nodes[i] for i in node.supported_by if nodes[i].kind == "solution")
        room = _box(depth, len(shown)) - 20
        lines = tuple(
            textwrap.wrap(
                node_text(case, node, lang), int(room / _CHARACTER), break_on_hyphens=False
            )
        ) or ("",)
        row = _Row(node, depth, lines, shown, top)
        yield row
        top += row.height + _GAP


def _box(depth: int, circles: int) -> float:
    """Width of a box: what its depth and its evidence leave."""
    return _WIDTH - depth * _STEP - (min(circles, 3) * 92 if circles else 0) - 4


def _drawn(row: _Row) -> Iterator[str]:
    node, x, y, h = row.node, row.left, row.top, row.height
    width = _box(row.depth, len(row.shown))
    colour = _COLOURS.get(node.standing or "", HUES[0])
    style = f'fill="none" stroke="{colour}" stroke-width="1.5"'
    match node.kind:
        case "strategy":
            yield f'<path d="M{x + 8} {y}h{width - 8:.1f}l-8 {h}h{8 - width:.1f}Z" {style}/>'
        case "context":
            yield f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{h}" rx="{h / 2}" {style}/>'
        case "counter":
            dash = f'fill="none" stroke="{HUES[1]}" stroke-width="1.2" stroke-dasharray="5 3"'
            yield f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{h}" {dash}/>'
        case _:
            yield f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{h}" {style}/>'
            yield f'<rect x="{x}" y="{y}" width="4" height="{h}" fill="{colour}"/>'
    if node.standing == "undeveloped":
        m = x + width / 2
        yield (
            f'<path d="M{m} {y + h - 4}l5 5l-5 5l-5 -5Z" class="paper" '
            f'style="stroke:{colour};stroke-width:1.5"/>'
        )
    for i, line in enumerate(row.lines):
        yield words_at(x + 14, y + 17 + _LINE * i, line)
    for i, solution in enumerate(row.shown[:3]):
        at = x + width + 14 + 92 * i
        short = (solution.evidence or "").removeprefix("sha256:")[:8]
        told = escape(solution.text.get("en", "") if not short else solution.evidence or "")
        yield f'<line x1="{at - 14}" x2="{at}" y1="{row.middle}" y2="{row.middle}" class="axis"/>'
        yield (
            f'<g><title>{told}</title><circle cx="{at + 9}" cy="{row.middle}" r="9" {style}/></g>'
        )
        more = f" +{len(row.shown) - 3}" if i == 2 and len(row.shown) > 3 else ""
        yield words_at(at + 21, row.middle + 4, short + more, classes="soft value")


def _lines(rows: list[_Row]) -> Iterator[str]:
    """From each claim down to those that stand under it."""
    for i, row in enumerate(rows):
        below = []
        for other in rows[i + 1 :]:
            if other.depth <= row.depth:
                break
            if other.depth == row.depth + 1:
                below.append(other)
        if not below:
            continue
        x = row.left + _STEP / 2
        yield (
            f'<line x1="{x}" x2="{x}" y1="{row.top + row.height}" y2="{below[-1].middle}" '
            f'class="axis"/>'
        )
        for other in below:
            yield (
                f'<line x1="{x}" x2="{other.left}" y1="{other.middle}" y2="{other.middle}" '
                f'class="axis"/>'
            )
