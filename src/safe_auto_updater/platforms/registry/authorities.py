"""Whom to trust on secure connections: the authorities of the system."""

import ssl
from pathlib import Path

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.engine.trust import verifying

_USUAL_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def system_authorities() -> ssl.SSLContext:
    """A context that verifies, by SSL_CERT_FILE and SSL_CERT_DIR or what the system has.

    An interpreter that was built elsewhere may look in places that this system does not have: then
    the usual ones are tried.
    """
    context = verifying()
    known = ssl.get_default_verify_paths()
    if known.cafile is None and known.capath is None:
        for file in _USUAL_FILES:
            if Path(file).is_file():
                context.load_verify_locations(cafile=file)
                break
    return context


def trusting(who: str, ca_file: Path) -> ssl.SSLContext:
    """A context that verifies by the system's authorities and those of a file.

    Raises RegistryError, which names whose it is.
    """
    context = system_authorities()
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise RegistryError(
            f"{who}: ca_file {ca_file} cannot be used ({error}). "
            "Name a readable file with certificates in PEM format.",
            "unreachable",
        ) from error
    return context
