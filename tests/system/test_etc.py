"""What lies in etc/."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml  # type: ignore[import-untyped]
from prometheus_client import CollectorRegistry, ProcessCollector
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.trial.unittest import SkipTest, SynchronousTestCase

from gossip.cli import ctl
from gossip.config.config import Config
from gossip.config.loading import load
from gossip.service.interfaces import ClusterFigures, NodeStatus
from gossip.service.writing import STUCK_SECONDS
from gossip.tap import MISCONFIGURED
from gossip.transports.admission import RESERVED_FILES
from gossip.transports.registered import TRANSPORTS
from gossip.web.api.metrics import DaemonCollector
from gossip.web.site import public_site
from tests.support.i3_gateway import gateway
from tests.support.memory_service import MemoryService

ROOT = Path(__file__).resolve().parents[2]
ETC = ROOT / "etc"


def lists(value: Any) -> Any:
    """Make the tuples of settings the lists that TOML has."""
    if isinstance(value, dict):
        return {key: lists(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


class GossipToml(SynchronousTestCase):
    """The file that explains the settings."""

    def test_as_it_is(self) -> None:
        """As it is, it changes nothing."""
        self.assertEqual(load({"config": str(ETC / "gossip.toml")}, {}), Config())

    def test_every_setting(self) -> None:
        """It has every setting, once, and shows its default."""
        shown = re.sub(r"(?m)^#(?=\w+ = )", "", (ETC / "gossip.toml").read_text())
        self.assertEqual(tomllib.loads(shown), lists(msgspec.to_builtins(Config())))

    def test_explained(self) -> None:
        """Every setting, or a few of them together, stand below an explanation."""
        for block in (ETC / "gossip.toml").read_text().split("\n\n"):
            if re.search(r"(?m)^#\w+ = ", block):
                self.assertRegex(block.strip("\n"), r"^# \w")


class Others(SynchronousTestCase):
    """The files for systemd, proxies and containers."""

    def test_port(self) -> None:
        """Whatever names a port of the daemon names the default one."""
        port = Config().listen[0].split(":")[1]
        names = ("nginx.conf", "nginx.cluster.conf", "Caddyfile", "Dockerfile", "compose.yaml", "compose.cluster.yaml")
        for name in (*names, "gossip.socket"):
            self.assertRegex((ETC / name).read_text(), rf"(127\.0\.0\.1|\[::\]):{port}\b", name)

    def test_variables(self) -> None:
        """Every variable that is mentioned exists."""
        known = {"GOSSIP_CONFIG", *(f"GOSSIP_{name.upper()}" for name in Config.__struct_fields__)}
        mentioned = {name for path in ETC.iterdir() for name in re.findall(r"\bGOSSIP_[A-Z_]+", path.read_text())}
        self.assertIn("GOSSIP_LISTEN", mentioned)
        self.assertEqual(mentioned - known, set())

    def test_patience(self) -> None:
        """nginx outwaits a connection that has not authenticated."""
        for name in ("nginx.conf", "nginx.cluster.conf"):
            timeouts = re.findall(r"proxy_(?:read|send)_timeout (\d+)s;", (ETC / name).read_text())
            self.assertEqual(len(timeouts), 2)
            self.assertGreater(min(map(int, timeouts)), Config().limits.authenticate_seconds)

    def test_open_files(self) -> None:
        """systemd and compose allow a file for every connection."""
        systemd, compose = r"LimitNOFILE=(\d+)", r"nofile: (\d+)"
        for name, pattern in (
            ("gossip.service", systemd),
            ("gossip@.service", systemd),
            ("compose.yaml", compose),
            ("compose.cluster.yaml", compose),
        ):
            found = re.search(pattern, (ETC / name).read_text())
            assert found is not None
            self.assertGreaterEqual(int(found[1]), Config().limits.connections + RESERVED_FILES, name)

    def test_dockerignore(self) -> None:
        """A build sees what it copies and nothing else, so that no database or key gets into an image."""
        copied = re.findall(r"(?m)^COPY ((?!--).+) \S+$", (ETC / "Dockerfile").read_text())
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        self.assertIn("*", lines)
        self.assertEqual(
            {line[1:] for line in lines if line.startswith("!")}, {each for line in copied for each in line.split()}
        )

    def test_volumes(self) -> None:
        """Docker gives a new volume the owner of its directory in the image, which the daemon's user must be."""
        (made,) = re.findall(r"install -d -m 700 -o gossip -g gossip (.*)", (ETC / "Dockerfile").read_text())
        services = yaml.safe_load((ETC / "compose.yaml").read_text())["services"].values()
        mounted = {volume.split(":")[1] for service in services for volume in service["volumes"]}
        self.assertEqual(mounted, set(made.split()))

    def test_pinned(self) -> None:
        """The images that everything is built on have a whole version."""
        bases = re.findall(r"(?m)^FROM (\S+)", (ETC / "Dockerfile").read_text())
        self.assertEqual(len(set(bases)), 1)
        self.assertRegex(bases[0], r"^python:\d+\.\d+\.\d+-slim-[a-z]+$")

    def test_unit(self) -> None:
        """systemd is told what the daemon does: readiness, signs of life, the status of a wrong configuration."""
        unit = dict(re.findall(r"(?m)^(\w+)=(.*)$", (ETC / "gossip.service").read_text()))
        self.assertEqual((unit["Type"], unit["RestartPreventExitStatus"]), ("notify", str(MISCONFIGURED)))
        self.assertGreater(int(unit["WatchdogSec"]), STUCK_SECONDS)
        reloads = re.findall(r"(?m)^ExecReload=(.*)$", (ETC / "gossip.service").read_text())
        start = unit["ExecStart"]
        self.assertEqual(reloads, [f"{start} --check", "/bin/kill -HUP $MAINPID"])

    def test_unit_of_a_node(self) -> None:
        """The unit of a node differs from that of a daemon that is alone only in what each node has for itself."""
        one, many = (
            (ETC / name).read_text().partition("[Unit]")[2].splitlines()
            for name in ("gossip.service", "gossip@.service")
        )
        more = [line for line in many if line not in one and not line.startswith("#")]
        self.assertEqual([line for line in more if "%i" not in line], ["Restart=always"])
        self.assertEqual(len(one) + 3, len(many))
        self.assertIn("GOSSIP_NODE=%i", "".join(more))

    def test_cluster(self) -> None:
        """The nodes of the example differ in their names and volumes; the proxy has each node's port."""
        services = yaml.safe_load((ETC / "compose.cluster.yaml").read_text())["services"]
        nodes = {name: service for name, service in services.items() if service["image"] == "gossip"}
        self.assertEqual(
            {name: node["environment"]["GOSSIP_NODE"] for name, node in nodes.items()}, {"a": "a", "b": "b"}
        )
        published = {port.rpartition(":")[0] for node in nodes.values() for port in node["ports"]}
        proxied = set(re.findall(r"server (127\.0\.0\.1:\d+) ", (ETC / "nginx.cluster.conf").read_text()))
        self.assertEqual(published, proxied)

    def test_backup_unit(self) -> None:
        """The timer's command is one of gossipctl, and writes to the directory that systemd makes for it."""
        unit = dict(re.findall(r"(?m)^(\w+)=(.*)$", (ETC / "gossip-backup.service").read_text()))
        parsed = ctl.parser().parse_args(unit["ExecStart"].split()[1:])
        self.assertEqual((parsed.file, parsed.keep), (f"/var/lib/{unit['StateDirectory']}", 14))

    def test_copied(self) -> None:
        """What the Dockerfile copies exists, and so does there what the package only links to."""
        copied = re.findall(r"(?m)^COPY ((?!--).+) \S+$", (ETC / "Dockerfile").read_text())
        sources = [source for line in copied for source in line.split()]
        self.assertIn("gossip", sources)
        self.assertEqual([source for source in sources if not (ROOT / source).exists()], [])
        for link in (path for path in (ROOT / "gossip").rglob("*") if path.is_symlink()):
            self.assertIn(link.resolve().relative_to(ROOT).parts[0], sources, link.name)


