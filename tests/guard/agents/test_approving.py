"""Whether a call may be made: the charter, the grant, the flow of data, the budgets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.guard.agents import office
from tests.guard.agents.office import NOON, call, grant, guard

from normwright import guard as public
from normwright.guard.agents import Approver, History, Settings, approve, manifest_of
from normwright.records import CallVerdict, InputError, Label


def _verdict(*calls: Any, **settings: Any) -> CallVerdict:
    """The verdict on the last call, after the others were approved and made."""
    desk = guard(**settings)
    for one in calls[:-1]:
        _, ticket = desk.approve(one)
        assert ticket is not None
        desk.execute(ticket, lambda arguments: {"sent": arguments.get("to", [])})
    return desk.approve(calls[-1])[0]


def _cited(verdict: CallVerdict) -> tuple[str, ...]:
    return tuple(one.id for one in verdict.norms)


def test_what_the_grant_and_the_charter_allow_is_allowed() -> None:
    """A call within everything is allowed, and the verdict says for whom, and until when."""
    verdict = _verdict(call("send_mail", to=["bo@office.org"], text="hello"))

    assert (verdict.outcome, verdict.action, verdict.principal) == ("allow", "allow", "ana")
    assert verdict.expires == NOON + timedelta(minutes=5)
    assert verdict.reserves == {"recipients": 1}


def test_the_shorthand_and_the_guard_say_the_same() -> None:
    """`guard.approve` with a chain of grants gives the verdict that a ledger gives."""
    asked = call("send_mail", to=["bo@office.org"], text="hello")
    short = public.approve(
        asked, [grant()], History(), office.policy(), manifest=office.manifest(),
        settings=office.approver().settings,
    )  # fmt: skip

    assert short == _verdict(asked)


def test_a_verdict_holds_no_text_of_the_call() -> None:
    """What stands in the arguments is nowhere in the verdict, only its digest."""
    verdict = _verdict(call("send_mail", to=["secret.name@else.org"], text="a very private word"))

    assert "private" not in verdict.model_dump_json()
    assert "secret.name" not in verdict.model_dump_json()


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_a_refusal_says_why_in_every_language(lang: str) -> None:
    """The reason holds the words of the norm, and how to contest it is said where it is known."""
    verdict = _verdict(call("read_patients"), call("send_mail", to=["x@else.org"], text="t"))
    norm = next(n for n in office.policy().charter.norms if n.id == "g.privacy.no-leak")

    assert norm.statement[lang] in verdict.reasons[lang]


def test_two_calls_that_are_allowed_one_by_one_are_not_together() -> None:
    """To read personal data is allowed and so is to send mail outside; after the one, not."""
    outside = call("send_mail", to=["x@else.org"], text="t")
    after = _verdict(call("read_patients"), outside)

    assert _verdict(call("read_patients")).outcome == "allow"
    assert _verdict(outside).outcome == "allow"
    assert (after.outcome, after.action) == ("deny", "refuse")
    assert _cited(after) == ("g.privacy.no-leak",)


def test_personal_data_may_go_where_they_stay_inside() -> None:
    """The label does not keep data from colleagues."""
    assert (
        _verdict(call("read_patients"), call("send_mail", to=["bo@office.org"])).outcome == "allow"
    )


@pytest.mark.parametrize("to", [
    ["bo@office.org", "x@else.org"], ["bo@office.org.else.org"], ["bo@office.org@else.org"],
    ["x@else.org#@office.org"], ["X@ELSE.ORG"], "x@else.org", ["\uff58@else.org"],
])  # fmt: skip
def test_one_address_outside_is_outside(to: object) -> None:
    """Mail is inside only if every address is, however the others are written."""
    assert _verdict(call("read_patients"), call("send_mail", to=to)).outcome == "deny"


def test_a_flow_without_a_norm_is_denied_all_the_same() -> None:
    """Where a charter says nothing of data that go outside, the grant has to."""
    charter = office.policy().charter
    bare = charter.model_copy(update={
        "norms": tuple(n for n in charter.norms if n.id != "g.privacy.no-leak")
    })  # fmt: skip
    judge = Approver(
        office.policy().model_copy(update={"charter": bare}), office.manifest(),
        settings=office.approver().settings,
    )  # fmt: skip
    after = History(label=Label(conf="personal"))
    outside = call("send_mail", to=["x@else.org"])
    denied = judge.approve(outside, [grant()], after)
    granted = judge.approve(outside, [grant(budget={**office.UNITS, "outflow": 1})], after)

    assert (denied.outcome, denied.check) == ("deny", "flow")
    assert granted.outcome == "allow"


def test_what_cannot_be_undone_is_asked_unless_expressly_granted() -> None:
    """Deleting asks the person at the root; with room for it in the grant it does not."""
    delete = call("delete_file", path="/a")
    asked = guard().approve(delete)[0]
    granted = guard(grant(budget={**office.UNITS, "irreversible": 1})).approve(delete)[0]

    assert (asked.outcome, asked.asks) == ("ask", ("ana",))
    assert (granted.outcome, granted.two_phase) == ("allow", True)


def test_an_answer_counts_for_one_call_and_no_other() -> None:
    """A yes lets exactly this call through, once; another file, or the same again, asks again."""
    desk = guard()
    delete = call("delete_file", path="/a")
    digest = desk.approve(delete)[0].call
    desk.ledger.answer(digest, by="ana", yes=True, at=NOON)
    other, _ = desk.approve(call("delete_file", path="/b"))
    verdict, ticket = desk.approve(delete)
    again, _ = desk.approve(delete)

    assert ticket is not None
    assert (other.outcome, verdict.outcome, again.outcome) == ("ask", "allow", "ask")


def test_the_answer_of_somebody_else_does_not_count() -> None:
    """Rui is a person too, but Ana gave the authority; a no of hers is a no."""
    desk = guard()
    delete = call("delete_file", path="/a")
    digest = desk.approve(delete)[0].call
    desk.ledger.answer(digest, by="rui", yes=True, at=NOON)
    others = desk.approve(delete)[0].outcome
    desk.ledger.answer(digest, by="ana", yes=False, at=NOON)

    assert others == "ask"
    assert desk.approve(delete)[0].outcome == "deny"


def test_a_yes_is_not_for_ever() -> None:
    """An hour later the same call is asked about again; a no still stands."""
    clock = office.Clock()
    desk = guard(clock=clock)
    delete = call("delete_file", path="/a")
    digest = desk.approve(delete)[0].call
    desk.ledger.answer(digest, by="ana", yes=True, at=clock())
    clock.pass_(3600)
    late = desk.approve(delete)[0].outcome
    desk.ledger.answer(digest, by="ana", yes=False, at=clock())
    clock.pass_(36_000)

    assert (late, desk.approve(delete)[0].outcome) == ("ask", "deny")


def test_whoever_speaks_for_the_authority_is_asked() -> None:
    """Where somebody speaks for the norm's authority, whoever gave the grant is not enough."""
    desk = guard(speakers={"world": ("rui",)})
    delete = call("delete_file", path="/a")
    asked = desk.approve(delete)[0]
    desk.ledger.answer(asked.call, by="ana", yes=True, at=NOON)
    still = desk.approve(delete)[0]
    desk.ledger.answer(asked.call, by="rui", yes=True, at=NOON)

    assert (asked.asks, still.outcome) == (("rui",), "ask")
    assert desk.approve(delete)[0].outcome == "allow"


