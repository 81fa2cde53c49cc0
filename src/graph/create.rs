//! Making a node: types and list lengths from its inputs, attributes from its definition, then shapes and scopes.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::{Code, Error, Result};
use crate::value::{DType, PartialShape};
use crate::{bail, ensure};

use super::attr::{Attr, Attrs, List, TypeNumber};
use super::infer::{ShapeContext, ShapeFn, explain};
use super::signature::{Arg, ArgType, AttrDef, AttrKind, OpDef};
use super::{Endpoint, Graph, Node, NodeId, Output};

/// What is given for one input argument.
#[derive(Clone, Debug)]
pub enum Input {
    One(Endpoint),
    Many(Vec<Endpoint>),
}

impl From<Endpoint> for Input {
    fn from(e: Endpoint) -> Self {
        Input::One(e)
    }
}
impl From<Vec<Endpoint>> for Input {
    fn from(e: Vec<Endpoint>) -> Self {
        Input::Many(e)
    }
}
impl From<&[Endpoint]> for Input {
    fn from(e: &[Endpoint]) -> Self {
        Input::Many(e.to_vec())
    }
}

/// A node to be made.
#[derive(Clone, Debug, Default)]
pub struct NodeSpec {
    pub op: Cow<'static, str>,
    /// Empty: the op's name. With a slash at the end: exactly this name. Else made unique under the name scope.
    pub name: String,
    /// Endpoints, lists laid flat.
    pub inputs: SmallVec<[Endpoint; 3]>,
    pub attrs: Attrs,
    pub controls: Vec<NodeId>,
    pub device: String,
    /// Imported nodes keep their name, device and control inputs whatever the scopes say.
    pub is_import: bool,
}

impl NodeSpec {
    pub fn new(op: impl Into<Cow<'static, str>>) -> Self {
        NodeSpec {
            op: op.into(),
            ..Default::default()
        }
    }

    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    pub fn input(mut self, input: impl Into<Input>) -> Self {
        match input.into() {
            Input::One(e) => self.inputs.push(e),
            Input::Many(list) => self.inputs.extend(list),
        }
        self
    }

    pub fn attr(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Attr>) -> Self {
        self.attrs.set(name, value.into());
        self
    }

    pub fn control(mut self, node: NodeId) -> Self {
        self.controls.push(node);
        self
    }
}

impl Graph {
    /// Makes the node and returns its number.
    pub fn create(&mut self, spec: NodeSpec) -> Result<NodeId> {
        ensure!(
            !self.finalized,
            runtime,
            "Graph is finalized and cannot be modified."
        );
        let def = self.op_def(&spec.op).ok_or_else(|| {
            Error::not_found(format!(
                "Op type not registered '{}' in the op registry of ferroflow",
                spec.op
            ))
        })?;
        for e in &spec.inputs {
            self.try_output(*e)?;
        }
        let name = self.name_for(&spec, def)?;
        let node = self.resolve(def, &name, spec.inputs, spec.attrs)?;
        let mut node = Node {
            name: name.into(),
            is_imported: spec.is_import,
            ..node
        };
        node.control_inputs = if spec.is_import {
            SmallVec::new()
        } else {
            self.controls_for(&node.inputs)
        };
        for control in spec.controls {
            self.try_node(control)?;
            if !node.control_inputs.contains(&control) {
                node.control_inputs.push(control);
            }
        }
        node.device = self.empty_device();
        let shapes = self.infer_shapes(&node)?;
        for (output, (shape, handle)) in node.outputs.iter_mut().zip(shapes) {
            output.shape = shape;
            output.handle = handle;
        }
        let id = self.append(node)?;
        if spec.is_import {
            if !spec.device.is_empty() {
                self.set_device(id, &spec.device)?;
            }
            return Ok(id);
        }
        self.scopes_after_creation(id)?;
        Ok(id)
    }

    /// As `create`, for a node whose first output is wanted.
    pub fn create_tensor(&mut self, spec: NodeSpec) -> Result<Endpoint> {
        Ok(Endpoint::new(self.create(spec)?, 0))
    }

    fn name_for(&mut self, spec: &NodeSpec, def: &OpDef) -> Result<String> {
        if spec.is_import {
            return Ok(spec.name.clone());
        }
        if let Some(exact) = spec.name.strip_suffix('/') {
            return Ok(exact.to_string());
        }
        let name = if spec.name.is_empty() {
            def.name.as_str()
        } else {
            spec.name.as_str()
        };
        self.check_name(name)?;
        Ok(self.unique_name(name, true))
    }

