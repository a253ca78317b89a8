"""How a node is, for people."""

from __future__ import annotations

from collections.abc import Collection

from gossip.cluster.members import Member
from gossip.cluster.shared_store import Node
from gossip.network.session import Session
from gossip.protocol.text import timestamp
from gossip.service.interfaces import NodeStatus


def differs(member: Member, me: Node) -> bool:
    """Has another node other settings than this one? Those of other versions cannot be compared."""
    return member.settings != me.settings and member.version == me.version


def status(member: Member, me: Node, sessions: Collection[Session], draining: bool, deaf: bool) -> NodeStatus:
    """
    How a node is, as this one knows it.

    @param member: the node, as the database showed it last.
    @param me: this node.
    @param sessions: those of the node.
    @param draining: whether this node takes no new games.
    @param deaf: whether this node hears nobody.
    """
    here = member.name == me.name
    return NodeStatus(
        name=member.name,
        here=here,
        version=member.version,
        address=member.address,
        since=timestamp(member.started_at, "seconds"),
        sessions=len(sessions),
        players=sum(len(session.players) for session in sessions),
        behind=member.behind,
        clock=member.ahead,
        draining=draining if here else member.draining,
        differs=differs(member, me),
        deaf=here and deaf,
    )
