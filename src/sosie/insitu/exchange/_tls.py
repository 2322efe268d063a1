"""TLS with the keys that signed the agreement: no other certificates, no authority.

Each party's Ed25519 key vouches for a key that its program makes when it starts, and never keeps;
the other side trusts exactly the keys of the agreement. So whoever may connect is whoever signed,
and there is nothing else to hand out, renew or revoke.
"""

from __future__ import annotations

import datetime as dt
import ssl
import tempfile
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sosie.trust import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sosie.trust import Key, PublicKey

__all__ = ["client_context", "server_context"]

_DAYS = 3650
_NAME = "sosie.in-place"


def server_context(key: Key, clients: Iterable[PublicKey]) -> ssl.SSLContext:
    """Make the side of the hub: only holders of these keys may connect.

    Parameters
    ----------
    key : Key
        Of the hub.
    clients : iterable of PublicKey
        Of all parties.

    Returns
    -------
    SSLContext
        TLS 1.3, mutual.
    """
    return _context(ssl.PROTOCOL_TLS_SERVER, key, clients)


def client_context(key: Key, hub: PublicKey) -> ssl.SSLContext:
    """Make the side of a holder or analyst: only the hub of the agreement may answer."""
    return _context(ssl.PROTOCOL_TLS_CLIENT, key, [hub])


def _context(side: int, key: Key, others: Iterable[PublicKey]) -> ssl.SSLContext:
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The key is what is trusted; where the hub is reached says nothing about who it is.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata="".join(_anchor(one.raw) for one in others))
    server = side == ssl.PROTOCOL_TLS_SERVER
    # OpenSSL reads a chain from a file alone; this one is gone before anyone connects.
    with tempfile.NamedTemporaryFile(prefix="sosie-") as file:
        file.write(_leaf(key, server=server))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _anchor(raw: bytes) -> str:
    """Write a public key as a certificate to be trusted; its own signature is never looked at."""
    public = Ed25519PublicKey.from_public_bytes(raw)
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(raw))
        .issuer_name(_name(raw))
        .public_key(public)
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2120, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(Ed25519PrivateKey.generate(), None)
    )
    return made.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _leaf(key: Key, *, server: bool) -> bytes:
    own = Ed25519PrivateKey.from_private_bytes(key.seed)
    # It ends with its program, which may be up for years; the keys that sign messages do expire.
    short = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)]))
        .issuer_name(_name(key.public.raw))
        .public_key(short.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key()), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .sign(own, None)
    )
    return made.public_bytes(serialization.Encoding.PEM) + short.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _name(raw: bytes) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, sha256(raw))])
