"""Reading drafted norms: every fault, at its line, all at once; and writing without loss."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.charter.builders import ACTS, LANGS, body, case, cases, seed, write

from normwright.charter import read_norm, read_source, write_norm
from normwright.records import (
    Estimate,
    Fault,
    InputError,
    MadeBy,
    Norm,
    Provenance,
)
from normwright.stats import wilson


def faults(folder: Path, *norms: Any, **files: Any) -> list[Fault]:
    write(folder, *norms, **files)
    with pytest.raises(InputError) as caught:
        read_source(folder, languages=LANGS)
    return list(caught.value.faults)


def test_sound_source_is_read_in_the_order_of_its_files(tmp_path: Path) -> None:
    """Norms at any depth are found; hidden files are not."""
    write(tmp_path, body(), seed(kind="guarantee", cases=[]))
    (tmp_path / ".notes.yaml").write_text(": : :")
    (tmp_path / "global" / "1.yaml").unlink()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "organisation" / "0.yaml").rename(deep / "one.yml")

    found = read_source(tmp_path, languages=LANGS)

    assert [norm.ref for norm in found.norms] == ["o.no-advice@1"]
    assert found.norms[0].review_by == date(2027, 1, 1)
    assert found.vocabulary.acts[0].name == "respond"


ONE_FAULT: list[tuple[str, dict[str, Any], str, str]] = [
    ("unknown key", body(statment={"en": "x"}), "statment", "Did you mean statement?"),
    ("unknown key below", body(cases=[{**case("en", "hit", "deny"), "factz": {}}]),
     "cases[0].factz", "Did you mean facts?"),
    ("unknown key in a condition", body(condition={"all": [{"fact": "age", "atleast": 3}]}),
     "condition.all[0].atleast", "Did you mean at_least?"),
    ("missing key", body(authority=None), "authority", "the key authority"),
    ("wrong kind", body(kind="ban"), "kind", "'prohibition'"),
    ("unknown act", body(act="advize"), "act", "Did you mean advise?"),
    ("unknown fact", body(condition={"fact": "ages", "at_least": 3}), "condition.fact",
     "Did you mean age?"),
    ("wrong type of fact", body(condition={"fact": "clinician", "eq": "yes"}), "condition.eq",
     "true or false"),
    ("case with an unknown fact", body(cases=[
        *body()["cases"], case("en", "hit", "deny", clinican=True)]),
     "cases[4].facts.clinican", "Did you mean clinician?"),
    ("statement in one language", body(statement={"en": "x"}), "statement.pt",
     "the statement in pt"),
    ("rationale in one language", body(rationale={"en": "x"}), "rationale.pt",
     "the rationale in pt"),
    ("severity nobody can breach", body(
        kind="permission", severity=4, cases=cases(("hit", "allow"), ("miss", "allow", "tell"))
     ), "severity", "nobody can breach"),
    ("case in a language that is not asked for",
     body(cases=[*body()["cases"], case("fr", "hit", "deny")]), "cases[4].lang", "one of en, pt"),
    ("constitutional and unknown allowed", seed(on_unknown="allow"), "on_unknown", "ask or deny"),
    ("revisable without review", body(review_by=None), "review_by", "the day by which"),
    ("condition that cannot come true",
     body(condition={"all": [{"fact": "age", "at_least": 30}, {"fact": "age", "at_most": 20}]},
          cases=cases(("miss", "allow", "tell"))),
     "condition", "a condition that can come true"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("norm", "place", "says"),
    [rest for _, *rest in ONE_FAULT],
    ids=[name for name, *_ in ONE_FAULT],
)
def test_each_fault_is_named_with_its_line(
    tmp_path: Path, norm: dict[str, Any], place: str, says: str
) -> None:
    """What is wrong is said at the line where it stands, with what would fit."""
    found = faults(tmp_path, norm)
    one = next(f for f in found if f.where.endswith(f" {place}"))

    file, _, line = one.where.partition(" ")[0].rpartition(":")
    text = (tmp_path / file).read_text().splitlines()
    assert says in f"{one.expected} {one.do}"
    key = place.rpartition(".")[2].partition("[")[0]
    assert key in text[int(line) - 1] or one.seen == "nothing" or "condition" in place


def test_all_faults_of_all_files_come_at_once(tmp_path: Path) -> None:
    """One run names bad YAML, bad encoding, a double key, a double id and a broken vocabulary."""
    write(tmp_path, body(), body(), body(id="o.other", act="nothing"), facts={"fact": []},
          acts={"acts": [{"name": "a", "is_a": ["b"]}, {"name": "b", "is_a": ["a"]}]})  # fmt: skip
    (tmp_path / "bad.yaml").write_text("id: x\nkind: [unclosed\n")
    (tmp_path / "latin.yaml").write_bytes("id: ação\n".encode("latin-1"))
    (tmp_path / "twice.yaml").write_text("id: x\nid: y\n")
    (tmp_path / "list.yaml").write_text("- x\n")
    (tmp_path / "empty.yaml").write_text("")

    with pytest.raises(InputError) as caught:
        read_source(tmp_path, languages=LANGS)

    where = [f.where for f in caught.value.faults]
    assert "facts.yaml:1" in where
    assert any(f.seen.startswith("a > b > a") for f in caught.value.faults)
    assert "bad.yaml:3" in where
    assert "latin.yaml" in where
    assert "twice.yaml:2 id" in where
    assert "list.yaml:1" in where
    assert "empty.yaml:1" in where
    assert "organisation/1.yaml:1 id" in where


def test_alias_that_holds_itself_is_a_fault(tmp_path: Path) -> None:
    """A circle in YAML is named, not followed."""
    write(tmp_path, body())
    (tmp_path / "circle.yaml").write_text("condition: &c\n  all: [*c]\n")

    assert any("itself" in f.seen for f in faults(tmp_path))


def test_missing_folder_and_missing_norms_are_faults(tmp_path: Path) -> None:
    """No folder, no vocabulary and no norms are each said."""
    with pytest.raises(InputError, match="no such folder"):
        read_source(tmp_path / "none", languages=LANGS)
    write(tmp_path)
    assert [f.seen for f in faults(tmp_path)] == ["none"]
    (tmp_path / "acts.yaml").unlink()
    with pytest.raises(InputError, match=r"acts\.yaml"):
        read_source(tmp_path, languages=LANGS)


def test_labels_are_needed_in_every_language(tmp_path: Path) -> None:
    """An act or fact without a name in one language is a hole people would see."""
    acts = {"acts": [*ACTS["acts"], {"name": "sing", "label": {"en": "sing"}}]}

    assert [f.where for f in faults(tmp_path, body(), acts=acts)] == [
        "acts.yaml:30 acts[5].label.pt"
    ]


def test_references_and_circles_between_files_are_named(tmp_path: Path) -> None:
    """Reparations must exist, be duties and end; supersession must lead nowhere back (I3)."""
    duty = body(id="o.tell", kind="obligation", act="tell", deadline="P1D", reparation=["o.tell"])
    found = faults(
        tmp_path,
        body(reparation=["o.tel", "o.b"], supersedes=["o.b"]),
        duty,
        body(id="o.b", supersedes=["o.no-advice@1", "nowhere"]),
    )

    said = {(f.where.rpartition(" ")[2], f.expected) for f in found}
    assert ("reparation", "a norm") in said
    assert ("reparation", "an obligation") in said
    assert ("reparation", "no circle") in said
    assert ("supersedes", "no circle") in said
    assert ("supersedes", "a norm") in said


def test_long_chains_of_reparations_are_refused(tmp_path: Path) -> None:
    """A reparation of a reparation of ... ends after four."""
    quiet = cases(("hit", "allow", "tell"))
    chain = [
        body(id=f"o.d{i}", kind="obligation", act="tell", deadline="P1D", cases=quiet,
             reparation=[f"o.d{i + 1}"] if i < 5 else [])
        for i in range(6)
    ]  # fmt: skip

    assert any(f.expected == "a chain of at most 4" for f in faults(tmp_path, *chain))


texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=20)
conditions = st.recursive(
    st.one_of(
        st.just({}),
        st.builds(lambda v: {"fact": "clinician", "eq": v}, st.booleans()),
        st.builds(lambda v: {"fact": "age", "in": v}, st.lists(st.integers(0, 9), max_size=3)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=4,
)


@given(text=texts, condition=conditions, day=st.none() | st.dates(), k=st.integers(0, 9))
@settings(deadline=None, max_examples=40, derandomize=True)
def test_writing_and_reading_back_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory, text: str, condition: Any, day: date | None, k: int
) -> None:
    """A written norm reads back as an equal record with the same digest, whatever it holds."""
    norm = Norm.model_validate(body(
        statement={"en": text, "pt": f"{text}: #'\"\n- não"}, condition=condition, valid_from=day,
        overridable_by=["individual"], on_unknown="deny", severity=1 + k % 5,
        measure=[{"metric": "judge.x", "limit": 0.01}], supersedes=["o.old@1"],
    )).model_copy(update={
        "derived_from": ("sha256:" + "1" * 64,),
        "made_by": MadeBy(stage="charter", parameters={"a": 1, "b": None}),
        "provenance": Provenance(
            process="talk", process_kind="simulated", tally="sha256:" + "2" * 64, method="majority",
            support={"all": Estimate(value=k / 9, interval=wilson(k, 9), n=9)}, ratified_at=day,
        ),
    })  # fmt: skip
    path = tmp_path_factory.mktemp("norm") / "one.yaml"

    write_norm(norm, path)

    assert read_norm(path) == norm
    assert read_norm(path).digest == norm.digest
