"""Passes connections on: `forward.py PORT HOST PORT ADDRESS` listens on ADDRESS:PORT."""

from __future__ import annotations

import socket
import sys
import threading


def pump(one: socket.socket, other: socket.socket) -> None:
    """All bytes from one to the other."""
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass
    finally:
        other.close()


def main() -> None:
    """Serve until killed."""
    listening = socket.create_server((sys.argv[4], int(sys.argv[1])))
    while True:
        came, _ = listening.accept()
        try:
            goes = socket.create_connection((sys.argv[2], int(sys.argv[3])))
        except OSError:  # nobody there yet: who asks may ask again
            came.close()
            continue
        threading.Thread(target=pump, args=(came, goes), daemon=True).start()
        threading.Thread(target=pump, args=(goes, came), daemon=True).start()


if __name__ == "__main__":
    main()
