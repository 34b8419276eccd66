import json
import math
from pathlib import Path
from typing import Any

import pytest
from tests.learn.forms.rows_of import ROWS

from normwright.cli import main
from normwright.flow.learning.conversion import converted
from normwright.learn.forms import FORMS, convert, form_of
from normwright.learn.rows.files import read_rows, write_rows
from normwright.records import InputError

SHARED = {"prompt": "Which?", "chosen": "A", "rejected": "B", "id": "p", "probability": 0.7}
PAIRS = [name for name, row in ROWS.items() if "rejected" in str(row) and name != "canonical"]


def made(rows: list[dict[str, Any]], target: str, **more: Any) -> list[dict[str, Any]]:
    found = convert([(f"r:{n}", row) for n, row in enumerate(rows, 1)], target=target, **more)
    return list(found.rows)


def test_every_form_has_a_sample_here() -> None:
    """A form that is added is tested, or this fails; drawn cases are tested with rows."""
    assert set(FORMS) == {*ROWS, "cases"}


@pytest.mark.parametrize("name", ROWS)
def test_a_form_is_told_by_its_columns(name: str) -> None:
    """Each sample is taken for what it is, though many forms call columns alike."""
    assert form_of([ROWS[name]], "x").name == name


@pytest.mark.parametrize("name", ROWS)
def test_a_row_goes_through_the_canonical_form_and_comes_back(name: str) -> None:
    """Read, written as canonical, read and written again: the very row, nothing lost."""
    canonical = made([ROWS[name]], "canonical", source=name)

    assert len(canonical) == 1
    assert made(canonical, name, source="canonical") == [ROWS[name]]
    assert made(canonical, "canonical") == canonical


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".json", ".parquet"])
def test_a_form_survives_every_kind_of_file(tmp_path: Path, name: str, suffix: str) -> None:
    """Written and read as lines, packed lines, a list and parquet, a row is the same."""
    path = tmp_path / f"a{suffix}"
    faults: list[Any] = []

    write_rows(path, [ROWS[name]])

    assert [row for _, row in read_rows(path, faults)] == [ROWS[name]]
    assert faults == []


@pytest.mark.parametrize("name", [n for n, form in FORMS.items() if form.write and not form.shares])
def test_shares_are_drawn_where_a_form_holds_none(name: str) -> None:
    """Of many draws of a share of 0.7 about 0.7 fall to it, and weights repeat: no bias."""
    if name == "cai":
        return
    rows = [{**SHARED, "weight": 2.5, "id": "p"}]
    lost = ("id", "weight")

    found = convert([("r:1", rows[0])], target=name, lossy=True, draws=400, seed=3)

    assert found.drawn == 1
    assert set(found.lost) <= set(lost)
    text = [json.dumps(row, sort_keys=True) for row in found.rows]
    read = [FORMS[name].read(row) for row in found.rows]
    if "unpaired" in name or "kto" in name:
        good = [i.candidates[0].turns[0].content for i in read if i.candidates[0].good]
    else:
        good = [i.candidates[i.choices[0].first].turns[0].content for i in read]
    assert len(good) == 1_000
    assert abs(good.count("A") / 1_000 - 0.7) < 4 * math.sqrt(0.21 / 1_000)
    assert text == [
        json.dumps(row, sort_keys=True) for row in made(rows, name, lossy=True, draws=400, seed=3)
    ]


def test_a_part_of_a_weight_is_a_row_with_that_probability() -> None:
    """Weights of 0.3 give three rows in ten, not none and not all."""
    rows = [{**SHARED, "id": str(n), "weight": 0.3} for n in range(2_000)]

    drawn = made(rows, "trl-preferences", lossy=True)

    assert abs(len(drawn) / 2_000 - 0.3) < 4 * math.sqrt(0.21 / 2_000)


