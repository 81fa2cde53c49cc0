#!/bin/sh
# Sees to a Vulkan driver for the tests of the GPU: Mesa's software one, where there is none and it may be installed.
set -eu
if ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json "${VK_DRIVER_FILES:-/none}" >/dev/null 2>&1; then
    exit 0
fi
if [ "$(uname -s)" = Linux ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    if { apt-get update -qq && apt-get install -y -qq mesa-vulkan-drivers libvulkan1; } >/tmp/ferroflow-vulkan.log 2>&1; then
        exit 0
    fi
fi
echo "*** NO VULKAN DRIVER, and none could be installed: the tests of the GPU will not run. ***" >&2
echo "*** On Debian: apt-get install mesa-vulkan-drivers libvulkan1 ***" >&2
