"""`fetch.py FOLDER NAME...`: the programs of tools.txt, for this platform, as their checksums say.

An archive that lies in `archives/` is taken instead of the one at the address; its checksum must be
the same.
"""

import hashlib
import io
import os
import sys
import tarfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}


def listed(name: str, platform: str) -> tuple[str, str, str]:
    """Checksum, file and address of a program."""
    rows = [line.split() for line in (HERE / "tools.txt").read_text().splitlines()]
    for row in rows:
        if row[:2] == [name, platform]:
            return row[2], row[3], row[4]
    sys.exit(f"{HERE / 'tools.txt'} has no {name} for {platform}: add it, or leave it out of TOOLS")


def archive(checksum: str, url: str) -> bytes:
    """The archive, from beside us or from its address, with the checksum that it must have."""
    beside = HERE / "archives" / url.rpartition("/")[2]
    if beside.exists():
        content = beside.read_bytes()
    else:
        with urllib.request.urlopen(url, timeout=120) as answer:
            content = answer.read()
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        sys.exit(f"{url} has the checksum {found}, and tools.txt says {checksum}: nothing is used")
    return bytes(content)


def main() -> None:
    """Unpack each program that is asked for."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    platform = PLATFORMS.get(os.uname().machine, os.uname().machine)
    for name in sys.argv[2:]:
        checksum, member, url = listed(name, platform)
        with tarfile.open(fileobj=io.BytesIO(archive(checksum, url))) as tar:
            found = tar.extractfile(member)
            if found is None:
                sys.exit(f"{url} holds no file {member}")
            (folder / name).write_bytes(found.read())
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    main()
