"""How an endpoint string becomes a listener: with our backlog, and with TLS from our own certificates."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Final

from OpenSSL import SSL
from twisted.application import strports
from twisted.application.service import IService
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import getPlugins

from gossip.service.clock import IClock
from gossip.service.interfaces import CertificateStatus
from gossip.transports.admission import Room
from gossip.transports.certificates import CertificateError, Certificates, PemFiles
from gossip.transports.endpoints import PARAMETERS, Endpoint, EndpointError, parse
from gossip.transports.half_close import HalfCloseableTLSFactory
from gossip.transports.proxied import ProxiedFactory

BACKLOG: Final = "1024"
"""
How many connections may wait to be accepted, unless an endpoint string says otherwise. After a restart all games
connect at once, and Twisted's default is 50.
"""


class Listener:
    """
    What an endpoint string asks for.

    @ivar endpoint: the string for Twisted, which knows nothing of the TLS and the PROXY protocol.
    @ivar proxied: whether the PROXY protocol says where connections come from.
    @ivar certificates: for TLS; C{None} without.
    """

    def __init__(self, text: str, protocols: tuple[bytes, ...] = ()) -> None:
        """
        @param text: the endpoint string.
        @param protocols: what peers that offer protocols by ALPN find there.
        @raise EndpointError: the string is wrong, or its certificates cannot be read.
        """
        wanted = parse(text)
        self.proxied = wanted.proxied
        arguments = {**wanted.arguments}
        try:
            self.certificates = _certificates(wanted, protocols) if wanted.encrypted else None
        except CertificateError as error:
            raise EndpointError(str(error)) from None
        if wanted.kind not in PARAMETERS:
            _check_kind(wanted.kind)
            self.endpoint = text.partition(":")[2] if wanted.proxied else text
            return
        arguments.setdefault("backlog", BACKLOG)
        kind = wanted.kind
        if kind == "tls":
            # Both families, on one socket.
            kind = "tcp6"
            arguments.setdefault("port", "443")
        elif kind == "ssl":
            kind = "tcp"
        kept = {name: arguments[name] for name in PARAMETERS[kind] if name in arguments}
        self.endpoint = str(Endpoint(kind, kept))


def _check_kind(kind: str) -> None:
    known = {parser.prefix for parser in getPlugins(IStreamServerEndpointStringParser)} | {*PARAMETERS}
    if kind not in known:
        alike = difflib.get_close_matches(kind, known, n=1)
        meant = f", did you mean {alike[0]!r}?" if alike else f", only {', '.join(sorted(known))}"
        raise EndpointError(f"there is no kind of address called {kind!r}{meant}")


def _certificates(wanted: Endpoint, protocols: tuple[bytes, ...]) -> Certificates:
    """
    @raise EndpointError: an argument is wrong.
    @raise CertificateError: there are no usable certificates.
    """
    arguments = wanted.arguments
    if wanted.kind == "tls":
        if not arguments.get("path"):
            raise EndpointError("tls needs the directory of its certificates: tls:/path:443")
        return Certificates(PemFiles(arguments["path"]), protocols)
    key = arguments.get("privateKey", "server.pem")
    files = dict.fromkeys((arguments.get("certKey", key), key, arguments.get("extraCertChain", key)))
    method = getattr(SSL, arguments.get("sslmethod", "TLS_METHOD"), None)
    if not isinstance(method, int):
        raise EndpointError(f"no such sslmethod: {arguments['sslmethod']}")
    return Certificates(PemFiles(*files), protocols, arguments.get("dhParameters", ""), method)


def try_out(text: str) -> Sequence[CertificateStatus]:
    """
    Find out whether somebody could listen there, without doing so.

    @return: the certificates that would be used.
    @raise EndpointError: the string is wrong, or its certificates cannot be read.
    """
    listener = Listener(text)
    # systemd passes its sockets to the daemon alone.
    if parse(text).kind != "systemd":
        try:
            serverFromString(None, listener.endpoint)
        except Exception as error:
            # Each kind of endpoint raises its own exceptions, such as for a mode that is no number.
            raise EndpointError(str(error) or type(error).__name__) from None
    return () if listener.certificates is None else listener.certificates.status


def listen(
    text: str, factory: IProtocolFactory, reactor: Any, clock: IClock, room: Room | None = None
) -> tuple[IService, Certificates | None]:
    """
    Make a service that listens while it runs.

    @param text: the endpoint string.
    @param factory: accepts the connections; the protocols that it speaks, if it provides
        C{IProtocolNegotiationFactory}, are for peers that negotiate one by ALPN.
    @param room: counts the connections of all listeners.
    @return: the service, and its certificates if it uses TLS.
    @raise EndpointError: the string is wrong.
    """
    speaking = IProtocolNegotiationFactory(factory, None)
    listener = Listener(text, () if speaking is None else tuple(speaking.acceptableProtocols()))
    if listener.certificates is not None:
        factory = HalfCloseableTLSFactory(listener.certificates, False, factory, clock)
    if listener.proxied:
        factory = ProxiedFactory(factory, clock, room)  # around TLS: the header comes first, unencrypted
    try:
        return strports.service(listener.endpoint, factory, reactor), listener.certificates
    except Exception as error:
        # Each kind of endpoint raises its own exceptions, such as for a port that is no number.
        if parse(text).kind == "systemd" and isinstance(error, LookupError):
            raise EndpointError(
                "systemd passed no such socket: is gossip.socket running, and does LISTEN_FDNAMES name each socket?"
            ) from None
        raise EndpointError(str(error) or type(error).__name__) from None
