"""What the daemon prints at its first start, done as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from tests.support.browsing import PASSWORD
from tests.support.daemon import WITHIN, DaemonTestCase, environment

_FORM: Final = re.compile('<input type="hidden" name="csrf" value="([^"]+)">')


class FirstStepsTests(DaemonTestCase):
    """A new network, by somebody who has read nothing but the log."""

    def send(self, browser: OpenerDirector, url: str, page: str, **fields: str) -> str:
        """Send a form of a page; returns the page that comes of it."""
        (token, *_) = _FORM.findall(page)
        with browser.open(url, urlencode({"csrf": token, **fields}).encode(), timeout=WITHIN) as answer:
            return str(answer.read().decode())

    def read(self, browser: OpenerDirector, url: str) -> str:
        """A page."""
        with browser.open(url, timeout=WITHIN) as answer:
            return str(answer.read().decode())

    def test_welcome(self) -> None:
        """
        The command registers a game, the link makes an admin, and the admin finds the game at /manage, takes it, and
        has the guides filled in for it.
        """
        daemon = self.daemon().start()
        daemon.logged("no admin yet")
        (command,) = re.findall(r"register a game with: (.+)", daemon.log)
        (link,) = re.findall(r"make the first one at (\S+)", daemon.log)
        installed = daemon.directory / "gossipctl"
        installed.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m gossip.cli.ctl "$@"\n')
        installed.chmod(0o755)
        path = environment(PATH=f"{daemon.directory}:{os.environ['PATH']}")
        typed = subprocess.run(
            ["sh", "-c", command], check=False, capture_output=True, text=True, timeout=WITHIN, env=path
        )
        self.assertEqual(typed.returncode, 0, typed.stderr)
        (client_id,) = re.findall(r"client_id +(\S+)", typed.stdout)
        (manage,) = re.findall(r"http\S+/manage", typed.stdout)

        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        browser.addheaders = [("Accept", "text/html")]
        page = self.send(browser, link, self.read(browser, link), name="Boss", password=PASSWORD, again=PASSWORD)
        self.assertIn("<summary>1 of 7 done</summary>", page)
        self.assertIn("1 game registered, but none has connected yet.", page)

        page = self.read(browser, manage)
        self.assertIn("1 game without an owner", page)
        (game,) = re.findall('<button name="game" value="([^"]+)">', page)
        self.assertEqual(game, client_id)
        page = self.send(browser, manage.replace("/manage", "/ownerless"), page, game=game, back="/manage")
        self.assertIn("the games that you took are yours now", page)
        self.assertNotIn("without an owner", page)
        guide = self.read(browser, manage.replace("/manage", "/connect/evennia"))
        self.assertIn(client_id, guide)
        self.assertEqual(daemon.admin("game/show", game="MyMUD")["owner"], "Boss")
