"""Clients of websockets as they are in the field, at a real daemon."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

from twisted.trial.unittest import SkipTest

from tests.support.daemon import DaemonTestCase

TORNADO: Final = """
import json, sys
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

async def main():
    socket = await websocket_connect(sys.argv[1], compression_options={})
    # tornado overlooks parameters without a value, such as client_no_context_takeover.
    print(json.dumps({"compresses": socket.protocol._compressor is not None}), flush=True)
    for line in sys.stdin:
        await socket.write_message(line.strip())
        if '"ref"' not in line:
            break
    while (message := await socket.read_message()) is not None:
        print(json.dumps({"event": json.loads(message)}), flush=True)
    print(json.dumps({"closed": socket.close_code}), flush=True)

IOLoop.current().run_sync(main)
"""


class TornadoTests(DaemonTestCase):
    """The client of tornado, which compresses, and goes on with its window whatever it is told."""

    def setUp(self) -> None:
        if importlib.util.find_spec("tornado") is None:
            raise SkipTest("needs tornado")

    def test_talks_and_parts(self) -> None:
        """It talks compressed, and at SIGTERM it reads the restart and then the end of the connection."""
        daemon = self.daemon().start()
        game = daemon.register("Alpha")
        beta = self.join(daemon, daemon.register("Beta"), channels=["gossip"])
        process = subprocess.Popen(
            [sys.executable, "-c", TORNADO, daemon.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        told = self.told(process)
        self.assertEqual(next(told), {"compresses": True})
        supports = {"supports": ["channels"], "channels": ["gossip"]}
        sent: list[dict[str, Any]] = [{"event": "authenticate", "ref": "0", "payload": {**game, **supports}}]
        for number in range(1, 6):
            payload = {"channel": "gossip", "name": "Ana", "message": f"Message {number}. " * 20}
            sent.append({"event": "channels/send", "ref": str(number), "payload": payload})
        sent.append({"event": "heartbeat"})
        assert process.stdin is not None
        process.stdin.writelines(json.dumps(each) + "\n" for each in sent)
        process.stdin.flush()
        for number in range(1, 6):
            said = beta.expect("channels/broadcast")["payload"]["message"]
            self.assertEqual(said, f"Message {number}. " * 20)
        answered = [each["event"] for each in (next(told) for _ in range(7))]
        self.assertEqual([each["ref"] for each in answered if each["event"] == "channels/send"], list("12345"))
        daemon.send_signal(signal.SIGTERM)
        restart, closed = told
        self.assertEqual((restart["event"]["event"], closed["closed"]), ("restart", 1012))
        self.assertEqual(daemon.wait(), 0)

    def told(self, process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
        """What the client prints."""
        assert process.stdout is not None
        return (json.loads(line) for line in process.stdout)
