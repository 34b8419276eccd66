"""The report and the charter: self-contained, in every language, saying only what is known."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from tests.web.town import town, town_examples

from normwright.records import (
    Dataset,
    Estimate,
    Ground,
    InputError,
    IntegrityFault,
    Permit,
    PermitSubject,
    Ranking,
    Support,
)
from normwright.stats import clopper_pearson
from normwright.web import pick_examples, shipped, write_report
from normwright.web.outcomes import _ranked, _Row, quality_rows
from normwright.web.report import _rows_of
from normwright.web.words import words_for

WEB = Path("src/normwright/web")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of a simulated town."""
    folder = tmp_path_factory.mktemp("report")
    write_report(town(), folder)
    return folder


def edition(page: str, lang: str) -> str:
    """The part of a page that is in one language."""
    parts = re.split(r'<div class="edition" id="(\w+)"', page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[lang]


def test_every_locale_says_the_same_things_with_the_same_places() -> None:
    """English and Portuguese have the same keys, none empty, with the same placeholders."""

    def shape(lang: str) -> dict[str, list[str]]:
        book = yaml.safe_load((WEB / "locale" / f"{lang}.yaml").read_text(encoding="utf-8"))
        flat = {
            f"{section}.{key}": text
            for section, words in book.items()
            for key, text in (words.items() if isinstance(words, dict) else [("", words)])
        }
        assert all(isinstance(text, str) and text.strip() for text in flat.values())
        return {key: sorted(re.findall(r"{\w*}", text)) for key, text in flat.items()}

    shapes = [shape(lang) for lang in shipped()]

    assert len(shapes) >= 2
    assert all(each == shapes[0] for each in shapes)


@pytest.mark.parametrize("page", ["report.html", "charter.html"])
def test_a_page_is_one_file_without_scripts(out: Path, page: str) -> None:
    """Nothing is fetched and nothing runs: no script, no handler, no address of a server."""
    text = (out / page).read_text(encoding="utf-8")
    links = set(re.findall(r'(?:href|src)="([^"]*)"', text))

    assert "<script" not in text
    assert not re.search(r'\son\w+="', text)
    assert not re.search(r"url\(|@import|https?://", text)
    assert all(link.startswith("#") or link.split("#")[0].endswith(".html") for link in links)


@pytest.mark.parametrize("page", ["report.html", "charter.html"])
def test_the_markup_is_sound(out: Path, page: str) -> None:
    """Elements close in order, ids are unique, headings skip no level, links find their id."""
    void = {"meta", "br"}
    text = (out / page).read_text(encoding="utf-8")
    stack: list[str] = []
    ids: list[str] = []
    levels: list[int] = []
    targets: set[str] = set()

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag not in void:
                stack.append(tag)
            if given.get("id"):
                ids.append(str(given["id"]))
            if re.fullmatch(r"h[1-6]", tag):
                levels.append(int(tag[1]))
            href = given.get("href") or ""
            if href.startswith("#"):
                targets.add(href[1:])
            targets.update((given.get("aria-labelledby") or "").split())

        def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.handle_starttag(tag, attrs)
            if tag not in void:
                self.handle_endtag(tag)

        def handle_endtag(self, tag: str) -> None:
            assert stack.pop() == tag

    Checker().feed(text)

    assert stack == []
    assert len(ids) == len(set(ids))
    assert targets <= set(ids)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert text.count("<table") == text.count("<caption")


def test_the_first_language_is_the_one_a_page_opens_in(tmp_path: Path) -> None:
    """The default edition stands last, where the style sheet lets it show; `lang` says which."""
    data = replace(town(), languages=("pt", "en"))

    text = write_report(data, tmp_path).read_text(encoding="utf-8")

    assert '<html lang="pt">' in text
    assert re.findall(r'<div class="edition" id="(\w+)" lang="(\w+)">', text) == [
        ("en", "en"),
        ("pt", "pt"),
    ]


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["Simulated participants", "not yet", "6,931 votes", "39.5%", "no n would do"]),
        (
            "pt",
            ["Participantes simulados", "ainda não", "6.931 votos", "39,5%", "nenhum n chegaria"],
        ),
    ],
)
def test_the_report_speaks_each_language(out: Path, lang: str, words: list[str]) -> None:
    """Banner, verdict, counts and bounds stand there in the language, numbers included."""
    text = edition((out / "report.html").read_text(encoding="utf-8"), lang)

    assert [word for word in words if word not in text] == []


def test_no_edition_leaks_into_the_other(out: Path) -> None:
    """Labels of one language do not appear in the other's edition."""
    text = (out / "report.html").read_text(encoding="utf-8")

    assert "Decided by" not in edition(text, "pt")
    assert "Decidido por" not in edition(text, "en")
    assert "within the margin" not in edition(text, "pt")
    assert "under one half" not in edition(text, "pt")
    assert "menos de metade" in edition(text, "pt")


