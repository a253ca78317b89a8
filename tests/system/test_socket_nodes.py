"""The transcripts of the protocol at the real socket once more, with the games spread over two nodes."""

from __future__ import annotations

from tests.support.node_pair import OnTwoNodes
from tests.system import test_socket


class AuthenticateTests(OnTwoNodes, test_socket.AuthenticateTests): ...


class FramesTests(OnTwoNodes, test_socket.FramesTests): ...


class HeartbeatTests(OnTwoNodes, test_socket.HeartbeatTests): ...


class ChannelsTests(OnTwoNodes, test_socket.ChannelsTests): ...


class PlayersTests(OnTwoNodes, test_socket.PlayersTests): ...


class GamesTests(OnTwoNodes, test_socket.GamesTests): ...


class TellsTests(OnTwoNodes, test_socket.TellsTests): ...


class AchievementsTests(OnTwoNodes, test_socket.AchievementsTests): ...


class LimitsTests(OnTwoNodes, test_socket.LimitsTests): ...
