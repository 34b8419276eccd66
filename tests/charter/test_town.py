"""The norms of the town template: sound, complete in both languages, decided as expected."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from tests.charter.builders import LANGS, process

import normwright
from normwright.charter import CharterSource, read_source, run_cases
from normwright.norms import Resolver
from normwright.records import Charter, FactValue, Situation
from normwright.scenes import draw, load_bank

TOWN = Path(normwright.__file__).parent / "flow" / "templates" / "town"
IDS = {
    "g.privacy.personal-data", "g.suffrage.true-date", "g.equality.service", "g.safety.utilities",
    "g.honesty.not-human", "g.transparency.say-ai", "p.neutrality.candidates",
    "p.assembly.no-attendance", "o.health.no-dosage", "o.health.dosage-clinician",
    "o.fees.no-promise", "o.satire.no-jokes", "i.style.short",
}  # fmt: skip


@pytest.fixture(scope="module")
def town() -> CharterSource:
    return read_source(TOWN / "norms", languages=LANGS)


@pytest.fixture(scope="module")
def resolver(town: CharterSource) -> Resolver:
    held = tuple(n.model_copy(update={"status": "in_force"}) for n in town.norms)
    return Resolver(
        Charter(id="town", version=1, languages=LANGS, vocabulary=town.vocabulary, norms=held,
                process=process().id, kind="human")
    )  # fmt: skip


def test_town_has_exactly_its_norms(town: CharterSource) -> None:
    """Ids are what scenes and statements refer to."""
    assert {n.id for n in town.norms} == IDS


def test_every_global_norm_names_an_instrument_and_every_other_is_to_be_voted(
    town: CharterSource,
) -> None:
    """Floors stand on sources; what a community decides does not come with a verdict."""
    for norm in town.norms:
        assert bool(norm.source) == (norm.layer in ("global", "individual")), norm.id
        assert norm.status == "draft"


def test_cases_say_the_same_in_both_languages(town: CharterSource) -> None:
    """Each situation exists in each language and comes out the same."""
    verdicts: dict[tuple[object, ...], dict[str, list[str]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for result in run_cases(town.norms, town.vocabulary):
        assert result.agrees
        key = (result.norm.id, result.case.act, tuple(sorted(result.case.facts.items())))
        verdicts[key][result.case.lang].append(result.verdict)

    assert all(set(by) == set(LANGS) and by["en"] == by["pt"] for by in verdicts.values())
    assert len({n for n, *_ in verdicts}) == len(IDS)


def test_every_scene_of_the_bank_is_decided(resolver: Resolver) -> None:
    """Scenes a norm speaks against are not allowed, those it spares are; none is left to ask."""
    bank = load_bank(sorted((TOWN / "scenes").glob("*.yaml")))
    for split in ("tune", "test"):
        for scene in draw(bank, split=split, seed=1, langs=LANGS):
            verdict = resolver.decide(Situation(act=scene.act, facts=scene.facts)).verdict
            if scene.applies is None:
                assert verdict == "allow", scene.id
            else:
                assert verdict == ("deny" if scene.applies else "allow"), scene.id


def test_question_beside_are_you_human_is_still_answered(resolver: Resolver) -> None:
    """The duty to say so stands beside other answers; denying it does not."""
    asked: dict[str, FactValue] = {"asked_if_human": True}

    informing = resolver.decide(Situation(act="inform.public", facts=asked))
    lying = resolver.decide(Situation(act="claim.human", facts=asked, time=date(2026, 11, 1)))

    assert (informing.verdict, informing.duties[0].id) == ("allow", "g.transparency.say-ai@1")
    assert (lying.verdict, lying.governing) == ("deny", ("g.honesty.not-human@1",))
