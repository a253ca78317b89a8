"""L{gossip.web.http.compression}: what is compressed, and what never is."""

from __future__ import annotations

import gzip
import json

from tests.support.site_browser import PEOPLE, Browser
from tests.support.sites import PagesTestCase


class CompressionTests(PagesTestCase):
    """Answers to browsers that read gzip."""

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        """An answer, as it is sent."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        code, heads, body = Browser(self.site).ask(method, path, b"", **{**PEOPLE, **named})
        return code, heads, body

    def test_compressed(self) -> None:
        """Pages, files and the API are compressed for clients that read gzip, and are the same."""
        for path in ("/games", "/chat/gossip", "/robots.txt", "/static/style.css", "/api/v1/openapi.json"):
            self.show("gossip")
            plain = self.ask(path)
            code, heads, body = self.ask(path, Accept_Encoding="gzip, deflate, br")
            self.assertNotIn("content-encoding", plain[1], path)
            if len(plain[2]) < 1024:
                self.assertEqual(body, plain[2], path)
                continue
            self.assertEqual((code, heads["content-encoding"]), (200, "gzip"), path)
            self.assertIn("Accept-Encoding", heads["vary"], path)
            self.assertIn("Accept-Encoding", plain[1]["vary"], path)
            self.assertEqual((gzip.decompress(body), int(heads["content-length"])), (plain[2], len(body)), path)
            self.assertLess(len(body), len(plain[2]) / 2, path)

    def test_refused(self) -> None:
        """A client that does not ask for gzip, or asks for anything else, gets the plain bytes."""
        plain = self.ask("/games")[2]
        for accepted in ("", "identity", "br", "gzip;q=0", "gzip; q=0.000", "notgzip", "deflate, x-gzip2"):
            code, heads, body = self.ask("/games", Accept_Encoding=accepted)
            self.assertEqual((code, heads.get("content-encoding"), body), (200, None, plain), accepted)
        for accepted in ("gzip;q=0.5", "deflate,gzip", "GZIP", "x-gzip ; q=1"):
            self.assertEqual(self.ask("/games", Accept_Encoding=accepted)[1].get("content-encoding"), "gzip", accepted)

    def test_secrets(self) -> None:
        """An answer that has a secret of somebody is never compressed: its length would tell the secret."""
        for headers in ({"Cookie": "session=x"}, {"Authorization": "Bearer x"}):
            self.assertNotIn("content-encoding", self.ask("/games", Accept_Encoding="gzip", **headers)[1])
        code, heads, body = self.ask("/sign-up", Accept_Encoding="gzip")
        self.assertEqual(code, 200)
        self.assertIn(b"csrf", body)
        self.assertNotIn("content-encoding", heads)

    def test_etag(self) -> None:
        """A compressed answer has a weak ETag, with which a browser validates both forms."""
        strong = self.ask("/api/v1/openapi.json")[1]["etag"]
        weak = self.ask("/api/v1/openapi.json", Accept_Encoding="gzip")[1]["etag"]
        self.assertEqual(weak, f"W/{strong}")
        for accepted in ("gzip", ""):
            code, _, body = self.ask("/api/v1/openapi.json", Accept_Encoding=accepted, If_None_Match=weak)
            self.assertEqual((code, body), (304, b""))

    def test_head(self) -> None:
        """HEAD has the headers of the compressed answer."""
        got, told = (self.ask("/games", method, Accept_Encoding="gzip")[1] for method in ("GET", "HEAD"))
        self.assertEqual((told["content-encoding"], told["content-length"]), ("gzip", got["content-length"]))

    def test_manifest(self) -> None:
        """A phone can put the site beside its apps."""
        code, heads, body = self.ask("/manifest.webmanifest")
        told = json.loads(body)
        self.assertEqual((code, heads["content-type"]), (200, "application/manifest+json"))
        self.assertEqual((told["name"], told["start_url"], told["display"]), ("Gossip", "/", "standalone"))
        self.assertEqual(self.ask(told["icons"][0]["src"])[0], 200)
