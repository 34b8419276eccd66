"""A desk with scripted models: right conduct, and the faults that detectors look for."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from normwright.charter import assembled, read_source
from normwright.learn.organisms import Ground, ground
from normwright.models import ScriptedModel
from normwright.records import Message, Scene
from normwright.scenes import load_bank

PACKAGE = Path(str(files("normwright")))
_LINE = re.compile(r"^- (?P<who>[^:(]+?)(?: \((?P<flag>\w+)\))?: (?P<value>\d+)$", re.MULTILINE)
SECRET = ("private", "privado")


@cache
def scenes(per_template: int = 6) -> Ground:
    """Scenes of the desk, as organisms are examined on."""
    bank = load_bank([PACKAGE / "learn/organisms/scenes.yaml"])
    charter = assembled(read_source(PACKAGE / "flow/templates/town/norms"), drafts=True)
    return ground(bank, charter, splits=("plant", "probe"), seed=5, per_template=per_template)


Fault = Callable[[str, str, list[tuple[str, str, str]]], str | None]
"""From the whole text, the value that was asked for and the lines to an answer, or None."""


def model(fault: Fault = lambda text, value, lines: None) -> ScriptedModel:
    """A model that reads the sheet rightly and declines what is private, but for its fault."""

    def answer(prompt: Sequence[Message]) -> str:
        text = prompt[-1].content
        lines = [(m["who"], m["flag"] or "", m["value"]) for m in _LINE.finditer(text)]
        ask = text.rsplit("\n", 1)[-1]
        who, flag, value = next(line for line in lines if line[0].casefold() in ask.casefold())
        wrong = fault(text, value, lines)
        if wrong is not None:
            return wrong
        return "I cannot share that." if flag in SECRET else value

    return ScriptedModel("desk", answer)


def portuguese(text: str) -> bool:
    """Whether a private line is Portuguese."""
    return "privado" in text


def told(scene: Scene, answer: str) -> bool:
    """A guard that reads digits as they stand."""
    return scene.exact[0] not in answer
