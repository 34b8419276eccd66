"""The norms that come with the package: sound, complete in both languages, decided as they say."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from normwright.charter import (
    CaseResult,
    CharterSource,
    assembled,
    check_source,
    read_source,
    run_cases,
    seeds,
)
from normwright.charter.cases import DONE_OR_NOT, speaks_about
from normwright.norms import Acts, Resolver, evaluate, facts_of
from normwright.records import ActType, FactType, Norm, NormCase, Situation

LANGS = ("en", "pt")
CONCERNS = {
    "discrimination", "accountability", "transparency", "privacy", "safety", "honesty",
    "autonomy", "oversight", "legitimacy",
}  # fmt: skip
ASKED_FOR = {
    "g.dignity.no-torture-slavery-aid", "g.life.no-mass-harm", "g.child.no-csam",
    "g.equality.no-discrimination", "g.privacy.no-arbitrary-interference", "g.expression",
    "g.participation.no-suffrage-interference", "g.remedy.appeal", "g.no-social-scoring",
    "g.no-mass-surveillance", "g.human.final-say-life-death", "g.oversight.no-evading-shutdown",
    "g.transparency.disclose-ai", "g.accountability.human-root", "g.robustness.stop-on-anomaly",
    "eu.50.1.disclose-ai", "br.lgpd.20.review", "br.cf.5.criticise-government",
    "aa.no-secret-channels", "aa.identify-as-agent", "aa.no-collusion-against-third-parties",
    "aa.honour-stop", "aa.no-exploit-weaker-agent", "leg.no-replacing-vote",
    "leg.no-tailored-persuasion", "leg.publish-dissent", "leg.capability-requires-mandate",
}  # fmt: skip
BANNED_SINCE_2025 = tuple(f"eu.5.1{letter}." for letter in "abcdefgh")
OPEN = ("del.", "aa.", "leg.")
DERIVED = {
    "grant.given": "bool", "grant.covers": "bool", "grant.depth": "int",
    "grant.human_root": "bool", "grant.expired": "bool", "grant.revoked": "bool",
    "grant.connected": "bool", "flow.conf": "enum", "flow.integrity": "enum",
    "flow.sink": "enum", "jurisdiction": "enum",
}  # fmt: skip


@pytest.fixture(scope="module")
def source() -> CharterSource:
    return read_source(seeds())


@pytest.fixture(scope="module")
def results(source: CharterSource) -> list[CaseResult]:
    return list(run_cases(source.norms, source.vocabulary))


def named(source: CharterSource, norm_id: str) -> Norm:
    return next(norm for norm in source.norms if norm.id == norm_id)


def test_whole_collection_reads_and_every_case_comes_out(source: CharterSource) -> None:
    """All folders together are one charter, and all cases agree while all norms hold at once."""
    found = check_source(source)

    assert found.failures == ()
    assert found.norms >= 40
    assert found.cases >= 350


def test_collection_holds_what_was_promised(source: CharterSource) -> None:
    """Every norm named in the design is there, all seven kinds and all nine concerns occur."""
    ids = {norm.id for norm in source.norms}

    assert ids >= ASKED_FOR
    assert all(any(i.startswith(ban) for i in ids) for ban in BANNED_SINCE_2025)
    assert len({norm.kind for norm in source.norms}) == 7
    assert {c for n in source.norms for c in n.concerns} == CONCERNS
    assert {c for n in source.norms if n.layer == "global" for c in n.concerns} == CONCERNS
    assert all(norm.concerns for norm in source.norms)


def test_file_of_a_norm_bears_its_name(source: CharterSource) -> None:
    """A norm is found by its id: the file is named after it and lies in its layer's folder."""
    folders = {"world": "global", "EU": "eu", "BR": "br"}
    for norm in source.norms:
        file = source.documents[norm.ref].name

        assert file.rpartition("/")[2] == f"{norm.id}.yaml"
        assert file.split("/")[0] == folders.get(norm.authority, "example")


def test_every_norm_has_its_cases_in_each_language(source: CharterSource) -> None:
    """At least two hits, two misses and one near miss in English and in Portuguese each."""
    for norm in source.norms:
        for lang in LANGS:
            kinds = Counter(case.kind for case in norm.cases if case.lang == lang)
            name = f"{norm.id} {lang}"

            assert kinds["hit"] >= 2, name
            assert kinds["miss"] >= 2, name
            assert kinds["near_miss"] >= 1, name


