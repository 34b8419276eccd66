"""Make a project from a folder of real data: the whole path on what people said, judged, labelled.

    python examples/real/prepare.py DIR [--data DATA] [--full]

DATA is a folder with `votes/polis`, `preferences`, `toxicity`, `instructions`, `benchmarks` and,
for Portuguese benchmarks, `nc` (non-commercial: measured on and never learned from); the default is
the environment variable NORMWRIGHT_DATA. Nothing of it belongs to this project: every row keeps its
licence, which its README states. --full takes all rows; otherwise each step draws some by seed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CONVERSATION = "votes/polis/american-assembly.bowling-green"
INSTRUCTIONS = ("aira1_qa_en", "aira1_qa_pt", "dolly_hhrlhf_en")
PAIRS = ("hh_helpful", "hh_harmless", "pandalm_3annotators")
BENCHMARKS = (
    "benchmarks/arc_easy_en",
    "benchmarks/arc_challenge_en",
    "benchmarks/truthfulqa_en",
    "toxicity/toxigen_annotated_en",
    "nc/arc_challenge_test_pt",
    "nc/truthfulqa_mc_pt",
)
TOLD = ("homophobia", "obscene", "insult", "racism", "misogyny", "xenophobia")

Row = dict[str, Any]


def rows_of(data: Path, name: str) -> Iterator[Row]:
    """Yield the rows of one file of the data."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def licences(data: Path) -> dict[str, str]:
    """Return the licence of each file, as the table of the README states it."""
    found = {}
    for line in (data / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) >= 5 and "/" in cells[0]:
            found[cells[0].removesuffix(".jsonl.gz")] = cells[4]
    return found


def instructions(data: Path, name: str, licence: str) -> Iterator[Row]:
    """Yield instructions with their licence; rewordings of one topic are one family."""
    for row in rows_of(data, f"instructions/{name}"):
        family = row.get("answer_no", row["id"])
        yield {
            "id": row["id"], "lang": row["lang"], "instruction": row["instruction"],
            "response": row["response"], "family": str(family), "licence": licence,
        }  # fmt: skip


def votes(labels: Iterable[bool]) -> dict[str, int]:
    """Return how many people said yes and how many no."""
    counted = Counter(labels)
    return {"yes": counted[True], "no": counted[False]}


def toxigen(data: Path) -> Iterator[Row]:
    """Yield machine-written sentences about groups with people's majority label."""
    for row in rows_of(data, "toxicity/toxigen_annotated_en"):
        label = votes([bool(row["label_toxic"])])
        yield {"text": row["text"], "lang": "en", "cluster": row["id"], **label}


def told_br(data: Path) -> Iterator[Row]:
    """Yield Brazilian tweets: an annotator says yes who found any of six kinds of toxicity."""
    for row in rows_of(data, "toxicity/told_br_pt"):
        people = zip(*(row[kind] for kind in TOLD), strict=True)
        label = votes(any(marks) for marks in people)
        yield {"text": row["text"], "lang": "pt", "cluster": row["id"], **label}


def olid_br(data: Path) -> Iterator[Row]:
    """Yield Brazilian comments with the label that was published for each."""
    for row in rows_of(data, "toxicity/olid_br_pt"):
        label = votes([row["is_offensive"] == "OFF"])
        yield {"text": row["text"], "lang": "pt", "cluster": row["id"], **label}


def hatecheck(data: Path, lang: str) -> Iterator[Row]:
    """Yield functional tests with the label of each annotator; one template is one cluster."""
    for row in rows_of(data, f"toxicity/hatecheck_{lang}"):
        given = row["labels"]
        people = given.values() if isinstance(given, Mapping) else given
        label = votes(said == "hateful" for said in people)
        yield {"text": row["text"], "lang": lang, "cluster": str(row["templ_id"]), **label}


