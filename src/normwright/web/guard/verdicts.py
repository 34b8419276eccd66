"""`/v1/verdicts/{id}`: a verdict for programs and for people, and what they say against it.

Whoever has the id of a verdict was told it, and it cannot be guessed; so no key is asked for. There
is no text of the conversation in it, because none is kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from normwright.records import (
    Contest,
    ContestGround,
    GuardVerdict,
    InputError,
    PlaceError,
)
from normwright.store import KeptVerdict
from normwright.web.guard.desk import BOOK, Desk, new_id
from normwright.web.guard.explaining import explained
from normwright.web.guard.faults import Refused, as_json
from normwright.web.guard.reading import read_bytes, read_json
from normwright.web.pages import page
from normwright.web.words import shipped, words_for

T = TypeVar("T")

_ID = re.compile(r"vrd_[a-z]{26}")
_LANG = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
    "cache-control": "no-store",
    "vary": "Accept-Language",
}


async def verdict_json(request: Request) -> Response:
    """Return a verdict as it stands in the audit chain, with its place there."""
    kept = await _kept(request)
    desk: Desk = request.app.state.desk
    told = {
        **kept.body,
        "at": kept.at,
        "audit": {"chain": kept.chain, "seq": kept.seq, "digest": kept.digest},
        "url": f"{desk.settings.public_url}/verdicts/{kept.id}",
        "contest": f"{desk.settings.public_url}/v1/verdicts/{kept.id}/contest",
        "contests": await _in_thread(_count_contests, desk, kept.id),
        "parts": await _in_thread(_parts, desk, kept),
    }
    return as_json(told, headers={"cache-control": "no-store"})


async def verdict_page(request: Request) -> Response:
    """Return the page that says why, in the reader's language."""
    try:
        kept = await _kept(request)
    except Refused as refused:
        return _page(request, "missing.html.jinja", None, refused.status)
    return _page(request, "verdict.html.jinja", kept, 200)


async def contest(request: Request) -> Response:
    """Keep what a person says against a verdict, from the page's form or as JSON.

    Raises:
        Refused: if there is no such verdict, or the words are missing, too many, or too late.
    """
    kept = await _kept(request)
    desk: Desk = request.app.state.desk
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    given = await _form(request, desk) if form else await read_json(request, desk.settings.limits)
    made = _contest(desk, kept, given)
    body = made.model_dump(mode="json", exclude_defaults=True)
    try:
        if await _in_thread(_count_contests, desk, kept.id) >= desk.settings.limits.contests:
            raise Refused(429, "contested_enough", "This verdict has been contested enough.")
        at = made.at.isoformat()
        await _in_thread(desk.book.add_contest, made.id, kept.id, at, body)
        # The words stay out of the chain, so that they can be erased and it still verifies.
        desk.chain.append("contest", {"id": made.id, "verdict": kept.id, "contest": made.digest})
    except (PlaceError, OSError) as error:
        desk.troubled(BOOK, error)
        raise Refused(
            503, "not_kept", "It could not be kept just now. Please try again.",
            kind="guard_error", headers={"retry-after": "5"},
        ) from None  # fmt: skip
    if form:
        return RedirectResponse(f"/verdicts/{kept.id}?said=1&lang={made.lang}", status_code=303)
    return as_json({"id": made.id, "verdict": kept.id, "digest": made.digest}, status=201)


async def _kept(request: Request) -> KeptVerdict:
    verdict_id = request.path_params["id"]
    desk: Desk = request.app.state.desk
    found: KeptVerdict | None = None
    if _ID.fullmatch(verdict_id):
        try:
            found = await _in_thread(desk.book.get, verdict_id)
        except PlaceError as error:
            desk.troubled(BOOK, error)
            raise Refused(
                503, "not_readable", "Verdicts cannot be read just now. Please try again.",
                kind="guard_error", headers={"retry-after": "5"},
            ) from None  # fmt: skip
    if found is None:
        raise Refused(404, "verdict_not_found", "There is no verdict of that id.")
    return found


