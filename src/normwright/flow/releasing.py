"""Decide a release on a folder of evidence, outside any project; sign the criteria and the verdict.

A history beside the criteria holds every text that was signed, in order. It says what they were
before the evidence, as far as one believes the signers' clocks, and each entry names the one
before, so that none can be taken out of the middle.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from normwright.flow.permits import permit_in
from normwright.flow.signing import Hand
from normwright.flow.statements import Draft, criteria_draft, printable, told_of
from normwright.records import (
    Adjudication,
    Digest,
    Fault,
    InputError,
    Permit,
    Verdict,
    Watch,
    WatchedRate,
    digest_bytes,
    utc,
)
from normwright.store import (
    PAYLOAD_TYPE,
    KeyHome,
    PublicKey,
    SignedStatement,
    envelope_of,
    passphrase_of_environment,
    sign_statement,
    signed_by,
    write_whole,
)

if TYPE_CHECKING:
    from normwright.release import Criteria, Filed, Folder, Number, Said

HISTORY = ".signed.jsonl"
"""What the history beside a file of criteria is called, after the file's own name."""

_LARGEST = 1 << 26


@dataclass(frozen=True)
class Version:
    """One signed text of the criteria."""

    text: str
    at: str
    """When it was signed, in UTC, by the signer's word."""
    keys: tuple[str, ...]
    """Names of the keys that count here among those that signed it."""


@dataclass(frozen=True)
class Asked:
    """One criterion of the file that flags need people for, and the fewest labels."""

    criterion: str
    labels: Adjudication


