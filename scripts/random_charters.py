"""Random charters and situations as plain data, each made from a number; the standard library only.

What comes out is what YAML would hold, so that it can be given to the records, to a file, or to an
implementation of another kind. Every dimension that the resolver reads occurs: typed facts with
times and least confidences, axioms, layers, tiers, authorities with time zones, actors and their
sensitivity, counterparties, channels, validity, deadlines and what maintains them, exemptions,
ideals, overrides, supersession, reparations; chains of grants, labels of data, places of people.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

ACTS: dict[str, tuple[str, ...]] = {
    "a": (), "a1": ("a",), "a2": ("a",), "b": (), "ab": ("a1", "b"), "decline": (),
}  # fmt: skip
REQUESTS = ("a", "a1", "a2", "b", "ab")
LAYERS = ("global", "polity", "organisation", "individual")
KINDS = (
    *("prohibition",) * 5, *("obligation",) * 3, *("permission",) * 2, "guarantee", "exemption",
    "ideal", "constitutive",
)  # fmt: skip
ACTORS = ("assistant", "agent", "subagent", "deployer")
PARTIES = ("human", "agent", "mixed", "public")
POLITIES = ("P", "Q")
ZONES = {"P": "America/Sao_Paulo", "one": "Asia/Tokyo"}

EARLY, LATE = "2026-02-01T00:00:00Z", "2026-04-01T12:00:00Z"
TIMES = ("2026-01-01T00:00:00Z", EARLY, "2026-03-01T00:00:00Z", LATE, "2026-05-01T00:00:00Z")
"""One instant in every stretch that the two thresholds make, and the thresholds themselves."""

DOMAINS: dict[str, tuple[Any, ...]] = {
    "x": (False, True),
    "y": (False, True),
    "n": (0, 1, 2, 3),
    "e": ("p", "q"),
    "t": TIMES,
    "c": (False, True),
    "jurisdiction": ("P", "Q", "R"),
    "flow.conf": ("public", "personal"),
    "grant.given": (False, True),
    "grant.covers": (False, True),
    "grant.expired": (False, True),
    "grant.revoked": (False, True),
    "grant.connected": (False, True),
    "grant.human_root": (False, True),
    "grant.depth": (0, 1, 2, 3),
}
"""Every value each fact can take, as far as a condition can tell values apart."""

FACTS: dict[str, dict[str, Any]] = {
    "n": {"type": "int", "low": 0, "high": 3},
    "grant.depth": {"type": "int", "low": 0, "high": 3},
    "e": {"type": "enum", "values": ["p", "q"]},
    "jurisdiction": {"type": "enum", "values": ["P", "Q", "R"]},
    "flow.conf": {"type": "enum", "values": ["public", "personal"]},
    "t": {"type": "time"},
    "c": {"type": "bool", "min_confidence": 0.8},
}
"""Facts that are not simply true or false."""

FREE = ("x", "y", "n", "e", "t", "c")
"""Facts that nothing else in a situation says."""

DAYS = ("2026-02-10", "2026-02-11", "2026-02-12", "2026-02-13")


def charter(seed: int, *, layers: tuple[str, ...] = LAYERS, waive: bool = False) -> dict[str, Any]:
    """Return a charter of up to twelve norms over four facts.

    Args:
        seed: the same number gives the same charter.
        layers: the layers norms are drawn from.
        waive: whether a norm may say `on_unknown: allow`, which gives soundness up.
    """
    rng = random.Random(f"charter {seed}")
    facts = sorted(rng.sample(list(DOMAINS), 4))
    prefix = "n" if layers == LAYERS else "s"
    norms = [
        _norm(rng, f"{prefix}{number}", facts, layers, waive)
        for number in range(rng.randint(0, 14))
    ]
    return {
        "id": "random", "version": 1, "languages": ["en"], "process": "random", "kind": "human",
        "vocabulary": {
            "acts": [{"name": name, "is_a": list(above)} for name, above in ACTS.items()],
            "facts": [{"name": name, **FACTS.get(name, {"type": "bool"})} for name in facts],
            "axioms": _axioms(rng, facts),
        },
        "norms": norms,
        "zones": ZONES if rng.random() < 0.5 else {},
        "jurisdiction_basis": rng.choice([[], [], ["user"], ["user", "server"]]),
    }  # fmt: skip


def situation(
    seed: int, charter: Mapping[str, Any], *, complete: bool = False, act: str | None = None
) -> dict[str, Any]:
    """Return a situation that breaks no axiom of the charter.

    Args:
        seed: the same number gives the same situation.
        charter: what it is put to.
        complete: whether everything is known, so that one verdict is right and no other.
        act: what is requested; None: any.
    """
    rng = random.Random(f"situation {seed}")
    names = [fact["name"] for fact in charter["vocabulary"]["facts"]]
    for _ in range(1000):
        drawn = _situation(rng, names, complete=complete)
        drawn["act"] = act or drawn["act"]
        known = known_values(charter, drawn)
        if any(True for _ in worlds(charter, known)):
            return drawn
    raise ValueError(f"no situation of charter fits its axioms: seed {seed}")


def completions(
    charter: Mapping[str, Any], situation: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield every way in which what is not known in a situation can turn out."""
    parties = PARTIES if situation.get("counterparty") is None else (situation["counterparty"],)
    for place in _places(charter, situation):
        placed = {**situation, "jurisdiction": place}
        known = known_values(charter, placed)
        for world in worlds(charter, known):
            facts = {**situation["facts"]}
            facts |= {name: value for name, value in world.items() if known.get(name) is None}
            for party in parties:
                yield {**placed, "facts": facts, "counterparty": party}


