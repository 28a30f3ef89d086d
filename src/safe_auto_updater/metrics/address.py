"""Where the pages are served: `host:port`, and an IPv6 address in brackets."""

from __future__ import annotations

import re
import socket

from safe_auto_updater.core.errors import SafeAutoUpdaterError

_ADDRESS = re.compile(r"(?:\[(?P<v6>[^\[\]]*:[^\[\]]*)\]|(?P<name>[^\[\]:]+)):(?P<port>\d{1,5})")
_LAST_PORT = 65535


class CannotListen(SafeAutoUpdaterError):
    """The address cannot be listened on."""


def listening(address: str) -> socket.socket:
    """A socket that listens there and never blocks; `[::]` takes IPv4 too. Raises CannotListen."""
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > _LAST_PORT:
        raise CannotListen(
            f"{address!r} is no address to listen on: write host:port, "
            "as in 127.0.0.1:9464 or [::]:9464"
        )
    host = found["v6"] or found["name"]
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host, int(found["port"]), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        both = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(where, family=family, dualstack_ipv6=both)
    except (OSError, ValueError) as error:  # ValueError: a name that can be none
        fact = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CannotListen(
            f"{address} cannot be listened on ({fact}): end who else listens there, or choose "
            "another host and port"
        ) from error
    listener.setblocking(False)
    return listener
