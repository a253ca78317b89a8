"""
Certificates for TLS: read from files, and read again when the files change. Connections that are open keep theirs.

Twisted's own C{ssl:} and C{tls:} endpoints read certificates once, refuse every peer that offers protocols with ALPN,
and log a line for every name that they do not know.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from OpenSSL import SSL
from twisted.application.service import Service
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from gossip.protocol.text import timestamp
from gossip.service.clock import IClock
from gossip.service.interfaces import CertificateStatus
from gossip.transports.half_close import HalfCloseableConnection

LOOK_SECONDS: Final = 10
"""How often the files are looked at, in seconds."""

WARN_DAYS: Final = 14
"""How long before the end of a certificate the log warns of it, in days."""

_DAY: Final = 86400

_PEM: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)

_CIPHERS: Final = (
    b"ECDH+AESGCM:ECDH+CHACHA20:DH+AESGCM:DH+CHACHA20:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:"
    b"!aNULL:!MD5:!DSS"
)
"""Twisted's default. Games are old programs: some know no better one than the last of these."""

_log = Logger()

Seen = Mapping[Path, tuple[int, int, int]]
"""What the system says of each file: when it changed, its size and its number."""


class CertificateError(Exception):
    """No certificates can be made of the files. The text is for the admin, and says which file is wrong."""


class PemFiles:
    """
    The files of one listener.

    @ivar paths: files, and directories in which all files that end in C{.pem} count.
    """

    def __init__(self, *paths: str) -> None:
        self.paths = tuple(map(Path, paths))

    def __str__(self) -> str:
        return ", ".join(map(str, self.paths))

    def __iter__(self) -> Iterator[Path]:
        for path in self.paths:
            if path.is_dir():
                yield from sorted(found for found in path.rglob("*.pem") if found.is_file())
            else:
                yield path

    def look(self) -> Seen:
        """What the system says of the files now; those that are missing are left out."""
        seen = {}
        for path in self:
            try:
                found = path.stat()
            except OSError:
                continue
            seen[path] = (found.st_mtime_ns, found.st_size, found.st_ino)
        return seen


class _Pair:
    """A private key, its certificate, and the certificates that lead from there to one that peers know."""

    def __init__(self, key: Any, leaf: x509.Certificate, others: Sequence[x509.Certificate]) -> None:
        self.key = key
        self.chain = [leaf]
        while issuer := next((other for other in others if self._goes_on_with(other)), None):
            self.chain.append(issuer)
        self.ends = leaf.not_valid_after_utc.timestamp()
        try:
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            self.names = tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
            self.shown = (*self.names, *map(str, names.get_values_for_type(x509.IPAddress)))
        except (x509.ExtensionNotFound, ValueError):
            self.names = ()
            self.shown = (leaf.subject.rfc4514_string(),)

    def _goes_on_with(self, other: x509.Certificate) -> bool:
        try:
            self.chain[-1].verify_directly_issued_by(other)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            return False
        return other not in self.chain


def _read(files: PemFiles) -> list[_Pair]:
    """
    Read files. Keys and certificates find each other, in whichever file they are.

    @raise CertificateError: a file cannot be read, or a key has no certificate.
    """
    keys: list[tuple[Path, Any]] = []
    certificates: list[x509.Certificate] = []
    for path in files:
        try:
            for block in _PEM.finditer(path.read_bytes()):
                if block[1] == b"CERTIFICATE":
                    certificates.append(x509.load_pem_x509_certificate(block[0]))
                elif block[1].endswith(b"PRIVATE KEY"):
                    keys.append((path, load_pem_private_key(block[0], None)))
        except OSError as error:
            raise CertificateError(f"cannot read {path}: {error.strerror}") from None
        except TypeError:
            raise CertificateError(f"{path}: a password protects the key") from None
        except (ValueError, UnsupportedAlgorithm):
            raise CertificateError(f"{path}: not a key or a certificate in PEM format") from None
    pairs = []
    for path, key in keys:
        public = _public(key)
        leaves = [one for one in certificates if _public(one) == public]
        if not leaves:
            raise CertificateError(f"no certificate belongs to the key in {path}")
        # Of a certificate and its renewal with the same key, the later one.
        pairs.append(_Pair(key, max(leaves, key=lambda leaf: leaf.not_valid_after_utc), certificates))
    if not pairs:
        raise CertificateError(f"no key in {files}")
    return pairs