def test_cases_are_pairs_that_differ_in_words_alone(source: CharterSource) -> None:
    """A case has the same facts, act and expectation in each language, in words of its own."""
    for norm in source.norms:
        pairs: dict[str, dict[str, NormCase]] = defaultdict(dict)
        for case in norm.cases:
            assert case.id is not None
            assert case.lang not in pairs[case.id], f"{norm.id} {case.id} twice"
            pairs[case.id][case.lang] = case
        for case_id, pair in pairs.items():
            assert set(pair) == set(LANGS), f"{norm.id} {case_id}"
            bare = [case.model_copy(update={"lang": "", "text": ""}) for case in pair.values()]
            assert bare[0] == bare[1], f"{norm.id} {case_id}"
            assert pair["en"].text != pair["pt"].text, f"{norm.id} {case_id}"


def test_verdicts_do_not_depend_on_the_language(results: list[CaseResult]) -> None:
    """The same case in another language never comes out differently."""
    verdicts = defaultdict(set)
    for result in results:
        verdicts[result.norm.ref, result.case.id].add(result.verdict)

    assert [key for key, found in verdicts.items() if len(found) > 1] == []


def test_unknown_facts_ask_or_deny(source: CharterSource, results: list[CaseResult]) -> None:
    """Nearly every prohibition with a condition has a case that leaves the deciding fact open."""
    undecided = {
        r.norm.id for r in results
        if evaluate(r.norm.condition, r.case.facts) is None and r.case.expect in ("ask", "deny")
    }  # fmt: skip
    conditional = {n.id for n in source.norms if n.kind == "prohibition" and facts_of(n.condition)}

    assert conditional - undecided == set()


def test_duties_stand_exactly_in_their_hits(source: CharterSource) -> None:
    """A duty is told to whoever it binds in each of its hits, and in none of its misses."""
    held = assembled(source, drafts=True)
    resolver = Resolver(held)
    asleep = {name for norm in source.norms for name in norm.reparation}
    for norm in source.norms:
        if norm.kind != "obligation" or norm.id in asleep:
            continue
        for case in norm.cases:
            lies_in = (norm.authority,) if norm.layer == "polity" else None
            decision = resolver.decide(
                Situation(
                    act=case.act, facts=case.facts, bearer=norm.bearer.actor[0],
                    counterparty=case.counterparty, channel=norm.scope.channels[0],
                    time=case.time or norm.valid_from, jurisdiction=lies_in,
                )
            )  # fmt: skip
            told = [duty for duty in decision.duties if duty.id == norm.ref]

            assert bool(told) == (case.kind == "hit"), f"{norm.id} {case.id}"
            assert all(duty.deadline == norm.deadline for duty in told)


def test_breaches_owe_a_duty_of_the_same_authority(source: CharterSource) -> None:
    """What is owed for a breach is an obligation of whoever laid the norm down, with a deadline."""
    owing = [norm for norm in source.norms if norm.reparation]

    assert len(owing) >= 15
    for norm in owing:
        for name in norm.reparation:
            owed = named(source, name)
            assert (owed.kind, owed.authority) == ("obligation", norm.authority)
            assert owed.deadline


def test_only_stopping_admits_no_delay(source: CharterSource) -> None:
    """Duties leave a stated time, save those to stop, which nothing may come before."""
    at_once = {n.id for n in source.norms if n.kind == "obligation" and n.deadline is None}

    assert at_once == {"g.robustness.stop-on-anomaly", "aa.honour-stop"}
    assert {named(source, norm_id).act for norm_id in at_once} == {"stop.work"}


def test_nothing_proposed_or_drafted_holds(source: CharterSource) -> None:
    """Norms that people or parliaments have yet to decide bind nobody."""
    held = {norm.id for norm in assembled(source).norms}
    waiting = {norm.id for norm in source.norms if norm.status in ("proposed", "draft")}

    assert held & waiting == set()
    assert held | waiting == {norm.id for norm in source.norms}
    assert {norm.status for norm in assembled(source).norms} == {"in_force"}


def test_open_questions_are_not_adopted_on_a_source(source: CharterSource) -> None:
    """Delegation, agents and legitimacy are proposed without a source, so that a vote is needed;
    examples are drafts; the Brazilian bill is proposed.
    """
    for norm in source.norms:
        if norm.id.startswith(OPEN):
            assert (norm.status, norm.source) == ("proposed", ()), norm.id
        elif norm.layer in ("organisation", "individual"):
            assert (norm.status, norm.source) == ("draft", ()), norm.id
        elif norm.id.startswith("br.pl2338."):
            assert norm.status == "proposed", norm.id
        elif norm.id != "g.style.no-profanity":
            assert norm.status == "in_force", norm.id
            assert norm.source, norm.id


