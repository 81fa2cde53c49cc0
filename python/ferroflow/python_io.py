"""tf.python_io: files of records."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.platform.record_io import TFRecordCompressionType as TFRecordCompressionType
from ferroflow._src.platform.record_io import TFRecordOptions as TFRecordOptions
from ferroflow._src.platform.record_io import TFRecordWriter as TFRecordWriter
from ferroflow._src.platform.record_io import tf_record_iterator as tf_record_iterator
_contents.end(__name__)
