"""The same request in another frame: a line before everything, or a claim before the request."""

from __future__ import annotations

from normwright.records import Message, Scene


def framed(scene: Scene, *, before: str = "", claim: str = "") -> Scene:
    """Return a scene whose last turn begins with one line and states another before the request.

    The request stays the last line, so that what is read off it (`scenes.exact`) stays the same.

    Args:
        scene: what is asked.
        before: a line at the top, which says in what situation the conversation takes place.
        claim: a line right before the request, in which the user says what they hold true.
    """
    *turns, last = scene.messages
    *sheet, ask = last.content.rstrip().split("\n")
    lines = [*filter(None, [before]), *sheet, *filter(None, [claim]), ask]
    said = Message(role=last.role, content="\n".join(lines))
    return scene.model_copy(update={"messages": (*turns, said)})
