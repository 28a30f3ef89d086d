"""Docker's credential helpers: programs that are asked for one registry's credentials."""

import json
import shutil
import subprocess
from collections.abc import Mapping

from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.core.reference import HUB

HUB_KEY = f"https://index.{HUB}/v1/"  # what docker login files Docker Hub under
_TIMEOUT_S = 30.0
_NOTHING_KEPT = b"credentials not found in native keychain"


def ask_helper(helper: str, host: str, timeout_s: float = _TIMEOUT_S) -> Mapping[str, str] | None:
    """What the helper has for a host, with the keys of config.json; None where it has nothing.

    Raises RegistryError (auth). What the helper wrote is told to nobody: it can hold the secret.
    """
    program = shutil.which(helper)
    if program is None:
        raise _trouble(host, f"{helper} is not installed or not in PATH. Install it")
    try:
        done = subprocess.run(
            [program, "get"],
            input=(HUB_KEY if host == HUB else host).encode(),
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
        if done.returncode != 0 and _NOTHING_KEPT in done.stdout:
            return None
        said = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        fact = f"{helper} did not answer in {timeout_s:.0f} s. Run docker login {host}"
        raise _trouble(host, fact) from None
    except (OSError, ValueError):
        said = None
    match said:
        case {"Username": "<token>", "Secret": str(secret)} if secret:
            return {"identitytoken": secret}
        case {"Username": str(username), "Secret": str(secret)} if username:
            return {"username": username, "password": secret}
        case _:
            fact = f"{helper} gives no credentials. Run docker login {host}"
            raise _trouble(host, fact)


def _trouble(host: str, fact: str) -> RegistryError:
    return RegistryError(
        f"{host}: the credential helper {fact}, or configure username and password_file for it.",
        "auth",
    )
