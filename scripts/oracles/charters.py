"""Decide random charters by a logic program of their own: writes tests/norms/oracles.

    python -m scripts.oracles.charters

The rules of resolution, written as an answer set program and run by clingo. Nothing of the package
is used: what is handed to the program is the text of norms and situations as facts, with instants
as seconds, days as numbers in the authority's time zone, and every assignment of the charter's four
facts for the proofs of what is more specific and what can never hold.

Covered: layers and tiers, express supersession, repeal, overriding, floors, guarantees, computed
specificity under axioms, other authorities, exemptions, obligations with deadlines and what
maintains them, reparations that sleep, actors, sensitivity, personal norms and chains of grants,
counterparties, channels, validity in zones, polities by basis, readings with confidence, labels of
data, times, the leximax order of acts and all seven verdicts. Where facts, counterparty or polity
are unknown, the program decides every completion. Not covered: which unknown facts are named,
governing and defeated norms beyond those that the request breaks, what is owed after a breach.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scripts import random_charters as draw

FIXTURE = Path(__file__).resolve().parents[2] / "tests" / "norms" / "oracles" / "clingo.json.gz"
COMPLETE, PARTIAL = 600, 250
"""How many charters are asked a situation in which all is known, and one in which it is not."""

PROGRAM = """
below(A,A) :- act(A).
below(A,C) :- is_a(A,B), below(B,C).
rank(N,2*L+T) :- layer(N,L), tier(N,T).
restrictive(N) :- kind(N,(prohibition;obligation)).
exception(N) :- kind(N,(permission;guarantee;exemption)).

% What is known. A reading that is not sure enough says nothing.
unsure(F) :- confidence(F,C), least(F,L), C < L.
unsure(F) :- origin(F,classifier), not least(F,_).
unsure(F) :- origin(F,classifier), not confidence(F,_).
known(F,V) :- read(F,V), declared(F), not unsure(F).
known(F,V) :- label(F,V), declared(F), not read(F,_).
chain :- grant(_).
known("grant.given",t) :- declared("grant.given"), chain.
known("grant.given",f) :- declared("grant.given"), not chain.
known("grant.depth",N) :- declared("grant.depth"), N = #count { I : grant(I) }.
root :- grantor_is(0,(human;deployer)).
known("grant.human_root",t) :- declared("grant.human_root"), root.
known("grant.human_root",f) :- declared("grant.human_root"), not root.
void :- revoked(_).
known("grant.revoked",t) :- declared("grant.revoked"), void.
known("grant.revoked",f) :- declared("grant.revoked"), not void.
over :- expires(I,E), now(T), E <= T.
known("grant.expired",t) :- declared("grant.expired"), not read("grant.expired",_), over.
known("grant.expired",f) :- declared("grant.expired"), not read("grant.expired",_), not over.
cut :- grant(I), grant(I+1), not redelegable(I).
cut :- grantee(I,A), grantor(I+1,B), A != B.
known("grant.connected",t) :- declared("grant.connected"), chain, not cut.
known("grant.connected",f) :- declared("grant.connected"), not chain.
known("grant.connected",f) :- declared("grant.connected"), cut.
counted(W) :- where(W,_), not some_basis.
counted(W) :- where(W,_), basis(W).
some_basis :- basis(_).
under(P) :- where(W,P), counted(W).
under(P) :- told(P).
known("jurisdiction",P) :- declared("jurisdiction"), not read("jurisdiction",_), not everywhere,
    under(P), domain("jurisdiction",P), 1 = #count { Q : under(Q) }.

% Whether the chain covers an act differs from act to act.
uncovered(A) :- act(A), not chain.
uncovered(A) :- act(A), grant(I), not handed(I,A).
handed(I,A) :- granted(I,B), below(A,B).
value(s(A),F,V) :- act(A), known(F,V).
value(s(A),"grant.covers",t) :- act(A), declared("grant.covers"), not uncovered(A).
value(s(A),"grant.covers",f) :- uncovered(A), declared("grant.covers").
point(s(A)) :- act(A).
point(W) :- world(W).

holds(C,W) :- empty(C), point(W).
holds(C,W) :- is(C,F,V), value(W,F,V).
holds(C,W) :- least(C,F,V), value(W,F,X), X >= V.
holds(C,W) :- most(C,F,V), value(W,F,X), X <= V.
holds(C,W) :- every(C), point(W), holds(D,W) : part(C,D).
holds(C,W) :- some(C), part(C,D), holds(D,W).
holds(C,W) :- opposite(C,D), point(W), not holds(D,W).
impossible(W) :- world(W), axiom(C), not holds(C,W).
alive(N) :- condition(N,C), world(W), not impossible(W), holds(C,W).

