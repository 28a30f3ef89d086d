"""Other ways to an engine, all real: a second dockerd behind TLS, a server for ssh, and a way
between that can be cut."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab import engine, wire
from tests.lab_kit import Lab, eventually
from tests.sau_kit import Sau
from tests.tls_kit import Authority

CLONE = Path(__file__).parents[2]


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextmanager
def running(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon for the time of a block; it ends with all its children."""
    with log.open("ab") as out:
        child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


@dataclass(frozen=True)
class Attic:
    """A second engine: reached through TLS, and by its socket for the tests' own questions."""

    lab: Lab
    port: int
    authority: Authority
    files: dict[str, str]

    @property
    def host(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def at(self, port: int) -> dict[str, Any]:
        """Its entry in the configuration, through another port."""
        return {"name": "attic", "host": f"tcp://127.0.0.1:{port}", **self.files}


@contextmanager
def second_engine(lab: Lab, folder: Path) -> Iterator[Attic]:
    """dockerd that wants certificates, beside the lab's own and over the same containerd."""
    authority = Authority(folder / "certs")
    cert, key = authority.signed("engine", "IP:127.0.0.1,IP:127.0.0.2")
    mine = f"attic{os.getpid()}"  # test processes beside each other have one each
    port, run = free_port(), Path(f"/run/sau-{mine}")
    run.mkdir(mode=0o711)
    config = folder / "daemon.json"
    config.write_text("{}")
    options = {
        "config-file": config,
        "containerd": lab.layout.containerd_socket,
        "containerd-namespace": mine,
        "containerd-plugins-namespace": f"{mine}-plugins",
        "data-root": folder / "data",
        "exec-root": run / "exec",
        "pidfile": run / "pid",
        "bridge": mine,
        "iptables": "false",
        "tlsverify": "true",
        "tlscacert": authority.ca,
        "tlscert": cert,
        "tlskey": key,
    }
    command = [*engine.surroundings(lab.layout), "dockerd"]
    command += [f"--{key}={value}" for key, value in options.items()]
    command += [f"--host=tcp://127.0.0.1:{port}", f"--host=unix://{run}/docker.sock"]
    ip("link", "add", mine, "type", "bridge")
    try:
        ip("addr", "add", f"10.213.{os.getpid() % 250}.1/24", "dev", mine)
        ip("link", "set", mine, "up")
        with running(command, folder / "dockerd.log"):
            eventually(lambda: wire.answers(run / "docker.sock"), 30)
            cert, key = authority.signed("sau")
            files = {"ca_file": authority.ca, "cert_file": cert, "key_file": key}
            second = replace(
                lab, socket=run / "docker.sock", docker_host=f"unix://{run}/docker.sock"
            )
            yield Attic(second, port, authority, {key: str(path) for key, path in files.items()})
    finally:
        ip("link", "delete", mine)
        for left in (run / "exec" / "netns").glob("*"):  # the host's network, kept by a mount
            subprocess.run(["umount", str(left)], check=False)
        shutil.rmtree(run)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def _registry_inside(lab: Lab, pid: int, between: Path) -> Iterator[None]:
    """The lab's registry, on the loopback of the network that a process is in."""
    port, ready = int(lab.registry.rpartition(":")[2]), between.with_suffix(".ready")
    script = (
        f"import sys; sys.path.insert(0, {str(CLONE)!r}); import pathlib, time; "
        "from tests.docker.remote_kit import Way; "
        f"Way(pathlib.Path({str(between)!r}), port={port}); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(100000)"
    )
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", script]
    with Way(port, between), running(command, between.with_suffix(".log")):
        eventually(ready.exists)
        yield


NOBODY = 65534
ROOTLESS = """
mount --bind "$0" /etc/subuid && mount --bind "$0" /etc/subgid || exit 1
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"""
INSIDE = 'rm -f /run/docker /run/containerd /run/xtables.lock; ip link set lo up; exec "$@"'


@contextmanager
def rootless_engine(lab: Lab) -> Iterator[Lab]:
    """dockerd as the user `nobody`, in a user namespace; its containers have no network."""
    folder = Path(f"/var/tmp/sau-rootless-{os.getpid()}")
    run = folder / "run"
    run.mkdir(parents=True, mode=0o700)
    (folder / "subids").write_text("nobody:100000:65536\n")
    (folder / "daemon.json").write_text("{}")
    for path in (folder, run):
        os.chown(path, NOBODY, NOBODY)
    for known in ("/etc/subuid", "/etc/subgid"):
        Path(known).touch()
    options = {
        "config-file": folder / "daemon.json",
        "data-root": folder / "data",
        "exec-root": run / "exec",
        "pidfile": run / "pid",
        "host": f"unix://{run}/docker.sock",
        "bridge": "none",
        "iptables": "false",
        "ip-forward": "false",
        "storage-driver": "vfs",
        "exec-opt": "native.cgroupdriver=cgroupfs",
    }
    command: list[str | Path] = ["unshare", "--mount", "--propagation", "slave"]
    command += ["sh", "-c", ROOTLESS, folder / "subids"]
    command += ["env", f"HOME={folder}", f"XDG_RUNTIME_DIR={run}", f"XDG_DATA_HOME={folder}/share"]
    command += ["rootlesskit", "--net=host", f"--state-dir={folder}/kit"]
    command += ["--copy-up=/etc", "--copy-up=/run", "unshare", "--net"]
    command += ["sh", "-c", INSIDE, "sh", "dockerd"]
    command += ["--rootless", *(f"--{key}={value}" for key, value in options.items())]
    log = Path(f"{folder}.log")
    try:
        with running(command, log):
            ready = run / "docker.sock"
            eventually(lambda: wire.answers(ready), 40)
            with _registry_inside(lab, int((run / "pid").read_text()), folder / "registry.sock"):
                yield replace(lab, socket=ready, docker_host=f"unix://{ready}")
    finally:
        subprocess.run(["rm", "-rf", str(folder), str(log)], check=True)


SSHD = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/mine.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 10:30:100
SetEnv DOCKER_HOST={docker_host}
"""
CLIENT = """
Host *
  IdentityFile {folder}/mine
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known
  GlobalKnownHostsFile /dev/null
"""


@dataclass(frozen=True)
class Sshd:
    """A server for ssh of our own, and an `ssh` command that knows its key and has one for it."""

    port: int
    folder: Path

    @property
    def commands(self) -> str:
        """The folder with this `ssh`, to be searched first."""
        return str(self.folder / "bin")

    def host(self, path: str = "", port: int | None = None) -> str:
        """Its address as an engine."""
        return f"ssh://root@127.0.0.1:{port or self.port}{path}"

    def trust(self, port: int) -> None:
        """Know its key under another port too."""
        key = (self.folder / "host.pub").read_text()
        with (self.folder / "known").open("a") as known:
            known.write(f"[127.0.0.1]:{port} {key}")


@contextmanager
def ssh_server(folder: Path, docker_host: str) -> Iterator[Sshd]:
    """Debian's sshd on a port of its own; `docker` on its side speaks to `docker_host`."""
    for name in ("host", "mine", "stranger"):
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(made, check=True, capture_output=True)
    server = Sshd(free_port(), folder)
    config = folder / "sshd_config"
    config.write_text(SSHD.format(port=server.port, folder=folder, docker_host=docker_host))
    (folder / "ssh_config").write_text(CLIENT.format(folder=folder))
    server.trust(server.port)
    command = folder / "bin" / "ssh"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    command.chmod(0o755)
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with running(["/usr/sbin/sshd", "-D", "-e", "-f", config], folder / "sshd.log"):
        eventually(lambda: answers(server.port))
        yield server


class Way:
    """A port, or a socket's path, that leads to a TCP port or a Unix socket, until it is cut."""

    def __init__(self, to: int | Path, address: str | Path = "127.0.0.1", port: int = 0) -> None:
        self._to = to
        self._address = address
        self._open: set[socket.socket] = set()
        self._listening: socket.socket | None = None
        self.port = port or free_port()
        self.resume()

    def resume(self) -> None:
        """Let new connections through."""
        if isinstance(self._address, Path):
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(self._address))
        else:
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._address, self.port))
        listening.listen(64)
        self._listening = listening
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and refuse new ones."""
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Way:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            try:
                far = self._reached()
            except OSError:
                near.close()
                continue
            self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _reached(self) -> socket.socket:
        if isinstance(self._to, int):
            return socket.create_connection(("127.0.0.1", self._to))
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self._to))
        return sock

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for sock in (one, other):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def with_engines(sau: Sau, *entries: dict[str, Any]) -> None:
    """Let the program know these engines and no others."""
    text = sau.config.read_text()
    told = json.dumps(list(entries))
    sau.config.write_text(text.replace("inventory:\n", f"inventory:\n  docker: {told}\n", 1))
