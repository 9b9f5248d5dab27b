# Sourced by the scripts that compute: settings that libtorch's native libraries read when they load.

# libgomp's threads spin for milliseconds at each barrier, waiting for one another. Where something else runs on the
# cores too (Azurite, another host, a build), the one that is waited for is often not running: training was measured
# four times slower. After some microseconds they sleep instead.
export GOMP_SPINCOUNT="${GOMP_SPINCOUNT:-10000}"

# Large temporaries stay with the process instead of going back to the system after every operation, to be faulted in
# page by page at the next (docs/performance.md).
export MALLOC_MMAP_THRESHOLD_="${MALLOC_MMAP_THRESHOLD_:-33554432}" MALLOC_TRIM_THRESHOLD_="${MALLOC_TRIM_THRESHOLD_:-268435456}"

# oneDNN and its layer in libtorch each keep the last 1,024 kernels that they compiled, and every number of tokens in a
# pass asks for kernels of its own: 180 MB more after some hundred passes. A pass needs a dozen (docs/performance.md).
export ONEDNN_PRIMITIVE_CACHE_CAPACITY="${ONEDNN_PRIMITIVE_CACHE_CAPACITY:-128}" LRU_CACHE_CAPACITY="${LRU_CACHE_CAPACITY:-128}"
