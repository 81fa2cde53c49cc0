tf.constant(1)
tf.get_default_graph().finalize()
t(lambda: tf.constant(2))
t(lambda: tf.Variable(2))
t(lambda: tf.get_default_graph().add_to_collection('a', 1))
t(lambda: tf.get_default_graph().as_graph_def())
t(lambda: tf.add_to_collection('a', 1))
# ---
g1=tf.Graph(); g2=tf.Graph()
with g1.as_default(): a=tf.constant(1., name='ga')
with g2.as_default(): b=tf.constant(2., name='gb')
t(lambda: a+b)
with g1.as_default():
    t(lambda: tf.add(a,b))
    t(lambda: tf.identity(b))
    t(lambda: tf.add_n([a,b]))
    t(lambda: tf.control_dependencies([b]).__enter__())
    t(lambda: tf.group(b))
    t(lambda: tf.gradients(b, b))
    t(lambda: tf.gradients(a, b))
    t(lambda: tf.stack([b, b]))
    t(lambda: tf.convert_to_tensor(b))
    t(lambda: tf.cond(b>0, lambda: a, lambda: a))
    t(lambda: tf.Variable(b))
    t(lambda: tf.Session(graph=g2).run(a))
t(lambda: tf.identity(a))
t(lambda: tf.concat([a,b],0))
t(lambda: g1.as_graph_element(b))
t(lambda: g1.as_graph_element('gb:0'))
t(lambda: g1.get_tensor_by_name('ga'))
t(lambda: g1.get_operation_by_name('ga:0'))
t(lambda: g1.get_tensor_by_name('ga:4'))
t(lambda: g1.get_tensor_by_name(3))
t(lambda: g1.get_operation_by_name(None))
t(lambda: g1.as_graph_element('ga', allow_operation=False))
t(lambda: g1.as_graph_element('ga:0', allow_tensor=False))
t(lambda: g1.as_graph_element(3))
t(lambda: g1.as_graph_element('x', allow_tensor=False, allow_operation=False))
# ---
g = tf.GraphDef()
n = g.node.add(); n.name='a'; n.op='NoSuchOp'
t(lambda: tf.import_graph_def(g))
t(lambda: tf.import_graph_def('x'))
t(lambda: tf.import_graph_def(None))
g = tf.GraphDef(); n=g.node.add(); n.name='a'; n.op='Identity'; n.input.append('b'); n.attr['T'].type=1
t(lambda: tf.import_graph_def(g))
n=g.node.add(); n.name='b'; n.op='Identity'; n.input.append('a'); n.attr['T'].type=1
t(lambda: tf.import_graph_def(g))
g = tf.GraphDef(); 
for k in range(2):
    n=g.node.add(); n.name='a'; n.op='NoOp'
t(lambda: tf.import_graph_def(g))
g = tf.GraphDef(); n=g.node.add(); n.name='a b'; n.op='NoOp'
t(lambda: tf.import_graph_def(g))
g = tf.GraphDef(); n=g.node.add(); n.name='p'; n.op='Placeholder'
t(lambda: tf.import_graph_def(g))
n.attr['dtype'].type=1
t(lambda: tf.import_graph_def(g, name='imp'))
t(lambda: tf.import_graph_def(g, return_elements=['zz:0']))
t(lambda: tf.import_graph_def(g, return_elements=['zz']))
t(lambda: tf.import_graph_def(g, return_elements=['p:3']))
t(lambda: tf.import_graph_def(g, return_elements=[3]))
t(lambda: tf.import_graph_def(g, input_map={'zz:0': tf.constant(1.)}))
t(lambda: tf.import_graph_def(g, input_map={'p:0': tf.constant(1)}))
t(lambda: tf.import_graph_def(g, input_map=[1]))
m=g.node.add(); m.name='q'; m.op='Identity'; m.input.append('p:1'); m.attr['T'].type=1
t(lambda: tf.import_graph_def(g))
m.input[0]='p'; m.attr['T'].type=3
t(lambda: tf.import_graph_def(g))
m.attr['T'].type=1; m.attr['zork'].i=1
t(lambda: tf.import_graph_def(g))
del m.attr['zork']; m.input.append('p')
t(lambda: tf.import_graph_def(g))
del m.input[:]
t(lambda: tf.import_graph_def(g))
m.input.append('^p'); 
t(lambda: tf.import_graph_def(g))
m.input[0]='p'; g.versions.producer=9999; g.versions.min_consumer=9999
t(lambda: tf.import_graph_def(g))
g.versions.Clear(); t(lambda: tf.import_graph_def(g, input_map={'p:0': tf.constant(1)}))
t(lambda: tf.import_graph_def(g, name='a b'))
g = tf.GraphDef(); n=g.node.add(); n.name='c'; n.op='Const'; n.attr['dtype'].type=1
t(lambda: tf.import_graph_def(g))
n.attr['value'].tensor.dtype=3
t(lambda: tf.import_graph_def(g))
n.attr['value'].tensor.dtype=1; n.attr['value'].tensor.tensor_shape.dim.add().size=-5
t(lambda: tf.import_graph_def(g))
n.attr['value'].tensor.tensor_shape.dim[0].size=4; n.attr['value'].tensor.tensor_content=b'abc'
t(lambda: tf.import_graph_def(g))
t(lambda: tf.GraphDef.FromString(b'\xff\xff\xff'))
