for d in ['/cpu:0','/gpu:0','/device:GPU:1','/job:localhost/replica:0/task:0/device:CPU:0','/job:worker','/task:2','CPU:0','cpu','/cpu:*','/device:XLA_CPU:0','/device:*:*','/job:a/cpu:0','',None,'/job:a//task:1', '/CPU:0','/Gpu:2','/device:gpu:2','/device:foo:1','/tpu:0','/device:TPU:0']:
    def f():
        with tf.device(d): return repr(tf.constant(1).op.device)
    print(d); t(f)
for d in ['bad device','/foo:1','/cpu:a','/job','/job:','/task:x','/replica','/cpu:0/gpu:1','/device:CPU:0/device:CPU:1', 5, [1], '/job:1:2', '/cpu:-1']:
    def f():
        with tf.device(d): return repr(tf.constant(1).op.device)
    print(d); t(f)
# ---
with tf.device('/job:worker/task:3'):
    with tf.device('/gpu:1'):
        a = tf.constant(1); print(a.device)
        with tf.device(lambda op: '/cpu:0'): print(tf.constant(1).device)
        with tf.device(lambda op: None): t(lambda: tf.constant(1).device)
        with tf.device(lambda op: ''): print(tf.constant(1).device)
        with tf.device(lambda op: '/task:5'): print(tf.constant(1).device)
        with tf.device(''): print(tf.constant(1).device)
        with tf.device(None):
            print(repr(tf.constant(1).device))
            with tf.device('/task:9'): print(tf.constant(1).device)
    with tf.device(tf.DeviceSpec(device_type='GPU', device_index=2)): print(tf.constant(1).device)
with tf.device(lambda op: op.device + 'x'): t(lambda: tf.constant(1).device)
with tf.device(lambda op: 5): t(lambda: tf.constant(1).device)
with tf.device('/cpu:0'):
    v = tf.get_variable('v', [1]); print(v.device, v.op.device, v.initializer.device)
    with tf.device('/gpu:0'):
        print((v+1).device)
        with tf.colocate_with(v.op): print(tf.constant(1).device, tf.constant(2).op.colocation_groups())
    w = tf.get_variable('w', [1], use_resource=True); print(w.device, w.handle.device)
with tf.colocate_with(v): 
    with tf.device('/gpu:3'): print(repr(tf.constant(3).device))
o = tf.constant(1).op
t(lambda: o._set_device('/gpu:7')); print(o.device)
t(lambda: o._set_device('zork')); print(o.device)
g = tf.get_default_graph()
t(lambda: g.device('/cpu:0'))
with g.device('/cpu:0'): pass
with tf.variable_scope('s'):
    with tf.device('/cpu:1'):
        print(tf.get_variable('x', [2]).device)
with tf.variable_scope('s2', use_resource=True), tf.device('/job:ps/task:0'):
    x = tf.get_variable('x', [2]); print(x.device); opt = tf.train.AdamOptimizer().minimize(x*x)
print([ (n.name, n.device) for n in tf.get_default_graph().get_operations() if n.device][-60:])
d = tf.train.replica_device_setter(ps_tasks=3, worker_device='/job:worker/task:7') if hasattr(tf.train,'replica_device_setter') else None
with tf.device(d):
    print([tf.Variable(1.).device for _ in range(4)], tf.constant(1).device)
