"""HParams: settings by name, each of one type, that can be read from text and JSON."""

import json
import numbers
import re

_ASSIGNMENT = re.compile(
    r"(?P<name>[a-zA-Z][\w\.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
    r"((?P<value>[^,\[]*)|\[(?P<values>[^\]]*)\])($|,\s*)"
)


def _wrong(name, kind, value, text):
    return ValueError(f"Could not parse hparam '{name}' of type '{kind.__name__}' with value '{value}' in {text}")


def _parsed(name, kind, value, text):
    try:
        if kind is bool:
            known = {"true": True, "True": True, "false": False, "False": False}
            return known[value] if value in known else bool(int(value))
        return kind(value)
    except ValueError:
        raise _wrong(name, kind, value, text) from None


def parse_values(values, type_map, ignore_unknown=False):
    """Reads assignments: 'a=1,b=[2,3],c[4]=5'.

    Args:
      values: the text.
      type_map: types by name.
      ignore_unknown: whether other names are passed over.

    Returns:
      A dict of values, of lists, and of dicts by index.

    Raises:
      ValueError: for text that cannot be read, unknown names, or a name that is assigned twice.
    """
    found, at = {}, 0

    def twice(name):
        return ValueError(f"Multiple assignments to variable '{name}' in {values}")

    while at < len(values):
        match = _ASSIGNMENT.match(values, at)
        if not match:
            raise ValueError(f"Malformed hyperparameter value: {values[at:]}")
        at = match.end()
        name, index = match["name"], match["index"]
        if name not in type_map:
            if ignore_unknown:
                continue
            raise ValueError(f"Unknown hyperparameter type for {name}")
        kind = type_map[name]
        if match["value"] is None:
            if index is not None:
                raise ValueError("Assignment of a list to a list index.")
            if name in found:
                raise twice(name)
            elements = [e for e in re.split("[ ,]", match["values"]) if e]
            found[name] = [_parsed(name, kind, e, values) for e in elements]
            continue
        value = _parsed(name, kind, match["value"], values)
        if index is None:
            if name in found:
                raise twice(name)
            found[name] = value
            continue
        known = found.setdefault(name, {})
        if not isinstance(known, dict):
            raise twice(name)
        if int(index) in known:
            raise twice(f"{name}[{index}]")
        known[int(index)] = value
    return found


def _as_type(name, kind, value):
    """The value in the setting's type, where that loses nothing."""
    if type(value) is kind or kind is type(None):
        return value
    is_text, is_bool = issubclass(kind, (str, bytes)), issubclass(kind, bool)
    if (
        (is_text and not isinstance(value, (str, bytes)))
        or is_bool != isinstance(value, bool)
        or (issubclass(kind, numbers.Integral) and not isinstance(value, numbers.Integral))
        or (issubclass(kind, numbers.Number) and not isinstance(value, numbers.Number))
    ):
        raise ValueError(f"Could not cast hparam '{name}' of type '{kind}' from value {value!r}")
    return kind(value)


class HParams:
    """Settings by name: attributes that keep the type of their first value.

    Args:
      hparam_def: None.
      model_structure: kept with them.
      **kwargs: the settings: numbers, bools, text, or lists of them.

    Raises:
      ValueError: for an empty list, or a name that is taken.
    """

    _HAS_DYNAMIC_ATTRIBUTES = True

    def __init__(self, hparam_def=None, model_structure=None, **kwargs):
        self._hparam_types = {}
        self._model_structure = model_structure
        if hparam_def is not None:
            raise NotImplementedError("HParams cannot be made of a HParamDef message")
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name, value):
        """Adds a setting.

        Raises:
          ValueError: for an empty list, or a name that is taken.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"Multi-valued hyperparameters cannot be empty: {name}")
            self._hparam_types[name] = (type(value[0]), True)
        else:
            self._hparam_types[name] = (type(value), False)
        setattr(self, name, value)

    def set_hparam(self, name, value):
        """Gives a setting another value of its type.

        Raises:
          KeyError: for an unknown name.
          ValueError: for another type.
        """
        kind, is_list = self._hparam_types[name]
        if isinstance(value, list):
            if not is_list:
                raise ValueError(f"Must not pass a list for single-valued parameter: {name}")
            setattr(self, name, [_as_type(name, kind, v) for v in value])
        else:
            if is_list:
                raise ValueError(f"Must pass a list for multi-valued parameter: {name}.")
            setattr(self, name, _as_type(name, kind, value))

    def del_hparam(self, name):
        """Removes a setting, if it is there."""
        if hasattr(self, name):
            delattr(self, name)
            del self._hparam_types[name]

    def parse(self, values):
        """Changes settings as text says: 'a=1,b=[2,3]'; returns the settings.

        Raises:
          ValueError: for text that cannot be read.
        """
        return self.override_from_dict(parse_values(values, {n: kind for n, (kind, _) in self._hparam_types.items()}))

    def override_from_dict(self, values_dict):
        """Changes settings by name; returns the settings.

        Raises:
          KeyError: for an unknown name.
          ValueError: for another type.
        """
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def set_from_map(self, values_map):
        """`override_from_dict` by its older name."""
        return self.override_from_dict(values_map)

    def set_model_structure(self, model_structure):
        """Keeps something with the settings."""
        self._model_structure = model_structure

    def get_model_structure(self):
        """Returns what was kept with the settings."""
        return self._model_structure

    def to_json(self, indent=None, separators=None, sort_keys=False):
        """Returns the settings as JSON."""
        return json.dumps(self.values(), indent=indent, separators=separators, sort_keys=sort_keys)

    def parse_json(self, values_json):
        """Changes settings as JSON says; returns the settings."""
        return self.override_from_dict(json.loads(values_json))

    def values(self):
        """Returns a dict of all settings."""
        return {name: getattr(self, name) for name in self._hparam_types}

    def get(self, key, default=None):
        """Returns a setting, or a default when it is not there.

        Raises:
          ValueError: for a default of another type.
        """
        if key not in self._hparam_types:
            return default
        if default is not None:
            kind, is_list = self._hparam_types[key]
            label = f"list<{kind}>" if is_list else str(kind)
            message = f"Hparam '{key}' of type '{label}' is incompatible with default={default}"
            if is_list != isinstance(default, list):
                raise ValueError(message)
            try:
                for value in default if is_list else [default]:
                    _as_type(key, kind, value)
            except ValueError as error:
                raise ValueError(f"{message}. {error}") from None
        return getattr(self, key)

    def __contains__(self, key):
        return key in self._hparam_types

    def __str__(self):
        return ",".join(f"{name}={value}" for name, value in self.values().items())

    def __repr__(self):
        return f"{type(self).__name__}({sorted(self.values().items())})"
