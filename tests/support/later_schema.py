"""A version of gossip that comes later, with one more migration."""

from __future__ import annotations

import os
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from twisted.trial.unittest import SynchronousTestCase

import gossip
from gossip.store import schema
from gossip.store.schema import Kind


def one_revision_later(case: SynchronousTestCase, body: str, kind: Kind = "expand") -> None:
    """
    Let there be one more migration, until the test ends.

    @param body: what its C{upgrade} does, indented.
    """
    versions = Path(case.mktemp()).absolute()
    versions.mkdir()
    newest = ScriptDirectory.from_config(schema.configuration()).get_current_head()
    heading = (
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9999'\ndown_revision = '{newest}'\nkind = '{kind}'\n"
    )
    (versions / "later.py").write_text(f"{heading}def upgrade():\n{body}")
    original = schema.configuration

    def later() -> Config:
        config = original()
        released = Path(gossip.__file__).parent / "store" / "migrations" / "versions"
        config.set_main_option("version_locations", f"{released}{os.pathsep}{versions}")
        return config

    case.patch(schema, "configuration", later)
