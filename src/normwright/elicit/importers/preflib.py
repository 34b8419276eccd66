"""Rankings of PrefLib: strict or with ties, whole or not, and categories; since 2022 and before.

A line says how many voters gave an order: `3: 2,{1,4}` is three voters who put 2 first and 1 and 4
level. They stay that many anonymous voters, counted and not made one by one. What an order leaves
out is unranked, and stays so; how it counts is said in the outcome (`unranked` in `mapping.yaml`).

Files of weighted pairs hold nobody's ballot and are read as `Majorities`. Since 2022 that is `wmd`,
which PrefLib calls weighted matching data: whatever somebody counted, the file does not say what.
Before, `wmg` had margins, `pwg` voters, `mjg` and `tog` bare majorities.
"""

from __future__ import annotations

import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from normwright.elicit.consulted import Anonymous, Consulted
from normwright.elicit.files import Faults, Folder, slug_of, stem_of
from normwright.elicit.importers import Graph, Importer, Nameless
from normwright.elicit.integrity import Report
from normwright.elicit.mapping import read_mapping
from normwright.elicit.process import Frame, read_frame
from normwright.elicit.sheets import decoded, ending
from normwright.elicit.tongue import UNDETERMINED
from normwright.plugins import Card, plugin
from normwright.records import (
    Ballots,
    Crowd,
    Majorities,
    Polity,
    Process,
    RankedTiers,
    Runs,
    Statement,
    Unranked,
    Weighing,
)

TYPES: Final[Mapping[str, str]] = {
    "soc": "strict orders of all alternatives",
    "soi": "strict orders of some alternatives",
    "toc": "orders of all alternatives, with ties",
    "toi": "orders of some alternatives, with ties",
    "cat": "alternatives sorted into categories",
}
"""The types that hold ballots, and what they hold."""
GRAPHS: Final[Mapping[str, Weighing]] = {
    "wmd": "unstated",
    "wmg": "margins",
    "pwg": "wins",
    "mjg": "majority",
    "tog": "majority",
}
"""The types that hold weighted pairs, and what the weights count."""
MOST: Final = 10**15
"""Voters of one file. More were never asked, and no count could be held exactly as a float."""
_REFUSED: Final[Mapping[str, str]] = {
    **dict.fromkeys(GRAPHS, "weighted pairs, in which no voter's ballot can be found"),
    "dat": "data that are no ballots",
    "csv": "data that are no ballots",
}
_COUNTS: Final[Mapping[Unranked, str]] = {
    "last": "counted below all that they rank",
    "apart": "not compared with what they rank",
}
_KEYS = {
    "unranked": (lambda v: v in ("last", "apart"), "last or apart"),
}
_HEADER = re.compile(r"#\s*([A-Z][A-Z ]*?)(?:\s+([0-9]{1,9}))?\s*:\s*(.*)")
_NUMBER = re.compile(r"[0-9]{1,9}")
_COUNT = re.compile(r"0*[0-9]{1,16}")
_STRICT = re.compile(r"[0-9]{1,9}(?:,[0-9]{1,9})*")
_GROUP = re.compile(r"\{([^{}]*)\}|([^,{}]+)")
_TIE = r"\{(?:[0-9]{1,9}(?:,[0-9]{1,9})*)?\}"
_BODY = re.compile(rf"(?:{_TIE}|[0-9]{{1,9}})(?:,(?:{_TIE}|[0-9]{{1,9}}))*")
_SHIFTED: Final = "00014-00000001.soc"
"""The sushi orders: the names as published stand one place before the numbers of the orders."""
_SUSHI: Final = ("ebi (shrimp)", "anago (sea eel)", "maguro (tuna)")


class _Singles(dict[str, tuple[int, ...]]):
    def __missing__(self, text: str) -> tuple[int, ...]:
        self[text] = (int(text),)
        return self[text]


