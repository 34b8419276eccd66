"""A safety case in the notations other tools read: gsn2x YAML, and TEA Platform JSON.

gsn2x: https://jonasthewolf.github.io/gsn2x (elements by prefix, `challenges` and `defeated` of the
dialectic extension). TEA: the nested case export 1.0 of the Turing Institute's assurance platform.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import yaml

from normwright.records import CaseNode, SafetyCase
from normwright.release.arguing import node_text
from normwright.release.wording import word

_TEA: Final[Mapping[str, str]] = {
    "goal": "PROPERTY_CLAIM",
    "strategy": "STRATEGY",
    "solution": "EVIDENCE",
    "context": "CONTEXT",
    "counter": "PROPERTY_CLAIM",
}


def outline(case: SafetyCase, lang: str) -> str:
    """Return the case as Markdown: each claim under the one it supports, holes and doubts in sight.

    What was measured stands in the verdict; a project's own dossier (`safety_case`) tells more.
    """
    nodes = {node.id: node for node in case.nodes}
    lines = [f"# {word('case.title', lang)}: {case.name.get(lang, '')}", "",
             word("case.intro", lang), ""]  # fmt: skip

    def told(node: CaseNode, depth: int) -> None:
        mark = _MARKS[node.standing or node.kind]
        lines.append(f"{'  ' * depth}- {mark} {node_text(case, node, lang)}")
        for other in case.nodes:
            if other.challenges == node.id:
                told(other, depth + 1)
        for id in (*node.in_context_of, *node.supported_by):
            told(nodes[id], depth + 1)

    told(case.nodes[0], 0)
    return "\n".join(lines) + "\n"


_MARKS: Final[Mapping[str, str]] = {
    "holds": "✔",
    "open": "?",
    "refuted": "✘",
    "undeveloped": "◇",
    "solution": "○",
    "context": "·",
    "counter": "☇",
}


def gsn2x(case: SafetyCase, lang: str) -> str:
    """Return the case as YAML for gsn2x, in one language."""
    challenged = {node.challenges for node in case.nodes if node.defeats}
    elements: dict[str, dict[str, Any]] = {
        "module": {"name": "safety-case", "brief": case.name.get(lang, "")}
    }
    for node in case.nodes:
        element: dict[str, Any] = {"text": node_text(case, node, lang)}
        if node.supported_by:
            element["supportedBy"] = list(node.supported_by)
        elif node.kind in ("goal", "strategy"):
            element["undeveloped"] = True
        if node.in_context_of:
            element["inContextOf"] = list(node.in_context_of)
        if node.challenges:
            element["challenges"] = node.challenges
        if node.kind == "counter":
            element["undeveloped"] = True
        if node.id in challenged:
            element["defeated"] = True
        elements[node.id] = element
    return yaml.safe_dump(elements, allow_unicode=True, sort_keys=False, width=100)


def tea(case: SafetyCase, lang: str, *, exported_at: str) -> dict[str, Any]:
    """Return the case as a TEA Platform export, in one language.

    The export is a tree: evidence that several claims rest on is written under each of them.

    Args:
        case: the argument.
        lang: the language of its texts.
        exported_at: an ISO 8601 time.
    """
    nodes = {node.id: node for node in case.nodes}
    against: dict[str, list[CaseNode]] = {}
    for node in case.nodes:
        if node.challenges:
            against.setdefault(node.challenges, []).append(node)
    root = uuid5(NAMESPACE_URL, case.digest)

    def grown(node: CaseNode, path: str, level: int) -> dict[str, Any]:
        own = _uuid(root, path)
        below = level + (node.kind == "goal")
        children = [
            grown(nodes[id], f"{path}/{id}", below)
            for id in (*node.in_context_of, *node.supported_by)
        ]
        for counter in against.get(node.id, ()):
            child = grown(counter, f"{path}/{counter.id}", below)
            children.append(child | {"isDefeater": True, "defeatsElementId": own})
        made: dict[str, Any] = {
            "id": own,
            "type": "GOAL" if level == 0 else _TEA[node.kind],
            "name": node.id,
            "description": node_text(case, node, lang) or word("case.none", lang),
            "inSandbox": False,
            "children": children,
        }
        if level == 0:
            made["role"] = "TOP_LEVEL"
        elif made["type"] == "PROPERTY_CLAIM":
            made["level"] = level
        if node.evidence is not None:
            made["url"] = f"urn:{node.evidence}"
        return made

    top = case.nodes[0]
    return {
        "version": "1.0",
        "exportedAt": exported_at,
        "case": {
            "name": case.name.get(lang, "") or word("case.title", lang),
            "description": word("case.intro", lang),
        },
        "tree": grown(top, top.id, 0),
    }


def _uuid(root: UUID, path: str) -> str:
    """An id that is the same whenever the same case is written."""
    return str(uuid5(root, path))


def elements(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every element of an exported tree, the top first."""
    yield tree
    for child in tree["children"]:
        yield from elements(child)