def test_only_what_is_shown_to_divide_groups_divides_them() -> None:
    """All of one group for and all of another against is no division where five people voted."""

    def support(agree: int, disagree: int) -> Estimate:
        voted = agree + disagree
        return Estimate(value=agree / voted, interval=clopper_pearson(agree, voted), n=voted)

    few, many, alike = (
        {"A": support(3, 0), "B": support(0, 2)},
        {"A": support(90, 10), "B": support(20, 80)},
        {"A": support(55, 45), "B": support(45, 55)},
    )
    found = Support(
        statement="s", agree=1, disagree=1, passed=0, seen=2, support=support(1, 1), groups=few
    )
    gaps = [_Row("s", "S", found, groups).gap for groups in (few, many, alike)]

    assert gaps[0] == gaps[2] == 0.0
    assert 0.4 < gaps[1] < 0.7


def test_a_tie_takes_the_places_of_all_who_share_it() -> None:
    """Behind two that are first comes a third, not a second."""
    ranking = Ranking(method="schulze", tiers=(("a", "b"), ("c",), ("d",)))
    (en,) = words_for(["en"])

    assert [tier["rank"] for tier in _ranked(ranking, {}, en)["tiers"]] == [1, 3, 4]


def test_rows_that_are_not_in_a_dataset_are_counted_by_the_reason() -> None:
    """Sources had more rows than were learned from; what was only found in them is not left out."""
    dataset = Dataset(
        kind="pairs", rows=1069, content="sha256:" + "0" * 64, process_kind="human",
        left_out={"too long": 56, "not drawn": 0, "assumed-language": 149},
    )  # fmt: skip
    en, pt = (_rows_of(dataset, w) for w in words_for(["en", "pt"]))

    assert en == "1,069 rows; left out: too long 56"
    assert pt == "1.069 linhas; de fora: longas de mais 56"
    assert _rows_of(dataset.model_copy(update={"left_out": {}}), words_for(["en"])[0]) == "1,069"


def test_what_was_done_about_data_is_told_in_each_language() -> None:
    """What this project checks has words; a foreign importer's own is kept, marked as English."""
    faults = (
        IntegrityFault(kind="duplicate-votes", count=3, policy="the last answer counts"),
        IntegrityFault(kind="acme-oddity", count=1, policy="turned upside down"),
    )
    found = town().consultation
    assert found is not None
    seen = found.model_copy(update={"faults": faults})
    told = {
        w.lang: [(row["policy"], row["policy_lang"]) for row in quality_rows(seen, w)]
        for w in words_for(["en", "pt"])
    }

    assert told["pt"][0] == ("conta a última resposta de cada pessoa", "pt")
    assert told["en"][0] == ("the last answer of a person counts", "en")
    assert told["pt"][1] == told["en"][1] == ("turned upside down", "en")


def test_simulation_is_marked_on_every_page_and_people_are_not(out: Path, tmp_path: Path) -> None:
    """The banner says who took part, on both pages, and says it right."""
    write_report(town("human"), tmp_path)

    for page in ("report.html", "charter.html"):
        simulated = (out / page).read_text(encoding="utf-8")
        human = (tmp_path / page).read_text(encoding="utf-8")
        assert simulated.count("<b>Simulated participants</b>") == 1
        assert "Simulated participants" not in human
        assert "Human participants" in human


def test_what_a_model_wrote_cannot_become_markup(out: Path) -> None:
    """A model's answer is shown as text, whatever it holds."""
    text = (out / "report.html").read_text(encoding="utf-8")

    assert "55 &lt;b&gt;" in text
    assert "55 <b>" not in text


def test_a_report_with_the_least_it_can_have_says_what_is_missing(tmp_path: Path) -> None:
    """Without votes, answers, attacks or controls the page stands and shows no number for them."""
    text = write_report(town(known=False), tmp_path).read_text(encoding="utf-8")

    english = edition(text, "en")

    for words in ("No examples were kept.", "No attack was run.", "Nothing was measured."):
        assert words in english
    assert '<div class="big">–</div><div class="noun">votes</div>' in english


def test_missing_evidence_and_a_broken_gate_are_shown_as_such(tmp_path: Path) -> None:
    """A verdict without measurements holds visibly; nothing is drawn where nothing was measured."""
    from tests.release.builders import ALIGNED, LANGUAGES, TEMPLATE

    from normwright.release import decide, read_criteria

    bare = town(known=False)
    assert bare.policy is not None
    verdict = decide(
        read_criteria(TEMPLATE, languages=LANGUAGES),
        measurements=[],
        contrasts=[],
        policy=bare.policy,
        model_digest=ALIGNED,
    )

    text = edition(
        write_report(replace(bare, verdict=verdict), tmp_path).read_text(encoding="utf-8"), "en"
    )

    assert text.count("Nothing was measured for this mode yet.") == 3
    assert 'class="gauge"' not in text


