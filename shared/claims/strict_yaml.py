"""YAML in which one text has one meaning: what other readers take for something else is refused, with its line."""

import math
import re
from pathlib import Path
from typing import Any

import yaml

_TWO_MEANINGS = re.compile(r"[-+]?0[0-9_]+|.*:.*")  # 010 is 8 in YAML and 10 elsewhere, 1:30 is 90


def read_yaml(path: Path, where: str) -> Any:
    """The content of a YAML file. Raises ValueError as `parse_yaml` does, and for a file that is not UTF-8."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from None
    return parse_yaml(text, where)


def parse_yaml(text: str, where: str) -> Any:
    """The content of a YAML text.

    Raises ValueError in one line that begins with `where`, for what is not YAML, a key that is given twice, a number
    that is not finite, and one that can be read as two (010, 1:30).
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise ValueError(f"{where} is not YAML{line}: {problem}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{where} is not YAML: {' '.join(str(error).split())}") from None


class _Loader(yaml.SafeLoader):
    """Safe YAML without dates that reads 5e-7 as a number; YAML 1.1 would make it a string for want of a dot."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [key.value for key, _ in node.value]
        for i, (key, _) in enumerate(node.value):
            if key.value in keys[:i]:
                raise _refused(f"the key {key.value!r} is given more than once", key)
        return super().construct_mapping(node, deep)

    def number(self, node: yaml.ScalarNode) -> int | float:
        """An int or a float that everybody reads alike."""
        text = self.construct_scalar(node)
        if _TWO_MEANINGS.fullmatch(text.partition(".")[0]):
            raise _refused(f"{text} can be read as two numbers; write it plainly, or in quotes", node)
        is_int = node.tag == "tag:yaml.org,2002:int"
        value = self.construct_yaml_int(node) if is_int else self.construct_yaml_float(node)
        if not math.isfinite(value):
            raise _refused(f"{text} is not finite", node)
        return value


def _refused(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _Loader.number)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)
