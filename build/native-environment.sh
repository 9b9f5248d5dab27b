# Sourced by the scripts that compute: settings that libtorch's native libraries read when they load.

# libgomp's threads spin for milliseconds at each barrier, waiting for one another. Where something else runs on the
# cores too (Azurite, another host, a build), the one that is waited for is often not running: training was measured
# four times slower. After some microseconds they sleep instead.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"

# Large temporaries stay with the process instead of going back to the system after every operation, to be faulted in
# page by page at the next (docs/performance.md).
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-33554432}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-268435456}"
