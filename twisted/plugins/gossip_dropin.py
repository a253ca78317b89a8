"""Tells twistd about C{twistd gossip}."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

gossip = ServiceMaker("gossip", "gossip.tap", "A network that connects MUDs.", "gossip")