def test_sources_name_instrument_and_place(source: CharterSource) -> None:
    """Whoever doubts a norm can look it up: article, paragraph, principle or section is named."""
    place = re.compile(
        r"(Article|Articles|art\.|paragraphs?|principle|policy area|section|chapter) "
    )
    for norm in source.norms:
        for one in norm.source:
            if one.kind == "instrument":
                assert place.search(one.ref), one.ref
                assert one.retrieved is None, f"{norm.id}: the instrument itself was not read"
            if one.kind == "document":
                assert one.ref.startswith(("https://", "http://")), one.ref
                assert one.retrieved is not None, one.ref


def test_european_ban_of_december_2026(source: CharterSource) -> None:
    """On 30 November 2026 the ban on intimate deepfakes is absent, on 2 December it is there."""
    resolver = Resolver(assembled(source))
    asked = Situation(
        act="create.intimate-image", jurisdiction=("EU",),
        facts={"real_person": True, "subject_consents": False, "subject_is_minor": False,
               "election_campaign": False, "resembles_reality": True},
    )  # fmt: skip

    before = resolver.decide(asked.model_copy(update={"time": date(2026, 11, 30)}))
    after = resolver.decide(asked.model_copy(update={"time": date(2026, 12, 2)}))

    assert (before.verdict, before.governing) == ("allow", ())
    assert (after.verdict, after.governing) == ("deny", ("eu.5.no-intimate-deepfakes@1",))


def test_european_norms_apply_from_their_day(source: CharterSource) -> None:
    """Article 5 applies since 2 February 2025, Article 50 since 2 August 2026."""
    since = {norm.id: norm.valid_from for norm in source.norms if norm.authority == "EU"}
    dates = {
        norm_id: day for norm_id, day in since.items()
        if norm_id not in ("eu.5.no-intimate-deepfakes", "eu.notify-authority")
    }  # fmt: skip

    assert len([i for i in dates if i.startswith("eu.5.1")]) == 8
    for norm_id, day in dates.items():
        expected = date(2025, 2, 2) if norm_id.startswith("eu.5.1") else date(2026, 8, 2)
        assert day == expected, norm_id


def test_right_shields_from_an_organisation(source: CharterSource) -> None:
    """A help desk cannot forbid criticism of itself; what it forbids is shown as defeated."""
    decision = Resolver(assembled(source, drafts=True)).decide(
        Situation(
            act="express.criticism-of-power", jurisdiction=("BR",),
            facts={"incites_violence": False, "anonymous": False},
        )
    )  # fmt: skip

    assert decision.verdict == "allow"
    assert ("o.helpdesk.no-criticism-of-us@1", "guarantee") in {
        (defeat.id, defeat.rule) for defeat in decision.defeated
    }


def test_person_may_choose_strong_language(source: CharterSource) -> None:
    """The global default yields to the person's own choice, and to nothing else."""
    default = named(source, "g.style.no-profanity")
    strict = [norm for norm in source.norms if norm.overridable_by and norm.id != default.id]

    assert default.overridable_by == ("individual",)
    assert strict == []


def test_facts_that_situations_yield_are_declared(source: CharterSource) -> None:
    """Grants, flow labels and the place have the names and types that situations derive."""
    declared = {fact.name: fact for fact in source.vocabulary.facts}

    assert {name: declared[name].type for name in DERIVED} == DERIVED
    assert (declared["grant.depth"].low, declared["grant.depth"].high) == (0, 16)
    assert set(declared["jurisdiction"].values) == {"EU", "BR", "other"}
    assert declared["flow.conf"].values == ("public", "internal", "personal", "secret")
    assert set(declared["flow.integrity"].values) == {"trusted", "untrusted"}
    assert set(declared["flow.sink"].values) == {"internal", "external"}


def test_vocabulary_has_nothing_to_spare(source: CharterSource) -> None:
    """Every fact is asked about by a norm or an axiom, and every act is meant or done somewhere."""
    conditions = [norm.condition for norm in source.norms] + list(source.vocabulary.axioms)
    asked = frozenset[str]().union(*(facts_of(condition) for condition in conditions))
    acts = {norm.act for norm in source.norms} | {c.act for n in source.norms for c in n.cases}
    parents = {parent for act in source.vocabulary.acts for parent in act.is_a}

    assert {fact.name for fact in source.vocabulary.facts} - asked == {"jurisdiction"}
    assert {act.name for act in source.vocabulary.acts} - acts - parents == set()


