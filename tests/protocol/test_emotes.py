"""L{gossip.protocol.emotes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gossip.protocol.emotes import emote, spoken


class EmoteTests(SynchronousTestCase):
    """What is an emote, and how people read it."""

    def test_emote(self) -> None:
        """An emote begins with the command as it is written, and says something."""
        self.assertEqual(emote("/me waves"), "waves")
        self.assertEqual(emote("/me  waves "), " waves ")
        for message in ("/me", "/me ", "/me \t", "/ME waves", " /me waves", "/mew", "say /me waves", ""):
            self.assertIsNone(emote(message), message)

    def test_spoken(self) -> None:
        """A message has its player in front, and an emote is about its player."""
        self.assertEqual(spoken("Ana", "MyMUD", "hi"), "Ana@MyMUD: hi")
        self.assertEqual(spoken("Ana", "MyMUD", "/me waves"), "* Ana@MyMUD waves")
        self.assertEqual(spoken("Ana", "MyMUD", "/me"), "Ana@MyMUD: /me")
