using ServerlessBert.Modeling.Training;
using TorchSharp;

namespace ServerlessBert.Modeling.Tests.Training;

public class OutOfMemoryTests
{
    [Fact]
    public void What_libtorchs_allocator_says_is_told_from_its_other_errors()
    {
        Exception memory = Assert.ThrowsAny<Exception>(() => torch.empty(1L << 58, torch.uint8)); // no machine has it
        Exception shape = Assert.ThrowsAny<Exception>(() => torch.ones(2, 3).mm(torch.ones(2, 3)));

        Assert.True(OutOfMemory.IsCauseOf(memory), memory.Message);
        Assert.False(OutOfMemory.IsCauseOf(shape), shape.Message);
    }
}
