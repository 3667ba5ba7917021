"""Signs mails by DKIM (RFC 6376), so that the recipient's server can verify that the organisation's domain sent them unchanged."""

from dataclasses import dataclass
from pathlib import Path

import dkim
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from shared.runtime.errors import Misconfigured

_SHORTEST_KEY_BITS = 1024
"""RFC 8301, 3.2: verifiers must not accept shorter RSA keys, and signers should use 2048 bits."""
_RELAXED = (b"relaxed", b"relaxed")
"""Relays fold headers again and strip trailing spaces, which breaks the canonical form `simple`."""


@dataclass(frozen=True, slots=True)
class DkimOptions:
    """Domain and selector name the public key in DNS: `<selector>._domainkey.<domain>`; `key_file` is the private RSA key in PEM."""

    domain: str
    selector: str
    key_file: Path


class DkimSigner:
    """`sign(mail)` returns the mail with its signature on top. Raises `Misconfigured` for a key that cannot be used."""

    def __init__(self, options: DkimOptions) -> None:
        self._domain = options.domain.encode("ascii")
        self._selector = options.selector.encode("ascii")
        self._key = _read_key(options.key_file)

    def sign(self, mail: bytes) -> bytes:
        """The mail with a DKIM-Signature over its body and all its headers; From cannot be added a second time without breaking it."""
        # dkimpy signs every header but those that relays change, and From, Subject and Date once more than they occur ("oversigning").
        return bytes(dkim.sign(mail, self._selector, self._domain, self._key, canonicalize=_RELAXED)) + mail


def _read_key(path: Path) -> bytes:
    """The key in the form that dkimpy reads (PKCS#1)."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise Misconfigured(f"JIESU_SMTP_DKIM_KEY_FILE: cannot be read ({error.strerror}); give the path of a private RSA key") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured("JIESU_SMTP_DKIM_KEY_FILE: must hold an RSA key in PEM without password; see openssl genrsa") from error
    if not isinstance(key, RSAPrivateKey) or key.key_size < _SHORTEST_KEY_BITS:
        raise Misconfigured("JIESU_SMTP_DKIM_KEY_FILE: must be an RSA key of 1024 bits or more; verifiers refuse others")
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
