"""The programs of a control plane: how each one is called, whatever it came from."""

from dataclasses import dataclass
from pathlib import Path

VERSION = "1.36.3"
"""Version of Kubernetes that the bundled Go module builds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Binaries:
    """Leading arguments of each program, the first an absolute path."""

    source: str
    """Where they come from, in words for a person."""
    etcd: tuple[str, ...]
    kube_apiserver: tuple[str, ...]
    kube_controller_manager: tuple[str, ...] | None
    """None where the source has none: nothing then collects garbage or ends namespaces."""

    @classmethod
    def in_folder(cls, folder: Path, *, source: str) -> "Binaries | None":
        """Take the programs of a folder laid out as envtest does, or none if it lacks any."""
        etcd, server, manager = (
            folder / name for name in ("etcd", "kube-apiserver", "kube-controller-manager")
        )
        if not (etcd.is_file() and server.is_file()):
            return None
        return cls(
            source=source,
            etcd=(str(etcd),),
            kube_apiserver=(str(server),),
            kube_controller_manager=(str(manager),) if manager.is_file() else None,
        )

    @classmethod
    def in_one_file(cls, program: Path, *, source: str) -> "Binaries":
        """Take all programs as sub-commands of one file, as the bundled Go module builds it."""
        return cls(
            source=source,
            etcd=(str(program), "etcd"),
            kube_apiserver=(str(program), "kube-apiserver"),
            kube_controller_manager=(str(program), "kube-controller-manager"),
        )
