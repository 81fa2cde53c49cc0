"""tf.train: optimizers, schedules, moving averages, checkpoints."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.summary.summary_iterator import summary_iterator as summary_iterator
from ferroflow._src.training.adadelta import AdadeltaOptimizer as AdadeltaOptimizer
from ferroflow._src.training.adagrad import AdagradOptimizer as AdagradOptimizer
from ferroflow._src.training.adagrad_da import AdagradDAOptimizer as AdagradDAOptimizer
from ferroflow._src.training.adam import AdamOptimizer as AdamOptimizer
from ferroflow._src.training.checkpoint_management import CheckpointManager as CheckpointManager
from ferroflow._src.training.checkpoint_management import checkpoint_exists as checkpoint_exists
from ferroflow._src.training.checkpoint_management import (
    generate_checkpoint_state_proto as generate_checkpoint_state_proto,
)
from ferroflow._src.training.checkpoint_management import get_checkpoint_mtimes as get_checkpoint_mtimes
from ferroflow._src.training.checkpoint_management import get_checkpoint_state as get_checkpoint_state
from ferroflow._src.training.checkpoint_management import latest_checkpoint as latest_checkpoint
from ferroflow._src.training.checkpoint_management import remove_checkpoint as remove_checkpoint
from ferroflow._src.training.checkpoint_management import update_checkpoint_state as update_checkpoint_state
from ferroflow._src.training.checkpoint_initializers import init_from_checkpoint as init_from_checkpoint
from ferroflow._src.training.checkpoint_utils import checkpoints_iterator as checkpoints_iterator
from ferroflow._src.training.checkpoint_utils import list_variables as list_variables
from ferroflow._src.training.checkpoint_utils import load_checkpoint as load_checkpoint
from ferroflow._src.training.checkpoint_utils import load_variable as load_variable
from ferroflow._src.training.checkpoint_utils import new_checkpoint_reader as NewCheckpointReader
from ferroflow._src.training.device_setter import replica_device_setter as replica_device_setter
from ferroflow._src.training.ftrl import FtrlOptimizer as FtrlOptimizer
from ferroflow._src.training.global_step import assert_global_step as assert_global_step
from ferroflow._src.training.global_step import create_global_step as create_global_step
from ferroflow._src.training.global_step import get_global_step as get_global_step
from ferroflow._src.training.global_step import get_or_create_global_step as get_or_create_global_step
from ferroflow._src.training.global_step import global_step as global_step
from ferroflow._src.training.gradient_descent import GradientDescentOptimizer as GradientDescentOptimizer
from ferroflow._src.training.graph_io import write_graph as write_graph
from ferroflow._src.training.momentum import MomentumOptimizer as MomentumOptimizer
from ferroflow._src.training.moving_averages import ExponentialMovingAverage as ExponentialMovingAverage
from ferroflow._src.training.optimizer import Optimizer as Optimizer
from ferroflow._src.training.proximal_adagrad import ProximalAdagradOptimizer as ProximalAdagradOptimizer
from ferroflow._src.training.proximal_gradient_descent import (
    ProximalGradientDescentOptimizer as ProximalGradientDescentOptimizer,
)
from ferroflow._src.training.rmsprop import RMSPropOptimizer as RMSPropOptimizer
from ferroflow._src.training.saver import Saver as Saver
from ferroflow._src.training.saver import export_meta_graph as export_meta_graph
from ferroflow._src.training.saver import import_meta_graph as import_meta_graph
from ferroflow._src.training.schedules import cosine_decay as cosine_decay
from ferroflow._src.training.schedules import cosine_decay_restarts as cosine_decay_restarts
from ferroflow._src.training.schedules import exponential_decay as exponential_decay
from ferroflow._src.training.schedules import inverse_time_decay as inverse_time_decay
from ferroflow._src.training.schedules import linear_cosine_decay as linear_cosine_decay
from ferroflow._src.training.schedules import natural_exp_decay as natural_exp_decay
from ferroflow._src.training.schedules import noisy_linear_cosine_decay as noisy_linear_cosine_decay
from ferroflow._src.training.schedules import piecewise_constant as piecewise_constant
from ferroflow._src.training.schedules import piecewise_constant as piecewise_constant_decay
from ferroflow._src.training.schedules import polynomial_decay as polynomial_decay
from ferroflow._src.training.warm_starting import VocabInfo as VocabInfo
from ferroflow._src.training.warm_starting import warm_start as warm_start
from ferroflow._src.proto import (
    BytesList as BytesList,
    ClusterDef as ClusterDef,
    Example as Example,
    Feature as Feature,
    FeatureList as FeatureList,
    FeatureLists as FeatureLists,
    Features as Features,
    FloatList as FloatList,
    Int64List as Int64List,
    JobDef as JobDef,
    SaverDef as SaverDef,
    SequenceExample as SequenceExample,
    ServerDef as ServerDef,
)
_contents.end(__name__)