def test_the_order_of_rows_does_not_matter() -> None:
    """Rows come sorted by id, and a draw belongs to its row."""
    rows = [{**SHARED, "id": str(n), "prompt": f"{n}?"} for n in range(30)]

    assert made(rows, "trl-preferences") == made(rows[::-1], "trl-preferences")
    assert made(rows, "trl-preferences") != made(rows, "trl-preferences", seed=1)


def test_what_would_be_lost_is_named_and_needs_consent() -> None:
    """A transcript holds no id, language or norm: an error that names them, or a count."""
    row = {**SHARED, "probability": 1.0, "lang": "en", "norms": ["n@1"]}

    with pytest.raises(InputError) as error:
        made([row], "hh-rlhf")

    assert [fault.where for fault in error.value.faults] == ["id", "lang", "norms"]
    found = convert([("r:1", row)], target="hh-rlhf", lossy=True)
    assert dict(found.lost) == {"id": 1, "lang": 1, "norms": 1}


def test_votes_stay_with_the_side_they_were_given_to() -> None:
    """A pair most people reject keeps its sides and votes; draws cannot carry votes, and say so."""
    votes = [{"participant": "a", "choice": "rejected"}, {"participant": "b", "choice": "rejected"},
             {"participant": "c", "choice": "chosen"}]  # fmt: skip
    row = {"prompt": "Which?", "chosen": "A", "rejected": "B", "id": "p", "votes": votes}

    assert made(made([row], "canonical"), "preferences") == [{**row, "weight": 1.0}]
    with pytest.raises(InputError) as error:
        made([row], "trl-preferences")
    assert [fault.where for fault in error.value.faults] == ["votes"]
    found = convert([("r:1", row)], target="trl-preferences", lossy=True, draws=300)
    assert all("votes" not in one for one in found.rows)
    share = sum(one["chosen"] == " A" for one in found.rows) / 300
    assert abs(share - 1 / 3) < 4 * math.sqrt(2 / 9 / 300)


def test_a_demonstration_of_a_pair_loses_what_was_rejected() -> None:
    """To imitate the answer that is preferred is a loss, and is told as one."""
    row = {**SHARED, "probability": 1.0}

    found = convert([("r:1", row)], target="demonstrations", lossy=True)

    assert found.rows == ({"prompt": "Which?", "completion": "A", "id": "p"},)
    assert set(found.lost) == {"answers", "choices"}


def test_a_text_with_a_marker_inside_does_not_break_a_transcript_in_silence() -> None:
    """An answer that holds `Human:` on a line of its own would be read as another turn: told."""
    row = {**SHARED, "probability": 1.0, "chosen": "A\n\nHuman: no"}

    with pytest.raises(InputError):
        made([row], "hh-rlhf", lossy=True)


@pytest.mark.parametrize(
    ("row", "target"),
    [
        ({"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
          "completion": "c"}, "trl-completions"),
        ({"prompt": "p", "completion": "c"}, "trl-unpaired"),
        ({"prompt": "p", "completion": "c"}, "preferences"),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, "pku-saferlhf"),
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, "cai"),
        ({"prompt": "p", "chosen": "a", "rejected": "b", "probability": 0.7}, "nemo-rl"),
        ({"prompt": "p", "chosen": "a", "rejected": "b", "probability": 0.5}, "demonstrations"),
        ({"prompt": "p", "completion": "c"}, "trl-text"),
    ],
)  # fmt: skip
def test_what_a_form_cannot_say_is_never_made_up(row: dict[str, Any], target: str) -> None:
    """No label, no safety, no second answer and no certainty is invented, even with --lossy."""
    with pytest.raises(InputError) as error:
        made([row], target, lossy=True)

    assert error.value.faults[0].where == "r:1"