    /// Gives an imported node the control inputs and the context in force.
    pub fn adopt(&mut self, id: NodeId) -> Result<()> {
        let inputs = self.node(id).inputs.clone();
        for control in self.controls_for(&inputs) {
            self.add_control_input(id, control);
        }
        self.record_seen(id);
        if let Some(context) = self.scopes.context {
            self.set_context(id, Some(context));
            self.add_to_context(context, id)?;
        }
        Ok(())
    }

    fn scopes_after_creation(&mut self, id: NodeId) -> Result<()> {
        let context = self.scopes.context;
        if !self.contexts.is_empty() {
            self.check_contexts_of_inputs(context, id)?;
        }
        if let Some(context) = context {
            self.set_context(id, Some(context));
            self.add_to_context(context, id)?;
        }
        self.apply_attr_scopes(id);
        self.record_seen(id);
        self.apply_placement(id)?;
        let node = self.node(id);
        if !self.scopes.container.is_empty()
            && node.def.is_stateful
            && matches!(node.attrs.get("container"), Some(Attr::Bytes(c)) if c.is_empty())
        {
            let container = self.scopes.container.clone().into_bytes();
            self.set_attr(id, "container", Attr::Bytes(container));
        }
        Ok(())
    }

    fn append(&mut self, node: Node) -> Result<NodeId> {
        let id = NodeId::try_from(self.nodes.len())
            .map_err(|_| Error::exhausted("too many nodes in one graph"))?;
        ensure!(
            !self.by_name.contains_key(&node.name),
            value,
            "Duplicate node name in graph: '{}'",
            node.name
        );
        self.by_name.insert(node.name.clone(), id);
        for e in &node.inputs {
            self.consumers[e.node as usize].push(id);
        }
        for c in &node.control_inputs {
            self.control_consumers[*c as usize].push(id);
        }
        self.nodes.push(Arc::new(node));
        self.consumers.push(SmallVec::new());
        self.control_consumers.push(SmallVec::new());
        self.version += 1;
        Ok(id)
    }

    fn infer_shapes(&mut self, node: &Node) -> Result<Vec<super::infer::Inferred>> {
        let Some(infer) = node.def.shape else {
            return Ok(node
                .outputs
                .iter()
                .map(|_| (PartialShape::unknown(), None))
                .collect());
        };
        let mut context = ShapeContext::new(self, node);
        match infer(&mut context) {
            Ok(()) => Ok(context.into_outputs()),
            Err(error) => Err(describe(error, self, node, infer)),
        }
    }

    /// Settles types and attributes of a node with these inputs; its name and scopes come after.
    fn resolve(
        &self,
        def: &'static OpDef,
        name: &str,
        inputs: SmallVec<[Endpoint; 3]>,
        given: Attrs,
    ) -> Result<Node> {
        let mut attrs = Attrs::default();
        for (key, value) in given.iter() {
            match def.attr(key) {
                Some(attr) => attrs.set(
                    Cow::Borrowed(attr.name.as_str()),
                    check_attr(def, attr, value, name)?,
                ),
                None if key.starts_with('_') => attrs.set(key.to_string(), value.clone()),
                None => bail!(
                    value,
                    "NodeDef mentions attr '{key}' not in {}; NodeDef: {{{{node {name}}}}}. (Check whether your \
                     GraphDef-interpreting binary is up to date with your GraphDef-generating binary.).",
                    def.summary()
                ),
            }
        }
        let mut resolver = Resolver {
            graph: self,
            def,
            name,
            attrs,
            inputs: &inputs,
            next: 0,
            told: SmallVec::new(),
        };
        for (i, arg) in def.inputs.iter().enumerate() {
            resolver.input(i, arg)?;
        }
        let Resolver {
            mut attrs, next, ..
        } = resolver;
        ensure!(
            next == inputs.len(),
            value,
            "NodeDef expected inputs '{}' do not match {} inputs specified; {}; NodeDef: {{{{node {name}}}}}",
            expected(def, &attrs),
            inputs.len(),
            def.summary()
        );
        for attr in &def.attrs {
            if attrs.get(&attr.name).is_none() {
                let Some(default) = &attr.default else {
                    bail!(
                        value,
                        "NodeDef missing attr '{}' from {}; NodeDef: {{{{node {name}}}}}",
                        attr.name,
                        def.summary()
                    );
                };
                attrs.set(Cow::Borrowed(attr.name.as_str()), default.clone());
            }
        }
        let outputs = output_types(def, &attrs, name)?;
        Ok(Node {
            name: "".into(),
            def,
            inputs,
            control_inputs: SmallVec::new(),
            attrs,
            device: "".into(),
            outputs,
            context: None,
            is_imported: false,
        })
    }
}

