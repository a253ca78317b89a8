"""L{gossip.checks}: what is wrong with a configuration that can be read."""

from __future__ import annotations

import os
import resource
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace
from twisted.trial.unittest import SynchronousTestCase

from gossip.checks import findings
from gossip.config.config import Config, Limits
from gossip.network.settings import NetworkSettings
from gossip.transports.admission import RESERVED_FILES
from gossip.transports.imc2.limits import Imc2Settings
from gossip.transports.intermud3.gateway.settings import I3GatewaySettings
from gossip.transports.intermud3.limits import I3Settings
from gossip.web.settings import MailSettings, WebSettings
from tests.support.certificate import signed

FINE = Config(limits=Limits(connections=100))


class FindingsTests(SynchronousTestCase):
    """Configurations with one thing wrong."""

    def found(self, config: Config) -> list[str]:
        return [str(finding) for finding in findings(config)]

    def found_at(self, *listen: str) -> list[str]:
        return self.found(replace(FINE, listen=listen))

    def pem(self, days: int) -> str:
        """A directory with one certificate."""
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        made = signed("gossip.example.org", ends=datetime.now(UTC) + timedelta(days=days, hours=1))
        (directory / "gossip.pem").write_bytes(made.key + made.pem)
        return str(directory)

    def test_fine(self) -> None:
        """Nothing is found where nothing is wrong, whatever the kind of the address."""
        here = Path(self.mktemp()).absolute()
        every = ("tcp:4110", "tcp6:0", f"unix:{here}", "systemd:domain=INET:index=0", "haproxy:tcp:4111")
        self.assertEqual(self.found_at(*every, f"tls:{self.pem(90)}:443"), [])

    def test_i3(self) -> None:
        """The port for Intermud-3 can have a proxy, but no TLS."""
        for address, found in (
            ("haproxy:tcp:4114", []),
            (f"tls:{self.pem(90)}:4114", ["MUDs by Intermud-3 know no TLS"]),
        ):
            config = replace(FINE, i3=I3Settings(listen=(address,)))
            self.assertEqual(self.found(config), [f"error: i3.listen: {address}: {text}" for text in found])

    def test_gateway(self) -> None:
        """The main channel should not pass to another network."""
        gateway = I3GatewaySettings(routers=("*one 192.0.2.1 8080",), game="I3", channels=("dchat=dchat",))
        self.assertEqual(self.found(replace(FINE, i3=I3Settings(gateway=gateway))), [])
        gateway = replace(gateway, channels=("gossip=dchat:in",))
        [found] = self.found(replace(FINE, i3=I3Settings(gateway=gateway)))
        self.assertIn("warning: i3.gateway.channels: games on gossip did not choose", found)

    def test_imc2(self) -> None:
        """An IMC2 port is checked as well; it can have neither TLS nor a proxy."""
        for address, found in (
            ("tcp:4113", []),
            ("haproxy:tcp:4113", ["IMC2 clients know neither TLS nor proxies"]),
            (f"tls:{self.pem(90)}:4113", ["IMC2 clients know neither TLS nor proxies"]),
            ("tcp:4110:interface=127.0.0.1", ["the port 4110 is listed twice"]),
        ):
            config = replace(FINE, imc2=Imc2Settings(listen=(address,)))
            self.assertEqual(self.found(config), [f"error: imc2.listen: {address}: {text}" for text in found])

    def test_addresses(self) -> None:
        """A wrong address is named with the mistake, one by one."""
        for address, mistake in (
            ("tcp:99999", "a port is a number from 0 to 65535, not '99999'"),
            ("tcp:port=http", "a port is a number from 0 to 65535, not 'http'"),
            ("tcp:-1", "a port is a number from 0 to 65535, not '-1'"),
            ("tcp", "tcp needs a port, such as tcp:4110"),
            ("tpc:4110", "there is no kind of address called 'tpc', did you mean 'tcp'?"),
            ("haproxy:tcp:70000", "a port is a number from 0 to 65535, not '70000'"),
            ("tcp:1:backlog=many", "invalid literal for int() with base 10: 'many'"),
            ("tls:/nonexistent:443", "cannot read /nonexistent: No such file or directory"),
            ("ssl:1:privateKey=/no/key:certKey=/no/cert", "cannot read /no/cert: No such file or directory"),
        ):
            self.assertEqual(self.found_at(address), [f"error: listen: {address}: {mistake}"])
        self.assertEqual(
            self.found(replace(FINE, telnet=("nonsense:1", "tcp:2")))[0].partition("called")[0],
            "error: telnet: nonsense:1: there is no kind of address ",
        )

    def test_twice(self) -> None:
        """A port that is listed twice could be opened once; different addresses of one port can."""
        self.assertEqual(
            self.found(replace(FINE, telnet=("tcp:4110:interface=127.0.0.1",))),
            ["error: telnet: tcp:4110:interface=127.0.0.1: the port 4110 is listed twice"],
        )
        self.assertEqual(self.found_at("tcp:1:interface=127.0.0.1", "tcp:1:interface=127.0.0.2", "tcp:0", "tcp:0"), [])

    def test_certificates(self) -> None:
        """A certificate that has ended, or ends within 14 days, is a warning: it may be renewed at any time."""
        for days, said in ((-3, "ended at "), (13, "ends at ")):
            (warning,) = self.found_at(f"tls:{self.pem(days)}:443")
            self.assertIn(f"warning: listen: the certificate for gossip.example.org {said}", warning)
        self.assertEqual(self.found_at(f"tls:{self.pem(14)}:443"), [])

    def test_open_files(self) -> None:
        """Connections that the limit of open files does not allow are a warning; the limit itself stays."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertEqual(self.found(Config(limits=Limits(connections=hard - RESERVED_FILES))), [])
        (warning,) = self.found(Config(limits=Limits(connections=hard)))
        self.assertIn(f"warning: limits.connections: only {hard - RESERVED_FILES} can be accepted", warning)
        self.assertEqual(self.found(Config(limits=Limits(connections=0))), [])
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (soft, hard))

    def test_data(self) -> None:
        """The data directory is one, and nobody else can look into it."""
        path = Path(self.mktemp())
        self.assertEqual(self.found(replace(FINE, data=str(path))), [])
        path.write_text("in the way")
        self.assertEqual(self.found(replace(FINE, data=str(path))), [f"error: data: {path} is not a directory"])
        self.assertEqual(self.found(replace(FINE, data=f"{path}/x")), [f"error: data: {path}/x: Not a directory"])
        path.unlink()
        path.mkdir(mode=0o755)
        path.chmod(0o755)
        self.assertEqual(
            self.found(replace(FINE, data=str(path))),
            [f"warning: data: other users can look into {path}: chmod 700 {path}"],
        )
        path.chmod(stat.S_IRWXU)
        self.assertEqual(self.found(replace(FINE, data=str(path))), [])

    def test_mail(self) -> None:
        """Mail without encryption is a warning, except on this machine."""
        for server, count in (("mail.example.org:25", 1), ("localhost:25", 0), ("127.0.0.1:25", 0), ("[::1]:25", 0)):
            mail = MailSettings(server=server, sender="a@b.example", encrypted=False)
            found = self.found(replace(FINE, web=WebSettings(mail=mail)))
            self.assertEqual(len(found), count, server)
            self.assertEqual(self.found(replace(FINE, web=WebSettings(mail=replace(mail, encrypted=True)))), [])

    def test_rules(self) -> None:
        """A file of rules that is missing or broken is a warning with the place: the daemon shows the default rules."""
        path = Path(self.mktemp())
        asked = replace(FINE, network=NetworkSettings(rules=str(path)))

        def about(text: bytes) -> list[str]:
            path.write_bytes(text)
            return self.found(asked)

        default = "/rules shows the default rules"
        why = f"warning: network.rules: cannot read {path}: No such file or directory; {default}"
        self.assertEqual(self.found(asked), [why])
        self.assertEqual(about(b"Rules\n=====\n\nBe kind.\n"), [])
        self.assertEqual(about(b"\xef\xbb\xbfBe *kind*."), [])
        self.assertEqual(about(b" \n"), [f"warning: network.rules: {path} is empty; {default}"])
        self.assertEqual(about(b"no \xe4"), [f"warning: network.rules: {path}: not UTF-8, at byte 3; {default}"])
        self.assertEqual(about(b"x" * 65537), [f"warning: network.rules: {path} has more than 65536 bytes; {default}"])
        self.assertEqual(
            about(b"Be kind.\n\n.. noet:: x\n\n|x|"),
            [
                f'warning: network.rules: {path}: line 3: Unknown directive type "noet".',
                f'warning: network.rules: {path}: line 5: Undefined substitution referenced: "x".',
            ],
        )
        elsewhere = replace(FINE, network=NetworkSettings(rules="https://example.org/rules"))
        self.assertEqual(self.found(elsewhere), [])

    def test_rules_of_no_file(self) -> None:
        """A directory or a pipe is no file of rules, and nothing waits for one."""
        pipe = self.mktemp()
        os.mkfifo(pipe)
        for path, why in ((pipe, f"{pipe} is not a file"), ("/", "cannot read /: Is a directory")):
            (warning,) = self.found(replace(FINE, network=NetworkSettings(rules=path)))
            self.assertIn(why, warning)

    def test_proxies(self) -> None:
        """Public pages of a daemon on the loopback come through a proxy, which it must be told of."""
        public = NetworkSettings(website="https://gossip.example.org/")
        (warning,) = self.found(replace(FINE, network=public))
        self.assertIn("warning: proxies: set it to 1", warning)
        for fine in (
            replace(FINE, network=public, proxies=1),
            replace(FINE, network=public, listen=("tcp:4110",)),
            replace(FINE, network=NetworkSettings(website="http://localhost:4110/")),
        ):
            self.assertEqual(self.found(fine), [])
