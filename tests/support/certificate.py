"""Certificates for the loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Signed(NamedTuple):
    """
    A key and its certificate.

    @ivar key: the key in PEM format.
    @ivar pem: the certificate in PEM format.
    """

    private: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key(self) -> bytes:
        plain = serialization.NoEncryption()
        return self.private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def signed(
    *names: str,
    ends: datetime | None = None,
    by: Signed | None = None,
    key: ec.EllipticCurvePrivateKey | None = None,
    addresses: Sequence[str] = (),
) -> Signed:
    """
    Make a certificate.

    @param names: the host names that it is for; the first is its subject.
    @param ends: when it ends; by default in an hour.
    @param by: who signs it; by default it signs itself.
    @param key: its key; by default a new one.
    @param addresses: the addresses that it is for.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    ends = ends or datetime.now(UTC) + timedelta(hours=1)
    alternatives = [*map(x509.DNSName, names), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(ends, datetime.now(UTC)) - timedelta(hours=1))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(by.private if by else key, hashes.SHA256())
    )
    return Signed(key, made)


def certificate(directory: Path) -> None:
    """Make C{key.pem} and C{cert.pem}, for the loopback."""
    made = signed("localhost", addresses=["127.0.0.1"])
    (directory / "key.pem").write_bytes(made.key)
    (directory / "cert.pem").write_bytes(made.pem)
