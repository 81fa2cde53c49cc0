"""tf.contrib: the parts of it that programs use. Each page is loaded when it is asked for."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
_contents.end(__name__)
