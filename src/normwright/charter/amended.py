"""What an amended charter owes to the one before it: nothing that holds vanishes in silence."""

from __future__ import annotations

from normwright.charter.reading import CharterSource
from normwright.norms.ranking import exceeds_powers
from normwright.norms.resolver import HOLDING
from normwright.records import Charter, Fault, Norm


def parent_faults(source: CharterSource, parent: Charter | None) -> list[Fault]:
    """Return what the norms of a source do to those of the charter before without saying so.

    A norm that holds stays, word for word, or is set to repealed, expired or suspended, or is
    expressly superseded by a norm with the power to do so. The same id and version with another
    content is a fault: versions are never changed, they are raised.
    """
    if parent is None:
        return []
    faults = []
    if source.head.parent not in (None, parent.digest):
        faults.append(Fault(where="charter.yaml: parent", expected=parent.digest,
                            seen=str(source.head.parent)))  # fmt: skip
    here = {norm.ref: norm for norm in source.norms}
    for before in parent.norms:
        if before.status not in HOLDING:
            continue
        after = here.get(before.ref)
        if after is None:
            faults += _vanished(before, source)
        elif not _same(before, after) and after.status in (*HOLDING, "draft", "proposed"):
            faults.append(Fault(
                where=source.where(after.ref), expected=f"{before.ref} as it was ratified",
                seen="another content under the same version",
                do=f"Raise the version, and write supersedes: [{before.ref}].",
            ))  # fmt: skip
    return faults


def _vanished(before: Norm, source: CharterSource) -> list[Fault]:
    heirs = [n for n in source.norms if before.ref in n.supersedes or before.id in n.supersedes]
    if not heirs:
        return [Fault(
            where=before.ref, expected="a norm that supersedes it, or the norm itself",
            seen="it holds in the charter before and is gone",
            do=f"No silent repeal: write supersedes: [{before.ref}], or status: repealed.",
        )]  # fmt: skip
    return [
        Fault(where=f"{source.where(n.ref)}: supersedes", expected="a norm it may supersede",
              seen=f"{before.ref} of {before.authority} (ULTRA_VIRES)",
              do=f"Only {before.authority} can change it; a lower layer may be stricter.")
        for n in heirs if exceeds_powers(n, before)
    ]  # fmt: skip


def carried_over(source: CharterSource, parent: Charter | None) -> dict[str, Norm]:
    """Return the norms that the charter before holds and the source has unchanged, by reference."""
    if parent is None:
        return {}
    here = {norm.ref: norm for norm in source.norms}
    return {
        before.ref: before
        for before in parent.norms
        if before.status in HOLDING and before.ref in here and _same(before, here[before.ref])
    }


def _same(before: Norm, after: Norm) -> bool:
    """Whether a norm of a charter is the ratified form of a drafted one."""
    return after.digest == before.digest or after.digest in before.derived_from
