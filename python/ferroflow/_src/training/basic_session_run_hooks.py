"""All hooks of tf.train under the name that TensorFlow's module has."""

from ferroflow._src.training.hook_timer import HookTimer as _HookTimer, NeverTriggerTimer, SecondOrStepTimer
from ferroflow._src.training.hooks import (
    FeedFnHook,
    FinalOpsHook,
    GlobalStepWaiterHook,
    LoggingTensorHook,
    MultiStepStopAtStepHook as _MultiStepStopAtStepHook,
    NanLossDuringTrainingError,
    NanTensorHook,
    StopAtStepHook,
    get_or_create_steps_per_run_variable,
)
from ferroflow._src.training.saving_hooks import (
    CheckpointSaverHook,
    CheckpointSaverListener,
    ProfilerHook,
    StepCounterHook,
    SummarySaverHook,
)
from ferroflow._src.training.session_run_hook import SessionRunArgs

__all__ = [
    "CheckpointSaverHook",
    "CheckpointSaverListener",
    "FeedFnHook",
    "FinalOpsHook",
    "GlobalStepWaiterHook",
    "LoggingTensorHook",
    "NanLossDuringTrainingError",
    "NanTensorHook",
    "NeverTriggerTimer",
    "ProfilerHook",
    "SecondOrStepTimer",
    "SessionRunArgs",
    "StepCounterHook",
    "StopAtStepHook",
    "SummarySaverHook",
    "_HookTimer",
    "_MultiStepStopAtStepHook",
    "get_or_create_steps_per_run_variable",
]