def worlds(charter: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every assignment of the charter's facts that agrees with what is known."""
    names = [fact["name"] for fact in charter["vocabulary"]["facts"]]
    domains = [DOMAINS[n] if known.get(n) is None else (known[n],) for n in names]
    for values in itertools.product(*domains):
        world = dict(zip(names, values, strict=True))
        if all(holds(axiom, world) for axiom in charter["vocabulary"]["axioms"]):
            yield world


def holds(condition: Mapping[str, Any], world: Mapping[str, Any]) -> bool:
    """Whether a condition is true of a full assignment."""
    if "all" in condition:
        return all(holds(part, world) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, world) for part in condition["any"])
    if "not" in condition:
        return not holds(condition["not"], world)
    if not condition:
        return True
    value = world[condition["fact"]]
    # Instants stand in one spelling, whose order as text is their order in time.
    if "at_least" in condition:
        return bool(value >= condition["at_least"])
    if "at_most" in condition:
        return bool(value <= condition["at_most"])
    return value in condition.get("in", [condition.get("eq")])


def known_values(charter: Mapping[str, Any], situation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a situation makes known, of the facts a charter has."""
    declared = {fact["name"]: fact for fact in charter["vocabulary"]["facts"]}
    derived = {f"flow.{label}": value for label, value in situation["flow"].items()}
    derived |= _grant_values(situation)
    place = places(charter, situation)
    if isinstance(place, tuple) and len(set(place)) == 1 and place[0] in (*POLITIES, "R"):
        derived["jurisdiction"] = place[0]
    values = {**derived, **{n: _read(v, declared.get(n)) for n, v in situation["facts"].items()}}
    return {name: value for name, value in values.items() if name in declared}


def places(
    charter: Mapping[str, Any], situation: Mapping[str, Any]
) -> tuple[str, ...] | str | None:
    """Return the polities a situation lies under; `unknown`, or None for all."""
    told = situation["jurisdiction"]
    if told is None or isinstance(told, str):
        return told if told in (None, "unknown") else (told,)
    if isinstance(told, dict):
        basis = charter["jurisdiction_basis"] or list(told)
        told = [told[who] for who in basis]
    return tuple(sorted(set(told)))


def covers(act: str, general: str) -> bool:
    """Whether `act` is a kind of `general`."""
    return act == general or any(covers(above, general) for above in ACTS.get(act, ()))


def _norm(
    rng: random.Random, name: str, facts: list[str], layers: tuple[str, ...], waive: bool
) -> dict[str, Any]:
    kind, layer = rng.choice(KINDS), rng.choice(layers)
    others = [f"{prefix}{i}" for prefix in "sn" for i in range(5)]
    body: dict[str, Any] = {
        "id": name, "kind": kind, "layer": layer,
        "authority": rng.choice(POLITIES if layer == "polity" else ("one", "two")),
        "tier": rng.choice(("constitutional", "revisable")),
        "act": rng.choice(REQUESTS),
        "condition": _condition(rng, facts, 2),
        "severity": rng.randint(1, 5),
        "on_unknown": rng.choice(("ask", "deny", *(("allow",) * waive))),
        "status": rng.choice((*("in_force",) * 8, "demonstration", "suspended")),
        "statement": {"en": name},
    }  # fmt: skip
    maybe: dict[str, Any] = {
        "overridable_by": [rng.choice(LAYERS)],
        "supersedes": [rng.choice(others) + rng.choice(("", "@1"))],
        "counterparty": rng.sample(PARTIES, rng.randint(1, 3)),
        "bearer": {
            "actor": rng.sample(ACTORS, rng.randint(2, 4)),
            "actor_sensitivity": rng.choice(
                ("invariant", "human_only", "agent_only", "agent_stricter")
            ),
            "personal": rng.random() < 0.3,
        },
        "valid_from": rng.choice(DAYS),
        "valid_to": rng.choice(DAYS),
        "scope": {"channels": [rng.choice(("output", "action"))]},
    }
    likely = {"bearer": 0.3, "scope": 0.15, "valid_from": 0.12, "valid_to": 0.12}
    body |= {k: v for k, v in maybe.items() if rng.random() < likely.get(k, 0.2)}
    body.setdefault("bearer", {"actor": list(ACTORS)})
    body.setdefault("scope", {"channels": ["output", "action"]})
    if kind in ("prohibition", "obligation") and rng.random() < 0.2:
        body["reparation"] = [rng.choice(others)]
    if kind == "obligation" and rng.random() < 0.3:
        body["deadline"] = rng.choice(("PT0S", "PT1H", "P1M"))
    if kind == "obligation" and rng.random() < 0.3:
        body["maintain"] = _condition(rng, facts, 1)
    return body


def _condition(rng: random.Random, facts: list[str], depth: int) -> dict[str, Any]:
    shape = rng.random()
    if depth and shape < 0.25:
        key = rng.choice(("all", "any"))
        return {key: [_condition(rng, facts, depth - 1) for _ in range(rng.randint(1, 2))]}
    if depth and shape < 0.4:
        return {"not": _condition(rng, facts, depth - 1)}
    return {} if shape < 0.6 else _atom(rng, rng.choice(facts))


def _atom(rng: random.Random, fact: str) -> dict[str, Any]:
    if fact == "t":
        return {"fact": fact, rng.choice(("at_least", "at_most")): rng.choice((EARLY, LATE))}
    if fact in ("n", "grant.depth"):
        return {"fact": fact, rng.choice(("at_least", "at_most", "eq")): rng.choice(DOMAINS[fact])}
    if rng.random() < 0.2:
        values = DOMAINS[fact]
        return {"fact": fact, "in": rng.sample(values, rng.randint(1, len(values)))}
    return {"fact": fact, "eq": rng.choice(DOMAINS[fact])}


def _axioms(rng: random.Random, facts: list[str]) -> list[dict[str, Any]]:
    """None mostly; else that one value of a fact rules out one of another, once or twice."""
    if rng.random() < 0.6:
        return []
    found = []
    for _ in range(rng.randint(1, 2)):
        pair = [{"fact": f, "eq": rng.choice(DOMAINS[f])} for f in rng.sample(facts, 2) if f != "t"]
        found.append({"not": {"all": pair}})
    return [axiom for axiom in found if len(axiom["not"]["all"]) == 2]


def _situation(rng: random.Random, names: list[str], *, complete: bool) -> dict[str, Any]:
    def known(share: float) -> bool:
        return complete or rng.random() < share

    facts: dict[str, Any] = {}
    for name in [n for n in FREE if n in names]:
        value = rng.choice(DOMAINS[name])
        if known(0.6):
            facts[name] = _reading(rng, name, value, complete=complete)
        elif rng.random() < 0.3:
            facts[name] = None
    grants = _grants(rng) if rng.random() < 0.5 else []
    told: Any = rng.choice(
        (None, None, None, ["P"], ["Q"], ["P", "Q"], ["P", "Q"], ["R"], [],
         {"user": "P", "server": "Q"}, {"user": "R", "server": "P", "deployer": "Q"})
    )  # fmt: skip
    if not known(0.75):
        told = "unknown"
    if "jurisdiction" in names and told in (None, [], ["P", "Q"]) and known(0.5):
        facts["jurisdiction"] = rng.choice(DOMAINS["jurisdiction"])
    elif complete and "jurisdiction" in names and isinstance(told, dict):
        told = ["P"]
    when = rng.choice([*DAYS, *(f"{day}T{hour}:30:00" for day in DAYS for hour in ("01", "13")),
                       "2026-02-11T23:30:00-03:00"])  # fmt: skip
    return {
        "act": rng.choice(REQUESTS),
        "facts": facts,
        "feasible": [*rng.sample(REQUESTS, rng.randint(0, 2)), "decline"],
        "bearer": rng.choice(ACTORS),
        "counterparty": rng.choice(PARTIES) if known(0.7) else None,
        "channel": rng.choice(("output", "action")),
        "time": when if complete or rng.random() < 0.6 else None,
        "jurisdiction": told,
        "grants": grants,
        "flow": {"conf": rng.choice(DOMAINS["flow.conf"])} if known(0.6) else {},
    }


def _reading(rng: random.Random, name: str, value: Any, *, complete: bool) -> Any:
    shape = rng.random()
    if shape < 0.6:
        return value
    origin = rng.choice(("declared", "extractor", "human"))
    if name == "c" and shape < 0.9:
        sure = rng.choice((0.8, 0.95) if complete else (0.5, 0.8, 0.95))
        return {"value": value, "origin": "classifier", "confidence": sure}
    if not complete and shape > 0.9:
        return {"value": value, "origin": "classifier", "confidence": 0.9}
    return {"value": value, "origin": origin}


def _grants(rng: random.Random) -> list[dict[str, Any]]:
    names = ["ana", "bot", "helper", "tool"]
    chain = []
    for number in range(rng.randint(1, 3)):
        grant: dict[str, Any] = {
            "grantor": names[number], "grantee": names[number + 1],
            "grantor_is": rng.choice(("human", "deployer") if number == 0 and rng.random() < 0.8
                                     else ("assistant", "agent")),
            "acts": rng.sample(REQUESTS, rng.randint(1, 3)),
            "revoked": rng.random() < 0.15,
            "redelegable": rng.random() < 0.8,
        }  # fmt: skip
        if rng.random() < 0.1:
            grant["grantor"] = "stranger"
        if rng.random() < 0.3:
            grant["expires"] = rng.choice(("2026-01-31T00:00:00Z", "2026-03-01T00:00:00Z"))
        chain.append(grant)
    return chain


def _grant_values(situation: Mapping[str, Any]) -> dict[str, Any]:
    chain = situation["grants"]
    told = any(name.startswith("grant.") for name in situation["facts"])
    if not chain and told:
        return {}
    act = situation["act"]
    joined = all(
        one["grantee"] == then["grantor"] and one["redelegable"]
        for one, then in itertools.pairwise(chain)
    )
    ends = sorted(grant["expires"] for grant in chain if "expires" in grant)
    when = situation["time"]
    # Grants end weeks away from the days of situations, so that the day alone tells.
    expired = False if not ends else None if when is None else ends[0][:10] <= when[:10]
    return {
        "grant.given": bool(chain),
        "grant.covers": bool(chain)
        and all(any(covers(act, general) for general in g["acts"]) for g in chain),
        "grant.depth": len(chain),
        "grant.human_root": bool(chain) and chain[0]["grantor_is"] in ("human", "deployer"),
        "grant.expired": expired,
        "grant.revoked": any(g["revoked"] for g in chain),
        "grant.connected": bool(chain) and joined,
    }


def _read(value: Any, fact: Mapping[str, Any] | None) -> Any:
    if not isinstance(value, dict):
        return value
    least = (fact or {}).get("min_confidence")
    sure = value.get("confidence")
    if value["origin"] == "classifier" and (least is None or sure is None):
        return None
    return None if least is not None and sure is not None and sure < least else value["value"]


def _places(charter: Mapping[str, Any], situation: Mapping[str, Any]) -> Iterator[Any]:
    if situation["jurisdiction"] != "unknown":
        yield situation["jurisdiction"]
        return
    for size in range(len(POLITIES) + 1):
        for chosen in itertools.combinations(POLITIES, size):
            yield list(chosen)


def large(count: int = 1000) -> dict[str, Any]:
    """Return a charter of many norms over 100 acts and 40 facts, an eighth of them duties now."""
    kinds = ("prohibition", "permission", "guarantee", "obligation")
    layers = ("global", "polity", "organisation")
    norms = [
        {
            "id": f"n{i}", "kind": kinds[i % 4], "layer": layers[i % 3], "authority": layers[i % 3],
            "tier": "constitutional" if i % 3 == 0 else "revisable", "act": f"act{i % 100}",
            "deadline": "P1D" if i % 8 == 3 else None, "status": "in_force",
            "statement": {"en": f"n{i}"},
            "condition": {"all": [{"fact": f"f{i % 40}", "eq": True},
                                  {"not": {"fact": f"f{(i * 7 + 1) % 40}", "eq": True}}]},
        }
        for i in range(count)
    ]  # fmt: skip
    acts = [{"name": name} for name in (*(f"act{i}" for i in range(100)), "decline")]
    facts = [{"name": f"f{i}", "type": "bool"} for i in range(40)]
    return {
        "id": "large", "version": 1, "languages": ["en"], "process": "large", "kind": "human",
        "vocabulary": {"acts": acts, "facts": facts}, "norms": norms,
    }  # fmt: skip


def large_situations(count: int = 400) -> list[dict[str, Any]]:
    """Return situations for a large charter, all of their facts known."""
    return [
        {"act": f"act{i % 100}", "facts": {f"f{j}": (i * j) % 3 == 0 for j in range(40)}}
        for i in range(count)
    ]