% Which norms there are.
valid(N) :- status(N,(in_force;demonstration)), not early(N), not late(N).
early(N) :- valid_from(N,D), authority(N,A), today(A,T), T < D.
late(N) :- valid_to(N,D), authority(N,A), today(A,T), T >= D.
repealed(M) :- valid(N), valid(M), N != M, supersedes(N,X), called(M,X), authority(N,A),
    authority(M,A), rank(N,R), rank(M,S), R <= S, not spares(N,M).
spares(N,M) :- norm(N), not restrictive(N), restrictive(M).
standing(N) :- valid(N), alive(N), not repealed(N).
sleeping(O) :- kind(O,obligation), standing(O), standing(E), reparation(E,X), called(O,X),
    authority(E,A), authority(O,A), rank(E,R), rank(O,S), R <= S.

% Whom they bind, where and towards whom.
machine_ok(N,A) :- actor(N,A), sensitivity(N,(invariant;agent_stricter)).
machine_ok(N,deployer) :- actor(N,deployer), sensitivity(N,human_only).
machine_ok(N,A) :- actor(N,A), sensitivity(N,agent_only), A != deployer.
binds(N,A) :- machine_ok(N,A), channel(N,C), asked_channel(C).
holder(N,B) :- bearer(B), binds(N,B).
holder(N,K) :- grantor_is(_,K), binds(N,K), not personal(N), not kind(N,obligation).
here(N) :- layer(N,L), L != 1.
here(N) :- layer(N,1), everywhere.
here(N) :- layer(N,1), authority(N,A), under(A).
towards(N) :- party(N,P), counterparty(P).
applies(N,H) :- standing(N), holder(N,H), here(N), towards(N).
active(N,H,A) :- applies(N,H), condition(N,C), act(A), holds(C,s(A)).

% Which of two prevails.
may_override(P,F) :- layer(P,L), overridable(F,L).
express(P,F) :- exception(P), restrictive(F), supersedes(P,X), called(F,X), not foreign(P,F).
foreign(P,F) :- layer(P,L), layer(F,L), authority(P,A), authority(F,B), A != B.
beats(P,F) :- express(P,F), rank(P,R), rank(F,S), R <= S.
beats(P,F) :- express(P,F), may_override(P,F).
beats(P,F) :- kind(P,guarantee), restrictive(F), rank(P,R), rank(F,S), R < S.
beats(P,F) :- exception(P), restrictive(F), rank(P,R), rank(F,S), R > S, may_override(P,F).
beats(P,F) :- exception(P), restrictive(F), rank(P,R), rank(F,R), authority(P,A), authority(F,A),
    narrower(P,F), not narrower(F,P).
narrower(N,M) :- norm(N), norm(M), about(N,A), about(M,B), below(A,B), not outside(N,M).
outside(N,M) :- condition(N,C), condition(M,D), world(W), not impossible(W), holds(C,W),
    not holds(D,W).

% What each act breaks.
option(A) :- requested(A).
option(A) :- feasible(A).
option(decline).
lifted(A,F,H) :- active(P,H,A), kind(P,(permission;guarantee)), about(P,B), below(A,B), option(A),
    beats(P,F), kind(F,prohibition).
breaks(A,F) :- option(A), kind(F,prohibition), active(F,H,A), about(F,B), below(A,B),
    not lifted(A,F,H).
lapsed(O) :- maintain(O,C), requested(R), not holds(C,s(R)).
owed(O,H) :- kind(O,obligation), about(O,A), active(O,H,A), not lapsed(O), not sleeping(O).
exempt(O,H) :- owed(O,H), about(O,A), kind(X,exemption), about(X,B), below(A,B), active(X,H,B),
    beats(X,O).
shielded(A,O,H) :- owed(O,H), option(A), kind(G,guarantee), about(G,B), below(A,B), active(G,H,A),
    rank(G,R), rank(O,S), R < S.
breaks(A,O) :- owed(O,H), option(A), about(O,B), not below(A,B), not later(O), not exempt(O,H),
    not shielded(A,O,H).
duty(O) :- owed(O,H), not exempt(O,H).

% The order of acts: rank by rank, in a rank the gravest first.
weight(A,R,V,N) :- option(A), R = 0..7, V = 1..5,
    N = #count { X : breaks(A,X), rank(X,R), severity(X,V) }.
