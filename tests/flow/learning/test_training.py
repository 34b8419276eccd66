"""`normwright learn` on files and projects: cards, curves, and checkpoints that know their run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normwright.flow.learning import Allowed, learned, learned_of
from normwright.flow.learning.training import POINTS, thinned
from normwright.records import InputError

SHOWN: list[dict[str, Any]] = [
    {"prompt": q, "completion": a, "lang": lang, "licence": "CC0-1.0", "weight": w}
    for q, a, lang, w in (
        ("When does it open?", "At nine.", "en", 1.0),
        ("Onde fica?", "No centro.", "pt", 2.0),
        ("Who is it?", "The mayor.", "en", 0.5),
    )
] * 4
PAIRS: list[dict[str, Any]] = [
    {"prompt": row["prompt"], "chosen": row["completion"], "rejected": "No.", "probability": 0.8}
    for row in SHOWN
]


class Stopped(Exception):
    """Stands for whatever ends a run."""


def random_model(place: Path, *, seed: int) -> Path:
    from normwright.learn import Shape, scratch_model
    from normwright.models.tuning import save_plain

    texts = [str(row[name]) for row in SHOWN for name in ("prompt", "completion")]
    made = scratch_model(texts, shape=Shape(16, 1, 1, 300, 128), seed=seed)
    save_plain(made.weights, made.tokenizer, place)
    return place


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model on disk."""
    return random_model(tmp_path_factory.mktemp("start"), seed=0)


def run(recipe: str, start: Path, place: Path, **more: Any) -> Any:
    rows = place / "rows.jsonl"
    shown = SHOWN if recipe == "sft" else PAIRS
    rows.write_text("".join(json.dumps(row) + "\n" for row in shown), encoding="utf-8")
    own = {"checked_prompts": 1} if recipe == "prefer" else {}
    changes = {"steps": 3, "batch": 4, **own, **more.pop("changes", {})}
    return learned(recipe, model=start, data=rows, out=place / "out", changes=changes,
                   unpermitted=True, threads=1, **more)  # fmt: skip


def test_the_card_names_the_reference_wherever_there_is_one(start: Path, tmp_path: Path) -> None:
    """None of imitation; the start of a preference run, or the model that was given for it."""
    other = random_model(tmp_path / "other", seed=1)
    said = {}
    for name, recipe, more in (
        ("none", "sft", {}),
        ("own", "prefer", {}),
        ("given", "prefer", {"extra": {"reference": other}}),
    ):
        (tmp_path / name).mkdir()
        run(recipe, start, tmp_path / name, **more)
        said[name] = (tmp_path / name / "out" / "README.md").read_text(encoding="utf-8")

    assert "reference" not in said["none"]
    assert "also the reference" in said["own"]
    assert "também a referência" in said["own"]
    assert "also the reference" not in said["given"]
    assert said["given"].count("the reference `sha256:") == 1
    assert said["given"].count("a referência `sha256:") == 1


def test_the_run_card_holds_the_curves(start: Path, tmp_path: Path) -> None:
    """A point a step, the losses those that are reported."""
    made = run("sft", start, tmp_path)
    card = json.loads((made.out / "run.json").read_text(encoding="utf-8"))

    assert [step for step, _ in card["curves"]["loss"]] == [1, 2, 3]
    assert card["curves"]["loss"][-1][1] == pytest.approx(made.metrics["last_loss"], abs=1e-6)


@pytest.mark.parametrize("length", [0, 1, POINTS, POINTS + 1, 12_345])
def test_a_long_curve_keeps_its_ends(length: int) -> None:
    """At most so many points, in order, each of the curve, first and last among them."""
    line = [(step, step / 7) for step in range(1, length + 1)]
    (kept,) = thinned({"loss": line}).values()

    assert len(kept) == min(length, POINTS)
    assert [tuple(point) for point in kept] == sorted({(int(s), v) for s, v in kept})
    assert set(map(tuple, kept)) <= set(line)
    assert kept[:1] + kept[-1:] == [list(p) for p in line[:1] + line[-1:]]


def test_a_checkpoint_belongs_to_the_settings_of_its_recipe(start: Path, tmp_path: Path) -> None:
    """What the loop does not see counts too: packed rows do not go on from padded ones."""

    def stop(step: int, steps: int, loss: float) -> None:
        if step == 3:
            raise Stopped

    saving = {"save_every": 2, "steps": 4}
    with pytest.raises(Stopped):
        run("sft", start, tmp_path, changes=saving, progress=stop)
    with pytest.raises(InputError, match="a checkpoint of these settings"):
        run("sft", start, tmp_path, changes={**saving, "packing": True})
    seen: list[int] = []
    run("sft", start, tmp_path, changes=saving, progress=lambda step, *_: seen.append(step))

    assert seen == [3, 4]
    assert not (tmp_path / "out.checkpoints").exists()


def test_hardware_stands_beside_the_weights_and_not_in_the_science(
    start: Path, tmp_path: Path
) -> None:
    """Rows at once and checkpointed activations change neither settings nor, in float32, files."""
    found = []
    for name, on in (("one", Allowed("cpu")), ("two", Allowed("cpu", 2, checkpointing=True))):
        (tmp_path / name).mkdir()
        made = run("sft", start, tmp_path / name, on=on)
        found.append((made, json.loads((made.out / "hardware.json").read_text(encoding="utf-8"))))
    (one, first), (two, second) = found

    assert one.ref.settings == two.ref.settings
    assert one.metrics["last_loss"] == pytest.approx(two.metrics["last_loss"], rel=1e-2)
    assert (first["per_device"], first["checkpointing"]) == (4, False)
    assert (second["per_device"], second["accumulation"], second["checkpointing"]) == (2, 2, True)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (Allowed(strategy="zero"), "one of ddp, fsdp2, deepspeed"),
        (Allowed("cpu", strategy="fsdp2"), "GPUs for fsdp2"),
        (Allowed("cpu", per_device=0), "at least 1"),
        (Allowed("tpu"), "auto, cpu, gpu, gpuN or cpuN"),
    ],
)
def test_hardware_that_is_not_there_is_refused(
    start: Path, tmp_path: Path, on: Allowed, expected: str
) -> None:
    """In words, before anything is written."""
    with pytest.raises(InputError) as caught:
        run("sft", start, tmp_path, on=on)

    assert caught.value.faults[0].expected == expected
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_model_of_a_project_has_its_cards(tmp_path: Path) -> None:
    """Card and hardware stand beside it; a model that was there already says so and names none."""
    from normwright import flow

    project = tmp_path / "micro"
    flow.init(project, template="micro")
    made = learned_of(project, "prefer", out=tmp_path / "made", unpermitted=True)
    again = learned_of(project, "prefer", out=tmp_path / "again", unpermitted=True)
    card = (tmp_path / "made" / "README.md").read_text(encoding="utf-8")
    hardware = json.loads((tmp_path / "made" / "hardware.json").read_text(encoding="utf-8"))

    assert "also the reference" in card
    assert "**Without a permit.**" in card
    assert "- Languages: " in card
    assert "- Línguas: " in card
    assert hardware["device"] in ("cpu", "cuda")
    assert made.notes == ()
    assert len(again.notes) == 1
    assert not (tmp_path / "again" / "hardware.json").exists()
    assert again.notes[0] in (tmp_path / "again" / "README.md").read_text(encoding="utf-8")
