"""Every file of votes, ballots, pairs and annotations of the shared data is read, and quickly."""

from __future__ import annotations

import time
from pathlib import Path

from normwright.elicit import read_source

FORMATS = {
    "votes/polis": "polis",
    "ballots/preflib": "preflib",
    "preferences": "judged-pairs",
    "toxicity/convabuse_en.jsonl.gz": "convabuse",
    "toxicity/hatecheck_en.jsonl.gz": "hatecheck",
    "toxicity/hatecheck_pt.jsonl.gz": "hatecheck",
    "toxicity/told_br_pt.jsonl.gz": "told-br",
}
"""Where they lie -> the format each of them is recognised as."""
EXPECTED = {
    "american-assembly.bowling-green": ("votes", 225_040),
    "vtaiwan.uberx": ("votes", 49_348),
    "00001-00000001.soi": ("ballots", 43_942),
    "00021-00000011.toi": ("ballots", 194_530),
    "00026-00000001.cat": ("ballots", 365),
    "hh_helpful.jsonl.gz": ("pairs", 1764),
    "told_br_pt.jsonl.gz": ("annotations", 16_774 * 18),
    "hatecheck_en.jsonl.gz": ("annotations", 2862 * 5),
    "convabuse_en.jsonl.gz": ("raters", 8),
}
"""Name -> how many of what are in it."""


def test_every_file_of_the_shared_data(data_dir: Path) -> None:
    """All of them, each as what it is, in a minute of one core at the most."""
    began = time.process_time()
    read, told = 0, {}
    for place, slug in FORMATS.items():
        paths = [data_dir / place]
        if paths[0].is_dir():
            paths = sorted(paths[0].iterdir())
        for path in paths:
            source = read_source(path)
            read += 1
            assert source.format == slug, path
            told[path.name] = source.counts
    taken = time.process_time() - began

    assert read == 11 + 41 + 5 + 4
    assert {name: told[name][kind] for name, (kind, _) in EXPECTED.items()} == {
        name: count for name, (_, count) in EXPECTED.items()
    }
    assert taken < 60
