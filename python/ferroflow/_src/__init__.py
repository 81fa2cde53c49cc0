"""ferroflow's own code; what programs may use is named by the pages beside it."""

import os

if not any(name == "XDG_RUNTIME_DIR" or name.startswith("MESA_VK_DEVICE_SELECT") for name in os.environ):
    # Mesa's layer that orders GPUs by what the desktop shows complains where there is no desktop; we order them ourselves.
    os.environ.setdefault("NODEVICE_SELECT", "1")
