"""Read template.yaml, CloudFormation's own tags included, without CloudFormation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"

# What CloudFormation would put for its pseudo parameters, in the local AWS.
PSEUDO = {
    "AWS::StackName": "shipclock",
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}


class _Loader(yaml.SafeLoader):
    """YAML with `!Ref`, `!GetAtt` and the rest, read as their long forms."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise TypeError(f"!{suffix} on {node!r}")
    return {name: value}


_Loader.add_multi_constructor("!", _long_form)


def load(path: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template with every intrinsic function in its long form."""
    # Nothing but plain data and the tags above can come out of this loader.
    loaded: dict[str, Any] = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506
    return loaded


def environment_of(function: str) -> dict[str, str]:
    """Return the variables that the template gives a function, with made-up resource names.

    A parameter stands for its default, a resource for a name of the right shape.
    """
    template = load()
    parameters = {name: one.get("Default", "") for name, one in template["Parameters"].items()}

    def plain(value: object) -> str:
        match value:
            case {"Ref": name}:
                return str(parameters.get(name, PSEUDO.get(name, f"shipclock-{name}")))
            case {"Fn::GetAtt": [name, attribute]}:
                return f"shipclock-{name}" if attribute in {"Id", "Arn"} else f"{name}.{attribute}"
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: plain({"Ref": found[1]}), text)
            case _:
                return str(value)

    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    own = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    return {name: plain(value) for name, value in {**shared, **own}.items()}
