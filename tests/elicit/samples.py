"""A small valid sample of every format, as files by name."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

import openpyxl
from tests.elicit.conftest import POLIS, TINY


def lines(*rows: Mapping[str, object]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def workbook(*rows: tuple[object, ...]) -> bytes:
    """An Excel workbook of one sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


MATRIX = """\
participant,group-id,n-comments,n-votes,n-agree,n-disagree,0,1,2
1,0,1,2,2,0,1,1,
2,1,0,3,1,2,1,-1,-1
"""
XID = """\
participant,xid,group-id,n-comments,n-votes,n-agree,n-disagree,0,1
1,,0.0,1,2.0,2,0,1.0,1.0
2,,1.0,0,2.0,1,1,1.0,-1.0
"""
GROUPS = """\
comment-id,comment,total-votes,total-agrees,total-disagrees,total-passes,group-a-votes,\
group-a-agrees,group-a-disagrees,group-a-passes
0,More trees,2,2,0,0,1,1,0,0
1,Fewer cars,2,1,1,0,1,1,0,0
"""
SOI = """\
# FILE NAME: x.soi
# TITLE: Council
# DATA TYPE: soi
# MODIFICATION TYPE: original
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 6
# NUMBER UNIQUE ORDERS: 3
# ALTERNATIVE NAME 1: Ana
# ALTERNATIVE NAME 2: Rui
# ALTERNATIVE NAME 3: Eva
3: 1,2,3
2: 2
1: 3,1
"""
TOC = (
    SOI.replace("soi", "toc")
    .replace("VOTERS: 6", "VOTERS: 5")
    .replace("ORDERS: 3", "ORDERS: 2")
    .replace("2: 2\n1: 3,1\n", "2: {1,3},2\n")
)
CAT = """\
# FILE NAME: x.cat
# DATA TYPE: cat
# NUMBER ALTERNATIVES: 3
# NUMBER VOTERS: 4
# NUMBER UNIQUE PREFERENCES: 3
# NUMBER CATEGORIES: 2
# CATEGORY NAME 1: Yes
# CATEGORY NAME 2: No
# ALTERNATIVE NAME 1: A
# ALTERNATIVE NAME 2: B
# ALTERNATIVE NAME 3: C
2: {1,2},3
1: {},{1,2,3}
1: 3,{}
"""
WMD = """\
# FILE NAME: x.wmd
# DATA TYPE: wmd
# NUMBER ALTERNATIVES: 3
# NUMBER EDGES: 3
# ALTERNATIVE NAME 1: Pair 1
# ALTERNATIVE NAME 2: Pair 2
# ALTERNATIVE NAME 3: Pair 3
1, 2, 1.0
2, 3, 0.5
3, 1, 1.0
"""
OLD = "3\n1,A\n2,B\n3,C\n4,4,2\n3,1,{2,3}\n1,3\n"
WMG = "3\n1,A\n2,B\n3,C\n9,12,3\n5,1,2\n3,2,3\n1,3,1\n"
IDEAS = {
    "votes.csv": "Vote ID,Session ID,Wikisurvey ID,Winner ID,Winner Text,Loser ID,Loser Text,"
    """\
Left Choice ID,Right Choice ID,Created at,Valid
1,s1,9,1,Trees,2,Cars,1,2,2020-01-01 00:00:00 UTC,true
2,s1,9,2,Cars,3,Buses,2,3,2020-01-01 00:00:01 UTC,true
3,s2,9,2,Cars,1,Trees,1,2,2020-01-01 00:00:02 UTC,true
4,s2,9,3,Buses,1,Trees,3,1,2020-01-01 00:00:04 UTC,false
""",
    "ideas.csv": """\
Wikisurvey ID,Idea ID,Idea Text,Wins,Losses,Score
9,1,Trees,1,1,50
9,2,Cars,2,1,60
9,3,Buses,0,1,30
9,4,Trams,0,0,50
""",
    "nonvotes.csv": """\
Record Type,Skip ID,Appearance ID,Session ID,Left Choice ID,Right Choice ID,Reason,Valid
Skip,1,2,s1,1,3,I can't decide,true
""",
}
LONG = "participant,statement,vote,time\nana,Trees.,agree,1700000000\nrui,Trees.,disagree,1\n"
WIDE = "participant,Trees.,Cars.\nana,agree,pass\nrui,disagree,\n"
SIDES = """\
voter,left,right,choice
ana,Trees,Cars,left
rui,Trees,Cars,tie
eva,Cars,Trees,Trees
"""
RANKS = "voter,alternative,rank\nana,Trees,1\nana,Cars,2\nrui,Cars,1\nrui,Trees,1\n"
CHOICES = "voter,1st choice,2nd choice,3rd choice\nana,Trees,Cars,Buses\nrui,Cars,Trees,\n"
PAIRS = lines(
    {"prompt": "Hi", "chosen": "Good day.", "rejected": "What?", "lang": "en"},
    {"prompt": "Who?", "chosen": "I am a program.", "rejected": "Me.", "lang": "en"},
)
HH = lines(
    {"chosen": "\n\nHuman: Hi\n\nAssistant: Hello.", "rejected": "\n\nHuman: Hi\n\nAssistant: No."}
)
PANDA = lines(
    {"idx": 0, "instruction": "Add.", "input": "1 and 2", "response1": "3", "response2": "4",
     "annotator1": 1, "annotator2": 1, "annotator3": 0},
    {"idx": 1, "instruction": "Add.", "input": "2 and 2", "response1": "3", "response2": "4",
     "annotator1": 2, "annotator2": 2, "annotator3": 1},
)  # fmt: skip
DICES = """\
rater_id,rater_gender,rater_locale,rater_race,rater_raw_race,rater_age,rater_education,item_id,\
context,response,Q2_age,Q2_hate,Q_overall
r1,Woman,US,Asian,Asian,gen z,College,1,Hi,Hello,No,Yes,Yes
r2,Man,IN,Asian,Asian,gen x,School,1,Hi,Hello,No,No,Unsure
r1,Woman,US,Asian,Asian,gen z,College,2,Who,Me,No,,No
"""
PRISM = {
    "utterances.jsonl": lines(
        {"utterance_id": "ut0", "interaction_id": "i0", "conversation_id": "c0", "user_id": "u0",
         "turn": 0, "model_response": "Yes.", "score": 80, "if_chosen": True},
        {"utterance_id": "ut1", "interaction_id": "i0", "conversation_id": "c0", "user_id": "u0",
         "turn": 0, "model_response": "No.", "score": 10, "if_chosen": False},
        {"utterance_id": "ut2", "interaction_id": "i1", "conversation_id": "c1", "user_id": "u1",
         "turn": 0, "model_response": "So?", "score": 55, "if_chosen": True},
    ),
    "conversations.jsonl": lines(
        {"conversation_id": "c0", "user_id": "u0", "conversation_type": "unguided",
         "performance_attributes": {"values": 71, "safety": None}, "choice_attributes": {}},
    ),
    "survey.jsonl": lines(
        {"user_id": "u0", "age": "18-24 years old", "gender": "Female",
         "religion": {"self_described": "x", "simplified": "None"}, "stated_prefs": {"values": 9}},
        {"user_id": "u9", "age": "65+ years old", "gender": "Male", "stated_prefs": None},
    ),
}  # fmt: skip
TOLD = lines(
    {"id": "t0", "text": "Ora.", "homophobia": [0, 0, 0], "obscene": [1, 1, 0],
     "insult": [0, 1, 0], "racism": [0, 0, 0], "misogyny": [0, 0, 0], "xenophobia": [0, 0, 0]},
)  # fmt: skip
TOLD_CSV = """\
text,homophobia,obscene,insult,racism,misogyny,xenophobia
Ora.,0.0,2.0,1.0,0.0,0.0,0.0
Bolas.,0,3,0,0,0,0
"""
HATECHECK = lines(
    {"case_id": "1", "functionality": "f", "text": "A", "labels": {"A1": "hateful", "A2": "no"}},
    {"case_id": "2", "functionality": "f", "text": "B", "labels": ["hateful", "hateful"]},
)
CONVABUSE = lines(
    {"example_no": "1", "annotator_id": "A1", "conv_id": "7", "prev_agent": "a", "prev_user": "b",
     "agent": "c", "user": "d", "bot": "E", "severity": -1, "types": ["sexist"], "targets": []},
    {"example_no": "2", "annotator_id": "A2", "conv_id": "7", "prev_agent": "a", "prev_user": "b",
     "agent": "c", "user": "d", "bot": "E", "severity": 0, "types": [], "targets": []},
)  # fmt: skip
RATED = lines(
    {"rater": "a", "item": "1", "question": "fair", "label": "yes"},
    {"rater": "b", "item": "1", "question": "fair", "label": "no"},
)

