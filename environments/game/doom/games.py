"""The games of ViZDoom, each a process of its own: who has which, and that none outlives the Python that started it.

Players made later on the same maps take the games of those made before, since starting one is the slow part. Games end
when their players are closed or collected, when Python ends, and when a forked process ends, whose `os._exit` runs no
`atexit`. What is killed can end nothing; where `setpriv` (util-linux) is at hand, Linux then kills its games.

ViZDoom writes into the folder that it is started in, and takes Python along where a file of its own cannot be made or
executed: so games are started in a folder of ours.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import chdir
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from tempfile import TemporaryDirectory

import vizdoom

VARIABLES = (vizdoom.GameVariable.POSITION_X, vizdoom.GameVariable.POSITION_Y, vizdoom.GameVariable.ANGLE)
BUTTONS = (
    vizdoom.Button.MOVE_FORWARD,
    vizdoom.Button.MOVE_BACKWARD,
    vizdoom.Button.SPEED,
    vizdoom.Button.TURN_LEFT_RIGHT_DELTA,
    vizdoom.Button.USE,
)
Key = tuple[int, int, int]  # process, map, and how many of that map there are before it

_games: dict[Key, vizdoom.DoomGame] = {}
_owners: dict[Key, object] = {}
_guarded: set[int] = set()  # processes that will end their games


def take(numbers: Sequence[int], owner: object) -> list[Key]:
    """A game a map number for `owner`, taken from whoever had it or started."""
    pid = os.getpid()
    if pid not in _guarded:
        _guarded.add(pid)
        Finalize(None, end_all, exitpriority=10)
    keys = [(pid, n, list(numbers[:i]).count(n)) for i, n in enumerate(numbers)]
    for key in keys:
        if key not in _games:
            _games[key] = _start(key[1])
        _owners[key] = owner
    return keys


def game(key: Key, owner: object) -> vizdoom.DoomGame:
    """The owner's game. Raises RuntimeError where others have taken it, or it was closed."""
    if _owners.get(key) is not owner:
        raise RuntimeError(f"the games of map {key[1]} are closed or have gone to players made later; make new ones")
    return _games[key]


def end(keys: Sequence[Key], owner: object) -> None:
    """End those games that are still the owner's and this process's."""
    for key in keys:
        if key[0] == os.getpid() and _owners.get(key) is owner:
            del _owners[key]
            _games.pop(key).close()


def end_all() -> None:
    """End all games of this process."""
    for key, owner in list(_owners.items()):
        end([key], owner)


def _start(number: int) -> vizdoom.DoomGame:
    started = vizdoom.DoomGame()
    started.set_vizdoom_path(str(_mortal(Path(vizdoom.__file__).parent / "vizdoom")))
    started.set_doom_game_path(str(Path(vizdoom.__file__).parent / "freedoom2.wad"))
    started.set_doom_config_path(str(_folder() / f"vizdoom-{os.getpid()}.ini"))  # else where one works
    started.set_doom_map(f"map{number:02d}")
    started.set_screen_resolution(vizdoom.ScreenResolution.RES_160X120)
    started.set_screen_format(vizdoom.ScreenFormat.GRAY8)
    started.set_labels_buffer_enabled(True)
    started.set_window_visible(False)
    started.set_render_hud(False)
    started.set_available_buttons(list(BUTTONS))
    started.set_available_game_variables(list(VARIABLES))
    started.set_episode_timeout(0)
    started.set_mode(vizdoom.Mode.PLAYER)
    started.add_game_args("-nomonsters")
    with chdir(_folder()):
        started.init()
    return started


@cache
def _mortal(program: Path) -> Path:
    """A script that becomes `program` and is killed with the thread of ours that started it.

    The program itself without `setpriv`, and where temporary files cannot be executed (`noexec`).
    """
    script = _folder() / "mortal.sh"
    script.write_text(f'#!/bin/sh\nexec setpriv --pdeathsig KILL "{program}" "$@"\n')
    script.chmod(0o700)
    return script if shutil.which("setpriv") and os.access(script, os.X_OK) else program


def _folder() -> Path:
    """A folder of this process's own, and of its forks; it goes when the process ends."""
    return Path(_kept().name)


@cache
def _kept() -> TemporaryDirectory:
    return TemporaryDirectory(prefix="vizdoom-")
