"""The README's script works as it stands, with the name of a model filled in."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_take_a_loss_home(checkpoint, tmp_path, monkeypatch):
    text = README.read_text(encoding="utf-8")
    script = re.search(r"<!-- take-home -->\n```python\n(.*?)```", text, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(compile(script.replace("your/model", str(checkpoint)), "README.md", "exec"), scope)
    assert scope["trainer"].state.global_step == 1
    assert len([line for line in script.splitlines() if line.strip() and not line.startswith("from")]) <= 10


def test_commands_are_targets_of_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", (README.parent / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", README.read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for pair in named for name in pair if name}
    assert named <= targets, named - targets
