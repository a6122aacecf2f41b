"""What a program may use."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of one test of one program; each test starts from a fresh process, so none is used up by another.

    cpu_seconds: whole seconds of processor time. wall_seconds: of time on the clock; both end in `timeout`.
    memory_bytes: of address space. workspace_bytes: of the temporary folder in memory, the only place that can be
    written to. file_bytes: of one file. open_files: descriptors.
    output_bytes: of what is printed, the rest is thrown away while it is read. result_bytes: of one
    returned value or one call's arguments. text_bytes: of a program or of a test, in UTF-8.
    """

    cpu_seconds: int = 1
    wall_seconds: float = 5.0
    memory_bytes: int = 256 * 2**20
    workspace_bytes: int = 4 * 2**20
    file_bytes: int = 2**20
    open_files: int = 32
    output_bytes: int = 10_000
    result_bytes: int = 256 * 2**10
    text_bytes: int = 2**20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = (int, float) if field.name == "wall_seconds" else (int,)
            if type(value) not in numbers or not 0 < value < 2**40:
                raise ValueError(f"{field.name}={value!r} must be a {' or '.join(t.__name__ for t in numbers)} above 0")
        if self.memory_bytes < 64 * 2**20:
            raise ValueError(
                f"memory_bytes={self.memory_bytes} must be 64 MiB (67108864) or more: Python itself needs it"
            )
        if self.open_files < 8:
            raise ValueError(f"open_files={self.open_files} must be 8 or more: the sandbox itself holds some")