/// The types that an op with these attributes takes: `float, int32`.
fn expected(def: &OpDef, attrs: &Attrs) -> String {
    let types = def.inputs.iter().map(|arg| match &arg.ty {
        ArgType::Fixed(dtype) => dtype.short_name().to_string(),
        ArgType::Attr(attr) | ArgType::List(attr) => match attrs.dtype(attr) {
            Ok(dtype) => dtype.short_name().to_string(),
            Err(_) => attr.clone(),
        },
    });
    types.collect::<Vec<_>>().join(", ")
}

/// An error of shape inference, said as TensorFlow says it while a graph is being built.
fn describe(error: Error, graph: &mut Graph, node: &Node, infer: ShapeFn) -> Error {
    if !matches!(error.code, Code::InvalidArgument | Code::Value) {
        return error.at(&*node.name);
    }
    let (error, looked_up) = explain(graph, node, infer).unwrap_or((error, Some(String::new())));
    let Some(looked_up) = looked_up else {
        return Error {
            code: Code::Value,
            ..error
        };
    };
    let shapes: Vec<String> = node
        .inputs
        .iter()
        .map(|e| graph.shape(*e).to_string())
        .collect();
    let message = format!(
        "{} for '{}' (op: '{}') with input shapes: {}{looked_up}.",
        error.message,
        node.name,
        node.op(),
        shapes.join(", ")
    );
    Error {
        code: Code::Value,
        message,
        node: None,
    }
}

struct Resolver<'a> {
    graph: &'a Graph,
    def: &'static OpDef,
    name: &'a str,
    attrs: Attrs,
    inputs: &'a [Endpoint],
    next: usize,
    /// Type attributes that an input has told, with the argument's name.
    told: SmallVec<[(&'static str, &'static str); 2]>,
}

