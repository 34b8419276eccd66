"""Seed norms as a start: what was chosen, with what it needs, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charter.builders import body, case, seed, write

from normwright.charter import check_source, read_source
from normwright.charter.exchange import seed_files
from normwright.flow import import_seeds
from normwright.records import InputError


def seeds(folder: Path) -> Path:
    """A floor with a fact, and a city's norm that owes something elsewhere for a breach."""
    both = ("en", "pt")
    young = [case(lang, "hit", "deny", age=9) for lang in both]
    old = [case(lang, "miss", "allow", age=40) for lang in both]
    floor = seed(condition={"fact": "age", "at_most": 17}, cases=[*young, *old])
    owed: dict[str, Any] = body(
        id="o.tell",
        kind="obligation",
        act="tell",
        deadline="P1D",
        condition={"fact": "clinician", "eq": True},
        cases=[
            *(case(lang, "hit", "allow", "tell", clinician=True) for lang in both),
            *(case(lang, "miss", "allow", "tell", clinician=False) for lang in both),
        ],
    )
    owing = body(
        id="p.dose",
        layer="polity",
        authority="city",
        act="advise.dose",
        reparation=["o.tell"],
        cases=[
            *(case(lang, "hit", "deny", "advise.dose") for lang in both),
            *(case(lang, "miss", "allow", "tell") for lang in both),
        ],
    )
    return write(folder, floor, owed, owing)


def test_all_seeds_come_with_their_whole_vocabulary_in_use(tmp_path: Path) -> None:
    """What was written is a charter whose cases come out as they say."""
    import_seeds((), tmp_path / "out", seeds=seeds(tmp_path / "seeds"))
    source = read_source(tmp_path / "out")

    assert {n.id for n in source.norms} == {"g.no-advice", "o.tell", "p.dose"}
    assert check_source(source).failures == ()


def test_a_layer_comes_with_the_acts_and_facts_it_needs_and_no_others(tmp_path: Path) -> None:
    """The floor needs age and not the clinician; its files are the same to the byte."""
    place = seeds(tmp_path / "seeds")
    found = seed_files(place, ["global"])
    acts = [act["name"] for act in yaml.safe_load(found["acts.yaml"])["acts"]]

    assert sorted(found) == ["acts.yaml", "charter.yaml", "facts.yaml", "global/0.yaml"]
    assert found["global/0.yaml"] == (place / "global/0.yaml").read_bytes()
    assert acts == ["respond", "advise", "decline"]
    assert [f["name"] for f in yaml.safe_load(found["facts.yaml"])["facts"]] == ["age"]


def test_what_a_seed_names_comes_along(tmp_path: Path) -> None:
    """A norm that is owed for a breach is taken from its own layer."""
    found = seed_files(seeds(tmp_path / "seeds"), ["polity"])

    assert {name for name in found if "/" in name} == {"polity/2.yaml", "organisation/1.yaml"}


def test_an_unknown_layer_is_refused_with_the_nearest(tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(InputError, match=r"Did you mean global\?"):
        import_seeds(("globl",), tmp_path / "out", seeds=seeds(tmp_path / "seeds"))

    assert not (tmp_path / "out").exists()


def test_the_norms_that_ship_can_be_taken_by_layer(tmp_path: Path) -> None:
    """Each folder is a charter whose cases come out as they say, and keeps its notice."""
    for layer in ("global", "eu", "br", "example"):
        import_seeds((layer,), tmp_path / layer)
        found = read_source(tmp_path / layer)

        assert check_source(found).failures == ()
        assert set(found.head.notice) == {"en", "pt"}
