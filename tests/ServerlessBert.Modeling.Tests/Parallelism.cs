// Torch's random generator, thread count and tensor count belong to the process, and one pass uses every core.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
