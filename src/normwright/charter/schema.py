"""JSON Schemas of a charter's files, so that editors complete and check them as they are typed."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from normwright.records import ActType, CharterHead, Condition, FactType, Frozen, Norm, Situation
from normwright.records.schemas import schema_of


def file_schemas() -> dict[str, dict[str, Any]]:
    """Return file name -> JSON Schema (2020-12) of each kind of file a charter is written in.

    `norm` is one norm, `acts` and `facts` the vocabulary, `charter` the head, `situation` what is
    asked, and `charter-file` a whole charter in one file.
    """
    models: dict[str, type[Frozen]] = {
        "norm": Norm,
        "acts": _file("Acts", acts=(tuple[ActType, ...], ...)),
        "facts": _file(
            "Facts", facts=(tuple[FactType, ...], ...), axioms=(tuple[Condition, ...], ())
        ),
        "charter": CharterHead,
        "situation": Situation,
        "charter-file": _file(
            "CharterFile",
            base=CharterHead,
            acts=(tuple[ActType, ...], ...),
            facts=(tuple[FactType, ...], ...),
            axioms=(tuple[Condition, ...], ()),
            norms=(tuple[Norm, ...], ...),
            situations=(tuple[_Expected, ...], ()),
        ),
    }
    return {f"{name}.schema.json": schema_of(model) for name, model in models.items()}


class _Expected(Situation):
    """A situation with what must come out."""

    name: str = ""
    """How the situation is called."""
    expect: str | dict[str, Any] | None = None
    """A verdict, or a mapping of a decision's fields."""


def _file(name: str, base: type[Frozen] = Frozen, **fields: Any) -> type[Frozen]:
    made: type[Frozen] = create_model(name, __base__=base, **fields)
    return made
