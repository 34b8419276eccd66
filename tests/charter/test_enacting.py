"""Enacting: what each norm becomes for learning, guard and release, and what a policy permits."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charter.builders import (
    LANGS,
    body,
    cases,
    outcome,
    process,
    seed,
    source,
    statement,
)

import normwright.charter
from normwright.charter import LAYER_LIMIT, enact, ratify
from normwright.charter.wording import say, spoken
from normwright.records import InputError, Policy, PolicyRule, ProcessKind, Text

ON = date(2026, 11, 1)
OWNERS = {"global": "world", "polity": "city", "organisation": "desk", "individual": "ana"}


def policy(
    folder: Path,
    *norms: dict[str, Any],
    votes: tuple[int, int, int] = (80, 20, 0),
    kind: ProcessKind = "human",
    deployment: dict[str, Any] | None = None,
    **who: Any,
) -> Policy:
    """Ratify norms by the same votes for each, and enact them."""
    keys = sorted({(n["layer"], n["authority"]) for n in norms})
    asked = [
        statement(i, n["id"], layer=n["layer"], authority=n["authority"])
        for i, n in enumerate(norms)
    ]
    outcomes = [
        outcome({s.id: votes for s in asked if (s.layer, s.authority) == key},
                layer=key[0], authority=key[1], kind=kind)
        for key in keys
    ]  # fmt: skip
    charter = ratify(source(folder, *norms), outcomes, process=process(kind, **who),
                     statements=asked, charter_id="test", languages=LANGS, on=ON)  # fmt: skip
    return enact(charter, outcomes, deployment=deployment or {})


def norm(layer: str, tier: str, kind: str = "prohibition", **fields: Any) -> dict[str, Any]:
    """A norm whose own cases hold whatever kind it is."""
    hit = "deny" if kind == "prohibition" else "allow"
    return body(
        id=f"n.{layer}", layer=layer, authority=OWNERS[layer], tier=tier, kind=kind,
        review_by=None if tier == "constitutional" else "2027-01-01",
        cases=cases(("hit", hit), ("miss", "allow", "tell")), **fields,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "tier", "force", "guard", "on_fail", "limit"),
    [
        ("global", "constitutional", "constraint_hard", "deny", "block", 0.01),
        ("global", "revisable", "constraint_hard", "deny", "block", 0.01),
        ("polity", "constitutional", "constraint", "deny", "block", 0.02),
        ("polity", "revisable", "constraint", "deny", "block", 0.02),
        ("organisation", "constitutional", "constraint", "deny", "block", 0.02),
        ("organisation", "revisable", "weight", "deny", "hold", 0.05),
        ("individual", "revisable", "style", "none", "report", 0.20),
    ],
)
def test_a_prohibition_has_the_force_of_its_layer_or_tier(
    tmp_path: Path, layer: str, tier: str, force: str, guard: str, on_fail: str, limit: float
) -> None:
    """The stronger of what layer and tier ask for is taken."""
    (rule,) = policy(tmp_path, norm(layer, tier)).rules

    assert (rule.force, rule.guard, rule.on_fail, rule.limit) == (force, guard, on_fail, limit)


@pytest.mark.parametrize(
    ("layer", "kind", "expected"),
    [
        ("organisation", "permission", ("weight", "none", "report")),
        ("polity", "guarantee", ("weight", "none", "hold")),
        ("individual", "ideal", ("style", "none", "report")),
        ("organisation", "ideal", ("weight", "none", "report")),
    ],
)
def test_what_nobody_can_breach_constrains_nothing(
    tmp_path: Path, layer: str, kind: str, expected: tuple[str, ...]
) -> None:
    """Permissive norms and ideals weigh and are reported; a breached right holds a release."""
    (rule,) = policy(tmp_path, norm(layer, "revisable", kind)).rules

    assert (rule.force, rule.guard, rule.on_fail) == expected


@pytest.mark.parametrize(("layer", "guard"), [("polity", "ask"), ("organisation", "transform")])
def test_duty_is_asked_about_or_done(tmp_path: Path, layer: str, guard: str) -> None:
    """An undone duty is not denied: somebody asks, or the answer is completed."""
    duty = norm(layer, "revisable", "obligation", deadline="P1D",
                condition={"fact": "clinician", "eq": True})  # fmt: skip
    duty["cases"] = [
        *cases(("hit", "allow", "tell"), clinician=True),
        *cases(("miss", "allow", "tell"), clinician=False),
    ]

    assert policy(tmp_path, duty).rules[0].guard == guard


def test_weight_is_severity_times_support(tmp_path: Path) -> None:
    """A ratified norm weighs by its support; a seed without votes by its severity alone."""
    voted = policy(tmp_path / "a", norm("organisation", "revisable", severity=4))
    assert voted.rules[0].weight == pytest.approx(3.2)

    seeded = source(tmp_path / "b", seed(severity=5))
    charter = ratify(seeded, [], process=process(), statements=[], charter_id="t",
                     languages=LANGS, on=ON)  # fmt: skip
    assert enact(charter, [], deployment={}).rules[0].weight == 5.0


def test_weight_of_a_seed_nobody_supports_stays_positive(tmp_path: Path) -> None:
    """A floor that every voter opposes still weighs, by the most support the votes allow."""
    rule: PolicyRule = policy(tmp_path, seed(), votes=(0, 50, 0)).rules[0]

    assert 0 < rule.weight < 0.3


def test_measure_of_a_norm_sets_its_own_limit(tmp_path: Path) -> None:
    """A limit written in the norm wins over the table."""
    measured = norm("organisation", "revisable", measure=[{"metric": "judge.x", "limit": 0.003}])

    assert policy(tmp_path, measured).rules[0].limit == 0.003
    assert set(LAYER_LIMIT) == set(OWNERS)


def test_simulated_policy_permits_internal_use_and_says_why(tmp_path: Path) -> None:
    """However simulated people were identified, the permit covers one mode, in words."""
    made = policy(tmp_path, norm("organisation", "revisable"), kind="simulated",
                  identification="oidc")  # fmt: skip

    assert made.permit_modes == ("internal",)
    assert "simulated" in made.permit_reason["en"]
    assert "simulados" in made.permit_reason["pt"]


@pytest.mark.parametrize(
    ("identification", "modes"),
    [("open", 2), ("invite", 3), ("roster", 3), ("oidc", 3)],
)
def test_human_policy_permits_by_its_weakest_decision(
    tmp_path: Path, identification: str, modes: int
) -> None:
    """The level of the decision bounds what may be released."""
    made = policy(tmp_path, norm("organisation", "revisable"), identification=identification)

    assert made.permit_modes == ("internal", "api_guarded", "open_weights")[:modes]
    assert set(made.permit_reason) == set(LANGS)


def test_seeds_alone_permit_internal_use_only(tmp_path: Path) -> None:
    """A charter in which people decided nothing is no mandate."""
    made = policy(tmp_path, seed())

    assert made.permit_modes == ("internal",)
    assert "decided by people" in made.permit_reason["en"]


def test_prompt_cites_every_norm_strongest_first_in_every_language(tmp_path: Path) -> None:
    """Ids can be cited; authorities carry their names; the charter is named by its digest."""
    floor = seed(act="advise.dose", cases=cases(("hit", "deny", "advise.dose"),
                                                ("miss", "allow", "tell")))  # fmt: skip
    made = policy(
        tmp_path,
        floor,
        norm("organisation", "revisable"),
        deployment={
            "name": {"en": "the desk", "pt": "a recepção"},
            "names": {"desk": {"en": "the help desk", "pt": "balcão"}},
        },
    )

    for lang, name in (("en", "help desk"), ("pt", "balcão")):
        prompt = made.system_prompt[lang]
        assert prompt.index("[g.no-advice]") < prompt.index("[n.organisation]")
        assert name in prompt
        assert made.charter.digest[:19] in prompt
    assert "Nada de conselhos." in made.system_prompt["pt"]


def test_norms_of_elsewhere_are_left_out_and_the_charter_says_from_what(tmp_path: Path) -> None:
    """A deployment outside a city is not bound by it; global norms bind everywhere."""
    floor = seed(act="advise.dose", cases=cases(("hit", "deny", "advise.dose"),
                                                ("miss", "allow", "tell")))  # fmt: skip
    norms = [floor, norm("polity", "revisable"), norm("organisation", "revisable",
             scope={"deployments": "desk-*"})]  # fmt: skip
    everywhere = policy(tmp_path / "a", *norms, deployment={"id": "desk-1"})
    abroad = policy(tmp_path / "a", *norms, deployment={"id": "kiosk", "polities": ["desk"]})

    assert len(everywhere.rules) == 3
    assert [r.norm for r in abroad.rules] == ["g.no-advice@1"]
    assert [n.ref for n in abroad.charter.norms] == ["g.no-advice@1"]
    assert everywhere.charter.digest in abroad.charter.derived_from


def test_language_outside_the_charter_is_refused(tmp_path: Path) -> None:
    """A deployment cannot ask for a language nobody wrote the norms in."""
    with pytest.raises(InputError, match=r"deployment\.languages"):
        policy(tmp_path, seed(), deployment={"languages": ["fr"]})


def test_coverage_names_what_speaks_for_each_norm(tmp_path: Path) -> None:
    """Evaluation needs cases in every language; a style is reported and neither denied nor held."""
    style = norm("individual", "revisable", "ideal")
    style["cases"] = []
    made = policy(tmp_path, norm("organisation", "revisable"), style)

    assert made.coverage["n.organisation@1"] == {
        "guard": True, "reward": True, "evaluation": True, "criterion": True}  # fmt: skip
    assert made.coverage["n.individual@1"] == {
        "guard": False, "reward": False, "evaluation": False, "criterion": True}  # fmt: skip


def test_policy_names_charter_and_outcomes(tmp_path: Path) -> None:
    """A policy can be walked back to the ballots' tallies."""
    made = policy(tmp_path, norm("organisation", "revisable"))

    assert made.derived_from[0] == made.charter.digest
    assert set(made.derived_from[1:]) == set(made.charter.derived_from)
    assert Policy.model_validate_json(made.model_dump_json(by_alias=True)).digest == made.digest


def test_every_language_has_the_same_sentences_with_the_same_places() -> None:
    """No language is told less than another."""
    folder = Path(normwright.charter.__file__).parent / "words"
    books = {p.stem: yaml.safe_load(p.read_text(encoding="utf-8")) for p in folder.glob("*.yaml")}

    assert set(spoken()) == set(books) >= set(LANGS)
    for key, english in books["en"].items():
        for lang in books:
            assert set(books[lang]) == set(books["en"])
            assert _places(books[lang][key]) == _places(english), (lang, key)


def _places(text: str) -> set[str]:
    return {part.partition("}")[0] for part in text.split("{")[1:]}


def test_shares_are_written_as_each_language_writes_them() -> None:
    """A comma in Portuguese, a point in English."""
    said: Text = say("rejected_unsure", LANGS, share=0.5, n=12, low=0.1)

    assert "50.0 % of 12" in said["en"]
    assert "50,0 % de 12" in said["pt"]


def test_public_names_are_sorted_and_there() -> None:
    """The room exports what it lists."""
    names = normwright.charter.__all__

    assert names == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    assert all(hasattr(normwright.charter, name) for name in names)