impl Resolver<'_> {
    fn input(&mut self, position: usize, arg: &'static Arg) -> Result<()> {
        let count = self.count(position, arg)?;
        ensure!(
            self.next + count <= self.inputs.len(),
            value,
            "NodeDef expected inputs '{}' do not match {} inputs specified; {}; NodeDef: {{{{node {}}}}}",
            expected(self.def, &self.attrs),
            self.inputs.len(),
            self.def.summary(),
            self.name
        );
        let from = self.next;
        self.next += count;
        let list = &self.inputs[from..self.next];
        if let Some(number) = &arg.number_attr {
            self.attrs
                .set(Cow::Borrowed(number.as_str()), Attr::Int(count as i64));
        }
        if let ArgType::List(attr) = &arg.ty {
            if self.attrs.get(attr).is_none() {
                let types = list
                    .iter()
                    .map(|e| TypeNumber::of(self.graph.dtype(*e)))
                    .collect();
                self.attrs
                    .set(Cow::Borrowed(attr.as_str()), Attr::List(List::Types(types)));
            }
            let types = self.attrs.types(attr)?;
            for (i, (e, ty)) in list.iter().zip(types).enumerate() {
                self.check(from + i, *e, arg, ty.base()?)?;
            }
            return Ok(());
        }
        for (i, e) in list.iter().enumerate() {
            let wanted = match &arg.ty {
                ArgType::Fixed(dtype) => *dtype,
                ArgType::Attr(attr) => match self.attrs.get(attr) {
                    Some(_) => {
                        let wanted = self.attrs.dtype(attr)?;
                        self.check_told(attr, *e, arg, wanted)?;
                        wanted
                    }
                    None => {
                        let dtype = self.graph.dtype(*e);
                        let attr_def = self
                            .def
                            .attr(attr)
                            .expect("the signature names an attribute of the op");
                        let value = check_attr(self.def, attr_def, &Attr::from(dtype), self.name)?;
                        self.attrs.set(Cow::Borrowed(attr.as_str()), value);
                        self.told.push((attr, &arg.name));
                        dtype
                    }
                },
                ArgType::List(_) => unreachable!("lists of several types were handled above"),
            };
            self.check(from + i, *e, arg, wanted)?;
        }
        Ok(())
    }

    /// How many tensors the argument takes, where attributes or its form tell.
    fn known_count(&self, arg: &Arg) -> Result<Option<usize>> {
        if let Some(number) = &arg.number_attr {
            if self.attrs.get(number).is_none() {
                return Ok(None);
            }
            let n = self.attrs.int(number)?;
            let length = usize::try_from(n);
            return length
                .map(Some)
                .map_err(|_| Error::value(format!("negative list length {n}")));
        }
        match &arg.ty {
            ArgType::List(attr) if self.attrs.get(attr).is_none() => Ok(None),
            ArgType::List(attr) => Ok(Some(self.attrs.types(attr)?.len())),
            _ => Ok(Some(1)),
        }
    }

    /// How many tensors the argument takes: when nothing says it, what the arguments after it leave over, in equal
    /// parts where one number holds for several of them.
    fn count(&self, position: usize, arg: &Arg) -> Result<usize> {
        if let Some(count) = self.known_count(arg)? {
            return Ok(count);
        }
        let (mut parts, mut rest) = (1, 0);
        for later in &self.def.inputs[position + 1..] {
            match self.known_count(later)? {
                Some(count) => rest += count,
                None if arg.number_attr.is_some() && later.number_attr == arg.number_attr => {
                    parts += 1;
                }
                None => {}
            }
        }
        (self.inputs.len() - self.next)
            .checked_sub(rest)
            .map(|left| left / parts)
            .ok_or_else(|| {
                Error::value(format!(
                    "Node '{}' of op {}: too few inputs",
                    self.name, self.def.name
                ))
            })
    }

    /// Two inputs that contradict each other: what TensorFlow says while a graph is being built.
    fn check_told(&self, attr: &str, e: Endpoint, arg: &Arg, wanted: DType) -> Result<()> {
        let dtype = self.graph.dtype(e);
        let first = self.told.iter().find(|(name, _)| *name == attr);
        if let Some((_, first)) = first.filter(|_| dtype != wanted) {
            bail!(
                type_error,
                "Input '{}' of '{}' Op has type {} that does not match type {} of argument '{first}'.",
                arg.name,
                self.def.name,
                dtype.name(),
                wanted.name()
            );
        }
        Ok(())
    }

    fn check(&self, position: usize, e: Endpoint, arg: &Arg, wanted: DType) -> Result<()> {
        let output = self.graph.output(e);
        let suffix = |is_ref: bool| if is_ref { "_ref" } else { "" };
        ensure!(
            output.dtype == wanted && (output.is_ref || !arg.is_ref),
            value,
            "Input {position} of node {} was passed {}{} from {} incompatible with expected {}{}.",
            self.name,
            output.dtype.short_name(),
            suffix(output.is_ref),
            self.graph.tensor_name(e),
            wanted.short_name(),
            suffix(arg.is_ref)
        );
        Ok(())
    }
}

