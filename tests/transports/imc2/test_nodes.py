"""MUDs at the IMC2 ports of two nodes: to each other they are MUDs of one network."""

from __future__ import annotations

from gossip.transports.imc2.transport import Imc2Transport
from tests.support.imc2_games import Imc2TestCase, Mud, imc2_key, imc2_port
from tests.support.memory_nodes import MemoryNode, Stream


class NodesTests(Imc2TestCase):
    """Alpha's node and Beta's."""

    def setUp(self) -> None:
        super().setUp()
        self.stream = Stream()
        self.nodes = [MemoryNode(self.stream, name) for name in "ab"]
        self.ports = []
        for node in self.nodes:
            port = imc2_port(Imc2Transport(self.limits), node, self.config)
            port.doStart()
            self.addCleanup(port.doStop)
            self.ports.append(port)

    def turns(self) -> None:
        """Both nodes do what is to be done."""
        for _ in range(3):
            for node in self.nodes:
                node.flush()
                node.clock.advance(0)

    def come(self, number: int, name: str) -> Mud:
        """A MUD logs in at a node."""
        mud = Mud(self.ports[number], self.turns)
        key = {imc2_key(node.world, name) for node in self.nodes}.pop()
        mud.name = name
        self.assertEqual(mud.say(f"PW {name} {key} version=2 autosetup pw"), ["PW Gossip pw version=2 GossipNet"])
        mud.packet("*", "is-alive *@* versionid=x")
        return mud

    def test_replaced(self) -> None:
        """A game that logs in at another node replaces its connection, as it would at the same one."""
        first = self.come(0, "Alpha")
        self.assertTrue(first.wire.connected)
        second = self.come(1, "Alpha")
        self.assertEqual((first.wire.connected, second.wire.connected), (False, True))
        third = self.come(1, "Alpha")
        self.assertEqual((second.wire.connected, third.wire.connected), (False, True))
        for node in self.nodes:
            online = node.network.presence.online(node.world.client_id("Alpha"))
            assert online is not None
            self.assertEqual(len(online.sessions), 1)

    def test_at_once(self) -> None:
        """Of two logins at the same moment one stays, whichever node hears of what first."""
        self.stream.slow = True
        muds = [Mud(port, self.turns) for port in self.ports]
        key = {imc2_key(node.world, "Alpha") for node in self.nodes}.pop()
        for mud in muds:
            mud.send(f"PW Alpha {key} version=2\n\r".encode())
        self.turns()
        self.stream.hear()
        self.turns()
        self.assertEqual([mud.wire.connected for mud in muds], [False, True])

    def test_packets(self) -> None:
        """MUDs ask each other, and answer, as they do at one node."""
        told = []
        for other in (0, 1):
            alpha, beta = self.come(0, "Alpha"), self.come(other, "Beta")
            alpha.lines()
            alpha.packet("Ana", "who *@Beta type=who")
            asked = beta.lines()
            beta.packet("*", 'who-reply Ana@Alpha text="nobody"')
            answered = alpha.lines()
            alpha.packet("Ana", "whois Bo@* level=1")
            alpha.packet("Ana", "beep Bo@Beta")
            told.append((asked, answered, beta.lines()))
            for mud in (alpha, beta):
                mud.wire.loseConnection()
            self.turns()
        self.assertEqual(told[1], told[0])
        self.assertEqual([len(lines) for lines in told[0]], [1, 1, 2])