@dataclass(frozen=True)
class Decided:
    """A verdict on a folder of evidence, and what it took."""

    verdict: Verdict
    criteria: Criteria
    candidate: str
    permit: Permit | None
    signed: tuple[str, ...]
    """Names of the keys that signed the criteria as they lie there, and count here."""
    notes: tuple[Said, ...]
    files: dict[str, Digest] = field(default_factory=dict)
    """Digest of the criteria and of every file of evidence, by name."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """How it was asked to decide, so that it can be decided again."""
    queue: tuple[Asked, ...] = ()


def decided(
    criteria_file: Path,
    evidence: Path,
    *,
    now: datetime,
    modes: Sequence[str] = (),
    model: str | None = None,
    require_signature: bool = False,
    home: KeyHome | None = None,
    project: Path | None = None,
    ledger: Sequence[Digest] | None = None,
) -> Decided:
    """Return the verdict by a file of criteria on a folder of evidence.

    Who tried more candidates than the criteria say divides the error by too few. Where the evidence
    is of a project, the ledger of its runs is asked as well; see `candidates_in`.

    Args:
        criteria_file: what must hold.
        evidence: rows, runs and a permit.
        now: when it is decided.
        modes: only these modes; empty: all of the file.
        model: which of several candidates is decided about.
        require_signature: whether modes beyond internal use hold unless the criteria are signed.
        home: whose keys count; None: those of this machine.
        project: whose ledger is asked; None: that of the project the evidence lies in, if any.
        ledger: the candidates that a ledger was found to show before; none is asked then.

    Raises:
        InputError: with every fault of both.
    """
    from normwright.release import Expected, decide, file_rows

    criteria, text, folder = _read(criteria_file, evidence)
    _check_modes(criteria, modes, criteria_file)
    home = KeyHome.here() if home is None else home
    permit, notes = _permit(folder, home)
    filed = file_rows(folder.rows, criteria, model=model, runs=folder.runs)
    history = _history(criteria_file, home)
    signed = next((v.keys for v in reversed(history) if v.text == text), ())
    notes = [*notes, *_notes(filed.others, signed), *filed.notes]
    expected = Expected(
        charter=criteria.charter or (permit.charter if permit else None),
        since=criteria.registered_at,
        made=criteria.made_at,
        until=utc(now),
        guard=criteria.guard,
        evalsets=criteria.evalsets,
        used=filed.used,
        fresh=criteria.fresh,
        judges={judge.name: judge.record.digest for judge in criteria.judges},
    )
    if ledger is None:
        place = project_around(evidence) if project is None else project
        ledger = None if place is None else candidates_in(place, criteria)
    tried = _tried(ledger, filed)
    if tried is not None:
        notes.append(_said("note.ledger", tried=_count(tried)))
    invalid = [*_undercounted(criteria, tried), *_weakened(criteria, text, history, folder, now)]
    needed = (require_signature or criteria.require_signature) and not signed
    verdict = decide(
        _only(criteria, modes),
        measurements=filed.measurements,
        contrasts=(),
        permit=permit,
        judges=[judge.record for judge in criteria.judges],
        model_digest=filed.weights or filed.candidate,
        digests={filed.role: filed.weights} if filed.weights else {},
        runs=filed.runs,
        invalid=invalid,
        holding=[("signature", _said("signature.none"))] if needed else (),
        expected=expected,
        decided_at=utc(now),
    )
    files = {criteria_file.name: digest_bytes(criteria_file.read_bytes()), **folder.files}
    asked = {
        "model": model, "require_signature": require_signature,
        "ledger": None if ledger is None else list(ledger),
    }  # fmt: skip
    return Decided(
        verdict, criteria, filed.candidate, permit, signed, tuple(notes), files, asked,
        _queue(verdict),
    )  # fmt: skip


def _read(criteria_file: Path, evidence: Path) -> tuple[Criteria, str, Folder]:
    """The criteria, their text and the evidence; the faults of both at once."""
    from normwright.release import criteria_in, criteria_text, read_folder

    faults: list[Fault] = []
    folder: Folder | None = None
    languages: tuple[str, ...] = ("en",)
    try:
        folder = read_folder(evidence)
        languages = folder.languages
    except InputError as error:
        faults += error.faults
    try:
        text = criteria_text(criteria_file)
        criteria = criteria_in(text, where=str(criteria_file), languages=languages)
    except InputError as error:
        raise InputError([*error.faults, *faults]) from error
    if folder is None:
        raise InputError(faults)
    return criteria, text, folder


def _check_modes(criteria: Criteria, modes: Sequence[str], file: Path) -> None:
    known = [mode.name for mode in criteria.modes]
    if faults := [
        Fault(where="--mode", expected=f"one of {', '.join(known)}", seen=mode,
              do=f"Those are the modes of {file}.")
        for mode in modes
        if mode not in known
    ]:  # fmt: skip
        raise InputError(faults)


def _only(criteria: Criteria, modes: Sequence[str]) -> Criteria:
    from dataclasses import replace

    if not modes:
        return criteria
    return replace(criteria, modes=tuple(m for m in criteria.modes if m.name in modes))


def _said(key: str, **values: Any) -> Said:
    from normwright.release import Said

    return Said(key, values)


def _notes(others: Sequence[str], signed: Sequence[str]) -> list[Said]:
    notes = [] if signed else [_said("note.unsigned")]
    return notes + ([_said("note.others", names=", ".join(others))] if others else [])


def _queue(verdict: Verdict) -> tuple[Asked, ...]:
    """What people should look at, each once, the fewest labels first."""
    found = {
        result.criterion: Asked(result.criterion, result.labels)
        for mode in verdict.modes
        for result in mode.results
        if result.labels is not None
    }
    return tuple(sorted(found.values(), key=lambda one: (one.labels.ask, one.criterion)))


# The ledger of a project


def project_around(evidence: Path) -> Path | None:
    """Return the project that a folder of evidence lies in, if it has run; else None."""
    from normwright.flow.settings import FILE
    from normwright.flow.stores import has_store

    place = evidence.resolve()
    for each in (place, *place.parents):
        if (each / FILE).is_file():
            return each if has_store(each) else None
    return None


RELEASED = ("aligned", "guarded")
"""What a project calls the model it would release, where the criteria do not say which."""


def candidates_in(project: Path, criteria: Criteria) -> tuple[Digest, ...]:
    """Return the digests of all candidates a project's store has measurements of, sorted.

    A candidate is a model in the place of one that the criteria would release, measured by a metric
    or suite that they ask about. Base models, baselines and controls are none. What was let go by
    `normwright gc` is not there any more and not counted.

    Raises:
        InputError: if the project has no store.
        IntegrityError: if it cannot be read.
    """
    from normwright.flow.stores import open_store
    from normwright.records import Measurement
    from normwright.release import CANDIDATE

    asked = {name for one in criteria for name in (one.suite, one.metric) if name}
    roles = {mode.model for mode in criteria.modes} - {CANDIDATE} or set(RELEASED)
    with open_store(project, create=False) as store:
        bodies = [json.loads(one.json) for one in store.all_stored(Measurement.__name__)]
    return tuple(sorted({
        body["model_digest"]
        for body in bodies
        if body["model"] in roles and asked & {body["suite"], body["metric"]}
    }))  # fmt: skip


def _tried(ledger: Sequence[Digest] | None, filed: Filed) -> int | None:
    """How many candidates a ledger shows with the one decided about, where its weights are known.

    Of one without a digest nobody can tell whether it is among them, so that it is not added.
    """
    if ledger is None:
        return None
    return len({*ledger, *((filed.weights,) if filed.weights else ())})


def _undercounted(criteria: Criteria, tried: int | None) -> list[tuple[str, Said]]:
    """That a ledger shows more candidates than the criteria say, if it does."""
    tested = criteria.candidates_tested
    if tried is None or tried <= tested:
        return []
    told = {"tested": tested, "tried": tried, "more": tried - tested}
    said = _said("invalid.ledger", **{name: _count(value) for name, value in told.items()})
    return [("candidates_tested", said)]


def _count(value: int) -> Number:
    from normwright.release import Number

    return Number(value, "count")


# The permit


def _permit(folder: Folder, home: KeyHome) -> tuple[Permit | None, list[Said]]:
    """The one permit of a folder.

    Raises:
        InputError: if there are two, or one is signed and the signature is not good here.
    """
    found: dict[Digest, tuple[Permit, bool]] = {}
    for where, data in folder.permits:
        permit, signed = permit_in(data, where, home)
        known = found.get(permit.digest, (permit, False))[1]
        found[permit.digest] = (permit, known or signed)
    if len(found) > 1:
        names = ", ".join(where for where, _ in folder.permits)
        raise InputError([Fault(where="permit", expected="one permit", seen=names)])
    for permit, signed in found.values():
        return permit, [] if signed else [_said("note.permit_unsigned")]
    return None, []


# The history of the criteria


def sign_criteria_file(
    criteria_file: Path,
    *,
    now: datetime,
    key: str | None = None,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
) -> tuple[Path, str, bool]:
    """Sign criteria as they lie there; return the history, the key's id, and whether it was new.

    Args:
        criteria_file: what is signed; it has to be sound.
        now: when.
        key: name of one's own key; None: the one that signs runs.
        home: where keys lie; None: this machine's key home.
        passphrase: asked only where the key has one and there is something to sign.

    Raises:
        InputError: with every fault of the file, or if there is no key.
    """
    from normwright.release import criteria_in, criteria_text

    home = KeyHome.here() if home is None else home
    text = criteria_text(criteria_file)
    # The languages are those of the evidence, which is not there yet: any will do to read it.
    criteria = criteria_in(text, where=str(criteria_file), languages=("en", "pt"))
    hand = _hand(home, key, passphrase)
    file, before = _place(criteria_file), _lines(_place(criteria_file))
    for line in before:
        (one, *_) = _statements(line, str(file))
        if _text_of(one) == text and any(
            s.keyid == hand.keyid for s in _statements(line, str(file))
        ):
            return file, hand.keyid, False
    draft = criteria_draft(
        criteria_file.name,
        digest_bytes(criteria_file.read_bytes()),
        ((one.id, one.digest) for one in criteria),
    )
    previous = digest_bytes(before[-1].encode()) if before else None
    more = {"text": text, "at": utc(now), "previous": previous}
    told = Draft("criteria", draft.subject, {**draft.predicate, **more}).statement(None)
    signed = sign_statement(told, kind="criteria", signer=hand.open())
    line = json.dumps(json.loads(envelope_of([signed])))
    write_whole(file, "".join(f"{one}\n" for one in (*before, line)).encode())
    return file, hand.keyid, True


def _place(criteria_file: Path) -> Path:
    return criteria_file.with_name(criteria_file.name + HISTORY)


def _hand(home: KeyHome, key: str | None, passphrase: Callable[[], str | None]) -> Hand:
    name = home.signing() if key is None else key
    if name is None:
        do = "Make one: normwright keys create; or name one of yours with --key."
        expected = "a key to sign with"
        raise InputError([Fault(where=str(home.directory), expected=expected, seen="none", do=do)])
    return Hand(home, name, passphrase)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        seen = type(error).__name__
        raise InputError([Fault(where=str(file), expected="signed criteria", seen=seen)]) from error
    return [line for line in text.split("\n") if line.strip()]


def _history(criteria_file: Path, home: KeyHome) -> list[Version]:
    """Every signed text of the criteria, in order.

    Raises:
        InputError: if a signature does not fit, or the chain has a gap: somebody changed it.
    """
    file, previous, found = _place(criteria_file), None, []
    known: Mapping[str, PublicKey] | None = None
    for number, line in enumerate(_lines(file), 1):
        where = f"{file}:{number}"
        known = home.known() if known is None else known
        statements = _statements(line, where)
        body = _body(statements[0], where)
        if body.get("previous") != previous:
            do = "An entry was taken out or put in; get the history from whoever signed it."
            raise _broken(where, f"an entry that follows {previous or 'none'}", "another", do)
        keys = [known[s.keyid].name for s in statements if _good(s, known, where)]
        previous = digest_bytes(line.encode())
        found.append(Version(str(body["text"]), str(body["at"]), tuple(keys)))
    return found


def _good(one: SignedStatement, known: Mapping[str, PublicKey], where: str) -> bool:
    """Whether a signature is by a key that counts here; one that should fit and does not is no."""
    key = known.get(one.keyid)
    if key is not None and not signed_by(one, key):
        raise _broken(where, f"a signature by {key.name} over this text", "one that does not fit")
    return key is not None


def _statements(line: str, where: str) -> list[SignedStatement]:
    """The signed statements of an envelope, unchecked."""
    try:
        if len(line) > _LARGEST:
            raise ValueError("a file that is too large")
        body: Any = json.loads(line)
        if body["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"payload type {body['payloadType']!r}")
        payload = base64.b64decode(body["payload"], validate=True)
        kind = told_of(payload.decode()).kind or ""
        found = [
            SignedStatement(
                digest_bytes(payload), str(s["keyid"]), kind, payload.decode(), str(s["sig"])
            )
            for s in body["signatures"]
        ]  # fmt: skip
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        seen = printable(str(error))[:200] or "none"
        raise _broken(where, "a signed envelope", seen) from error
    if not found:
        do = "Sign it: make a key with `normwright keys create` and decide again."
        raise _broken(where, "a signature", "none", do)
    return found


def _body(one: SignedStatement, where: str) -> dict[str, Any]:
    """The predicate of a signed text of criteria."""
    told = told_of(one.statement)
    predicate = json.loads(one.statement)["predicate"] if told.kind == "criteria" else {}
    text, at = predicate.get("text"), predicate.get("at")
    if not isinstance(text, str) or not isinstance(at, str):
        raise _broken(where, "a signed text of criteria", told.kind or "no statement of ours")
    return dict(predicate)


def _text_of(one: SignedStatement) -> str | None:
    try:
        text = json.loads(one.statement)["predicate"].get("text")
        return text if isinstance(text, str) else None
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _broken(where: str, expected: str, seen: str, do: str = "") -> InputError:
    return InputError([Fault(where=where, expected=expected, seen=seen, do=do)])


def _weakened(
    criteria: Criteria, text: str, history: Sequence[Version], folder: Folder, now: datetime
) -> list[tuple[str, Said]]:
    """That the criteria ask less than before, if that was after there was evidence."""
    from normwright.release import criteria_in, every_language, in_words, weaker

    changed = next((v.at for v in history if v.keys and v.text == text), utc(now))
    there = any(g.row.time is None or g.row.time <= changed for g in folder.rows)
    if not there:
        return []
    said: list[Said] = []
    for version in history:
        if version.keys and version.text != text and version.at <= changed:
            try:
                before = criteria_in(version.text, where="history", languages=criteria.languages)
            except InputError:
                continue  # by an older form of this file, which cannot be compared
            said += weaker(before, criteria)
    if not said:
        return []
    told = [in_words((one,), every_language()) for one in said]
    changes = {
        lang: "; ".join(dict.fromkeys(one[lang] for one in told)) for lang in every_language()
    }
    return [("criteria", _said("invalid.weakened", changes=changes))]


# The signed verdict


def write_verdict(
    found: Decided,
    out: Path,
    *,
    home: KeyHome | None = None,
    passphrase: Callable[[], str | None] = passphrase_of_environment,
) -> tuple[str, ...]:
    """Write a verdict as a signed statement; return the ids of the keys that signed it.

    Without a key on this machine it is written unsigned, which `verified` says.
    """
    home = KeyHome.here() if home is None else home
    verdict = found.verdict
    files = tuple(sorted(found.files.items()))
    predicate = {
        "modes": {mode.mode: mode.verdict for mode in verdict.modes},
        "candidate": found.candidate,
        "asked": dict(found.asked),
        "criteria": {"file": next(iter(found.files)), "signed": list(found.signed)},
        "verdict": verdict.model_dump(mode="json"),
    }
    told = Draft("verdict", (("Verdict", verdict.digest), *files), predicate).statement(None)
    name = home.signing()
    if name is None:
        body = {"payload": base64.b64encode(told.encode()).decode(), "payloadType": PAYLOAD_TYPE}
        data = (json.dumps(body | {"signatures": []}, indent=1) + "\n").encode()
        keys: tuple[str, ...] = ()
    else:
        hand = Hand(home, name, passphrase)
        data = envelope_of([sign_statement(told, kind="verdict", signer=hand.open())])
        keys = (hand.keyid,)
    try:
        write_whole(out, data)
    except OSError as error:
        seen = error.strerror or str(error)
        raise InputError([Fault(where=str(out), expected="a file to write", seen=seen)]) from error
    return keys


@dataclass(frozen=True)
class Checked:
    """What came of checking a signed verdict."""

    verdict: Verdict
    signers: tuple[str, ...]
    """Names of the keys that signed it and count here."""
    files: tuple[str, ...]
    """Files that are what they were."""
    again: bool
    """Whether it was decided again and came out the same."""


def verified(
    file: Path,
    *,
    criteria_file: Path | None = None,
    evidence: Path | None = None,
    home: KeyHome | None = None,
) -> Checked:
    """Check a signed verdict without any network: signatures, digests, and the decision itself.

    Where the criteria and the evidence are at hand, every file has to be the one it was decided on,
    and deciding again has to give the same verdict.

    Args:
        file: what `write_verdict` wrote.
        criteria_file: the criteria; None: not looked at.
        evidence: the folder of evidence; None: not looked at.
        home: whose keys count; None: those of this machine.

    Raises:
        InputError: with everything that is wrong with it.
    """
    home = KeyHome.here() if home is None else home
    where = str(file)
    try:
        text = file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        seen = getattr(error, "strerror", None) or type(error).__name__
        raise _broken(where, "a signed verdict", str(seen)) from error
    statements = _statements(text, where)
    verdict, subject, predicate = _verdict_in(statements[0], where)
    faults: list[Fault] = []
    known, signers = home.known(), []
    for one in statements:
        key = known.get(one.keyid)
        if key is None:
            do = "If you know who that is: normwright keys trust FILE --name NAME"
            seen = f"an unknown signer, key id {printable(one.keyid)}"
            expected = "a signer whose key is trusted here"
            faults.append(Fault(where=f"{where}: signature", expected=expected, seen=seen, do=do))
        elif not signed_by(one, key):
            seen = "a signature that does not fit"
            expected = f"a signature by {key.name} over this verdict"
            faults.append(Fault(where=f"{where}: signature", expected=expected, seen=seen))
        else:
            signers.append(key.name)
    looked, wrong = _look(subject, predicate, criteria_file, evidence)
    faults += wrong
    again = False
    if criteria_file is not None and evidence is not None and not faults:
        faults += _again(verdict, predicate, criteria_file, evidence, home)
        again = not faults
    if faults:
        raise InputError(faults)
    return Checked(verdict, tuple(signers), looked, again)


def _verdict_in(
    one: SignedStatement, where: str
) -> tuple[Verdict, dict[str, Digest], dict[str, Any]]:
    """The verdict that a statement holds, which has to be the one it is about."""
    told = told_of(one.statement)
    if told.kind != "verdict" or not told.subject:
        raise _broken(where, "a statement about a verdict", told.kind or "no statement of ours")
    predicate = json.loads(one.statement)["predicate"]
    try:
        verdict = Verdict.model_validate(predicate["verdict"])
    except (ValidationError, LookupError, TypeError) as error:
        seen = " ".join(str(error).split())[:200]
        raise _broken(where, "a verdict", seen) from error
    name, digest = told.subject[0]
    if name != "Verdict" or digest != verdict.digest:
        raise _broken(f"{where}: verdict", printable(digest), f"another: {verdict.digest}")
    return verdict, dict(told.subject[1:]), predicate


def _look(
    subject: Mapping[str, Digest],
    predicate: Mapping[str, Any],
    criteria_file: Path | None,
    evidence: Path | None,
) -> tuple[tuple[str, ...], list[Fault]]:
    """Compare files with those that a verdict is about."""
    asked = predicate.get("criteria")
    name = str(asked.get("file")) if isinstance(asked, dict) else ""
    places: dict[str, Path] = {}
    if criteria_file is not None:
        places[name] = criteria_file
    for each in subject if evidence is not None else ():
        if each != name and evidence is not None and Path(each).name == each:
            places[each] = evidence / each
    faults, looked = [], []
    for each, path in places.items():
        try:
            seen = digest_bytes(path.read_bytes())
        except OSError as error:
            seen = error.strerror or "no file"
        if seen == subject.get(each):
            looked.append(each)
        else:
            expected = subject.get(each, "a file that the verdict is about")
            faults.append(Fault(where=str(path), expected=expected, seen=seen))
    return tuple(looked), faults


def _again(
    verdict: Verdict,
    predicate: Mapping[str, Any],
    criteria_file: Path,
    evidence: Path,
    home: KeyHome,
) -> list[Fault]:
    """Decide again as it was decided, and compare."""
    asked = predicate.get("asked")
    asked = asked if isinstance(asked, dict) else {}
    ledger = asked.get("ledger")
    try:
        again = decided(
            criteria_file,
            evidence,
            now=datetime.fromisoformat(verdict.decided_at),
            modes=[mode.mode for mode in verdict.modes],
            model=asked.get("model"),
            require_signature=asked.get("require_signature") is True,
            home=home,
            # The project may be elsewhere and go on; what its ledger showed was signed.
            ledger=[str(one) for one in ledger] if isinstance(ledger, list) else (),
        ).verdict
    except ValueError as error:
        return [Fault(where="decided again", expected="a time", seen=str(error))]
    before = {mode.mode: mode.verdict for mode in verdict.modes}
    after = {mode.mode: mode.verdict for mode in again.modes}
    if before == after and verdict.digest == again.digest:
        return []
    seen = json.dumps(after) if before != after else again.digest
    expected = json.dumps(before) if before != after else verdict.digest
    return [Fault(where="decided again", expected=expected, seen=seen)]


def watch_of(found: Decided) -> Watch:
    """Return what is to be watched after release: each blocking limit on a rate, and the verdict.

    How often the guard intervenes, what requests score and what may be withdrawn is not in the
    evidence; whoever knows it adds it, and until then it is not watched, and said to be so.
    """
    modes = {mode.mode: mode.verdict for mode in found.verdict.modes}
    asked = {mode.name: mode.requires for mode in found.criteria.modes}
    rates = tuple(
        WatchedRate(
            id=one.id, limit=one.limit, norm=one.norm or "", statement=one.statement,
            modes=tuple(m for m in modes if one.group in asked.get(m, ())),
        )
        for one in found.criteria
        if one.kind == "rate_upper" and one.on_fail == "block" and 0 < one.limit < 1
    )  # fmt: skip
    return Watch.model_validate(
        {
            "at": found.verdict.decided_at,
            "modes": modes,
            "criteria": tuple(rate for rate in rates if rate.modes),
            "alpha": found.criteria.alpha,
            "derived_from": (found.verdict.digest,),
        }
    )


def today() -> datetime:
    """Return the moment by this machine's clock."""
    return datetime.now(UTC)
