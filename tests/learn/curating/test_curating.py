import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from normwright.cli import main
from normwright.flow.learning.curation import curated
from normwright.learn.curating import Given, Selection, curate, documents, settings_of
from normwright.records import InputError

EN = "The council publishes the minutes of every meeting on its website within two days."
PT = "A câmara publica as atas de todas as reuniões no seu sítio no prazo de dois dias."
TIDY = {"tidy": {"en": "Rows are whole and no two are alike.", "pt": "Sem repetições."}}


def chosen(rows: list[dict[str, Any]], *filters: Mapping[str, Any], **more: Any) -> Selection:
    settings = settings_of(
        {"housekeeping": TIDY, "filters": [{"norm": "tidy", **f} for f in filters]}
    )
    found = documents([("a.jsonl", row) for row in rows])
    return curate(found, settings, norms={"tidy": "housekeeping/tidy"}, given=Given(**more))


def test_every_row_has_one_decision_with_a_norm() -> None:
    """Kept or removed, each row is in the log once, with the norm, a reason and where it went."""
    rows = [{"id": f"r{n}", "text": f"{EN} Number {n * 7919}."[: 30 + n * 9]} for n in range(9)]

    made = chosen(rows, {"filter": "length", "least": 50}, {"filter": "language", "accept": ["en"]})

    assert [one.id for one in made.decisions] == sorted(row["id"] for row in rows)
    assert all(one.norms == ("housekeeping/tidy",) and one.reason for one in made.decisions)
    kept = {one.id for one in made.decisions if one.action == "kept"}
    assert {one.id for one in made.kept} == kept
    assert {one.id for one in made.removed} == {row["id"] for row in rows} - kept
    assert 0 < len(kept) < len(rows)
    assert sum(one.rows for one in made.entries() if one.action == "removed") == len(made.removed)


def test_a_language_is_told_and_compared_with_what_is_stated() -> None:
    """Another language, and a row that states another than it is in, go; short ones are spared."""
    rows = [
        {"id": "en", "text": EN},
        {"id": "es", "text": "El ayuntamiento publica las actas de todas las reuniones."},
        {"id": "lie", "text": PT, "lang": "en"},
        {"id": "short", "text": "ok"},
    ]

    keep = chosen(rows, {"filter": "language", "accept": ["en", "pt"]})
    strict = chosen(rows, {"filter": "language", "accept": ["en", "pt"], "undetermined": "remove"})

    assert [one.id for one in keep.kept] == ["en", "short"]
    assert [one.id for one in strict.kept] == ["en"]
    assert next(o for o in keep.decisions if o.id == "lie").reason == "it is in pt and states en"


def test_of_two_alike_the_human_one_stays() -> None:
    """Origin goes before id: what a person wrote stays, what a model repeated goes."""
    rows = [
        {"id": "a", "text": EN, "origin": "synthetic"},
        {"id": "b", "text": EN.upper(), "origin": "human"},
        {"id": "c", "text": EN + "!", "origin": "translated"},
    ]

    made = chosen(rows, {"filter": "duplicates"})

    assert [one.id for one in made.kept] == ["b"]
    assert {one.reason for one in made.decisions if one.action == "removed"} == {"it repeats b"}


def test_personal_data_are_masked_wherever_they_stand() -> None:
    """Messages, answers and columns nobody foresaw are masked; ids and roles are not."""
    mail = "ana@example.org"
    row = {"id": mail, "prompt": [{"role": "user", "content": f"Ask {mail}"}], "completion": "No.",
           "notes": {"deep": [f"{mail}!"]}}  # fmt: skip

    made = chosen([row], {"filter": "personal"})

    assert made.kept[0].as_row() == {
        "id": mail, "prompt": [{"role": "user", "content": "Ask [EMAIL]"}], "completion": "No.",
        "notes": {"deep": ["[EMAIL]!"]},
    }  # fmt: skip
    assert made.decisions[0].masked == 2
    marks = [m for note in made.notes[mail] for m in note.attributes]
    assert [(m.column, m.label) for m in marks] == [
        ("prompt[0].content", "email"), ("notes.deep[0]", "email"),
    ]  # fmt: skip
    assert row["completion"] == "No."