def a_permit(*modes: str, holds: bool | None = True, limit: str = "") -> Permit:
    """A permit with one ground; refused where that does not hold."""
    return Permit(
        subject=PermitSubject(model="embedded"),
        charter=None,
        grounds=(
            Ground(
                condition="consent",
                holds=holds,
                reasons=({"en": "Said of consent.", "pt": "Dito do consentimento."},),
            ),
        ),
        granted=holds is True,
        modes=modes,
        limits=({"en": limit, "pt": f"{limit} (pt)"},) if limit else (),
        decision_level="L1",
        valid_from=date(2026, 11, 1),
        valid_until=date(2027, 6, 30),
    )


def permit_part(text: str, lang: str) -> str:
    """What a page says of the permit, in one language and without markup."""
    part = edition(text, lang).split(f'id="{lang}-permit"')[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


@pytest.mark.parametrize(
    ("lang", "internal", "guarded", "last"),
    [
        ("en", "Internal use", "Behind an interface", "Its last day is 2027-06-30."),
        ("pt", "Uso interno", "Por interface", "O último dia é 2027-06-30."),
    ],
)
def test_pages_show_the_permits_modes_and_why_there_are_no_more(
    tmp_path: Path, lang: str, internal: str, guarded: str, last: str
) -> None:
    """The policy allows two modes and the permit covers one: both pages say one, and the reason."""
    wide = town("human")
    assert wide.policy is not None
    assert wide.policy.permit_modes == ("internal", "api_guarded")

    write_report(replace(wide, permit=a_permit("internal", limit="Only L1.")), tmp_path)
    report, norms = (
        permit_part((tmp_path / page).read_text(encoding="utf-8"), lang)
        for page in ("report.html", "charter.html")
    )

    for told in (report, norms):
        assert internal in told
        assert guarded not in told
        assert "Only L1." in told
    assert last in report
    assert {"en": "Said of consent.", "pt": "Dito do consentimento."}[lang] in report


def test_a_permit_cannot_widen_what_the_policy_allows(tmp_path: Path) -> None:
    """A mode that only the permit covers is not shown, and the policy says why."""
    text = write_report(
        replace(town(), permit=a_permit("internal", "api_guarded", "open_weights")), tmp_path
    ).read_text(encoding="utf-8")

    told = permit_part(text, "en")

    assert "release modes covered: Internal use." in told
    assert "it speaks for nobody" in told


def test_a_refused_permit_and_models_trained_without_one_are_shown(tmp_path: Path) -> None:
    """A refusal stands with its reason, and models that were trained all the same are named."""
    data = town()
    models = {role: m.model_copy(update={"unpermitted": True}) for role, m in data.models.items()}
    assert models

    told = permit_part(
        write_report(replace(data, permit=a_permit(holds=None), models=models), tmp_path).read_text(
            encoding="utf-8"
        ),
        "en",
    )

    assert "Refused." in told
    assert "Said of consent." in told
    assert "not known" in told
    assert f"Trained without a permit: {', '.join(m.name for m in models.values())}." in told


def test_the_same_records_give_the_same_bytes(out: Path, tmp_path: Path) -> None:
    """No time and no order of a set gets onto the page."""
    write_report(town(), tmp_path)

    for page in ("report.html", "charter.html"):
        assert (tmp_path / page).read_bytes() == (out / page).read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["charter.html", "report.html"]


def test_a_project_in_a_language_without_locale_is_refused(tmp_path: Path) -> None:
    """There is no page in a language nobody wrote the words of, and no silent English."""
    with pytest.raises(InputError, match="locale file"):
        write_report(replace(town(), languages=("xx",)), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_examples_are_chosen_by_rule() -> None:
    """A harm avoided and a benign twin in each language; a model's own errors come when there."""
    scenes, answers = town_examples()

    chosen = pick_examples(scenes, answers)
    worse = {**answers, "aligned": answers["tuned"]}
    failing = pick_examples(scenes, worse)

    assert [e.scene.id for e in chosen] == [
        "privacy.en.5512", "privacy.en.7741", "privacy.pt.5512", "privacy.pt.7741",
    ]  # fmt: skip
    assert set(chosen[0].answers) == {"base", "tuned", "aligned", "guarded"}
    assert any(e.answers["aligned"].violated for e in failing)
    assert pick_examples(scenes[::-1], answers)[-1].scene.lang == "en"


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast(scheme: int) -> None:
    """Every text colour reaches 4.5 to 1 on every ground it stands on (WCAG 2.2, 1.4.3)."""
    css = (WEB / "templates" / "page.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))

    def ratio(one: str, other: str) -> float:
        a, b = sorted((_luminance(colours[one]), _luminance(colours[other])), reverse=True)
        return (a + 0.05) / (b + 0.05)

    words = ("ink", "soft", "accent", "RELEASE", "HOLD", "BLOCK", "INVALID")
    low = [(w, g) for w in words for g in ("paper", "card", "faint") if ratio(w, g) < 4.5]

    assert low == []
    assert ratio("note-ink", "note") >= 4.5