place(R,V,8*5-(R*5+(5-V))) :- R = 0..7, V = 1..5.
differ(A,B,P) :- weight(A,R,V,N), weight(B,R,V,M), N != M, place(R,V,P).
first(A,B,P) :- P = #max { Q : differ(A,B,Q) }, differ(A,B,_).
graver(A,B) :- first(A,B,P), place(R,V,P), weight(A,R,V,N), weight(B,R,V,M), N > M.
least_grave(A) :- option(A), not graver(A,B) : option(B).
guilty(A) :- breaks(A,_).
way_out :- option(A), not guilty(A).
alone :- 1 = #count { A : least_grave(A) }.
verdict(allow) :- requested(R), not guilty(R).
verdict(deny) :- requested(R), guilty(R), way_out.
dilemma :- not way_out.
verdict(deny_dilemma) :- dilemma, requested(R), not least_grave(R).
verdict(necessity) :- dilemma, requested(R), least_grave(R), alone.
verdict(dilemma_inaction) :- dilemma, requested(R), least_grave(R), not alone,
    least_grave(decline).
verdict(dilemma_choice) :- dilemma, requested(R), least_grave(R), not alone,
    not least_grave(decline).

#show verdict/1.
#show least_grave/1.
#show duty/1.
#show broken(N) : breaks(R,N), requested(R).
"""


def main() -> None:
    """Draw, decide and write."""
    complete, partial = [], []
    for seed in range(COMPLETE):
        charter = draw.charter(seed)
        situation = draw.situation(seed, charter, complete=True)
        answer = decided(charter, situation)
        complete.append({"charter": charter, "situation": situation, "answer": answer})
    for seed in range(COMPLETE, COMPLETE + PARTIAL):
        charter = draw.charter(seed)
        situation = draw.situation(seed, charter)
        each = draw.completions(charter, situation)
        verdicts = sorted({decided(charter, one)["verdict"] for one in each})
        partial.append({"charter": charter, "situation": situation, "verdicts": verdicts})
    body = {"clingo": version("clingo"), "complete": complete, "partial": partial}
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    packed = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    FIXTURE.write_bytes(gzip.compress(packed, mtime=0))


def decided(charter: Mapping[str, Any], situation: Mapping[str, Any]) -> dict[str, Any]:
    """Return verdict, least grave acts, duties and the norms the request breaks."""
    import clingo  # type: ignore[import-not-found]

    control = clingo.Control(["--warn=none"])
    control.add("base", [], PROGRAM + "\n".join(stated(charter, situation)))
    control.ground([("base", [])])
    found: list[Any] = []
    control.solve(on_model=lambda model: found.append(model.symbols(shown=True)))
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} models; one was expected")
    told: dict[str, list[str]] = {"verdict": [], "least_grave": [], "duty": [], "broken": []}
    for symbol in found[0]:
        argument = symbol.arguments[0]
        told[symbol.name].append(str(argument).strip('"'))
    (verdict,) = told["verdict"]
    return {
        "verdict": verdict.replace("_", "-"),
        "least": sorted(told["least_grave"]),
        "duties": sorted(told["duty"]),
        "broken": sorted(told["broken"]),
    }


def stated(charter: Mapping[str, Any], situation: Mapping[str, Any]) -> Iterator[str]:
    """Yield a charter and a situation as facts of the program."""
    yield from _vocabulary(charter)
    for norm in charter["norms"]:
        yield from _norm(norm)
    yield from _situation(charter, situation)


def _vocabulary(charter: Mapping[str, Any]) -> Iterator[str]:
    words = charter["vocabulary"]
    for act in words["acts"]:
        yield f"act({act['name']})."
        yield from (f"is_a({act['name']},{above})." for above in act["is_a"])
    names = [fact["name"] for fact in words["facts"]]
    for fact in words["facts"]:
        yield f"declared({_term(fact['name'])})."
        if "min_confidence" in fact:
            yield f"least({_term(fact['name'])},{round(100 * fact['min_confidence'])})."
    for name in names:
        yield from (f"domain({_term(name)},{_term(v)})." for v in draw.DOMAINS[name])
    for number, values in enumerate(itertools.product(*(draw.DOMAINS[n] for n in names))):
        yield f"world({number})."
        for name, value in zip(names, values, strict=True):
            yield f"value({number},{_term(name)},{_term(value)})."
    for number, axiom in enumerate(words["axioms"]):
        yield f"axiom(x{number})."
        yield from _condition(f"x{number}", axiom)


def _norm(norm: Mapping[str, Any]) -> Iterator[str]:
    name = _term(norm["id"])
    yield f"norm({name}). called({name},{name}). called({name},{_term(norm['id'] + '@1')})."
    yield f"kind({name},{norm['kind']}). status({name},{norm['status']})."
    yield f"layer({name},{draw.LAYERS.index(norm['layer'])})."
    yield f"tier({name},{int(norm['tier'] == 'revisable')})."
    yield f"authority({name},{_term(norm['authority'])}). about({name},{norm['act']})."
    yield f"severity({name},{norm['severity']})."
    yield from (f"overridable({name},{draw.LAYERS.index(x)})." for x in norm.get(
        "overridable_by", ()))  # fmt: skip
    yield from (f"supersedes({name},{_term(x)})." for x in norm.get("supersedes", ()))
    yield from (f"reparation({name},{_term(x)})." for x in norm.get("reparation", ()))
    yield from (f"party({name},{x})." for x in norm.get("counterparty", draw.PARTIES))
    yield from (f"actor({name},{x})." for x in norm["bearer"]["actor"])
    yield f"sensitivity({name},{norm['bearer'].get('actor_sensitivity', 'invariant')})."
    if norm["bearer"].get("personal"):
        yield f"personal({name})."
    yield from (f"channel({name},{x})." for x in norm["scope"]["channels"])
    for key in ("valid_from", "valid_to"):
        if key in norm:
            yield f"{key}({name},{date.fromisoformat(norm[key]).toordinal()})."
    if norm.get("deadline", "PT0S") != "PT0S":
        yield f"later({name})."
    root = "c" + norm["id"]
    yield f"condition({name},{root})."
    yield from _condition(root, norm["condition"])
    if "maintain" in norm:
        yield f"maintain({name},m{root})."
        yield from _condition(f"m{root}", norm["maintain"])


def _condition(name: str, condition: Mapping[str, Any]) -> Iterator[str]:
    parts: list[Any] = []
    match condition:
        case {"all": parts}:
            yield f"every({name})."
        case {"any": parts}:
            yield f"some({name})."
        case {"not": inner}:
            yield f"opposite({name},{name}_0)."
            yield from _condition(f"{name}_0", inner)
        case {"fact": fact, "at_least": value}:
            yield f"least({name},{_term(fact)},{_term(value)})."
        case {"fact": fact, "at_most": value}:
            yield f"most({name},{_term(fact)},{_term(value)})."
        case {"fact": fact, **asked}:
            wanted = asked["in"] if "in" in asked else [asked["eq"]]
            yield from (f"is({name},{_term(fact)},{_term(value)})." for value in wanted)
        case _:
            yield f"empty({name})."
    for number, part in enumerate(parts):
        yield f"part({name},{name}_{number})."
        yield from _condition(f"{name}_{number}", part)


def _situation(charter: Mapping[str, Any], situation: Mapping[str, Any]) -> Iterator[str]:
    yield f"requested({situation['act']}). bearer({situation['bearer']})."
    yield from (f"feasible({act})." for act in situation["feasible"])
    yield f"asked_channel({situation['channel']}). counterparty({situation['counterparty']})."
    for name, given in situation["facts"].items():
        yield from _reading(_term(name), given)
    yield from (f"label({_term('flow.' + k)},{_term(v)})." for k, v in situation["flow"].items())
    for number, grant in enumerate(situation["grants"]):
        yield from _grant(number, grant)
    told = situation["jurisdiction"]
    if told is None:
        yield "everywhere."
    elif isinstance(told, dict):
        yield from (f"where({who},{_term(place)})." for who, place in told.items())
        yield from (f"basis({who})." for who in charter["jurisdiction_basis"])
    else:
        yield from (f"told({_term(place)})." for place in told)
    if situation["time"] is not None:
        yield from _time(charter, situation["time"])


def _reading(name: str, given: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        yield from () if given is None else (f"read({name},{_term(given)}).",)
        return
    yield f"read({name},{_term(given['value'])}). origin({name},{given['origin']})."
    if "confidence" in given:
        yield f"confidence({name},{round(100 * given['confidence'])})."


def _grant(number: int, grant: Mapping[str, Any]) -> Iterator[str]:
    yield f"grant({number}). grantor({number},{grant['grantor']})."
    yield f"grantee({number},{grant['grantee']}). grantor_is({number},{grant['grantor_is']})."
    yield from (f"granted({number},{act})." for act in grant["acts"])
    yield from (f"{key}({number})." for key in ("revoked", "redelegable") if grant[key])
    if "expires" in grant:
        yield f"expires({number},{_term(grant['expires'])})."


def _time(charter: Mapping[str, Any], told: str) -> Iterator[str]:
    when = datetime.fromisoformat(told)
    moment = when if when.tzinfo else when.replace(tzinfo=UTC)
    yield f"now({int(moment.timestamp())})."
    for authority in ("P", "Q", "one", "two"):
        zone = ZoneInfo(charter["zones"].get(authority, "UTC"))
        day = date.fromisoformat(told) if len(told) == 10 else moment.astimezone(zone).date()
        yield f"today({_term(authority)},{day.toordinal()})."


def _term(value: Any) -> str:
    """A value as a term: truth by a letter, instants in seconds, other text in quotes."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, int):
        return str(value)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        return str(int(datetime.fromisoformat(value).timestamp()))
    return json.dumps(value)


if __name__ == "__main__":
    main()
