"""tf.test: test cases, gradients compared with differences, what the machine has."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.platform.gradient_checker import (
    compute_gradient as compute_gradient,
    compute_gradient_error as compute_gradient_error,
)
from ferroflow._src.platform.test import (
    StubOutForTesting as StubOutForTesting,
    TestCase as TestCase,
    assert_equal_graph_def as assert_equal_graph_def,
    get_temp_dir as get_temp_dir,
    gpu_device_name as gpu_device_name,
    is_built_with_cuda as is_built_with_cuda,
    is_built_with_gpu_support as is_built_with_gpu_support,
    is_built_with_rocm as is_built_with_rocm,
    is_gpu_available as is_gpu_available,
    main as main,
    mock as mock,
    test_src_dir_path as test_src_dir_path,
)
_contents.end(__name__)
