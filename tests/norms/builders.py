"""Short ways to write vocabularies, norms and charters in tests."""

from __future__ import annotations

from typing import Any

from normwright.records import Charter, Norm, Vocabulary


def vocabulary(acts: dict[str, list[str]], facts: dict[str, Any]) -> Vocabulary:
    """Acts with their parents; facts as `bool`, a list of enum values, or int bounds."""
    typed: list[dict[str, Any]] = []
    for name, kind in facts.items():
        if kind == "bool":
            typed.append({"name": name, "type": "bool"})
        elif isinstance(kind, dict):
            typed.append({"name": name, "type": "int", **kind})
        else:
            typed.append({"name": name, "type": "enum", "values": kind})
    nodes = [{"name": name, "is_a": parents} for name, parents in acts.items()]
    return Vocabulary.model_validate({"facts": typed, "acts": nodes})


def norm(**fields: Any) -> Norm:
    """A norm in force with the fields that matter; authority and tier follow the layer."""
    layer = fields.setdefault("layer", "global")
    owner = {"global": "world", "polity": "city", "organisation": "desk", "individual": "ana"}
    fields.setdefault("authority", owner[layer])
    fields.setdefault("tier", "constitutional" if layer == "global" else "revisable")
    fields.setdefault("status", "in_force")
    fields.setdefault("statement", {"en": fields["id"], "pt": fields["id"]})
    return Norm.model_validate(fields)


def charter(words: Vocabulary, norms: list[Norm]) -> Charter:
    """A human charter of these norms."""
    return Charter(
        id="test", version=1, languages=("en", "pt"), vocabulary=words, norms=tuple(norms),
        process="test", kind="human",
    )  # fmt: skip