def test_a_reader_of_harm_is_asked_and_a_rejected_answer_may_be_harmful() -> None:
    """The highest score of a row decides; what a pair rejects counts only if it is named."""
    rows = [
        {"id": "a", "prompt": "p", "chosen": "kind", "rejected": "vile"},
        {"id": "b", "prompt": "p", "chosen": "vile", "rejected": "kind"},
    ]
    readers = {"r": lambda texts: [0.9 if "vile" in text else 0.1 for text in texts]}

    spared = chosen(rows, {"filter": "harm", "reader": "r"}, readers=readers)
    named = chosen(
        rows, {"filter": "harm", "reader": "r", "columns": ["rejected"]}, readers=readers
    )

    assert [one.id for one in spared.kept] == ["a"]
    assert [one.id for one in named.kept] == ["b"]
    assert next(o for o in spared.decisions if o.id == "b").score == 0.9


def test_a_row_without_a_score_is_not_harmless() -> None:
    """Unknown is no pass: a score that is missing, or no number, removes."""
    scores: dict[str, dict[str, Any]] = {
        "a": {"harm": 0.1},
        "b": {},
        "c": {"harm": True},
        "d": {"harm": 0.7},
    }
    rows = [{"id": name, "text": "x", **score} for name, score in scores.items()]

    made = chosen(rows, {"filter": "harm", "score": "harm"})

    assert [one.id for one in made.kept] == ["a"]


def test_a_translation_is_checked_against_its_source() -> None:
    """A cut translation goes, its source stays, and one without a source cannot be checked."""
    rows: list[dict[str, Any]] = [
        {"id": "1", "lang": "en", "text": EN * 3},
        {"id": "1", "lang": "pt", "text": (PT * 3)[:100], "translation_of": "1"},
        {"id": "2", "lang": "en", "text": EN},
        {"id": "2", "lang": "pt", "text": PT, "translation_of": "2"},
        {"id": "3", "lang": "pt", "text": PT, "translation_of": "9"},
    ]

    made = chosen(rows, {"filter": "translation"})

    left = sorted((one.stated_id, one.lang) for one in made.kept)
    assert left == [("1", "en"), ("2", "en"), ("2", "pt")]
    reasons = sorted(one.reason.split(":")[0] for one in made.decisions if one.action == "removed")
    assert reasons == ["cut", "its source is not at hand, so that nothing can be checked"]


def test_both_sides_in_one_row_are_compared() -> None:
    """Parallel columns need their languages, and a flawed row goes as a whole."""
    rows = [{"id": "a", "en": EN, "pt": PT}, {"id": "b", "en": EN, "pt": EN}]

    made = chosen(rows, {"filter": "translation", "beside": ["en", "pt"], "langs": ["en", "pt"]})

    assert [one.id for one in made.kept] == ["a"]


def test_a_licence_nobody_states_is_unknown() -> None:
    """Only licences of the list stay, and unknown is not one unless that was said."""
    rows = [{"id": "a", "text": "x", "licence": "mit"}, {"id": "b", "text": "x"},
            {"id": "c", "text": "x", "license": "GPL-3.0"}]  # fmt: skip

    strict = chosen(rows, {"filter": "licence", "accept": ["MIT"]})
    loose = chosen(rows, {"filter": "licence", "accept": ["MIT"], "unknown": "keep"})

    assert [one.id for one in strict.kept] == ["a"]
    assert [one.id for one in loose.kept] == ["a", "b"]


def test_a_benchmark_question_is_taken_out(tmp_path: Path) -> None:
    """Whatever stands around it, and packed or not, a held question removes its row."""
    question = "Which gas do plants take from the air to make the sugar that they live on?"
    items = [("arc/7", {"question": question, "gold": 1})]
    rows = [{"id": "a", "text": f"Quiz! {question} Carbon dioxide."}, {"id": "b", "text": EN}]

    made = chosen(rows, {"filter": "contamination", "benchmarks": ["b"]}, benchmarks={"b": items})

    assert [one.id for one in made.kept] == ["b"]
    assert made.decisions[0].reason == "it holds arc/7:question"


