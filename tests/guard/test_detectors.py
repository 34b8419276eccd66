"""Detectors are data: every fault of a file is told at once, and what fits no act is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from normwright.guard import read_detectors
from normwright.guard.embedded import detectors, policy
from normwright.guard.text_harm import TextHarm
from normwright.norms import situation_faults
from normwright.records import ActType, InputError, Vocabulary

GOOD = """
schema: guard-detectors/v1
signals:
- {name: own.one, act: express.demeaning, facts: {targets_people: true}, threshold: 0.4}
patterns:
- {id: one, signal: own.one, lang: pt, chance: 0.7, any: ['\\bção\\s+ruim\\b'], unless: [não]}
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    """Signals with their acts and facts, patterns without accents; YAML and JSON alike."""
    (tmp_path / "a.yaml").write_text(GOOD)
    found = read_detectors(tmp_path / "a.yaml", vocabulary=policy().charter.vocabulary)
    (pattern,) = found.patterns

    assert found.signals["own.one"].threshold == 0.4
    assert found.signals["own.one"].told("user") == {"targets_people": True}
    assert pattern.any[0].source == r"\bcao\s+ruim\b"
    assert pattern.any[0].plain.search("uma cao ruim")
    assert pattern.any[0].tight.search("umacaoruim")
    (tmp_path / "a.json").write_text(json.dumps({"schema": "guard-detectors/v1", "signals": []}))
    assert read_detectors(tmp_path / "a.json").signals == {}


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Acts, facts, probabilities, roles, expressions, names and keys that are wrong: one error."""
    (tmp_path / "bad.yaml").write_text(
        """
schema: guard-detectors/v1
signals:
- {name: a, act: no.such, facts: {nothing: 1}, threshold: 2, roles: [wizard], colour: red}
- {name: b}
- {name: c, act: express.demeaning, by_role: {wizard: {}}, sides: [inside]}
patterns:
- {id: p, signal: a, any: ['(']}
- {id: p, signal: a, any: [x]}
- {id: q, signal: none, any: [x]}
- {id: r, signal: a}
labels: {hate: none}
more: 1
"""
    )
    with pytest.raises(InputError) as caught:
        read_detectors(tmp_path / "bad.yaml", vocabulary=policy().charter.vocabulary)
    places = {f.where.removeprefix("bad.yaml: ") for f in caught.value.faults}

    assert places >= {
        "signals.a.act", "signals.a.threshold", "signals.a.roles", "signals.a.colour", "signals.b",
        "signals.c.by_role", "signals.c.sides", "patterns.p.any[0]", "patterns.p", "patterns.q",
        "patterns.r.any", "labels", "more",
    }  # fmt: skip
    for text in ("schema: other", "[1, 2]", "a: [", ""):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(InputError, match=r"bad\.yaml"):
            read_detectors(tmp_path / "bad.yaml")
    with pytest.raises(InputError, match=r"missing\.yaml"):
        read_detectors(tmp_path / "missing.yaml")


def test_the_embedded_detectors_fit_the_embedded_policy() -> None:
    """Every act, fact and expression of the shipped file is sound, and each language has both."""
    path = Path(policy.__wrapped__.__code__.co_filename).parent / "detectors.yaml"
    found = read_detectors(path, vocabulary=policy().charter.vocabulary)
    pairs = {p.id.removesuffix("-en").removesuffix("-pt") for p in found.patterns if p.lang}

    assert found == detectors()
    assert all({f"{name}-en", f"{name}-pt"} <= {p.id for p in found.patterns} for name in pairs)
    for signal in found.signals.values():
        assert not situation_faults(dict(signal.facts), policy().charter.vocabulary)


def test_detectors_are_cut_to_a_vocabulary() -> None:
    """What speaks of acts a charter does not have is left out, with its patterns and labels."""
    small = Vocabulary(facts=(), acts=(ActType(name="express.threat"), ActType(name="drop.rules")))
    found = detectors().within(small)

    assert {s.act for s in found.signals.values()} == {"express.threat", "drop.rules"}
    assert all(s.facts == () and s.acts == () for s in found.signals.values())
    assert {p.signal for p in found.patterns} <= found.signals.keys()
    assert set(found.labels.values()) <= found.signals.keys()
    assert found.patterns


def test_a_threshold_of_a_language_holds_where_the_language_is_known(tmp_path: Path) -> None:
    """It is used for its own language alone, and neither for another nor for several."""
    own = GOOD.replace("threshold: 0.4}", "threshold: 0.4, by_language: {pt: 0.2}}")
    (tmp_path / "a.yaml").write_text(own)
    signal = read_detectors(tmp_path / "a.yaml").signals["own.one"]

    assert [signal.limit(x) for x in (["pt"], ["en"], ["en", "pt"], [])] == [0.2, 0.4, 0.4, 0.4]
    (tmp_path / "a.yaml").write_text(own.replace("0.2}", "2}"))
    with pytest.raises(InputError, match=r"by_language\.pt"):
        read_detectors(tmp_path / "a.yaml")


def test_requests_are_put_to_the_charter_from_the_card_s_threshold_on() -> None:
    """No language has a lower threshold than the one its harmless prompts were counted at."""
    card = TextHarm.embedded().card["thresholds"]

    for label, name in (("harmful-request", "harm.request"), ("jailbreak", "harm.jailbreak")):
        for lang, least in card[label].items():
            assert detectors().signals[name].limit([lang]) >= least
