"""gossipctl talk in a process of its own: how it finds the network, and what it says when there is none."""

from __future__ import annotations

import subprocess
import sys

from tests.support.daemon import WITHIN, Daemon, DaemonTestCase, Frame, environment, free_port


class FindTests(DaemonTestCase):
    """A person at a terminal that types one line."""

    def talk(self, daemon: Daemon, game: Frame, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Say hello, and leave."""
        return subprocess.run(
            (sys.executable, "-m", "gossip.cli.ctl", *arguments),
            env=environment(GOSSIP_CLIENT_ID=game["client_id"], GOSSIP_CLIENT_SECRET=game["client_secret"]),
            cwd=daemon.directory,
            input="hello\n",
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )

    def test_data(self) -> None:
        """The daemon of a data directory says where it listens: on another port, by an option."""
        other = free_port()
        daemon = self.daemon(f'[network]\nwebsite = "gossip.example.org:{other}"\n').start()
        alpha, beta = daemon.register("Alpha"), self.join(daemon, daemon.register("Beta"), channels=["gossip"])
        for option, value in (("--data", daemon.data), ("--socket", daemon.data / "admin.sock")):
            done = self.talk(daemon, alpha, option, str(value), "talk", "--name", "Ana")
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
            self.assertTrue(done.stdout.startswith(f"* Connecting to {daemon.url}\n* Connected. "), done.stdout)
            heard = beta.expect("channels/broadcast")["payload"]
            self.assertEqual((heard["name"], heard["message"]), ("Ana", "hello"))
        status = daemon.status()
        self.assertEqual((status["address"], status["socket"]), (f"https://gossip.example.org:{other}", daemon.url))

    def test_refused(self) -> None:
        """If nobody listens, the address is named; if no daemon runs for a data directory, that is said."""
        daemon = self.daemon()
        game = {"client_id": "x", "client_secret": "y"}
        url = f"ws://127.0.0.1:{free_port()}/socket"
        done = self.talk(daemon, game, "talk", "--url", url)
        told = f"* Connecting to {url}\n* Cannot connect to {url}: Connection refused\n"
        self.assertEqual((done.returncode, done.stdout), (1, told))
        done = self.talk(daemon, game, "--data", str(daemon.data), "talk")
        socket = daemon.data / "admin.sock"
        told = f"gossipctl: no daemon listens at {socket}; to talk on another network, give its --url\n"
        self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", told))