def labels(data: Path, licence: Mapping[str, str]) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each source of labels, under its name."""
    for source, file, found in (
        ("toxigen", "toxicity/toxigen_annotated_en", toxigen(data)),
        ("told-br", "toxicity/told_br_pt", told_br(data)),
        ("olid-br", "toxicity/olid_br_pt", olid_br(data)),
        ("hatecheck-en", "toxicity/hatecheck_en", hatecheck(data, "en")),
        ("hatecheck-pt", "toxicity/hatecheck_pt", hatecheck(data, "pt")),
    ):
        about = {"source": source.removesuffix("-en").removesuffix("-pt"), "licence": licence[file]}
        yield source, [{**row, **about} for row in found if row["text"].strip()]


def write(path: Path, rows: Iterable[Row]) -> int:
    """Write rows as JSON lines and return how many there are."""
    made = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(made), encoding="utf-8")
    return len(made)


def settings(full: bool) -> str:
    """Return the project file; with `full`, every limit on real rows is lifted."""
    text = (HERE / "normwright.yaml").read_text(encoding="utf-8")
    limits = ("per_source", "instructions", "judged", "held_pairs", "benchmark_items")
    for name in limits if full else ():
        text, count = re.subn(rf"(\b{name}: )\d+", r"\g<1>null", text)
        assert count == 1, name
    return text


def prepare(directory: Path, data: Path, *, full: bool) -> dict[str, int]:
    """Write the project into `directory` and return how many rows of each file it holds."""
    licence = licences(data)
    counts: dict[str, int] = {}
    for name in ("norms", "scenes"):
        shutil.copytree(HERE / name, directory / name)
    for name in ("guard.yaml", "criteria.yaml"):
        shutil.copy(HERE / name, directory / name)
    import normwright.flow

    town = Path(normwright.flow.__file__).parent / "templates/town"
    shutil.copy(town / "attacks.yaml", directory / "attacks.yaml")
    shutil.copytree(data / CONVERSATION, directory / "consultation", copy_function=shutil.copyfile)
    shutil.copy(HERE / "process.yaml", directory / "consultation/process.yaml")
    for name in INSTRUCTIONS:
        rows = instructions(data, name, licence[f"instructions/{name}"])
        counts[name] = write(directory / f"data/instructions/{name}.jsonl", rows)
    for name in PAIRS:
        told = licence[f"preferences/{name}"]
        pairs = ({**row, "licence": told} for row in rows_of(data, f"preferences/{name}"))
        counts[name] = write(directory / f"data/pairs/{name}.jsonl", pairs)
    for source, labelled in labels(data, licence):
        counts[source] = write(directory / f"data/labels/{source}.jsonl", labelled)
    (directory / "data/benchmarks").mkdir(parents=True)
    for name in BENCHMARKS:
        if (data / f"{name}.jsonl.gz").is_file():
            target = directory / "data/benchmarks" / f"{name}.jsonl.gz"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(data / f"{name}.jsonl.gz", target)
            counts[name] = sum(1 for _ in rows_of(data, name))
    # The project file comes last: without it the directory is no project.
    (directory / "normwright.yaml").write_text(settings(full), encoding="utf-8")
    return counts


def main() -> int:
    """Make the project and print how many rows each file holds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("directory", type=Path, help="a new directory")
    parser.add_argument("--data", type=Path, default=os.environ.get("NORMWRIGHT_DATA"))
    parser.add_argument("--full", action="store_true", help="take every row")
    given = parser.parse_args()
    if given.data is None or not Path(given.data).is_dir():
        sys.exit("Where are the real data? Name their folder with --data or in NORMWRIGHT_DATA.")
    if given.directory.exists() and any(given.directory.iterdir()):
        sys.exit(f"{given.directory} is not empty; choose a new directory.")
    given.directory.mkdir(parents=True, exist_ok=True)
    for name, count in prepare(given.directory, Path(given.data), full=given.full).items():
        sys.stdout.write(f"{name}: {count} rows\n")
    sys.stdout.write(f"Next: normwright run {given.directory}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