def _public(of: Any) -> bytes:
    public: bytes = of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return public


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """
    The certificates of one listener.

    A peer that asks for a name gets the certificate of that name. A peer that asks for none (an old client, or one that
    connects to an address) or for an unknown one gets the first: its own check says more than an alert of ours.

    @ivar files: where they come from.
    @ivar status: what they are for and when they end.
    """

    def __init__(
        self, files: PemFiles, protocols: Sequence[bytes] = (), dh_parameters: str = "", method: int = SSL.TLS_METHOD
    ) -> None:
        """
        @param protocols: the protocols that the listener speaks, for peers that offer some with ALPN (RFC 7301), the
            best first. If nothing matches, or there are none, ALPN is ignored, and the handshake succeeds.
        @param dh_parameters: a file with parameters for key exchange by Diffie-Hellman.
        @param method: the methods of OpenSSL, which bound the versions of TLS.
        @raise CertificateError: no certificates can be made of the files.
        """
        self.files = files
        self._protocols = protocols
        self._dh_parameters = dh_parameters
        self._method = method
        self.read()

    def read(self) -> None:
        """
        Read the files again; new connections get what is found.

        @raise CertificateError: nothing usable is there; what was read before stays.
        """
        self._tried = self._settling = self.files.look()
        # Of two certificates for a name, the one that lasts longer.
        pairs = _read(self.files)
        try:
            contexts: dict[bytes, SSL.Context] = {}
            made = [self._context(pair, contexts) for pair in pairs]
        except (SSL.Error, ValueError) as error:
            raise CertificateError(f"OpenSSL cannot use {self.files}: {error}") from None
        for pair, context in sorted(zip(pairs, made, strict=True), key=lambda both: both[0].ends):
            contexts.update({name.encode("ascii", "replace"): context for name in pair.names})
        self._first = made[0]
        self.status = tuple(CertificateStatus(pair.shown, pair.ends) for pair in pairs)

    def have_changed(self) -> bool:
        """
        Whether the files are others than those that were read, or tried, last.

        A change counts when it is seen for the second time: by then, all files of a renewal are written.
        """
        seen = self.files.look()
        settled, self._settling = seen == self._settling, seen
        return settled and seen != self._tried

    def _context(self, pair: _Pair, contexts: Mapping[bytes, SSL.Context]) -> SSL.Context:
        """
        @param contexts: those of all names, when a peer asks for one.
        """
        context = SSL.Context(self._method)
        if self._method == SSL.TLS_METHOD:
            context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | SSL.OP_NO_TICKET)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # an idle connection needs none
        context.set_session_id(secrets.token_bytes(16))
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        leaf, *chain = pair.chain
        context.use_certificate(leaf)
        context.use_privatekey(pair.key)
        for certificate in chain:
            context.add_extra_chain_cert(certificate)
        if self._dh_parameters:
            context.load_tmp_dh(self._dh_parameters)
        if self._protocols:
            context.set_alpn_select_callback(self._choose_protocol)

        def choose_certificate(connection: SSL.Connection) -> None:
            name = (connection.get_servername() or b"").lower()
            chosen = contexts.get(name) or contexts.get(b"*." + name.partition(b".")[2])
            if chosen is not None:
                connection.set_context(chosen)

        context.set_tlsext_servername_callback(choose_certificate)
        context.set_cipher_list(_CIPHERS)
        return context

    def _choose_protocol(self, connection: SSL.Connection, offered: Sequence[bytes]) -> Any:
        return next((ours for ours in self._protocols if ours in offered), SSL.NO_OVERLAPPING_PROTOCOLS)

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        return HalfCloseableConnection(self._first)


class CertificateWatch(Service):
    """Looks after the certificates of all listeners: reads renewed ones, and warns before one ends."""

    def __init__(self, clock: IClock) -> None:
        self._clock = clock
        self._all: list[Certificates] = []
        self._warned: dict[CertificateStatus, int] = {}
        self._looking = LoopingCall(self._look)
        self._looking.clock = clock

    def add(self, certificates: Certificates) -> None:
        """Look after these as well."""
        self._all.append(certificates)

    def status(self) -> Sequence[CertificateStatus]:
        """All certificates in use, each once; the one that ends first comes first."""
        return sorted({status for each in self._all for status in each.status}, key=lambda status: status.ends)

    def read_again(self) -> None:
        """Read all files again, whether they have changed or not."""
        for certificates in self._all:
            _read_again(certificates)
        self._warn()

    def startService(self) -> None:
        super().startService()
        self._warn()
        if self._all:
            self._looking.start(LOOK_SECONDS, now=False)

    def stopService(self) -> None:
        if self._looking.running:
            self._looking.stop()
        super().stopService()

    def _look(self) -> None:
        for certificates in self._all:
            try:
                if certificates.have_changed():
                    _read_again(certificates)
            except Exception:
                # A LoopingCall that fails would stop for ever.
                _log.failure("cannot look at {files}", files=str(certificates.files))
        self._warn()

    def _warn(self) -> None:
        """Warn once a day of each certificate that ends soon, or has ended."""
        now = self._clock.now().wall
        status = self.status()
        self._warned = {one: days for one, days in self._warned.items() if one in status}
        for one in status:
            days = int((one.ends - now) // _DAY)
            if days < WARN_DAYS and self._warned.get(one) != days:
                self._warned[one] = days
                _log.warn(
                    "the certificate for {names} {verb} at {ends}",
                    names=", ".join(one.names),
                    verb="ends" if one.ends > now else "ended",
                    ends=timestamp(one.ends, "seconds"),
                )


def _read_again(certificates: Certificates) -> None:
    before = certificates.status
    try:
        certificates.read()
    except CertificateError as error:
        _log.error("the certificates stay as they were: {error}", error=str(error))
        return
    for one in certificates.status:
        if one not in before:
            _log.info(
                "read the certificate for {names}, which ends at {ends}",
                names=", ".join(one.names),
                ends=timestamp(one.ends, "seconds"),
            )