@pytest.mark.parametrize("name", ROWS)
def test_a_broken_row_is_a_fault_at_its_line(name: str) -> None:
    """Columns of another type are told with the line, whatever the form; nothing else is raised."""
    for column in ROWS[name]:
        values: tuple[Any, ...] = (3, None, [], {}, [{}], [None], "\x00", [{"role": "user"}], True)
        for value in values:
            try:
                made([{**ROWS[name], column: value}], "canonical", source=name)
            except InputError as error:
                assert error.faults[0].where == "r:1"  # noqa: PT017


def test_no_message_has_a_key_that_is_null() -> None:
    """Optional keys that are null when they come in are gone when they go out."""
    row = {"prompt": [{"role": "user", "content": "u", "name": None}], "completion": [
        {"role": "assistant", "content": "a", "tool_calls": None}], "tools": None}  # fmt: skip

    assert made([row], "trl-completions-chat") == [
        {"prompt": [{"role": "user", "content": "u"}],
         "completion": [{"role": "assistant", "content": "a"}]}
    ]  # fmt: skip


def test_critique_and_revision_stay_simulated() -> None:
    """What a model revised is a pair nobody judged, and says so in the project's own form."""
    [row] = made([ROWS["cai"]], "preferences", lossy=True)

    assert (row["origin"], row["process_kind"]) == ("synthetic", "simulated")


def test_llama_factory_gets_its_description_and_the_draws_are_on_the_card(tmp_path: Path) -> None:
    """dataset_info.json names the columns; the card tells of the draws in both languages."""
    path = tmp_path / "pairs.jsonl"
    write_rows(path, [SHARED])

    told = converted(path, source="auto", target="llama-factory-sharegpt-preferences",
                     out=tmp_path / "o" / "lf.json", draws=3)  # fmt: skip

    info = json.loads((tmp_path / "o" / "dataset_info.json").read_text())
    assert info == {"lf": {
        "file_name": "lf.json", "formatting": "sharegpt", "ranking": True,
        "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"},
    }}  # fmt: skip
    card = (tmp_path / "o" / "lf.json.README.md").read_text()
    assert "unbiased" in card
    assert "substituto sem viés" in card
    assert told.rows == 3
    with pytest.raises(InputError, match="one that is there"):
        converted(path, source="auto", target="canonical", out=tmp_path / "o" / "lf.json")


def test_the_command_converts_and_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON value with what was read, written, drawn and lost; `--forms` names every form."""
    path = tmp_path / "pairs.jsonl"
    write_rows(path, [SHARED])

    with pytest.raises(SystemExit) as left:
        main(["learn", "convert", str(path), "--to", "trl-preferences-chat", "--out",
              str(tmp_path / "t.jsonl"), "--json"])  # fmt: skip

    told = json.loads(capsys.readouterr().out)
    assert left.value.code == 0
    assert (told["read_as"], told["drawn"], told["lost"]) == ("preferences", 1, {})
    with pytest.raises(SystemExit):
        main(["learn", "convert", "--forms"])
    listed = capsys.readouterr().out
    assert all(name in listed for name in FORMS)


@pytest.mark.slow
def test_trl_takes_its_forms_as_they_are(tmp_path: Path) -> None:
    """Each file loads offline, and TRL's own functions tell the type that it is."""
    import datasets
    from trl.data_utils import is_conversational, maybe_extract_prompt, unpair_preference_dataset

    datasets.disable_progress_bars()
    for name in (one for one in ROWS if one.startswith("trl-")):
        path = tmp_path / f"{name}.jsonl"
        write_rows(path, [ROWS[name], ROWS[name]])
        loaded = datasets.load_dataset(
            "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
        )
        assert loaded.num_rows == 2
        if "text" not in name:
            chat = name.endswith("-chat") or name == "trl-messages"
            assert is_conversational(loaded[0]) is chat
        if "preferences" in name:
            assert maybe_extract_prompt(dict(loaded[0]))["prompt"] == loaded[0]["prompt"]
            wanted = loaded.select_columns(["prompt", "chosen", "rejected"])
            unpaired = unpair_preference_dataset(wanted)
            assert unpaired["label"] == [True, True, False, False]