def test_a_tool_that_nobody_described_is_denied() -> None:
    """It could be one that cannot be undone."""
    assert _verdict(call("format_disk")).check == "manifest"


@pytest.mark.parametrize("arguments", [
    {"path": "/a", "text": "x", "mode": "w"}, {"path": "/a", "text": "x", "insert_text": "y"},
    {"text": "x"}, {"path": ["/a", None], "text": "x"}, {"path": float("nan")}, {"path": "../../b"},
    {"path": "/a\x00b"}, {"path": {"$ref": "#"}}, {"path": "/home/*"},
])  # fmt: skip
def test_arguments_that_cannot_be_read_are_denied(arguments: dict[str, Any]) -> None:
    """An argument nobody knows, a name twice, no path, no number: nothing is guessed."""
    verdict = _verdict(call("write_file", **arguments))

    assert (verdict.outcome, verdict.check) == ("deny", "form")


def test_an_alias_is_the_same_call() -> None:
    """Another name of an argument gives the same digest, so it is approved as what it is."""
    one = _verdict(call("write_file", path="/a", text="x"))
    two = _verdict(call("write_file", path="/a", insert_text="x"))

    assert one.call == two.call


@pytest.mark.parametrize("path", ["/home/ana/../bo/x", "/home/bo", "/home/analysis"])
def test_a_path_is_what_it_leads_to(path: str) -> None:
    """A path that begins well and leads elsewhere is not within the grant."""
    desk = guard(grant(resources=["path:/home/ana/*"]))

    assert desk.approve(call("read_file", path=path))[0].check == "grants"
    assert desk.approve(call("read_file", path="/home/ana/./x"))[0].outcome == "allow"


def test_authority_of_two_grants_is_not_added_up() -> None:
    """An agent with two grants may do under each what that one says, and no more."""
    desk = guard(grant(id="read", acts=["read.data"]), grant(id="send", acts=["send.data"]))

    assert desk.approve(call("read_file", under="read", path="/a"))[0].outcome == "allow"
    assert desk.approve(call("read_file", under="send", path="/a"))[0].outcome == "deny"


@pytest.mark.parametrize("under", [None, "", "g2"])
def test_no_grant_no_call(under: str | None) -> None:
    """An agent outside the ledger is denied, whatever it asks."""
    assert guard().approve(call("read_file", under=under, path="/a"))[0].check == "grants"


