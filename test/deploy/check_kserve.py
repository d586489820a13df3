"""Checks manifests against the types that KServe generates from its API: every field must exist, and be of its type.

Usage: check_kserve.py manifest.yaml …
"""

import importlib.util
import re
import sys
import types
from pathlib import Path

import yaml

# The packages themselves would import a whole model server, and all that logs into clusters; their types are all that is needed.
for name in ("kserve", "kubernetes"):
    package = types.ModuleType(name)
    package.__path__ = list(importlib.util.find_spec(name).submodule_search_locations)
    sys.modules[name] = package

import kserve.models  # noqa: E402
import kubernetes.client  # noqa: E402

KINDS = {
    ("serving.kserve.io/v1alpha1", "ServingRuntime"): "V1alpha1ServingRuntime",
    ("serving.kserve.io/v1beta1", "InferenceService"): "V1beta1InferenceService",
}
PLAIN = {"str": str, "int": int, "float": (int, float), "bool": bool, "object": object}


def check(value, type_name, path):
    if match := re.fullmatch(r"[Ll]ist\[(.*)\]", type_name):
        if not isinstance(value, list):
            return [f"{path}: expected a list"]
        return [fault for i, item in enumerate(value) for fault in check(item, match[1], f"{path}[{i}]")]
    if match := re.fullmatch(r"[Dd]ict[(\[]str, (.*)[)\]]", type_name):
        if not isinstance(value, dict):
            return [f"{path}: expected a map"]
        return [fault for key, item in value.items() for fault in check(item, match[1], f"{path}.{key}")]
    if type_name in PLAIN:
        expected = PLAIN[type_name]
        fits = isinstance(value, expected) and (expected is not int or not isinstance(value, bool))
        return [] if fits else [f"{path}: expected {type_name}, found {value!r}"]
    return check_object(value, type_name, path)


def check_object(value, type_name, path):
    model = getattr(kserve.models, type_name, None) or getattr(kubernetes.client, type_name, None)
    if model is None:
        return [] if type_name in ("ResourceQuantity", "IntstrIntOrString") else [f"{path}: no type {type_name}"]
    if not isinstance(value, dict):
        return [f"{path}: expected {type_name}, found {value!r}"]
    names = {json_name: name for name, json_name in model.attribute_map.items()}
    faults = [f"{path}.{key}: {type_name} has no such field" for key in value if key not in names]
    for key, item in value.items():
        if key in names:
            faults += check(item, model.openapi_types[names[key]], f"{path}.{key}")
    return faults


def main(paths):
    faults = []
    for path in paths:
        for document in yaml.safe_load_all(Path(path).read_text()):
            type_name = KINDS.get((document.get("apiVersion"), document.get("kind")))
            name = f"{path}: {document.get('kind')} {document['metadata']['name']}"
            faults += [f"{name}: unknown kind"] if type_name is None else check(document, type_name, name)
            print(f"checked {name}")
    print("\n".join(faults), file=sys.stderr)
    return 1 if faults else 0


sys.exit(main(sys.argv[1:]))
