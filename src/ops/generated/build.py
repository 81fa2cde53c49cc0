"""Writes signatures.txt: TensorFlow 1.15's ops in the notation of their registrations, one a line.

    python build.py OPS_JSON GRADIENTS_JSON > signatures.txt

Columns, split by tabs: name, signature, attributes (split by ' ; '), flags (stateful, uninitialized, stop: not differentiable).
"""
import json
import sys

NUMBERS = {"float32", "float64", "int32", "uint8", "int16", "int8", "complex64", "int64", "qint8", "quint8", "qint32",
           "bfloat16", "uint16", "complex128", "float16", "uint32", "uint64"}
REALS = {"float32", "float64", "int32", "uint8", "int16", "int8", "int64", "bfloat16", "uint16", "float16", "uint32", "uint64"}


def short(name):
    return name.removeprefix("DT_").lower()


def argument(arg):
    if "type_list_attr" in arg:
        kind = arg["type_list_attr"]
    else:
        kind = arg.get("type_attr") or short(arg["type"])
    if "number_attr" in arg:
        kind = f"{arg['number_attr']} * {kind}"
    if arg.get("is_ref"):
        kind = f"Ref({kind})"
    return f"{arg['name']}: {kind}"


def literal(default):
    (kind, value), = default.items()
    if kind == "type":
        return "DT_" + short(value).upper()
    if kind == "s":
        return "'" + value.replace("\t", "\\t").replace("\n", "\\n") + "'"
    if kind == "b":
        return "true" if value else "false"
    if kind == "shape":
        return shape(value)
    if kind == "func":
        return "''"
    if kind == "tensor":
        return short(value["dtype"]) + str(value["values"])
    if kind == "list":
        items = [literal({k: item}) for k, items in value.items() for item in (items if isinstance(items, list) else [items])]
        return "[" + ", ".join(items) + "]"
    return str(value)


def shape(value):
    if value is None or (isinstance(value, dict) and value.get("unknown_rank")):
        return "?"
    dims = value.get("dim", []) if isinstance(value, dict) else value
    sizes = [d.get("size", 0) if isinstance(d, dict) else d for d in dims]
    return "[" + ",".join("?" if int(s) < 0 else str(s) for s in sizes) + "]"


def attribute(attr):
    kind = attr["type"]
    inner = kind[5:-1] if kind.startswith("list(") else kind
    if "allowed" in attr:
        allowed = attr["allowed"]
        if inner == "type":
            names = [short(a) for a in allowed]
            if set(names) == NUMBERS:
                inner = "numbertype"
            elif set(names) == REALS:
                inner = "realnumbertype"
            else:
                inner = "{" + ", ".join(names) + "}"
        else:
            inner = "{" + ", ".join(f"'{a}'" for a in allowed) + "}"
    kind = f"list({inner})" if kind.startswith("list(") else inner
    text = f"{attr['name']}: {kind}"
    if "minimum" in attr:
        text += f" >= {attr['minimum']}"
    if "default" in attr:
        text += f" = {literal(attr['default'])}"
    return text


def signature(op):
    inputs = ", ".join(argument(a) for a in op.get("input", []))
    outputs = ", ".join(argument(a) for a in op.get("output", []))
    return f"{inputs} -> {outputs}".strip()


def main():
    ops = json.load(open(sys.argv[1]))["op"]
    gradients = json.load(open(sys.argv[2]))
    stops = set(gradients["not_differentiable"])
    for op in sorted(ops, key=lambda op: op["name"]):
        flags = [flag for flag, on in (("stateful", op.get("is_stateful")),
                                       ("uninitialized", op.get("allows_uninitialized_input")),
                                       ("stop", op["name"] in stops)) if on]
        attrs = " ; ".join(attribute(a) for a in op.get("attr", []))
        print(op["name"], signature(op), attrs, ",".join(flags), sep="\t")


if __name__ == "__main__":
    main()
