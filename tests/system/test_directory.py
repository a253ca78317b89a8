"""The extension directory at a real daemon, also across a restart."""

from __future__ import annotations

from typing import Any

from tests.support.daemon import DaemonTestCase, Game


class DirectoryTests(DaemonTestCase):
    """A game with the extension beside an old one."""

    def test_directory(self) -> None:
        """Channels are listed, their changes are told, and what a list says survives the daemon."""
        daemon = self.daemon().start()
        alpha, beta = (daemon.register(short_name) for short_name in ("Alpha", "Beta"))
        asking = self.connect(daemon)
        asking.authenticate(alpha, channels=["staff"], extensions=["directory"])
        old = self.join(daemon, beta, channels=["gossip"])
        old.hear(), asking.hear()
        self.assertEqual(self.names(asking), ["gossip", "staff", "testing"])
        self.assertEqual(self.names(old), ["gossip", "testing"])

        daemon.admin("channel/describe", channel="gossip", description="About lighthouses")
        changed = asking.expect("channels/changed")["payload"]
        self.assertEqual((changed["channel"], changed["change"]), ("gossip", "described"))
        self.assertEqual(old.hear(), [])
        say = {"channel": "gossip", "name": "Bo", "message": "/me waves"}
        self.assertEqual(old.outcome("channels/send", say), "success")
        before = self.channels(asking)["gossip"]
        self.assertIsNotNone(before["last_sent_at"])
        *_, end = asking.ask("games/status")
        self.assertEqual(end["payload"], {"total": 1})

        daemon.stop()
        daemon.launch()
        daemon.wait_until_healthy()
        asking = self.connect(daemon)
        asking.authenticate(alpha, channels=["gossip"], extensions=["directory"])
        # Everybody has the grace to come back.
        (seen,) = asking.ask("games/status", {"game": "Beta"})
        self.assertTrue(seen["payload"]["online"])
        self.assertIsNotNone(seen["payload"]["last_seen_at"])
        after = self.channels(asking)["gossip"]
        self.assertEqual(after, {**before, "subscribed": True})

    def channels(self, game: Game) -> dict[str, Any]:
        """The channels that a game lists, by name."""
        answers = game.ask("channels/list")
        return {channel["channel"]: channel for answer in answers for channel in answer["payload"]["channels"]}

    def names(self, game: Game) -> list[str]:
        """Their names, in order."""
        return list(self.channels(game))