/// The attribute as the definition wants it; an error when kind or value do not fit.
fn check_attr(def: &OpDef, attr: &AttrDef, value: &Attr, node: &str) -> Result<Attr> {
    let fail = |what: String| Error::value(format!("{what}; Op {}; NodeDef: {node}", def.name));
    if let Attr::Placeholder(_) = value {
        return Ok(value.clone());
    }
    if attr.is_list {
        let list = match value {
            Attr::List(list) if list.is_empty() => empty_list(attr.kind),
            Attr::List(list) => list.clone(),
            other => {
                return Err(fail(format!(
                    "AttrValue of attr '{}' is not a list: {other:?}",
                    attr.name
                )));
            }
        };
        let fits = matches!(
            (&list, attr.kind),
            (List::Bytes(_), AttrKind::Bytes)
                | (List::Ints(_), AttrKind::Int)
                | (List::Floats(_), AttrKind::Float)
                | (List::Bools(_), AttrKind::Bool)
                | (List::Types(_), AttrKind::Type)
                | (List::Shapes(_), AttrKind::Shape)
                | (List::Tensors(_), AttrKind::Tensor)
                | (List::Funcs(_), AttrKind::Func)
        );
        if !fits {
            return Err(fail(format!(
                "AttrValue of attr '{}' has the wrong kind of list: {list:?}",
                attr.name
            )));
        }
        if attr.minimum.is_some_and(|m| (list.len() as i64) < m) {
            let least = attr.minimum.unwrap_or(0);
            return Err(fail(format!(
                "Length for attr '{}' of {} must be at least minimum {least}",
                attr.name,
                list.len()
            )));
        }
        if let List::Types(types) = &list {
            for ty in types {
                check_type(attr, *ty).map_err(fail)?;
            }
        }
        return Ok(Attr::List(list));
    }
    match (value, attr.kind) {
        (Attr::Type(ty), AttrKind::Type) => check_type(attr, *ty).map_err(fail)?,
        (Attr::Bytes(bytes), AttrKind::Bytes) => {
            let allowed = &attr.allowed_strings;
            if !allowed.is_empty() && !allowed.iter().any(|a| a.as_bytes() == bytes) {
                let names: Vec<String> = allowed.iter().map(|a| format!("\"{a}\"")).collect();
                return Err(fail(format!(
                    "Value for attr '{}' of \"{}\" is not in the list of allowed values: {}",
                    attr.name,
                    String::from_utf8_lossy(bytes),
                    names.join(", ")
                )));
            }
        }
        (Attr::Int(n), AttrKind::Int) => {
            if let Some(least) = attr.minimum.filter(|m| n < m) {
                return Err(fail(format!(
                    "Value for attr '{}' of {n} must be at least minimum {least}",
                    attr.name
                )));
            }
        }
        (Attr::Float(_), AttrKind::Float)
        | (Attr::Bool(_), AttrKind::Bool)
        | (Attr::Shape(_), AttrKind::Shape)
        | (Attr::Tensor(_) | Attr::Encoded(..) | Attr::Opaque(_), AttrKind::Tensor)
        | (Attr::Func(..), AttrKind::Func) => {}
        (other, _) => {
            return Err(fail(format!(
                "AttrValue of attr '{}' has the wrong kind: {other:?}",
                attr.name
            )));
        }
    }
    Ok(value.clone())
}

fn check_type(attr: &AttrDef, ty: TypeNumber) -> Result<(), String> {
    let dtype = ty.base().map_err(|e| e.message)?;
    if !attr.allowed_types.is_empty() && !attr.allowed_types.contains(&dtype) {
        let names: Vec<&str> = attr.allowed_types.iter().map(|d| d.short_name()).collect();
        return Err(format!(
            "Value for attr '{}' of {} is not in the list of allowed values: {}",
            attr.name,
            dtype.short_name(),
            names.join(", ")
        ));
    }
    Ok(())
}

fn empty_list(kind: AttrKind) -> List {
    match kind {
        AttrKind::Bytes => List::Bytes(Vec::new()),
        AttrKind::Int => List::Ints(Vec::new()),
        AttrKind::Float => List::Floats(Vec::new()),
        AttrKind::Bool => List::Bools(Vec::new()),
        AttrKind::Type => List::Types(Vec::new()),
        AttrKind::Shape => List::Shapes(Vec::new()),
        AttrKind::Tensor => List::Tensors(Vec::new()),
        AttrKind::Func => List::Funcs(Vec::new()),
    }
}

/// At most this many outputs a node: an endpoint's index has 16 bits.
const MAX_OUTPUTS: usize = 1 << 16;

fn output_types(def: &'static OpDef, attrs: &Attrs, name: &str) -> Result<SmallVec<[Output; 1]>> {
    let mut outputs = SmallVec::new();
    for arg in &def.outputs {
        let count = match &arg.number_attr {
            Some(number) => usize::try_from(attrs.int(number)?).unwrap_or(usize::MAX),
            None => 1,
        };
        let types = match &arg.ty {
            ArgType::List(attr) => attrs
                .types(attr)?
                .into_iter()
                .map(TypeNumber::base)
                .collect::<Result<Vec<_>>>()?,
            ArgType::Attr(attr) => {
                check_count(count, name)?;
                vec![attrs.dtype(attr)?; count]
            }
            ArgType::Fixed(dtype) => {
                check_count(count, name)?;
                vec![*dtype; count]
            }
        };
        check_count(outputs.len() + types.len(), name)?;
        outputs.extend(types.into_iter().map(|dtype| Output {
            dtype,
            is_ref: arg.is_ref,
            shape: PartialShape::unknown(),
            handle: None,
        }));
    }
    Ok(outputs)
}

fn check_count(count: usize, name: &str) -> Result<()> {
    ensure!(
        count <= MAX_OUTPUTS,
        value,
        "Node '{name}' would have {count} outputs; at most {MAX_OUTPUTS} are allowed"
    );
    Ok(())
}
