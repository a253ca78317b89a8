"""What an operator may set of the network itself; the defaults are the specification's."""

from __future__ import annotations

from typing import Literal, Protocol

from msgspec import Struct

from gossip.network.ratelimit import Rate


class Rates(Struct, frozen=True, forbid_unknown_fields=True, rename={"global_": "global"}):
    """
    How fast games may send: each a leaky bucket.

    A session has buckets of its own for the first five. All sessions of a game share those for the others, which cost
    the network more than the game that sends them. Queries count for what their answers weigh: a games/status or
    players/status for each game that is answered and for every L{PLAYERS_A_WEIGHT
    <gossip.protocol.events.PLAYERS_A_WEIGHT>} players, an achievements/sync for each achievement.
    """

    global_: Rate = Rate(100, 20)
    channels_send: Rate = Rate(10, 2)
    channels_subscribe: Rate = Rate(5, 1)
    channels_unsubscribe: Rate = Rate(5, 1)
    channels_history: Rate = Rate(5, 1)
    players_sign_in: Rate = Rate(200, 10)
    players_sign_out: Rate = Rate(200, 10)
    players_status: Rate = Rate(10_000, 1000)
    games_status: Rate = Rate(10_000, 1000)
    tells_send: Rate = Rate(100, 10)
    reports_create: Rate = Rate(3, 0.0167)
    channels_remove: Rate = Rate(5, 0.1)
    achievements_sync: Rate = Rate(10_000, 1000)
    channels_list: Rate = Rate(5, 1)


class NetworkLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """
    What the network bears; 0 is no limit.

    @ivar rates: how fast games may send.
    @ivar sessions_share: all sessions of a game together may send this many times what one may.
    @ivar message_characters: the longest message, in characters.
    @ivar message_bytes: the longest message, in bytes of UTF-8.
    @ivar name_bytes: the longest name of a player, in bytes of UTF-8.
    @ivar players: how many players a game may list; more are left out silently.
    @ivar channels: how many channels a session may subscribe to.
    @ivar new_channels: how many channels a game may create a day, by subscribing to them.
    @ivar all_channels: how many channels there may be in all; admins may create more.
    @ivar sessions: how many sessions a game may have.
    @ivar remote_games: how many games of other networks may be here.
    @ivar achievements: how many achievements a game may have.
    @ivar authenticate_seconds: how long a connection may take to authenticate.
    @ivar remove_seconds: how long after it was said a game may remove a message of its own.
    @ivar wrong_secrets: how many wrong secrets for one client_id from one address are checked.
    @ivar wrong_secrets_seconds: for how long they count, and further ones go unchecked.
    """

    rates: Rates = Rates()
    sessions_share: int = 4
    message_characters: int = 4096
    message_bytes: int = 12 * 1024
    name_bytes: int = 64
    players: int = 2000
    channels: int = 100
    new_channels: int = 100
    all_channels: int = 10_000
    sessions: int = 32
    remote_games: int = 1000
    achievements: int = 1000
    authenticate_seconds: float = 60
    remove_seconds: float = 600
    wrong_secrets: int = 20
    wrong_secrets_seconds: float = 300


class NetworkSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """
    How the network appears, and what it refuses.

    @ivar name: its display name, in games/status.
    @ivar help: what a tell to its player C{system} brings back.
    @ivar website: the address of its pages, as people type it; empty if it has none.
    @ivar rules: the path of a file of reStructuredText with its rules, or their https address; empty for the default.
    @ivar contact: how to reach its operator: a mail address or an https address; empty if it is not published.
    @ivar public_moderation: what the pages publish of moderation: nothing, what was done without the names of players,
        or everything but addresses and texts.
    @ivar blocked_channels: names that no new channel may have.
    @ivar blocked_games: names that no new game and no new account may have, nor one that looks like them; after a C{*},
        endings of short names.
    @ivar blocked_accounts: names that only accounts of admins may have.
    @ivar history_days: how long messages are kept; 0 for ever.
    @ivar channel_days: how long a channel is kept that nobody is subscribed to and no admin touched; 0 for ever.
    @ivar player_count_days: how long it is kept how many players there were; 0 for ever.
    @ivar audit_days: how long it is kept what admins did, and the reports that they resolved; 0 for ever.
    @ivar echo: whether its player C{echo} answers games on the channel C{testing}, and by tells.
    """

    name: str = "Gossip"
    help: str = "This is the network itself. Ask the admins of your game for help with its channels."
    website: str = ""
    rules: str = ""
    contact: str = ""
    public_moderation: Literal["off", "games", "all"] = "games"
    blocked_channels: tuple[str, ...] = ("all",)
    blocked_games: tuple[str, ...] = ("gossip", "grapevine", "system")
    blocked_accounts: tuple[str, ...] = (
        "admin",
        "administrator",
        "mod",
        "moderator",
        "operator",
        "root",
        "staff",
        "support",
        "webmaster",
    )
    history_days: float = 30
    channel_days: float = 30
    player_count_days: float = 730
    audit_days: float = 730
    echo: bool = True

    @property
    def site(self) -> str:
        """The address of the pages as a URL, without a slash at the end; empty if it has none."""
        website = self.website.rstrip("/")
        return website if "://" in website or not website else f"https://{website}"

    @property
    def rules_elsewhere(self) -> str:
        """The address of rules that are not on the pages of the network; empty if they are."""
        return self.rules if "://" in self.rules else ""

    @property
    def rules_address(self) -> str:
        """The address of the rules; empty if the network does not know the address of its pages."""
        return self.rules_elsewhere or (self.site and f"{self.site}/rules")


class RulesSettings(Protocol):
    """The part of a configuration that L{Rules} holds."""

    @property
    def network(self) -> NetworkSettings: ...
    @property
    def limits(self) -> NetworkLimits: ...


class Rules:
    """
    The settings and limits in force, shared by all parts of the network: a reload replaces both for all of them.

    @ivar settings: how the network appears, and what it refuses.
    @ivar limits: what it bears.
    """

    def __init__(self, settings: NetworkSettings | None = None, limits: NetworkLimits | None = None) -> None:
        self.settings = settings or NetworkSettings()
        self.limits = limits or NetworkLimits()

    def configure(self, settings: RulesSettings) -> None:
        """Follow these settings from now on."""
        self.settings, self.limits = settings.network, settings.limits