async def _form(request: Request, desk: Desk) -> dict[str, Any]:
    raw = await read_bytes(request, desk.settings.limits)
    try:
        fields = parse_qs(raw.decode("utf-8"), max_num_fields=20)
    except ValueError:
        raise Refused(400, "invalid_request", "The form cannot be read.") from None
    found: dict[str, Any] = {name: values[-1] for name, values in fields.items()}
    return {**found, "public": found.get("public") == "yes"}


def _contest(desk: Desk, kept: KeptVerdict, given: Mapping[str, Any]) -> Contest:
    text, lang = given.get("text"), given.get("lang", "en")
    ground = given.get("ground", "other")
    most = desk.settings.limits.contest_chars
    if not isinstance(text, str) or not text.strip() or len(text) > most:
        raise Refused(400, "invalid_request", f"`text` must be 1 to {most} characters.")
    if not isinstance(lang, str) or not _LANG.fullmatch(lang):
        raise Refused(400, "invalid_request", "`lang` must be a language such as `pt`.")
    if ground not in get_args(ContestGround):
        raise Refused(400, "invalid_request", "`ground` is not known.")
    if not isinstance(given.get("public", False), bool):
        raise Refused(400, "invalid_request", "`public` must be true or false.")
    verdicts = [GuardVerdict.model_validate(v) for v in kept.body["verdicts"]]
    norms = dict.fromkeys(n.ref for v in verdicts for n in v.norms)
    return Contest(
        id=new_id("cnt_"),
        verdict=kept.id,
        norms=tuple(norms),
        policy=verdicts[0].policy if verdicts else desk.held.digest,
        ground=ground,
        text=text.strip(),
        lang=lang,
        public=given.get("public", False),
        at=desk.now(),
    )


def _page(request: Request, template: str, kept: KeptVerdict | None, status: int) -> Response:
    desk: Desk = request.app.state.desk
    wanted = request.query_params.get("lang") or ""
    languages = reading_order(wanted, request.headers.get("accept-language", ""))
    policy, parts = None, None
    if kept is not None:
        try:
            digests = [v.get("policy", "") for v in kept.body["verdicts"]]
            policy = desk.book.policy(digests[0]) if digests else None
            parts = _parts(desk, kept)
        except PlaceError as error:
            desk.troubled(BOOK, error)
    said = request.query_params.get("said") == "1"
    try:
        words = words_for(languages)
    except InputError:
        words = words_for(("en",))
    editions = [explained(kept, policy, w, said=said, parts=parts) for w in words]
    return HTMLResponse(page(template, editions), status, _SAFE)


def reading_order(wanted: str, accepted: str) -> tuple[str, ...]:
    """Return the languages that pages have, the one a reader wants the most first.

    Args:
        wanted: a language that was chosen; "" if none was.
        accepted: the header `Accept-Language`.
    """
    asked: list[tuple[float, str]] = [(2.0, wanted)] if wanted else []
    for part in accepted.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            asked.append((float(weight) if weight else 1.0, tag))
        except ValueError:
            continue
    asked.sort(key=lambda one: -one[0])
    known = shipped()
    first = [tag.partition("-")[0].lower() for _, tag in asked]
    return tuple(dict.fromkeys([*(tag for tag in first if tag in known), "en", *known]))


def _parts(desk: Desk, kept: KeptVerdict) -> dict[str, Any] | None:
    """What decided beside the policy, each by its digest; None where it is not known."""
    named = [v["decided_by"] for v in kept.body["verdicts"] if v.get("decided_by")]
    try:
        return desk.book.policy(named[-1]) if named else None
    except PlaceError:
        return None


def _count_contests(desk: Desk, verdict_id: str) -> int:
    try:
        return len(desk.book.contests(verdict_id))
    except PlaceError:
        return 0


async def _in_thread(work: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
