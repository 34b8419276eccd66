"""Under a charter, who reads is told from who remembers; reports are written whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from normwright.charter import assembled, read_source
from normwright.charter.drawing import Reader, cases, items
from normwright.charter.drawing.wordings import wordings
from normwright.flow.moral import (
    charter_figures,
    read_case,
    read_cases,
)
from normwright.models import ScriptedModel
from normwright.norms import Resolver
from normwright.records import CaseAnswer, CaseItem, Charter, InputError, Message, MoralFigure

TOWN = Path(__file__).parents[2] / "src/normwright/flow/templates/town/norms"


@dataclass(frozen=True)
class Asked:
    """Items, the charter as it stands, and somebody who reads what the prompt says."""

    charter: Charter
    items: list[CaseItem]
    reader: Reader

    def model(self, name: str, answer: Callable[[CaseItem], CaseAnswer]) -> ScriptedModel:
        """A model that puts its answers into words."""
        by_prompt = {item.prompt: item for item in self.items}

        def say(prompt: Sequence[Message]) -> str:
            item = by_prompt[tuple(prompt)]
            return self.in_words(item.lang, answer(item))

        return ScriptedModel(name, say)

    def in_words(self, lang: str, said: CaseAnswer) -> str:
        """A verdict, its norms and what is missing, as the prompt asks for them."""
        words = wordings([lang])[lang].words
        facts = {f.name: f for f in self.charter.vocabulary.facts}
        labels = [facts[n].label.get(lang, n).strip().rstrip(".?!:;") for n in said.unknown]
        told = [f"{words['verdicts'][said.verdict]}.", *(f"[{ref}]" for ref in said.norms)]
        if labels:
            listed = "; ".join(label[:1].upper() + label[1:] for label in labels)
            told.append(words["answers"]["missing"].format(v=listed))
        return " ".join(told)


@pytest.fixture(scope="module")
def asked() -> Asked:
    town = assembled(read_source(TOWN), drafts=True)
    drawn = list(cases(town, seed=3, count=160))
    reader = Reader(town, {id(n): n for case in drawn for n in case.norms}.values())
    return Asked(town, [item for case in drawn for item in items(case)], reader)


def by_name(found: list[MoralFigure], name: str) -> list[MoralFigure]:
    """The figures of a name, one a language."""
    return [f for f in found if f.name == name]


def test_the_resolver_scores_everything(asked: Asked) -> None:
    """Who answers by the norms in the prompt is right throughout, in words, in both languages."""
    found = charter_figures(asked.model("reader", asked.reader.answer), asked.items, seed=1)
    worst = ("conflicts-overused", "asked-needlessly")
    judged = [f for f in found if f.limit is not None]

    assert {f.state for f in judged} == {"pass"}
    assert {f.estimate.value for f in judged if f.name not in worst} == {1.0}
    assert {f.estimate.value for f in judged if f.name in worst} == {0.0}
    assert {f.estimate.value for f in by_name(found, "missing-named")} == {1.0}
    assert all(f.baselines["constant"] < 0.6 for f in by_name(found, "verdicts"))


def test_a_memoriser_is_told_by_the_swap(asked: Asked) -> None:
    """Who decides by the charter as it stands, whatever the prompt says, fails where it is altered.

    On the items whose charter is as it stands nothing tells the two apart.
    """
    resolver = Resolver(asked.charter)

    def remembered(item: CaseItem) -> CaseAnswer:
        said = resolver.decide(item.situation)
        return CaseAnswer(id=item.id, lang=item.lang, verdict=said.verdict, norms=said.governing,
                          unknown=said.unknown)  # fmt: skip

    model = asked.model("memoriser", remembered)
    plain = [item for item in asked.items if not item.alteration]
    found = charter_figures(model, asked.items, seed=1)
    as_it_stands = charter_figures(model, plain, seed=1)

    assert {f.estimate.value for f in by_name(as_it_stands, "verdicts")} == {1.0}
    assert {f.estimate.value for f in by_name(found, "charter-swap")} == {0.0}
    assert {f.state for f in by_name(found, "charter-swap")} == {"fail"}


def test_a_verdict_is_asked_by_log_probability_too(asked: Asked) -> None:
    """Who holds the right verdict likeliest is right there, and reads as wrong without words."""
    by_prompt = {item.prompt: item for item in asked.items}

    def verdict(prompt: Sequence[Message]) -> str:
        item = by_prompt[tuple(prompt)]
        return f"{wordings([item.lang])[item.lang].words['verdicts'][item.verdict]}."

    found = charter_figures(ScriptedModel("terse", verdict), asked.items, seed=1)

    assert {f.estimate.value for f in by_name(found, "verdict-choice")} == {1.0}
    assert {f.state for f in by_name(found, "norms-f1")} == {"fail"}


def test_missing_facts_are_read_in_words(asked: Asked) -> None:
    """Exactly the right facts get their names; one more, or another, does not."""
    asks = [i for i in asked.items if i.verdict == "ask"]
    item = asks[0]
    other = next(i for i in asks if i.lang == item.lang
                 and i.unknown != item.unknown)  # fmt: skip

    assert read_case(item, item.answer).unknown == item.unknown
    assert read_case(item, other.answer).unknown != item.unknown
    assert read_case(item, "").verdict is None


def test_cases_are_read_or_every_fault_is_told(asked: Asked, tmp_path: Path) -> None:
    """Units are drawn whole; a line that is no case is named with its number."""
    path = tmp_path / "cases.jsonl"
    lines = [item.model_dump_json() for item in asked.items]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    drawn = read_cases(path, limit=3, seed=1)
    units = {item.unit for item in drawn}

    assert len(units) == 3
    assert len(drawn) == sum(item.unit in units for item in asked.items)
    path.write_text("\n".join([lines[0], json.dumps({"id": 1})]) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_cases(path, limit=None, seed=0)
    assert all(f.where.startswith(f"{path}:2") for f in caught.value.faults)