class MonitoringTests(SynchronousTestCase):
    """The alert rules for Prometheus and the dashboard for Grafana."""

    def setUp(self) -> None:
        service = MemoryService(transports=[make() for make in TRANSPORTS])
        registry = CollectorRegistry()
        registry.register(
            DaemonCollector(service, public_site(service, service.store, service.clock, maybeDeferred).live)
        )
        ProcessCollector(registry=registry)
        self.told = {"up", *names(registry)}
        made, _ = gateway(service)
        self.addCleanup(made.stopService)
        service.transports = (*service.transports, made)
        service.cluster = OneNode()
        self.told_by_nodes = names(registry)

    def assertTold(self, expression: str, where: str) -> None:
        """Every figure that an expression names is told."""
        named = figures(expression)
        self.assertTrue(named, f"{where}: {expression}")
        self.assertEqual(named - self.told - self.told_by_nodes, set(), f"{where}: {expression}")

    def rules(self) -> list[dict[str, Any]]:
        """The alert rules."""
        (group,) = yaml.safe_load((ETC / "alerts.yaml").read_text())["groups"]
        rules: list[dict[str, Any]] = group["rules"]
        return rules

    def panels(self) -> list[dict[str, Any]]:
        """The panels of the dashboard that show something."""
        return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]

    def test_rules(self) -> None:
        """Every rule has a name of its own, says how much it matters and what to do, and asks for what there is."""
        rules = self.rules()
        self.assertEqual(len({rule["alert"] for rule in rules}), len(rules))
        for rule in rules:
            self.assertIn(rule["labels"]["severity"], ("page", "ticket"), rule["alert"])
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, rule["alert"])
            self.assertIn("$labels.instance", rule["annotations"]["summary"], rule["alert"])
            self.assertTold(rule["expr"], rule["alert"])

    def test_commands(self) -> None:
        """What an admin is told to type exists."""
        named = set(re.findall(r"gossipctl ([a-z]+)", (ETC / "alerts.yaml").read_text()))
        self.assertIn("tail", named)
        self.assertEqual(named - set(ctl.parser().below), set())

    def test_dashboard(self) -> None:
        """Every panel has a title and a place of its own, and asks for what there is, of the source that is chosen."""
        panels = self.panels()
        self.assertEqual(len({panel["title"] for panel in panels}), len(panels))
        for panel in panels:
            self.assertEqual(panel["datasource"], {"type": "prometheus", "uid": "${datasource}"}, panel["title"])
            self.assertTrue(panel["targets"], panel["title"])
            for target in panel["targets"]:
                self.assertTold(target["expr"], panel["title"])
                chosen = target["expr"].count('{job="$job", instance="$instance"')
                self.assertEqual(chosen, target["expr"].count("{"), panel["title"])
                self.assertGreaterEqual(chosen, 1, panel["title"])
        taken: set[tuple[int, int]] = set()
        for panel in dashboard()["panels"]:
            left, top, width, height = (panel["gridPos"][key] for key in "xywh")
            here = set(itertools.product(range(left, left + width), range(top, top + height)))
            self.assertFalse(here & taken, panel["title"])
            self.assertLessEqual(left + width, 24, panel["title"])
            taken |= here

    def test_variables(self) -> None:
        """Source, job and instance are variables of the dashboard."""
        variables = {variable["name"]: variable for variable in dashboard()["templating"]["list"]}
        self.assertEqual(set(variables), {"datasource", "job", "instance"})
        source = variables["datasource"]
        self.assertEqual((source["type"], source["query"]), ("datasource", "prometheus"))
        for name in ("job", "instance"):
            self.assertRegex(variables[name]["query"]["query"], r"^label_values\(gossip_info\b.*, \w+\)$")

    def test_everything_is_shown(self) -> None:
        """Every figure of the daemon is on the dashboard."""
        shown = {name for panel in self.panels() for target in panel["targets"] for name in figures(target["expr"])}
        told = self.told | self.told_by_nodes
        series = {name for name in told if name.startswith("gossip") and not name.endswith(("_count", "_sum"))}
        # Of a histogram its buckets are shown.
        whole = {name.removesuffix("_bucket") for name in series if name.endswith("_bucket")}
        self.assertEqual(series - whole - shown - {"gossip"}, set())

    def test_promtool(self) -> None:
        """Prometheus itself takes the rules; each speaks up when it should, and not before."""
        promtool = shutil.which("promtool")
        if promtool is None:
            raise SkipTest("needs promtool (Debian: prometheus)")
        self.assertEqual({name for name, *_ in OCCASIONS}, {rule["alert"] for rule in self.rules()})
        directory = Path(self.mktemp())
        directory.mkdir()
        shutil.copy(ETC / "alerts.yaml", directory)
        tests = [occasion(*each) for each in OCCASIONS]
        (directory / "test.yaml").write_text(
            json.dumps({"rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests})
        )
        for arguments in (("check", "rules", "alerts.yaml"), ("test", "rules", "test.yaml")):
            run = subprocess.run(
                [promtool, *arguments], cwd=directory, capture_output=True, text=True, timeout=60, check=False
            )
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)


class OneNode:
    """A node that is the only one."""

    node_name = "a"
    joined = began = True

    def statuses(self) -> Sequence[NodeStatus]:
        return [NodeStatus("a", True, "1.0.0", "tcp:4110", "2027-01-31T12:00:00Z", 1, 2, 0.0, 0.0, False, False)]

    def figures(self) -> ClusterFigures:
        return ClusterFigures(0.0, 1, 2, 1, 0, 0.0, 0.0)

    def beat(self) -> None: ...

    def caught_up(self) -> Deferred[None]:
        return succeed(None)

    def end(self, name: str) -> Deferred[bool]:
        return succeed(False)


def names(registry: CollectorRegistry) -> set[str]:
    """The names of all figures."""
    found = set()
    for family in registry.collect():
        # A family that has no sample yet is there all the same.
        found |= {f"{family.name}_total" if family.type == "counter" else family.name}
        found |= {sample.name for sample in family.samples}
    return found


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    read: dict[str, Any] = json.loads((ETC / "grafana.json").read_text())
    return read


def figures(expression: str) -> set[str]:
    """The figures that an expression of Prometheus asks for."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(by|without|on)\s*\([^)]*\)", "", expression)
    return set(re.findall(r"\b[a-z_][a-z0-9_]*\b(?!\s*\()", bare)) - {"and", "or", "unless"}


Series = dict[str, str]
"""Figures minute by minute, as promtool writes them: C{5x2 0} is 5, 5, 5, 0."""

SLOW = {"0.1": "0x60", "0.25": "0x60", "0.5": "0+60x60", "+Inf": "0+60x60"}
QUICK = {"0.1": "0+60x60", "0.25": "0+60x60", "0.5": "0+60x60", "+Inf": "0+60x60"}

OCCASIONS: tuple[tuple[str, int, Series, Series], ...] = (
    ("GossipDown", 3, {"up": "1 0x5"}, {"up": "1 0 1x5"}),
    ("GossipRestarts", 20, {"process_start_time_seconds": "1+1x20"}, {"process_start_time_seconds": "1 2 3x20"}),
    ("GossipStuck", 3, {"gossip_healthy": "1 0x5"}, {"gossip_healthy": "1x5"}),
    (
        "GossipCertificateEnds",
        70,
        {'gossip_certificate_end_seconds{names="localhost"}': "600000x70"},
        {'gossip_certificate_end_seconds{names="localhost"}': "700000x70"},
    ),
    ("GossipNotKept", 3, {"gossip_unkept_total": "0x2 3x3"}, {"gossip_unkept_total": "3x5"}),
    ("GossipWriterBehind", 5, {"gossip_writer_queue": "6000x5"}, {"gossip_writer_queue": "6000 20x5"}),
    (
        "GossipCommitsSlow",
        30,
        {f'gossip_commit_seconds_bucket{{le="{le}"}}': values for le, values in SLOW.items()},
        {f'gossip_commit_seconds_bucket{{le="{le}"}}': values for le, values in QUICK.items()},
    ),
    (
        "GossipReactorLag",
        30,
        {f'gossip_reactor_lag_seconds_bucket{{le="{le}"}}': values for le, values in SLOW.items()},
        {f'gossip_reactor_lag_seconds_bucket{{le="{le}"}}': values for le, values in QUICK.items()},
    ),
    ("GossipNodeDeaf", 2, {"gossip_cluster_deaf_seconds": "0 40 100"}, {"gossip_cluster_deaf_seconds": "0 20 0"}),
    ("GossipNodeBehind", 5, {"gossip_cluster_behind_seconds": "6x5"}, {"gossip_cluster_behind_seconds": "6 2x5"}),
    ("GossipNodesDiffer", 30, {"gossip_nodes_differing": "1x30"}, {"gossip_nodes_differing": "1x10 0x20"}),
    (
        "GossipNotificationsPileUp",
        10,
        {"gossip_cluster_queue_usage": "0.2x10"},
        {"gossip_cluster_queue_usage": "0.2x3 0.01x7"},
    ),
    ("GossipNoGames", 20, {"gossip_games": "5x10 0x10"}, {"gossip_games": "0x20"}),
    ("GossipManyGamesLeft", 20, {"gossip_games": "30x10 10x10"}, {"gossip_games": "30x10 20x10"}),
    ("GossipManyRateLimited", 30, {"gossip_rate_limited_total": "0+120x30"}, {"gossip_rate_limited_total": "0+6x30"}),
    (
        "GossipManyWrongSecrets",
        20,
        {'gossip_failures_total{error="invalid credentials"}': "0+20x20"},
        {'gossip_failures_total{error="invalid credentials"}': "0+2x20"},
    ),
    (
        "GossipFilesRunOut",
        10,
        {"process_open_fds": "900x10", "process_max_fds": "1000x10"},
        {"process_open_fds": "90x10", "process_max_fds": "1000x10"},
    ),
    ("GossipReportsWait", 1500, {"gossip_open_reports": "1x1500"}, {"gossip_open_reports": "1x1400 0 1x99"}),
)
"""For each alert, at which minute it fires, with which figures, and with which it does not."""


def occasion(name: str, minute: int, firing: Series, quiet: Series) -> dict[str, Any]:
    """A test of promtool: the alert of one instance fires, that of the other does not."""
    series = [
        {"series": labelled(figure, instance), "values": values}
        for instance, each in (("bad", firing), ("good", quiet))
        for figure, values in each.items()
    ]
    fires = f'count by (instance) (ALERTS{{alertname="{name}", alertstate="firing"}})'
    expected = [{"labels": '{instance="bad"}', "value": 1}]
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": fires, "eval_time": f"{minute}m", "exp_samples": expected}],
    }


def labelled(figure: str, instance: str) -> str:
    """A series of an instance of the daemon."""
    name, _, more = figure.partition("{")
    return f'{name}{{job="gossip", instance="{instance}"{", " + more if more else "}"}'
