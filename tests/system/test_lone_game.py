"""A network of one game, by real sockets: what its owner can try when nobody else is there."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

from tests.support.daemon import Daemon, DaemonTestCase, free_port
from tests.support.telnet_line import Line


class FirstStartTests(DaemonTestCase):
    """The channels that a new network has."""

    def channels(self, daemon: Daemon) -> dict[str, bool]:
        """The channels, each with whether it is hidden."""
        return {each["name"]: each["hidden"] for each in daemon.admin("channel/list")["channels"]}

    def test_once(self) -> None:
        """The first start makes one to talk on, for everybody to see, and one to try things on; a later one none."""
        daemon = self.daemon().start()
        self.assertEqual(self.channels(daemon), {"gossip": False, "testing": True})
        daemon.admin("channel/remove", channel="gossip")
        daemon.stop(signal.SIGKILL)
        daemon.start()
        self.assertEqual(self.channels(daemon), {"testing": True})

    def test_game_before_the_first_start(self) -> None:
        """They are there as well if the first game is registered before the daemon starts."""
        daemon = self.daemon()
        daemon.gossipctl("game", "add", "Alpha", "--short", "Alpha")
        self.assertEqual(self.channels(daemon.start()), {"gossip": False, "testing": True})


class EchoTests(DaemonTestCase):
    """The player echo of the network."""

    def lone(self) -> tuple[Daemon, int]:
        """A daemon with a telnet port."""
        port = free_port()
        return self.daemon(arguments=("--telnet", f"tcp:{port}:interface=127.0.0.1")).start(), port

    def test_websocket(self) -> None:
        """A game hears an answer on testing after its success; no other game does, and it is in no history."""
        daemon, _ = self.lone()
        flags = ["channels", "tells", "history"]
        alpha = self.join(daemon, daemon.register("Alpha"), channels=["testing"], players=["Ana"], supports=flags)
        beta = self.join(daemon, daemon.register("Beta"), channels=["testing"])
        success, echo = alpha.ask("channels/send", {"channel": "testing", "name": "Ana", "message": "hello"})
        self.assertEqual(success, {"event": "channels/send", "ref": "1", "status": "success"})
        self.assertEqual(
            echo["payload"],
            {"channel": "testing", "game": "gossip", "name": "echo", "message": "Ana@Alpha said: hello"},
        )
        self.assertEqual([frame["payload"]["name"] for frame in beta.hear()], ["Ana"])
        (history,) = alpha.ask("channels/history", {"channel": "testing"})
        self.assertEqual([each["name"] for each in history["payload"]["messages"]], ["Ana"])

        tell = {"from_name": "Ana", "to_game": "gossip", "to_name": "echo", "message": "psst"}
        told, success = alpha.ask("tells/send", tell)
        self.assertEqual(told["payload"].pop("sent_at")[-1], "Z")
        self.assertEqual(
            told["payload"],
            {"from_game": "gossip", "from_name": "echo", "to_name": "Ana", "message": "You said: psst"},
        )
        self.assertEqual(success["status"], "success")

    def test_telnet(self) -> None:
        """The same by telnet."""
        daemon, port = self.lone()
        game = daemon.register("Alpha")
        line = Line(port)
        self.addCleanup(line.close)
        line.say("LOGIN {client_id} {client_secret}".format_map(game), "PLAYERS Ana", "SUBSCRIBE testing")
        line.until("OK SUBSCRIBE")
        line.say("SEND testing Ana hello")
        self.assertEqual(line.until("MSG"), ["OK SEND testing", "MSG testing echo@gossip Ana@Alpha said: hello"])
        line.say("TELL Ana echo@gossip psst")
        self.assertEqual(line.until("OK"), ["TELL Ana echo@gossip You said: psst", "OK TELL echo@gossip"])

    def test_reload(self) -> None:
        """It can be switched off while the daemon runs."""
        daemon, _ = self.lone()
        game = self.join(daemon, daemon.register("Alpha"), players=["Ana"])
        tell = {"from_name": "Ana", "to_game": "gossip", "to_name": "echo", "message": "psst"}
        self.assertEqual(len(game.ask("tells/send", tell)), 2)
        daemon.configure("[network]\necho = false\n")
        daemon.send_signal(signal.SIGHUP)
        daemon.logged("read the configuration again")
        self.assertEqual(game.outcome("tells/send", tell), "receiving player offline")


class RehearsalTests(DaemonTestCase):
    """gossipctl game rehearse."""

    def test_steps(self) -> None:
        """The game hears every step; gossipctl waits until it answers a heartbeat, or comes back after a restart."""
        daemon = self.daemon().start()
        registered = daemon.register("Alpha")
        game = self.join(daemon, registered, channels=["testing"], players=["Ana"])
        with ThreadPoolExecutor() as threads:
            printed = threads.submit(daemon.gossipctl_text, "game", "rehearse", "Alpha", within=60)
            events = [game.expect(event) for event in ("channels/broadcast", "tells/receive", "players/sign-in")]
            self.assertEqual(game.expect("players/sign-out")["payload"], {"game": "gossip", "name": "echo"})
            game.expect("heartbeat")
            game.write({"event": "heartbeat", "payload": {"players": ["Ana"]}})
            lines = printed.result().splitlines()
        self.assertEqual(events[0]["payload"]["game"], "gossip")
        self.assertEqual(events[1]["payload"]["to_name"], "Ana")
        self.assertEqual(len([line for line in lines if line.startswith("  yes: it answered the next heartbeat")]), 5)
        with ThreadPoolExecutor() as threads:
            result = threads.submit(daemon.gossipctl, "game", "rehearse", "Alpha", "--step", "restart")
            frames, code, _ = game.ended()
            self.assertEqual((frames[-1]["event"], frames[-1]["payload"], code), ("restart", {"downtime": 5}, 1012))
            self.join(daemon, registered)
            [step] = result.result()["steps"]
        self.assertTrue(step["done"], step)
        noted = [entry["operation"] for entry in daemon.admin("audit/list")["entries"]]
        self.assertEqual(noted, ["game/rehearse", "game/rehearse", "game/add"])