_MAIN = "import sys; from normwright.cli import main; sys.exit(main(sys.argv[1:]))"


def _config(path: Path, **more: Any) -> Path:
    filters = [
        {"filter": "language", "norm": "tidy", "accept": ["en", "pt"]},
        {"filter": "personal", "norm": "tidy"},
        {"filter": "duplicates", "norm": "tidy"},
    ]
    body = {"housekeeping": TIDY, "filters": filters, **more}
    path.write_text(yaml.safe_dump(body, allow_unicode=True), encoding="utf-8")
    return path


def _rows(count: int) -> list[dict[str, Any]]:
    rng = random.Random(5)
    nouns = ["council", "library", "school", "garden", "harbour", "market", "bridge", "museum"]
    rows = []
    for n in range(count):
        a, b = rng.choice(nouns), rng.choice(nouns)
        asked = f"When does the {a} near the {b} open on day {n % 40}, please?"
        told = f"The {a} opens at {rng.randrange(7, 12)}, near the {b}."
        rows.append({"prompt": asked, "completion": told})
    return rows


def _written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _bytes(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def test_no_order_changes_a_byte(tmp_path: Path) -> None:
    """Shuffled rows leave the very same folder."""
    config = _config(tmp_path / "c.yaml", split={"shares": {"train": 0.8, "test": 0.2}})
    rows = _rows(120)
    made = []
    for number in (0, 1):
        (tmp_path / str(number)).mkdir()
        shuffled = random.Random(number).sample(rows, len(rows))
        data = _written(tmp_path / str(number) / "rows.jsonl", shuffled)
        curated([data], config=config, charter=None, out=tmp_path / f"out{number}")
        made.append(_bytes(tmp_path / f"out{number}"))

    assert made[0] == made[1]


@pytest.mark.slow
def test_no_order_and_no_hash_seed_changes_a_byte(tmp_path: Path) -> None:
    """Shuffled rows, and processes with other hash seeds, leave the very same folder."""
    config = _config(tmp_path / "c.yaml", split={"shares": {"train": 0.8, "test": 0.2}})
    rows = _rows(120)
    made = []
    for number, seed in enumerate(("0", "99")):
        shuffled = random.Random(number).sample(rows, len(rows))
        (tmp_path / str(number)).mkdir()
        data = _written(tmp_path / str(number) / "rows.jsonl", shuffled)
        out = tmp_path / f"out{number}"
        subprocess.run(
            [sys.executable, "-c", _MAIN, "learn", "curate", str(data), "--config",
             str(config), "--out", str(out), "--json"],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"}, check=True, capture_output=True,
        )  # fmt: skip
        made.append(_bytes(out))

    assert made[0] == made[1]
    assert {"manifest.json", "train-00000.jsonl", "test-00000.jsonl", "removed.jsonl"} <= set(
        made[0]
    )


def test_what_is_written_says_what_it_is(tmp_path: Path) -> None:
    """Manifest, digests, logs and both cards agree with the rows; parquet holds the same."""
    import hashlib

    from normwright.learn.rows.files import read_rows

    asked = {"prompt": "Mail me at ana@example.org about the minutes.", "completion": EN}
    rows = [*_rows(30), {**asked, "licence": "CC0", "origin": "human", "lang": "en"}]
    data = _written(tmp_path / "rows.jsonl", rows)

    made = curated(
        [data],
        config=_config(tmp_path / "c.yaml"),
        charter=None,
        out=tmp_path / "out",
        parquet=True,
    )

    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest == dict(made.manifest)
    for shard in manifest["shards"]:
        content = (tmp_path / "out" / shard["file"]).read_bytes()
        assert shard["sha256"] == hashlib.sha256(content).hexdigest()
    faults: list[Any] = []
    lines = [row for _, row in read_rows(tmp_path / "out" / "rows-00000.jsonl", faults)]
    packed = [row for _, row in read_rows(tmp_path / "out" / "rows-00000.parquet", faults)]
    assert faults == []
    assert packed == lines
    assert [row["id"] for row in lines] == sorted(row["id"] for row in lines)
    assert len(lines) == manifest["kept"] == manifest["seen"] - manifest["removed"]
    assert manifest["licence"] == {"CC0": 1, "unknown": manifest["kept"] - 1}
    assert any("[EMAIL]" in row["prompt"] for row in lines)
    english, portuguese = (
        (tmp_path / "out" / name).read_text() for name in ("README.md", "README.pt.md")
    )
    assert "housekeeping/tidy" in english
    assert "Sem repetições." in portuguese


def test_curated_rows_can_be_learned_from(tmp_path: Path) -> None:
    """What curation leaves is read by the recipes as it is."""
    from normwright.learn import read_demonstrations

    data = _written(tmp_path / "rows.jsonl", _rows(10))
    curated([data], config=_config(tmp_path / "c.yaml"), charter=None, out=tmp_path / "out")

    rows = read_demonstrations(tmp_path / "out" / "rows-00000.jsonl")

    assert rows
    assert {row.origin for row in rows} == {"unknown"}


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    """An unknown norm, an unknown key, a bad row and a folder in the way are one error."""
    data = tmp_path / "rows.jsonl"
    data.write_text('{"text": "x"}\nnot json\n{"text": NaN}\n{"text": "\\ud800"}\n')
    config = tmp_path / "c.yaml"
    config.write_text("filters: [{filter: duplicates, norm: nobody@1}]")

    with pytest.raises(InputError) as error:
        curated([data], config=config, charter=None, out=tmp_path / "out")

    assert [fault.where for fault in error.value.faults] == [
        "c.yaml: filters.0.norm", "rows.jsonl:2", "rows.jsonl:3", "rows.jsonl:4",
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "body",
    [
        "filters: [{filter: duplicates}]",
        "filters: [{filter: magic, norm: tidy}]",
        "filters: [{filter: length, norm: tidy, least: 9, most: 3}]",
        "filters: [{filter: personal, norm: tidy, kinds: [passport]}]",
        "filters: [{filter: harm, norm: tidy}]",
        "split: {shares: {train: 0.5, test: 0.4}}",
        "housekeeping: {tidy: {en: ''}}",
        "- filter",
        "filters: [",
    ],
)
def test_a_configuration_that_says_nothing_sensible_is_refused(tmp_path: Path, body: str) -> None:
    """No filter without a norm, no unknown filter, no impossible limit."""
    data = _written(tmp_path / "rows.jsonl", _rows(2))
    (tmp_path / "c.yaml").write_text(body)

    with pytest.raises(InputError):
        curated([data], config=tmp_path / "c.yaml", charter=None, out=tmp_path / "out")


def test_norms_of_a_charter_are_named_by_id_and_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--norms seeds` resolves an id to its version, and the card says what the norm says."""
    from normwright.cli.charter.places import charter_at

    norm = charter_at(Path("seeds"), drafts=None).charter.norms[0]
    data = _written(tmp_path / "rows.jsonl", _rows(5))
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"filters": [{"filter": "personal", "norm": norm.id}]}))

    with pytest.raises(SystemExit) as left:
        main(["learn", "curate", str(data), "--norms", "seeds", "--config", str(config), "--out",
              str(tmp_path / "out"), "--json"])  # fmt: skip

    told = json.loads(capsys.readouterr().out)
    assert left.value.code == 0
    assert told["filters"][0]["norm"] == norm.ref
    assert told["norms"] == {norm.ref: dict(norm.statement)}
    assert told["rows_per_second"] > 0


@pytest.mark.slow
def test_drawn_cases_are_curated_and_still_learned_from(tmp_path: Path) -> None:
    """What `charter cases` writes goes through curation and into the recipes without a step."""
    from normwright import flow
    from normwright.charter.drawing import Drawing
    from normwright.cli.charter.places import charter_at
    from normwright.learn import read_demonstrations, read_preferences

    town = Path(flow.__file__).parent / "templates" / "town"
    drawing = Drawing(charter=charter_at(town, drafts=True).charter, seed=1, swaps=False)
    config = _config(tmp_path / "c.yaml")
    flow.write_cases(flow.CaseRows(drawing, "pairs", 0, 6), tmp_path / "pairs.jsonl")
    flow.write_cases(flow.CaseRows(drawing, "demonstrations", 0, 6), tmp_path / "shown.jsonl.gz")
    curated([tmp_path / "pairs.jsonl"], config=config, charter=None, out=tmp_path / "p")
    curated([tmp_path / "shown.jsonl.gz"], config=config, charter=None, out=tmp_path / "d")

    pairs = read_preferences(tmp_path / "p" / "rows-00000.jsonl")
    shown = read_demonstrations(tmp_path / "d" / "rows-00000.jsonl")

    assert pairs
    assert shown
    assert {row.origin for row in pairs} == {"synthetic"}


def test_what_filters_read_lies_beside_the_configuration(tmp_path: Path) -> None:
    """Benchmarks in a folder, packed, a list of names, a reader of harm, and the tokenizer."""
    from normwright.guard import fit_labels
    from normwright.guard.labels import LabelledText
    from normwright.learn.rows.files import write_rows

    rude = [f"you are a {word} {n}" for word in ("fool", "pig", "rat", "pest") for n in range(60)]
    kind = [f"you are a {word} {n}" for word in ("star", "gem", "hero", "joy") for n in range(60)]
    texts = [LabelledText(text, int(text in rude), int(text in kind), "en", "s", "CC0", text)
             for text in (*rude, *kind)]  # fmt: skip
    fit_labels(texts, norm="n@1", seed=0).reader.save(tmp_path / "reader")
    (tmp_path / "bench").mkdir()
    question = {"id": 4, "question": "What is the capital of the oldest country?"}
    write_rows(tmp_path / "bench" / "quiz.jsonl.gz", [question])
    (tmp_path / "names.txt").write_text("Ana Sousa\n\nRui\n", encoding="utf-8")
    filters = [
        {"filter": "contamination", "norm": "tidy", "benchmarks": ["bench"]},
        {"filter": "length", "norm": "tidy", "unit": "tokens", "most": 60},
        {"filter": "personal", "norm": "tidy", "names": "names.txt"},
        {"filter": "harm", "norm": "tidy", "reader": "reader"},
    ]
    rows = [
        {"id": "harm", "text": "you are a pig 7"},
        {"id": "held", "text": f"So: {question['question']} Nobody knows."},
        {"id": "long", "text": "you are a star " * 60},
        {"id": "name", "text": "Ana Sousa said you are a gem"},
    ]
    data = _written(tmp_path / "rows.jsonl", rows)

    made = curated(
        [data], config=_config(tmp_path / "c.yaml", filters=filters), charter=None,
        out=tmp_path / "out",
    )  # fmt: skip

    removed = {step["filter"]: step["removed"] for step in made.manifest["filters"]}
    assert removed == {"harm": 1, "contamination": 1, "length": 1, "personal": 0}
    kept = (tmp_path / "out" / "rows-00000.jsonl").read_text()
    assert json.loads(kept)["text"] == "[NAME] said you are a gem"


def test_what_filters_cannot_read_is_told(tmp_path: Path) -> None:
    """A reader, a benchmark and a list of names that are not there are faults."""
    filters = [
        {"filter": "harm", "norm": "tidy", "reader": "reader"},
        {"filter": "contamination", "norm": "tidy", "benchmarks": ["bench"]},
        {"filter": "personal", "norm": "tidy", "names": "names.txt"},
    ]
    data = _written(tmp_path / "rows.jsonl", _rows(2))

    with pytest.raises(InputError) as error:
        curated([data], config=_config(tmp_path / "c.yaml", filters=filters), charter=None,
                out=tmp_path / "out")  # fmt: skip

    assert {fault.where for fault in error.value.faults} >= {"reader", "bench", "names.txt"}