FILES: Mapping[str, tuple[str, Mapping[str, str | bytes]]] = {
    "native": ("native", TINY),
    "polis": ("polis", {**POLIS, "participants-votes.csv": MATRIX, "comment-groups.csv": GROUPS,
                        "summary.csv": "topic,The town\n"}),
    "polis log": ("polis", {"votes.csv": POLIS["votes.csv"]}),
    "polis matrix": ("polis", {"participant-votes.csv": XID}),
    "polis matrix and comments": ("polis", {"comments.csv": POLIS["comments.csv"],
                                            "participants-votes.csv": MATRIX}),
    "soi": ("preflib", {"x.soi": SOI}),
    "toc": ("preflib", {"x.toc": TOC}),
    "cat": ("preflib", {"x.cat": CAT}),
    "wmd": ("preflib", {"x.wmd": WMD}),
    "before 2022": ("preflib", {"x.toi": OLD}),
    "wmg": ("preflib", {"x.wmg": WMG}),
    "ideas": ("all-our-ideas", IDEAS),
    "long": ("table", {"x.csv": LONG}),
    "wide": ("table", {"x.csv": WIDE}),
    "workbook": ("table", {"x.xlsx": workbook(
        ("participant", "Trees.", "Cars."), ("ana", "agree", "pass"), ("rui", "disagree", None))}),
    "sides": ("table", {"x.csv": SIDES}),
    "ranks": ("table", {"x.csv": RANKS}),
    "choices": ("table", {"x.csv": CHOICES}),
    "pairs": ("judged-pairs", {"x.jsonl": PAIRS}),
    "hh": ("judged-pairs", {"x.jsonl": HH}),
    "pandalm": ("judged-pairs", {"x.jsonl": PANDA}),
    "dices": ("dices", {"x.csv": DICES}),
    "prism": ("prism", PRISM),
    "told": ("told-br", {"x.jsonl": TOLD}),
    "told csv": ("told-br", {"x.csv": TOLD_CSV}),
    "hatecheck": ("hatecheck", {"x.jsonl": HATECHECK}),
    "convabuse": ("convabuse", {"x.jsonl": CONVABUSE}),
    "rated": ("annotations", {"x.jsonl": RATED}),
}  # fmt: skip
"""Name -> slug of the importer, and the files."""


def bytes_of(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """The files as bytes."""
    return {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}