# ---
D = tf.DeviceSpec
t(lambda: D.from_string('/job:a/replica:1/task:2/device:GPU:3').to_string())
t(lambda: D.from_string('/gpu:1').to_string())
t(lambda: D.from_string('/job:a/junk').to_string())
t(lambda: D.from_string('/cpu:0/gpu:1').to_string())
t(lambda: D(job='a', device_type='gpu', device_index=1).to_string())
t(lambda: str(D(job='a')))
t(lambda: D(device_type='GPU').to_string())
t(lambda: D.from_string('/cpu:*').to_string())
x = D(job='a', task=1); y = D(task=5, device_type='CPU')
t(lambda: x.merge_from(y)); print(x.to_string())
t(lambda: D(job=3).job)
t(lambda: D(task='x'))
print(D(job='a')==D(job='a'), hash(D(job='a'))==hash(D(job='a')), D.from_string('/task:3').task, D.from_string('').to_string()=='')
t(lambda: D(job='q').parse_from_string('/task:1').to_string())
# ---
with tf.device('/gpu:0'): a = tf.constant([1.,2.], name='a'); b = a*2
t(lambda: tf.Session().run(b))
t(lambda: tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(b))
# ---
with tf.device('/cpu:1'): a = tf.constant([1.,2.], name='a'); b = a*2
t(lambda: tf.Session().run(b))
t(lambda: tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(b))
t(lambda: tf.Session(config=tf.ConfigProto(device_count={'CPU':2})).run(b))
t(lambda: [d.name for d in tf.Session(config=tf.ConfigProto(device_count={'CPU':2})).list_devices()])
# ---
with tf.device('/job:worker/task:1'): a = tf.constant([1.,2.], name='a'); b = a*2
t(lambda: tf.Session().run(b))
t(lambda: tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(b))
# ---
with tf.device('/device:FOO:0'): a = tf.constant([1.,2.], name='a'); b = a*2
t(lambda: tf.Session().run(b))
t(lambda: tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(b))
# ---
with tf.device('/job:localhost/replica:0/task:0/device:CPU:0'): a = tf.constant([1.,2.], name='a'); b = a*2
t(lambda: tf.Session().run(b))
# ---
with tf.device('/gpu:0'): v = tf.Variable(1., name='v')
t(lambda: tf.Session().run(v.initializer))
t(lambda: tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(v.initializer))
# ---
with tf.device('/gpu:0'): x = tf.placeholder(tf.float32, name='x')
with tf.device('/cpu:0'): y = x+1
t(lambda: tf.Session().run(y, {x: 1.}))
s = tf.Session()
t(lambda: s.list_devices())
print([(d.name, d.device_type, d.memory_limit_bytes) for d in s.list_devices()])
from tensorflow.python.client import device_lib
t(lambda: [(d.name, d.device_type, d.memory_limit, d.physical_device_desc, str(d.locality)) for d in device_lib.list_local_devices()])
t(lambda: tf.test.is_gpu_available())
t(lambda: tf.test.is_gpu_available(cuda_only=True, min_cuda_compute_capability=(3,0)))
t(lambda: tf.test.gpu_device_name())
t(lambda: tf.test.is_built_with_cuda())
# ---
o = tf.constant(1).op
o._set_device('/gpu:7'); print(o.device)
with tf.device(lambda op: '/gpu:3'): print(tf.constant(1).device)
with tf.device('/job:a'), tf.device(lambda op: '/gpu:3'): print(tf.constant(1).device)
gd = tf.GraphDef(); n=gd.node.add(); n.name='a'; n.op='NoOp'; n.device='/gpu:3'; n=gd.node.add(); n.name='b'; n.op='NoOp'; n.device='zork'
n=gd.node.add(); n.name='c'; n.op='NoOp'; n.device='/job:a/cpu:*'
t(lambda: [x.device for x in tf.import_graph_def(gd, return_elements=['a','b','c'])])
def f():
    with tf.device('/task:1'): return [x.device for x in tf.import_graph_def(gd, return_elements=['a','b','c'])]
t(f)
def f():
    with tf.device('/cpu:1'): return [x.device for x in tf.import_graph_def(gd, return_elements=['a','c'])]
t(f)
# ---
t(lambda: tf.ConfigProto(zork=1))
t(lambda: tf.ConfigProto(allow_soft_placement='x'))
t(lambda: tf.Session(config=5))
t(lambda: tf.Session(tf.ConfigProto()))
t(lambda: tf.Session(graph=5))
t(lambda: tf.Session('grpc://nowhere:1'))
t(lambda: tf.Session('zork'))
t(lambda: tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=-1)).run(tf.constant(1)))
t(lambda: tf.Session(config=tf.ConfigProto(device_count={'CPU':0})).list_devices())
t(lambda: tf.Session(config=tf.ConfigProto(device_filters=['/job:a'])).run(tf.constant(1)))
t(lambda: tf.Session(config=tf.ConfigProto(gpu_options=tf.GPUOptions(per_process_gpu_memory_fraction=2.0))).run(tf.constant(1)))
