"""tf.train: optimizers, schedules, moving averages, checkpoints."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.summary.summary_iterator import summary_iterator as summary_iterator
from ferroflow._src.training.adadelta import AdadeltaOptimizer as AdadeltaOptimizer
from ferroflow._src.training.adagrad import AdagradOptimizer as AdagradOptimizer
from ferroflow._src.training.adagrad_da import AdagradDAOptimizer as AdagradDAOptimizer
from ferroflow._src.training.adam import AdamOptimizer as AdamOptimizer
from ferroflow._src.training.checkpoint_management import CheckpointManager as CheckpointManager
from ferroflow._src.training.object_checkpoint import Checkpoint as Checkpoint
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
from ferroflow._src.training.basic_loops import basic_train_loop as basic_train_loop
from ferroflow._src.training.coordinator import Coordinator as Coordinator
from ferroflow._src.training.coordinator import LooperThread as LooperThread
from ferroflow._src.training.hook_timer import SecondOrStepTimer as SecondOrStepTimer
from ferroflow._src.training.hooks import FeedFnHook as FeedFnHook
from ferroflow._src.training.hooks import FinalOpsHook as FinalOpsHook
from ferroflow._src.training.hooks import GlobalStepWaiterHook as GlobalStepWaiterHook
from ferroflow._src.training.hooks import LoggingTensorHook as LoggingTensorHook
from ferroflow._src.training.hooks import NanLossDuringTrainingError as NanLossDuringTrainingError
from ferroflow._src.training.hooks import NanTensorHook as NanTensorHook
from ferroflow._src.training.hooks import StopAtStepHook as StopAtStepHook
from ferroflow._src.training.saving_hooks import CheckpointSaverHook as CheckpointSaverHook
from ferroflow._src.training.saving_hooks import CheckpointSaverListener as CheckpointSaverListener
from ferroflow._src.training.saving_hooks import ProfilerHook as ProfilerHook
from ferroflow._src.training.saving_hooks import StepCounterHook as StepCounterHook
from ferroflow._src.training.saving_hooks import SummarySaverHook as SummarySaverHook
from ferroflow._src.training.session_run_hook import SessionRunArgs as SessionRunArgs
from ferroflow._src.training.session_run_hook import SessionRunContext as SessionRunContext
from ferroflow._src.training.session_run_hook import SessionRunHook as SessionRunHook
from ferroflow._src.training.session_run_hook import SessionRunValues as SessionRunValues
from ferroflow._src.training.monitored_session import ChiefSessionCreator as ChiefSessionCreator
from ferroflow._src.training.monitored_session import MonitoredSession as MonitoredSession
from ferroflow._src.training.monitored_session import MonitoredTrainingSession as MonitoredTrainingSession
from ferroflow._src.training.monitored_session import SessionCreator as SessionCreator
from ferroflow._src.training.monitored_session import SingularMonitoredSession as SingularMonitoredSession
from ferroflow._src.training.monitored_session import WorkerSessionCreator as WorkerSessionCreator
from ferroflow._src.training.scaffold import Scaffold as Scaffold
from ferroflow._src.training import queue_runner as queue_runner
from ferroflow._src.training.queue_runner import QueueRunner as QueueRunner
from ferroflow._src.training.queue_runner import add_queue_runner as add_queue_runner
from ferroflow._src.training.queue_runner import start_queue_runners as start_queue_runners
from ferroflow._src.training.session_manager import SessionManager as SessionManager
from ferroflow._src.training.supervisor import Supervisor as Supervisor
from ferroflow._src.training.sync_replicas import SyncReplicasOptimizer as SyncReplicasOptimizer
from ferroflow._src.training.server import ClusterSpec as ClusterSpec
from ferroflow._src.training.server import Server as Server
from ferroflow._src.training.batching import batch as batch
from ferroflow._src.training.batching import batch_join as batch_join
from ferroflow._src.training.input_producers import input_producer as input_producer
from ferroflow._src.training.input_producers import limit_epochs as limit_epochs
from ferroflow._src.training.input_producers import match_filenames_once as match_filenames_once
from ferroflow._src.training.batching import maybe_batch as maybe_batch
from ferroflow._src.training.batching import maybe_batch_join as maybe_batch_join
from ferroflow._src.training.batching import maybe_shuffle_batch as maybe_shuffle_batch
from ferroflow._src.training.batching import maybe_shuffle_batch_join as maybe_shuffle_batch_join
from ferroflow._src.training.input_producers import range_input_producer as range_input_producer
from ferroflow._src.training.batching import shuffle_batch as shuffle_batch
from ferroflow._src.training.batching import shuffle_batch_join as shuffle_batch_join
from ferroflow._src.training.input_producers import slice_input_producer as slice_input_producer
from ferroflow._src.training.input_producers import string_input_producer as string_input_producer
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
