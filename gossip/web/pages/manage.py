"""The pages for owners of games: register a game, see how it is doing, edit it, and change its secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace
from twisted.web import http

from gossip.operations.command import Command, Result
from gossip.operations.executor import Executor
from gossip.operations.games import GameAdd, GameEdit, GameRemove, GameRotate
from gossip.operations.intermud3 import GameI3, mud_config, placed
from gossip.operations.keys import GameKey, imc_config, located
from gossip.operations.rehearsal import EXPLAINED, Rehearse
from gossip.registry.entities import Account, Game
from gossip.registry.errors import Refused
from gossip.registry.secret import IMC2, old_secret_until, secrets_of
from gossip.web.accounts.attempts import HOUR, Attempts
from gossip.web.accounts.cookies import SessionCookies
from gossip.web.http.forms import Form
from gossip.web.http.requests import UNPROCESSABLE, PublicRequest
from gossip.web.http.router import Router, redirect
from gossip.web.http.urls import parameter, site_address, socket_address
from gossip.web.pages.operation_forms import fill
from gossip.web.pages.ownerless import SAID as TAKEN
from gossip.web.pages.ownerless import OwnerlessGames
from gossip.web.settings import WebRules
from gossip.web.views import play_links
from gossip.web.views.layout import Layout
from gossip.web.views.progress import own_game, progress

CHANGES: Final = 100
"""The maximum number of changes of an account per hour."""

_SAID: Final = {"saved": "Saved.", "removed": "The game is no longer registered.", **TAKEN}
"""The messages after a form was sent, by the query parameter C{done}."""
_PARTS: Final = {"now": "Live", "profile": "Profile", "credentials": "Credentials", "danger": "Danger zone"}
"""The parts of the page of a game, and what people see."""
_REGISTER_TEXTS: Final = ("short_name", "name", "tagline", "connections")
"""The text fields of the form to register a game."""
_GAME_TEXTS: Final = ("name", "tagline", "description", "homepage_url", "language", "connections")
"""The text fields of the form of a game."""


class ManagePages:
    """The games of an account."""

    def __init__(
        self,
        layout: Layout,
        cookies: SessionCookies,
        executor: Executor,
        rules: WebRules,
        ownerless: OwnerlessGames,
    ) -> None:
        self._layout = layout
        self._cookies = cookies
        self._executor = executor
        self._rules = rules
        self._ownerless = ownerless
        self._changes = Attempts(layout.clock, "changes to your games", CHANGES, HOUR).shared(layout.gossip, "changes")

    def add(self, router: Router) -> None:
        """Add the pages."""
        signed_in = self._cookies.require_sign_in
        router.add("/manage", get=signed_in(self.games), post=signed_in(self.register))
        router.add("/manage/{game}", get=signed_in(self.game))
        router.add("/manage/{game}/live", get=signed_in(self.live))
        router.add("/manage/{game}/profile", get=signed_in(self.profile), post=signed_in(self.edit))
        router.add("/manage/{game}/credentials", get=signed_in(self.credentials))
        router.add("/manage/{game}/danger", get=signed_in(self.danger))
        forms = (
            ("rehearse", self.back, self.rehearse),
            ("secret", self.secret, self.rotate),
            ("key", self.shown_key, self.key),
            ("i3", self.shown_i3, self.i3),
            ("remove", self.back_to_danger, self.remove),
        )
        for form, get, post in forms:
            # A form that was refused is shown at its own path: whoever opens that again means the page.
            router.add(f"/manage/{{game}}/{form}", get=signed_in(get), post=signed_in(post))

    # All games.

    async def games(self, request: PublicRequest, account: Account) -> bytes:
        """The games of an account, and a form to register one."""
        return await self._games(request, account, {})

    async def _games(
        self, request: PublicRequest, account: Account, typed: Mapping[str, Any], refused: Refused | None = None
    ) -> bytes:
        network = self._layout.gossip.network
        games = network.registry.games_of(account.name)
        most = self._rules.settings.games
        return self._layout.page(
            request,
            "manage.html",
            UNPROCESSABLE if refused else http.OK,
            title="Your games",
            games=[(game, network.presence.online(game.client_id)) for game in games],
            most=most,
            full=bool(most) and len(games) >= most,
            found=await self._ownerless.found(account),
            typed={**dict.fromkeys(_REGISTER_TEXTS, ""), **typed},
            **_wrong(refused, *_REGISTER_TEXTS),
            said=_SAID.get(parameter(request, "done") or "", ""),
        )

    async def register(self, request: PublicRequest, account: Account) -> bytes:
        """Register a game. The next page shows its secret."""
        form = self._cookies.read_form(request)
        typed = {name: form.text(name) for name in _REGISTER_TEXTS}
        given = {name: text.strip() for name, text in typed.items()}
        try:
            added = GameAdd(
                name=given["name"],
                short_name=given["short_name"],
                tagline=given["tagline"] or None,
                connections=(play_links.read(given["connections"]),) if given["connections"] else (),
                owner=account.name,
            )
            made = await self._note(added, account, lambda: self._check_number(account))
        except Refused as refused:
            return await self._games(request, account, typed, refused)
        return self._cookies.show_later(request, f"/manage/{made['short_name']}/secret", made)

    def _check_number(self, account: Account) -> None:
        most = self._rules.settings.games
        if most and len(self._layout.gossip.network.registry.games_of(account.name)) >= most:
            raise Refused("too-many", None, f"you can register at most {most} games: ask an admin for more")

    # One game.

    def game(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """How a game is doing."""
        return self._game(request, self._own(account, name), "now")

    def profile(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """What others see of a game."""
        return self._game(request, self._own(account, name), "profile")

    def credentials(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """What a game joins with."""
        return self._game(request, self._own(account, name), "credentials")

    def danger(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """The form to remove a game."""
        return self._game(request, self._own(account, name), "danger")

    def secret(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """The secret that a game got a moment ago; later this leads back to the page of the game."""
        game, made = self._own(account, name), self._cookies.shown(request)
        if made is None or "client_secret" not in made or made["client_id"] != game.client_id:
            return redirect(request, f"/manage/{game.short_name}/credentials#secret")
        return self._layout.page(
            request,
            "credentials.html",
            title="Save these credentials",
            made=made,
            until=old_secret_until(game, self._layout.now),
            address=socket_address(request),
        )

    def shown_key(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """The same for a key for IMC2."""
        game, made = self._own(account, name), self._cookies.shown(request)
        if made is None or "key" not in made or made["client_id"] != game.client_id:
            return redirect(request, f"/manage/{game.short_name}/credentials#imc2")
        site = site_address(request) or self._rules.address
        return self._layout.page(
            request,
            "key.html",
            title="Save this key",
            made=made,
            lines=imc_config(located(made, site, self._rules.imc2_port)),
        )

    def shown_i3(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """The same for a password for Intermud-3."""
        game, shown = self._own(account, name), self._cookies.shown(request)
        if shown is None or "i3" not in shown:
            return redirect(request, f"/manage/{game.short_name}/credentials#i3")
        rules = self._rules
        made = placed(shown["i3"], site_address(request) or rules.address, rules.i3_port, rules.i3_router)
        return self._layout.page(request, "i3.html", title="Save this password", made=made, lines=mud_config(made))

    def back(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Lead from the path of a form to the page with the form."""
        return redirect(request, f"/manage/{self._own(account, name).short_name}")

    def back_to_danger(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """The same for the form to remove a game."""
        return redirect(request, f"/manage/{self._own(account, name).short_name}/danger")

    def _game(
        self,
        request: PublicRequest,
        game: Game,
        part: str,
        typed: Mapping[str, Any] = {},
        refused: Refused | None = None,
    ) -> bytes:
        """
        The page of a game.

        @param part: which part of it.
        """
        here = f"/manage/{game.short_name}"
        known = {
            "name": game.name,
            "tagline": game.tagline or "",
            "description": game.description or "",
            "homepage_url": game.homepage_url or "",
            "language": game.language or "",
            "connections": "\n".join(map(play_links.written, game.connections)),
            "i3_name": self._i3_name(game),
            "hidden": game.hidden,
            "hide_players": game.hides_players,
        }
        return self._layout.page(
            request,
            f"manage_{part}.html",
            UNPROCESSABLE if refused else http.OK,
            title=game.name,
            typed={**known, **typed},
            **_wrong(refused, "sure", "i3_name", "i3_sure", *_GAME_TEXTS),
            said="" if refused else _SAID.get(parameter(request, "done") or "", ""),
            parts=[(here if name == "now" else f"{here}/{name}", what) for name, what in _PARTS.items()],
            part=here if part == "now" else f"{here}/{part}",
            old_secret_until=old_secret_until(game, self._layout.now),
            has_key=bool(secrets_of(game, IMC2)),
            by_imc2=bool(self._rules.imc2_port),
            by_i3=bool(self._rules.i3_port),
            i3=self._layout.gossip.network.registry.i3.of(game.client_id),
            **self._live(request, game),
        )

    def live(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """How a game is doing: the part of its page that changes by itself."""
        return self._layout.page(request, "manage_live.html", **self._live(request, self._own(account, name)))

    def _live(self, request: PublicRequest, game: Game) -> dict[str, Any]:
        layout = self._layout
        seen = layout.gossip.network.registry.seen.get(game.client_id)
        return {
            "game": game,
            "progress": progress(layout.gossip, game, layout.peer(request), layout.gossip.now()),
            "user_agent": seen.user_agent if seen else None,
            "steps_to_rehearse": EXPLAINED,
            "rehearsed": layout.gossip.rehearsals.of(game.client_id),
        }

    async def rehearse(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Rehearse something with a game. What comes of it is shown by its page."""
        game, form = self._own(account, name), self._cookies.read_form(request)
        try:
            await self._carry_out(fill(Rehearse, form, game=game.short_name, no_wait=True), account, game)
        except Refused as refused:
            return self._game(request, game, "now", refused=refused)
        return redirect(request, f"/manage/{game.short_name}#rehearse")

    async def edit(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Edit a game."""
        game, form = self._own(account, name), self._cookies.read_form(request)
        try:
            # A forged form could change the owner as well.
            edited = replace(fill(GameEdit, form, game=game.short_name), owner=UNSET)
            await self._carry_out(edited, account, game)
        except Refused as refused:
            return self._game(request, game, "profile", _typed(form), refused)
        return redirect(request, f"/manage/{game.short_name}/profile?done=saved")

    async def rotate(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Give a game a new secret. The next page shows it."""
        game, _ = self._own(account, name), self._cookies.read_form(request)
        try:
            made = await self._carry_out(GameRotate(game=game.short_name), account, game)
        except Refused as refused:
            return self._game(request, game, "credentials", refused=refused)
        return self._cookies.show_later(request, f"/manage/{game.short_name}/secret", made)

    async def key(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Give a game a new key for IMC2. The next page shows it."""
        game, _ = self._own(account, name), self._cookies.read_form(request)
        try:
            made = await self._carry_out(GameKey(game=game.short_name), account, game)
        except Refused as refused:
            return self._game(request, game, "credentials", refused=refused)
        return self._cookies.show_later(request, f"/manage/{game.short_name}/key", made)

    def _i3_name(self, game: Game) -> str:
        identity = self._layout.gossip.network.registry.i3.of(game.client_id)
        return game.short_name if identity is None else identity.name

    async def i3(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Let a game join by Intermud-3, with a new password that the next page shows; or no longer."""
        game, form = self._own(account, name), self._cookies.read_form(request)
        typed, remove = form.text("i3_name"), form.checked("i3_remove")
        try:
            known = self._layout.gossip.network.registry.i3.of(game.client_id)
            if known is not None and not remove and not form.checked("i3_sure"):
                # A MUD that keeps its password would be refused.
                raise Refused("not-confirmed", "i3_sure", "to create a new password, tick the box")
            operation = GameI3(game=game.short_name, name=typed.strip() or None, remove=remove)
            made = await self._carry_out(operation, account, game)
        except Refused as refused:
            # The name of a game is another field of this page.
            refused.field = "i3_name" if refused.field == "name" else refused.field
            return self._game(request, game, "credentials", {"i3_name": typed}, refused)
        if remove:
            return redirect(request, f"/manage/{game.short_name}/credentials?done=saved#i3")
        return self._cookies.show_later(request, f"/manage/{game.short_name}/i3", {"i3": made})

    async def remove(self, request: PublicRequest, account: Account, name: str) -> bytes:
        """Remove a game, if the confirmation is ticked."""
        game, form = self._own(account, name), self._cookies.read_form(request)
        try:
            if not form.checked("sure"):
                raise Refused("not-confirmed", "sure", "to remove the game, tick the box")
            await self._carry_out(GameRemove(game=game.short_name), account, game, self._check_removal)
        except Refused as refused:
            return self._game(request, game, "danger", refused=refused)
        return redirect(request, "/manage?done=removed")

    def _check_removal(self, account: Account, game: Game) -> None:
        # Restrictions go with a game: its owner must not lift them by registering its name again.
        if not account.admin and self._layout.gossip.network.registry.is_restricted(game, self._layout.now):
            raise Refused(
                "forbidden",
                "sure",
                "an admin disabled, muted or banned this game or one of its players: ask an admin to remove it",
            )

    def _own(self, account: Account, name: str) -> Game:
        return own_game(self._layout.gossip.network.registry, account, name)

    async def _carry_out(
        self,
        operation: Command,
        account: Account,
        game: Game,
        check_also: Callable[[Account, Game], None] = lambda account, game: None,
    ) -> Result:
        def check() -> None:
            # The game may have been removed and its name registered by somebody else meanwhile.
            known = self._layout.gossip.network.registry.games.get(game.client_id)
            if known is None or known.owner != game.owner:
                raise Refused("forbidden", None, "this game is no longer yours")
            check_also(account, known)

        return await self._note(operation, account, check)

    async def _note(self, operation: Command, account: Account, check: Callable[[], None]) -> Result:
        """
        Carry out an operation, at a limited rate: each is an entry in the activity log, which nobody must flood.

        @raise Problem: the account made too many changes in the last hour.
        """
        self._changes.spend(account.name)
        try:
            return await self._executor.carry_out(operation, account.name, check)
        except Refused:
            self._changes.take_back(account.name)
            raise


def _wrong(refused: Refused | None, *fields: str) -> dict[str, str]:
    """
    The reason of a refusal for a template.

    @param fields: the fields of the form. A reason about another field is shown above the form.
    """
    field = refused.field if refused else None
    return {"wrong": str(refused or ""), "about": field if field in fields else ""}


def _typed(form: Form) -> dict[str, Any]:
    texts = {name: form.text(name) for name in _GAME_TEXTS}
    return {**texts, **{name: "1" in form.all(name) for name in ("hidden", "hide_players")}}