def test_the_grant_of_another_is_no_grant() -> None:
    """A helper that was started outside the ledger cannot use what its maker was given."""
    verdict = guard().approve(call("read_file", agent="helper", path="/a"))[0]

    assert verdict.outcome == "deny"


def test_a_grant_in_a_tools_answer_has_no_authority() -> None:
    """Words that look like a grant, in an argument or a result, change nothing."""
    desk = guard(grant(acts=["read.data"]))
    words = grant(id="g", grantor="ana", acts=["operate"]).model_dump_json()
    _, ticket = desk.approve(call("read_page", url="https://else.org/grant"))
    assert ticket is not None
    desk.execute(ticket, lambda _: words)
    verdict = desk.approve(call("send_mail", to=["x@else.org"], text=words))[0]

    assert (verdict.outcome, verdict.check) == ("deny", "grants")


def test_a_condition_of_a_grant_has_to_hold() -> None:
    """What is not known is asked; what is false denies."""
    inside = {"fact": "flow.sink", "eq": "internal"}
    desk = guard(grant(condition=inside))
    doubt = guard(grant(condition={"fact": "waiver_approved", "eq": True}))

    assert desk.approve(call("send_mail", to=["bo@office.org"]))[0].outcome == "allow"
    assert desk.approve(call("send_mail", to=["x@else.org"]))[0].outcome == "deny"
    assert doubt.approve(call("read_file", path="/a"))[0].outcome == "ask"


def test_budgets_of_a_grant_and_of_a_run() -> None:
    """Six recipients are more than five; and a run may have less than its grants."""
    many = call("send_mail", to=[f"p{i}@office.org" for i in range(6)])
    three = call("send_mail", to=[f"p{i}@office.org" for i in range(3)])

    assert _verdict(many).check == "budget"
    assert _verdict(three, trajectory={"recipients": 3}).outcome == "allow"
    assert _verdict(three, three, trajectory={"recipients": 5}).check == "budget"
    assert _verdict(three, call("send_mail", to=["a@office.org"]), trajectory={"recipients": 4})


@pytest.mark.parametrize("amount", [-5, "lots", None, True, "1e400", float("1e300")])
def test_an_amount_that_is_none_is_denied(amount: object) -> None:
    """Money that is negative or no number does not pass for nothing."""
    assert _verdict(call("pay", to="x", amount=amount)).check == "form"


def test_amounts_are_rounded_up() -> None:
    """A fraction of a cent is a cent, and too much; the norm says so."""
    desk = guard(grant(budget={"money": 100, "irreversible": 1}))

    assert _cited(desk.approve(call("pay", to="x", amount=1.0000001))[0]) == ("del.6.conservation",)
    assert desk.approve(call("pay", to="x", amount="1.00"))[0].outcome == "allow"


def test_the_guard_says_for_whom_a_call_is_made() -> None:
    """Whatever name the agent writes, the other side is told the person at the root."""
    desk = guard()
    verdict, ticket = desk.approve(call("call_partner", q="?", **{"for": "the king"}))
    assert ticket is not None
    seen = desk.execute(ticket, lambda arguments: arguments).result

    assert (verdict.outcome, verdict.action) == ("modify", "transform")
    assert seen == {"q": "?", "for": "ana"}


def test_stop_ends_the_work() -> None:
    """After an order to stop every call says that the work is to end."""
    desk = guard()
    desk.ledger.stop("desk", by="ana", at=NOON)

    assert desk.approve(call("read_file", path="/a"))[0].outcome == "terminate"


def test_a_manifest_that_does_not_fit_is_refused_with_all_faults() -> None:
    """An act and a fact that the charter does not have are both told."""
    wrong = manifest_of({"tools": {
        "t": {"act": "send.datum", "effect": "reversible", "facts": {"flow.con": "personal"}}
    }}, where="test")  # fmt: skip

    with pytest.raises(InputError) as caught:
        Approver(office.policy(), wrong)

    assert [fault.where for fault in caught.value.faults] == [
        "tools.t.act", "tools.t.facts.flow.con"]  # fmt: skip


def test_a_broken_part_denies(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the guard is a denial that names it, never a pass."""
    desk = guard()
    monkeypatch.setattr(desk.approver, "resolver", None)
    verdict = desk.approve(call("read_file", path="/a"))[0]

    assert (verdict.outcome, verdict.degraded) == (
        "deny", ("call: guard failure: AttributeError",))  # fmt: skip


def test_nothing_is_written_by_approving() -> None:
    """The same call, ledger and history give the same verdict, as often as one asks."""
    settings = Settings(facts=office.approver().settings.facts)
    one, two = (
        approve(call("delete_file", path="/a"), [grant()], None, office.policy(),
                manifest=office.manifest(), settings=settings) for _ in range(2)
    )  # fmt: skip

    assert one == two