@dataclass
class _File:
    """What a file says, before it is judged."""

    label: str
    type: str
    alternatives: dict[int, str] = field(default_factory=dict)
    facts: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Header key -> where it stands and its value."""
    lines: list[tuple[str, int, tuple[tuple[int, ...], ...]]] = field(default_factory=list)
    """Where it stands, how many voters, and their tiers, empty ones kept."""

    single: _Singles = field(default_factory=_Singles)
    """Number of an alternative as written -> the tier of it alone: one object for all lines."""

    def fact(self, key: str) -> str:
        return self.facts.get(key, ("", ""))[1]


def sniff(folder: Folder) -> bool:
    """Return whether there is a file with an ending of PrefLib, ballots or not."""
    return bool(_candidates(folder))


def lacks(folder: Folder) -> str:
    """Return what a folder lacks."""
    return f"no file ending in .{', .'.join(TYPES)}"


def read(folder: Folder) -> Consulted | None:
    """Return the consultation, or None after noting every fault."""
    faults, report = folder.faults, Report()
    given = read_mapping(folder, _KEYS)
    frame = read_frame(folder)
    paths = _candidates(folder)
    if len(paths) != 1:
        names = ", ".join(p.name for p in paths)
        faults.add(folder.label(folder.directory), "one PrefLib file", names or "none")
        return None
    (path,) = paths
    kind = ending(path).removeprefix(".")
    if kind in _REFUSED:
        faults.add(
            folder.label(path), f"ballots: {', '.join(TYPES)}", f"{kind}, {_REFUSED[kind]}",
            "Take the file with the orders of the same data set.",
        )  # fmt: skip
        return None
    found = _parsed(path, kind, folder)
    if found is not None:
        _check(found, faults, report)
    if found is not None and frame is None and folder.find("process.yaml") is None:
        frame = _assumed(found, path, report)
    if frame is not None and len(frame.polities) != 1:
        label = folder.label(folder.directory / "process.yaml")
        seen = ", ".join(p.id for p in frame.polities)
        faults.add(f"{label}: polities", "one polity, which every voter belongs to", seen)
    if faults.found or found is None or frame is None:
        return None
    return _consulted(folder, frame, found, given, report)


def people(folder: Folder) -> Nameless | None:
    """Return why nobody can be found: a file of counted orders names no voter."""
    paths = _candidates(folder)
    if len(paths) != 1:
        return None  # reading says what is wrong
    do = "Whoever holds the ballots can count them anew; put that file in its place and run."
    return Nameless(paths[0], "counted orders; ids of voters are only places in the file", do)


def _consulted(
    folder: Folder, frame: Frame, found: _File, given: Mapping[str, Any], report: Report
) -> Consulted:
    polity, process = frame.polities[0], frame.process
    lang = frame.language or UNDETERMINED
    name = _names(found)
    crowd = Crowd(sum(count for _, count, _ in found.lines))
    unranked: Unranked = given.get("unranked", "last")
    orders: dict[RankedTiers, int] = {}
    chosen: list[int] = []

    @cache
    def named(tier: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(sorted(name[n] for n in tier))

    for where, count, tiers in found.lines:
        order = tuple(map(named, tiers))
        chosen.append(orders.setdefault(order, len(orders)))
        if len(order) < len(name) and sum(map(len, order)) < len(name):
            report.add(
                "incomplete-ballots",
                f"kept as they are; what they leave out is {_COUNTS[unranked]} ({unranked})",
                where, count,
            )  # fmt: skip
    runs = Runs(tuple(chosen), tuple(count for _, count, _ in found.lines))
    return Consulted(
        process=process,
        polities=frame.polities,
        participants=Anonymous(crowd, process.id, polity.id),
        statements=tuple(
            Statement(id=name[number], text={lang: text}, layer=polity.layer, authority=polity.id)
            for number, text in sorted(found.alternatives.items())
        ),
        votes=(),
        comparisons=(),
        ballots=Ballots(tuple(orders), crowd, runs, _categories(found)),
        unranked=unranked,
        faults=report.faults(),
        sources=dict(folder.sources),
        languages=(lang,),
        importer=IMPORTER.slug,
    )


def _names(found: _File) -> dict[int, str]:
    """Ids of alternatives, which sort as their numbers do."""
    width = len(str(max(found.alternatives, default=0)))
    return {number: f"a{number:0{width}d}" for number in found.alternatives}


def _categories(found: _File) -> tuple[str, ...]:
    """Names of the categories, by number; none where tiers are ranks."""
    if found.type != "cat" or not found.lines:
        return ()
    size = len(found.lines[0][2])
    return tuple(found.fact(f"CATEGORY NAME {n}") or str(n) for n in range(1, size + 1))


def graph(folder: Folder) -> Graph | None:
    """Return the weighted pairs of a file; None where it holds ballots, or after noting faults."""
    paths = _candidates(folder)
    if len(paths) != 1 or ending(paths[0]).removeprefix(".") not in GRAPHS:
        return None
    faults, report = folder.faults, Report()
    kind = ending(paths[0]).removeprefix(".")
    edges: list[tuple[str, str]] = []
    found = _parsed(paths[0], kind, folder, edges)
    if found is None or faults.found:
        return None
    where, said = found.facts.get("DATA TYPE", (found.label, kind))
    if faults.one_of(where, said, list(GRAPHS), "a type of weighted pairs") and said != kind:
        report.add("type-and-ending-differ", "the header is believed, not the ending", where)
        kind = said
    _count(found, "NUMBER ALTERNATIVES", len(found.alternatives), "alternatives named", faults)
    if "NUMBER EDGES" in found.facts:
        _count(found, "NUMBER EDGES", len(edges), "pairs", faults)
    pairs = _edges(found, kind, edges, faults)
    if not pairs and not faults.found:
        faults.add(found.label, "pairs below the header", "none")
    if faults.found:
        return None
    _check_pairs(found, GRAPHS[kind], pairs, report)
    ids = _names(found)
    place = {number: k for k, number in enumerate(sorted(found.alternatives))}
    made = Majorities(
        alternatives=tuple(ids[n] for n in sorted(ids)),
        names=tuple(found.alternatives[n] for n in sorted(ids)),
        above=array("q", (place[a] for a, _ in pairs)),
        below=array("q", (place[b] for _, b in pairs)),
        weight=array("d", (weight for weight, _ in pairs.values())),
        weighing=GRAPHS[kind],
        voters=_voters(found),
    )
    return Graph(made, report.faults())


def _voters(found: _File) -> int | None:
    said = found.fact("VOTERS ASKED")
    return int(said) if said else None


def _edges(
    found: _File, kind: str, lines: Sequence[tuple[str, str]], faults: Faults
) -> dict[tuple[int, int], tuple[float, str]]:
    """The pairs with weight and place. Since 2022 a line is `a, b, weight`, before `weight,a,b`."""
    before = not found.fact("DATA TYPE")
    made: dict[tuple[int, int], tuple[float, str]] = {}
    for where, line in lines:
        cells = [cell.strip() for cell in line.split(",")]
        weight = _weight(cells[0 if before else -1])
        ends = cells[1:] if before else cells[:-1]
        if len(ends) != 2 or weight is None or not all(map(_NUMBER.fullmatch, ends)):
            form = "weight,number,number" if before else "number, number, weight"
            faults.add(where, f"a line `{form}`", repr(line[:60]))
            continue
        pair = (int(ends[0]), int(ends[1]))
        unknown = [str(n) for n in pair if n not in found.alternatives]
        if unknown:
            faults.add(where, "numbers of alternatives that are named", ", ".join(unknown))
        elif pair[0] == pair[1]:
            faults.add(where, "two different alternatives", f"{pair[0]} twice")
        elif pair in made:
            faults.add(where, "each pair once", f"that of {made[pair][1]} again")
        elif weight < 0:
            faults.add(where, "a weight that is not negative", cells[0 if before else -1])
        else:
            made[pair] = (weight, where)
    return made


def _weight(text: str) -> float | None:
    try:
        weight = float(text)
    except ValueError:
        return None
    return weight if math.isfinite(weight) else None


def _check_pairs(
    found: _File,
    weighing: Weighing,
    pairs: Mapping[tuple[int, int], tuple[float, str]],
    report: Report,
) -> None:
    """Report weights whose sense is open, and margins that both ways claim."""
    if weighing == "unstated":
        policy = (
            "kept as they are; PrefLib calls such files matching data, and does not say that they "
            "count voters"
        )
        report.add("weights-of-unstated-meaning", policy, found.label, len(pairs))
    both = [
        where for (a, b), (weight, where) in pairs.items()
        if a < b and weight and pairs.get((b, a), (0.0, ""))[0]
    ]  # fmt: skip
    for where in both if weighing in ("margins", "majority") else ():
        report.add("both-ways", "kept; a pair that has a majority both ways has none", where)
    voters = _voters(found)
    if weighing == "wins" and voters is not None:
        for (a, b), (weight, where) in pairs.items():
            if weight + pairs.get((b, a), (0.0, ""))[0] > voters and (a < b or (b, a) not in pairs):
                report.add("more-than-voters", "kept; a pair has more voters than there are", where)
    size = len(found.alternatives)
    missing = size * (size - 1) // 2 - len({(min(p), max(p)) for p in pairs})
    if missing:
        report.add(
            "pairs-not-given", "left open; no weight is not the weight 0", found.label, missing
        )


def _assumed(found: _File, path: Path, report: Report) -> Frame:
    """The frame of a bare file: its title, and its voters as one community."""
    stem = stem_of(path)
    slug = slug_of(stem, default="preflib")
    title = {UNDETERMINED: found.fact("TITLE") or stem}
    # What a program drew is nobody's ballot, and must not pass for one.
    simulated = found.fact("MODIFICATION TYPE").lower() == "synthetic"
    report.add(
        "assumed-process",
        f"taken as one community of {'simulated voters' if simulated else 'people'} at layer "
        "polity; a process.yaml beside the file can say otherwise",
        found.label,
    )
    process = Process(
        id=slug,
        kind="simulated" if simulated else "human",
        title=title,
        seed=0 if simulated else None,
    )
    return Frame(process, (Polity(id=slug, name=title, layer="polity"),), None)


def _candidates(folder: Folder) -> list[Path]:
    known = {f".{kind}" for kind in (*TYPES, *GRAPHS)}
    return [path for path in folder.files() if ending(path) in known]


def _parsed(
    path: Path, kind: str, folder: Folder, edges: list[tuple[str, str]] | None = None
) -> _File | None:
    """Take a file apart. Lines of the body go to `edges` as they are, where it is given."""
    data = folder.unpacked(path)
    if data is None:
        return None
    text = decoded(data)
    label = folder.label(path)
    if text is None:
        folder.faults.add(label, "text", "bytes that are no text", "Save the file as UTF-8.")
        return None
    lines = [
        (f"{label}:{number}", line.strip())
        for number, line in enumerate(text[0].splitlines(), 1)
        if line.strip()
    ]
    if not lines:
        folder.faults.add(f"{label}:1", "a PrefLib header", "an empty file")
        return None
    if lines[0][1].startswith("#"):
        return _current(label, kind, lines, folder.faults, edges)
    return _before_2022(label, kind, lines, folder.faults, edges)


def _current(
    label: str,
    kind: str,
    lines: Sequence[tuple[str, str]],
    faults: Faults,
    edges: list[tuple[str, str]] | None,
) -> _File:
    """`# KEY: value` lines, then `count: order`."""
    found = _File(label, kind)
    for where, line in lines:
        if line.startswith("#"):
            _header(found, where, line, faults)
            continue
        if edges is not None:
            edges.append((where, line))
            continue
        count, colon, order = line.partition(":")
        if not colon:
            faults.add(where, "a line `count: order`", repr(line[:60]))
        else:
            _order(found, where, count.strip(), order.strip(), faults)
    return found


def _header(found: _File, where: str, line: str, faults: Faults) -> None:
    match = _HEADER.fullmatch(line)
    if match is None:
        faults.add(where, "a header `# KEY: value`", repr(line[:60]))
        return
    key, number, value = match[1].strip(), match[2], match[3].strip()
    if key == "ALTERNATIVE NAME" and number:
        if int(number) in found.alternatives:
            faults.add(where, "each alternative once", f"number {number} again")
        found.alternatives[int(number)] = value or f"Alternative {number}"
    else:
        found.facts[f"{key} {number}" if number else key] = (where, value)


def _before_2022(
    label: str,
    kind: str,
    lines: Sequence[tuple[str, str]],
    faults: Faults,
    edges: list[tuple[str, str]] | None,
) -> _File | None:
    """A number of alternatives, `number,name` lines, `voters,sum,unique`, then `count,order`."""
    found = _File(label, kind)
    where, first = lines[0]
    if not _NUMBER.fullmatch(first):
        faults.add(where, "a header `# KEY: value`, or a number of alternatives", repr(first[:60]))
        return None
    size = int(first)
    found.facts["NUMBER ALTERNATIVES"] = (where, first)
    for where, line in lines[1 : size + 1]:
        number, comma, text = line.partition(",")
        if not comma or not _NUMBER.fullmatch(number.strip()):
            faults.add(where, "an alternative `number,name`", repr(line[:60]))
        elif int(number) in found.alternatives:
            faults.add(where, "each alternative once", f"number {number} again")
        else:
            found.alternatives[int(number)] = text.strip().strip('"') or f"Alternative {number}"
    if len(lines) <= size + 1:
        faults.add(
            label, "a line `voters,sum,unique` after the alternatives", "the end of the file"
        )
        return None
    where, sums = lines[size + 1]
    numbers = [part.strip() for part in sums.split(",")]
    if len(numbers) != 3 or not all(map(_COUNT.fullmatch, numbers)):
        faults.add(where, "a line `voters,sum,unique`", repr(sums[:60]))
        return None
    if edges is not None:
        found.facts["VOTERS ASKED"] = (where, numbers[0])
        found.facts["NUMBER EDGES"] = (where, numbers[2])
        edges += lines[size + 2 :]
        return found
    found.facts["NUMBER VOTERS"] = (where, numbers[1])
    found.facts["NUMBER UNIQUE ORDERS"] = (where, numbers[2])
    for where, line in lines[size + 2 :]:
        count, _, order = line.partition(",")
        _order(found, where, count.strip(), order.strip(), faults)
    return found


def _order(found: _File, where: str, count: str, order: str, faults: Faults) -> None:
    """Note one line: how many voters, and their tiers."""
    if not _COUNT.fullmatch(count) or not 1 <= int(count) <= MOST:
        faults.add(where, f"a number of voters, 1 to {MOST}", repr(count[:60]))
        return
    tight = "".join(order.split())
    if _STRICT.fullmatch(tight):
        found.lines.append(
            (where, int(count), tuple(map(found.single.__getitem__, tight.split(","))))
        )
        return
    if not _BODY.fullmatch(tight):
        faults.add(
            where, "numbers of alternatives, those that are level in braces", repr(order[:60])
        )
        return
    tiers = tuple(
        tuple(int(n) for n in (match[1] if match[2] is None else match[2]).split(",") if n)
        for match in _GROUP.finditer(tight)
    )
    found.lines.append((where, int(count), tiers))


def _check(found: _File, faults: Faults, report: Report) -> None:
    """Hold the header against the body: a file that was cut off must not pass for a whole one."""
    where, said = found.facts.get("DATA TYPE", ("", found.type))
    if said in _REFUSED:
        faults.add(where, f"ballots: {', '.join(TYPES)}", f"{said}, {_REFUSED[said]}")
    elif faults.one_of(where or found.label, said, list(TYPES), "a type") and said != found.type:
        policy = "the header is believed, not the ending of the file"
        report.add("type-and-ending-differ", policy, where)
    found.type = said
    _count(found, "NUMBER ALTERNATIVES", len(found.alternatives), "alternatives named", faults)
    voters = sum(count for _, count, _ in found.lines)
    if voters > MOST:
        faults.add(found.label, f"at most {MOST} voters", voters)
    _count(found, "NUMBER VOTERS", voters, "voters in the orders", faults)
    key = "NUMBER UNIQUE PREFERENCES" if said == "cat" else "NUMBER UNIQUE ORDERS"
    if key in found.facts:
        _count(found, key, len(found.lines), "lines of orders", faults)
    first: dict[tuple[tuple[int, ...], ...], str] = {}
    alone = frozenset((n,) for n in found.alternatives)
    whole = said in ("soc", "toc")
    for where, _, tiers in found.lines:
        # Most lines are strict orders of what there is; only others are looked at more closely.
        once = len(set(tiers)) == len(tiers) and alone.issuperset(tiers) and said != "cat"
        if not once or (whole and len(tiers) < len(alone)):
            _check_order(found, where, tiers, faults)
        if first.setdefault(tiers, where) != where:
            policy = "both lines count; the same order stands on two lines"
            report.add("repeated-orders", policy, where)
    if not found.lines and not faults.found:
        faults.add(found.label, "orders below the header", "none")
    elif voters == 1:
        faults.add(found.label, "at least two voters", "one")
    for text, times in Counter(found.alternatives.values()).items():
        if times > 1:
            policy = "kept apart by their numbers; their names are the same"
            report.add("names-alike", policy, f"{found.label}: {text[:40]}", times)
    if said == "cat" and found.lines:
        policy = (
            "each category is a tier, the first the best, and keeps its number where it is empty; "
            "how far apart they are is not kept"
        )
        report.add("categories-as-tiers", policy, found.label, voters)
    _name_rightly(found, report)


def _count(found: _File, key: str, seen: int, what: str, faults: Faults) -> None:
    where, said = found.facts.get(key, (found.label, ""))
    if said != str(seen):
        faults.add(
            where, f"{key}: {seen}, as there are {what}", repr(said) if said else "no such line",
            "A file that was cut off looks like this; take it from its source again.",
        )  # fmt: skip


def _check_order(
    found: _File, where: str, tiers: Iterable[tuple[int, ...]], faults: Faults
) -> None:
    groups = list(tiers)
    ranked = [n for tier in groups for n in tier]
    unknown = sorted({n for n in ranked if n not in found.alternatives})
    twice = sorted(n for n, count in Counter(ranked).items() if count > 1)
    if unknown:
        faults.add(where, "numbers of alternatives that are named", ", ".join(map(str, unknown)))
    if twice:
        faults.add(where, "each alternative once", f"{', '.join(map(str, twice))} again")
    if not ranked:
        faults.add(where, "at least one alternative", "none")
    if found.type == "cat":
        _, number = found.facts.get("NUMBER CATEGORIES", ("", ""))
        if number and str(len(groups)) != number:
            faults.add(where, f"{number} categories", len(groups))
        return
    if not all(groups):
        faults.add(where, "tiers with an alternative each", "empty braces")
    if found.type in ("soc", "soi") and any(len(tier) > 1 for tier in groups):
        faults.add(where, f"{TYPES[found.type]} ({found.type})", "a tie")
    if found.type in ("soc", "toc") and not unknown and len(set(ranked)) < len(found.alternatives):
        missing = len(found.alternatives) - len(set(ranked))
        faults.add(where, f"{TYPES[found.type]} ({found.type})", f"{missing} left out")


def _name_rightly(found: _File, report: Report) -> None:
    """Put right the names of the one published file in which they are known to be shifted."""
    names = tuple(found.alternatives.get(n) for n in range(1, 4))
    if found.fact("FILE NAME") != _SHIFTED or names != _SUSHI:
        return
    numbers = sorted(found.alternatives)
    texts = [found.alternatives[n] for n in numbers]
    found.alternatives = dict(zip(numbers, [*texts[1:], texts[0]], strict=True))
    report.add(
        "shifted-names",
        "put right: in this file as published, names stand one place before their numbers in the "
        "orders",
        found.label, len(numbers),
    )  # fmt: skip


CARD = Card(
    name="preflib",
    kind="importers",
    summary="Reads rankings of PrefLib, strict or with ties, and categories, as anonymous ballots.",
    reference="Mattei and Walsh, PrefLib: A Library for Preferences, ADT 2013; www.preflib.org",
    status="tested",
)
IMPORTER = plugin(CARD)(
    Importer(
        slug=CARD.name,
        files="one .soc, .soi, .toc, .toi or .cat file, or one of weighted pairs, such as .wmd",
        graph=graph,
        sniff=sniff,
        read=read,
        lacks=lacks,
        people=people,
    )
)
