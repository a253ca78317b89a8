"""Rehearsing with a game what it meets on the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

from msgspec import Struct

from gossip.network.steps import DOWNTIME, STEPS, StepName
from gossip.operations.command import Argument, Block, Result
from gossip.operations.errands import Errand, Outcome
from gossip.operations.operation import find_game
from gossip.registry.errors import Refused

if TYPE_CHECKING:
    from gossip.registry.entities import Game
    from gossip.service.rehearsals import Rehearsed
    from gossip.service.service import GossipService


class Step(Struct, frozen=True):
    """
    What is rehearsed.

    @ivar title: what happens, for a button.
    @ivar should: what the game should do, in one sentence.
    """

    title: str
    should: str


EXPLAINED: Final[dict[StepName, Step]] = {
    "message": Step("A message", "Your game shows it to the players who hear that channel."),
    "tell": Step("A tell", "Your game shows it to that player, and to nobody else."),
    "sign-in": Step("A player signs in", "Your game says so, or keeps it for its list of players."),
    "sign-out": Step("A player signs out", "Your game says so, or keeps it for its list of players."),
    "heartbeat": Step(
        "No heartbeat answer",
        "Your game answers each heartbeat, every 15 seconds. To see what happens without, stop its process: the "
        "connection ends with code 4001 within a minute, and others see your game leave a minute later. Then let it go "
        "on: it connects again by itself.",
    ),
    "restart": Step(
        f"A restart of {DOWNTIME} seconds",
        f"Your game keeps running, waits {DOWNTIME} seconds, and connects again by itself.",
    ),
}
"""All steps by their names."""

CONNECTED: Final = tuple(step for step in STEPS if step != "restart")
"""The steps that leave the connections of a game alone."""


def _view_rehearsal(result: Result) -> Sequence[Block]:
    marks = {True: "yes", False: "no", None: "open"}
    blocks: list[Block] = []
    for each in result["steps"]:
        blocks.append(f"{EXPLAINED[each['step']].title} ({each['step']})")
        if each["sent"] is None:
            blocks.append(f"  {each['outcome']}")
        else:
            expected = EXPLAINED[each["step"]].should
            mark = marks[each["done"]]
            blocks += [f"  sent: {each['sent']}", f"  expected: {expected}", f"  {mark}: {each['outcome']}"]
    return blocks


class Rehearse(Errand, frozen=True):
    """
    Rehearse with a connected game what it meets on the network. The game alone is sent what the step names, and nothing
    of it is kept. The result tells whether the game answered the next heartbeat, or came back after the restart.

    @ivar game: the game: short name or client_id.
    @ivar step: message, tell, sign-in, sign-out, heartbeat or restart; by default all but the restart.
    @ivar player: the player that gets the tell; by default the first one that is signed in.
    @ivar no_wait: do not wait for what the game does.
    """

    wire = "game/rehearse"
    takes = 60.0
    view = staticmethod(_view_rehearsal)

    game: str
    step: Annotated[StepName | None, Argument(option="--step")] = None
    player: str | None = None
    no_wait: bool = False

    async def run(self, gossip: GossipService) -> Outcome:
        game = find_game(gossip.network.registry, self.game)
        played = [self._play(gossip, game, step) for step in ((self.step,) if self.step else CONNECTED)]

        async def outcome() -> Result:
            for each in played:
                if not (self.no_wait or isinstance(each, _Skipped)):
                    await each.settled()
            return {"game": game.short_name, "steps": [_shown(each) for each in played]}

        return outcome

    def _play(self, gossip: GossipService, game: Game, step: StepName) -> Rehearsed | _Skipped:
        try:
            return gossip.rehearsals.play(game.client_id, step, self.player, gossip.now())
        except Refused as refused:
            # Of all steps, those that the game does not support are left out.
            if self.step or refused.field not in ("step", "player"):
                raise
            return _Skipped(step, str(refused))


class _Skipped(Struct, frozen=True):
    """A step that could not be played."""

    step: StepName
    outcome: str
    sent: str | None = None
    done: bool | None = None


def _shown(each: Rehearsed | _Skipped) -> Result:
    outcome = f"left out: {each.outcome}" if isinstance(each, _Skipped) else each.outcome
    return {"step": each.step, "sent": each.sent, "done": each.done, "outcome": outcome}
