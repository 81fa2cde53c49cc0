"""Which objects an object-based checkpoint holds: variables, and what they belong to, by the names of attributes."""

import collections

from ferroflow._src import proto
from ferroflow._src.framework import stacks
from ferroflow._src.framework.variables import Variable
from ferroflow._src.layers.base import Layer
from ferroflow._src.training import saveables
from ferroflow._src.training.optimizer import Optimizer

# The name of a variable's one attribute.
_VALUE = "VARIABLE_VALUE"


class Trackable:
    """Keeps what is saved with it: the objects that were assigned to its attributes, in that order."""

    def __setattr__(self, name, value):
        """Keeps an object that can be saved."""
        children = self.__dict__.setdefault("_children", {})
        if is_trackable(value) or isinstance(value, (list, dict)):
            children[name] = value
        else:
            children.pop(name, None)
        super().__setattr__(name, value)

    def __delattr__(self, name):
        """Keeps it no longer."""
        self.__dict__.get("_children", {}).pop(name, None)
        super().__delattr__(name)


def is_trackable(value):
    """Whether a checkpoint can hold it."""
    return isinstance(value, (Variable, Optimizer, Layer, Trackable))


def children_of(thing):
    """Returns the (name, object) pairs that belong to an object."""
    if isinstance(thing, Variable):
        return []
    if isinstance(thing, Trackable):
        found = thing.__dict__.get("_children", {}).items()
    elif isinstance(thing, Optimizer):
        current = stacks.get_default_graph()
        found = [(name, made) for (name, graph), made in thing._non_slot_dict.items() if graph is current]
        found.sort(key=lambda item: item[0])
    elif isinstance(thing, Layer):
        cells = {f"cell-{i}": cell for i, cell in enumerate(getattr(thing, "_cells", ()))}
        attributes = {name: value for name, value in vars(thing).items() if not name.startswith("_")}
        found = {**thing._weights_by_name, **cells, **attributes}.items()
    elif isinstance(thing, dict):
        found = [(str(key), value) for key, value in thing.items()]
    else:
        found = [(str(i), value) for i, value in enumerate(thing)]
    # A layer's own lists are no part of a checkpoint.
    kinds = () if isinstance(thing, Layer) else (list, dict)
    return [(name, value) for name, value in found if is_trackable(value) or isinstance(value, kinds)]


class ObjectGraph:
    """The objects below a root, breadth first, with their slots; and what is saved of each."""

    def __init__(self, root):
        """Walks from `root`, and then adds the slots that optimizers among the objects have for variables among them."""
        self.objects = []
        self.message = proto.TrackableObjectGraph()
        self._number = {}
        paths = {id(root): ()}
        waiting = collections.deque([root])
        while waiting:
            thing = waiting.popleft()
            self._number[id(thing)] = len(self.objects)
            self.objects.append(thing)
            for name, child in children_of(thing):
                if id(child) not in paths:
                    paths[id(child)] = (*paths[id(thing)], name)
                    waiting.append(child)
        self._prefixes = ["/".join(_escaped(name) for name in paths[id(thing)]) for thing in self.objects]
        slots = self._add_slots()
        for number, thing in enumerate(self.objects):
            node = self.message.nodes.add()
            node.slot_variables.extend(slots.get(number, ()))
            for name, child in children_of(thing):
                node.children.add(node_id=self._number[id(child)], local_name=name)
        self.saveables = [made for number in range(len(self.objects)) for made in self._saveables_of(number)]

    def _add_slots(self):
        slots = {}
        for optimizer_number, optimizer in enumerate(list(self.objects)):
            if not isinstance(optimizer, Optimizer):
                continue
            originals = [(n, thing) for n, thing in enumerate(self.objects) if isinstance(thing, Variable)]
            for slot_name in optimizer.get_slot_names():
                for number, original in originals:
                    slot = optimizer.get_slot(original, slot_name)
                    if slot is None or id(slot) in self._number:
                        continue
                    self._number[id(slot)] = len(self.objects)
                    slots.setdefault(optimizer_number, []).append(
                        proto.TrackableObjectGraph.TrackableObject.SlotVariableReference(
                            original_variable_node_id=number,
                            slot_name=slot_name,
                            slot_variable_node_id=len(self.objects),
                        )
                    )
                    self.objects.append(slot)
                    optimizer_path = self._prefixes[optimizer_number]
                    self._prefixes.append(
                        f"{self._prefixes[number]}/.OPTIMIZER_SLOT/{optimizer_path}/{_escaped(slot_name)}"
                    )
        return slots

    def _saveables_of(self, number):
        thing = self.objects[number]
        if not isinstance(thing, Variable):
            return
        key = f"{self._prefixes[number]}/.ATTRIBUTES/{_VALUE}"
        self.message.nodes[number].attributes.add(name=_VALUE, full_name=full_name(thing), checkpoint_key=key)
        yield from saveables.objects_for_one(thing, key)


def full_name(variable):
    """Returns the name that a `tf.train.Saver` saves a variable by."""
    (name,) = saveables.by_name([variable])
    return name


def _escaped(name):
    """A name without slashes, in which a dot begins nothing."""
    return name.replace(".", "..").replace("/", ".S")


def names_of(message):
    """Returns how an error calls each node of a stored graph of objects."""
    names = {0: "(root)"}
    waiting = collections.deque([0])
    while waiting:
        number = waiting.popleft()
        for child in message.nodes[number].children:
            if child.node_id not in names:
                names[child.node_id] = f"{names[number]}.{child.local_name}"
                waiting.append(child.node_id)
    for number, node in enumerate(message.nodes):
        for slot in node.slot_variables:
            names[slot.slot_variable_node_id] = (
                f"{names.get(number)}'s state '{slot.slot_name}' for {names.get(slot.original_variable_node_id)}"
            )
    return names