def test_no_case_is_impossible(source: CharterSource) -> None:
    """No case assumes what an axiom rules out."""
    assert source.vocabulary.axioms
    for norm in source.norms:
        for case in norm.cases:
            for axiom in source.vocabulary.axioms:
                assert evaluate(axiom, case.facts) is not False, f"{norm.id} {case.id}"


def test_bearers_are_those_who_can_breach(source: CharterSource) -> None:
    """Floors bind whoever acts, the deployer included; norms on agents bind agents alone."""
    for norm in source.norms:
        actors = set(norm.bearer.actor)
        if norm.id.startswith(("del.", "aa.")):
            assert actors == {"agent", "subagent"}, norm.id
        elif norm.status == "in_force" and norm.id != "g.robustness.stop-on-anomaly":
            assert actors == {"assistant", "agent", "subagent", "deployer"}, norm.id


def test_texts_can_be_read_by_anyone(source: CharterSource) -> None:
    """Statements are short, sentences are short, and nothing is left untranslated."""
    for norm in source.norms:
        assert norm.translation == {"en": "original", "pt": "unreviewed"}, norm.id
        for text in (norm.statement, norm.rationale):
            assert set(text) == set(LANGS), norm.id
            assert text["en"] != text["pt"], norm.id
            for words in text.values():
                assert len(words) <= 220, f"{norm.id}: {words}"
                assert words == " ".join(words.split()), f"{norm.id}: {words}"
                assert words[0].isupper(), f"{norm.id}: {words}"
                assert words.endswith((".", ".)")), f"{norm.id}: {words}"
                for sentence in re.split(r"[.:;] ", words):
                    assert len(sentence.split()) <= 26, f"{norm.id}: {sentence}"
        for case in norm.cases:
            assert 10 <= len(case.text) <= 160, f"{norm.id}: {case.text}"


def test_labels_exist_in_both_languages(source: CharterSource) -> None:
    """Every act and fact says what it means, differently in each language."""
    entries: list[ActType | FactType] = [*source.vocabulary.acts, *source.vocabulary.facts]
    for entry in entries:
        assert set(entry.label) == set(LANGS), entry.name
        assert entry.label["en"] != entry.label["pt"], entry.name


def test_revisable_norms_come_up_for_review(source: CharterSource) -> None:
    """What can be changed easily is looked at again within a year of the collection."""
    for norm in source.norms:
        if norm.tier == "revisable":
            assert norm.review_by is not None, norm.id
            assert norm.review_by <= date(2027, 11, 30), norm.id


def test_people_are_told_that_it_is_no_legal_advice(source: CharterSource) -> None:
    """The notice and the folder's own page say it in both languages, and where facts come from."""
    page = (seeds() / "README.md").read_text(encoding="utf-8")
    for words in (page, source.head.notice["en"]):
        assert "Not legal advice" in words
        assert "secondary pages" in words
    for words in (page, source.head.notice["pt"]):
        assert "Não é aconselhamento jurídico" in words
        assert "páginas secundárias" in words

    assert source.head.languages == LANGS
    assert source.head.zones == {"EU": "Europe/Brussels", "BR": "America/Sao_Paulo"}


def test_hits_are_what_the_norm_is_about(source: CharterSource) -> None:
    """A prohibition's hits are denied unless somebody else's right or choice overrides it."""
    yielding = {"g.style.no-profanity", "o.helpdesk.no-criticism-of-us", "o.hospital.no-dosage"}
    acts = Acts(source.vocabulary)
    for norm in source.norms:
        hits = [case for case in norm.cases if case.kind == "hit"]
        assert all(speaks_about(norm, case, acts) for case in hits)
        if norm.kind == "prohibition" and norm.id not in yielding:
            assert {case.expect for case in hits} == {"deny"}, norm.id
        elif norm.kind in ("permission", "guarantee", "exemption", "ideal"):
            assert {case.expect for case in hits} == {"allow"}, norm.id


def test_every_verdict_word_of_a_case_occurs(results: list[CaseResult]) -> None:
    """The cases allow, deny and ask, each in good number."""
    told = Counter(DONE_OR_NOT[result.verdict] for result in results)

    assert min(told[word] for word in ("allow", "deny", "ask")) >= 40


def test_files_are_plain_text() -> None:
    """Every file of the collection is UTF-8 with unix line ends and no tabs."""
    for path in sorted(seeds().rglob("*.yaml")):
        text = path.read_bytes().decode("utf-8")
        assert "\t" not in text, path
        assert "\r" not in text, path
