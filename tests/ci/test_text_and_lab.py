"""Notebooks as text and back, and JupyterLab on a copy of the papers."""

import json
import os
import shlex

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.contents.filemanager import FileContentsManager

from ci import form, lab, publish, text
from ci.bench.small_paper import write_paper


@pytest.fixture
def executed(papers, tmp_path):
    """A notebook as it is published: every code cell has an output."""
    place = write_paper(papers, "alpha")
    notebook = nbformat.read(place, as_version=4)
    for number, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = number + 1
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"output {number}\nand more")]
    publish.save(notebook, place)
    return place


def test_text_and_back_changes_nothing_and_an_edit_only_its_cell(executed, tmp_path):
    before = executed.read_bytes()
    written = text.to_text("alpha", tmp_path)
    assert "# %%" in written.read_text()
    text.to_notebook("alpha", tmp_path)
    assert executed.read_bytes() == before
    written.write_text(written.read_text().replace("study.verdicts()", "study.verdicts()  # all of them"))
    text.to_notebook("alpha", tmp_path)
    assert "# all of them" in executed.read_text() and "output 5" in executed.read_text()
    before = executed.read_bytes()
    written.write_text(written.read_text().replace("study.verdicts()", "study.verdicts() or 1"))
    text.to_notebook("alpha", tmp_path)
    old, new = nbformat.reads(before.decode(), 4), nbformat.read(executed, 4)
    changed = [i for i, (a, b) in enumerate(zip(old.cells, new.cells, strict=True)) if a != b]
    assert len(changed) == 1 and new.cells[changed[0]].outputs == []
    assert new.metadata == old.metadata and [c.id for c in new.cells] == [c.id for c in old.cells]


def test_neither_side_is_overwritten_where_both_changed(executed, tmp_path):
    written = text.to_text("alpha", tmp_path)
    written.write_text(written.read_text() + "\n# %%\nedited = 1\n")
    with pytest.raises(ValueError, match="was edited"):
        text.to_text("alpha", tmp_path)
    executed.write_text(executed.read_text().replace("## The world", "## Another world"))
    with pytest.raises(ValueError, match="changed since"):
        text.to_notebook("alpha", tmp_path)
    with pytest.raises(ValueError, match="there is no"):
        text.to_notebook("alpha", tmp_path / "elsewhere")
    assert text.main(["to-text"]) == 2


def test_the_copy_follows_what_is_published_until_it_is_edited(executed, papers, tmp_path):
    assert lab.refresh(papers, tmp_path / "lab") == []
    copy = tmp_path / "lab" / "papers" / "alpha" / "alpha.ipynb"
    assert copy.read_bytes() == executed.read_bytes()
    executed.write_text(executed.read_text().replace("output 0", "output zero"))
    assert lab.refresh(papers, tmp_path / "lab") == []
    assert copy.read_bytes() == executed.read_bytes()
    copy.write_text("mine")
    assert lab.refresh(papers, tmp_path / "lab") == []
    executed.write_text(executed.read_text().replace("output zero", "output 0"))
    assert lab.refresh(papers, tmp_path / "lab") == ["alpha/alpha.ipynb"] == lab.refresh(papers, tmp_path / "lab")
    assert copy.read_text() == "mine"
    copy.unlink()
    assert lab.refresh(papers, tmp_path / "lab") == [] and copy.read_bytes() == executed.read_bytes()


def test_opening_and_saving_changes_nothing_whatever_the_kernel_calls_itself(executed, papers):
    manager = FileContentsManager(root_dir=str(papers), pre_save_hook=lab.before_saving)
    before = executed.read_bytes()
    assert form.saved_problems(executed) == []
    model = manager.get("alpha/alpha.ipynb")
    model["content"]["metadata"]["language_info"] = {"name": "python", "version": "3.99", "codemirror_mode": "x"}
    model["content"]["metadata"]["kernelspec"]["display_name"] = "Python 3"
    manager.save(model, "alpha/alpha.ipynb")
    assert executed.read_bytes() == before
    executed.write_bytes(before.rstrip())
    assert len(form.saved_problems(executed)) == 1


def test_the_lab_runs_notebooks_in_this_python_whatever_kernels_a_user_has(tmp_path, monkeypatch):
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    spec = {"argv": ["false"], "display_name": "another", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert KernelSpecManager().get_kernel_spec("python3").argv == ["false"]
    monkeypatch.setenv("JUPYTER_PATH", lab.variables(tmp_path)["JUPYTER_PATH"])
    assert KernelSpecManager().get_kernel_spec("python3").argv[1:3] == ["-m", "ipykernel_launcher"]


def test_the_lab_takes_flags_and_runs_as_root(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    words = lab.command(tmp_path, "--port 9000 --no-browser")
    assert words[-2:] == shlex.split("9000 --no-browser") and "--allow-root" in words
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--allow-root" not in lab.command(tmp_path, "")
    assert lab.SETTINGS["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
