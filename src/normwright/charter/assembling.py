"""The norms of a source as one charter, without asking whether anybody ratified them."""

from __future__ import annotations

from normwright.charter.cases import LIVING
from normwright.charter.reading import CharterSource
from normwright.norms.ranking import rank
from normwright.norms.resolver import HOLDING
from normwright.records import Charter


def assembled(source: CharterSource, *, drafts: bool = False) -> Charter:
    """Return a charter of the norms that hold, in an order that no file name can change.

    Args:
        source: the norms as they were drafted.
        drafts: whether drafted and proposed norms are taken to hold as well, to see what they
            would do. Otherwise they are left out.
    """
    taken = LIVING if drafts else HOLDING
    norms = [norm for norm in source.norms if norm.status in taken]
    if drafts:
        norms = [
            n if n.status in HOLDING else n.model_copy(update={"status": "in_force"}) for n in norms
        ]
    head = source.head
    return Charter(
        id=head.id,
        version=head.version,
        parent=head.parent,
        languages=head.languages,
        vocabulary=source.vocabulary,
        norms=tuple(sorted(norms, key=lambda n: (rank(n), n.id, n.version))),
        zones=head.zones,
        open_world=head.open_world,
        amendment=head.amendment,
        title=head.title,
        contest=head.contest,
        notice=head.notice,
        process=head.id,
        kind="human",
    )
