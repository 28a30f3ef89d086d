"""The file that `sau config init` writes: harmless as it is, with the rest ready to uncomment."""

from __future__ import annotations

_TEXT = """\
# Safe Auto-Updater configuration. Check it with: sau config validate
# Every key is described in docs/configuration.md. What stands here is the default.

inventory:
  include: ["*"]
  # exclude: ["*/db-*"]              # never looked at; * crosses /
  # docker:                          # without it: the one that `docker` asks
  #   - {name: local, host: "unix:///var/run/docker.sock"}
  # kubernetes:
  #   - {name: prod, context: prod, namespaces: [shop]}

# detection:
#   interval: 6h                     # of the service: sau run
#   policy: minor                    # none | digest | patch | minor | major; on clusters patch
#   registries:                      # only for private registries
#     - {host: "registry.example.org", username: sau, password_file: /run/secrets/registry}
#   rules:                           # the first matching rule decides
#     - {match: {asset: "*/db-*"}, policy: patch}

execution:
  # unattended: labelled             # all: the service updates what has no label, too
  rollback: automatic
  keep: {versions: 1, days: 7}       # replaced images that stay for the way back
  # health:
  #   timeout: 5m
  #   stable_for: 30s
  #   checks:
  #     - {match: {asset: "*/web"}, type: http, url: "http://{address}:8080/"}

# notifications:
#   - {type: webhook, url: "https://example.org/hook", events: [rolled_back, inconsistent]}
#   - {type: email, host: mail.example.org, from: sau@example.org, to: [me@example.org]}
"""


def starter() -> str:
    """A commented configuration file that is valid and means the defaults."""
    return _TEXT
