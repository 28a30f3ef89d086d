"""Which files Compose copies into a container, by the model of its project."""

from safe_auto_updater.platforms.docker.compose.inside import targets

MODEL = {
    "services": {
        "web": {
            "configs": [
                {"source": "inline", "target": "/etc/app.conf"},
                {"source": "inline"},
                {"source": "env", "target": "relative/x"},
                {"source": "mounted", "target": "/etc/mounted"},
            ],
            "secrets": [
                {"source": "token"},
                {"source": "token", "target": "other"},
                {"source": "token", "target": "/etc/token"},
                {"source": "kept"},
            ],
        },
        "db": {},
    },
    "configs": {
        "inline": {"content": "x"},
        "env": {"environment": "X"},
        "mounted": {"file": "/srv/x"},
    },
    "secrets": {"token": {"environment": "TOKEN"}, "kept": {"file": "/srv/kept"}},
}


def test_contents_and_variables_are_copied_and_files_are_mounted() -> None:
    assert targets(MODEL, "web") == {
        "/etc/app.conf",
        "/inline",
        "/relative/x",
        "/run/secrets/token",
        "/run/secrets/other",
        "/etc/token",
    }
    assert targets(MODEL, "db") == targets(MODEL, "nobody") == set()
