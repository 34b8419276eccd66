"""A Model Spec document becomes drafts: all of it, with its authority, and none of it in force."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import pytest

from normwright.charter import (
    assembled,
    check_source,
    read_source,
)
from normwright.charter.exchange import model_spec_files, read_model_spec
from normwright.charter.exchange.model_spec import norm_id
from normwright.charter.invariants import UNDETERMINED, norm_invariants
from normwright.flow import import_model_spec
from normwright.norms import Resolver
from normwright.records import InputError, Situation, Vocabulary

HANDBOOK = Path(__file__).parent / "model_spec" / "model_spec.md"
ON = date(2026, 11, 26)


def imported(out: Path, document: Path = HANDBOOK) -> Path:
    import_model_spec(document, out, examples=HANDBOOK.parent / "examples", authority="library",
                      lang="en", on=ON)  # fmt: skip
    return out


@pytest.fixture(scope="module")
def drafts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handbook, imported once."""
    return imported(tmp_path_factory.mktemp("handbook") / "drafts")


def document(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_section_with_an_authority_is_found_with_its_level() -> None:
    """59 sections: 22 root, 3 system, 1 developer, 15 user, 18 guideline; groups are none."""
    spec = read_model_spec(HANDBOOK)

    assert len(spec.sections) == 59
    assert spec.levels == {"root": 22, "system": 3, "developer": 1, "user": 15, "guideline": 18}
    assert not {"who_decides", "never_done"} & {s.slug for s in spec.sections}


def test_examples_hang_on_their_sections_and_gaps_are_told() -> None:
    """Footnoted files and examples in the text are attached; missing and unused ones are named."""
    spec = read_model_spec(HANDBOOK)
    by_slug = {s.slug: s for s in spec.sections}

    assert [e.key for e in by_slug["ask_when_unclear"].examples] == ["a5k1", "a5k1"]
    assert by_slug["ask_when_unclear"].examples[0].title == "Two towns of one name"
    assert by_slug["explain_refusal"].examples[0].key is None
    assert "Ten pages a day" in by_slug["explain_refusal"].examples[0].text
    assert (spec.missing, spec.unused) == (("ch4r",), ("z9z9",))
    assert sum(len(s.examples) for s in spec.sections) == 15


def test_prose_is_kept_without_marks_and_references_are_named() -> None:
    """A `#` in a block of code is no heading, a footnote mark no text, a reference has a title."""
    by_slug = {s.slug: s for s in read_model_spec(HANDBOOK).sections}

    assert "# Find a book by its mark" in by_slug["code_runs"].text
    assert by_slug["chain"].text.endswith("See “Quiet places” for the one exception.")
    assert by_slug["chain"].above == ("Who decides",)
    assert all("[^" not in s.text for s in by_slug.values())


def test_drafts_are_a_charter_in_which_nothing_holds(drafts: Path) -> None:
    """Each draft stands at the organisation, names its authority in its source, decides nothing.

    Even taken to hold, drafts without an act are left out.
    """
    source = read_source(drafts)
    by_id = {n.id: n for n in source.norms}

    assert {(n.status, n.layer, n.authority, n.act) for n in source.norms} == {
        ("draft", "organisation", "library", UNDETERMINED)}  # fmt: skip
    assert "authority root" in by_id["model-spec.mass-harm"].source[0].ref
    assert by_id["model-spec.warm"].overridable_by == ("organisation", "individual")
    assert by_id["model-spec.warm"].override_mode == "implicit"
    assert by_id["model-spec.mass-harm"].overridable_by == ()
    assert check_source(source).failures == ()
    assert assembled(source).norms == assembled(source, drafts=True).norms == ()


def test_examples_are_written_beside_the_draft_that_names_them(drafts: Path) -> None:
    """Whoever writes the cases finds the conversations, whole."""
    norm = next(n for n in read_source(drafts).norms if n.id == "model-spec.reading-secret")
    page = (drafts / norm.source[1].ref.split(" ")[0]).read_text(encoding="utf-8")

    assert "That is between her and the library." in page
    assert "[^l0an]" in page


@pytest.mark.parametrize("status", ["in_force", "demonstration", "suspended"])
def test_no_charter_may_hold_a_norm_without_an_act(drafts: Path, status: str) -> None:
    """The reserved act is for drafts and proposals alone."""
    source = read_source(drafts)
    norm = source.norms[0].model_copy(update={"status": status})
    found = norm_invariants(norm, ("en",))

    assert any(fault.where.endswith(": act") and status in fault.expected for fault in found)
    assert not norm_invariants(source.norms[0].model_copy(update={"status": "proposed"}), ("en",))


def test_drafts_do_not_change_what_a_charter_decides(drafts: Path) -> None:
    """The resolver says the same with and without them."""
    source = read_source(drafts)
    made = assembled(source, drafts=True)

    assert Resolver(made).decide(Situation(act="decline")).verdict == "allow"
    assert made.vocabulary.facts == Vocabulary(facts=(), acts=()).facts


def test_the_same_document_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also compressed; only the day of the import shows."""
    packed = tmp_path / "model_spec.md.gz"
    packed.write_bytes(gzip.compress(HANDBOOK.read_bytes()))
    plain = read_model_spec(HANDBOOK)
    again = read_model_spec(packed, examples=HANDBOOK.parent / "examples")
    files = model_spec_files(plain, authority="library", lang="en", on=ON)

    assert again.sections == plain.sections
    assert files == model_spec_files(plain, authority="library", lang="en", on=ON)


def test_every_fault_of_a_document_is_told_at_once(tmp_path: Path) -> None:
    """Unknown levels with the nearest, slugs that come twice or are missing, each with its line."""
    text = (
        "# A {#a authority=root}\nx\n# B {#b authority=usr}\n# C {#a authority=user}\n"
        "# D {authority=user}\n~~~\n# E {#e authority=nobody}\n~~~\n"
    )
    with pytest.raises(InputError) as caught:
        read_model_spec(document(tmp_path, text))
    faults = {f.where: f for f in caught.value.faults}

    assert set(faults) == {"spec.md:3", "spec.md:4", "spec.md:5"}
    assert faults["spec.md:3"].do == "Did you mean user?"
    assert "#a again" in faults["spec.md:4"].seen


@pytest.mark.parametrize("text", ["", "# Title\n\nProse.\n", "~~~\n# A {#a authority=user}\n~~~\n"])
def test_a_document_without_sections_is_refused(tmp_path: Path, text: str) -> None:
    """What has no heading with an authority is no such document."""
    with pytest.raises(InputError, match="authority=user"):
        read_model_spec(document(tmp_path, text))


def test_sections_nest_and_plain_headings_belong_to_their_section(tmp_path: Path) -> None:
    """A heading without a slug is prose; a deeper one with an authority is a section of its own."""
    text = (
        "# A {#a authority=root}\nOne.\n\n## Plain\nTwo.\n\n### B {#b authority=user}\nThree.\n"
        "# C {#c}\nFour.\n"
    )
    a, b = read_model_spec(document(tmp_path, text)).sections

    assert (a.text, b.text) == ("One.\n\n## Plain\nTwo.", "Three.")
    assert b.above == ("A",)
    assert norm_id(b) == "model-spec.b"


def test_nothing_is_written_over(drafts: Path) -> None:
    """A folder in which somebody works is refused and stays as it is."""
    out = drafts
    before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match="a new or empty directory"):
        imported(out)

    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before
