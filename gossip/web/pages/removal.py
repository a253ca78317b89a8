"""What the forms that remove a message do, on the page of the message and on that of a report."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from gossip.operations.command import Result
from gossip.operations.messages import MessageRemove
from gossip.operations.operation import Operation
from gossip.operations.restrictions import MuteAdd
from gossip.registry.errors import Refused
from gossip.web.http.forms import Form

MUTED: Final = 24 * 60
"""How long the second button of the form mutes the player, in minutes."""


CarryOut = Callable[[Operation], Awaitable[Result]]
"""Carries out an operation for the account that pressed a button."""


async def remove_message(carry_out: CarryOut, form: Form, removal: MessageRemove, channel: str | None = None) -> Result:
    """
    Remove a message, and mute its player if C{mute} was pressed, which names the player.

    @param channel: where the player is muted; C{None} for everywhere.
    @raise Refused: the message was not removed, or the player was not muted; the text says which, and why.
    """
    if not form.checked("sure"):
        raise Refused("not-confirmed", "sure", "tick the box to confirm this action")
    result = await carry_out(removal)
    who = form.text("mute")
    if who:
        try:
            await carry_out(MuteAdd(who=who, reason=removal.reason, channel=channel, minutes=MUTED))
        except Refused as refused:
            text = f"the message was removed, but {who} was not muted: {refused}"
            raise Refused(refused.code, refused.field, text) from None
    return result
