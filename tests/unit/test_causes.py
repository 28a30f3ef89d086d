"""What a refusal of the engine is the fault of: only image and config quarantine."""

from __future__ import annotations

import pytest

from safe_auto_updater.core.outcome import Cause
from safe_auto_updater.platforms.docker.state import (
    create_error_cause,
    start_error_cause,
    start_remedy,
)

# the status of an engine that creates no container, and what is to blame
CREATED = [
    (400, Cause.CONFIG),  # a setting that it does not take
    (404, Cause.CONFIG),  # a container or network that the settings name
    (409, Cause.CONFLICT),  # the name
    (500, Cause.PLATFORM),  # a volume's driver, the image store
    (None, Cause.PLATFORM),  # an answer that nobody understands
]


@pytest.mark.parametrize(("status", "cause"), CREATED)
def test_engine_that_fails_by_itself_blames_no_configuration(
    status: int | None, cause: Cause
) -> None:
    assert create_error_cause(status) is cause


# what the engine says of a container that it cannot start, and what is to blame
STARTED = [
    ("failed to bind host port 0.0.0.0:80/tcp: address already in use", Cause.PLATFORM),
    ("Bind for 0.0.0.0:80 failed: port is already allocated", Cause.PLATFORM),
    ("mkdir /var/lib/docker/x: no space left on device", Cause.CAPACITY),
    ('exec: "/no/such": stat /no/such: no such file or directory', Cause.IMAGE),
    ('exec: "/begin": permission denied', Cause.IMAGE),
    ("crun: executable file `/begin` not found in $PATH: No such file or directory", Cause.IMAGE),
    ("crun: open executable: Permission denied: OCI permission denied", Cause.IMAGE),
    ('chdir to cwd ("/app") set in config.json failed: no such file or directory', Cause.IMAGE),
    (
        'error gathering device information while adding custom device "/dev/ttyUSB0": no such '
        "file or directory",
        Cause.PLATFORM,
    ),
    (
        "error during container init: error running prestart hook #0: exit status 1, stderr: "
        "nvidia-container-cli: initialization error: libnvidia-ml.so.1: no such file or directory",
        Cause.PLATFORM,
    ),
    (
        "error while mounting volume '/v/media/_data': failed to mount local volume: mount "
        ":/export/media:/v/media/_data, data: addr=192.0.2.9: permission denied",
        Cause.PLATFORM,
    ),
    (
        "error while creating mount source path '/mnt/nas': mkdir /mnt/nas: permission denied",
        Cause.UNKNOWN,
    ),
    (f"failed to create task for container: task {'5' * 64}: already exists", Cause.PLATFORM),
    ("something that nobody has heard of", Cause.UNKNOWN),
]


@pytest.mark.parametrize(("words", "cause"), STARTED)
def test_refused_start_is_blamed_by_its_words(words: str, cause: Cause) -> None:
    assert start_error_cause(words) is cause
    assert ("restart containerd" in start_remedy(words)) == ("already exists" in words)
