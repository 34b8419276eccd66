"""A small consultation on disk that tests break in one place each."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

PROCESS = """\
id: tiny
kind: simulated
title: {en: A tiny town, pt: Uma vila pequena}
identification: open
seed: 7
polities:
  - {id: world, name: {en: The world, pt: O mundo}, layer: global}
  - {id: hall, name: {en: The hall, pt: A casa}, layer: organisation}
"""
PARTICIPANTS = """\
participant,polities,lang
ana,world;hall,pt
ben,world,en
eva,world;hall,
"""
STATEMENTS = """\
id,layer,authority,norm,endorses,concern,text_en,text_pt
s1,global,world,g.privacy,true,privacy,"Private is private, always.",Privado é privado.
s2,organisation,hall,o.jokes,false,,Jokes are fine.,Piadas são bem-vindas.
s3,individual,hall,,,,Short answers.,Respostas curtas.
"""
VOTES = """\
participant,statement,vote,at
ana,s1,agree,1700000001
ben,s1,-1,1700000002
eva,s1,pass,1700000003
ana,s2,0,1700000004
eva,s2,1,1700000005
"""
COMPARISONS = """\
participant,scene,norm,authority,choice,at
ana,look/1,g.privacy,world,decline,1700000006
ben,look/1,g.privacy,world,tie,1700000007
"""
TINY = {
    "process.yaml": PROCESS,
    "participants.csv": PARTICIPANTS,
    "statements.csv": STATEMENTS,
    "votes.csv": VOTES,
    "comparisons.csv": COMPARISONS,
}
POLIS = {
    "comments.csv": """\
timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body
1500000000000,x,0,1,2,0,1,"More trees, please."
1500000000000,x,1,1,1,1,0,Fewer cars.
1500000000000,x,2,1,0,1,-1,Spam.
""",
    "votes.csv": """\
timestamp,datetime,comment-id,voter-id,vote
1500000001000,x,0,1,1
1500000002000,x,0,2,1
1500000003000,x,1,1,1
1500000003500,x,1,2,-1
1500000004000,x,2,2,-1
""",
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes files under `c/` and returns that directory."""

    def make(files: dict[str, str | bytes | None], *, zipped: bool = False) -> Path:
        directory = tmp_path / "c"
        directory.mkdir(exist_ok=True)
        for name, content in files.items():
            if content is None:
                continue
            data = content.encode() if isinstance(content, str) else content
            if zipped and name.endswith(".csv"):
                (directory / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
            else:
                (directory / name).write_bytes(data)
        return directory

    return make


@pytest.fixture(scope="session")
def polis_data() -> Path:
    """Real Polis exports, or a plain skip."""
    place = os.environ.get("NORMWRIGHT_DATA")
    if not place:
        pytest.skip("NORMWRIGHT_DATA is not set: real votes are not at hand")
    return Path(place) / "votes" / "polis"
