"""A game of a soak: session after session, and every way to end one."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from benchmarks.ledger import Ear, Stream
from benchmarks.observed import ANSWERED_WITHIN, eventually
from benchmarks.population import short_name
from benchmarks.wire import Frame, Lost, Wire

if TYPE_CHECKING:
    from benchmarks.soak import Soak

FORGOTTEN_AFTER: Final = 30.0
"""How many seconds after the end of a session its last messages can still arrive."""

MUTE: Final = 80.0
"""Within how many seconds the daemon closes a game that does not answer heartbeats."""

FAR: Final = 3.0
"""Within how many seconds what happens on one node has reached the others, on a machine with other work."""

PLAYERS: Final = "sign-ins"
"""The place of the sign-ins and sign-outs."""


class Game:
    """A game that plays session after session until the soak ends."""

    def __init__(self, soak: Soak, number: int, steady: bool) -> None:
        """@param steady: it never leaves before the end."""
        self.name = short_name(number)
        self.steady = steady
        self._soak = soak
        self._ledger = soak.ledger
        self._client_id, self._secret = soak.population.credentials[number]
        self._address = soak.address(number)
        self._rooms = soak.rooms_of(number)
        self._sessions = 0
        # Of the session that is on.
        self._daemon = soak.daemon()
        self._life = 0
        self._since = 0.0
        self._wire: Wire | None = None
        self._joined: asyncio.Future[None] | None = None
        self._flags: list[str] = []
        self._players: list[str] = []
        self._mute = False
        self._requests: dict[str, Callable[[Frame], object]] = {}
        self._streams: dict[str, Stream] = {}
        self.ears: dict[str, Ear] = {}

    async def play(self) -> None:
        """Session after session."""
        soak = self._soak
        await asyncio.sleep(soak.random.uniform(0, soak.ramp))
        while not soak.ending:
            self._daemon = daemon = soak.daemon()
            self._life = daemon.lives
            try:
                await self._session()
            except Lost as lost:
                if self._was_killed:
                    self._ledger.happened["lost with its node"] += 1
                else:
                    self._ledger.complain(f"{self.name}: {lost}")
            finally:
                self._forget()
            await soak.pause(soak.random.expovariate(1 / soak.absence))

    @property
    def _was_killed(self) -> bool:
        """Was the daemon killed since the session began?"""
        return not self._daemon.running or self._daemon.lives != self._life

    @property
    def takes_tells(self) -> bool:
        """Do all daemons know that it is there, and takes tells?"""
        if "tell" not in self.ears or self._wire is None or self._wire.ended.done() or self._soak.ending:
            return False
        return not self._soak.several or time.monotonic() > self._since + FAR

    async def _session(self) -> None:
        soak, ledger = self._soak, self._ledger
        self._sessions += 1
        shy = not self.steady and soak.random.random() > 0.1
        self._flags = ["channels", "tells"] if shy else ["channels", "players", "tells", "games"]
        self._players, self._mute = ["Ana"], False
        self._wire = wire = await Wire.open(self._daemon.port, self._address, self._received)
        self._joined = asyncio.get_running_loop().create_future()
        payload = {
            "client_id": self._client_id,
            "client_secret": self._secret,
            "supports": self._flags,
            "channels": self._rooms,
            "players": self._players,
        }
        wire.send({"event": "authenticate", "payload": payload})
        await self._await(self._joined, "an answer to authenticate")
        ledger.happened["sessions"] += 1
        self._since = time.monotonic()
        length = float("inf") if self.steady else soak.random.expovariate(1 / soak.stay)
        await self._live(time.monotonic() + length)
        await self._leave(wire)

    async def _live(self, until: float) -> None:
        """Talk until it is time to go."""
        soak = self._soak
        acts = [self._say, self._say, self._say, self._tell]
        if "players" in self._flags:
            acts.append(self._sign_in_or_out)
        while time.monotonic() < until and not soak.ending:
            thinks = min(soak.random.expovariate(1 / soak.thought), max(until - time.monotonic(), 0))
            if self._wire is not None:
                await asyncio.wait((self._wire.ended, soak.over), timeout=thinks, return_when=asyncio.FIRST_COMPLETED)
            if self._wire is None or self._wire.ended.done():
                code = "nothing" if self._wire is None else self._wire.ended.result()
                raise Lost(f"was closed with {code}")
            soak.random.choice(acts)()

    async def _leave(self, wire: Wire) -> None:
        soak, ledger = self._soak, self._ledger
        ways: list[Callable[[Wire], Awaitable[None]]] = [self._part]
        if not self.steady and not soak.ending:
            ways += [self._part, self._vanish, self._vanish_in_a_frame, self._stop_reading]
            if soak.left > MUTE:
                ways.append(self._fall_silent)
        way = soak.random.choice(ways)
        ledger.happened[way.__name__.strip("_").replace("_", " ")] += 1
        await way(wire)

    async def _part(self, wire: Wire) -> None:
        """Make a request, check that everything acknowledged before it arrived before the answer, and leave."""
        promised = [(ear, self._ledger.promised(ear.place)) for ear in self.ears.values()]
        if self._soak.several:
            # Another node tells its own games, and then acknowledges: this one hears it within milliseconds.
            await asyncio.sleep(FAR)
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request("players/status", {"game": "gossip"}, lambda frame: answered.set_result(None))
        await self._await(answered, "an answer to players/status")
        if self._was_killed:
            raise Lost("left with its node")
        for ear, expected in promised:
            ear.check(expected)
        if self._requests:
            self._ledger.complain(f"{self.name} got no answer to {len(self._requests)} requests")
        await wire.close()

    async def _vanish(self, wire: Wire) -> None:
        wire.vanish()

    async def _vanish_in_a_frame(self, wire: Wire) -> None:
        wire.send_half(
            {"event": "channels/send", "payload": {"channel": self._rooms[0], "name": "Ana", "message": "x"}}
        )
        if self._soak.random.random() < 0.5:
            # It must have come before what follows.
            await asyncio.sleep(0)
        wire.vanish()

    async def _stop_reading(self, wire: Wire) -> None:
        wire.stall()
        await self._soak.pause(self._soak.stay)
        wire.vanish()

    async def _fall_silent(self, wire: Wire) -> None:
        self._mute = True
        if not await eventually(lambda: wire.ended.done() or self._soak.ending, MUTE):
            self._ledger.complain(f"{self.name} answered no heartbeat, and was not closed")
        elif wire.ended.done() and wire.ended.result() != 4001 and not self._was_killed:
            self._ledger.complain(f"{self.name} answered no heartbeat, and was closed with {wire.ended.result()}")
        wire.vanish()

    async def _await(self, future: asyncio.Future[None], what: str) -> None:
        assert self._wire is not None
        ended: asyncio.Future[Any] = self._wire.ended
        either: set[asyncio.Future[Any]] = {future, ended}
        done, _ = await asyncio.wait(either, timeout=ANSWERED_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if future not in done:
            raise Lost(f"{what} did not come" + (f": closed with {ended.result()}" if ended in done else ""))

    def _forget(self) -> None:
        """The session is over."""
        if self._wire is not None:
            self._wire.vanish()
        for stream in self._streams.values():
            if self._was_killed and stream.name[2] not in self._rooms:
                # Tells and sign-ins that a node acknowledged can be lost with it; messages are not.
                stream.over = True
            asyncio.get_running_loop().call_later(FORGOTTEN_AFTER, setattr, stream, "over", True)
        self._wire, self._joined = None, None
        self._requests, self._streams, self.ears = {}, {}, {}

    # What it does.

    def _stream(self, place: str) -> Stream:
        if place not in self._streams:
            self._streams[place] = self._ledger.open(self.name, self._sessions, place)
        return self._streams[place]

    def _request(self, event: str, payload: Any, answered: Callable[[Frame], object]) -> None:
        assert self._wire is not None
        ref = str(uuid.uuid4())
        self._requests[ref] = answered
        self._wire.send({"event": event, "ref": ref, "payload": payload})

    def _do(self, place: str, event: str, payload: Frame, text: str) -> None:
        """
        Do something that is heard in a place.

        @param text: the key of the payload that takes its number.
        """
        ledger, stream = self._ledger, self._stream(place)
        number = ledger.say(stream)

        def answered(frame: Frame) -> None:
            if frame.get("status") == "success":
                ledger.acknowledge(stream, number)
                ledger.happened[event] += 1
            else:
                ledger.complain(f"{self.name} was refused {event}: {frame.get('error')}")

        self._request(event, {**payload, text: f"{self._sessions} {number}"}, answered)

    def _say(self) -> None:
        room = self._soak.random.choice(self._rooms)
        self._do(room, "channels/send", {"channel": room, "name": "Ana"}, "message")

    def _tell(self) -> None:
        receiver = self._soak.random.choice(self._soak.steady)
        if receiver is self or not receiver.takes_tells:
            return
        payload = {"from_name": "Ana", "to_game": receiver.name, "to_name": "Ana"}
        self._do(f"tell {receiver.name}", "tells/send", payload, "message")

    def _sign_in_or_out(self) -> None:
        """By turns: an even number is a sign-in, the odd one after it the sign-out of that player."""
        ledger, stream = self._ledger, self._stream(PLAYERS)
        number = ledger.say(stream)
        event = "players/sign-out" if number % 2 else "players/sign-in"
        player = f"{self._sessions} {number - number % 2}"
        (self._players.remove if number % 2 else self._players.append)(player)

        def answered(frame: Frame) -> None:
            ledger.acknowledge(stream, number)
            ledger.happened[event] += 1
            if frame.get("status") != "success":
                ledger.complain(f"{self.name} was refused {event}: {frame.get('error')}")

        self._request(event, {"name": player}, answered)

    # What it hears.

    def _received(self, frame: Frame) -> None:
        match frame:
            case {"event": "channels/broadcast", "payload": {"channel": room, "game": game, "message": text}}:
                self._hear(room, game, room, text)
            case {"event": "tells/receive", "payload": {"from_game": game, "message": text}}:
                self._hear("tell", game, f"tell {self.name}", text)
            case {"event": "players/sign-in" | "players/sign-out" as event, "payload": {"game": game, "name": text}}:
                self._hear(PLAYERS, game, PLAYERS, text, int(event.endswith("out")))
            case {"event": "heartbeat"}:
                if not self._mute and self._wire is not None:
                    self._wire.send({"event": "heartbeat", "payload": {"players": self._players}})
            case {"event": "authenticate"}:
                self._authenticated(frame)
            case {"ref": str(ref)} if ref in self._requests:
                self._requests.pop(ref)(frame)
            case {"event": "games/connect" | "games/disconnect"}:
                self._ledger.happened["presence notices heard"] += 1
            case _:
                self._ledger.complain(f"{self.name} got {frame}")

    def _hear(self, ear: str, game: str, place: str, text: str, plus: int = 0) -> None:
        session, _, number = text.partition(" ")
        if ear not in self.ears:
            self._ledger.complain(f"{self.name} heard {place}, where it did not listen")
        else:
            self.ears[ear].hear((game, int(session), place), int(number) + plus)

    def _authenticated(self, frame: Frame) -> None:
        assert self._joined is not None
        if frame.get("status") != "success":
            if not self._joined.done():
                self._joined.set_exception(Lost(f"was refused: {frame.get('error')}"))
            return
        # Not later: the next frame may be a message.
        self.ears = {room: Ear(self._ledger, self.name, room) for room in self._rooms}
        self.ears["tell"] = Ear(self._ledger, self.name, f"tell {self.name}")
        if "players" in self._flags:
            self.ears[PLAYERS] = Ear(self._ledger, self.name, PLAYERS)
        if not self._joined.done():
            self._joined.set_result(None)
