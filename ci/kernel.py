"""The kernel of a run, and papermill's engine on it: this Python whatever kernels a user has, no TCP, output that ends.

Kernels over TCP choose ports that another may take before they do, and who loses the race waits for ever. Over sockets
in a folder of its own no kernel can meet another.
"""

import tempfile
from collections.abc import Mapping
from typing import Any

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbformat import NotebookNode
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, NotebookExecutionManager
from papermill.log import logger

from autodidact.claims.record import MIME
from ci.ending import end_with_parent

START_SECONDS = 100
OUTPUT_SECONDS = 60  # for what a cell wrote to arrive after its end; on a busy machine that takes a while
MOST_OUTPUT = 10_000_000  # characters that the outputs of a notebook may have; the largest published one has a million
LONGEST_FOLDER = 60  # characters; the whole path of a socket has 107 at most
CUT = "\n[cut here: the outputs of a notebook may have {:,} characters]\n"


class Kernel(AsyncKernelManager):
    """A kernel in this Python, whatever is installed under its name. On Linux it is killed when this process ends."""

    def __init__(self, **options: Any) -> None:
        place = tempfile.gettempdir()
        self._folder = tempfile.TemporaryDirectory(dir=place if len(place) <= LONGEST_FOLDER else "/tmp")
        super().__init__(transport="ipc", connection_file=f"{self._folder.name}/kernel.json", **options)

    @property
    def kernel_spec(self) -> KernelSpec:
        """How ipykernel starts in this Python."""
        return KernelSpec(**get_kernel_dict())

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, preexec_fn=end_with_parent(), **options)


class Client(PapermillNotebookClient):
    """Papermill's client on such a kernel. It cuts the outputs where they grow beyond all measure.

    The record, what is updated in place, and the message of an error are kept in any case.
    """

    _room = MOST_OUTPUT

    def create_kernel_manager(self) -> Kernel:
        """The kernel's manager, which becomes the client's."""
        self.km = Kernel(config=self.config)
        return self.km

    def output(
        self, outs: list[NotebookNode], msg: Mapping[str, Any], display_id: str | None, cell_index: int
    ) -> NotebookNode | None:
        """Append an output to those of its cell, as far as there is room."""
        out = super().output(outs, msg, display_id, cell_index)
        if out is None or display_id or MIME in out.get("data", {}):
            return out
        room, self._room = self._room, max(0, self._room - _characters(out))
        if not self._room:
            outs[-1:] = _shortened(out, room)
        return out


class OwnEngine(Engine):
    """Papermill's engine with this client."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: NotebookExecutionManager, kernel_name: str, **_: Any) -> None:
        """Execute the notebook of `nb_man`, whatever kernel it names."""
        Client(nb_man, startup_timeout=START_SECONDS, iopub_timeout=OUTPUT_SECONDS, log=logger).execute()


def _shortened(out: NotebookNode, room: int) -> list[NotebookNode]:
    """What is left of an output where there is room for so many characters."""
    if out.output_type == "error":
        return [new_output("error", ename=out.ename, evalue=out.evalue[:1000], traceback=[])]
    if not room:
        return []
    kept = out.text[:room] if out.output_type == "stream" else ""
    return [new_output("stream", name=out.get("name", "stdout"), text=kept + CUT.format(MOST_OUTPUT))]


def _characters(value: Any) -> int:
    """How many characters all texts in nested dicts and lists have together."""
    if isinstance(value, str):
        return len(value)
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return sum(map(_characters, parts))
