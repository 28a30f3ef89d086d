"""Every field a container can be given, with a value that is not its default. One row each.

`HostConfig.Ulimits` also covers the fields inside its value (`HostConfig.Ulimits.Soft`). Rows of
one `group` are set on one container. Words in `<>` stand for what a test makes: see `kit.fill`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
SECOND = 1_000_000_000
RATE = [{"Path": "/dev/loop0", "Rate": MIB}]


Api = tuple[int, int]
ALWAYS: tuple[Api, Api] = ((1, 41), (9, 99))


@dataclass(frozen=True)
class Field:
    """One settable field. `shown` is how the engine tells it, where that is not what was set."""

    path: str
    value: Any
    group: str
    shown: Any = None
    apis: tuple[Api, Api] = ALWAYS
    """From and to which API an engine keeps it."""

    def __str__(self) -> str:
        return self.path

    def kept_by(self, api: Api) -> bool:
        """Whether an engine that speaks this API keeps it."""
        return self.apis[0] <= api <= self.apis[1]


def _rows(group: str, of: str, apis: tuple[Api, Api] = ALWAYS, **values: Any) -> tuple[Field, ...]:
    return tuple(Field(f"{of}.{name}", value, group, None, apis) for name, value in values.items())


def _since(minor: int) -> tuple[Api, Api]:
    return (1, minor), ALWAYS[1]


def _until(minor: int) -> tuple[Api, Api]:
    return ALWAYS[0], (1, minor)


RUNS = (
    # Set on a running container: kept by an update and by a rollback.
    *_rows(
        "limits",
        "HostConfig",
        CpuShares=512,
        Memory=64 * MIB,
        MemorySwap=96 * MIB,
        MemoryReservation=32 * MIB,
        MemorySwappiness=0,
        CpuPeriod=50_000,
        CpuQuota=40_000,
        CpuRealtimePeriod=1_000_000,
        CpusetCpus="0",
        CpusetMems="0",
        CpuCount=1,
        PidsLimit=100,
        OomKillDisable=True,
        OomScoreAdj=500,
        Ulimits=[{"Name": "nofile", "Soft": 1024, "Hard": 2048}],
        ShmSize=MIB,
        CgroupParent="/<prefix>",
        BlkioDeviceReadBps=RATE,
        BlkioDeviceWriteBps=RATE,
        BlkioDeviceReadIOps=RATE,
        BlkioDeviceWriteIOps=RATE,
    ),
    *_rows("limits", "HostConfig", _until(41), KernelMemory=60 * MIB),
    *_rows("limits", "HostConfig", _until(51), KernelMemoryTCP=60 * MIB),
    *_rows("confinement", "HostConfig", NanoCpus=500_000_000),
    *_rows(
        "confinement",
        "HostConfig",
        CapAdd=["NET_ADMIN", "SYS_TIME"],
        CapDrop=["MKNOD", "AUDIT_WRITE"],
        SecurityOpt=["no-new-privileges", "label=disable"],
        GroupAdd=["12", "34"],
        Devices=[
            {
                "PathOnHost": "/dev/null",
                "PathInContainer": "/dev/nothing",
                "CgroupPermissions": "r",
            }
        ],
        DeviceCgroupRules=["c 13:* rwm"],
        MaskedPaths=[],
        ReadonlyPaths=["/proc/sys"],
        ReadonlyRootfs=True,
        UsernsMode="host",
        CgroupnsMode="private",
        Cgroup="container:any",
        Sysctls={"net.ipv4.ip_unprivileged_port_start": "80"},
        Runtime="io.containerd.runc.v2",
        Isolation="default",
        Init=True,
        Tmpfs={"/run": "rw,size=64k"},
    ),
    *_rows(
        "surroundings",
        "HostConfig",
        ConsoleSize=[24, 80],
        ContainerIDFile="/run/web.cid",
        LogConfig={"Type": "local", "Config": {"max-size": "1m"}},
        RestartPolicy={"Name": "on-failure", "MaximumRetryCount": 3},
        Dns=["192.0.2.53"],
        DnsOptions=["ndots:2"],
        DnsSearch=["example.org"],
        ExtraHosts=["db:192.0.2.5", "host:host-gateway"],
        PortBindings={
            "8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "<port>"}],
            "53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
        },
        PublishAllPorts=True,
    ),
    *_rows(
        "data",
        "HostConfig",
        VolumeDriver="local",
        Binds=["<volume>:/named:ro", "/dev:/host-dev:ro,rprivate"],
        Mounts=[
            {
                "Type": "bind",
                "Source": "/sys",
                "Target": "/host-sys",
                "ReadOnly": True,
                "Consistency": "cached",
                "BindOptions": {"Propagation": "rprivate", "NonRecursive": True},
            },
            {
                "Type": "tmpfs",
                "Target": "/scratch",
                "TmpfsOptions": {"SizeBytes": 64 * 1024, "Mode": 0o1770},
            },
            {
                "Type": "volume",
                "Source": "<prefix>-driven",
                "Target": "/driven/",
                "VolumeOptions": {
                    "NoCopy": True,
                    "Labels": {"made": "by the mount"},
                    "DriverConfig": {
                        "Name": "local",
                        "Options": {"type": "tmpfs", "device": "tmpfs", "o": "size=64k"},
                    },
                },
            },
        ],
    ),
    *_rows(
        "borrowed",
        "HostConfig",
        IpcMode="container:<peer>",
        PidMode="container:<peer>",
        VolumesFrom=["<peer>:ro"],
        UTSMode="host",
    ),
    Field("HostConfig.Links", ["<peer>:db"], "surroundings", shown=["/<peer>:/<name>/db"]),
    *_rows("own network", "HostConfig", NetworkMode="<network>"),
    *_rows(
        "own network",
        "Endpoint",
        Aliases=["www", "front"],
        IPAMConfig={
            "IPv4Address": "<subnet>.77",
            "IPv6Address": "<subnet6>::77",
            "LinkLocalIPs": ["169.254.34.68"],
        },
        Links=["<peer>:cache"],
        DriverOpts={"com.example.option": "1"},
    ),
    *_rows(
        "surroundings",
        "Config",
        AttachStdin=True,
        AttachStdout=True,
        AttachStderr=True,
        OpenStdin=True,
        StdinOnce=True,
        Tty=True,
    ),
    *_rows("data", "Config", NetworkDisabled=True),
    *_rows(
        "config",
        "Config",
        Hostname="fed",  # hexadecimal, and nobody's ID
        User="1000:1000",
        Cmd=["serve", ""],
        Entrypoint=["/bin/sh", "/lab/start"],
        Healthcheck={
            "Test": ["CMD-SHELL", "/lab/health"],
            "Interval": SECOND // 5,
            "Timeout": 2 * SECOND,
            "Retries": 4,
            "StartPeriod": SECOND,
        },
        Labels={"who": "user", "empty": ""},
        WorkingDir="/srv",
        StopSignal="SIGUSR1",
        StopTimeout=0,
        Shell=["/bin/sh", "-ec"],
        OnBuild=["RUN true"],
        ArgsEscaped=True,
        Volumes={"/user-volume": {}},
    ),
    Field(
        "Config.Env",
        ["MODE=user", "EMPTY=", "UNSET"],
        "config",
        shown=["MODE=user", "EMPTY=", "UNSET", "PATH=/bin"],
    ),
    Field(
        "Config.ExposedPorts",
        {"9000/tcp": {}},
        "config",
        shown={"9000/tcp": {}, "8080/tcp": {}},
    ),
    *_rows("limits", "Config", Domainname="example.org"),
    *_rows("config", "Config", _until(51), MacAddress="02:42:ac:11:ee:<octet>"),
    *_rows("own network", "Endpoint", _since(44), MacAddress="02:42:ac:12:ee:<octet>"),
    *_rows("own network", "Endpoint", _since(48), GwPriority=5),
    *_rows("newer", "HostConfig", _since(43), Annotations={"a": "b"}),
    *_rows("newer", "HostConfig", _since(56), Umask=0o27),
    *_rows(
        "newer",
        "Config",
        _since(44),
        Healthcheck={
            "Test": ["CMD-SHELL", "/lab/health"],
            "StartPeriod": SECOND,
            "StartInterval": SECOND // 5,
        },
    ),
    *_rows(
        "newer mounts",
        "HostConfig",
        _since(44),
        Mounts=[
            {
                "Type": "bind",
                "Source": "<folder>/made",
                "Target": "/made",
                "ReadOnly": True,
                "BindOptions": {"CreateMountpoint": True, "ReadOnlyNonRecursive": True},
            },
            {
                "Type": "bind",
                "Source": "/etc",
                "Target": "/host-etc",
                "ReadOnly": True,
                "BindOptions": {"Propagation": "rprivate", "ReadOnlyForceRecursive": True},
            },
        ],
    ),
    *_rows(
        "part of a volume",
        "HostConfig",
        _since(45),
        Mounts=[
            {
                "Type": "volume",
                "Source": "<volume>",
                "Target": "/part",
                "VolumeOptions": {"Subpath": "below"},
            }
        ],
    ),
    *_rows(
        "options of a tmpfs",
        "HostConfig",
        _since(46),
        Mounts=[{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"Options": [["noexec"]]}}],
    ),
    *_rows(
        "image as a mount",
        "HostConfig",
        _since(48),
        Mounts=[
            {
                "Type": "image",
                "Source": "<image>",
                "Target": "/other",
                "ImageOptions": {"Subpath": "lab"},
            }
        ],
    ),
)

STAGED = (
    # The engine here keeps it and cannot start a container with it: two created containers.
    *_rows(
        "cannot start here",
        "HostConfig",
        Privileged=True,
        CpuRealtimeRuntime=950_000,
        DeviceRequests=[
            {
                "Driver": "none-such",
                "Count": 1,
                "DeviceIDs": None,
                "Capabilities": [["gpu"]],
                "Options": {"a": "b"},
            }
        ],
    ),
    # Removed when it stops: no way back, so it is held, never updated.
    *_rows("cannot start here", "HostConfig", AutoRemove=True),
)

ELSEWHERE = (
    # The engine or kernel here does not keep it (measured): what we ask for, no more.
    *_rows(
        "discarded by a kernel without CFQ",
        "HostConfig",
        BlkioWeight=300,
        BlkioWeightDevice=[{"Path": "/dev/loop0", "Weight": 300}],
    ),
    *_rows("refused without xfs quotas", "HostConfig", StorageOpt={"size": "1G"}),
    *_rows(
        "Windows: discarded or refused",
        "HostConfig",
        CpuPercent=50,
        IOMaximumIOps=100,
        IOMaximumBandwidth=MIB,
    ),
)

EXCLUDED = {
    "Config.Image": "the one thing that an update changes",
    "Endpoint.NetworkID": "the engine's answer",
    "Endpoint.EndpointID": "the engine's answer",
    "Endpoint.Gateway": "the engine's answer",
    "Endpoint.IPAddress": "the engine's answer; asked for by IPAMConfig",
    "Endpoint.IPPrefixLen": "the engine's answer",
    "Endpoint.IPv6Gateway": "the engine's answer",
    "Endpoint.GlobalIPv6Address": "the engine's answer; asked for by IPAMConfig",
    "Endpoint.GlobalIPv6PrefixLen": "the engine's answer",
    "Endpoint.DNSNames": "the engine's answer, made from names and aliases",
}
